"""Entries of a provider's list that nobody can tell apart: reviewed, ruled, and obeyed by the next evaluation."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from counterfoil import domains
from counterfoil.cli import review_screen
from counterfoil.cli.review_desk import Desk
from counterfoil.errors import UsageError
from counterfoil.lab import log
from counterfoil.lab.files import write_json
from counterfoil.lab.keys import Role, encrypt
from counterfoil.lab.make import OpenLab, make_lab, open_lab
from counterfoil.lab.paths import LINK_QUALITY
from counterfoil.lab.progress import silent
from counterfoil.linkage import build_spine, read_spine
from counterfoil.linkage.entries import RULED
from counterfoil.linkage.overrides import (
    ENTRIES,
    ENTRIES_RULED,
    Decision,
    Record,
    add,
    override,
    overrides_file,
    read_overrides,
)
from counterfoil.linkage.review import session
from counterfoil.linkage.review.values import Answer, Reason
from counterfoil.provenance import sha256_of_bytes
from counterfoil.records.load import load
from counterfoil.study.evaluate import _run_id
from counterfoil.study.linker import ACCOUNT, get_ready, link_submission, submitted_entries
from counterfoil.study.plan import parse_plan
from counterfoil.warehouse import read_table
from lib.deliveries import DELIVERED, pnc_delivery, with_cells, write_parquet
from lib.provider_files import csv_text, people

TODAY = dt.date(2026, 1, 15)
NAME, FORENAME, BORN, POSTCODE = "Zabrowski", "Wilhelmina", dt.date(1984, 3, 27), "LS7 4NB"
HEADINGS = ("Surname", "Forename", "Date of birth", "Sex", "PNC ID", "Prison number", "Start date", "Postcode")
ROW = 62  # of the doubtful entry: the headings, sixty others, then she

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> OpenLab:
    """Two records say the same of a person, and people ruled that they are two."""
    tmp_path = tmp_path_factory.mktemp("entries")
    tables = pnc_delivery(400, seed=5)
    same = {"surname": NAME, "forename1": FORENAME, "date_of_birth": BORN, "sex": "2", "postcode": POSTCODE}
    for column, value in same.items():
        tables["people"] = with_cells(tables["people"], column, {0: value, 1: value})
    tables["people"] = tables["people"].set_column(
        tables["people"].column_names.index("date_of_birth"),
        "date_of_birth",
        tables["people"]["date_of_birth"].cast(pa.string()),
    )
    made = make_lab(tmp_path / "lab", today=TODAY)
    domain = domains.load()
    files = write_parquet(tables, tmp_path / "delivery")
    load(files, domain.source("pnc"), made.paths, delivery=DELIVERED, codes=domain.codes, today=TODAY)
    apart = override(Record("pnc", "P0"), Record("pnc", "P1"), Decision.MUST_NOT_LINK, who="Ann", why="seen both")
    add(made.paths, apart)
    build_spine(made)
    return made


@pytest.fixture
def lab(made: OpenLab, tmp_path: Path) -> OpenLab:
    """A lab of its own."""
    shutil.copytree(made.paths.root, tmp_path / "lab")
    return open_lab(tmp_path / "lab")


@pytest.fixture
def submission(lab: OpenLab) -> str:
    """Sixty people whom nobody knows, and one who may be either of two."""
    others = [[*row, ""] for row in people(60)]
    data = csv_text([*others, [NAME, FORENAME, f"{BORN:%d/%m/%Y}", "F", "", "", "14/06/2018", POSTCODE]], HEADINGS)
    digest = sha256_of_bytes(data.encode())
    folder = lab.paths.submission(digest[:16])
    folder.mkdir(parents=True)
    (folder / "file.age").write_bytes(encrypt(lab.paths, data.encode(), to=Role.LINKER))
    write_json(folder / "about.json", {"sha256": digest, "suffix": ".csv", "destroy_after": "2027-01-15"})
    return digest[:16]


def _ended(lab: OpenLab, submission: str) -> dict[str, Any]:
    """What became of the doubtful entry when the list is linked."""
    link_submission({"lab": str(lab.paths.root), "submission": submission, "run": "r"}, silent)
    account = read_table(lab.paths.submission(submission) / ACCOUNT)
    return cast("dict[str, Any]", account.filter(pc.equal(account["row"], ROW)).to_pylist()[0])


def _review(lab: OpenLab, submission: str) -> session.Review:
    return session.open_entries(lab, submitted_entries(lab, submission, silent))


def _run(lab: OpenLab) -> str:
    return _run_id(lab, parse_plan({"title": "A service"}, "plan"), "digest")


def test_an_ambiguous_entry_is_reviewed_ruled_and_obeyed(lab: OpenLab, submission: str) -> None:
    assert _ended(lab, submission)["link_status"] == "ambiguous"
    before, spine = _run(lab), read_spine(lab)
    review = _review(lab, submission)
    assert [item.reason for item in review.items] == [Reason.ENTRY] * 2
    assert {record.record_id for item in review.items for record in (item.pair.left, item.pair.right)} >= {"P0", "P1"}

    wanted = next(item for item in review.items if "P0" in (item.pair.left.record_id, item.pair.right.record_id))
    other = next(item for item in review.items if item != wanted)
    session.answer(review, wanted, "Ann", Answer.SAME, seconds=1)
    session.answer(review, other, "Ann", Answer.DIFFERENT, seconds=1)
    assert _ended(lab, submission)["link_status"] == "ambiguous"  # one reviewer is no ruling
    assert _run(lab) == before
    session.answer(review, wanted, "Bob", Answer.SAME, seconds=1)
    ended = _ended(lab, submission)
    assert (ended["link_status"], ended["evidence"]) == ("linked", RULED)
    quality = json.loads((lab.paths.submission(submission) / LINK_QUALITY).read_text(encoding="utf-8"))
    assert quality["with_numbers"]["by_evidence"] == {RULED: 1}
    assert _run(lab) != before  # an evaluation that is asked for again is a new one

    ruled = read_overrides(lab.paths)
    assert sorted(ruled["scope"].to_pylist()) == ["all", ENTRIES]
    kept = overrides_file(lab.paths).read_text(encoding="utf-8") + (lab.paths.root / "log").read_text(encoding="utf-8")
    assert not any(word in kept for word in (NAME, FORENAME, "1984"))
    assert [event["event"] for event in log.read(lab.paths)].count(ENTRIES_RULED) == 1
    again = build_spine(lab)  # it moves nobody in the spine
    assert (again.made, again.spine.version) == (False, spine.version)

    session.undo(review, "Bob")
    assert _ended(lab, submission)["link_status"] == "ambiguous"


def test_people_who_were_linked_anew_since_they_were_opened_are_opened_again(lab: OpenLab, submission: str) -> None:
    """A list is linked to the newest spine, whichever was opened before it came; that one's files may be gone."""
    asked = {"lab": str(lab.paths.root), "submission": submission, "run": "r"}
    link_submission(asked, silent)
    expected = read_table(lab.paths.submission(submission) / ACCOUNT)
    opened = get_ready(asked, silent)
    assert opened is not None
    older = replace(opened.spine, folder=lab.paths.spine("2020-01-01-001-01234567"))
    (lab.paths.submission(submission) / ACCOUNT).unlink()
    link_submission(asked, silent, ready=replace(opened, spine=older, kept=None))
    assert read_table(lab.paths.submission(submission) / ACCOUNT).equals(expected)


def test_the_entry_is_shown_beside_the_record_with_its_weight(lab: OpenLab, submission: str) -> None:
    desk = Desk(_review(lab, submission), "Ann", limit=None)
    assert desk.current is not None
    assert set(desk.current.sources) == {"The provider's list", "Police National Computer"}
    assert desk.current.decision == "not linked"
    lines = review_screen.plain_pair(desk)
    assert any(line.startswith("surname, same") and NAME in line for line in lines)
    assert desk.current.waterfall.match_weight == pytest.approx(desk.current.item.weight, abs=1e-6)
    desk.press("n")
    desk.press("n")
    assert desk.is_over


def test_a_submission_that_is_not_there_is_said(lab: OpenLab) -> None:
    for name in ("0123", "../linker"):
        with pytest.raises(UsageError, match="no such submission"):
            submitted_entries(lab, name, silent)
