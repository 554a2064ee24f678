"""A table of people, standardised: the columns that every source and every cohort share."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa

from counterfoil.records.standardise import STANDARD_COLUMNS, standardise_people

TODAY = dt.date(2024, 6, 1)


def one(**raw: object) -> dict[str, object]:
    """The standard columns of one person."""
    columns = {
        name: pa.array([value], pa.date32() if name == "date_of_birth" else pa.string()) for name, value in raw.items()
    }
    row: dict[str, object] = standardise_people(pa.table(columns), source="pnc", today=TODAY).to_pylist()[0]
    return row


def test_one_person_drawn_out() -> None:
    found = one(
        record_id="P1",
        forename1="Mary-Ann (Polly)",
        forename2="J. Rose",
        surname="O’Brien Smith",
        aliases="MARY BROWN; Unknown",
        date_of_birth=dt.date(1980, 1, 1),
        sex="F",
        postcode="m1 1ae",
        pnc_id="78/9912345z",
        cro="65656/91H",
        prison_number="a1234bc",
        crn="X12345",
    )
    assert {name: found[name] for name in STANDARD_COLUMNS} == {
        "forename1_std": "MARYANN",
        "forename_parts": ["MARY", "ANN", "J", "ROSE"],
        "surname_std": "OBRIENSMITH",
        "surname_parts": ["OBRIEN", "SMITH"],
        "full_parts_sorted": "ANN MARY OBRIEN ROSE SMITH",  # without the middle initial
        "alias_names": ["MARY BROWN", "POLLY OBRIENSMITH"],
        "dob": dt.date(1980, 1, 1),
        "dob_is_1jan": True,
        "sex_std": "2",
        "postcode_std": "M11AE",
        "outcode": "M1",
        "pnc_std": "1978/9912345Z",
        "cro_std": "065656/91H",
        "prison_number_std": "A1234BC",
        "crn_std": None,
    }
    assert (found["source"], found["forename1"], found["pnc_id"]) == ("pnc", "Mary-Ann (Polly)", "78/9912345z")


def test_what_is_missing_is_null() -> None:
    found = one(
        record_id="P1", forename1="Unknown", surname="-", aliases="", date_of_birth=None, sex="0", postcode="NFA"
    )
    assert {found[name] for name in STANDARD_COLUMNS} == {None}


def test_a_maiden_name_in_brackets_is_an_alias() -> None:
    assert one(record_id="P1", forename1="Ann", surname="Smith (née Jones)")["alias_names"] == ["ANN JONES"]


def test_standins_the_future_and_great_ages_are_missing() -> None:
    days = [
        dt.date(1900, 1, 1),
        dt.date(1970, 1, 1),
        TODAY + dt.timedelta(days=1),
        dt.date(1890, 5, 5),
        dt.date(1950, 5, 5),
    ]
    table = pa.table({"record_id": [str(i) for i in range(5)], "date_of_birth": pa.array(days, pa.date32())})
    found = standardise_people(table, source="pnc", today=TODAY)
    assert found["dob"].to_pylist() == [None, None, None, None, dt.date(1950, 5, 5)]
    assert found["dob_is_1jan"].to_pylist() == [None, None, None, None, False]
    assert found["date_of_birth"].to_pylist() == days


def test_given_standins_take_the_place_of_those_found() -> None:
    day = dt.date(1985, 7, 4)
    table = pa.table({"record_id": [str(i) for i in range(20)], "date_of_birth": pa.array([day] * 20, pa.date32())})
    assert standardise_people(table, source="p", today=TODAY)["dob"].null_count == 20
    assert standardise_people(table, source="p", today=TODAY, standins=frozenset())["dob"].null_count == 0


def test_no_people_give_the_same_columns() -> None:
    table = pa.table({"record_id": pa.array([], pa.string()), "surname": pa.array([], pa.string())})
    found = standardise_people(table, source="p", today=TODAY)
    assert found.num_rows == 0
    assert found.column_names == ["record_id", "surname", "source", *STANDARD_COLUMNS]
