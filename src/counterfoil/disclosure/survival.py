"""R30: curves at whole months only, from protected counts; a step with fewer than T events is merged with the next."""

from __future__ import annotations

import math
from collections.abc import Sequence

from counterfoil.disclosure.cells import MAKER, Cell, Rule
from counterfoil.disclosure.differencing import why_differencing_hidden
from counterfoil.disclosure.flow import Sizes
from counterfoil.disclosure.measures import P_DECIMALS, RATIO_DECIMALS, Context, show_number
from counterfoil.disclosure.rates import is_rate_safe
from counterfoil.disclosure.shown_beside import ProtectedPoint, ProtectedSurvival
from counterfoil.disclosure.shown_measures import ProtectedEstimate, ProtectedRatio
from counterfoil.effect.survival import Survival
from counterfoil.effect.values import Inference

SHARE_DECIMALS = 2  # of a share 0-1: whole per cent


def merge_steps(treated: Sequence[int], comparison: Sequence[int], threshold: int) -> tuple[int, ...]:
    """Months (from 1) at which both curves may have a point: between two of them each group has T events or more.

    A month with too few is merged with the next; what is left at the end joins the step before it, for it has no next.
    The last month is always a point, unless even the whole has too few: then there is no curve.
    """
    kept: list[int] = []
    ahead = [0, 0]
    for month, events in enumerate(zip(treated, comparison, strict=True), start=1):
        ahead = [a + e for a, e in zip(ahead, events, strict=True)]
        if min(ahead) >= threshold:
            kept.append(month)
            ahead = [0, 0]
    last = len(treated)
    if kept and kept[-1] != last:
        kept[-1] = last
    return tuple(kept)


def protect_survival(
    survival: Survival | None, context: Context, *, hides: Rule | None = None
) -> ProtectedSurvival | None:
    """Curves and estimates over everyone. With a size that is not exact nothing is shown: each point would bound it.

    `hides`: the rule by which the intruder audit hides them.
    """
    if survival is None:
        return None
    rule = _why_hidden(survival, context) or hides
    months = merge_steps(survival.treated.events, survival.comparison.events, context.settings.threshold)
    if rule is None and not months:
        rule = Rule.R30
    found = survival.estimates
    return ProtectedSurvival(
        measure=survival.measure,
        months=Cell(value=survival.months),
        points=() if rule is not None else tuple(_point(survival, month) for month in months),
        treated=show_number(found.restricted.treated.estimate, 0, rule),
        comparison=show_number(found.restricted.comparison.estimate, 0, rule),
        difference=_estimate(found.restricted.difference, rule),
        log_rank_p=show_number(found.log_rank.p, P_DECIMALS, rule),
        hazard=_hazard(found.cox.treatment, rule),
        hidden=rule,
        maker=MAKER,
    )


def _why_hidden(survival: Survival, context: Context) -> Rule | None:
    if context.sizes is not Sizes.EXACT:
        return Rule.R7
    sides = (survival.treated, survival.comparison)
    people = (survival.treated.people, survival.comparison.people)
    if min(people) < context.settings.min_group:
        return Rule.R1
    had = (sum(survival.treated.events), sum(survival.comparison.events))
    if not all(is_rate_safe(k, side.people, context.settings) for k, side in zip(had, sides, strict=True)):
        return Rule.R3
    beside = context.headline_events or had
    everyone = (context.analysed, context.compared)
    return why_differencing_hidden(people, everyone, context.settings) or why_differencing_hidden(
        had, beside, context.settings
    )


def _point(survival: Survival, month: int) -> ProtectedPoint:
    return ProtectedPoint(
        month=Cell(value=month),
        treated=show_number(survival.treated.share[month - 1], SHARE_DECIMALS, None),
        comparison=show_number(survival.comparison.share[month - 1], SHARE_DECIMALS, None),
    )


def _estimate(found: Inference, rule: Rule | None) -> ProtectedEstimate:
    return ProtectedEstimate(
        difference=show_number(found.estimate, 0, rule),
        low=show_number(found.low, 0, rule),
        high=show_number(found.high, 0, rule),
        p=show_number(found.p, P_DECIMALS, rule),
        maker=MAKER,
    )


def _hazard(found: Inference, rule: Rule | None) -> ProtectedRatio:
    value, low, high = (math.exp(end) for end in (found.estimate, found.low, found.high))
    return ProtectedRatio(
        value=show_number(value, RATIO_DECIMALS, rule),
        low=show_number(low, RATIO_DECIMALS, rule),
        high=show_number(high, RATIO_DECIMALS, rule),
        maker=MAKER,
    )
