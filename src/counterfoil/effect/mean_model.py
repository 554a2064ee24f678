"""A regression of a mean on covariates (straight, log or logit), fitted on those with a weight, predicted for everyone.

All three links are canonical, so one page of algebra serves: with weights w the equation is sum of w (y - mean) x = 0,
its slope is minus the sum of w m' x x', and a person moves the coefficients by (slope)^-1 w (y - mean) x.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy import special

from counterfoil.comparison.values import FloatArray
from counterfoil.effect.characteristics import Characteristics, columns_of
from counterfoil.effect.climbs import HIGHEST, log_mean, log_odds, solve
from counterfoil.effect.columns import Columns
from counterfoil.effect.influence import Influence

RIDGE_NOTE = (
    "Some characteristics alone decide the outcome in one group, so that no finite model is the likeliest; a small "
    "ridge keeps it finite."
)
UNSEEN_NOTE = "Some characteristics do not vary in the comparison group and could not be adjusted for."


class Link(Enum):
    """How a mean hangs on the covariates."""

    IDENTITY = "straight"
    LOG = "log"
    LOGIT = "logit"


@dataclass(frozen=True, slots=True, eq=False)
class MeanModel:
    """A fit. Arrays have one value a person: those without a weight have a prediction and no score."""

    columns: Columns
    mean: FloatArray  # predicted, for everyone
    slope: FloatArray  # of the mean on the linear predictor
    score: FloatArray  # w (y - mean); weights scaled to mean 1 over those fitted on
    bread: FloatArray  # inverse of the sum of w m' x x' (and the ridge)
    leverage: FloatArray
    notes: tuple[str, ...]

    @property
    def parameters(self) -> int:
        """Coefficients."""
        return self.columns.count

    def mean_over(self, share: FloatArray) -> float:
        """The mean prediction over people with these shares (adding up to 1)."""
        return float((share * self.mean).sum())

    def influence_over(self, share: FloatArray) -> Influence:
        """What each person moves `mean_over(share)` by, through the coefficients."""
        return self.influence_on(self.columns.total(share * self.slope))

    def influence_on(self, gradient: FloatArray) -> Influence:
        """What each person moves a function of the coefficients by, given its gradient."""
        return Influence(self.score * self.columns.times(self.bread @ gradient), self.leverage, self.parameters)


def fit_mean(
    given: Characteristics, outcome: FloatArray, weight: FloatArray, link: Link, *, offset: FloatArray | None = None
) -> MeanModel:
    """Fit on the rows with a weight. `offset` is added to the linear predictor (log of exposure, log link only)."""
    w = weight / weight[weight > 0].mean()
    columns = columns_of(given, w)
    eta, ridge = _linear_predictor(given, columns, outcome, w, link, offset)
    notes = [RIDGE_NOTE] if ridge > 0.0 else []
    if columns.count < len(given.candidates) and columns.count < columns_of(given, np.ones(len(w))).count:
        notes.append(UNSEEN_NOTE)
    return _answer(columns, outcome, w, eta, link, ridge, tuple(notes))


def _linear_predictor(
    given: Characteristics,
    columns: Columns,
    outcome: FloatArray,
    w: FloatArray,
    link: Link,
    offset: FloatArray | None,
) -> tuple[FloatArray, float]:
    """Of everyone, with the ridge that it took (0.0 unless the outcome was separated)."""
    match link:
        case Link.IDENTITY:
            return _straight(columns, outcome, w), 0.0
        case Link.LOGIT:
            return log_odds(given, columns, outcome, w)
        case Link.LOG:
            return log_mean(given, columns, outcome, w, np.zeros(len(w)) if offset is None else offset)


def _answer(
    columns: Columns,
    outcome: FloatArray,
    w: FloatArray,
    eta: FloatArray,
    link: Link,
    ridge: float,
    notes: tuple[str, ...],
) -> MeanModel:
    mean, slope = _mean_and_slope(eta, link)
    information = w * slope
    bread = solve(columns.gram(information) + np.diag(columns.penalty(ridge)), np.eye(columns.count))
    return MeanModel(
        columns=columns,
        mean=mean,
        slope=slope,
        score=w * (outcome - mean),
        bread=(bread + bread.T) / 2.0,
        leverage=columns.lengths(bread, information),
        notes=notes,
    )


def _mean_and_slope(eta: FloatArray, link: Link) -> tuple[FloatArray, FloatArray]:
    match link:
        case Link.IDENTITY:
            return eta, np.ones(len(eta))
        case Link.LOG:
            mean = np.exp(np.minimum(eta, HIGHEST))
            return mean, mean
        case Link.LOGIT:
            mean = special.expit(eta)
            return mean, mean * (1.0 - mean)


def _straight(columns: Columns, outcome: FloatArray, w: FloatArray) -> FloatArray:
    gram = columns.gram(w)
    fitted = columns.times(solve(gram, columns.total(w * outcome)))
    missed = columns.times(solve(gram, columns.total(w * (outcome - fitted))))  # refined once: the last digits
    both: FloatArray = fitted + missed
    return both
