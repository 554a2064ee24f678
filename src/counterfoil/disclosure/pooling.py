"""Pooled results: from numbers that disclosure has released already, and from nothing else.

What is worked out from released numbers alone tells nobody more than they did, so no rule is asked again; that the
same people stand in no two of them (R18) is checked before. The result is rounded as each of its parts was.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import InitVar, dataclass

from counterfoil.disclosure.cells import MAKER, NOT_AVAILABLE, Cell, check_maker
from counterfoil.disclosure.rounding import round_half_up
from counterfoil.disclosure.shown_measures import ProtectedEstimate
from counterfoil.disclosure.states import Verdict
from counterfoil.effect.pooling import Pooled, RandomEffects, pool, study_of_interval
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind

P_DECIMALS = 3
SHARE_DECIMALS = 2  # of a share 0-1: whole per cent


@dataclass(frozen=True, slots=True)
class Released:
    """One run's released result on one measure, as its report has it. Differences: points for rates, else the unit."""

    run: str
    title: str
    years: tuple[int | None, int | None]  # first and last of its cohort; None where its plan names none
    date: dt.date  # of its report
    reliable: bool
    difference: float
    low: float
    high: float
    decimals: int  # to which it was released
    plan: str = ""  # SHA-256


@dataclass(frozen=True, slots=True)
class ProtectedStudy:
    """One run among those pooled. `share` is its weight, of 1."""

    released: Released
    difference: Cell
    low: Cell
    high: Cell
    share: Cell
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)


@dataclass(frozen=True, slots=True)
class ProtectedRange:
    """A number with the ends of its 95% interval."""

    value: Cell
    low: Cell
    high: Cell


@dataclass(frozen=True, slots=True)
class ProtectedPool:
    """Several results as they may be shown together: in the order given, which is never that of their size.

    `verdict` is None for two, which get no interval. `spread` is the standard deviation of the true differences
    between runs; `between` the share of their variance that is no chance (I2).
    """

    measure: Measure
    studies: tuple[ProtectedStudy, ...]
    mean: ProtectedEstimate
    check: ProtectedEstimate
    prediction: ProtectedRange
    spread: ProtectedRange
    between: ProtectedRange
    verdict: Verdict | None
    disagrees: bool
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)

    @property
    def reliable(self) -> bool:
        """Whether every result in it is."""
        return all(study.released.reliable for study in self.studies)


def protect_pool(released: Sequence[Released], measure: Measure) -> ProtectedPool:
    """Pool released results by random effects. UsageError where there are fewer than two, or one has no width."""
    pooled = pool([study_of_interval(f"run {r.run}", r.difference, r.low, r.high) for r in released])
    decimals = max(r.decimals for r in released)
    return ProtectedPool(
        measure=measure,
        studies=tuple(_study(r, share) for r, share in zip(released, pooled.shares, strict=True)),
        mean=_mean(pooled.mean, decimals),
        check=_mean(pooled.check, decimals),
        prediction=ProtectedRange(
            value=_cell(pooled.mean.estimate, decimals),
            low=_cell(pooled.prediction_low, decimals),
            high=_cell(pooled.prediction_high, decimals),
        ),
        spread=_spread(pooled, decimals),
        between=ProtectedRange(*(_cell(v, SHARE_DECIMALS) for v in (pooled.i2, pooled.i2_low, pooled.i2_high))),
        verdict=_verdict(pooled.mean),
        disagrees=pooled.disagrees,
        maker=MAKER,
    )


def decimals_released(difference: float, measure: Measure) -> int:
    """To how many decimals a difference was released: JSON has a whole number where there are none."""
    if isinstance(difference, int):
        return 0
    return 1 if measure.kind is Kind.RATE else measure.decimals


def _study(released: Released, share: float) -> ProtectedStudy:
    low, middle, high = (_cell(v, released.decimals) for v in (released.low, released.difference, released.high))
    return ProtectedStudy(released, middle, low, high, _cell(share, SHARE_DECIMALS), maker=MAKER)


def _cell(value: float | None, decimals: int) -> Cell:
    return NOT_AVAILABLE if value is None else Cell(value=round_half_up(value, decimals), decimals=decimals)


def _mean(mean: RandomEffects, decimals: int) -> ProtectedEstimate:
    return ProtectedEstimate(
        difference=_cell(mean.estimate, decimals),
        low=_cell(mean.low, decimals),
        high=_cell(mean.high, decimals),
        p=_cell(mean.p, P_DECIMALS),
        maker=MAKER,
    )


def _spread(pooled: Pooled, decimals: int) -> ProtectedRange:
    variances = (pooled.mean.tau2, pooled.tau2_low, pooled.tau2_high)
    return ProtectedRange(*(_cell(math.sqrt(variance), decimals) for variance in variances))


def _verdict(mean: RandomEffects) -> Verdict | None:
    if mean.low is None or mean.high is None:
        return None
    if mean.high < 0.0:
        return Verdict.FEWER
    return Verdict.MORE if mean.low > 0.0 else Verdict.NOT_ENOUGH_EVIDENCE
