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
from counterfoil.effect.columns import Columns, columns_of
from counterfoil.effect.influence import ESTIMATE_RULE, Influence
from counterfoil.errors import Refused
from counterfoil.logit import SEPARATION_RIDGE, CodedDesign, fit
from counterfoil.logit.columns import candidate_slots

MAX_STEPS = 50
TOLERANCE = 1e-12  # squared Newton decrement, for weights of mean 1
LOWEST = -30.0  # a log mean below this runs to minus infinity: some level has no event at all
HIGHEST = 700.0  # e to this is the largest number there is; only a prediction far outside the data comes near
RIDGE_NOTE = (
    "Some characteristics alone decide the outcome in one group, so that no finite model is the likeliest; a small "
    "ridge keeps it finite."
)
NO_MODEL = "The model of the outcome has no likeliest coefficients. Adjust for fewer characteristics."
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
    design: CodedDesign, outcome: FloatArray, weight: FloatArray, link: Link, *, offset: FloatArray | None = None
) -> MeanModel:
    """Fit on the rows with a weight. `offset` is added to the linear predictor (log of exposure, log link only)."""
    w = weight / weight[weight > 0].mean()
    columns = columns_of(design, w)
    eta, ridge = _linear_predictor(columns, outcome, w, link, offset)
    notes = [RIDGE_NOTE] if ridge > 0.0 else []
    if columns.count < len(candidate_slots(design)) and columns.count < columns_of(design, np.ones(len(w))).count:
        notes.append(UNSEEN_NOTE)
    return _answer(columns, outcome, w, eta, link, ridge, tuple(notes))


def _linear_predictor(
    columns: Columns, outcome: FloatArray, w: FloatArray, link: Link, offset: FloatArray | None
) -> tuple[FloatArray, float]:
    """Of everyone, with the ridge that it took (0.0 unless the outcome was separated)."""
    match link:
        case Link.IDENTITY:
            return _straight(columns, outcome, w), 0.0
        case Link.LOGIT:
            fitted = fit(columns.lean_design, outcome, weights=w, covariance=False)
            return fitted.eta, fitted.ridge
        case Link.LOG:
            return _log(columns, outcome, w, np.zeros(len(w)) if offset is None else offset)


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
    penalty = np.where(columns.kept == 0, 0.0, ridge)
    bread = _solve(columns.gram(information) + np.diag(penalty), np.eye(columns.count))
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
    fitted = columns.times(_solve(gram, columns.total(w * outcome)))
    missed = columns.times(_solve(gram, columns.total(w * (outcome - fitted))))  # refined once: the last digits
    both: FloatArray = fitted + missed
    return both


def _solve(matrix: FloatArray, right: FloatArray) -> FloatArray:
    try:
        return np.asarray(np.linalg.solve(matrix, right), np.float64)
    except np.linalg.LinAlgError as singular:
        raise Refused(NO_MODEL, rule=ESTIMATE_RULE) from singular


def _log(columns: Columns, outcome: FloatArray, w: FloatArray, offset: FloatArray) -> tuple[FloatArray, float]:
    if not (w * outcome).sum() > 0.0:
        raise Refused("Nobody in one of the groups has an event, so their frequency has no model.", rule=ESTIMATE_RULE)
    eta = _climb_log(columns, outcome, w, offset, ridge=0.0)
    if eta is not None and float((eta - offset)[w > 0].min()) > LOWEST:
        return eta, 0.0
    eta = _climb_log(columns, outcome, w, offset, ridge=SEPARATION_RIDGE)
    if eta is None:
        raise Refused(NO_MODEL, rule=ESTIMATE_RULE)
    return eta, SEPARATION_RIDGE


def _climb_log(
    columns: Columns, outcome: FloatArray, w: FloatArray, offset: FloatArray, *, ridge: float
) -> FloatArray | None:
    """Newton with halving on the Poisson likelihood; None when it does not arrive."""
    penalty = np.where(columns.kept == 0, 0.0, ridge)
    coef = np.zeros(columns.count)
    coef[0] = np.log((w * outcome).sum() / (w * np.exp(offset)).sum())
    eta = columns.times(coef) + offset
    value = _log_likelihood(outcome, w, eta) - 0.5 * float((penalty * coef**2).sum())
    for _ in range(MAX_STEPS):
        mean = np.exp(np.minimum(eta, HIGHEST))
        slope = columns.total(w * (outcome - mean)) - penalty * coef
        step = _solve(columns.gram(w * mean) + np.diag(penalty), slope)
        decrement = float(slope @ step)
        move, share = columns.times(step), 1.0
        while True:
            trial = coef + share * step
            after = _log_likelihood(outcome, w, eta + share * move) - 0.5 * float((penalty * trial**2).sum())
            if after >= value - 1e-12 * abs(value) or share < 1e-6:
                break
            share /= 2.0
        coef, eta, value = trial, eta + share * move, after
        if decrement < TOLERANCE:
            return eta
        if float((eta - offset)[w > 0].min()) < LOWEST:
            return None
    return None


def _log_likelihood(outcome: FloatArray, w: FloatArray, eta: FloatArray) -> float:
    used = w > 0
    with np.errstate(over="ignore"):
        return float((w[used] * (outcome[used] * eta[used] - np.exp(eta[used]))).sum())
