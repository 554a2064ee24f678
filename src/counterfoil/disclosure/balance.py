"""R3 and R6 on balance (R23): a standardised difference of a binary term gives its count away, so it is a rate."""

from __future__ import annotations

from collections.abc import Sequence

from counterfoil.comparison.values import BalanceRow, Band, Comparison
from counterfoil.disclosure.cells import MAKER, NOT_AVAILABLE, Cell, Rule, hidden
from counterfoil.disclosure.flow import Sizes
from counterfoil.disclosure.hiding import NOTHING_MORE, More
from counterfoil.disclosure.rates import is_rate_safe
from counterfoil.disclosure.rounding import round_half_up
from counterfoil.disclosure.settings import DisclosureSettings
from counterfoil.disclosure.shown_measures import ProtectedBalance, ProtectedTerm

SMD_DECIMALS = 2
GREEN_TO = 0.05  # METHODS 4
AMBER_TO = 0.10
LEAST_OF: dict[Band, float] = {Band.GREEN: 0.0, Band.AMBER: GREEN_TO, Band.RED: AMBER_TO}


def band_of(smd: float | None) -> Band | None:
    """The band that a standardised difference lies in."""
    if smd is None:
        return None
    size = abs(smd)
    return Band.GREEN if size <= GREEN_TO else Band.AMBER if size <= AMBER_TO else Band.RED


def protect_balance(
    comparison: Comparison, sizes: Sizes, settings: DisclosureSettings, more: More = NOTHING_MORE
) -> ProtectedBalance:
    """Bands of every term; values where they are safe. Nothing binary is shown when the group's size is not.

    `more`: the intruder audit hides every value, or those of some terms.
    """
    asked = {row.term for row in comparison.balance} if more.balance else more.terms
    terms = tuple(
        _protect_term(row, comparison, sizes, settings, Rule.R13 if row.term in asked else None)
        for row in comparison.balance
    )
    ess = Cell(value=round_half_up(comparison.ess, 0)) if sizes is Sizes.EXACT else hidden(Rule.R11)
    return ProtectedBalance(terms=terms, worst_smd=_worst(comparison.balance, terms), ess=ess, maker=MAKER)


def _protect_term(
    row: BalanceRow, comparison: Comparison, sizes: Sizes, settings: DisclosureSettings, hides: Rule | None
) -> ProtectedTerm:
    is_safe = not row.binary or _is_safe(row, comparison, settings)
    return ProtectedTerm(
        term=row.term,
        covariate=row.covariate,
        before=band_of(row.smd_before) if is_safe else None,
        after=row.band,
        smd=_protect_smd(row, sizes, is_safe=is_safe) if hides is None else hidden(hides),
        maker=MAKER,
        before_hidden=not is_safe,
    )


def _is_safe(row: BalanceRow, comparison: Comparison, settings: DisclosureSettings) -> bool:
    """R3 on both sides. Before matching the other side is the pool, whose share may be known: even its band tells."""
    treated_safe = is_rate_safe(row.treated_people, comparison.n_treated_matched, settings)
    return treated_safe and is_rate_safe(row.comparison_people, comparison.n_comparison, settings)


def _protect_smd(row: BalanceRow, sizes: Sizes, *, is_safe: bool) -> Cell:
    if row.smd is None:
        return NOT_AVAILABLE
    if row.binary and sizes is not Sizes.EXACT:
        return hidden(Rule.R6)
    if not is_safe:
        return hidden(Rule.R3)
    return Cell(value=round_half_up(row.smd, SMD_DECIMALS), decimals=SMD_DECIMALS)


def _worst(rows: Sequence[BalanceRow], terms: Sequence[ProtectedTerm]) -> Cell:
    """The largest difference that may be shown; or, when a hidden one is worse, the least its band allows."""
    shown = max((abs(t.smd.value) for t in terms if t.smd.value is not None), default=0.0)
    masked = [r for r, t in zip(rows, terms, strict=True) if r.smd is not None and t.smd.value is None]
    least = max((LEAST_OF[r.band] for r in masked), default=0.0)
    worse = any(abs(r.smd or 0.0) > shown for r in masked)
    return Cell(value=max(shown, least), decimals=SMD_DECIMALS, at_least=worse)
