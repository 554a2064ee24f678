"""A1: how the list came to be. Only what the provider knows, what the lab's log counts, and bands."""

from __future__ import annotations

from counterfoil.disclosure.beside import SampleFacts
from counterfoil.disclosure.cells import MAKER, NOT_APPLICABLE, NOT_AVAILABLE, Cell
from counterfoil.disclosure.measures import P_DECIMALS, show_number
from counterfoil.disclosure.rounding import round_half_up
from counterfoil.disclosure.shown_beside import ProtectedSample
from counterfoil.disclosure.shown_measures import ProtectedMeasure


def protect_sample(
    facts: SampleFacts | None, started: int | None, submitted: int, headline: ProtectedMeasure
) -> ProtectedSample | None:
    """Whom the list leaves out, and how often the organisation asked. p is corrected from the printed p alone."""
    if facts is None:
        return None
    return ProtectedSample(
        gaps=facts.gaps,
        repeated=facts.repeated,
        completers_only=facts.completers_only,
        requests=Cell(value=facts.requests),
        p_corrected=_corrected(headline.estimate.p, facts.requests),
        changed=facts.changed,
        missing=_missing(started, submitted),
        maker=MAKER,
    )


def _corrected(p: Cell, requests: int) -> Cell:
    """Bonferroni over the organisation's requests: each was another chance of an unlikely result."""
    if requests < 2:
        return NOT_APPLICABLE
    return p if p.value is None else show_number(min(1.0, p.value * requests), P_DECIMALS, None)


def _missing(started: int | None, submitted: int) -> Cell:
    if not started:
        return NOT_AVAILABLE
    return Cell(value=round_half_up(100.0 * max(0, started - submitted) / started, 0))
