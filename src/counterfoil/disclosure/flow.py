"""R11: the public flow of people. Four boxes at most, merged until no small step can be read off."""

from __future__ import annotations

from enum import Enum

from counterfoil.cohort.values import Attrition, Step
from counterfoil.disclosure.cells import MAKER, NOT_AVAILABLE, Box, Cell, Rule, hidden
from counterfoil.disclosure.rounding import round_to_base
from counterfoil.disclosure.settings import DisclosureSettings
from counterfoil.disclosure.shown_measures import ProtectedAttrition, ProtectedBox
from counterfoil.errors import Fault

# The last internal step that each box stands for. "No offence before the start" counts offenders, so it is inside
# "linked and in scope" with every other reason and never ends a box.
LAST_STEPS: dict[Box, tuple[Step, ...]] = {
    Box.SUBMITTED: (Step.SUBMITTED,),
    Box.IN_SCOPE: (Step.HAS_REGISTER_ROW, Step.NO_OFFENCE_BEFORE_START, Step.ELIGIBLE, Step.INSIDE_YEARS,
                   Step.INDEX_EVENT_FOUND, Step.LINKED, Step.ONE_ROW_A_PERSON, Step.VALID),
    Box.COMPARABLE: (Step.ON_SUPPORT,),
    Box.ANALYSED: (Step.MATCHED,),
}  # fmt: skip


class Sizes(Enum):
    """How much of the analysed group's size is shown."""

    EXACT = "exact"
    ROUNDED = "rounded"  # the headline rate fails R3
    HIDDEN = "hidden"  # nearly everybody submitted was analysed: the difference would be a small count


def count_boxes(attrition: Attrition, analysed: int) -> dict[Box, int]:
    """True people in each box. A box whose steps did not happen is absent; the analysed are always there."""
    people = attrition.people
    counts = {box: next(people[s] for s in steps if s in people) for box, steps in LAST_STEPS.items()
              if any(s in people for s in steps)}  # fmt: skip
    if counts.setdefault(Box.ANALYSED, analysed) != analysed:
        raise Fault("The attrition and the comparison disagree on how many people were analysed.")
    if list(counts.values()) != sorted(counts.values(), reverse=True) or Box.SUBMITTED not in counts:
        raise Fault("The attrition does not start with the people submitted, or gains people on the way.")
    return counts


def merge_boxes(counts: dict[Box, int], settings: DisclosureSettings) -> list[tuple[tuple[Box, ...], int]]:
    """Merge while two neighbours differ by more than 0 and less than max(T, W).

    A middle box goes into the one after it; the submitted are known to the provider, so they always stay. Two boxes
    that are too close may be left: then the caller hides the analysed.
    """
    limit = max(settings.threshold, settings.min_width)
    boxes: list[tuple[tuple[Box, ...], int]] = [((box,), count) for box, count in counts.items()]
    while len(boxes) > 2:
        close = [i for i in range(len(boxes) - 1) if 0 < boxes[i][1] - boxes[i + 1][1] < limit]
        if not close:
            break
        lost = close[0] + 1 if close[0] + 1 < len(boxes) - 1 else close[0]
        boxes[lost : lost + 2] = [(boxes[lost][0] + boxes[lost + 1][0], boxes[lost + 1][1])]
    return boxes


def decide_sizes(counts: dict[Box, int], *, headline_safe: bool, settings: DisclosureSettings) -> Sizes:
    """Exact where R1 and R3 clear and the step from the submitted is no small count."""
    lost = counts[Box.SUBMITTED] - counts[Box.ANALYSED]
    if 0 < lost < max(settings.threshold, settings.min_width):
        return Sizes.HIDDEN
    return Sizes.EXACT if headline_safe else Sizes.ROUNDED


def show_size(count: int, submitted: int, sizes: Sizes, settings: DisclosureSettings) -> Cell:
    """The size of the analysed group, or of a box before it, as `sizes` allows."""
    if sizes is Sizes.HIDDEN:
        return hidden(Rule.R11)
    if sizes is Sizes.ROUNDED:
        return Cell(value=min(submitted, round_to_base(count, settings.rounding_base)), about=True)
    return Cell(value=count)


def protect_flow(
    counts: dict[Box, int], started: int | None, sizes: Sizes, settings: DisclosureSettings
) -> ProtectedAttrition:
    """The flow as it may be shown: submitted exactly, the others as `sizes` allows."""
    (first, submitted), *rest = merge_boxes(counts, settings)
    boxes = [ProtectedBox(boxes=first, people=Cell(value=submitted))]
    for names, count in rest:
        boxes.append(ProtectedBox(boxes=names, people=show_size(count, submitted, sizes, settings)))
    return ProtectedAttrition(
        boxes=tuple(boxes), started=NOT_AVAILABLE if started is None else Cell(value=started), maker=MAKER
    )
