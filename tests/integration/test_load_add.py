"""`load --add`: new records are added to the extract that is there; every row is accounted for, on both sides alike."""

from __future__ import annotations

import datetime as dt
import itertools
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from counterfoil import domains
from counterfoil.domains import Domain
from counterfoil.errors import UsageError
from counterfoil.lab.make import OpenLab, make_lab, open_lab
from counterfoil.lab.paths import LabPaths
from counterfoil.linkage import build_spine
from counterfoil.linkage.keys import NewKey
from counterfoil.records import load as load_module
from counterfoil.records.load import IDENTIFIERS, RECEIPT, Intake, load
from counterfoil.records.receipt import Reason, Receipt, TableReceipt, read_receipt
from counterfoil.warehouse import read_table
from lib.deliveries import pnc_delivery, with_cells, write_parquet

FIRST, SECOND, THIRD = dt.date(2024, 1, 31), dt.date(2024, 2, 7), dt.date(2024, 2, 14)
TODAY = dt.date(2024, 6, 1)
PEOPLE, OLD = 50, 40  # of a whole delivery; of the one before the addition
CHILDREN = {"people": 1, "offences": 2, "disposals": 1}  # rows a person

Tables = Mapping[str, pa.Table]


def _load(tables: Tables, lab: Path, date: dt.date, intake: Intake = Intake.WHOLE, source: str = "pnc") -> Receipt:
    domain: Domain = domains.load()
    files = write_parquet(tables, lab.parent / f"delivered-{date}-{intake.value}")
    return load(
        files, domain.source(source), LabPaths(lab), delivery=date, codes=domain.codes, today=TODAY, intake=intake
    )


def _people(tables: Tables, first: int, last: int) -> dict[str, pa.Table]:
    """The rows of some people, by number."""
    return {
        name: table.slice(first * CHILDREN[name], (last - first) * CHILDREN[name]) for name, table in tables.items()
    }


def _of(receipt: Receipt, table: str) -> TableReceipt:
    return next(each for each in receipt.tables if each.table == table)


def _extract(lab: Path, date: dt.date) -> dict[str, bytes]:
    """Every table of both sides of one extract."""
    paths = LabPaths(lab)
    sides = (paths.linker_extract("pnc", date.isoformat()), paths.analyst_extract("pnc", date.isoformat()))
    return {
        f"{side.parents[2].name}/{file.name}": file.read_bytes() for side in sides for file in side.glob("*.parquet")
    }


def _assert_adds_up(receipt: Receipt) -> None:
    for table in receipt.tables:
        assert table.rows == table.kept + table.mended + table.refused + table.held


def test_an_addition_gives_what_one_whole_delivery_gives(tmp_path: Path) -> None:
    everything = pnc_delivery(PEOPLE)
    _load(everything, tmp_path / "whole" / "lab", SECOND)
    _load(_people(everything, 0, OLD), tmp_path / "added" / "lab", FIRST)
    receipt = _load(_people(everything, OLD, PEOPLE), tmp_path / "added" / "lab", SECOND, Intake.ADD)
    assert _extract(tmp_path / "added" / "lab", SECOND) == _extract(tmp_path / "whole" / "lab", SECOND)
    assert [(each.table, each.rows, each.kept) for each in receipt.tables] == [
        (name, (PEOPLE - OLD) * rows, (PEOPLE - OLD) * rows) for name, rows in CHILDREN.items()
    ]


def test_what_is_held_word_for_word_is_skipped_and_counted(tmp_path: Path) -> None:
    """Ten people were in both: 10 of 20 are held already, with their offences and disposals."""
    everything = pnc_delivery(PEOPLE)
    _load(_people(everything, 0, OLD), tmp_path / "lab", FIRST)
    receipt = _load(_people(everything, OLD - 10, PEOPLE), tmp_path / "lab", SECOND, Intake.ADD)
    _assert_adds_up(receipt)
    assert [(each.rows, each.kept, each.held, each.refused) for each in receipt.tables] == [
        (20 * rows, 10 * rows, 10 * rows, 0) for rows in CHILDREN.values()
    ]
    assert read_table(LabPaths(tmp_path / "lab").linker_extract("pnc", "2024-02-07") / IDENTIFIERS).num_rows == PEOPLE


