"""The encoded table that lies with a spine: the same links with it as without, and never a wrong answer from it."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.errors import Refused
from counterfoil.lab import log
from counterfoil.lab.files import write_json
from counterfoil.lab.keys import Role, encrypt
from counterfoil.lab.make import OpenLab, make_lab
from counterfoil.linkage import Engine, LinkStatus, build_spine, link_cohort
from counterfoil.linkage.core.encoded_files import ABOUT
from counterfoil.linkage.doubt import find_unsteady, people_near
from counterfoil.linkage.kept import FOLDER, check_kept, is_kept
from counterfoil.linkage.model import Resources
from counterfoil.linkage.record_clusters import RecordClusters, read_clusters
from counterfoil.linkage.search import Answer, Identifiers, Outcome, PeopleSearch
from counterfoil.linkage.spine import Spine
from counterfoil.provenance import sha256_of_bytes
from counterfoil.records.standardise import standardise_people
from counterfoil.warehouse import query, write_table
from lib.links import TODAY, draw_lab_records
from lib.small_lab import call_here

PEOPLE = 2_000
ENTRIES = 250
CLOSE = 1e-9  # bits: rounding of a sum
RESOURCES = Resources(threads=1, memory="2GB")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> OpenLab:
    return make_lab(tmp_path_factory.mktemp("kept") / "lab", today=TODAY)


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory, lab: OpenLab) -> pa.Table:
    """A provider's list of people who are in the lab, some twice, and of a few whom nobody knows."""
    tables = draw_lab_records(tmp_path_factory.mktemp("population"), PEOPLE, seed=11)
    for source in ("pnc", "prison", "probation"):
        write_table(tables[source], lab.paths.linker_extract(source, "2026-01-01") / "identifiers.parquet")
    people = tables["people"].slice(0, ENTRIES)
    raw = people.select(["forename1", "forename2", "surname", "date_of_birth", "sex", "pnc_id"])
    strange = raw.slice(0, 10).set_column(2, "surname", pa.array([f"ÅLØST-NAME {i}" for i in range(10)]))
    raw = pa.concat_tables([raw, raw.slice(5, 10), strange])
    raw = raw.append_column("record_id", pa.array([f"E{i:04}" for i in range(raw.num_rows)], pa.string()))
    return standardise_people(raw, source="cohort", today=TODAY, standins=frozenset())


@pytest.fixture(scope="module")
def spine(lab: OpenLab, entries: pa.Table) -> Spine:
    del entries  # its records are loaded
    return build_spine(lab).spine


@pytest.fixture
def copied(spine: Spine, tmp_path: Path) -> Spine:
    """The same spine in a folder that may be damaged."""
    shutil.copytree(spine.folder, tmp_path / spine.version)
    return replace(spine, folder=tmp_path / spine.version)


def assert_same_links(one: pa.Table, other: pa.Table) -> None:
    for name in ("row", "record_id", "person_id", "link_status", "evidence"):
        assert one[name].to_pylist() == other[name].to_pylist(), name
    for name in ("match_weight", "link_probability"):
        ours, theirs = (table[name].to_numpy(zero_copy_only=False).astype(float) for table in (one, other))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=CLOSE)


def test_link_writes_it(spine: Spine) -> None:
    assert is_kept(spine.folder)
    assert check_kept(spine.folder, spine.model, spine.specification) == ""


