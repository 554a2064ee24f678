"""How alike the groups are, before and after: one function feeds the table, the plot and the choice of caliper."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from counterfoil.comparison.design import Covariates
from counterfoil.comparison.distributions import Spread, compare_spreads
from counterfoil.comparison.values import BalanceRow, Band, BoolArray, FloatArray
from counterfoil.logit import CodedDesign, column_totals

GREEN_SMD, AMBER_SMD = 0.05, 0.10  # the Justice Data Lab's bands; 0.1 is Stuart's (2010) usual red line


class Denominator(Enum):
    """Which SD, always before matching, a difference is divided by."""

    TREATED = "treated"  # ours: matching cannot look better by shrinking it (Stuart 2010, Statistical Science 25(1))
    POOLED = "square root of the mean of both groups' variances"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What does not change with the weights: the terms, and both groups before matching. Arrays are by slot."""

    design: CodedDesign
    treated: BoolArray
    shown: npt.NDArray[np.int64]  # slots with a row in the table
    sd: FloatArray  # the denominator
    fallback_sd: FloatArray  # the pool's, to judge a term on which the denominator is 0


def balance_baseline(
    design: CodedDesign, treated: BoolArray, *, denominator: Denominator = Denominator.TREATED, threads: int = 1
) -> Baseline:
    """Both groups before matching. Binary terms have the SD sqrt(p (1 - p)), numbers the n - 1 one."""
    treated_variance, pool_variance = (_variances(design, group, threads=threads) for group in (treated, ~treated))
    chosen = treated_variance if denominator is Denominator.TREATED else (treated_variance + pool_variance) / 2.0
    return Baseline(design, treated, _shown_slots(design), np.sqrt(chosen), np.sqrt(pool_variance))


def standardised_differences(baseline: Baseline, weight: FloatArray, *, threads: int = 1) -> FloatArray:
    """SMD of every shown term under `weight`; NaN where the denominator is 0."""
    treated, comparison = _weighted_means(baseline, weight, threads=threads)
    return _over(treated - comparison, baseline.sd)[baseline.shown]


def effective_sample_size(weight: FloatArray) -> float:
    """Kish's: (sum of weights)^2 / sum of squared weights; 0 when all are 0."""
    squares = float(weight @ weight)
    return float(weight.sum()) ** 2 / squares if squares > 0.0 else 0.0


def band_of(smd: float) -> Band:
    """Green up to 0.05 in size, amber up to 0.10, red above."""
    if abs(smd) <= GREEN_SMD:
        return Band.GREEN
    return Band.AMBER if abs(smd) <= AMBER_SMD else Band.RED


