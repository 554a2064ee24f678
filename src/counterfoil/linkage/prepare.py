"""Standardised records to the table that is compared: whole-number ids, derived columns, and which blocks are hot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.errors import Fault
from counterfoil.linkage.blocking import orders_of
from counterfoil.linkage.core.cells import dictionary
from counterfoil.linkage.core.key_order import Order, RuleOrder
from counterfoil.linkage.core.one_row import Lookup, Parts
from counterfoil.linkage.core.order_merge import grown
from counterfoil.linkage.core.reader import columns_of
from counterfoil.linkage.core.sql import NotExpressible
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


@dataclass(frozen=True, slots=True)
class Earlier:
    """Records of a run before: for each its number now, -1 where it is gone or anything of it changed; and their order
    by some rules, by the rule's place. Records of hot blocks have no place in it: their keys are longer."""

    now: npt.NDArray[np.int64]
    orders: Mapping[int, RuleOrder]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Records ready to be compared, and their order by each rule of the specification."""

    table: pa.Table
    orders: tuple[RuleOrder, ...]


def prepare(
    records: pa.Table, specification: Specification, *, first_id: int = 0, hot: HotKeys | None = None
) -> pa.Table:
    """Standardised records ordered by (source, record_id), with `unique_id` from `first_id` and derived columns.

    A block is hot by its size in this table, or when its key is among `hot`: those of the records that a cohort is to
    be compared with (`known_hot_keys`).
    """
    if hot is None:
        return prepare_in_order(records, specification, first_id=first_id).table
    prepared = _with_derived(records, specification, first_id)
    for rule in specification.rules:
        if rule.cap is not None:
            prepared = prepared.append_column(rule.cap.column, _capped(prepared, rule, hot[rule.name]))
    return prepared


def prepare_in_order(
    records: pa.Table,
    specification: Specification,
    *,
    first_id: int = 0,
    earlier: Callable[[pa.Table], Earlier | None] = lambda _: None,
) -> Prepared:
    """`prepare`, where a block is hot by its size in this table; and the order by each rule, which tells the sizes.

    `earlier`: given the records with all but the columns of caps, those of the run before.
    """
    prepared = _with_derived(records, specification, first_id)
    known = earlier(prepared)
    for rule in specification.rules:
        if rule.cap is not None:  # as if no block were hot: the blocks are those of the rule without its cap
            prepared = prepared.append_column(rule.cap.column, pa.repeat("", prepared.num_rows))
    orders = _first_orders(prepared, specification.rules, known)
    cut = []
    for number, rule in enumerate(specification.rules):
        hot = None if rule.cap is None else _hot_among(prepared, rule, orders[number])
        if rule.cap is not None and hot is not None and hot.num_rows:
            at = prepared.column_names.index(rule.cap.column)
            prepared = prepared.set_column(at, rule.cap.column, _capped(prepared, rule, hot))
            cut.append(number)
    for number, order in zip(cut, orders_of(prepared, [specification.rules[n] for n in cut]), strict=True):
        orders[number] = order
    return Prepared(prepared, tuple(orders))


def _first_orders(prepared: pa.Table, rules: Sequence[Rule], earlier: Earlier | None) -> list[RuleOrder]:
    """The records' order by each rule; where the earlier one is known only other records are hashed and sorted."""
    if earlier is None:
        return list(orders_of(prepared, rules))
    held = sorted(earlier.orders)
    other = np.ones(prepared.num_rows, dtype=np.bool_)
    other[earlier.now[earlier.now >= 0]] = False
    rows = np.flatnonzero(other).astype(np.int32)
    more = _numbered(orders_of(prepared.take(pa.array(rows)), [rules[n] for n in held]), rows)
    with ThreadPoolExecutor(2) as pool:
        merged = pool.map(lambda number, own: grown(earlier.orders[number], earlier.now, own), held, more)
        found = dict(zip(held, merged, strict=True))
    rest = [number for number in range(len(rules)) if number not in found]
    found |= dict(zip(rest, orders_of(prepared, [rules[n] for n in rest]), strict=True))
    return [found[number] for number in range(len(rules))]


def _numbered(orders: Iterable[RuleOrder], rows: npt.NDArray[np.int32]) -> list[RuleOrder]:
    """Orders of some rows of a table, by the numbers of those rows."""
    found = []
    for order in orders:
        left = Order(order.left.hashes, rows[order.left.records])
        right = left if order.is_one else Order(order.right.hashes, rows[order.right.records])
        found.append(RuleOrder(left, right))
    return found


def _hot_among(prepared: pa.Table, rule: Rule, order: RuleOrder) -> pa.Table:
    """`_hot_keys` of the records whose block is large by the hash of its key."""
    rows = order.in_larger(rule.cap.records if rule.cap else 0)
    return _hot_keys(prepared.select(list(rule.uncapped)).take(pa.array(rows)), rule)