def test_other_content_of_a_key_is_refused_unless_it_is_a_correction(tmp_path: Path) -> None:
    """One surname (the linker's side), one sentence (the analyst's) and one ethnicity changed."""
    everything = pnc_delivery(PEOPLE)
    _load(_people(everything, 0, OLD), tmp_path / "lab", FIRST)
    changed = _people(everything, OLD - 10, PEOPLE)
    changed["people"] = with_cells(changed["people"], "surname", {0: "Changed"})
    changed["people"] = with_cells(changed["people"], "ethnicity", {1: "A3"})
    changed["disposals"] = with_cells(changed["disposals"], "sentence_days", {2: 28})
    refused = _load(changed, tmp_path / "lab", SECOND, Intake.ADD)
    _assert_adds_up(refused)
    assert _of(refused, "people").refused_by == {f"record_id: {Reason.HELD.value}": 2}
    assert _of(refused, "disposals").refused_by == {f"disposal_id: {Reason.HELD.value}": 1}
    paths = LabPaths(tmp_path / "lab")
    place = paths.linker_extract("pnc", "2024-02-07")
    assert "Changed" not in read_table(place / IDENTIFIERS)["surname"].to_pylist()
    assert pq.read_table(place / "refused" / "people.parquet").num_rows == 2

    corrected = _load(changed, tmp_path / "lab", SECOND, Intake.ADD_AND_CORRECT)
    _assert_adds_up(corrected)
    assert [(each.corrected, each.refused, each.held) for each in corrected.tables] == [
        (2, 0, 8),
        (0, 0, 20),
        (1, 0, 9),
    ]
    people = read_table(place / IDENTIFIERS)
    assert people["record_id"].to_pylist() == [f"P{number}" for number in range(PEOPLE)]  # each key once
    assert people["surname"][OLD - 10].as_py() == "Changed"
    facts = read_table(paths.analyst_extract("pnc", "2024-02-07") / "facts.parquet")
    assert facts["record_id"].to_pylist() == people["record_id"].to_pylist()
    assert facts["ethnicity"][OLD - 9].as_py() == "A3"
    disposals = read_table(paths.analyst_extract("pnc", "2024-02-07") / "disposals.parquet")
    assert disposals.filter(pc.equal(disposals["disposal_id"], f"D{OLD - 8}"))["sentence_days"].to_pylist() == [28]


def test_children_of_known_parents_are_taken_and_of_nobody_refused(tmp_path: Path) -> None:
    """New offences of people who came last week, without the people; and one of somebody who never came."""
    everything = pnc_delivery(PEOPLE)
    first = _people(everything, 0, OLD) | {"offences": everything["offences"].slice(0, 2 * OLD - 5)}
    _load(first, tmp_path / "lab", FIRST)
    late = everything["offences"].slice(2 * OLD - 5, 6)  # five of people who are there, one of P40
    empty = {name: table.slice(0, 0) for name, table in everything.items()}
    receipt = _load(empty | {"offences": late}, tmp_path / "lab", SECOND, Intake.ADD)
    offences = _of(receipt, "offences")
    assert (offences.rows, offences.kept, offences.refused) == (6, 5, 1)
    assert offences.refused_by == {f"record_id: {Reason.PARENT.value}": 1}


