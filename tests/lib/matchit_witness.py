"""What MatchIt 4.7.2 gave for LaLonde's 614 people, and the people as `compare` takes them. Scores are R's own."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.comparison.values import BoolArray, FloatArray
from lib.witnesses import read_people

COVARIATES = ("age", "educ", "race", "married", "nodegree", "re74", "re75")


@dataclass(frozen=True, slots=True)
class Lalonde614:
    """The people, R's scores and everything that MatchIt said, by `spec`."""

    people: pa.Table
    names: tuple[str, ...]
    propensity: FloatArray
    logit: FloatArray
    pairs: dict[str, set[tuple[str, int, str]]]  # (treated, rank, comparison)
    weights: dict[str, dict[str, float]]  # people with a weight
    strata: dict[str, dict[str, str]]

    @property
    def treated(self) -> BoolArray:
        """Who was treated."""
        return np.asarray(self.people["treat"].to_numpy() == 1.0)

    def table(self) -> pa.Table:
        """The columns that `compare` takes."""
        return self.people.select(["treat", *COVARIATES])

    def weight_of(self, spec: str) -> FloatArray:
        """MatchIt's weight of each person; 0 for whoever is not used."""
        return np.array([self.weights[spec].get(name, 0.0) for name in self.names])

    def named(self, rows: npt.NDArray[np.int64]) -> list[str]:
        """Names of the people at these rows."""
        return [self.names[row] for row in rows]


def read_lalonde614(shared: Path) -> Lalonde614:
    """Everything in the folder of the oracle."""
    folder = shared / "oracles/matchit_lalonde614"
    people = read_people(folder / "lalonde614.csv")
    scores = read_people(folder / "ps_logit_scores.csv")
    pairs: dict[str, set[tuple[str, int, str]]] = {}
    for row in _rows(folder / "matchit_pairs.csv"):
        pairs.setdefault(row["spec"], set()).add((row["treated"], int(row["rank"]), row["control"]))
    weights: dict[str, dict[str, float]] = {}
    strata: dict[str, dict[str, str]] = {}
    for row in _rows(folder / "matchit_weights.csv"):
        weights.setdefault(row["spec"], {})[row["id"]] = float(row["weight"])
        strata.setdefault(row["spec"], {})[row["id"]] = row["subclass"]
    names = tuple(people["id"].to_pylist())
    return Lalonde614(people, names, scores["ps"].to_numpy(), scores["logit"].to_numpy(), pairs, weights, strata)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
