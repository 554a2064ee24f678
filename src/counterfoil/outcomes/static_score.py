"""A static risk score: the probability of an outcome from what was known before, fitted on people of earlier years.

Logistic regression by the lab's own kernel. How well it foretells is told out of sample: each fifth of the people is
scored by a fit on the other four.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.logit import CodedDesign, Factor, fit

FloatArray = npt.NDArray[np.float64]

FEWEST_WITH = 100  # events with the outcome, and without: fewer do not carry a score
LEAST_LEVEL = 50  # events of a level; a rarer one is read as the reference, and so is one never seen
FOLDS = 5
BANDS = 10  # of equally many events, in the order of their scores


@dataclass(frozen=True, slots=True)
class ScoreTerms:
    """Which covariates go in, and as what. `outcome` names the measure."""

    outcome: str
    factors: tuple[str, ...]
    numbers: tuple[str, ...]
    squares: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()  # ln(1 + count)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every covariate that is read, once."""
        return tuple(dict.fromkeys((*self.factors, *self.numbers, *self.squares, *self.logs)))


@dataclass(frozen=True, slots=True)
class StaticScore:
    """A fitted score. `coefficients` are log odds, by term."""

    terms: ScoreTerms
    levels: Mapping[str, tuple[str, ...]]  # of each factor, the reference first
    coefficients: Mapping[str, float]

    def of(self, people: pa.Table) -> FloatArray:
        """The probability of the outcome for each row of `people`, 0 to 1."""
        return _probability(_log_odds(_design(people, self.terms, self.levels), self.coefficients))


@dataclass(frozen=True, slots=True)
class CalibrationBand:
    """Events of neighbouring scores: what was foretold and what happened. Inside the lab only."""

    events: int
    foretold: float  # mean probability
    happened: float  # rate


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well a score foretells, out of sample. A perfect one has slope 1 and intercept 0."""

    events: int
    slope: float  # of the outcome's log odds on the score's
    intercept: float  # with the slope at its estimate
    brier: float  # mean square of probability less outcome
    auc: float  # the chance that of two with unlike outcomes the one with it was foretold likelier
    bands: tuple[CalibrationBand, ...]


def fit_static_score(
    events: pa.Table, outcome: FloatArray, terms: ScoreTerms, *, person: npt.NDArray[np.int64], threads: int = 1
) -> tuple[StaticScore, Calibration] | None:
    """The score of `events`, and how well it foretells; None when too few have the outcome, or too few have not.

    `outcome` is 0 or 1, one a row; NaN (not covered by the data) is left out. `person` says whose event each is, so
    that no person is both fitted on and foretold. `threads` change nothing.
    """
    measured = ~np.isnan(outcome)
    people, outcome = events.filter(pa.array(measured)), outcome[measured]
    has = int(outcome.sum())
    if min(has, outcome.size - has) < FEWEST_WITH:
        return None
    levels = {name: _levels(people[name]) for name in terms.factors}
    design = _design(people, terms, levels)
    _, number = np.unique(person[measured], return_inverse=True)
    fold = number % FOLDS
    foretold = np.empty(outcome.size)

    def foretell(held: int) -> None:
        rows, out = np.flatnonzero(fold != held), np.flatnonzero(fold == held)
        foretold[out] = _log_odds(design.take(out), _fitted(design.take(rows), outcome[rows]))

    with ThreadPoolExecutor(max(threads, 1)) as pool:
        whole = pool.submit(_fitted, design, outcome)
        list(pool.map(foretell, range(FOLDS)))
    return StaticScore(terms, levels, whole.result()), calibration_of(foretold, outcome)


def calibration_of(log_odds: FloatArray, outcome: FloatArray) -> Calibration:
    """How outcomes (0 or 1) go with the log odds that were foretold for them."""
    none = np.empty((outcome.size, 0), dtype=np.int8)
    line = fit(CodedDesign((), none, ("score",), np.ascontiguousarray(log_odds[:, None])), outcome, covariance=False)
    found = dict(zip(line.terms, line.coef, strict=True))
    probability = _probability(log_odds)
    return Calibration(
        events=outcome.size,
        slope=float(found.get("score", 0.0)),
        intercept=float(found["intercept"]),
        brier=float(np.mean((probability - outcome) ** 2)),
        auc=_auc(log_odds, outcome),
        bands=_bands(probability, outcome),
    )


def _fitted(design: CodedDesign, outcome: FloatArray) -> dict[str, float]:
    fitted = fit(design, outcome, covariance=False)
    return {term: float(value) for term, value in zip(fitted.terms, fitted.coef, strict=True)}


def _log_odds(design: CodedDesign, coefficients: Mapping[str, float]) -> FloatArray:
    total = np.full(design.rows, coefficients["intercept"])
    for position, factor in enumerate(design.factors):
        by_code = np.array([0.0, *(coefficients.get(factor.term(i), 0.0) for i in range(1, len(factor.levels)))])
        total += by_code[design.codes[:, position]]
    for position, name in enumerate(design.numeric_names):
        total += coefficients.get(name, 0.0) * design.numeric[:, position]
    return total


def _probability(log_odds: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-np.logaddexp(0.0, -log_odds)), dtype=np.float64)


def _levels(column: pa.ChunkedArray) -> tuple[str, ...]:
    """Common enough levels, the commonest first (the first by name among equals)."""
    counted = pc.value_counts(_as_text(column)).to_pylist()
    common = [(-row["counts"], row["values"]) for row in counted if row["counts"] >= LEAST_LEVEL and row["values"]]
    return tuple(value for _, value in sorted(common)) or ("",)


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def _design(people: pa.Table, terms: ScoreTerms, levels: Mapping[str, tuple[str, ...]]) -> CodedDesign:
    codes = [
        pc.fill_null(pc.index_in(_as_text(people[name]), pa.array(known)), 0).to_numpy()
        for name, known in levels.items()
    ]
    factors = tuple(Factor(name, known) for name, known in levels.items())
    columns = {name: people[name].cast(pa.float64()).to_numpy() for name in terms.columns if name not in levels}
    numbers = {
        **{name: columns[name] for name in terms.numbers},
        **{f"{name}^2": columns[name] ** 2 for name in terms.squares},
        **{f"ln {name}": np.log1p(columns[name]) for name in terms.logs},
    }
    numeric = _by_row(list(numbers.values()), people.num_rows).astype(np.float64)
    return CodedDesign(factors, _by_row(codes, people.num_rows).astype(np.int8), tuple(numbers), numeric)


def _by_row(columns: list[npt.NDArray[Any]], rows: int) -> npt.NDArray[Any]:
    return np.ascontiguousarray(np.stack(columns, axis=1)) if columns else np.empty((rows, 0))


def _auc(score: FloatArray, outcome: FloatArray) -> float:
    """The Mann-Whitney share: ties count half."""
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2.0)[place]
    has = outcome == 1.0
    n, others = int(has.sum()), int((~has).sum())
    return float((rank[has].sum() - n * (n + 1) / 2.0) / (n * others))


def _bands(probability: FloatArray, outcome: FloatArray) -> tuple[CalibrationBand, ...]:
    parts = np.array_split(np.argsort(probability, kind="stable"), BANDS)
    return tuple(
        CalibrationBand(part.size, float(probability[part].mean()), float(outcome[part].mean()))
        for part in parts
        if part.size
    )