def test_the_deliveries_of_an_extract_are_listed_and_add_up(tmp_path: Path) -> None:
    everything = pnc_delivery(PEOPLE)
    _load(_people(everything, 0, 20), tmp_path / "lab", FIRST)
    _load(_people(everything, 10, 30), tmp_path / "lab", SECOND, Intake.ADD)
    last = _people(everything, 25, PEOPLE)
    last["people"] = with_cells(last["people"], "surname", {0: "Changed", 1: "Changed"})
    receipt = _load(last, tmp_path / "lab", THIRD, Intake.ADD_AND_CORRECT)
    assert [part.delivery for part in receipt.parts()] == ["2024-01-31", "2024-02-07", "2024-02-14"]
    assert "is made of 3 deliveries: 2024-01-31, 2024-02-07, 2024-02-14" in receipt.lines()[-1]
    paths = LabPaths(tmp_path / "lab")
    for side in (paths.linker_extract("pnc", "2024-02-14"), paths.analyst_extract("pnc", "2024-02-14")):
        assert read_receipt(side / RECEIPT) == receipt
    people = [table for part in receipt.parts() for table in part.tables if table.table == "people"]
    assert sum(each.kept + each.mended - each.corrected for each in people) == PEOPLE


def test_the_same_addition_again_does_nothing_and_another_of_its_day_replaces_it(tmp_path: Path) -> None:
    everything, lab = pnc_delivery(PEOPLE), tmp_path / "lab"
    _load(_people(everything, 0, OLD), lab, FIRST)
    _load(_people(everything, OLD, PEOPLE), lab, SECOND, Intake.ADD)
    assert _load(_people(everything, OLD, PEOPLE), lab, SECOND, Intake.ADD).repeated
    receipt = _load(_people(everything, OLD, PEOPLE - 5), lab, SECOND, Intake.ADD)
    assert [part.delivery for part in receipt.parts()] == ["2024-01-31", "2024-02-07"]
    assert read_table(LabPaths(lab).linker_extract("pnc", "2024-02-07") / IDENTIFIERS).num_rows == PEOPLE - 5


def test_an_addition_needs_something_earlier_to_be_added_to(tmp_path: Path) -> None:
    everything = pnc_delivery(PEOPLE)
    with pytest.raises(UsageError, match="no extract of pnc from before 2024-01-31"):
        _load(everything, tmp_path / "lab", FIRST, Intake.ADD)
    _load(everything, tmp_path / "lab", SECOND)
    with pytest.raises(UsageError, match="is a whole delivery"):
        _load(everything, tmp_path / "lab", SECOND, Intake.ADD)
    with pytest.raises(UsageError, match="later than 2024-01-31"):
        _load(everything, tmp_path / "lab", FIRST, Intake.ADD)


@pytest.mark.parametrize("side", ["linker", "analyst", "between"])
def test_a_killed_addition_leaves_the_old_extract_and_is_made_good(
    tmp_path: Path, side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while a side is written, or after the analyst's was renamed and before the linker's was."""
    everything, lab = pnc_delivery(PEOPLE), tmp_path / "lab"
    _load(_people(everything, 0, OLD), lab, FIRST)
    before = _extract(lab, FIRST)
    if side == "between":
        _load(_people(everything, OLD, PEOPLE), lab, SECOND, Intake.ADD)
        shutil.rmtree(LabPaths(lab).linker_extract("pnc", "2024-02-07"))
    else:
        with monkeypatch.context() as patch:
            patch.setattr(load_module, f"_write_{side}_side", _killed)
            with pytest.raises(KeyboardInterrupt):
                _load(_people(everything, OLD, PEOPLE), lab, SECOND, Intake.ADD)
        assert _extract(lab, SECOND) == {}
    assert _extract(lab, FIRST) == before
    _load(_people(everything, OLD, PEOPLE), lab, SECOND, Intake.ADD)
    _load(everything, tmp_path / "whole" / "lab", SECOND)
    assert _extract(lab, SECOND) == _extract(tmp_path / "whole" / "lab", SECOND)


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_company_that_is_corrected_to_a_person_joins_the_people(tmp_path: Path) -> None:
    """Of the magistrates' courts: two defendants, one a company; the second delivery says that it was a person."""
    schema = domains.load().source("magistrates")
    tables = {name: _empty(list(table.columns)) for name, table in schema.tables.items()}
    first = [{"record_id": "A", "surname": "Smith"}, {"record_id": "B", "surname": "Acme", "defendant_type": "company"}]
    tables["people"] = _rows(first, tables["people"].column_names)
    _load(tables, tmp_path / "lab", FIRST, source="magistrates")
    tables["people"] = _rows([{"record_id": "B", "surname": "Acme"}], tables["people"].column_names)
    receipt = _load(tables, tmp_path / "lab", SECOND, Intake.ADD_AND_CORRECT, source="magistrates")
    place = LabPaths(tmp_path / "lab").linker_extract("magistrates", "2024-02-07")
    assert read_table(place / IDENTIFIERS)["record_id"].to_pylist() == ["A", "B"]
    assert read_table(place / "organisations.parquet").num_rows == 0
    assert (_of(receipt, "people").corrected, _of(receipt, "people").held) == (1, 0)


def _empty(columns: list[str]) -> pa.Table:
    return pa.table({name: pa.array([], pa.string()) for name in columns})


def _rows(rows: list[dict[str, str]], columns: list[str]) -> pa.Table:
    return pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in columns})


