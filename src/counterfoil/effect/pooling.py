"""Several estimates of one effect, pooled: random effects by REML, Hartung-Knapp errors, and a prediction interval.

Sources: REML and I2 as Viechtbauer (2005) and Higgins and Thompson (2002) have them; the interval of the variance
between studies by the Q-profile (Viechtbauer 2007); errors as Hartung and Knapp (2001), their factor not under 1
(Roever, Knapp and Friede 2015); the check as Paule and Mandel (1982). No interval is given for two studies: with one
degree of freedom it says next to nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from counterfoil.effect.welch import LEVEL
from counterfoil.errors import UsageError

FloatArray = npt.NDArray[np.float64]

FEWEST = 2  # studies that can be pooled at all
FEWEST_WITH_INTERVAL = 3
_GRID = 400  # places where the restricted likelihood is looked at before its highest top is climbed
_FINEST = 1e-10  # of the largest variance looked at


@dataclass(frozen=True, slots=True)
class Study:
    """One estimate with its standard error, in the same unit as all the others. Studies share no person."""

    name: str
    estimate: float
    error: float


@dataclass(frozen=True, slots=True)
class RandomEffects:
    """The mean of the effects under one estimate of the variance between studies. Interval and p: 95%, t of k - 1.

    None for two studies. `factor` is Hartung and Knapp's, not under 1.
    """

    tau2: float
    estimate: float
    error: float
    factor: float
    low: float | None
    high: float | None
    p: float | None


@dataclass(frozen=True, slots=True)
class Pooled:
    """What several studies say together. `shares` are the weights of the studies, which add up to 1, in their order."""

    studies: tuple[Study, ...]
    mean: RandomEffects  # by REML
    check: RandomEffects  # by Paule and Mandel
    tau2_low: float  # 95%, Q-profile
    tau2_high: float
    i2: float  # 0-1: variance between studies, of all the variance there is
    i2_low: float
    i2_high: float
    q: float  # Cochran's
    q_p: float
    prediction_low: float | None  # where the effect of a further study would lie, 95 times in 100; None for two
    prediction_high: float | None
    shares: tuple[float, ...]

    @property
    def disagrees(self) -> bool:
        """Whether the two estimates of the variance between studies differ on significance at 5%."""
        if self.mean.p is None or self.check.p is None:
            return False
        return (self.mean.p < 1.0 - LEVEL) != (self.check.p < 1.0 - LEVEL)


def study_of_interval(name: str, estimate: float, low: float, high: float) -> Study:
    """A study from its published 95% interval, taken as estimate ± 1.96 errors.

    Where the interval was made with Student's t, the error comes out larger by a hundredth or two, never smaller.
    UsageError when the interval is so narrow that rounding has left nothing of it.
    """
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UsageError(
            f"The interval of {name} has no width as it was published, so it cannot be weighed. Leave out."
        )
    return Study(name, estimate, (high - low) / (2.0 * float(stats.norm.ppf(0.5 + LEVEL / 2.0))))


def pool(studies: Sequence[Study]) -> Pooled:
    """Pool `studies` by random effects. UsageError for fewer than two, and for an error that is not over 0."""
    _check(studies)
    y = np.array([s.estimate for s in studies], dtype=np.float64)
    v = np.array([s.error for s in studies], dtype=np.float64) ** 2
    mean, check = (_random_effects(y, v, find(y, v)) for find in (reml, paule_mandel))
    low, high = q_profile(y, v)
    q, typical = _q(y, v, 0.0), _typical_variance(v)
    weights = 1.0 / (v + mean.tau2)
    prediction = _prediction(mean, len(y))
    return Pooled(
        studies=tuple(studies),
        mean=mean,
        check=check,
        tau2_low=low,
        tau2_high=high,
        i2=mean.tau2 / (mean.tau2 + typical),
        i2_low=low / (low + typical),
        i2_high=high / (high + typical),
        q=q,
        q_p=float(stats.chi2.sf(q, len(y) - 1)),
        prediction_low=None if prediction is None else mean.estimate - prediction,
        prediction_high=None if prediction is None else mean.estimate + prediction,
        shares=tuple(float(w) for w in weights / math.fsum(weights)),
    )


def _check(studies: Sequence[Study]) -> None:
    problems = []
    if len(studies) < FEWEST:
        problems.append("There is nothing to pool: give at least two studies.")
    wrong = [s.name for s in studies if not (math.isfinite(s.estimate) and 0.0 < s.error < math.inf)]
    if wrong:
        problems.append(f"The estimate must be a number and its error over 0; they are not for {', '.join(wrong)}.")
    if len({s.name for s in studies}) < len(studies):
        problems.append("Two studies have the same name. Give each its own, so that none is counted twice.")
    if problems:
        raise UsageError(*problems)


def reml(y: FloatArray, v: FloatArray) -> float:
    """The variance between studies where the restricted likelihood is highest; 0 when it falls from the start."""
    places = np.concatenate([[0.0], np.geomspace(_FINEST, 1.0, _GRID) * (float(np.ptp(y)) ** 2 * len(y) + v.max())])
    best = int(np.argmax(_restricted_likelihood(y, v, places)))
    low, high = places[max(best - 1, 0)], places[min(best + 1, len(places) - 1)]
    return _root(lambda tau2: _restricted_score(y, v, tau2), float(low), float(high))


def paule_mandel(y: FloatArray, v: FloatArray) -> float:
    """The variance between studies that makes Cochran's Q its own expectation, k - 1."""
    return _where_q_is(y, v, float(len(y) - 1))