@pytest.mark.parametrize("without_identifiers", [False, True])
def test_a_cohort_links_as_without_it(
    spine: Spine, entries: pa.Table, without_identifiers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside Splink over both tables, and our own engine that encodes both anew."""
    options = {"resources": RESOURCES, "without_identifiers": without_identifiers}
    kept = link_cohort(entries, spine, **options)  # type: ignore[arg-type]
    assert_same_links(kept, link_cohort(entries, spine, engine=Engine.SPLINK, **options))  # type: ignore[arg-type]
    monkeypatch.setattr(Spine, "kept", lambda *_, **__: None)
    assert_same_links(kept, link_cohort(entries, spine, **options))  # type: ignore[arg-type]
    assert {"linked", "not_found"} <= set(kept["link_status"].to_pylist())


def test_doubt_is_told_by_the_records_near_whoever_is_asked_for(spine: Spine) -> None:
    """Whole loose clusters of theirs, each record with its place; the pieces of a column end anywhere in them."""
    kept, whole = spine.kept(resources=RESOURCES), spine.people()
    assert kept is not None
    asked = whole["person_id"].take(pa.array(range(3, whole.num_rows, 40)))
    told = {"people": whole.append_column("place", pa.array(np.arange(whole.num_rows))), "asked": asked_of(asked)}
    theirs = "SELECT cluster_loose FROM people WHERE person_id IN (SELECT person_id FROM asked)"
    sql = f"""SELECT person_id, cluster_strict, cluster_loose, place FROM people
              WHERE cluster_loose IN ({theirs}) ORDER BY place"""
    right = query(sql, told)
    assert len(asked) < right.num_rows < whole.num_rows
    columns = whole.select(["cluster_strict", "cluster_loose"])
    pieces = pa.concat_tables([columns.slice(0, 7), columns.slice(7, 1_001), columns.slice(1_008)])
    for clusters in (read_clusters(spine.folder), RecordClusters(pieces)):
        near = people_near(kept, clusters, asked.unique())
        assert near.to_pylist() == right.to_pylist()
    people = frozenset(asked.to_pylist())
    assert find_unsteady(near, people) == find_unsteady(whole, people)


def asked_of(people: pa.ChunkedArray) -> pa.Table:
    return pa.table({"person_id": people})


def _cut(folder: Path) -> None:
    path = folder / "cells.bin"
    path.write_bytes(path.read_bytes()[:-8])


def _flip(folder: Path) -> None:
    path = folder / "tuple_of.bin"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def _swap(folder: Path) -> None:
    path = folder / "shown.arrow"
    data = path.read_bytes()
    path.write_bytes(data[:4096] + data[8192:12288] + data[4096:8192] + data[12288:])


def _remove(folder: Path) -> None:
    (folder / "keys_00.bin").unlink()


def _other_about(folder: Path) -> None:
    path = folder / ABOUT
    path.write_text(path.read_text().replace('"cells": ', '"cells": 1'))


def _no_json(folder: Path) -> None:
    (folder / ABOUT).write_text("{")


@pytest.mark.parametrize("damage", [_cut, _flip, _swap, _remove, _other_about, _no_json])
def test_a_damaged_one_is_made_again_and_said(copied: Spine, entries: pa.Table, damage: Callable[[Path], None]) -> None:
    few = entries.slice(0, 20)
    right = link_cohort(few, copied, resources=RESOURCES)
    damage(copied.folder / FOLDER)
    assert check_kept(copied.folder, copied.model, copied.specification) == "is damaged"
    said: list[str] = []
    kept = copied.kept(resources=RESOURCES, progress=lambda text, _: said.append(text))
    assert said == [f"The encoded table of spine {copied.version} is damaged; making it again"]
    assert link_cohort(few, copied, resources=RESOURCES, kept=kept).equals(right)
    assert check_kept(copied.folder, copied.model, copied.specification) == ""


def test_one_of_another_version_or_model_is_made_again(copied: Spine, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("counterfoil.linkage.core.encoded_files.FORMAT", 999)
    copied.kept(resources=RESOURCES, progress=lambda text, _: said.append(text))
    prior = {"probability_two_random_records_match": 0.5}
    other = replace(copied, model=replace(copied.model, settings={**copied.model.settings, **prior}))
    other.kept(resources=RESOURCES, progress=lambda text, _: said.append(text))
    assert [text.split(copied.version)[1] for text in said] == [
        " was made by another version; making it again",
        " was made from another model or other records; making it again",
    ]


def test_an_absent_one_is_made(copied: Spine) -> None:
    """As after a `link` that was killed before it was written."""
    shutil.rmtree(copied.folder / FOLDER)
    (copied.folder / f".{FOLDER}.0000.part").mkdir()
    said: list[str] = []
    assert copied.kept(resources=RESOURCES, progress=lambda text, _: said.append(text)) is not None
    assert "is not there" in said[0]


def test_what_only_splink_can_say_has_none(copied: Spine, entries: pa.Table) -> None:
    """Both engines' cohort is then the same call."""
    settings = json.loads(json.dumps(dict(copied.model.settings)))
    level = settings["comparisons"][0]["comparison_levels"][2]
    level["sql_condition"] = f"({level['sql_condition']}) AND unknown_function(surname_std_l, surname_std_r)"
    other = replace(copied, model=replace(copied.model, settings=settings))
    assert other.kept(resources=RESOURCES) is None
    del entries


def test_what_is_asked_changes_no_file(spine: Spine, entries: pa.Table) -> None:
    before = {path: path.read_bytes() for path in sorted((spine.folder / FOLDER).iterdir())}
    link_cohort(entries, spine, resources=RESOURCES)
    assert {path: path.read_bytes() for path in sorted((spine.folder / FOLDER).iterdir())} == before


# One person


@pytest.fixture(scope="module")
def search(lab: OpenLab, spine: Spine) -> PeopleSearch:
    del spine  # it is the lab's newest
    return PeopleSearch.open(lab)


def test_a_person_is_found_as_a_cohort_of_one_is_linked(
    search: PeopleSearch, spine: Spine, entries: pa.Table, lab: OpenLab
) -> None:
    """Status, person, evidence and weight of `link_cohort`, whose own witness is Splink."""
    few = pa.concat_tables([entries.slice(0, 60), entries.slice(ENTRIES + 10, 10)])
    links = link_cohort(few, spine, resources=RESOURCES, threshold=lab.settings.thresholds.cohort).to_pylist()
    for i, link in enumerate(links):
        answer = search.find_standard(few.slice(i, 1))
        assert answer.status.value == link["link_status"], i
        linked = [person for person in answer.people if person.status is LinkStatus.LINKED]
        assert [person.person_id for person in linked] == ([link["person_id"]] if link["person_id"] else [])
        assert [person.evidence for person in linked] == ([link["evidence"]] if link["evidence"] else [])
        if linked:
            assert linked[0] is answer.people[0]
            assert linked[0].match_weight == pytest.approx(link["match_weight"], abs=CLOSE)


def test_typed_identifiers_are_read_as_a_deliverys_are(search: PeopleSearch, entries: pa.Table) -> None:
    """From raw spelling to the same answer; one person is standardised in another way than many."""
    for i in range(0, 40, 4):
        row = entries.slice(i, 1).to_pylist()[0]
        names = ("forename1", "forename2", "surname", "date_of_birth", "sex", "pnc_id")
        known = Identifiers(**{name: row[name] for name in names})
        assert search.find(known) == search.find_standard(entries.slice(i, 1))


def test_all_records_of_a_person_come_back(search: PeopleSearch, spine: Spine, entries: pa.Table) -> None:
    people = spine.people()
    held: dict[str, set[tuple[str, str]]] = {}
    for row in people.to_pylist():
        held.setdefault(row["person_id"], set()).add((row["source"], row["record_id"]))
    person = search.find_standard(entries.slice(0, 1)).people[0]
    assert {(record.source, record.record_id) for record in person.records} == held[person.person_id]
    weights = [record.match_weight for record in person.records if record.match_weight is not None]
    assert weights == sorted(weights, reverse=True)
    assert max(weights) == person.match_weight


def test_no_one_found_is_told_from_too_little_to_go_on(search: PeopleSearch) -> None:
    stranger = Identifiers(forename1="Zzyzx", surname="Qwfpgj", date_of_birth=dt.date(1951, 7, 9))
    assert search.find(stranger).outcome is Outcome.NO_ONE
    assert search.find(Identifiers(surname="Qwfpgj")).outcome is Outcome.TOO_LITTLE
    wrong = search.find(Identifiers(surname="Qwfpgj", pnc_id="not a number"))
    assert (wrong.outcome, wrong.unused) == (Outcome.TOO_LITTLE, ("pnc_id",))


def test_only_the_linker_may_search(lab: OpenLab, spine: Spine, monkeypatch: pytest.MonkeyPatch) -> None:
    del spine

    def forbidden(*_: object, **__: object) -> bytes:
        raise PermissionError

    monkeypatch.setattr("counterfoil.linkage.review.access.decrypt", forbidden)
    with pytest.raises(Refused) as refusal:
        PeopleSearch.open(lab)
    assert refusal.value.rule == "roles"


# The command


CASE = ("--case", "DSR/2026/7", "--who", "ann")
REQUEST = (*CASE, "--reason", "data-subject-request")


def _typed(entries: pa.Table, i: int) -> list[str]:
    row = entries.slice(i, 1).to_pylist()[0]
    said = {
        "--forename": row["forename1"],
        "--surname": row["surname"],
        "--dob": row["date_of_birth"],
        "--pnc": row["pnc_id"],
    }
    return [str(part) for option, value in said.items() if value is not None for part in (option, value)]


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """`find` makes its process the linker's for good; here it is the tests' own."""
    monkeypatch.setattr("counterfoil.cli.find.guard", lambda *_: None)
    monkeypatch.setattr("counterfoil.cli.find.keep_scratch_in", lambda *_: None)


@pytest.mark.usefixtures("unguarded", "spine")
def test_a_search_is_logged_before_it_runs_and_without_a_value(
    lab: OpenLab, entries: pa.Table, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[dict[str, object]] = []
    find = PeopleSearch.find

    def found(self: PeopleSearch, known: Identifiers) -> Answer:
        logged.extend(list(log.read(lab.paths))[-1:])
        return find(self, known)

    monkeypatch.setattr(PeopleSearch, "find", found)
    typed = _typed(entries, 0)
    said = call_here(capfd, "find", lab.paths.root, *REQUEST, *typed, "--json")
    assert said.code == 0
    assert said.json()["outcome"] == "found"
    facts = logged[0]["facts"]
    assert isinstance(facts, dict)
    assert facts.keys() == {"who", "case", "reason", "given", "spine"}
    assert (facts["who"], facts["case"], facts["reason"]) == ("ann", "DSR/2026/7", "data-subject-request")
    assert set(facts["given"]) == {"forename1", "surname", "date_of_birth", "pnc_id"} & set(facts["given"])
    assert not [value for value in typed[1::2] if value in json.dumps(logged)]
    assert list(log.read(lab.paths))[-1:] == logged, "nothing of the answer is logged"
    assert not [value for value in typed[1::2] if value in said.err]


@pytest.mark.usefixtures("unguarded", "spine")
def test_what_cannot_be_logged_is_not_shown(
    lab: OpenLab, entries: pa.Table, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("counterfoil.cli.find.log.append", full)
    said = call_here(capfd, "find", lab.paths.root, *REQUEST, *_typed(entries, 0), "--json")
    assert (said.code, said.out) == (4, "")


@pytest.mark.usefixtures("unguarded", "spine")
def test_on_a_terminal_people_and_their_records_are_shown(
    lab: OpenLab, entries: pa.Table, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfoil.cli.find.is_terminal", lambda: True)
    row = entries.slice(0, 1).to_pylist()[0]
    said = call_here(capfd, "find", lab.paths.root, *REQUEST, *_typed(entries, 0))
    assert said.code == 0
    assert said.out.startswith("1. Person ")
    assert row["surname_std"] in said.out
    nobody = ("--forename", "Zzyzx", "--surname", "Qwfpgj", "--dob", "09/07/1951")
    assert call_here(capfd, "find", lab.paths.root, *REQUEST, *nobody).out == "No one found.\n"
    little = call_here(capfd, "find", lab.paths.root, *REQUEST, "--surname", "Qwfpgj")
    assert little.code == 1
    assert little.out.startswith("Too little to go on")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--case", "DSR/1", "--who", "ann", "--surname", "X"), "--reason"),
        (("--who", "ann", "--reason", "data-subject-request", "--surname", "X"), "--case"),
        (("--case", "DSR/1", "--reason", "data-subject-request", "--surname", "X"), "--who"),
        (("--case", "John Smith", "--who", "ann", "--reason", "data-subject-request", "--surname", "X"), "--case"),
        (("--case", "DSR/1", "--who", "a\nb", "--reason", "data-subject-request", "--surname", "X"), "--who"),
        (REQUEST, "Nothing is given"),
        ((*REQUEST, "--dob", "31/02/1980"), "--dob"),
        ((*CASE, "--reason", "clerical-review", "--surname", "X"), "--entry"),
        ((*REQUEST, "--submission", "0123456789abcdef", "--entry", "2"), "not about a submitted row"),
        ((*CASE, "--reason", "clerical-review", "--entry", "2"), "--submission"),
        ((*CASE, "--reason", "curiosity", "--surname", "X"), "--reason"),
        ((*REQUEST, "--surname", "SMITH"), "terminal"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_logged(
    lab: OpenLab, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    before = (lab.paths.root / "log").read_bytes()
    said = call_here(capfd, "find", lab.paths.root, *arguments)
    assert said.code == 2
    assert says in said.err
    assert "31/02/1980" not in said.err
    assert (lab.paths.root / "log").read_bytes() == before


@pytest.mark.usefixtures("unguarded", "spine")
def test_a_submitted_row_is_searched_for_by_what_it_says(
    lab: OpenLab, entries: pa.Table, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The second row of a file, as the submission was stored; a surname typed beside it replaces the row's."""
    rows = entries.slice(0, 3).to_pylist()
    lines = [
        f"{r['forename1']},{r['surname']},{r['date_of_birth']:%d/%m/%Y},{r['pnc_id'] or ''},{r['sex']},2018-01-15"
        for r in rows
    ]
    text = "\n".join(["Forename,Surname,Date of birth,PNC ID,Sex,Start date", *lines]) + "\n"
    data = text.encode()
    folder = lab.paths.submission("0123456789abcdef")
    folder.mkdir(parents=True)
    (folder / "file.age").write_bytes(encrypt(lab.paths, data, to=Role.LINKER))
    write_json(folder / "about.json", {"sha256": sha256_of_bytes(data), "suffix": ".csv"})
    review = (*CASE, "--reason", "clerical-review", "--submission", "0123456789abcdef", "--json")
    first = call_here(capfd, "find", lab.paths.root, *review, "--entry", 3)
    assert first.code == 0, first.err
    row = first.json()
    typed = call_here(capfd, "find", lab.paths.root, *REQUEST, *_typed(entries, 1), "--json").json()
    assert row["people"][0]["person_id"] == typed["people"][0]["person_id"]
    other = call_here(capfd, "find", lab.paths.root, *review, "--entry", 3, "--pnc", "", "--surname", "Qwfpgj").json()
    assert other["link_status"] != "linked"
    assert call_here(capfd, "find", lab.paths.root, *review, "--entry", 99).code == 2
    del tmp_path
