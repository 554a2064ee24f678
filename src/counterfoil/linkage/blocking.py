"""How many pairs each blocking rule makes, counted before any pair is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from counterfoil.errors import Refused
from counterfoil.linkage.specification import Rule
from counterfoil.warehouse import query


@dataclass(frozen=True, slots=True)
class RuleCount:
    """One rule: pairs it makes by itself (pairs that other rules make too included), records in its largest block."""

    rule: str
    pairs: int
    largest_block: int


def count_within(prepared: pa.Table, rules: Sequence[Rule]) -> tuple[RuleCount, ...]:
    """Count for comparing records with each other. For a rule of two sides (swapped) `pairs` is an upper bound."""
    return tuple(_within(prepared, rule) for rule in rules)


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


def _within(prepared: pa.Table, rule: Rule) -> RuleCount:
    if rule.left != rule.right:
        return _joined(prepared, prepared, rule)
    sql = f"""SELECT coalesce(sum(n * (n - 1) // 2), 0)::BIGINT AS pairs, coalesce(max(n), 0)::BIGINT AS largest
              FROM ({_groups("t", rule.left)})"""
    return _count(rule, query(sql, {"t": prepared.select(list(dict.fromkeys(rule.left)))}))


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
