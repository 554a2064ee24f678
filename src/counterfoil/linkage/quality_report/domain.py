"""What a domain's quality.toml says, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from counterfoil.domains.schema import folder, read_toml
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
class QualityRules:
    """Looser blocking rules, the identifying numbers, and what is of concern."""

    looser: tuple[Rule, ...]
    numbers: tuple[str, ...]
    confirming: str
    concern: Concern


@cache
def quality_rules(domain: str) -> QualityRules:
    """Read the domain's quality.toml."""
    raw = read_toml(folder(domain) / "quality.toml")
    looser = tuple(
        _rule(tuple(r.get("left", r.get("keys"))), tuple(r.get("right", r.get("keys")))) for r in raw["looser"]
    )
    numbers = raw["numbers"]
    return QualityRules(looser, tuple(numbers["columns"]), numbers["confirming"], Concern(**raw["concern"]))


def _rule(left: tuple[str, ...], right: tuple[str, ...]) -> Rule:
    name = " and ".join(left) if left == right else f"{' and '.join(left)} with {' and '.join(right)}"
    return Rule(name, left, right)