def _with_derived(records: pa.Table, specification: Specification, first_id: int) -> pa.Table:
    """The records in order, with their numbers and all that is worked out of each alone."""
    check_columns(records)
    ordered = _in_order(records.select(STANDARD_COLUMNS))
    check_ids(ordered)
    forename = ordered["forename1_std"].cast(pa.string())
    names = sorted(specification.nicknames)
    classes = pa.array([specification.nicknames[name] for name in names], pa.string())
    class_ = classes.take(pc.index_in(forename, value_set=pa.array(names, pa.string())).combine_chunks())
    derived = _derived(ordered.append_column("forename_class", class_), specification.derived)
    numbers = pa.array(np.arange(first_id, first_id + ordered.num_rows, dtype=np.int64))
    prepared = ordered.add_column(0, ID, numbers)
    prepared = prepared.append_column("forename_class", pc.coalesce(class_, forename.combine_chunks()))
    for name in specification.derived:
        prepared = prepared.append_column(name, derived[name])
    return prepared


def _in_order(records: pa.Table) -> pa.Table:
    """By source, then record_id; untouched where they are so already."""
    if is_in_order(records):
        return records.combine_chunks()
    own = records.select(["source", "record_id"]).append_column("row", pa.array(np.arange(records.num_rows)))
    order = query("SELECT row FROM t ORDER BY source, record_id, row", {"t": own})["row"]
    return records.combine_chunks().take(order.combine_chunks())


def is_in_order(records: pa.Table) -> bool:
    """Whether records stand by source, then record_id."""
    (before, after), (first, second) = (_neighbours(records, name) for name in ("source", "record_id"))
    same = pc.and_(pc.equal(before, after), pc.less_equal(first, second))
    return bool(pc.all(pc.or_(pc.less(before, after), same)).as_py() in (True, None))


def _neighbours(table: pa.Table, name: str) -> tuple[pa.Array, pa.Array]:
    """Every value but the last, and the one after each."""
    whole = table[name].combine_chunks()
    return whole.slice(0, max(len(whole) - 1, 0)), whole.slice(1)


def _derived(records: pa.Table, derived: Mapping[str, str]) -> Mapping[str, pa.Array | pa.ChunkedArray]:
    """Columns that DuckDB works out of each record; of one column alone, once for each of its values."""
    read = {name: _columns_read(sql) for name, sql in derived.items()}
    if any(column not in records.column_names for columns in read.values() for column in columns):
        return _evaluated(records, derived)  # one speaks of another
    found: dict[str, pa.Array | pa.ChunkedArray] = {}
    alone = {columns[0] for columns in read.values() if len(columns) == 1}
    for column in alone:
        if pa.types.is_nested(records.schema.field(column).type):
            continue
        codes, values = dictionary(records[column])
        own = {name: derived[name] for name, columns in read.items() if columns == (column,)}
        each = _evaluated(pa.table({column: values}), own)
        found |= {name: each[name].combine_chunks().take(pa.array(codes)) for name in own}
    rest = {name: sql for name, sql in derived.items() if name not in found}
    return found | (dict(_evaluated(records, rest)) if rest else {})


def _columns_read(sql: str) -> tuple[str, ...]:
    try:
        return columns_of(sql)
    except NotExpressible:
        return ("",)  # nobody knows


def _evaluated(records: pa.Table, expressions: Mapping[str, str]) -> Mapping[str, pa.ChunkedArray]:
    """What DuckDB makes of expressions, row by row in the order of the records."""
    asked = ", ".join(f"{sql} AS {name}" for name, sql in expressions.items())
    found = query(f"SELECT {asked} FROM records", {"records": records})
    return dict(zip(found.column_names, found.columns, strict=True))


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
        caps += f", CASE WHEN h{i}.is_hot THEN CAST(p.{rule.cap.then} AS VARCHAR) ELSE '' END AS {rule.cap.column}"
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
    return _marked(among, rule).group_by(list(rule.uncapped)).aggregate([])


def _marked(among: pa.Table, rule: Rule) -> pa.Table:
    """The uncapped keys of the prepared records that stand in a hot block of a rule with a cap."""
    if rule.cap is None:
        raise Fault(f"The rule {rule.name!r} has no cap.")
    hot = pc.invert(pc.fill_null(pc.equal(among[rule.cap.column], ""), False))
    return among.select(list(rule.uncapped)).filter(hot)


def _capped(prepared: pa.Table, rule: Rule, hot: pa.Table) -> pa.Array | pa.ChunkedArray:
    """Empty where the record's block is no hot one, else the value of the column that the cap names."""
    if rule.cap is None or not hot.num_rows:
        return pa.repeat("", prepared.num_rows)
    columns = ", ".join(rule.uncapped)
    sql = f"""SELECT CASE WHEN hot.is_hot THEN CAST({rule.cap.then} AS VARCHAR) ELSE '' END AS cap
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


def check_ids(ordered: pa.Table) -> None:
    """Fault when a source of records in order holds one record_id twice."""
    same = [pc.equal(*_neighbours(ordered, name)) for name in ("source", "record_id")]
    repeated = sorted(pc.unique(ordered["source"].combine_chunks().slice(1).filter(pc.and_(*same))).to_pylist())
    if repeated:
        raise Fault(
            f"Some record_id occur more than once in {', '.join(repeated)}. Each must name one record; "
            "load the extract again with a key that does."
        )
