"""Doubt about links, as it may be shown: one combined range of the headline measure, and how much doubt adds (R17).

The people of the draws and those of the headline differ by a few: whoever knows both results could take one from the
other, and what is left is about those few. So the range itself is shown where they are nobody, or at least D people.
Where they are fewer, every pattern of outcomes that they may have had is gone through, and what is shown is the range
that holds all of those ranges, outward in whole points; and whether the answer would be the headline's in all of them.
Both are the same whatever they did, so they tell nothing about any of them. What doubt adds is a band of shares, wide
enough for every pattern.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from counterfoil.comparison.values import Design
from counterfoil.disclosure.beside import LinkingResult
from counterfoil.disclosure.cells import MAKER, NOT_APPLICABLE, Cell, Rule, hidden
from counterfoil.disclosure.rounding import round_half_up
from counterfoil.disclosure.settings import DisclosureSettings
from counterfoil.disclosure.shown_beside import ProtectedLinking
from counterfoil.disclosure.states import LinkAnswer, Verdict
from counterfoil.effect import Combined
from counterfoil.effect.welch import LEVEL
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind

FloatArray = npt.NDArray[np.float64]

EDGES = (0.0, 0.01, 0.05, 0.10, 0.25, 0.50, 1.0)  # of the share of the variance that is shown: a band between two
SHARE_DECIMALS = 2
MOST = 12  # people in doubt of whom every pattern of outcomes is looked at: 4,096


@dataclass(frozen=True, slots=True)
class _Figures:
    """The same result under each pattern of outcomes. Points; `share` 0-1."""

    difference: FloatArray
    low: FloatArray
    high: FloatArray
    share: FloatArray


def protect_linking(
    result: LinkingResult | None,
    verdict: Verdict,
    hides: Rule | None,
    *,
    size_is_shown: bool,
    settings: DisclosureSettings,
) -> ProtectedLinking | None:
    """`verdict`: the headline's, as it is shown. `hides`: the rule that hides the headline. `size_is_shown`: the number
    of treated is printed; where it is not, a second range would give it away, and only the answer is told."""
    if result is None:
        return None
    combined, is_rate = result.combined, result.measure.kind is Kind.RATE
    if hides is not None or combined is None:
        return _protected(result.measure, None, hides)
    people = int(np.count_nonzero(result.in_doubt))
    is_few = 0 < people < settings.min_difference
    if is_few and (people > MOST or not is_rate or not result.is_plain):
        return _protected(result.measure, None, Rule.R17)
    figures = _whatever_they_did(result) if is_few else _as_found(combined)
    rule = Rule.R7 if is_rate and not size_is_shown else None
    return _protected(
        result.measure, figures, rule, draws=combined.draws, answer=_answer(figures, verdict), is_outward=is_few
    )


def _as_found(combined: Combined) -> _Figures:
    found = (combined.estimate, combined.low, combined.high, combined.share)
    return _Figures(*(np.array([value]) for value in found))


def _answer(figures: _Figures, verdict: Verdict) -> LinkAnswer:
    """Whether every pattern's range says what the headline says."""
    if verdict not in (Verdict.FEWER, Verdict.MORE, Verdict.NOT_ENOUGH_EVIDENCE):
        return LinkAnswer.UNTOLD
    says = np.where(figures.low > 0.0, 1, np.where(figures.high < 0.0, -1, 0))
    headline = {Verdict.FEWER: -1, Verdict.MORE: 1, Verdict.NOT_ENOUGH_EVIDENCE: 0}[verdict]
    return LinkAnswer.SAME if bool((says == headline).all()) else LinkAnswer.MAY_CHANGE


def _whatever_they_did(result: LinkingResult) -> _Figures:
    """The combined result under each way in which those in doubt may have had the outcome or not.

    A reader knows the headline, so its number with the outcome stays: what one of its people had less, others had more.
    """
    moved = result.in_doubt
    many = int(np.count_nonzero(moved))
    patterns = (np.arange(2**many)[:, None] >> np.arange(many)) & 1
    member = np.stack([draw.weight > 0 for draw in result.draws])[:, moved]
    is_of_headline = (result.headline > 0)[moved]
    events = float(np.nansum(result.outcome[result.headline > 0]))
    gained = patterns @ (member & ~is_of_headline).T.astype(np.float64)
    lost = patterns @ (~member & is_of_headline).T.astype(np.float64)
    size = np.array([np.count_nonzero(draw.weight > 0) for draw in result.draws], np.float64)
    rate = np.clip((events + gained - lost) / size, 0.0, 1.0)
    return _combined(result, rate, size)


