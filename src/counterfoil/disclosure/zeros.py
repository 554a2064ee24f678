"""R4: which zeros of a line may be shown."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from counterfoil.disclosure.cells import NOT_APPLICABLE, Cell, Rule, hidden
from counterfoil.disclosure.primary import protect_count
from counterfoil.disclosure.settings import DisclosureSettings


def protect_line(
    counts: Sequence[int | None], settings: DisclosureSettings, *, structural: Collection[int] = ()
) -> tuple[Cell, ...]:
    """Cells of one line after R2 and R4. `structural` holds positions where a zero is true by definition: [z].

    A sampling zero is unsafe when it would let another value be read with certainty: when only one other value is
    left (everybody has it), or when a hidden value stands beside it (the total gives that value away).
    """
    cells = [protect_count(count, settings) for count in counts]
    zeros = {i for i, count in enumerate(counts) if count == 0}
    declared = zeros & set(structural)
    full = [i for i in range(len(cells)) if i not in zeros]
    alone = len(full) == 1
    unsafe = zeros - declared if alone or not full or any(cells[i].value is None for i in full) else set()
    if unsafe and alone:
        unsafe = unsafe | set(full)
    for i in range(len(cells)):
        if i in declared:
            cells[i] = NOT_APPLICABLE
        elif i in unsafe and cells[i].value is not None:
            cells[i] = hidden(Rule.R4)
    return tuple(cells)
