"""The command line: exit codes, sentences, JSON, and that bad input leaves nothing half-written (DESIGN 3 and 4)."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from counterfoil import __version__
from counterfoil.lab.make import make_lab
from counterfoil.report import why_no_pdf
from lib.provider_files import HEADINGS, SOUND, people, row, sheet_of, workbook_parts, write_csv, zipped
from lib.small_lab import Said, call_here, check_result, files_under

DONE, FINDINGS, USAGE, REFUSED = 0, 1, 2, 3
PLAN = 'title = "A programme"\n[service]\npeople_started = 60\n'
THREE_MISTAKES = 'title = "A programme"\nsead = 2\n[cohort]\nindex_window_days = -1\n[outcomes]\nfollow_up_months = 0\n'

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # how a workbook with a password begins

Command = Callable[..., Said]


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """The command, in this process."""
    return lambda *arguments: call_here(capfd, *arguments)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty lab, a plan, a list, and files that cannot be taken."""
    make_lab(tmp_path / "lab")
    (tmp_path / "no-lab").mkdir()
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "mistakes.toml").write_text(THREE_MISTAKES)
    write_csv(tmp_path / "list.csv", people(70))
    write_csv(tmp_path / "unmended.csv", [*people(70), row(born="31/02/1977")])
    write_csv(tmp_path / "no-names.csv", [cells[4:] for cells in people(70)], headings=HEADINGS[4:])
    (tmp_path / "locked.xlsx").write_bytes(OLE + b"\0" * 512 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 512)
    (tmp_path / "letter.xlsx").write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF\n")
    (tmp_path / "bomb.xlsx").write_bytes(bomb())
    return tmp_path


@cache
def bomb() -> bytes:
    """A workbook whose one sheet inflates a thousandfold, to 300 MB."""
    parts = workbook_parts(sheet_of([HEADINGS, SOUND]))
    made = io.BytesIO(zipped({name: data for name, data in parts.items() if "sheet1.xml" not in name}))
    with (
        zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet,
    ):
        for _ in range(300):
            sheet.write(b" " * 1_000_000)
    return made.getvalue()


@dataclass(frozen=True, slots=True)
class Bad:
    """A command, its exit code, and what its sentences must say: what was found, and what to do."""

    arguments: str
    code: int
    says: tuple[str, ...]


