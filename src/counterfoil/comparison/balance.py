"""How alike the groups are, before and after: one function feeds the table, the plot and the choice of caliper."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt

from counterfoil.comparison.design import Covariates
from counterfoil.comparison.distributions import Spread, compare_spreads, group_variances, spread_under
from counterfoil.comparison.values import BalanceRow, Band, BoolArray, FloatArray
from counterfoil.logit import CodedDesign, column_totals

GREEN_SMD, AMBER_SMD = 0.05, 0.10  # the Justice Data Lab's bands; 0.1 is Stuart's (2010) usual red line


class Denominator(Enum):
    """Which SD, always before matching, a difference is divided by."""

    TREATED = "treated"  # ours: matching cannot look better by shrinking it (Stuart 2010, Statistical Science 25(1))
    POOLED = "square root of the mean of both groups' variances"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What does not change with the weights: the terms, and both groups before matching. Arrays are by slot; `means`
    has two rows, comparison and treated. `spreads`: of each number that was asked for, before matching."""

    design: CodedDesign
    treated: BoolArray
    shown: npt.NDArray[np.int64]  # slots with a row in the table
    means: FloatArray
    sd: FloatArray  # the denominator
    fallback_sd: FloatArray  # the pool's, to judge a term on which the denominator is 0
    spreads: dict[int, Spread] = field(default_factory=dict, init=False, repr=False, compare=False)


def balance_baseline(
    design: CodedDesign, treated: BoolArray, *, denominator: Denominator = Denominator.TREATED, threads: int = 1
) -> Baseline:
    """Both groups before matching. Binary terms have the SD sqrt(p (1 - p)), numbers the n - 1 one."""
    means = _weighted_means(design, treated, np.ones(design.rows), threads=threads)
    variances = means * (1.0 - means)
    first = int(design.offsets[-1])
    variances[:, first:] = group_variances(design.numeric, treated, np.ascontiguousarray(means[:, first:]))
    chosen = variances[1] if denominator is Denominator.TREATED else (variances[0] + variances[1]) / 2.0
    return Baseline(design, treated, _shown_slots(design), means, np.sqrt(chosen), np.sqrt(variances[0]))


def standardised_differences(baseline: Baseline, weight: FloatArray, *, threads: int = 1) -> FloatArray:
    """SMD of every shown term under `weight`; NaN where the denominator is 0."""
    means = _weighted_means(baseline.design, baseline.treated, weight, threads=threads)
    return _over(means[1] - means[0], baseline.sd)[baseline.shown]


def effective_sample_size(weight: FloatArray) -> float:
    """Kish's: (sum of weights)^2 / sum of squared weights; 0 when all are 0."""
    squares = float((weight * weight).sum())  # not BLAS, whose last digits depend on the number of cores
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
    means = _weighted_means(baseline.design, baseline.treated, weight, threads=threads)
    people = _people(baseline, weight, threads=threads)
    spreads = _spreads(baseline, weight, means, threads=threads)
    before = _Table(baseline.means, baseline.sd, {slot: found[0] for slot, found in spreads.items()})
    after = _Table(means, baseline.sd, {slot: found[1] for slot, found in spreads.items()})
    names, sources = baseline.design.slot_names, ("", *covariates.slot_sources)
    return tuple(
        _row(baseline, int(slot), names[slot], sources[slot], before, after, people) for slot in baseline.shown
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """Both groups under one set of weights: means (comparison, treated) by slot, and each number's spread by slot."""

    means: FloatArray
    sd: FloatArray
    spreads: dict[int, Spread]

    def gap(self, slot: int) -> float:
        return float(self.means[1, slot] - self.means[0, slot])

    def smd(self, slot: int) -> float | None:
        return self.gap(slot) / float(self.sd[slot]) if self.sd[slot] > 0.0 else None

    def ks(self, slot: int) -> float:
        return self.spreads[slot].ks if slot in self.spreads else abs(self.gap(slot))

    def variance_ratio(self, slot: int) -> float | None:
        spread = self.spreads.get(slot)
        if spread is None or not spread.comparison_variance > 0.0:
            return None
        return None if np.isnan(spread.treated_variance) else spread.treated_variance / spread.comparison_variance


def _spreads(
    baseline: Baseline, weight: FloatArray, means: FloatArray, *, threads: int
) -> dict[int, tuple[Spread, Spread]]:
    design, first = baseline.design, int(baseline.design.offsets[-1])
    both = np.stack([baseline.means, means])

    def spread(number: int) -> tuple[Spread, Spread]:
        values, treated, of_both = design.numeric[:, number], baseline.treated, both[:, :, first + number]
        before = baseline.spreads.get(number)
        if before is not None:
            return before, spread_under(values, treated, weight, of_both[1])
        found = compare_spreads(values, treated, weight, of_both)
        baseline.spreads[number] = found[0]
        return found

    numbers = range(len(design.numeric_names))
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        return {first + number: found for number, found in zip(numbers, pool.map(spread, numbers), strict=True)}


def _row(
    baseline: Baseline, slot: int, term: str, source: str, before: _Table, after: _Table, people: FloatArray
) -> BalanceRow:
    binary = slot < int(baseline.design.offsets[-1])
    return BalanceRow(
        term=term,
        covariate=source,
        binary=binary,
        treated_mean=float(after.means[1, slot]),
        comparison_mean_before=float(before.means[0, slot]),
        comparison_mean=float(after.means[0, slot]),
        smd_before=before.smd(slot),
        smd=after.smd(slot),
        variance_ratio_before=before.variance_ratio(slot),
        variance_ratio=after.variance_ratio(slot),
        ks_before=before.ks(slot),
        ks=after.ks(slot),
        band=_band(after.smd(slot), after.gap(slot), float(baseline.fallback_sd[slot])),
        treated_people=int(people[1, slot]) if binary else 0,
        comparison_people=int(people[0, slot]) if binary else 0,
    )


def _band(smd: float | None, gap: float, fallback_sd: float) -> Band:
    """Where the treated do not vary there is no SMD; the difference is then judged by the pool's SD before."""
    if smd is not None:
        return band_of(smd)
    if fallback_sd > 0.0:
        return band_of(gap / fallback_sd)
    return Band.GREEN if gap == 0.0 else Band.RED


def members_of_terms(covariates: Covariates) -> dict[str, BoolArray]:
    """Of each yes or no of the balance table, by its name there, who has it."""
    design = covariates.design
    found = {}
    for slot in _shown_slots(design):
        if slot < design.offsets[-1]:
            factor = int(np.searchsorted(design.offsets, slot, side="right")) - 1
            level = int(slot - design.offsets[factor])
            found[design.slot_names[int(slot)]] = design.codes[:, factor] == level
    return found


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


def _weighted_means(design: CodedDesign, treated: BoolArray, weight: FloatArray, *, threads: int) -> FloatArray:
    totals = _group_totals(design, treated, weight, threads=threads)
    return totals / totals[:, :1]


def _group_totals(design: CodedDesign, treated: BoolArray, weight: FloatArray, *, threads: int) -> FloatArray:
    groups = (np.where(treated, 0.0, weight), np.where(treated, weight, 0.0))
    return np.stack([column_totals(design, group, threads=threads) for group in groups])


def _people(baseline: Baseline, weight: FloatArray, *, threads: int) -> FloatArray:
    return _group_totals(baseline.design, baseline.treated, (weight > 0.0).astype(np.float64), threads=threads)
