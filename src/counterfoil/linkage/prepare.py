"""Standardised records to the table that is compared: whole-number ids, derived columns, and which blocks are hot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.errors import Fault
from counterfoil.linkage.core.one_row import Lookup, Parts
from counterfoil.linkage.specification import Rule, Specification
from counterfoil.warehouse import query

ID = "unique_id"
STANDARD_COLUMNS = (
    "source", "record_id", "forename1_std", "forename_parts", "surname_std", "surname_parts", "full_parts_sorted",
    "alias_names", "dob", "dob_is_1jan", "sex_std", "postcode_std", "outcode", "pnc_std", "cro_std",
    "prison_number_std", "crn_std",
)  # fmt: skip


HotKeys = Mapping[str, pa.Table]  # rule -> the keys of its hot blocks


@dataclass(frozen=True, slots=True)
class View:
    """A SELECT over `entries` and `tables`, and the same in parts."""

    sql: str
    tables: Mapping[str, pa.Table]
    parts: Parts


@dataclass(frozen=True, slots=True)
class HotBlocks:
    """Blocks of one rule that are over its cap: how many, and the records of the largest. Never the value."""

    rule: str
    blocks: int
    largest: int


def prepare(
    records: pa.Table, specification: Specification, *, first_id: int = 0, hot: HotKeys | None = None
) -> pa.Table:
    """Standardised records ordered by (source, record_id), with `unique_id` from `first_id` and derived columns.

    A block is hot by its size in this table, or when its key is among `hot`: those of the records that a cohort is to
    be compared with (`known_hot_keys`).
    """
    check_columns(records)
    derived = ", ".join(f"{sql} AS {name}" for name, sql in specification.derived.items())
    sql = f"""
        SELECT row_number() OVER (ORDER BY source, record_id) - 1 + {int(first_id)} AS {ID},
               {", ".join(STANDARD_COLUMNS)},
               coalesce(forename_class, forename1_std) AS forename_class,
               {derived}
        FROM records LEFT JOIN nicknames ON forename1_std = nickname
        ORDER BY {ID}"""
    prepared = query(sql, {"records": records.select(STANDARD_COLUMNS), "nicknames": _nicknames(specification)})
    check_ids(prepared)
    for rule in specification.rules:
        if rule.cap is not None:
            keys = _hot_keys(prepared, rule) if hot is None else hot[rule.name]
            prepared = prepared.append_column(rule.cap.column, _capped(prepared, rule, keys))
    return prepared


def prepared_view(specification: Specification, hot: HotKeys, row: str) -> View:
    """`prepare` as one SELECT over `entries`, for few records at a time.

    `entries` has `row`, the standardised columns, and `forename_class` as `classed` adds it.
    """
    own = {"forename_class": "coalesce(forename_class, forename1_std)", **specification.derived}
    joins, caps, tables, lookups = "", "", {}, {}
    for i, rule in enumerate(rule for rule in specification.rules if rule.cap is not None):
        if rule.cap is None:
            continue
        keys = hot[rule.name].select(list(rule.uncapped))
        held = frozenset(zip(*(column.to_pylist() for column in keys.columns), strict=True))
        lookups[rule.cap.column] = Lookup(rule.uncapped, rule.cap.then, held)
        if not held:
            caps += f", '' AS {rule.cap.column}"
            continue
        tables[f"hot_{i}"] = hot[rule.name].append_column("is_hot", pa.repeat(True, hot[rule.name].num_rows))
        same = " AND ".join(f"p.{key} = h{i}.{key}" for key in rule.uncapped)
        joins += f" LEFT JOIN hot_{i} h{i} ON {same}"
        caps += f", CASE WHEN h{i}.is_hot THEN p.{rule.cap.then} ELSE '' END AS {rule.cap.column}"
    columns = ", ".join([*STANDARD_COLUMNS, *(f"{sql} AS {name}" for name, sql in own.items())])
    sql = f"SELECT p.*{caps} FROM (SELECT {row}, {columns} FROM entries) p{joins}"
    return View(sql, tables, Parts(own, lookups))


def classed(person: Mapping[str, Any], specification: Specification) -> dict[str, Any]:
    """One standardised record with `forename_class`, the nickname class of the forename, None where it has none."""
    return {**person, "forename_class": specification.nicknames.get(person["forename1_std"])}


def hot_blocks(prepared: pa.Table, specification: Specification) -> tuple[HotBlocks, ...]:
    """What the caps cut, for each rule that has a block over its cap."""
    found = [(rule, _hot_keys(_marked(prepared, rule), rule)) for rule in specification.rules if rule.cap is not None]
    return tuple(
        HotBlocks(rule.name, hot.num_rows, int(pc.max(hot["n"]).as_py())) for rule, hot in found if hot.num_rows
    )


def _hot_keys(prepared: pa.Table, rule: Rule) -> pa.Table:
    """The keys of the blocks over the cap, and `n`, their records."""
    keys, limit = rule.uncapped, rule.cap.records if rule.cap else 0
    if prepared.num_rows <= limit:  # no block can be
        prepared = prepared.slice(0, 0)
    held = " AND ".join(f"{key} IS NOT NULL" for key in keys)
    columns = ", ".join(keys)
    sql = (
        f"SELECT {columns}, count(*) AS n FROM t WHERE {held} GROUP BY {columns} HAVING n > {limit} ORDER BY {columns}"
    )
    return query(sql, {"t": prepared.select(list(keys))})


def known_hot_keys(among: pa.Table, specification: Specification) -> HotKeys:
    """The keys of prepared records' hot blocks, for each rule with a cap, from the marks that `prepare` left."""
    return {rule.name: _known_hot_keys(among, rule) for rule in specification.rules if rule.cap is not None}


