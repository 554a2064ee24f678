"""How many pairs each blocking rule makes, counted before any pair is made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from counterfoil.errors import Refused
from counterfoil.linkage.core.index import field_of, types_in
from counterfoil.linkage.core.key_order import Keys, RuleOrder
from counterfoil.linkage.core.layout import RuleKeys
from counterfoil.linkage.core.reader import DEFAULT_RESOURCES
from counterfoil.linkage.specification import Rule
from counterfoil.warehouse import query


@dataclass(frozen=True, slots=True)
class RuleCount:
    """One rule: pairs it makes by itself (pairs that other rules make too included), records in its largest block."""

    rule: str
    pairs: int
    largest_block: int


def orders_of(prepared: pa.Table, rules: Sequence[Rule]) -> Iterator[RuleOrder]:
    """The records in the order of each rule's key."""
    if not rules:
        return iter(())
    keys = keys_of(rules)
    names = dict.fromkeys(column for rule in rules for column in (*rule.left, *rule.right))
    schema = pa.schema([field_of(prepared, name) for name in names])
    return Keys(prepared, schema, DEFAULT_RESOURCES).orders(keys, types_in(schema, keys))


def keys_of(rules: Sequence[Rule]) -> tuple[RuleKeys, ...]:
    """Rules as the core has them."""
    return tuple(RuleKeys(rule.sql, rule.left, rule.right) for rule in rules)


def count_within(prepared: pa.Table, rules: Sequence[Rule]) -> tuple[RuleCount, ...]:
    """Count for comparing records with each other. For a rule of two sides (swapped) `pairs` is an upper bound."""
    return counted(rules, orders_of(prepared, rules))


def counted(rules: Sequence[Rule], orders: Iterable[RuleOrder]) -> tuple[RuleCount, ...]:
    """The same of records whose order by each rule is at hand."""
    return tuple(RuleCount(rule.name, *order.counted()) for rule, order in zip(rules, orders, strict=True))


def count_between(left: pa.Table, right: pa.Table, rules: Sequence[Rule]) -> tuple[RuleCount, ...]:
    """Count for comparing each record of `left` with each of `right`."""
    return tuple(_joined(left, right, rule) for rule in rules)


def check_blocks(counts: Sequence[RuleCount], *, max_block: int) -> None:
    """Refused when a rule's largest block would explode. Names the rule and the size, never the value."""
    worst = max(counts, key=lambda count: count.largest_block, default=None)
    if worst is not None and worst.largest_block > max_block:
        raise Refused(
            f"The blocking rule {worst.rule!r} would compare {worst.largest_block:,} records with each other because "
            f"they share one value; at most {max_block:,} may. A value that so many share stands for none: make it "
            "missing when the source is loaded, or tighten the rule or raise `max_block` in the domain's linkage.toml.",
            rule="max_block",
        )


def _joined(left: pa.Table, right: pa.Table, rule: Rule) -> RuleCount:
    equal = " AND ".join(f"a.k{i} = b.k{i}" for i in range(len(rule.left)))
    sql = f"""SELECT coalesce(sum(a.n * b.n), 0)::BIGINT AS pairs,
                     coalesce(max(greatest(a.n, b.n)), 0)::BIGINT AS largest
              FROM ({_groups("t_left", rule.left)}) a JOIN ({_groups("t_right", rule.right)}) b ON {equal}"""
    tables = {"t_left": left.select(sorted(set(rule.left))), "t_right": right.select(sorted(set(rule.right)))}
    return _count(rule, query(sql, tables))


def _groups(table: str, columns: Sequence[str]) -> str:
    keys = ", ".join(f"{column} AS k{i}" for i, column in enumerate(columns))
    held = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    return f"SELECT {keys}, count(*)::BIGINT AS n FROM {table} WHERE {held} GROUP BY ALL"


def _count(rule: Rule, answer: pa.Table) -> RuleCount:
    row = answer.to_pylist()[0]
    return RuleCount(rule.name, int(row["pairs"]), int(row["largest"]))
