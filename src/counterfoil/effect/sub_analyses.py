"""Sub-analyses together: those too small are not shown, the p-values of the rest are corrected for how many there are.

Holm's correction (1979, Scandinavian Journal of Statistics 6) keeps the chance of any false finding at 5% whatever the
sub-analyses have in common. Which there are is fixed in the plan; none is added after outcomes are seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from counterfoil.effect.power import HidingRules
from counterfoil.effect.values import Effect
from counterfoil.effect.welch import LEVEL
from counterfoil.errors import UsageError


@dataclass(frozen=True, slots=True)
class SubAnalysis:
    """One sub-analysis. `why_not` says why it has no result; `p_holm` is the compatible test's, corrected."""

    name: str
    effect: Effect | None
    p_holm: float | None
    significant: bool
    why_not: str = ""


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Corrected p-values in the order given: the smallest times how many, the next times one less, never falling."""
    p = np.asarray(p_values, np.float64)
    if not ((p >= 0.0) & (p <= 1.0)).all():
        raise UsageError("A p-value must lie between 0 and 1.")
    order = np.argsort(p, kind="stable")
    stepped = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    corrected = np.empty(len(p))
    corrected[order] = stepped
    return tuple(corrected.tolist())


def sub_analyses(
    effects: Mapping[str, Effect], *, balanced: Mapping[str, bool] | None = None, rules: HidingRules | None = None
) -> tuple[SubAnalysis, ...]:
    """Gate and correct one measure's sub-analyses, in the order of the plan.

    `balanced` says which were balanced well enough (all, when not given). Each group needs 30 people (`rules.group`).
    Those without a result are not counted in the correction: their size was known before outcomes were.
    """
    least = (rules or HidingRules()).group
    reasons = {name: _why_not(e, least, (balanced or {}).get(name, True)) for name, e in effects.items()}
    tested = [name for name, why in reasons.items() if not why]
    p_values = [c.p for name in tested if (c := effects[name].compatible) is not None]
    corrected = dict(zip(tested, holm(p_values), strict=True))
    return tuple(
        SubAnalysis(
            name=name,
            effect=None if why else effects[name],
            p_holm=corrected.get(name),
            significant=corrected.get(name, 1.0) < 1.0 - LEVEL,
            why_not=why,
        )
        for name, why in reasons.items()
    )


def _why_not(effect: Effect, least: int, balanced: bool) -> str:
    if min(effect.treated.n, effect.comparison.n) < least:
        return f"Fewer than {least} people in one of its groups."
    if not balanced:
        return "Its groups could not be made alike."
    return "" if effect.compatible is not None else "Its outcomes do not vary, so there is nothing to test."
