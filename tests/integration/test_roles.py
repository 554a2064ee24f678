"""The process roles (DESIGN 2, DISCLOSURE A4, A11, R12): who can open what, and what is left behind or given away.

Which path a role may open is written from the table of roles, not from the code.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from counterfoil.errors import Fault
from counterfoil.lab.keys import Role, decrypt
from counterfoil.lab.make import make_lab
from counterfoil.lab.paths import LabPaths
from counterfoil.lab.progress import silent
from counterfoil.records.provider import read_submission
from counterfoil.study import roles
from counterfoil.study.roles import ProcessRole, run_role, start_role
from lib.labs import MadeLab
from lib.provider_files import HEADINGS, row, write_csv
from lib.small_lab import Evaluated, call, call_here, copy_of, files_under, up_to_the_handover

pytestmark = pytest.mark.slow  # they share a lab of 12,000 people

# What each role must not open, and what it needs, as patterns below a lab.
SHUT = {
    ProcessRole.INTAKE: [
        "linker/key.age",
        "linker/register.secret",
        "linker/spine/*/people.parquet",
        "analyst/key.age",
    ],
    ProcessRole.LINKER: [
        "analyst/key.age",
        "analyst/extracts/pnc/*/offences.parquet",
        "analyst/extracts/pnc/*/disposals.parquet",
        "analyst/register/*/outcomes.parquet",
    ],
    ProcessRole.ANALYST: [
        "linker/key.age",
        "linker/register.secret",
        "linker/extracts/pnc/*/identifiers.parquet",
        "linker/spine/*/people.parquet",
    ],
}
OPEN = {
    ProcessRole.INTAKE: ["lab.toml"],
    ProcessRole.LINKER: ["lab.toml", "linker/key.age", "linker/extracts/pnc/*/identifiers.parquet"],
    ProcessRole.ANALYST: ["lab.toml", "analyst/key.age", "analyst/extracts/pnc/*/offences.parquet"],
}
TRY_TO_OPEN = """
import json, os, sys
from pathlib import Path
from counterfoil.lab.paths import LabPaths
from counterfoil.study.roles import ProcessRole, guard

def opens(way, path):
    try:
        way(path)
    except PermissionError:
        return False
    return True

role, lab, *paths = sys.argv[1:]
guard(ProcessRole(role), LabPaths(Path(lab)))
os.chdir(lab)
ways = (open, lambda p: os.open(p, os.O_RDONLY), lambda p: open(os.path.relpath(p)), lambda p: Path(p).read_bytes(),
        lambda p: open(os.fsencode(p)), lambda p: open(os.path.join(lab, "public", "..", os.path.relpath(p))))
print(json.dumps({path: [opens(way, path) for way in ways] for path in paths}))
"""
# The analyst's parent, without root's right to open everything: an ordinary account keeps out by itself.
WITHOUT_PRIVILEGE = """
import ctypes, json, os, sys
from pathlib import Path
from counterfoil.study.roles import ProcessRole, run_role

if len(sys.argv) == 3 and os.geteuid() == 0:
    for right in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        if ctypes.CDLL(None).prctl(24, right, 0, 0, 0) != 0:  # PR_CAPBSET_DROP
            sys.exit("cannot drop")
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:], "dropped"])
try:
    os.listdir(sys.argv[2])
except PermissionError:
    print(json.dumps(run_role(ProcessRole.ANALYST, "evaluate", json.loads(sys.argv[1]))))
