"""How far to trust the headline, as it may be shown: ways side by side (`ways`), and what a hidden difference must be.

E-values are one more equation on the size of the group, like a second interval, so they stand only beside an exact one
(R7). Gamma is a function of two counts of pairs, those where only the one and only the other had the outcome: both must
be T or more (R2), and the 1:1 way itself must be shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from counterfoil.disclosure.beside import HiddenBias, TrustResult, WayResult
from counterfoil.disclosure.cells import MAKER, NOT_APPLICABLE, Cell, Rule, hidden
from counterfoil.disclosure.measures import show_number
from counterfoil.disclosure.settings import DisclosureSettings
from counterfoil.disclosure.shown_beside import Placebos, ProtectedTrust, ProtectedWay
from counterfoil.disclosure.ways import Reading, protect_check, protect_ways
from counterfoil.outcomes.measures import Measure

DECIMALS = 1  # of a ratio that says how strong something would have to be
PAIRS = "nearest"  # the way that Gamma is of
PLACEBO_LEVEL = 0.01  # at most one honest run in a hundred has an alarm, like the test of start dates


def protect_trust(
    found: TrustResult | None,
    headline: WayResult,
    comparisons: Sequence[WayResult],
    reading: Reading,
    settings: DisclosureSettings,
    *,
    measures: Sequence[Measure],
) -> tuple[tuple[ProtectedWay, ...], ProtectedTrust | None]:
    """The other comparisons, the headline's first, and all ways with the checks. `measures`: those of the report."""
    more = () if found is None else found.ways
    every = protect_ways(headline, [*comparisons, *more], reading, settings)
    shown = every[: 1 + len(comparisons)] if comparisons else ()
    if found is None:
        return shown, None
    pairs = next((way for way in every if way.name == PAIRS), None)
    return shown, ProtectedTrust(
        ways=every,
        e_point=_ratio(found.bias.e_point, reading),
        e_limit=_ratio(found.bias.e_limit, reading),
        gamma=_gamma(found.bias, pairs, reading, settings),
        no_gamma=found.bias.no_gamma if reading.hidden is None else None,
        control=_control(found, reading, settings, measures),
        placebos=_placebos(found.placebo_p),
        maker=MAKER,
    )


def _ratio(value: float | None, reading: Reading) -> Cell:
    if value is None:
        return NOT_APPLICABLE
    return show_number(value, DECIMALS, reading.hidden or (None if reading.size_is_shown else Rule.R7))


def _gamma(bias: HiddenBias, pairs: ProtectedWay | None, reading: Reading, settings: DisclosureSettings) -> Cell:
    if bias.gamma is None:
        return NOT_APPLICABLE
    if pairs is None or pairs.hidden is not None:
        return hidden(reading.hidden or Rule.R17)
    return hidden(Rule.R2) if bias.speaking < settings.threshold else _ratio(bias.gamma, reading)


def _control(
    found: TrustResult, reading: Reading, settings: DisclosureSettings, measures: Sequence[Measure]
) -> ProtectedWay | None:
    if found.control is None:
        return None
    effect = found.control.effect
    too = effect is not None and effect.measure.name in {measure.name for measure in measures}
    return protect_check(found.control, found.control_outcome, reading, settings, is_measured_too=too)


def _placebos(p: float | None) -> Placebos:
    if p is None:
        return Placebos.NONE
    return Placebos.ALARM if p < PLACEBO_LEVEL else Placebos.AS_EXPECTED
