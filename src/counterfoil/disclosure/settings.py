"""The parameters of the disclosure rules: per lab, versioned, each with where it comes from; printed in every annex."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TypeVar

from counterfoil.errors import UsageError

Number = TypeVar("Number", int, float)

MOST_SUB_ANALYSES = 8  # in one plan: every combination of them is looked at


def _setting(value: Number, symbol: str, meaning: str, source: str) -> Number:
    """A field whose metadata is the line that the annex prints."""
    described: Number = field(default=value, metadata={"symbol": symbol, "meaning": meaning, "source": source})
    return described


@dataclass(frozen=True, slots=True)
class Parameter:
    """One line of the annex."""

    symbol: str
    value: float
    meaning: str
    source: str


@dataclass(frozen=True, slots=True)
class DisclosureSettings:
    """UK defaults. Counts are of people unless the meaning says otherwise."""

    version: str = "uk-1"
    min_submitted: int = _setting(
        60, "M", "people that must be submitted", "the smallest request the Justice Data Lab takes"
    )
    max_missing_share: float = _setting(
        0.30, "S", "share of those who started that may be missing from the upload", "house default against picking"
    )
    threshold: int = _setting(
        10, "T", "smallest count that is shown", "the Office for National Statistics, UK LLC and ABS all use 10"
    )
    min_group: int = _setting(30, "J", "smallest matched group", "Justice Data Lab practice")
    rounding_base: int = _setting(
        5, "B", "base of rounding; halves go away from zero", "the 10-5 rule of the Office for National Statistics"
    )
    min_difference: int = _setting(
        10, "D", "smallest difference between two populations", "equal to T: a difference is a count too"
    )
    min_width: int = _setting(
        10, "W", "smallest range a reader may pin a hidden count down to", "equal to T: a narrower range is a count"
    )
    max_unit_share: float = _setting(
        0.10, "p", "largest share of a total that may be one person's", "dominance: rule R8"
    )
    large_group: int = _setting(
        1000, "L", "people in a group from which on a rounded rate gives no count away", "rule R6"
    )

    def __post_init__(self) -> None:
        """A setting that would switch a rule off is refused, every one at once."""
        problems = [
            f"The disclosure setting {spec.name} must be more than 0 and is not. Use the default or a larger number."
            for spec in fields(self)
            if spec.name != "version" and not getattr(self, spec.name) > 0
        ]
        if self.max_missing_share >= 1:
            problems.append("The disclosure setting max_missing_share must be under 1: it is a share of people.")
        if problems:
            raise UsageError(*problems)

    def annex(self) -> tuple[Parameter, ...]:
        """Every parameter with its symbol, meaning and source, in the order of the rules."""
        return tuple(
            Parameter(
                symbol=str(spec.metadata["symbol"]),
                value=float(getattr(self, spec.name)),
                meaning=str(spec.metadata["meaning"]),
                source=str(spec.metadata["source"]),
            )
            for spec in fields(self)
            if "symbol" in spec.metadata
        )


DEFAULT_SETTINGS = DisclosureSettings()