def q_profile(y: FloatArray, v: FloatArray) -> tuple[float, float]:
    """The 95% interval of the variance between studies (Viechtbauer 2007)."""
    tail, df = (1.0 - LEVEL) / 2.0, len(y) - 1
    high, low = (float(stats.chi2.ppf(share, df)) for share in (tail, 1.0 - tail))
    return _where_q_is(y, v, low), _where_q_is(y, v, high)


def _mean(y: FloatArray, w: FloatArray) -> float:
    return math.fsum(w * y) / math.fsum(w)


def _q(y: FloatArray, v: FloatArray, tau2: float) -> float:
    w = 1.0 / (v + tau2)
    return math.fsum(w * (y - _mean(y, w)) ** 2)


def _restricted_likelihood(y: FloatArray, v: FloatArray, places: FloatArray) -> FloatArray:
    """At each of `places`, but for a constant. It only picks the top that `_restricted_score` then climbs."""
    variance = v + places[:, np.newaxis]
    w = 1.0 / variance
    mean = (w * y).sum(axis=1) / w.sum(axis=1)
    misfit = (w * (y - mean[:, np.newaxis]) ** 2).sum(axis=1)
    found: FloatArray = -0.5 * (np.log(variance).sum(axis=1) + np.log(w.sum(axis=1)) + misfit)
    return found


def _restricted_score(y: FloatArray, v: FloatArray, tau2: float) -> float:
    """Twice the slope of the restricted likelihood."""
    w = 1.0 / (v + tau2)
    return math.fsum(w**2 * (y - _mean(y, w)) ** 2) - (math.fsum(w) - math.fsum(w**2) / math.fsum(w))


def _where_q_is(y: FloatArray, v: FloatArray, wanted: float) -> float:
    """Q falls as the variance between studies grows; 0 when it starts under `wanted`."""
    high = float(v.max()) + float(np.ptp(y)) ** 2
    while _q(y, v, high) > wanted:
        high *= 4.0
    return _root(lambda tau2: _q(y, v, tau2) - wanted, 0.0, high)


def _root(falling: Callable[[float], float], low: float, high: float) -> float:
    if falling(low) <= 0.0:
        return low
    return float(optimize.brentq(falling, low, high, xtol=1e-15 * max(high, 1e-300), rtol=1e-14))


def _typical_variance(v: FloatArray) -> float:
    """Higgins and Thompson's: what the errors within studies come to, taken together."""
    w = 1.0 / v
    return (len(v) - 1) * math.fsum(w) / (math.fsum(w) ** 2 - math.fsum(w**2))


def _random_effects(y: FloatArray, v: FloatArray, tau2: float) -> RandomEffects:
    w, df = 1.0 / (v + tau2), len(y) - 1
    estimate, factor = _mean(y, w), max(1.0, _q(y, v, tau2) / df)
    error = math.sqrt(factor / math.fsum(w))
    if len(y) < FEWEST_WITH_INTERVAL:
        return RandomEffects(tau2, estimate, error, factor, None, None, None)
    half = float(stats.t.ppf(0.5 + LEVEL / 2.0, df)) * error
    p = 2.0 * float(stats.t.sf(abs(estimate) / error, df))
    return RandomEffects(tau2, estimate, error, factor, estimate - half, estimate + half, p)


def _prediction(mean: RandomEffects, k: int) -> float | None:
    """Half the width of the prediction interval, t of k - 1, as metafor has it beside Hartung and Knapp's errors."""
    if k < FEWEST_WITH_INTERVAL:
        return None
    return float(stats.t.ppf(0.5 + LEVEL / 2.0, k - 1)) * math.hypot(math.sqrt(mean.tau2), mean.error)
