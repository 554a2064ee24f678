"""What speaks against two records being in one cluster (METHODS 1), found before anything is joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
from sqlglot import exp

from counterfoil.linkage import joining
from counterfoil.linkage.core.cells import dictionary
from counterfoil.linkage.core.reader import combine
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.specification import Births, Evidence, Guards, Known, SameDay
from counterfoil.warehouse import query, read_table

Labels = npt.NDArray[np.int64]
Pairs = npt.NDArray[np.int64]  # (n, 2) record numbers
Held = dict[str, pa.Table | None]  # tables of link evidence that were read, None for those that are not there

MOST_AT_ONE_ADDRESS = 200  # records of one cluster with one surname, birth date and address; more are no twins


@dataclass(frozen=True, slots=True)
class Apart:
    """Pairs of records that may not be one person: shape (n, 2), and a number of `joining` for why each."""

    pairs: Pairs
    reason: npt.NDArray[np.int8]

    @staticmethod
    def of(pairs: Pairs, reason: int) -> Apart:
        """All for one reason."""
        return Apart(pairs, np.full(len(pairs), reason, dtype=np.int8))

    @staticmethod
    def together(parts: Sequence[Apart]) -> Apart:
        """All of several."""
        none = np.empty((0, 2), dtype=np.int64)
        return Apart(
            np.concatenate([none, *(part.pairs for part in parts)]),
            np.concatenate([np.empty(0, dtype=np.int8), *(part.reason for part in parts)]),
        )


@dataclass(frozen=True, slots=True)
class Guarded:
    """One column whose values tell people apart: a number for each record's value, `NOTHING` where it has none."""

    codes: npt.NDArray[np.int32]
    are_dates: bool


def guarded_columns(prepared: pa.Table, guards: Guards) -> tuple[Guarded, ...]:
    """The unique identifiers, then sure birth dates."""
    found = [Guarded(_codes(prepared.column(column)), are_dates=False) for column in guards.unique]
    if guards.births is not None:
        found.append(Guarded(_dates(prepared, guards.births), are_dates=True))
    return tuple(found)


def _codes(column: pa.ChunkedArray) -> npt.NDArray[np.int32]:
    indices = column.combine_chunks().dictionary_encode().indices
    found: npt.NDArray[np.int32] = indices.fill_null(joining.NOTHING).to_numpy(zero_copy_only=False).astype(np.int32)
    return found


def _dates(prepared: pa.Table, births: Births) -> npt.NDArray[np.int32]:
    """Sure birth dates as YYYYMMDD."""
    date, unsure = prepared.column(births.column), prepared.column(births.unsure)
    sure = pc.and_(pc.is_valid(date), pc.invert(pc.fill_null(unsure, False)))
    day, month, year = pc.day(date), pc.month(date), pc.year(date)
    text = pc.add(pc.add(pc.multiply(year, 10000), pc.multiply(month, 100)), day)
    held = pc.fill_null(pc.if_else(sure, text, joining.NOTHING), joining.NOTHING)
    found: npt.NDArray[np.int32] = held.to_numpy().astype(np.int32)
    return found


def find_twins(prepared: pa.Table, together: Labels, guards: Guards) -> Apart:
    """Pairs of one component that are twins and not one person.

    Forenames that the rest of the component shows to be one person's make no twins.
    """
    known = _known_names(guards.twins_known) if guards.twins_known else ""
    sql = f"""WITH twins AS MATERIALIZED (
                  SELECT l.{ID} AS l, r.{ID} AS r, l.together, {_names_of(guards.twins_known)}
                  FROM home l JOIN home r USING (together, address)
                  WHERE l.{ID} < r.{ID} AND ({guards.twins_differ}))
              SELECT l, r FROM twins {known} ORDER BY 1, 2"""
    return Apart.of(_pairs(query(sql, {"home": _homes(prepared, together, guards)})), joining.TWINS)


def _homes(prepared: pa.Table, together: Labels, guards: Guards) -> pa.Table:
    """The records of components that may hold twins, with `together` and the number of their `address`.

    Of one address are records of one component that agree on what twins share. Where all at each address agree on what
    twins differ in, as is nearly everywhere, there are none.
    """
    rows = np.flatnonzero(np.bincount(together, minlength=together.size)[together] > 1)
    for column in guards.twins_same:
        rows = rows[prepared[column].is_valid().to_numpy()[rows]]
    for column in _that_differ(guards.twins_differ, prepared.column_names):  # few components hold several values
        several = _have_several(together[rows], _numbers(prepared[column], rows), together.size)
        rows = rows[several[together[rows]]]
    coded = [_numbers(prepared[column], rows) for column in guards.twins_same]
    address = _combined([together[rows], *coded])
    size = np.bincount(address, minlength=1)
    usual = (size >= 2) & (size <= MOST_AT_ONE_ADDRESS)
    may = usual.copy()
    for column in _that_differ(guards.twins_differ, prepared.column_names):
        may &= _have_several(address, _numbers(prepared[column], rows), size.size)
    wanted = np.zeros(together.size, dtype=np.bool_)
    wanted[together[rows[may[address]]]] = True
    shown = wanted[together[rows]] & usual[address]
    home = prepared.take(pa.array(rows[shown])).append_column("together", pa.array(together[rows[shown]]))
    return home.append_column("address", pa.array(address[shown]))


def _numbers(column: pa.ChunkedArray, rows: Labels) -> npt.NDArray[np.int32]:
    """The number of the value of some rows, below 0 for none."""
    codes, _ = dictionary(column.take(pa.array(rows)))
    return codes - 1