"""
SURNAME, BORN = "Zyxwick", "19/08/1977"
MARKERS = (b"zyxwick", b"19/08/1977", b"1977-08-19", b"19.08.1977")


def one(lab: Path, pattern: str) -> str:
    """The one path of a lab that fits a pattern."""
    (path,) = lab.glob(pattern)
    return str(path)


@pytest.mark.parametrize("role", ProcessRole)
def test_a04_a_role_opens_its_own_side_alone(small_lab: MadeLab, role: ProcessRole) -> None:
    lab = small_lab.lab.paths.root
    shut, opened = ([one(lab, pattern) for pattern in table[role]] for table in (SHUT, OPEN))
    command = [sys.executable, "-c", TRY_TO_OPEN, role.value, str(lab), *shut, *opened]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    answers = json.loads(done.stdout)
    assert {path: set(answers[path]) for path in shut} == {path: {False} for path in shut}
    assert {path: set(answers[path]) for path in opened} == {path: {True} for path in opened}


@pytest.fixture(scope="module")
def handed_over(small_lab: MadeLab, tmp_path_factory: pytest.TempPathFactory) -> tuple[MadeLab, dict[str, Any]]:
    """A copy of the lab in which the linker has done its part for Northgate, and what the analyst is asked then."""
    made = copy_of(small_lab, tmp_path_factory.mktemp("handed") / "lab")
    chosen = made.population.programmes["northgate"]
    return made, up_to_the_handover(made, chosen.file, chosen.plan).asked_of_analyst


def test_a04_the_analyst_needs_nothing_of_the_linker(
    handed_over: tuple[MadeLab, dict[str, Any]], evaluated: Evaluated, tmp_path: Path
) -> None:
    made, asked = handed_over
    linker = made.lab.paths.linker
    linker.rename(tmp_path / "elsewhere")
    try:
        result = run_role(ProcessRole.ANALYST, "evaluate", asked)
    finally:
        (tmp_path / "elsewhere").rename(linker)
    assert Path(result["report"]).read_bytes() == (evaluated.folder / "report.html").read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's privileges to be dropped one by one")
def test_a04_the_analyst_works_while_the_linkers_folder_is_unreadable(
    handed_over: tuple[MadeLab, dict[str, Any]], evaluated: Evaluated
) -> None:
    """Database and Parquet readers open files below the level that the guard sees: this is the wall behind it."""
    made, asked = handed_over
    linker = made.lab.paths.linker
    linker.chmod(0)
    try:
        command = [sys.executable, "-c", WITHOUT_PRIVILEGE, json.dumps(asked), str(linker)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    finally:
        linker.chmod(0o700)
    if "cannot drop" in done.stderr:
        pytest.skip("this account may not drop root's right to open everything")
    result = json.loads(done.stdout)
    assert Path(result["report"]).read_bytes() == (evaluated.folder / "report.html").read_bytes()


def test_a04_keys_open_their_own_side_alone(evaluated: Evaluated) -> None:
    paths = evaluated.made.lab.paths
    (submission,) = {p.parent for p in paths.linker.glob("submissions/*/file.age")} & {submitted(evaluated)}
    upload, handover = (submission / "file.age").read_bytes(), (evaluated.folder / "handover.age").read_bytes()
    file = evaluated.made.population.programmes["northgate"].file
    assert decrypt(paths, upload, by=Role.LINKER) == file.read_bytes()
    assert decrypt(paths, handover, by=Role.ANALYST)
    for data, role in ((upload, Role.ANALYST), (handover, Role.LINKER)):
        with pytest.raises(Fault, match="cannot be opened with this lab's"):
            decrypt(paths, data, by=role)


def submitted(evaluated: Evaluated) -> Path:
    """The folder of the evaluated submission."""
    inputs = json.loads((evaluated.folder / "manifest.json").read_bytes())["inputs"]
    return evaluated.made.lab.paths.submission(inputs["file"][:16])


def marks_of(file: Path, made: MadeLab) -> set[bytes]:
    """What nobody but the linker may see of a list: its longer surnames, and every number. In lower case."""
    entries = read_submission(file, made.lab.settings.date()).entries
    names = [name for name in entries["surname"].to_pylist() if name and len(name) > 6 and name.isascii()]
    numbers = [n for column in ("pnc_id", "prison_number") for n in entries[column].to_pylist() if n]
    assert min(len(names), len(numbers)) > 30
    return {text.casefold().encode() for text in (*names, *numbers)}


def texts_of(path: Path) -> bytes:
    """Every text in a Parquet file, which compression hides from a search of its bytes; in lower case."""
    table = pq.read_table(path)
    columns = [table[field.name] for field in table.schema if pa.types.is_string(field.type)]
    values = [v for column in columns for v in pc.unique(column.cast(pa.string())).to_pylist() if v]
    return "\n".join(values).casefold().encode()


def seen_in(roots: list[Path], marks: set[bytes] | tuple[bytes, ...]) -> list[tuple[str, bytes]]:
    """Which mark stands in which file under `roots`, names of files included."""
    found = []
    for path in (p for root in roots for p in (root.rglob("*") if root.is_dir() else [root])):
        content = os.fsencode(path.name).lower()
        if path.is_file():
            content += path.read_bytes().lower() + (texts_of(path) if path.suffix == ".parquet" else b"")
        found += [(str(path), mark) for mark in marks if mark in content]
    return found


def test_a04_no_name_and_no_number_outside_the_linkers_side(evaluated: Evaluated) -> None:
    made, paths = evaluated.made, evaluated.made.lab.paths
    marks = marks_of(made.population.programmes["northgate"].file, made)
    outside = [paths.analyst, paths.public, paths.root / "log", submitted(evaluated), evaluated.temporary]
    assert seen_in(outside, marks) == []
    assert list(evaluated.temporary.iterdir()) == []
    said = (evaluated.said.out + evaluated.said.err).casefold().encode()
    assert [mark for mark in marks if mark in said] == []


def test_a04_the_search_finds_what_is_there(evaluated: Evaluated) -> None:
    """The names do stand in clear, or compressed, where the linker keeps them: the search above is not blind."""
    made = evaluated.made
    marks = marks_of(made.population.programmes["northgate"].file, made)
    assert len({mark for _, mark in seen_in([made.lab.paths.linker / "extracts"], marks)}) > 30


MARKED = row(surname=SURNAME, born=BORN)
FAILING = """
import sys
from counterfoil.study import child, tasks
from counterfoil.study.roles import ProcessRole

