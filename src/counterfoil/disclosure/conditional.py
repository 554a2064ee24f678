"""R9: a measure over those with the outcome needs J of them in each group."""

from __future__ import annotations

from counterfoil.disclosure.cells import Rule
from counterfoil.disclosure.rates import is_rate_safe
from counterfoil.disclosure.settings import DisclosureSettings


def why_conditional_hidden(
    support: tuple[int, int], people: tuple[int, int], settings: DisclosureSettings
) -> Rule | None:
    """The rule that hides it. `support` and `people`: those with the outcome and all people, treated then comparison.

    The support of time to first reoffence is the number of reoffenders, so beside the group's size it is a rate: R3
    acts on it too.
    """
    if min(support) < settings.min_group:
        return Rule.R9
    if not all(is_rate_safe(k, n, settings) for k, n in zip(support, people, strict=True)):
        return Rule.R3
    return None
