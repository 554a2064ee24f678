"""However a delivery is spoilt, every row of it is kept, mended or refused, and is found again."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from counterfoil import domains
from counterfoil.records.cells import CheckContext
from counterfoil.records.rows import check_table
from lib.deliveries import DELIVERED, pnc_delivery, with_cells

ROWS = 12
TODAY = dt.date(2024, 6, 1)
DOMAIN = domains.load()
SCHEMA = DOMAIN.source("pnc")
CONTEXT = CheckContext(DOMAIN.codes, DELIVERED, TODAY)

texts = st.sampled_from(
    ["", " ", "P3", "1", "m", "2015-05-05", "05/06/2015", "31/02/2015", "theft", "THEFT ", "true", "é"]
)
cells = st.one_of(st.none(), texts, st.text(max_size=5))


@st.composite
def spoilt_tables(draw: st.DrawFn) -> tuple[str, pa.Table]:
    name = draw(st.sampled_from(sorted(SCHEMA.tables)))
    table = pnc_delivery(ROWS)[name]
    for column in draw(st.lists(st.sampled_from(table.column_names), max_size=4, unique=True)):
        rows = st.integers(0, table.num_rows - 1)
        text = draw(st.dictionaries(rows, cells, max_size=6))
        table = with_cells(table, column, {0: "", **text})
    return name, table


@given(spoilt_tables())
def test_rows_in_are_kept_mended_or_refused(spoilt: tuple[str, pa.Table]) -> None:
    name, table = spoilt
    parents = {} if name == "people" else {"record_id": pa.array([f"P{i}" for i in range(ROWS)])}
    checked = check_table(table, SCHEMA.tables[name], CONTEXT, parents)
    receipt = checked.receipt
    assert receipt.rows == table.num_rows == receipt.kept + receipt.mended + receipt.refused
    assert sum(receipt.mended_by.values()) == receipt.mended
    assert sum(receipt.refused_by.values()) == receipt.refused
    assert checked.accepted.num_rows == receipt.kept + receipt.mended
    assert checked.refused.num_rows == receipt.refused
    places = [place - 1 for place in checked.refused["row"].to_pylist()]
    assert checked.refused.select(table.column_names).equals(table.take(pa.array(places, pa.int64())))
    schema = SCHEMA.tables[name]
    assert all(checked.accepted[column.name].null_count == 0 for column in schema.columns.values() if column.required)
    assert len(set(checked.accepted[schema.key].to_pylist())) == checked.accepted.num_rows
