"""Clerical review on a synthetic lab: the queue, what is shown, a terminal driven by keys alone, a killed sitting."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console
from rich.screen import Screen
from scipy.stats import binom

from counterfoil.cli import review_screen
from counterfoil.cli.review_desk import Desk, View
from counterfoil.errors import Refused, UsageError
from counterfoil.lab import log
from counterfoil.lab.make import OpenLab, make_lab, open_lab
from counterfoil.lab.progress import silent
from counterfoil.linkage import build_spine
from counterfoil.linkage.overrides import read_overrides
from counterfoil.linkage.quality_report.domain import quality_rules
from counterfoil.linkage.quality_report.judged import the_spine
from counterfoil.linkage.quality_report.review import estimate_from_labels, review_sample
from counterfoil.linkage.review import decisions, session
from counterfoil.linkage.review.queue import doubt, doubtful_pairs
from counterfoil.linkage.review.simulate import simulate
from counterfoil.linkage.review.task import simulate_review
from counterfoil.linkage.review.values import Answer, Item, Queue, Reason
from counterfoil.warehouse import query, read_table, write_table
from lib.links import TODAY, draw_lab_records

pytestmark = pytest.mark.slow

PEOPLE = 2000  # the fewest that a population has
SURE = 0.999  # two-sided, of the binomial bounds on simulated mistakes
PATIENCE = 60.0  # seconds for a screen to come up on a busy machine
COMMAND = str(Path(sys.executable).parent / "counterfoil")


@dataclass(frozen=True, slots=True)
class Made:
    """A linked lab, and the folder of its truth."""

    root: Path
    truth: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("review")
    tables = draw_lab_records(folder / "population", PEOPLE, seed=7)
    lab = make_lab(folder / "lab", today=TODAY)
    for source in ("pnc", "prison", "probation"):
        write_table(tables[source], lab.paths.linker_extract(source, "2026-01-01") / "identifiers.parquet")
    write_table(tables["truth"], folder / "truth" / "truth_records.parquet")
    spine = build_spine(lab).spine
    review_sample(the_spine(spine), quality_rules("justice"), today=TODAY)  # drawn once, here
    return Made(lab.paths.root, folder / "truth")


@pytest.fixture
def lab(made: Made, tmp_path: Path) -> OpenLab:
    """A lab of its own, in which nobody has answered anything."""
    shutil.copytree(made.root, tmp_path / "lab")
    return open_lab(tmp_path / "lab")


def _truth(made: Made) -> pa.Table:
    return read_table(made.truth / "truth_records.parquet")


def _surnames(lab: OpenLab) -> set[str]:
    found = session.open_review(lab, Queue.GUARDS).spine.encoded()["surname_std"].to_pylist()
    return {name for name in found if name and len(name) > 5}


# The queue


def test_the_queue_is_the_same_whenever_it_is_made(lab: OpenLab) -> None:
    assert session.open_review(lab).items == session.open_review(lab).items


def test_no_pair_is_in_the_queue_twice_and_the_most_telling_come_first(lab: OpenLab) -> None:
    items = session.open_review(lab).items
    assert len({item.pair for item in items}) == len(items)
    values = [item.value for item in items]
    assert values == sorted(values, reverse=True)
    assert all(item.value > 0 for item in items if item.reason is not Reason.SAMPLE)


def test_guards_thresholds_and_the_sample_are_all_in_it(lab: OpenLab) -> None:
    found = {item.reason for item in session.open_review(lab, Queue.ALL).items}
    assert found >= {Reason.GUARD, Reason.THRESHOLD, Reason.SAMPLE}
    only = {queue: {item.reason for item in session.open_review(lab, queue).items} for queue in Queue}
    assert only[Queue.GUARDS] <= {Reason.GUARD, Reason.BRIDGE}
    assert only[Queue.THRESHOLDS] == {Reason.THRESHOLD}
    assert only[Queue.SAMPLE] == {Reason.SAMPLE}


def test_a_threshold_pair_lies_near_its_threshold_and_its_answer_moves_people(lab: OpenLab) -> None:
    spine = session.open_review(lab, Queue.THRESHOLDS).spine
    near = [item for item in doubtful_pairs(the_spine(spine)) if item.reason is Reason.THRESHOLD]
    assert near
    for item in near:
        assert min(abs(float(item.weight or 0) - limit) for limit in spine.thresholds.values()) <= 3.0
        assert " moves " in item.why


@pytest.mark.parametrize(("weight", "expected"), [(14.0, 0.5), (15.0, 0.25), (12.0, 0.125)])
def test_the_doubt_is_a_half_at_the_threshold_and_halves_with_each_bit(weight: float, expected: float) -> None:
    assert float(doubt(weight, 14.0)) == expected


def test_every_guard_doubt_of_the_spine_is_looked_at(lab: OpenLab) -> None:
    review = session.open_review(lab, Queue.ALL)
    table = read_table(review.spine.folder / "review.parquet")
    names = ("source_l", "record_id_l", "source_r", "record_id_r")
    doubted = set(zip(*(table[name].to_pylist() for name in names), strict=True))
    pairs = {
        (i.pair.left.source, i.pair.left.record_id, i.pair.right.source, i.pair.right.record_id) for i in review.items
    }
    assert doubted <= pairs


# Reviewers


def _answer(review: session.Review, item: Item, who: str, said: Answer) -> None:
    session.answer(review, item, who, said, seconds=1.0)


def test_no_pair_comes_twice_to_one_reviewer_and_a_second_sees_the_stated_share(lab: OpenLab) -> None:
    review = session.open_review(lab, Queue.GUARDS, twice=0.0)
    first, second = review.items[:2]
    _answer(review, first, "ann", Answer.SAME)
    assert first not in session.open_items(review, "ann")
    assert first not in session.open_items(review, "bea")
    assert second in session.open_items(review, "bea")
    again = session.open_review(lab, Queue.GUARDS, twice=1.0)
    assert first in session.open_items(again, "bea")
    assert first not in session.open_items(again, "ann")


def test_a_disagreement_goes_to_a_third_first_and_then_to_somebody_who_rules(lab: OpenLab) -> None:
    review = session.open_review(lab, Queue.GUARDS, twice=1.0)
    last = review.items[-1]
    for who, said in (("ann", Answer.SAME), ("bea", Answer.DIFFERENT)):
        _answer(review, last, who, said)
    disputed = session.open_items(review, "cal")[0]
    assert (disputed.pair, disputed.reason) == (last.pair, Reason.DISAGREEMENT)
    _answer(review, disputed, "cal", Answer.CANNOT_TELL)
    assert [item.pair for item in session.for_adjudication(review)] == [last.pair]
    session.answer(review, last, "head of linking", Answer.SAME, seconds=1.0, rules=True)
    assert session.for_adjudication(review) == ()
    assert read_overrides(lab.paths)["decision"].to_pylist() == ["must_link"]


def test_a_share_outside_0_to_1_is_a_mistake(lab: OpenLab) -> None:
    with pytest.raises(UsageError):
        session.open_review(lab, twice=1.5)


def test_what_is_shown_explains_the_weight_of_the_pair(lab: OpenLab) -> None:
    review = session.open_review(lab, Queue.GUARDS)
    for shown in session.show_next(review, "ann", count=20):
        assert shown.waterfall.match_weight == pytest.approx(shown.item.weight, abs=1e-9)
        assert {"surname", "date of birth"} <= {line.label for line in shown.lines}


def test_simulated_reviewers_err_as_often_as_stated(lab: OpenLab, made: Made) -> None:
    rate = 0.05
    review = session.open_review(lab, Queue.ALL, twice=1.0)
    done = simulate(review, _truth(made), reviewers=2, error_rate=rate, seed=1)
    sql = """SELECT l.reviewer, count(*) AS n,
                    count(*) FILTER ((a.person_id = b.person_id) <> (l.answer = 'same')) AS wrong
             FROM l JOIN t a ON l.source_l = a.source AND l.record_id_l = a.record_id
             JOIN t b ON l.source_r = b.source AND l.record_id_r = b.record_id GROUP BY 1 ORDER BY 1"""
    rows = query(sql, {"l": decisions.labels(lab.paths), "t": _truth(made)}).to_pylist()
    assert [(row["n"], row["wrong"]) for row in rows] == [(each.answers, each.wrong) for each in done]
    for row in rows:
        low, high = binom.interval(SURE, row["n"], rate)
        assert row["n"] == len(review.items)
        assert low <= row["wrong"] <= high


def test_labels_are_what_the_quality_report_estimates_from(lab: OpenLab, made: Made) -> None:
    review = session.open_review(lab, Queue.SAMPLE, twice=1.0)
    simulate(review, _truth(made), reviewers=2, error_rate=0.0, seed=1)
    sample = review_sample(the_spine(review.spine), quality_rules("justice"), today=TODAY)
    found = estimate_from_labels(sample, decisions.labels(lab.paths))
    assert found is not None
    assert found.labels == sample.pairs.num_rows
    assert found.reviewers.disagreed == 0


# The command


def _run(*arguments: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "review", *arguments],
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_a_product_that_holds_the_same_sources_is_the_spine(lab: OpenLab) -> None:
    """This lab has criminal sources alone."""
    said = _run(str(lab.paths.root), "--product", "criminal_justice", "--json")
    assert said.returncode == 2
    assert "It has: spine." in said.stderr
    found = json.loads(_run(str(lab.paths.root), "--product", "cross_justice", "--queue", "guards", "--json").stdout)
    assert found["product"] == "spine"


def test_simulate_prints_counts_and_agreement_and_no_name(lab: OpenLab, made: Made) -> None:
    asked = ("--simulate", "--queue", "guards", "--truth", str(made.truth), "--error-rate", "0.02", "--reviewers", "2")
    said = _run(str(lab.paths.root), *asked, "--json")
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    assert [each["reviewer"] for each in found["simulated"]] == ["simulated 1", "simulated 2"]
    assert found["labels"] == sum(each["answers"] for each in found["simulated"])
    assert found["agreement"]["pairs"] == found["pairs"]
    for name in _surnames(lab):
        assert name not in said.stdout.upper() + said.stderr.upper()


def test_simulate_without_a_truth_is_a_mistake(lab: OpenLab, tmp_path: Path) -> None:
    asked = {"lab": str(lab.paths.root), "queue": "all", "limit": None, "twice": None, "truth": None}
    with pytest.raises(UsageError, match="--truth"):
        simulate_review(asked, silent)
    with pytest.raises(UsageError, match=r"holds no truth_records\.parquet"):
        simulate_review(asked | {"truth": str(tmp_path)}, silent)


def test_plain_lines_ask_and_say_where_values_differ_and_names_are_there_and_nowhere_else(lab: OpenLab) -> None:
    said = _run(str(lab.paths.root), "--queue", "guards", "--reviewer", "ann", "--limit", "3", "--plain",
                typed="h\nw\ny\nu\nn\nn\n?\n")  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert "Pair 1 of 3." in said.stdout
    assert "total: " in said.stdout
    assert "Taken back: your last answer." in said.stdout
    assert re.search(r"differs: left .*\[.+\].*; right .*\[.+\]", said.stdout)
    assert "\x1b" not in said.stdout
    answers = [each.answer for each in decisions.answers(lab.paths)]
    assert answers == [Answer.DIFFERENT, Answer.DIFFERENT, Answer.CANNOT_TELL]
    names = _surnames(lab)
    assert any(name in said.stdout.upper() for name in names)
    kept = decisions.decisions_file(lab.paths).read_text() + json.dumps(list(log.read(lab.paths)))
    assert not any(name in (said.stderr + kept).upper() for name in names)


_AS_ANALYST = """
import sys
from pathlib import Path
from counterfoil.lab.make import open_lab
from counterfoil.linkage.review import decisions, session
from counterfoil.study.roles import ProcessRole, guard
from counterfoil.errors import Refused
lab = open_lab(Path(sys.argv[1]))
guard(ProcessRole.ANALYST, lab.paths)
refused = 0
for act, given in ((session.open_review, [lab]), (decisions.labels, [lab.paths]), (decisions.undo, [lab.paths, "a"])):
    try:
        act(*given)
    except Refused as error:
        refused += error.rule == "roles"