def _known_hot_keys(among: pa.Table, rule: Rule) -> pa.Table:
    return _marked(among, rule).select(list(rule.uncapped)).group_by(list(rule.uncapped)).aggregate([])


def _marked(among: pa.Table, rule: Rule) -> pa.Table:
    """The prepared records that stand in a hot block of a rule with a cap."""
    if rule.cap is None:
        raise Fault(f"The rule {rule.name!r} has no cap.")
    return among.filter(pc.invert(pc.fill_null(pc.equal(among[rule.cap.column], ""), False)))


def _capped(prepared: pa.Table, rule: Rule, hot: pa.Table) -> pa.Array | pa.ChunkedArray:
    """Empty where the record's block is no hot one, else the value of the column that the cap names."""
    if rule.cap is None or not hot.num_rows:
        return pa.repeat("", prepared.num_rows)
    columns = ", ".join(rule.uncapped)
    sql = f"""SELECT CASE WHEN hot.is_hot THEN {rule.cap.then} ELSE '' END AS cap
              FROM t LEFT JOIN (SELECT {columns}, true AS is_hot FROM hot) hot USING ({columns}) ORDER BY {ID}"""
    wanted = list(dict.fromkeys([ID, *rule.uncapped, rule.cap.then]))
    return query(sql, {"t": prepared.select(wanted), "hot": hot})["cap"]


def check_columns(records: pa.Table) -> None:
    """Fault when a standardised column is missing."""
    missing = [name for name in STANDARD_COLUMNS if name not in records.column_names]
    if missing:
        raise Fault(
            f"The identifiers to link lack the columns {', '.join(missing)}. They were written by another version; "
            "load the extracts again."
        )


def check_ids(prepared: pa.Table) -> None:
    """Fault when a source holds one record_id twice."""
    twice = "SELECT source FROM t GROUP BY source, record_id HAVING count(*) > 1"
    sql = f"SELECT DISTINCT source FROM ({twice}) ORDER BY source"
    repeated = query(sql, {"t": prepared.select(["source", "record_id"])}).column("source").to_pylist()
    if repeated:
        raise Fault(
            f"Some record_id occur more than once in {', '.join(repeated)}. Each must name one record; "
            "load the extract again with a key that does."
        )


def _nicknames(specification: Specification) -> pa.Table:
    names = sorted(specification.nicknames)
    classes = [specification.nicknames[name] for name in names]
    return pa.table({"nickname": pa.array(names, pa.string()), "forename_class": pa.array(classes, pa.string())})