def measure_balance(
    covariates: Covariates, baseline: Baseline, weight: FloatArray, *, threads: int = 1
) -> tuple[BalanceRow, ...]:
    """A row for each term: both groups' means, SMD, variance ratio, KS. `weight` is 0 for people who are not used."""
    before = _table(baseline, np.ones(len(weight)), threads=threads)
    after = _table(baseline, weight, threads=threads)
    people = _people(baseline, weight, threads=threads)
    names, sources = baseline.design.slot_names, _sources(covariates)
    first_number = int(baseline.design.offsets[-1])
    return tuple(
        _row(baseline, int(slot), names[slot], sources[slot], before, after, people, binary=bool(slot < first_number))
        for slot in baseline.shown
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """Both groups under one set of weights, by slot; `spreads` are for the numbers, by slot."""

    treated_mean: FloatArray
    comparison_mean: FloatArray
    smd: FloatArray
    spreads: dict[int, Spread]


def _table(baseline: Baseline, weight: FloatArray, *, threads: int) -> _Table:
    treated, comparison = _weighted_means(baseline, weight, threads=threads)
    return _Table(
        treated_mean=treated,
        comparison_mean=comparison,
        smd=_over(treated - comparison, baseline.sd),
        spreads=_spreads(baseline, weight, np.stack([comparison, treated], axis=1), threads=threads),
    )


def _spreads(baseline: Baseline, weight: FloatArray, means: FloatArray, *, threads: int) -> dict[int, Spread]:
    design, first = baseline.design, int(baseline.design.offsets[-1])

    def spread(number: int) -> Spread:
        return compare_spreads(design.numeric[:, number], baseline.treated, weight, means[first + number])

    numbers = range(len(design.numeric_names))
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        return {first + number: found for number, found in zip(numbers, pool.map(spread, numbers), strict=True)}


def _row(
    baseline: Baseline,
    slot: int,
    term: str,
    source: str,
    before: _Table,
    after: _Table,
    people: tuple[FloatArray, FloatArray],
    *,
    binary: bool,
) -> BalanceRow:
    gap = after.treated_mean[slot] - after.comparison_mean[slot]
    return BalanceRow(
        term=term,
        covariate=source,
        binary=binary,
        treated_mean=float(after.treated_mean[slot]),
        comparison_mean_before=float(before.comparison_mean[slot]),
        comparison_mean=float(after.comparison_mean[slot]),
        smd_before=_known(before.smd[slot]),
        smd=_known(after.smd[slot]),
        variance_ratio_before=_variance_ratio(before.spreads.get(slot)),
        variance_ratio=_variance_ratio(after.spreads.get(slot)),
        ks_before=_ks(before, slot),
        ks=_ks(after, slot),
        band=_band(baseline, slot, float(after.smd[slot]), float(gap)),
        treated_people=int(people[0][slot]) if binary else 0,
        comparison_people=int(people[1][slot]) if binary else 0,
    )


def _band(baseline: Baseline, slot: int, smd: float, gap: float) -> Band:
    """Where the treated do not vary there is no SMD; the difference is then judged by the pool's SD before."""
    if not np.isnan(smd):
        return band_of(smd)
    fallback = float(baseline.fallback_sd[slot])
    if fallback > 0.0:
        return band_of(gap / fallback)
    return Band.GREEN if gap == 0.0 else Band.RED


def _ks(table: _Table, slot: int) -> float:
    spread = table.spreads.get(slot)
    return abs(float(table.treated_mean[slot] - table.comparison_mean[slot])) if spread is None else spread.ks


def _variance_ratio(spread: Spread | None) -> float | None:
    if spread is None or not spread.comparison_variance > 0.0:
        return None
    return _known(spread.treated_variance / spread.comparison_variance)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _over(difference: FloatArray, sd: FloatArray) -> FloatArray:
    return np.divide(difference, sd, out=np.full_like(difference, np.nan), where=sd > 0.0)


def _shown_slots(design: CodedDesign) -> npt.NDArray[np.int64]:
    """Every level, the reference too, except that a factor with two levels is one term."""
    slots: list[int] = []
    for factor, first in zip(design.factors, design.offsets[:-1], strict=True):
        levels = len(factor.levels)
        slots += range(int(first) + (1 if levels == 2 else 0), int(first) + levels)
    first_number = int(design.offsets[-1])
    return np.array([*slots, *range(first_number, first_number + len(design.numeric_names))], dtype=np.int64)


def _sources(covariates: Covariates) -> tuple[str, ...]:
    levels: Sequence[str] = [
        source
        for factor, source in zip(covariates.design.factors, covariates.factor_sources, strict=True)
        for _ in factor.levels
    ]
    return ("", *levels, *covariates.numeric_sources)


def _weighted_means(baseline: Baseline, weight: FloatArray, *, threads: int) -> tuple[FloatArray, FloatArray]:
    totals = [
        column_totals(baseline.design, np.where(group, weight, 0.0), threads=threads)
        for group in (baseline.treated, ~baseline.treated)
    ]
    return totals[0] / totals[0][0], totals[1] / totals[1][0]


def _variances(design: CodedDesign, group: BoolArray, *, threads: int) -> FloatArray:
    totals = column_totals(design, group.astype(np.float64), threads=threads)
    share = totals / totals[0]
    variances: FloatArray = share * (1.0 - share)
    first = int(design.offsets[-1])
    for number in range(len(design.numeric_names)):
        values = design.numeric[group, number]
        # exactly 0 for a constant, whose computed variance may be a rounding error above it
        variances[first + number] = 0.0 if values.min() == values.max() else values.var(ddof=1)
    return variances


def _people(baseline: Baseline, weight: FloatArray, *, threads: int) -> tuple[FloatArray, FloatArray]:
    used = weight > 0.0
    treated = column_totals(baseline.design, (used & baseline.treated).astype(np.float64), threads=threads)
    comparison = column_totals(baseline.design, (used & ~baseline.treated).astype(np.float64), threads=threads)
    return treated, comparison