def fail(arguments, progress, answer):
    if arguments.get("first"):
        answer({"linked": True})
    print("Zyxwick 19/08/1977")
    raise ValueError("Zyxwick 19/08/1977")

tasks.TASKS = {(ProcessRole.LINKER, "link_cohort"): fail}
sys.exit(child.main(*sys.argv[1:4]))
"""


def without_birth_and_numbers(path: Path) -> Path:
    """A list that lacks every column by which a person could be found."""
    return write_csv(path, [[SURNAME, "Nerys", BORN]], headings=("Surname", "Forename", "Notes"))


def encrypted(path: Path) -> Path:
    """What a password makes of a workbook: an OLE container. Nothing in it is read."""
    path = path.with_suffix(".xlsx")
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + f"{SURNAME} {BORN}".encode())
    return path


@pytest.mark.parametrize("make", [without_birth_and_numbers, encrypted])
def test_a11_a_file_that_is_not_taken_leaves_no_trace(make: Any, small_lab: MadeLab, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    file = make(tmp_path / f"{SURNAME}.csv")
    paths, plan = small_lab.lab.paths, small_lab.population.programmes["northgate"].plan
    before = files_under(paths.root)
    said = call("evaluate", paths.root, file, "--plan", plan, temporary=temporary)
    assert said.code == 3
    assert files_under(paths.root) == before  # the file itself is not kept either
    assert not any(mark in (said.out + said.err).casefold().encode() for mark in MARKERS)
    assert seen_in([paths.analyst, paths.public, paths.root / "log", paths.linker / "submissions"], MARKERS) == []
    assert list(temporary.iterdir()) == []


def _failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, traceback: str = "") -> LabPaths:
    """A lab whose linker fails at whatever it is asked."""
    lab = make_lab(tmp_path / "lab").paths
    (tmp_path / "modules").mkdir()
    (tmp_path / "temporary").mkdir()
    (tmp_path / "modules" / "failing_child.py").write_text(FAILING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setenv("COUNTERFOIL_TRACEBACK", traceback)
    monkeypatch.setattr(roles, "CHILD_MODULE", "failing_child")
    return lab


@pytest.mark.parametrize("traceback", ["", "1"])
def test_a11_an_unexpected_error_in_a_child(traceback: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = _failing(tmp_path, monkeypatch, traceback)
    with pytest.raises(Fault, match=r"ended without an answer \(code 4\)\. It stopped at .*ValueError at") as caught:
        run_role(ProcessRole.LINKER, "link_cohort", {"lab": str(lab.root)})
    assert not any(mark in str(caught.value).casefold().encode() for mark in MARKERS)
    assert seen_in([lab.root, tmp_path / "temporary"], MARKERS) == []


def test_a11_a_file_that_is_absent_is_not_repeated(
    small_lab: MadeLab, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    plan = small_lab.population.programmes["northgate"].plan
    for arguments in (
        ("evaluate", small_lab.lab.paths.root, tmp_path / f"{SURNAME}.csv", "--plan", plan),
        ("check", tmp_path / f"{SURNAME}.csv"),
    ):
        said = call_here(capfd, *arguments)
        assert said.code == 2
        assert SURNAME not in said.err + said.out


def list_with(path: Path, made: MadeLab, last: list[str]) -> Path:
    """Seventy people who are in the police's records, and one more."""
    truth = pq.read_table(made.population.truth / "truth_people.parquet")
    known = truth.filter(pc.is_valid(truth["pnc_id"])).slice(0, 70).to_pylist()
    path.parent.mkdir()
    rows = [
        row(
            surname=person["surname"],
            forename=person["forename1"],
            born=f"{person['date_of_birth']:%d/%m/%Y}",
            sex="MF"[int(person["sex"]) - 1],
            pnc=person["pnc_id"],
            prison="",
            start="14/06/2018",
        )
        for person in known
    ]
    return write_csv(path, [*rows, last], HEADINGS)


