"""R3: a rate k/N is shown only if k and N - k are both T or more."""

from __future__ import annotations

from counterfoil.disclosure.settings import DisclosureSettings


def is_rate_safe(
    events: int | None, people: int | None, settings: DisclosureSettings, *, structural_reason: str = ""
) -> bool:
    """Both sides of k/N reach T. For a weighted rate, `events` and `people` are the unweighted people used.

    0% and 100% say something about everybody in the group, so they are unsafe too, unless the cell is declared
    structural with a reason ("under-18s in an adult prison"). Unknown counts are unsafe.
    """
    if events is None or people is None or not 0 <= events <= people:
        return False
    others = people - events
    if structural_reason and 0 in (events, others):
        return people >= settings.threshold
    return events >= settings.threshold and others >= settings.threshold
