"""Records of people for the linkage benchmarks: made up, skewed and dirty as real lists are, of any number.

Surnames and forenames are skewed with a long tail; people live in households and share surnames and postcodes there;
some are twins, some have a parent's name. A person has one to eight records. In these, letters are dropped, changed
and swapped, nicknames and other surnames are used, day and month change places, unknown birthdays are put on 1
January, institutions' postcodes stand for homes, and three PNC numbers in ten are missing. The rates are ours: read F1
as a comparison of programs on the same records, not as a promise. The same number and seed give the same records.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

Integers = npt.NDArray[np.int64]

PEOPLE_A_RECORD = 0.514
BATCH = 1_000_000  # records a part
_FIRST_BIRTH, _LAST_BIRTH = -7_305, 12_418  # days from 1970: 1950 to 2003
_FORENAMES, _SURNAMES = 4_000, 90_000
_POSTCODES_A_PERSON = 0.45
_INSTITUTIONS = 150
_RECORDS_A_PERSON = (0.52, 0.24, 0.11, 0.06, 0.035, 0.02, 0.01, 0.005)  # 1 to 8 records
_ONSETS = "b c d f g h j k l m n p r s t w br cr dr fr gr pr tr st sh ch th cl bl pl gl sl w"
_VOWELS = "a e i o u ai ea oo ee ou"
_CODAS = "n r l t s m d ck rd nd ll ss th ng rt lt y"
_FORENAME_ENDS = "a e ie y o on an en in el a ette ah us is"
_SURNAME_ENDS = "son ton ley ham ford worth well field man bridge wood by er s ing"

COLUMNS = ("first_name", "surname", "dob", "postcode", "pnc_id")
LOOSE_RULES = (
    "l.pnc_id = r.pnc_id",
    "l.dob = r.dob",
    "l.first_name = r.first_name and l.surname = r.surname",
    "l.postcode = r.postcode and l.surname = r.surname",
    "l.surname = r.surname and substr(l.dob, 1, 4) = substr(r.dob, 1, 4)",
)
TRAINING_RULES = ("l.dob = r.dob", "l.first_name = r.first_name and l.surname = r.surname")
PRIOR_RULES = ("l.pnc_id = r.pnc_id", "l.first_name = r.first_name and l.surname = r.surname and l.dob = r.dob")
PRIOR_RECALL = 0.8
EXACT_KEYS = (
    "pnc_id",
    "first_name, surname, dob",
    "first_name, dob, postcode",
    "surname, dob, postcode",
    "first_name, surname, postcode",
)


def make(path: Path, records: int, seed: int = 1) -> Path:
    """Write a Parquet file of `records` rows: unique_id (int64), the five COLUMNS (strings) and person (int64)."""
    rng = np.random.default_rng([seed, records])
    people = _people(rng, max(2, round(records * PEOPLE_A_RECORD)))
    holder = _holders(rng, people.num_rows, records)
    partial = path.with_suffix(".partial")
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1; SET preserve_insertion_order = true; SET enable_progress_bar = false")
        connection.register("people", people)
        connection.execute("CREATE TABLE person AS SELECT * FROM people ORDER BY person")
        parts = [_part(connection, rng, holder[at : at + BATCH], at) for at in range(0, records, BATCH)]
        table = pa.concat_tables(parts)
        connection.register("made", table)
        connection.execute(f"COPY made TO '{partial}' (FORMAT parquet)")
    partial.replace(path)
    return path


def _people(rng: np.random.Generator, count: int) -> pa.Table:
    """One row a person, in households of one to four."""
    home = np.cumsum(rng.random(count) < 0.55)  # a household begins
    homes = int(home[-1]) + 1
    family = _skewed(rng, homes, _SURNAMES, 15.0, 1.08)[home]
    other = rng.random(count) < 0.2
    surname = np.where(other, _skewed(rng, count, _SURNAMES, 15.0, 1.08), family)
    first = _skewed(rng, count, _FORENAMES, 9.0, 1.18)
    born = rng.integers(_FIRST_BIRTH, _LAST_BIRTH, count)
    again = np.flatnonzero(rng.random(count) < 0.03)[1:]  # like the one before: twins (birth), or a parent's name
    twin = rng.random(len(again)) < 0.4
    born[again[twin]] = born[again[twin] - 1]
    first[again[~twin]], surname[again[~twin]] = first[again[~twin] - 1], surname[again[~twin] - 1]
    postcode = rng.integers(0, max(1, round(count * _POSTCODES_A_PERSON)), homes)[home]
    return pa.table(
        {
            "person": np.arange(count),
            "first_name": _names(_FORENAMES, _FORENAME_ENDS).take(pa.array(first)),
            "surname": _names(_SURNAMES, _SURNAME_ENDS).take(pa.array(surname)),
            "maiden": _names(_SURNAMES, _SURNAME_ENDS).take(pa.array(_skewed(rng, count, _SURNAMES, 15.0, 1.08))),
            "born": pa.array(born.astype(np.int32)).cast(pa.date32()),
            "postcode": pa.array(postcode),
            "serial": pa.array(rng.permutation(count)),
        }
    )


def _skewed(rng: np.random.Generator, count: int, kinds: int, shift: float, power: float) -> Integers:
    """Draws of 0 to kinds - 1, of which the first are much commoner: weights 1 / (rank + shift) ** power."""
    weight = 1 / (np.arange(kinds) + shift) ** power
    drawn: Integers = np.searchsorted(np.cumsum(weight / weight.sum()), rng.random(count), side="right").clip(
        0, kinds - 1
    )
    return drawn


def _names(count: int, endings: str) -> pa.Array:
    """Different made-up names, upper case; the commonest are short."""
    stems = [o + v + c for o in _ONSETS.split() for v in _VOWELS.split() for c in _CODAS.split()]
    order = np.random.default_rng(7).permutation(len(stems)).tolist()
    found = dict.fromkeys(stems[i].upper() for i in order[: count // 20])
    for end in endings.split():
        found |= dict.fromkeys((stems[i] + end).upper() for i in order)
    for end in endings.split():
        found |= dict.fromkeys((stems[i] + stems[i - 1][:3] + end).upper() for i in order)
    return pa.array(list(found)[:count])


def _holders(rng: np.random.Generator, people: int, records: int) -> Integers:
    """Whose each record is: person numbers in random order."""
    each = 1 + rng.choice(len(_RECORDS_A_PERSON), people, p=_RECORDS_A_PERSON)
    holder = np.repeat(np.arange(people), each)
    short = records - len(holder)
    if short > 0:
        holder = np.concatenate([holder, rng.integers(0, people, short)])
    return rng.permutation(holder)[:records]


def _part(connection: duckdb.DuckDBPyConnection, rng: np.random.Generator, holder: Integers, first: int) -> pa.Table:
    """Records `first` onwards, each with slips of its own. Every u.. is a number from 0 to 1 that decides one slip."""
    count = len(holder)
    draws = {f"u{i}": rng.random(count, dtype=np.float32) for i in range(9)}
    letters = {f"c{i}": pa.array(rng.integers(65, 91, count, dtype=np.int32)) for i in range(2)}
    places = {f"p{i}": pa.array(rng.integers(2, 8, count, dtype=np.int32)) for i in range(2)}
    whole = {"far": pa.array(rng.integers(0, 1_800_000, count)), "unique_id": pa.array(first + np.arange(count))}
    connection.register("drawn", pa.table({"person": pa.array(holder), **draws, **letters, **places, **whole}))
    return connection.sql(_RECORD_SQL).to_arrow_table()


def _slipped(name: str, chance: str, place: str, letter: str) -> str:
    """A letter is dropped, changed, or swapped with the next, in about one name of fourteen."""
    at = f"least({place}, length({name}))"
    return f"""CASE WHEN {chance} < 0.020 THEN substr({name}, 1, {at} - 1) || substr({name}, {at} + 1)
        WHEN {chance} < 0.050 THEN substr({name}, 1, {at} - 1) || chr({letter}) || substr({name}, {at} + 1)
        WHEN {chance} < 0.070 THEN substr({name}, 1, {at} - 1) || substr({name}, {at} + 1, 1)
            || substr({name}, {at}, 1) || substr({name}, {at} + 2)
        ELSE {name} END"""


_RECORD_SQL = f"""
    WITH said AS (
        SELECT d.*, p.born, p.serial, p.postcode AS home,
               CASE WHEN u0 < 0.05 THEN substr(first_name, 1, 3) WHEN u0 < 0.06 THEN maiden ELSE first_name END AS f,
               CASE WHEN u1 < 0.04 THEN maiden ELSE surname END AS s
        FROM drawn d JOIN person p USING (person))
    SELECT unique_id, person,
           CASE WHEN u2 > 0.01 THEN {_slipped("f", "u3", "p0", "c0")} END AS first_name,
           {_slipped("s", "u4", "p1", "c1")} AS surname,
           CASE WHEN u5 < 0.02 THEN NULL
                WHEN u5 < 0.04 THEN year(born)::VARCHAR || '-01-01'
                WHEN u5 < 0.05 AND day(born) <= 12 THEN strftime(born, '%Y-%d-%m')
                WHEN u5 < 0.07 THEN strftime(born + (1 + (p0 * 7) % 20)::INTEGER, '%Y-%m-%d')
                ELSE strftime(born, '%Y-%m-%d') END AS dob,
           CASE WHEN u6 < 0.08 THEN NULL
                WHEN u6 < 0.11 THEN 'HM' || (far % {_INSTITUTIONS} // 10 + 1) || (far % 10) || 'AA'
                ELSE chr((65 + place % 26)::INTEGER) || chr((65 + place // 26 % 26)::INTEGER) || (1 + place // 676 % 20)
                     || (place // 13520 % 10) || chr((65 + place // 135200 % 20)::INTEGER)
                     || chr((65 + place // 2704000 % 20)::INTEGER) END AS postcode,
           CASE WHEN u7 >= 0.3 THEN (1980 + serial % 40) || '/'
                || lpad(((serial * 7 + CASE WHEN u7 > 0.98 THEN 1 ELSE 0 END) % 10000000)::VARCHAR, 7, '0')
                || chr((65 + serial % 23)::INTEGER) END AS pnc_id
    FROM (SELECT *, CASE WHEN u8 < 0.25 THEN far ELSE home END AS place FROM said)
    ORDER BY unique_id"""


def model() -> dict[str, Any]:
    """The untrained model as a Splink 5 settings dictionary: names by Jaro-Winkler, the rest by one edit."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "blocking_rules_to_generate_predictions": list(LOOSE_RULES),
        "comparisons": [
            _comparison("first_name", _similar("first_name", 0.92, 0.88, 0.7), tf=True),
            _comparison("surname", _similar("surname", 0.92, 0.88, 0.7), tf=True),
            _comparison("dob", _near_dates(), tf=False),
            _comparison("postcode", [("one edit", 'levenshtein("postcode_l", "postcode_r") <= 1')], tf=False),
            _comparison("pnc_id", [("one edit", 'levenshtein("pnc_id_l", "pnc_id_r") <= 1')], tf=False),
        ],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
        "linker_uid": "benchmark",
    }


def _comparison(name: str, fuzzy: list[tuple[str, str]], *, tf: bool) -> dict[str, Any]:
    exact: dict[str, Any] = {"sql_condition": f'"{name}_l" = "{name}_r"', "label_for_charts": "same"}
    if tf:
        exact |= {"tf_adjustment_column": name, "tf_adjustment_weight": 1.0}
    missing = {
        "sql_condition": f'"{name}_l" IS NULL OR "{name}_r" IS NULL',
        "label_for_charts": "missing",
        "is_null_level": True,
    }
    levels = [{"sql_condition": sql, "label_for_charts": label} for label, sql in fuzzy]
    other = {"sql_condition": "ELSE", "label_for_charts": "other"}
    return {"output_column_name": name, "comparison_levels": [missing, exact, *levels, other]}


def _similar(name: str, *thresholds: float) -> list[tuple[str, str]]:
    call = f'jaro_winkler_similarity("{name}_l", "{name}_r")'
    return [(f"Jaro-Winkler {limit}", f"{call} >= {limit}") for limit in thresholds]


def _near_dates() -> list[tuple[str, str]]:
    seconds = "ABS(EPOCH(try_strptime(\"dob_l\", '%Y-%m-%d')) - EPOCH(try_strptime(\"dob_r\", '%Y-%m-%d')))"
    near = [("within a month", 2_629_800.0), ("within a year", 31_557_600.0), ("within ten years", 315_576_000.0)]
    edit = ("one edit", 'levenshtein("dob_l", "dob_r") <= 1')
    return [edit, *[(label, f"{seconds} <= {limit}") for label, limit in near]]


def save_model(path: Path, settings: dict[str, Any]) -> Path:
    """Write a settings dictionary as JSON."""
    path.write_text(json.dumps(settings, indent=1) + "\n", "utf-8")
    return path