def _combined(codes: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.int32]:
    """The number of each row's combination."""
    if not len(codes[0]):
        return np.empty(0, dtype=np.int32)
    return combine(codes, [int(each.max()) + 1 for each in codes])[0]


def _that_differ(condition: str, columns: Sequence[str]) -> list[str]:
    """The columns in which two records that meet the condition have different values, so far as that is plain."""
    whole = sqlglot.parse_one(condition, dialect="duckdb")
    parts = whole.flatten() if isinstance(whole, exp.And) else [whole]
    return [
        part.this.name
        for part in parts
        if isinstance(part, exp.NEQ)
        and all(isinstance(side, exp.Column) for side in (part.this, part.expression))
        and part.this.name == part.expression.name
        and part.this.name in columns
    ]


def _have_several(groups: npt.NDArray[Any], codes: npt.NDArray[np.int32], count: int) -> npt.NDArray[np.bool_]:
    """For each group whether its members hold several values; below 0 is none."""
    one = np.full(count, joining.NOTHING, dtype=np.int64)
    held = codes >= 0
    one[groups[held]] = codes[held]
    found = np.zeros(count, dtype=np.bool_)
    found[groups[held][codes[held] != one[groups[held]]]] = True
    return found


def _names_of(known: Known | None) -> str:
    return f"l.{known.name} AS l_name, r.{known.name} AS r_name" if known else "NULL AS l_name, NULL AS r_name"


def _known_names(known: Known) -> str:
    """What leaves out of `twins` the pairs whose two names are one person's: on one record, or with one number."""
    both = f"""SELECT together, a.name AS one, b.name AS other
               FROM (SELECT together, list_distinct(list_append(coalesce({known.names}, []), {known.name})) AS names
                     FROM home) h, unnest(h.names) AS a(name), unnest(h.names) AS b(name) WHERE a.name <> b.name"""
    shared = []
    for number in known.numbers:
        held = (
            f"(SELECT DISTINCT together, {known.name} AS name, {number} AS number FROM home WHERE {number} IS NOT NULL)"
        )
        shared.append(f"""SELECT l.together, l.name, r.name FROM {held} l JOIN {held} r
                          ON l.together = r.together AND l.number = r.number WHERE l.name <> r.name""")
    of_one = " UNION ".join([both, *shared])
    return f"""ANTI JOIN ({of_one}) one_person
               ON twins.together = one_person.together AND l_name = one AND r_name = other"""


def _linked(prepared: pa.Table, together: Labels) -> pa.Table:
    """The records that are with another, and `together`."""
    many = np.bincount(together, minlength=together.size)[together] > 1
    return prepared.append_column("together", pa.array(together)).filter(pa.array(many))


def _pairs(found: pa.Table) -> Pairs:
    return np.column_stack([found["l"].to_numpy(), found["r"].to_numpy()]).astype(np.int64)


def broken(together: Labels, columns: Sequence[Guarded], apart: Apart, largest: int) -> npt.NDArray[np.bool_]:
    """For each record whether its component breaks a guard."""
    found = np.zeros(together.size, dtype=np.bool_)
    found[np.flatnonzero(np.bincount(together, minlength=together.size) > largest)] = True
    inside = together[apart.pairs[:, 0]] == together[apart.pairs[:, 1]]
    found[together[apart.pairs[inside, 0]]] = True
    for column in columns:
        found |= _have_several(together, column.codes, together.size)
    return found[together]


def read_evidence(rules: Sequence[SameDay], extracts: Mapping[str, Path]) -> Held:
    """The tables of link evidence that some rules want, each read once."""
    wanted = {repr(each): each for rule in rules for each in (rule.stays, rule.days)}
    return {key: _evidence(each, extracts) for key, each in wanted.items()}


def find_same_day(prepared: pa.Table, together: Labels, rule: SameDay, held: Held) -> Pairs:
    """Pairs of one component: a record kept in one place on a day on which the other was in another.

    Needs both tables of link evidence, which `read_evidence` gives; sources that are not loaded, or that hold none,
    give no pair.
    """
    tables = {side: held[repr(each)] for side, each in (("stays", rule.stays), ("days", rule.days))}
    if any(table is None for table in tables.values()):
        return np.empty((0, 2), dtype=np.int64)
    where = "true"
    if "place" in rule.stays.columns and "place" in rule.days.columns:
        where = "coalesce(s.place <> d.place, true)"
    people = _linked(prepared.select([ID, "source", "record_id"]), together)
    sql = f"""WITH s AS (SELECT t.{ID} AS id, together, stays.* FROM stays JOIN t
                         ON t.source = '{rule.stays.source}' AND t.record_id = stays.record),
                   d AS (SELECT t.{ID} AS id, together, days.* FROM days JOIN t
                         ON t.source = '{rule.days.source}' AND t.record_id = days.record)
              SELECT DISTINCT least(s.id, d.id) AS l, greatest(s.id, d.id) AS r FROM s JOIN d USING (together)
              WHERE d.day > s.start AND (s.finish IS NULL OR d.day < s.finish) AND {where} AND s.id <> d.id
              ORDER BY 1, 2"""
    return _pairs(query(sql, {"t": people} | {name: table for name, table in tables.items() if table is not None}))


def _evidence(evidence: Evidence, extracts: Mapping[str, Path]) -> pa.Table | None:
    path = extracts.get(evidence.source)
    file = None if path is None else path / f"{evidence.table}.parquet"
    if file is None or not file.is_file():
        return None
    names = ", ".join(f"{column} AS {name}" for name, column in {"record": evidence.record, **evidence.columns}.items())
    return query(f"SELECT {names} FROM t WHERE {evidence.where} ORDER BY ALL", {"t": read_table(file)})
