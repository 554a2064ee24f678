"""What a domain says about linking, as frozen values: `domains/NAME/linkage.toml` and its nicknames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from counterfoil.domains.schema import folder, read_toml
from counterfoil.errors import UsageError
from counterfoil.provenance import key_of
from counterfoil.records.nicknames import nickname_classes


@dataclass(frozen=True, slots=True)
class Level:
    """One way in which a pair may agree. `sql` is a condition over COLUMN_l and COLUMN_r, or ELSE.

    `m`, `u` and `weight` (bits; log2 of m over u) are set, not learnt. m and weight need a `reason`.
    """

    label: str
    sql: str
    null: bool = False
    tf: str | None = None  # column whose value frequency adjusts the weight
    u: float | None = None
    m: float | None = None
    weight: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Levels in the order in which they are tried."""

    name: str
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Cap:
    """What becomes of a block of more than `records`: its pairs must also agree on `then`; without it there are none.

    `column` of the prepared records carries it: empty in an ordinary block, the value of `then` in a hot one. It is a
    key of the rule like any other, so every engine and every count obeys it.
    """

    records: int
    then: str
    column: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A blocking rule: `left` columns of one record equal `right` columns of the other, pair by pair."""

    name: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    cap: Cap | None = None

    @property
    def sql(self) -> str:
        """The rule as Splink writes it."""
        return " AND ".join(f"l.{a} = r.{b}" for a, b in zip(self.left, self.right, strict=True))

    @property
    def uncapped(self) -> tuple[str, ...]:
        """Its columns without the cap's."""
        return tuple(column for column in self.left if self.cap is None or column != self.cap.column)


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
class Births:
    """Which birth dates are sure enough to speak against one person: `column`, where `unsure` (a column) is false."""

    column: str
    unsure: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A table of link evidence on the linker's side, its key of the person table, and the columns that a guard reads.

    `where` (SQL) chooses rows; `place` is compared where both sides have one.
    """

    source: str
    table: str
    record: str
    columns: Mapping[str, str]
    where: str = "true"


@dataclass(frozen=True, slots=True)
class SameDay:
    """A person cannot be kept in one place (`stays`: from, to) and stand in another (`days`: day) on one day.

    Such pairs are for review, and with `cut` they are kept apart.
    """

    stays: Evidence
    days: Evidence
    cut: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What shows that two forenames are one person's and no twins': a record of both, or two that share a number.

    Columns: the forename, the list of all forenames, and numbers that name one person each.
    """

    name: str
    names: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guards:
    """What no cluster may be (METHODS 1), and how large a block may grow (records).

    `weak_bridge` (bits): a link that alone holds two parts of a person together and weighs less is for review.
    """

    max_block: int
    max_cluster: int
    unique: tuple[str, ...]
    twins_same: tuple[str, ...]
    twins_differ: str
    twins_known: Known | None = None
    births: Births | None = None
    same_day: tuple[SameDay, ...] = ()
    weak_bridge: float = 0.0


@dataclass(frozen=True, slots=True)
class Slice:
    """Sources whose records one model links: within each, with each other, and with those of the slices `to`."""

    name: str
    sources: tuple[str, ...]
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """One clustering: of all links of these slices."""

    name: str
    slices: tuple[str, ...]


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
    slices: tuple[Slice, ...] = ()
    products: tuple[Product, ...] = ()
    model_key: str = ""  # changes when anything does that a trained model depends on
    record_key: str = ""  # changes when anything does that the prepared records depend on

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
        rules=tuple(_rule(rule, place) for place, rule in enumerate(raw["rules"])),
        comparisons=tuple(_comparison(comparison) for comparison in raw["comparisons"]),
        frequencies=tuple(Frequency(f["column"], tuple(f["parts"]), f["apart"]) for f in raw["frequencies"]),
        training=_training(raw["training"]),
        guards=_guards(raw["guards"]),
        cohort=_cohort(raw["cohort"]),
        slices=tuple(Slice(s["name"], tuple(s["sources"]), tuple(s.get("to", ()))) for s in raw.get("slices", ())),
        products=tuple(Product(p["name"], tuple(p["slices"])) for p in raw.get("products", ())),
        model_key=_key(raw, nicknames, "derived", "comparisons", "frequencies", "training"),
        record_key=_key(raw, nicknames, "derived", "rules"),
    )


def _key(raw: Mapping[str, Any], nicknames: Mapping[str, str], *parts: str) -> str:
    return key_of(nicknames=dict(nicknames), **{part: raw[part] for part in parts})


def rule_on(*columns: str) -> Rule:
    """The rule that all of `columns` are equal."""
    return Rule(" and ".join(columns), columns, columns)


def _rule(raw: Mapping[str, Any], place: int) -> Rule:
    left, right = (tuple(raw.get(side, raw.get("keys", ()))) for side in ("left", "right"))
    if "cap" not in raw:
        return Rule(raw["name"], left, right)
    cap = Cap(raw["cap"], raw["then"], f"cap_{place:02d}")
    return Rule(raw["name"], (*left, cap.column), (*right, cap.column), cap)


def _comparison(raw: Mapping[str, Any]) -> Comparison:
    return Comparison(raw["name"], tuple(_level(level, raw["name"]) for level in raw["levels"]))


def _level(raw: Mapping[str, Any], comparison: str) -> Level:
    level = Level(**raw)
    where = f"The level {level.label!r} of the comparison {comparison!r}"
    if level.weight is not None and level.m is not None:
        raise UsageError(f"{where} has both `weight` and `m`, which say the same. Keep one of them.")
    if (level.weight is not None or level.m is not None) and not level.reason.strip():
        raise UsageError(f"{where} has a weight set by hand and no `reason`. Say in one sentence why it is not learnt.")
    for name, value in (("m", level.m), ("u", level.u)):
        if value is not None and not 0 < value <= 1:
            raise UsageError(f"{where} has {name} = {value}. A probability above 0 and at most 1 is needed.")
    return level


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
    return Guards(
        max_block=raw["max_block"],
        max_cluster=raw["max_cluster"],
        unique=tuple(raw["unique"]),
        twins_same=tuple(twins["same"]),
        twins_differ=twins["differ"],
        twins_known=_known(twins["known"]) if "known" in twins else None,
        births=Births(**raw["births"]) if "births" in raw else None,
        same_day=tuple(
            SameDay(Evidence(**pair["stays"]), Evidence(**pair["days"]), pair["cut"])
            for pair in raw.get("same_day", ())
        ),
        weak_bridge=raw.get("weak_bridge", 0.0),
    )


def _known(raw: Mapping[str, Any]) -> Known:
    return Known(name=raw["name"], names=raw["names"], numbers=tuple(raw["numbers"]))


def _cohort(raw: Mapping[str, Any]) -> CohortRules:
    numbers = tuple(NumberEvidence(**number) for number in raw["numbers"])
    return CohortRules(raw["ambiguous_within"], tuple(raw["confirm"]), numbers)
