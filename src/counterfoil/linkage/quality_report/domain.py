"""What a domain's quality.toml says, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from counterfoil.domains.schema import folder, read_toml
from counterfoil.errors import UsageError
from counterfoil.linkage.specification import Rule


@dataclass(frozen=True, slots=True)
class Concern:
    """Where a figure starts to be worth a look; shares 0-1."""

    completeness_drop: float
    least_precision: float
    least_recall: float
    group_gap: float
    bias_gap: float
    lost_people: float


@dataclass(frozen=True, slots=True)
class Expected:
    """A source of which less is expected, and why. `least_recall` (0-1): of pairs with a record of it, at medium."""

    source: str
    least_recall: float
    reason: str


@dataclass(frozen=True, slots=True)
class QualityRules:
    """Looser blocking rules, the identifying numbers, what is of concern, and of which sources less is expected."""

    looser: tuple[Rule, ...]
    numbers: tuple[str, ...]
    confirming: str
    telling: str
    concern: Concern
    expected: tuple[Expected, ...] = ()


@cache
def quality_rules(domain: str) -> QualityRules:
    """Read the domain's quality.toml."""
    raw = read_toml(folder(domain) / "quality.toml")
    looser = tuple(
        _rule(tuple(r.get("left", r.get("keys"))), tuple(r.get("right", r.get("keys")))) for r in raw["looser"]
    )
    numbers = raw["numbers"]
    expected = tuple(expected_of(each) for each in raw.get("expected", ()))
    return QualityRules(
        looser,
        tuple(numbers["columns"]),
        numbers["confirming"],
        numbers["telling"],
        Concern(**raw["concern"]),
        expected,
    )


def expected_of(raw: Mapping[str, Any]) -> Expected:
    """One entry of the domain's `expected`. UsageError when it gives no reason."""
    found = Expected(**raw)
    if not found.reason.strip():
        raise UsageError(
            f"The domain's quality.toml expects less of the source {found.source!r} and gives no `reason`. Say in one "
            "sentence why its records are hard to link."
        )
    if not 0 <= found.least_recall < 1:
        raise UsageError(
            f"The domain's quality.toml has least_recall = {found.least_recall} for the source {found.source!r}. "
            "A share from 0 to under 1 is needed."
        )
    return found


def _rule(left: tuple[str, ...], right: tuple[str, ...]) -> Rule:
    name = " and ".join(left) if left == right else f"{' and '.join(left)} with {' and '.join(right)}"
    return Rule(name, left, right)
