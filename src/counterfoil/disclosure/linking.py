"""Doubt about links, as it may be shown: one combined range of the headline measure, and how much doubt adds (R17).

The people of the draws and those of the headline differ by a few: whoever knows both results could take one from the
other, and what is left is about those few. So the range is shown where they are nobody, or at least D people, or where
every figure that is shown would be the same whatever each of them did: then it says nothing about any of them. The
finest steps of points for which that holds are taken; where even the coarsest would tell, no range is shown. What doubt
adds is a band of shares, wide enough for whatever they did.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from counterfoil.comparison.values import Design
from counterfoil.disclosure.beside import LinkingResult
from counterfoil.disclosure.rounding import round_half_up
from counterfoil.disclosure.settings import DisclosureSettings
from counterfoil.disclosure.sub_analyses import STEPS
from counterfoil.disclosure.values import MAKER, NOT_APPLICABLE, Cell, ProtectedLinking, Rule, hidden
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
    result: LinkingResult | None, hides: Rule | None, *, size_is_shown: bool, settings: DisclosureSettings
) -> ProtectedLinking | None:
    """`hides`: the rule that hides the headline. `size_is_shown`: the number of treated is printed."""
    if result is None:
        return None
    combined, is_rate = result.combined, result.measure.kind is Kind.RATE
    if hides is not None or combined is None:
        return _protected(result.measure, None, hides, None)
    if not size_is_shown and is_rate:
        return _protected(result.measure, None, Rule.R7, None)
    people = int(np.count_nonzero(result.in_doubt))
    if people == 0 or people >= settings.min_difference:
        return _protected(result.measure, combined, 1, np.array([combined.share]))
    if people > MOST or not is_rate or not result.is_plain:
        return _protected(result.measure, None, Rule.R17, None)
    whatever = _whatever_they_did(result)
    step = next((step for step in STEPS if _is_one(whatever, combined, step)), Rule.R17)
    return _protected(result.measure, combined, step, np.append(whatever.share, combined.share))


def _is_one(whatever: _Figures, combined: Combined, step: int) -> bool:
    """Whether what is shown is the same under every pattern, and is what was found."""
    pairs = (
        (whatever.difference, combined.estimate),
        (whatever.low, combined.low),
        (whatever.high, combined.high),
    )
    return all(_to_step(float(v), step) == _to_step(found, step) for values, found in pairs for v in np.unique(values))


def _to_step(value: float, step: int) -> float:
    return round_half_up(value / step, 0) * step + 0.0


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
    measure: Measure, combined: Combined | None, step: int | Rule | None, shares: FloatArray | None
) -> ProtectedLinking:
    """`step`: points that the range is in, the rule that hides it, or None where a draw has no estimate.

    `shares`: every share of the variance that may be behind what is shown; the band holds all of them.
    """
    rule = step if isinstance(step, Rule) else None
    blank = NOT_APPLICABLE if rule is None else hidden(rule)
    ends, band, draws = [blank] * 3, [blank] * 2, NOT_APPLICABLE
    if combined is not None and isinstance(step, int):
        ends = [_end(v, measure, step) for v in (combined.estimate, combined.low, combined.high)]
    if combined is not None and shares is not None:
        place = np.clip(np.searchsorted(EDGES, shares, side="right") - 1, 0, len(EDGES) - 2)
        edges = (EDGES[int(place.min())], EDGES[int(place.max()) + 1])
        band, draws = [Cell(value=edge, decimals=SHARE_DECIMALS) for edge in edges], Cell(value=combined.draws)
    return ProtectedLinking(
        difference=ends[0],
        low=ends[1],
        high=ends[2],
        share_from=band[0],
        share_to=band[1],
        draws=draws,
        hidden="spread" if step is None and rule is None else None if rule is None else rule.value,
        maker=MAKER,
    )


def _end(value: float, measure: Measure, step: int) -> Cell:
    if measure.kind is Kind.RATE:
        return Cell(value=_to_step(value, step))
    return Cell(value=round_half_up(value, measure.decimals), decimals=measure.decimals)