print(refused)
"""


def test_the_analyst_is_refused(lab: OpenLab) -> None:
    said = subprocess.run(
        [sys.executable, "-c", _AS_ANALYST, str(lab.paths.root)], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "3"


def test_who_holds_no_key_is_refused(lab: OpenLab, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> bytes:
        raise PermissionError

    review = session.open_review(lab, Queue.GUARDS)
    monkeypatch.setattr("counterfoil.linkage.review.access.decrypt", refuse)
    with pytest.raises(Refused, match="only the linker"):
        session.show_next(review, "ann")


# The screen


@dataclass(slots=True)
class _Terminal:
    """A terminal of 80 by 24 with the command in it."""

    process: subprocess.Popen[bytes]
    descriptor: int
    seen: str = ""

    def wait_for(self, text: str) -> None:
        """Read until `text` has come since the last wait."""
        end = time.monotonic() + PATIENCE
        while text not in self.seen:
            assert time.monotonic() < end, f"{text!r} did not come"
            if select.select([self.descriptor], [], [], 0.5)[0]:
                self.seen += os.read(self.descriptor, 65536).decode(errors="replace")
        self.seen = self.seen.partition(text)[2]

    def press(self, keys: str) -> None:
        os.write(self.descriptor, keys.encode())


@contextmanager
def _terminal(lab: OpenLab, *arguments: str, **environment: str) -> Iterator[_Terminal]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [COMMAND, "review", str(lab.paths.root), "--queue", "guards", *arguments]
    given = {**os.environ, "TERM": "xterm-256color", **environment}
    for name in ("COLUMNS", "LINES"):
        given.pop(name, None)
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env=given) as process:
        os.close(theirs)
        try:
            yield _Terminal(process, ours)
        finally:
            process.kill()
            os.close(ours)


def test_a_sitting_by_keys_alone(lab: OpenLab) -> None:
    with _terminal(lab, "--reviewer", "ann", "--limit", "4", NO_COLOR="1") as terminal:
        terminal.wait_for("1 of 4")
        terminal.press("w")
        terminal.wait_for("so far")
        terminal.press("w")
        terminal.press("h")
        terminal.wait_for("cannot tell")
        terminal.press("h")
        terminal.press("y")
        terminal.wait_for("Kept: the same person.")
        terminal.press("n")
        terminal.wait_for("3 of 4")
        terminal.press("u")
        terminal.wait_for("2 of 4")
        terminal.press("\x1b[A")  # an arrow is no key of ours
        terminal.wait_for("does nothing")
        terminal.press("N")
        terminal.wait_for("It is an override now.")
        terminal.press("?q")  # keys typed ahead are all heard
        terminal.wait_for("that are kept: 3.")
        assert terminal.process.wait(PATIENCE) == 0
    said = [(each.answer, each.rules) for each in decisions.answers(lab.paths)]
    assert said == [(Answer.SAME, False), (Answer.DIFFERENT, True), (Answer.CANNOT_TELL, False)]
    assert read_overrides(lab.paths)["who"].to_pylist() == ["ann"]


def test_a_killed_sitting_loses_nothing_and_goes_on(lab: OpenLab) -> None:
    review = session.open_review(lab, Queue.GUARDS)
    with _terminal(lab, "--reviewer", "ann") as terminal:
        terminal.wait_for("1 of")
        terminal.press("y")
        terminal.wait_for("2 of")
        terminal.press("n")
        terminal.wait_for("3 of")
        os.kill(terminal.process.pid, signal.SIGKILL)
        terminal.process.wait(PATIENCE)
    answered = [each.pair for each in decisions.answers(lab.paths)]
    assert answered == [item.pair for item in review.items[:2]]
    assert session.open_items(review, "ann") == review.items[2:]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_every_view_fits_and_means_nothing_by_colour(lab: OpenLab, width: int, height: int) -> None:
    desk = Desk(session.open_review(lab, Queue.GUARDS), "ann", limit=None)
    for view in [*View, *View]:
        desk.view = view
        lines = _drawn(desk, width, height)
        assert len(lines) == height
        assert all(len(line) <= width for line in lines)
        assert "y same" in lines[-1]
        assert desk.current is not None
        labels = [line.label for line in desk.current.lines] if view is View.RECORDS else []
        assert all(any(label in line for line in lines) for label in labels)
        assert view is not View.WATERFALL or any(line.startswith("total") for line in lines)
        if view is View.HELP:
            desk.press("?")


def _drawn(desk: Desk, width: int, height: int) -> list[str]:
    """The lines of the screen; fails when any of it is coloured."""
    out = io.StringIO()
    console = Console(width=width, height=height, file=out, force_terminal=True, legacy_windows=False)
    console.print(Screen(review_screen.frame(desk, height=height)), end="")
    assert not re.search(r"\x1b\[[0-9;]*(3[0-7]|4[0-7]|38|48|9[0-7])[;m]", out.getvalue())
    return re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).split("\n")
