"""A synthetic justice population with known truth, for the demonstration, tests, benchmarks and training."""

from counterfoil.population.generate import LAB_DATE, generate
from counterfoil.population.programmes import DEFAULT_PROGRAMMES, FileFormat, ProgrammeSpec, Selection
from counterfoil.population.report import PlantedTruth, PopulationReport, ProgrammeReport

__all__ = [
    "DEFAULT_PROGRAMMES",
    "LAB_DATE",
    "FileFormat",
    "PlantedTruth",
    "PopulationReport",
    "ProgrammeReport",
    "ProgrammeSpec",
    "Selection",
    "generate",
]
