"""What a domain takes for a negative control: an outcome of before the programme, as data (`negative_control.toml`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from counterfoil.domains.schema import folder, read_toml
from counterfoil.outcomes.catalogue import catalogue_of
from counterfoil.outcomes.measures import Measure


@dataclass(frozen=True, slots=True)
class NegativeControl:
    """The outcome, and the covariates that say nothing of its time."""

    measure: Measure
    silent: frozenset[str]


@cache
def negative_control_of(domain: str) -> NegativeControl | None:
    """The domain's, or None when it has none."""
    place = folder(domain) / "negative_control.toml"
    if not place.is_file():
        return None
    raw = read_toml(place)
    return NegativeControl(catalogue_of(domain).definitions[raw["measure"]].measure, frozenset(raw["silent"]))
