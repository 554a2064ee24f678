"""Laws of names, dates and whole tables of people."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.records.dates import OLDEST_AGE, DateOrder, DateRole, parse_dates
from counterfoil.records.names import NameField, standardise_name
from counterfoil.records.standardise import STANDARD_COLUMNS, PersonColumn, standardise_people
from counterfoil.records.standardise_one import standardise_person
from counterfoil.records.standins import KNOWN_STANDINS

TODAY = dt.date(2026, 1, 31)
fields = st.sampled_from(NameField)
letters = st.sampled_from([*"abzéßØłđ'’- .,()_/1", "Mc ", "van ", "O'", "Mr ", "\u202e", "\u0301", "م", "ж"])
names = st.one_of(st.text(max_size=12), st.lists(letters, max_size=10).map("".join))
births = st.dates(dt.date(1930, 1, 1), dt.date(2015, 1, 1)).filter(lambda day: day not in KNOWN_STANDINS)


@given(names, fields)
def test_a_standard_name_is_its_own_standard(raw: str, field: NameField) -> None:
    standard = standardise_name(raw, field).standard
    assert standard is None or standardise_name(standard, field).standard == standard


@given(names, fields)
def test_a_standard_name_is_letters_and_the_parts_make_it_up(raw: str, field: NameField) -> None:
    found = standardise_name(raw, field)
    assert (found.standard or "") == "".join(found.parts)
    assert all(part and not any(c.isspace() or c in "-'’()" for c in part) for part in found.parts)


@given(names, fields)
def test_case_and_blanks_around_change_nothing(raw: str, field: NameField) -> None:
    plain = standardise_name(raw, field).standard
    assert standardise_name(f"  {raw}\u00a0", field).standard == plain


@given(st.lists(births, min_size=1, max_size=20), st.sampled_from(["%d/%m/%Y", "%d.%m.%Y", "%-d %B %Y", "%Y-%m-%d"]))
def test_what_is_written_day_first_is_read_back(days: list[dt.date], form: str) -> None:
    read = parse_dates([day.strftime(form) for day in days], today=TODAY, role=DateRole.BIRTH)
    assert [cell.value for cell in read] == days


@given(st.lists(births, min_size=1, max_size=20))
def test_what_is_confirmed_month_first_is_read_back(days: list[dt.date]) -> None:
    texts = [day.strftime("%m/%d/%Y") for day in days]
    read = parse_dates(texts, today=TODAY, role=DateRole.BIRTH, order=DateOrder.MONTH_FIRST)
    assert [cell.value for cell in read] == days


@given(births)
def test_a_serial_is_read_back(day: dt.date) -> None:
    serial = (day - dt.date(1899, 12, 30)).days
    assert parse_dates([str(serial)], today=TODAY, role=DateRole.BIRTH)[0].value == day


people = st.lists(
    st.fixed_dictionaries(
        {
            "record_id": st.text("ABC123", min_size=1, max_size=4),
            "forename1": st.one_of(st.none(), names),
            "surname": st.one_of(st.none(), names),
            "aliases": st.one_of(st.none(), names),
            "date_of_birth": st.one_of(st.none(), births),
            "sex": st.sampled_from([None, "1", "2", "0", "M", "f"]),
            "postcode": st.sampled_from([None, "m1 1ae", "ZZ99 3VZ", "?"]),
            "pnc_id": st.sampled_from([None, "1978/9912345Z", "78/9912345z", "1978/9912345A"]),
        }
    ),
    min_size=1,
    max_size=8,
)
KINDS = {name: pa.date32() if name == "date_of_birth" else pa.string() for name in (
    *("record_id", "forename1", "surname", "aliases", "date_of_birth", "sex", "postcode", "pnc_id"),
)}  # fmt: skip


@settings(max_examples=10, deadline=None)  # a DuckDB connection for each table
@given(people)
def test_a_table_is_its_rows_one_by_one(rows: list[dict[str, object]]) -> None:
    schema = pa.schema(KINDS)
    whole = standardise_people(pa.Table.from_pylist(rows, schema), source="s", today=TODAY)
    alone = [
        standardise_people(pa.Table.from_pylist([row], schema), source="s", today=TODAY).to_pylist()[0] for row in rows
    ]
    assert whole.to_pylist() == alone
    assert whole.column_names == [*KINDS, "source", *STANDARD_COLUMNS]
    assert [whole.schema.field(name).type for name in STANDARD_COLUMNS] == list(STANDARD_COLUMNS.values())


@settings(max_examples=10, deadline=None)
@given(people)
def test_few_people_are_standardised_as_many_are(rows: list[dict[str, object]]) -> None:
    """A search does without a database what a delivery does in one."""
    table = pa.Table.from_pylist(rows, pa.schema(KINDS))
    few = standardise_people(table, source="s", today=TODAY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("counterfoil.records.standardise._FEW", 0)
        assert standardise_people(table, source="s", today=TODAY).equals(few)


@settings(max_examples=200, deadline=None)
@given(people)
def test_one_person_is_standardised_as_a_table_of_one(rows: list[dict[str, object]]) -> None:
    """A search does without a table what a delivery does in one."""
    row = rows[0] | {"forename2": rows[-1]["forename1"], "prison_number": rows[-1]["pnc_id"], "cro": "123456/78x"}
    schema = pa.schema({**KINDS, **dict.fromkeys(("forename2", "prison_number", "cro"), pa.string())})
    table = standardise_people(pa.Table.from_pylist([row], schema), source="s", today=TODAY, standins=frozenset())
    known = {PersonColumn(name): value for name, value in row.items() if name != "record_id"}
    assert standardise_person(known, today=TODAY) == table.select(list(STANDARD_COLUMNS)).to_pylist()[0]


@pytest.mark.parametrize("birth", [*sorted(KNOWN_STANDINS), TODAY, TODAY + dt.timedelta(1), *(
    dt.date(TODAY.year - OLDEST_AGE, 1, 1) - dt.timedelta(days) for days in (0, 1)
)])  # fmt: skip
def test_one_birth_date_is_kept_as_a_column_of_one(birth: dt.date) -> None:
    table = pa.table({"date_of_birth": pa.array([birth], pa.date32())})
    row = standardise_people(table, source="s", today=TODAY, standins=frozenset()).to_pylist()[0]
    found = standardise_person({PersonColumn.DATE_OF_BIRTH: birth}, today=TODAY)
    assert (found["dob"], found["dob_is_1jan"]) == (row["dob"], row["dob_is_1jan"])
