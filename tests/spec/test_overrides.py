"""Overrides (METHODS 1): append-only, chained, undone by a withdrawal, and whole whenever a process dies."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from counterfoil.errors import Fault, Refused, UsageError
from counterfoil.lab import log
from counterfoil.lab.make import make_lab
from counterfoil.lab.paths import LabPaths
from counterfoil.linkage.overrides import (
    Decision,
    Override,
    Record,
    add,
    in_force,
    override,
    overrides_file,
    read_overrides,
    withdraw,
)

A, B, C = Record("pnc", "p1"), Record("prison", "r1"), Record("pnc", "p2")
NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)


@pytest.fixture
def paths(tmp_path: Path) -> LabPaths:
    return make_lab(tmp_path / "lab").paths


def _ruling(one: Record = A, other: Record = B, decision: Decision = Decision.MUST_LINK, **said: str) -> Override:
    given = {"who": "ann", "why": "same warrant number"} | said
    return override(one, other, decision, **given, clock=lambda: NOON)


def test_a_lab_without_overrides_has_none_and_the_columns_are_there(paths: LabPaths) -> None:
    table = read_overrides(paths)
    assert table.num_rows == 0
    assert table.column_names[:8] == [
        "source_l", "record_id_l", "source_r", "record_id_r", "decision", "who", "when", "why",
    ]  # fmt: skip


def test_a_ruling_says_who_when_why_and_the_order_of_the_records_does_not_matter(paths: LabPaths) -> None:
    add(paths, _ruling(B, A, case="SAR-7", scope="criminal_justice"))
    (row,) = read_overrides(paths).to_pylist()
    entry = row.pop("entry")
    assert row == {
        "source_l": "pnc", "record_id_l": "p1", "source_r": "prison", "record_id_r": "r1", "decision": "must_link",
        "who": "ann", "when": "2026-01-31T12:00:00+00:00", "why": "same warrant number", "scope": "criminal_justice",
        "case": "SAR-7",
    }  # fmt: skip
    assert len(entry) == 64


def test_scope_chooses(paths: LabPaths) -> None:
    add(paths, _ruling(scope="criminal_justice"), _ruling(A, C, Decision.MUST_NOT_LINK))
    assert read_overrides(paths).num_rows == 2
    assert read_overrides(paths, scope="criminal_justice").num_rows == 2
    assert read_overrides(paths, scope="cross_justice")["decision"].to_pylist() == ["must_not_link"]


def test_withdrawal_leaves_both_entries_and_takes_the_ruling_out_of_force(paths: LabPaths) -> None:
    kept, gone = add(paths, _ruling(), _ruling(A, C))
    withdraw(paths, gone.entry, who="bea", why="two people after all")
    assert [each.entry for each in in_force(paths)] == [kept.entry]
    assert len(overrides_file(paths).read_bytes().splitlines()) == 3


def test_a_withdrawn_ruling_cannot_be_withdrawn_again(paths: LabPaths) -> None:
    (gone,) = add(paths, _ruling())
    withdraw(paths, gone.entry, who="bea", why="a slip")
    with pytest.raises(UsageError, match="No override in force"):
        withdraw(paths, gone.entry, who="bea", why="a slip")


def test_the_opposite_of_what_is_in_force_is_refused_until_that_is_withdrawn(paths: LabPaths) -> None:
    (first,) = add(paths, _ruling())
    with pytest.raises(Refused, match="says the opposite"):
        add(paths, _ruling(decision=Decision.MUST_NOT_LINK))
    withdraw(paths, first.entry, who="ann", why="a slip")
    add(paths, _ruling(decision=Decision.MUST_NOT_LINK))
    assert read_overrides(paths)["decision"].to_pylist() == ["must_not_link"]


def test_rulings_are_added_all_or_none(paths: LabPaths) -> None:
    with pytest.raises(Refused):
        add(paths, _ruling(A, C), _ruling(), _ruling(decision=Decision.MUST_NOT_LINK))
    assert read_overrides(paths).num_rows == 0


def test_two_people_who_rule_the_same_are_two_entries_and_one_row(paths: LabPaths) -> None:
    first, second = add(paths, _ruling(), _ruling(who="bea"))
    assert read_overrides(paths)["entry"].to_pylist() == [first.entry]
    withdraw(paths, first.entry, who="ann", why="not mine to say")
    assert read_overrides(paths)["entry"].to_pylist() == [second.entry]


@pytest.mark.parametrize("said", [{"who": " "}, {"why": ""}, {"scope": ""}, {"why": "x" * 2_001}])
def test_a_ruling_that_says_too_little_or_too_much_is_a_mistake(said: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        _ruling(A, B, Decision.MUST_LINK, **said)


def test_a_record_cannot_be_ruled_with_itself() -> None:
    with pytest.raises(UsageError, match="two records"):
        _ruling(A, A)


@pytest.mark.parametrize("left", [b"", b"{", b'{"before": "0', b"\xff\xfe"])
def test_a_half_written_last_line_costs_nothing_that_was_kept(paths: LabPaths, left: bytes) -> None:
    add(paths, _ruling())
    with overrides_file(paths).open("ab") as file:
        file.write(left)
    assert read_overrides(paths).num_rows == 1
    add(paths, _ruling(A, C))
    assert read_overrides(paths).num_rows == 2
    assert overrides_file(paths).read_bytes().endswith(b"}\n")


def test_a_damaged_line_is_a_fault_that_names_the_line_and_no_record(paths: LabPaths) -> None:
    add(paths, _ruling(), _ruling(A, C))
    lines = overrides_file(paths).read_bytes().splitlines(keepends=True)
    overrides_file(paths).write_bytes(lines[0][:40] + b"\n" + lines[1])
    with pytest.raises(Fault, match=r"^Line 1 of overrides\.jsonl is damaged") as fault:
        read_overrides(paths)
    assert "p1" not in str(fault.value)


@pytest.mark.parametrize("change", ["edit", "drop", "swap"])
def test_a_changed_file_is_a_fault(paths: LabPaths, change: str) -> None:
    add(paths, _ruling(), _ruling(A, C), _ruling(B, C))
    lines = overrides_file(paths).read_bytes().splitlines(keepends=True)
    changed = {
        "edit": [lines[0].replace(b'"p1"', b'"p9"'), *lines[1:]],
        "drop": lines[1:],
        "swap": [lines[1], lines[0], lines[2]],
    }
    overrides_file(paths).write_bytes(b"".join(changed[change]))
    with pytest.raises(Fault, match="does not follow"):
        read_overrides(paths)
    with pytest.raises(Fault, match="does not follow"):
        add(paths, _ruling(who="bea"))


def test_the_log_says_that_links_were_overridden_and_names_nobody(paths: LabPaths) -> None:
    (made,) = add(paths, _ruling())
    withdraw(paths, made.entry, who="ann", why="a slip")
    events = list(log.read(paths))[-2:]
    assert [event["event"] for event in events] == ["links overridden", "override withdrawn"]
    assert all(set(event["facts"]) == {"head"} for event in events)


def test_only_the_owner_of_the_linkers_side_can_read_the_file(paths: LabPaths) -> None:
    add(paths, _ruling())
    assert overrides_file(paths).is_relative_to(paths.linker)
    assert overrides_file(paths).stat().st_mode & 0o077 == 0


_WRITER = """
import sys
from pathlib import Path
from counterfoil.lab.paths import LabPaths
from counterfoil.linkage.overrides import Decision, Record, add, override
for number in range(10_000):
    one, other = Record("pnc", f"p{number}"), Record("prison", f"r{number}")
    add(LabPaths(Path(sys.argv[1])), override(one, other, Decision.MUST_LINK, who="ann", why="seen"))
    print(number, flush=True)
"""


def test_a_killed_writer_loses_nothing_that_it_said_was_kept(paths: LabPaths) -> None:
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(paths.root)], stdout=subprocess.PIPE) as writer:
        if writer.stdout is None:
            raise OSError("no pipe")
        for _ in range(20):
            writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
        said = 20 + len(writer.stdout.read().splitlines())
    assert said <= read_overrides(paths).num_rows <= said + 1
    add(paths, _ruling(A, C))
    assert read_overrides(paths)["record_id_r"].to_pylist()[-1] is not None
