"""Programmes as values: what is planted, who joins, what is expected of each row of a provider's list."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum

import numpy as np
import numpy.typing as npt

from counterfoil.population.calendar import Days
from counterfoil.population.draws import Floats


@dataclass(frozen=True, slots=True)
class Selection:
    """Who joins: coefficients of the log odds. `age_squared`, `young_acquisitive` and `latent` are what a plain list of
    covariates does not hold: a term that is not linear, an interaction, a factor that nobody recorded.

    With these values the groups differ by about 1.6 points before they are made alike. An estimate adjusted for every
    covariate but the interaction and the unrecorded factor is off by +0.3 points (12 populations of 100,000, standard
    error 0.1), of which the unrecorded factor makes two thirds; with `latent` 0 and the interaction known, 0.0.
    """

    age: float = -0.10  # for 10 years above 33
    age_squared: float = -0.20  # for the square of that
    priors: float = 0.35  # for each unit of log(1 + sanctions before)
    female: float = 0.20
    custody: float = 0.70  # index event is a release
    long_sentence: float = 0.30  # a year or more
    violence: float = 0.25
    young_acquisitive: float = 0.40
    latent: float = 0.04


class FileFormat(Enum):
    """How the provider saved its list."""

    XLSX = "xlsx"
    CSV_WITH_MARK = "csv, UTF-8 with a byte-order mark"
    CSV_WINDOWS = "csv, Windows-1252"


@dataclass(frozen=True, slots=True)
class ProgrammeSpec:
    """One programme to plant.

    `people`: rows in the provider's list, about. `hazard_ratio` multiplies the hazard of the first reoffence from the
    start of the programme on; 1 is no effect. `most_of_pool`: no more than this share of the index events that might
    join, so that a small population keeps a pool. `started_inside`: share of those with a release who start before it.
    """

    name: str
    title: str
    provider: str
    description: str
    people: int = 1000
    hazard_ratio: float = 1.0
    started_inside: float = 0.3
    regions: tuple[str, ...] = ()  # where people are taken from; everywhere when empty
    longest_delay: int = 90  # days from the index date to the start
    most_of_pool: float = 0.20
    file_format: FileFormat = FileFormat.XLSX
    selection: Selection = field(default_factory=Selection)


DEFAULT_PROGRAMMES = (
    ProgrammeSpec(
        name="northgate",
        title="Northgate Workshop Trust: a workshop place after release or sentence",
        provider="Northgate Workshop Trust",
        description=(
            "Six months of paid work in a joinery workshop with a mentor, for people leaving prison or starting a "
            "community sentence. Referral is by prison or probation staff. Invented for training."
        ),
        hazard_ratio=0.62,
        regions=("north_east", "north_west", "yorkshire", "east_midlands", "west_midlands"),
    ),
    ProgrammeSpec(
        name="lantern",
        title="Lantern Reading Circles: twelve weekly meetings",
        provider="Lantern Reading",
        description=(
            "A weekly reading group led by volunteers, in prison or at a library. Anyone may join. "
            "Invented for training."
        ),
        hazard_ratio=1.0,
        regions=("east", "london", "south_east", "south_west", "wales"),
        file_format=FileFormat.CSV_WITH_MARK,
    ),
    ProgrammeSpec(
        name="harbour",
        title="Harbour Row: a rowing club for people on probation",
        provider="Harbour Row",
        description="A small rowing club that takes referrals from probation. Invented for training.",
        people=45,
        file_format=FileFormat.CSV_WINDOWS,
        hazard_ratio=0.6,
    ),
)


class Expected(IntEnum):
    """What should become of a row of a provider's list when everything is found. Position in EXPECTED."""

    ANALYSED = 0
    OFFENDED_BEFORE_START = 1
    OUTSIDE_YEARS = 2
    NO_INDEX_EVENT = 3
    IN_NO_SOURCE = 4


EXPECTED = ("analysed", "offended before start", "outside years", "no index event", "in no source")
NOT_A_PERSON = -1  # of someone in no source


@dataclass(frozen=True, slots=True)
class Outcomes:
    """One-year proven reoffending of each person: rate (0 or 1), reoffences, days to the first (MISSING when none)."""

    rate: npt.NDArray[np.int8]
    frequency: npt.NDArray[np.int32]
    days: Days


@dataclass(frozen=True, slots=True)
class Members:
    """The people of one programme, one entry each. Potential outcomes: y0 without it, y1 with it. Who is not to be
    analysed has neither (rate -1)."""

    person: npt.NDArray[np.int32]
    expected: npt.NDArray[np.int8]
    index_date: Days
    start: Days
    is_release: npt.NDArray[np.bool_]
    propensity: Floats  # to join, given that the event qualified; nan where it does not apply
    y0: Outcomes
    y1: Outcomes
    other: npt.NDArray[np.int32]  # position of the invented person, NOT_A_PERSON for those of the population

    def __len__(self) -> int:
        return len(self.person)