@pytest.fixture(scope="module")
def two_lists(small_lab: MadeLab, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two lists that differ in one person: one who is in the records and one who is in none."""
    folder = tmp_path_factory.mktemp("lists")
    truth = pq.read_table(small_lab.population.truth / "truth_people.parquet")
    person = truth.filter(pc.is_valid(truth["pnc_id"])).slice(70, 1).to_pylist()[0]
    known = row(
        surname=person["surname"],
        forename=person["forename1"],
        born=f"{person['date_of_birth']:%d/%m/%Y}",
        sex="MF"[int(person["sex"]) - 1],
        pnc=person["pnc_id"],
        prison="",
    )
    unknown = row(surname=SURNAME, born="27/03/1960", prison="")
    one, other = folder / "one" / "list.csv", folder / "other" / "list.csv"
    return list_with(one, small_lab, known), list_with(other, small_lab, unknown)


def test_r12_check_says_the_same_of_lists_that_differ_in_one_person(
    two_lists: tuple[Path, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    said = [
        call_here(capfd, "check", file, "--today", "2022-03-01", *form)
        for file in two_lists
        for form in ((), ("--json",))
    ]
    assert said[0] == said[2]
    assert said[1] == said[3]
    assert said[0].code == 0


def test_r12_the_linker_answers_the_same_whoever_is_found(two_lists: tuple[Path, Path], small_lab: MadeLab) -> None:
    plan = small_lab.population.programmes["northgate"].plan
    first, second = (up_to_the_handover(small_lab, file, plan) for file in two_lists)
    found = [statuses(small_lab, linked.asked_of_analyst["inputs"]["file"])[-1] for linked in (first, second)]
    assert found == ["linked", "not_found"]  # the linker does know; nobody else is told
    assert first.answer == second.answer == {}
    assert first.progress == second.progress


def statuses(made: MadeLab, digest: str) -> list[str]:
    """How each entry of a submission ended, from the linker's own account."""
    account = pq.read_table(made.lab.paths.submission(digest[:16]) / "account.parquet")
    return [status for status in account["link_status"].to_pylist() if status is not None]


def test_what_goes_wrong_after_the_answer_is_raised_when_the_child_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, answers = _failing(tmp_path, monkeypatch), []
    with (
        pytest.raises(Fault, match=r"code 4\)\. It stopped at .*ValueError at"),
        start_role(ProcessRole.LINKER, "link_cohort", str(lab.root)) as ask,
    ):
        answers.append(ask({"first": True}, silent))
    assert answers == [{"linked": True}]