def _combined(result: LinkingResult, rate: FloatArray, size: FloatArray) -> _Figures:
    """Welch (or, in a trial, the test of two proportions) in each draw and Rubin's rules over them, pattern by pattern.

    `rate`: patterns by draws. The same as `combine_estimates` of the draws' estimates.
    """
    times = [draw.times for draw in result.draws]
    groups = [draw.comparison for draw in result.draws]
    is_trial = result.design is Design.RANDOMISED
    theirs = np.array([g.value * (1.0 - g.value) / g.n if is_trial else g.variance / g.ess for g in groups])
    own = rate * (1.0 - rate) / (size if is_trial else size - 1.0)
    square = own + theirs
    ess = np.array([g.ess for g in groups])
    df = square**2 / (own**2 / (size - 1.0) + theirs**2 / (ess - 1.0))
    difference, square, df = (
        np.repeat(each, times, axis=1)
        for each in (100.0 * (rate - np.array([g.value for g in groups])), 1e4 * square, df)
    )
    m = difference.shape[1]
    within, between = square.mean(axis=1), difference.var(axis=1, ddof=1)
    added = (1.0 + 1.0 / m) * between
    total = within + added
    share = added / total
    old = (m - 1.0) / np.maximum(share, 1e-12) ** 2
    if is_trial:
        freedom = old
    else:
        mean_df = df.mean(axis=1)
        observed = (mean_df + 1.0) / (mean_df + 3.0) * mean_df * (1.0 - share)
        freedom = old * observed / (old + observed)
    half = stats.t.ppf(0.5 + LEVEL / 2.0, freedom) * np.sqrt(total)
    centre = difference.mean(axis=1)
    return _Figures(centre, centre - half, centre + half, share)


def _protected(
    measure: Measure,
    figures: _Figures | None,
    rule: Rule | None,
    *,
    draws: int | None = None,
    answer: LinkAnswer = LinkAnswer.UNTOLD,
    is_outward: bool = False,
) -> ProtectedLinking:
    """`figures`: None where nothing may be told of them (`rule`), or where a draw has no estimate (no rule)."""
    blank = NOT_APPLICABLE if rule is None else hidden(rule)
    hides = rule.value if rule is not None else "spread" if figures is None else None
    ends, band = (blank, blank, blank), (blank, blank)
    if figures is not None and rule is None:
        ends, band = _ends(figures, measure, is_outward=is_outward), _band(figures.share)
    return ProtectedLinking(
        difference=ends[0],
        low=ends[1],
        high=ends[2],
        is_outward=is_outward and hides is None,
        answer=answer,
        share_from=band[0],
        share_to=band[1],
        draws=NOT_APPLICABLE if draws is None else Cell(value=draws),
        hidden=hides,
        maker=MAKER,
    )


def _band(shares: FloatArray) -> tuple[Cell, Cell]:
    """The edges that hold every share."""
    place = np.clip(np.searchsorted(EDGES, shares, side="right") - 1, 0, len(EDGES) - 2)
    edges = (EDGES[int(place.min())], EDGES[int(place.max()) + 1])
    return Cell(value=edges[0], decimals=SHARE_DECIMALS), Cell(value=edges[1], decimals=SHARE_DECIMALS)


def _ends(figures: _Figures, measure: Measure, *, is_outward: bool) -> tuple[Cell, Cell, Cell]:
    """Difference, low and high; outward there is no difference, and each end is the farthest of any pattern's."""
    if is_outward:
        low, high = math.floor(figures.low.min()), math.ceil(figures.high.max())
        return NOT_APPLICABLE, Cell(value=float(low)), Cell(value=float(high))
    decimals = 0 if measure.kind is Kind.RATE else measure.decimals
    low_end, difference, high_end = (
        Cell(value=round_half_up(float(each[0]), decimals) + 0.0, decimals=decimals)
        for each in (figures.low, figures.difference, figures.high)
    )
    return difference, low_end, high_end
