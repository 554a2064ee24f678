"""What a domain says about linking, as frozen values: `domains/NAME/linkage.toml` and its nicknames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from counterfoil.domains.schema import folder, read_toml
from counterfoil.provenance import key_of
from counterfoil.records.nicknames import nickname_classes


@dataclass(frozen=True, slots=True)
class Level:
    """One way in which a pair may agree. `sql` is a condition over COLUMN_l and COLUMN_r, or ELSE."""

    label: str
    sql: str
    null: bool = False
    tf: str | None = None  # column whose value frequency adjusts the weight
    u: float | None = None  # set, not learnt


@dataclass(frozen=True, slots=True)
class Comparison:
    """Levels in the order in which they are tried."""

    name: str
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A blocking rule: `left` columns of one record equal `right` columns of the other, pair by pair."""

    name: str
    left: tuple[str, ...]
    right: tuple[str, ...]

    @property
    def sql(self) -> str:
        """The rule as Splink writes it."""
        return " AND ".join(f"l.{a} = r.{b}" for a, b in zip(self.left, self.right, strict=True))


@dataclass(frozen=True, slots=True)
class Frequency:
    """A column whose values are taken apart to tell how common they are; `apart` tells people with one value apart."""

    column: str
    parts: tuple[str, ...]
    apart: str


@dataclass(frozen=True, slots=True)
class Training:
    """How the model learns. `prior_recall` is the share of true pairs that the prior rules are thought to find."""

    seed: int
    random_pairs: int
    em_max_pairs: int
    em_blocks: tuple[Rule, ...]
    prior_rules: tuple[Rule, ...]
    prior_recall: float


@dataclass(frozen=True, slots=True)
class Guards:
    """What no cluster may be (METHODS 1), and how large a block may grow (records)."""

    max_block: int
    max_cluster: int
    unique: tuple[str, ...]
    twins_same: tuple[str, ...]
    twins_differ: str


@dataclass(frozen=True, slots=True)
class NumberEvidence:
    """An identifying number that, confirmed, decides a cohort entry before the model is asked."""

    evidence: str
    column: str


@dataclass(frozen=True, slots=True)
class CohortRules:
    """How one entry of a cohort is decided. `ambiguous_within` in bits."""

    ambiguous_within: float
    confirm: tuple[str, ...]
    numbers: tuple[NumberEvidence, ...]


@dataclass(frozen=True, slots=True)
class Specification:
    """Everything a domain says about linking. `key` changes when any of it does."""

    key: str
    derived: Mapping[str, str]
    nicknames: Mapping[str, str]  # forename -> its class
    rules: tuple[Rule, ...]
    comparisons: tuple[Comparison, ...]
    frequencies: tuple[Frequency, ...]
    training: Training
    guards: Guards
    cohort: CohortRules

    @property
    def frequency_columns(self) -> tuple[str, ...]:
        """Columns whose agreement weighs more the rarer the value, each once."""
        found = [level.tf for comparison in self.comparisons for level in comparison.levels if level.tf]
        return tuple(dict.fromkeys(found))


@cache
def load_specification(domain: str) -> Specification:
    """Read the linking part of a domain."""
    return parse_specification(read_toml(folder(domain) / "linkage.toml"), nickname_classes(domain))


def parse_specification(raw: Mapping[str, Any], nicknames: Mapping[str, str]) -> Specification:
    """The linking part of a domain from what its linkage.toml holds."""
    return Specification(
        key=key_of(linkage=raw, nicknames=dict(nicknames)),
        derived=raw["derived"],
        nicknames=nicknames,
        rules=tuple(_rule(rule) for rule in raw["rules"]),
        comparisons=tuple(_comparison(comparison) for comparison in raw["comparisons"]),
        frequencies=tuple(Frequency(f["column"], tuple(f["parts"]), f["apart"]) for f in raw["frequencies"]),
        training=_training(raw["training"]),
        guards=_guards(raw["guards"]),
        cohort=_cohort(raw["cohort"]),
    )


def rule_on(*columns: str) -> Rule:
    """The rule that all of `columns` are equal."""
    return Rule(" and ".join(columns), columns, columns)


def _rule(raw: Mapping[str, Any]) -> Rule:
    left, right = raw.get("left", raw.get("keys")), raw.get("right", raw.get("keys"))
    return Rule(raw["name"], tuple(left or ()), tuple(right or ()))


def _comparison(raw: Mapping[str, Any]) -> Comparison:
    return Comparison(raw["name"], tuple(Level(**level) for level in raw["levels"]))


def _training(raw: Mapping[str, Any]) -> Training:
    return Training(
        seed=raw["seed"],
        random_pairs=raw["random_pairs"],
        em_max_pairs=raw["em_max_pairs"],
        em_blocks=tuple(rule_on(*columns) for columns in raw["em_blocks"]),
        prior_rules=tuple(rule_on(*columns) for columns in raw["prior_rules"]),
        prior_recall=raw["prior_recall"],
    )


def _guards(raw: Mapping[str, Any]) -> Guards:
    twins = raw["twins"]
    return Guards(raw["max_block"], raw["max_cluster"], tuple(raw["unique"]), tuple(twins["same"]), twins["differ"])


def _cohort(raw: Mapping[str, Any]) -> CohortRules:
    numbers = tuple(NumberEvidence(**number) for number in raw["numbers"])
    return CohortRules(raw["ambiguous_within"], tuple(raw["confirm"]), numbers)