BAD = {
    "check: no such file": Bad("check absent.csv", USAGE, ("There is no file with that name", "Check the spelling")),
    "check: a folder": Bad("check no-lab", USAGE, ("That is a folder", "Give the name of one file")),
    "check: missing column": Bad("check no-names.csv", REFUSED, ("name", "template")),
    "check: encrypted": Bad("check locked.xlsx", REFUSED, ("password", "save")),
    "check: a PDF": Bad("check letter.xlsx", REFUSED, ("is a PDF", "Send the workbook")),
    "check: a zip bomb": Bad("check bomb.xlsx", REFUSED, ("MB", "new workbook")),
    "load: no such lab": Bad("load absent pnc list.csv", USAGE, ("There is no folder", "counterfoil new")),
    "load: no lab": Bad("load no-lab pnc list.csv", USAGE, ("is not a lab: it holds no lab.toml", "counterfoil new")),
    "load: unknown source": Bad("load lab court list.csv", USAGE, ("court", "oasys, pnc, prison, probation")),
    "load: a day that is to come": Bad(
        "load lab pnc list.csv --date 2999-01-01", USAGE, ("is of 2999-01-01", "Give the day")
    ),
    "load: no such file": Bad("load lab pnc absent.parquet", USAGE, ("There is no file", "Give the paths")),
    "link: no lab": Bad("link no-lab", USAGE, ("is not a lab", "counterfoil new")),
    "link: nothing loaded": Bad("link lab", USAGE, ("No source has been loaded", "counterfoil load")),
    "register: no lab": Bad("register no-lab", USAGE, ("is not a lab", "counterfoil new")),
    "register: nothing linked": Bad("register lab", USAGE, ("Nothing is linked", "counterfoil link")),
    "doctor: no lab": Bad("doctor no-lab", USAGE, ("is not a lab", "counterfoil new")),
    "evaluate: no lab": Bad("evaluate no-lab list.csv --plan plan.toml", USAGE, ("is not a lab", "counterfoil new")),
    "evaluate: no such file": Bad("evaluate lab absent.csv --plan plan.toml", USAGE, ("There is no file", "Give")),
    "evaluate: no such plan": Bad("evaluate lab list.csv --plan absent.toml", USAGE, ("There is no file", "Give")),
    "evaluate: a plan that is no TOML": Bad("evaluate lab list.csv --plan list.csv", USAGE, ("not a TOML", "Mend")),
    "evaluate: before link": Bad(
        "evaluate lab list.csv --plan plan.toml",
        USAGE,
        ("Nothing is linked in this lab yet. Run counterfoil link", "Nothing is registered in this lab yet. Run"),
    ),
    "evaluate: neither way": Bad("evaluate --plan plan.toml", USAGE, ("Give either LAB FILE", "or --table")),
    "evaluate: both ways": Bad(
        "evaluate lab list.csv --table list.csv --plan plan.toml --out out", USAGE, ("Give either LAB FILE",)
    ),
    "evaluate: plan without table": Bad(
        "evaluate --table list.csv --plan plan.toml --out out", USAGE, ("has no [table]", "Say there")
    ),
    "new: over a file": Bad("new list.csv", USAGE, ("is a file", "Give a folder")),
    "an option left out of a verb of a verb": Bad(
        "publish lab plan x", USAGE, ("--on", "counterfoil publish LAB plan --help")
    ),
    "new: over something": Bad("new lab", USAGE, ("is not empty", "Give a folder")),
    "population: over something": Bad("population --out lab", USAGE, ("is not empty", "Give a folder")),
    "demo: over something": Bad("demo --out lab", USAGE, ("is not empty", "Give another folder")),
    "template: over something": Bad(
        "template --out list.csv --format csv", USAGE, ("is there already", "Give another name")
    ),
    "template: a name of another kind": Bad("template --out new.csv", USAGE, ("would hold a workbook", "--format")),
    "no such command": Bad("evalute lab", USAGE, ("No such command 'evalute'", "counterfoil --help")),
    "no such option": Bad("check list.csv --jsn", USAGE, ("--jsn", "counterfoil check --help")),
    "an argument left out": Bad("check", USAGE, ("Missing argument 'file'", "counterfoil check --help")),
    "not a number": Bad("power --people many", USAGE, ("--people", "valid integer", "--help")),
    "not a date": Bad("check list.csv --today soon", USAGE, ("--today", "found 'soon'", "YYYY-MM-DD", "--help")),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str, place: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    before = files_under(place)
    said = command(*BAD[name].arguments.split())
    assert said.code == BAD[name].code
    assert [words for words in BAD[name].says if words.casefold() not in said.err.casefold()] == []
    assert said.out == ""
    assert "Traceback" not in said.err
    assert all(sentence.startswith("counterfoil: ") for sentence in said.sentences)
    assert files_under(place) == before


def test_every_mistake_of_a_plan_at_once(place: Path, command: Command) -> None:
    said = command("evaluate", place / "lab", place / "list.csv", "--plan", place / "mistakes.toml")
    assert said.code == USAGE
    first, *others = [line for line in said.err.splitlines() if line]
    assert first == "counterfoil: 3 things to mend:"
    assert sorted(re.findall(r"^  \d\. `([\w.]+)`", "\n".join(others), re.MULTILINE)) == [
        "cohort.index_window_days",
        "outcomes.follow_up_months",
        "sead",
    ]


def test_must_fix_is_a_finding(place: Path, command: Command) -> None:
    said = command("check", place / "unmended.csv")
    assert said.code == FINDINGS
    assert "There is no such day in the calendar" in said.out
    assert said.sentences == []


def test_a_sound_list(place: Path, command: Command) -> None:
    said = command("check", place / "list.csv")
    assert said.code == DONE
    assert "Nothing must be fixed." in said.out


@pytest.mark.parametrize("people_", [40, 60, 1000])
def test_power(people_: int, command: Command) -> None:
    """Under 60 nothing can be shown (R1); a larger group can show a smaller change."""
    said = command("power", "--people", people_)
    assert said.code == DONE
    assert ("60" in said.out) if people_ == 40 else ("points" in said.out)


def test_module_and_command_are_one() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "counterfoil", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"counterfoil {__version__}\n"
    assert done.stderr == ""


# --- evaluate --table -------------------------------------------------------------------------------------------------

TABLE_PLAN = """
title = "A table"
today = 2026-01-31
[service]
people_started = {started}
unsuitable = ""
[comparison]
covariates = ["score"]
max_red_share = 1.0
[table]
treatment = "took_part"
[[table.measures]]
name = "reoffended"
label = "Reoffended"
kind = "rate"
column = "reoffended"
"""


def write_table(folder: Path, *, treated: int, far: int) -> tuple[Path, Path]:
    """A table with `treated` people, of whom `far` are like nobody in the pool of 400, and its plan."""
    rng = np.random.default_rng(5)
    score = [float(v) for v in rng.normal(0, 1, treated - far)] + [50.0 + n for n in range(far)]
    rows = [[1, value, n % 2] for n, value in enumerate(score)]
    rows += [[0, float(value), int(n % 3 == 0)] for n, value in enumerate(rng.normal(0, 1, 400))]
    with (folder / "table.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["took_part", "score", "reoffended"], *rows])
    (folder / "table.toml").write_text(TABLE_PLAN.format(started=treated))
    return folder / "table.csv", folder / "table.toml"


@pytest.mark.parametrize(
    ("treated", "far", "code", "reliable"),
    [
        (100, 0, DONE, True),
        (100, 20, FINDINGS, False),  # a fifth of the treated cannot be matched, and a caliper should keep 95%
        (40, 0, REFUSED, None),  # R1: fewer than 60
    ],
)
def test_table(treated: int, far: int, code: int, reliable: bool | None, tmp_path: Path, command: Command) -> None:
    data, plan = write_table(tmp_path, treated=treated, far=far)
    said = command("evaluate", "--table", data, "--plan", plan, "--out", tmp_path / "out", "--json")
    assert said.code == code
    result = said.json()
    check_result(result)
    assert result.get("reliable") == reliable
    assert Path(result["report"]).is_file()
    if code == REFUSED:
        assert result["refused"]["rule"] == "R1"
        assert not re.search(r"\b40\b", result["refused"]["reason"])  # the rule, never the number behind it


@pytest.mark.slow
@pytest.mark.skipif(bool(why_no_pdf()), reason="Pango is not on this machine (make witnesses)")
def test_pdf_is_made_when_asked_for_and_is_in_the_manifest(tmp_path: Path, command: Command) -> None:
    data, plan = write_table(tmp_path, treated=100, far=0)
    out, asked = tmp_path / "out", ("evaluate", "--table", data, "--plan", plan, "--out", tmp_path / "out")
    assert command(*asked, "--pdf").code == DONE
    made = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert {"report.pdf", "report.ods", "report.xlsx", "tables/results.csv-metadata.json"} <= made
    kept = json.loads((out / "manifest.json").read_bytes())["outputs"]
    for name, digest in kept.items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    assert "report.pdf" in kept
    assert command(*asked).code == DONE
    assert not (out / "report.pdf").exists()  # one of an earlier run would not be of these bytes


def test_without_pango_everything_but_the_pdf_is_made(tmp_path: Path) -> None:
    """A machine without it: importing WeasyPrint fails as it does there."""
    data, plan = write_table(tmp_path, treated=100, far=0)
    (tmp_path / "weasyprint.py").write_text("raise OSError('cannot load library')\n")
    said = subprocess.run(
        [sys.executable, "-m", "counterfoil", "evaluate", "--table", data, "--plan", plan, "--out", tmp_path / "out",
         "--pdf"], capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert said.returncode == FINDINGS
    assert "Pango" in said.stderr
    assert "Install it" in said.stderr
    assert (tmp_path / "out" / "report.ods").is_file()
    assert not (tmp_path / "out" / "report.pdf").exists()


# --- JSON -------------------------------------------------------------------------------------------------------------


def test_json_of_the_small_commands(place: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    expected = {
        "new second": {"lab", "settings"},
        "template --out t.xlsx": {"template"},
        "check list.csv": {"must_fix", "summary", "people", "rows", "findings"},
        "power --people 200": {"people"},
        "doctor second": {"lab", "findings"},
        "population --out p --people 2000": {"people", "seed", "rows", "programmes"},
    }
    for arguments, keys in expected.items():
        said = command(*arguments.split(), "--json")
        assert said.code == (FINDINGS if arguments.startswith("doctor") else DONE)
        assert said.json().keys() >= keys


@pytest.mark.parametrize(
    "verb", ["log LAB verify", "log LAB show", "ledger LAB why", "clear LAB submit", "publish LAB plan"]
)
def test_help_needs_no_lab(verb: str, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the docs write it, with LAB for a name."""
    monkeypatch.chdir(tmp_path)
    assert command(*verb.split(), "--help").code == 0