@pytest.mark.slow
def test_linking_after_additions_equals_a_rebuild_from_one_whole_delivery(tmp_path: Path) -> None:
    """Two deliveries added one after the other, a correction among them; beside it a lab that was sent all at once."""
    everything = pnc_delivery(400, seed=4)
    random = np.random.default_rng(2)
    twins = random.choice(400, 400)  # half of the records are another record of somebody, so that there is what to link
    for name in ("forename1", "surname", "date_of_birth", "sex", "postcode"):
        column = everything["people"][name].to_pylist()
        values = [column[min(at, int(twin))] if at % 2 else column[at] for at, twin in enumerate(twins)]
        everything["people"] = everything["people"].set_column(
            everything["people"].column_names.index(name), name, pa.array(values, everything["people"][name].type)
        )
    old = _people(everything, 0, 320)
    old["people"] = with_cells(old["people"], "surname", {5: "Wrongly"})
    lab = make_lab(tmp_path / "one" / "lab", today=TODAY)
    _load(old, lab.paths.root, FIRST)
    numbers = itertools.count(1)
    build_spine(lab, new_key=lambda: f"{next(numbers):032x}")
    shutil.copytree(tmp_path / "one" / "lab", tmp_path / "two" / "lab")
    other = open_lab(tmp_path / "two" / "lab")

    _load(_people(everything, 320, 360), lab.paths.root, SECOND, Intake.ADD)
    _load(
        {name: pa.concat_tables([table.slice(5 * CHILDREN[name], CHILDREN[name]), table.slice(360 * CHILDREN[name])])
         for name, table in everything.items()},
        lab.paths.root, THIRD, Intake.ADD_AND_CORRECT,
    )  # fmt: skip
    _load(everything, other.paths.root, THIRD)
    added = build_spine(lab, new_key=_after(2000))
    rebuilt = build_spine(other, rebuild=True, new_key=_after(2000))
    assert {each["how"] for name, each in added.quality["stages"].items() if name != "records"} == {"fresh"}
    assert {each["how"] for name, each in rebuilt.quality["stages"].items() if name != "records"} == {"all"}
    assert added.quality["people"]["medium"] < 400  # there was something to link
    for name in ("people.parquet", "links.parquet", "review.parquet", "crosswalk.parquet"):
        assert read_table(added.spine.folder / name).equals(read_table(rebuilt.spine.folder / name)), name
    assert _register_keys(lab, added.spine.version).num_rows == 400


def _after(first: int) -> NewKey:
    numbers = itertools.count(first)
    return lambda: f"{next(numbers):032x}"


def _register_keys(lab: OpenLab, version: str) -> pa.Table:
    return read_table(lab.paths.register_keys(version))
