"""The covariates of one evaluation, beside the register's own: shares of other departments, the lab's own risk score,
and needs from assessments for those who have them.

Everything here is of before the index date. No outcome of anyone who is compared is opened.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from counterfoil.cohort.register import RegisterPaths
from counterfoil.cohort.select import Selected
from counterfoil.cohort.shares import share_covariates
from counterfoil.lab.paths import LabPaths
from counterfoil.study.comparison_plan import RISK_SCORE
from counterfoil.study.risk_score import RiskScore

INDEX_EVENT = "index_event_id"
ASSESSED = "assessed_days_before"
DAYS_A_MONTH = 30.4375
MONTHS_BEFORE = 12  # how long before the index date the register's history_before ends


@dataclass(frozen=True, slots=True)
class Needs:
    """What assessments say of everyone who is compared, row by row; null for those who have none recent enough."""

    table: pa.Table
    assessed: npt.NDArray[np.bool_]

    @property
    def covariates(self) -> tuple[str, ...]:
        """The names of the needs."""
        return tuple(self.table.column_names)


def everyone_of(selected: Selected) -> pa.Table:
    """The people and those who applied in one table, with `group`."""
    people = selected.people.append_column("group", pa.nulls(selected.people.num_rows, pa.string()))
    return pa.concat_tables([people, selected.applied.select(people.column_names)])


def add_shares(selected: Selected, names: Sequence[str], paths: LabPaths, *, today: dt.date, domain: str) -> Selected:
    """`selected` with each share's covariates, for the people and for those who applied.

    Who is not linked to a share has `NAME_known` false and its other columns "no" or 0: not known is one level of its
    own, which the model and the balance table see once and not in every column. Refused when a gateway is closed.
    """
    for name in names:
        everyone = pa.concat_tables([selected.people, selected.applied.select(selected.people.column_names)])
        asked = everyone.select([INDEX_EVENT, "index_date"]).append_column(
            "register_key", selected.keys["register_key"]
        )
        found = share_covariates(paths, name, asked, today=today, domain=domain)
        rows = _rows_of(everyone[INDEX_EVENT], found[INDEX_EVENT])
        known = found[f"{name}_known"].take(rows)
        columns = {c: _where_known(found[c].take(rows), known) for c in found.column_names if c != INDEX_EVENT}
        selected = _with_columns(selected, columns)
    return selected


def add_risk_score(selected: Selected, score: RiskScore) -> Selected:
    """`selected` with the score as a covariate: a probability, 0 to 1."""
    values = [pa.array(score.score.of(table)) for table in (selected.people, selected.applied)]
    return _with_columns(selected, {RISK_SCORE: pa.chunked_array(values)})


def read_needs(people: pa.Table, register: RegisterPaths, months: int) -> Needs | None:
    """The needs of `people`, from assessments completed within so many months before the index date and never on it.

    None where the register holds no assessments.
    """
    if not register.needs.is_file():
        return None
    held = pq.read_table(register.needs)
    held = held.filter(pc.less_equal(held[ASSESSED], int(months * DAYS_A_MONTH)))
    rows = _rows_of(people[INDEX_EVENT], held[INDEX_EVENT])
    table = held.drop_columns([INDEX_EVENT, ASSESSED]).take(rows)
    return Needs(table, np.asarray(rows.is_valid().to_numpy(zero_copy_only=False), dtype=np.bool_))


def read_history_before(people: pa.Table, register: RegisterPaths, months: int) -> pa.Table | None:
    """What was known of `people` a year before their index dates, row by row.

    None where the negative control looks further back than that (`months`), and in a register that was made without it.
    """
    if months > MONTHS_BEFORE or not register.history_before.is_file():
        return None
    held = pq.read_table(register.history_before)
    return held.drop_columns([INDEX_EVENT]).take(_rows_of(people[INDEX_EVENT], held[INDEX_EVENT]))


def _rows_of(asked: pa.ChunkedArray, held: pa.ChunkedArray) -> pa.Array:
    """For each id asked its row among those held (rising, each once); null where it is not held."""
    ids, wanted = np.asarray(held.to_numpy()), np.asarray(asked.to_numpy())
    place = np.searchsorted(ids, wanted)
    found = place < ids.size
    found[found] = ids[place[found]] == wanted[found]
    return pa.array(place, pa.int64(), mask=~found)


def _where_known(column: pa.ChunkedArray, known: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column, with "no" or 0 for people who are not known to the share; text stays missing."""
    if pa.types.is_string(column.type):
        return column
    return pc.if_else(known, column, pa.scalar(False if pa.types.is_boolean(column.type) else 0, column.type))


def _with_columns(selected: Selected, columns: dict[str, pa.ChunkedArray]) -> Selected:
    """Columns whose rows are those of the people and then of those who applied."""
    people, applied = selected.people, selected.applied
    first = people.num_rows
    for name, values in columns.items():
        people = people.append_column(name, values.slice(0, first))
        applied = applied.append_column(name, values.slice(first))
    return replace(selected, people=people, applied=applied, covariates=(*selected.covariates, *columns))
