"""Answers of clerical review: labels always, overrides when ruled or agreed, undone whole; and how far people agree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from counterfoil.errors import Refused, UsageError
from counterfoil.lab.make import make_lab
from counterfoil.lab.paths import LabPaths
from counterfoil.linkage import journal, overrides
from counterfoil.linkage.overrides import Decision, Record
from counterfoil.linkage.review.agreement import agreement, kappa_of
from counterfoil.linkage.review.decisions import (
    Reply,
    answers,
    decide,
    decisions_file,
    export_labels,
    labels,
    settle,
    undo,
)
from counterfoil.linkage.review.values import Answer, Item, Pair, Reason
from counterfoil.warehouse import read_table

PUBLISHED = 0.005  # the book gives two decimals
NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
SAME, DIFFERENT, CANNOT_TELL = Answer.SAME, Answer.DIFFERENT, Answer.CANNOT_TELL


@pytest.fixture
def paths(tmp_path: Path) -> LabPaths:
    return make_lab(tmp_path / "lab").paths


def _item(number: int = 1) -> Item:
    pair = Pair(Record("pnc", f"p{number}"), Record("prison", f"r{number}"))
    return Item(pair, Reason.SAMPLE, 0.0, "drawn at random", 9.5, "loose, from 8 to 14")


def _say(paths: LabPaths, who: str, said: Answer, *, number: int = 1, rules: bool = False) -> None:
    decide(paths, Reply(_item(number), who, said, 4.2, rules), spine="s1", clock=lambda: NOON)


def _rulings(paths: LabPaths) -> list[str]:
    return list(overrides.read_overrides(paths)["decision"].to_pylist())


def test_an_answer_is_a_label_with_who_when_and_how_long(paths: LabPaths) -> None:
    _say(paths, "ann", CANNOT_TELL)
    (row,) = labels(paths).drop_columns(["entry"]).to_pylist()
    assert row == {
        "source_l": "pnc", "record_id_l": "p1", "source_r": "prison", "record_id_r": "r1", "reviewer": "ann",
        "answer": "cannot_tell", "seconds": 4.2, "when": "2026-01-31T12:00:00+00:00", "reason": "sample",
        "stratum": "loose, from 8 to 14", "spine": "s1", "product": "spine",
    }  # fmt: skip


S, D, C = SAME, DIFFERENT, CANNOT_TELL


@pytest.mark.parametrize(
    ("said", "ruling"),
    [
        ([S], []),
        ([S, S], ["must_link"]),
        ([D, D], ["must_not_link"]),
        ([S, D], []),
        ([S, C], []),
        ([C, C], []),
        ([S, D, S], ["must_link"]),
        ([S, D, C], []),
        ([S, C, S], ["must_link"]),
        ([D, S, D], ["must_not_link"]),
    ],
)
def test_two_who_agree_make_an_override(paths: LabPaths, said: Sequence[Answer], ruling: list[str]) -> None:
    for who, answer in zip(("ann", "bea", "cal"), said, strict=False):
        _say(paths, who, answer)
    assert _rulings(paths) == ruling
    assert labels(paths).num_rows == len(said)


def test_a_reviewer_who_rules_makes_an_override_alone(paths: LabPaths) -> None:
    _say(paths, "ann", DIFFERENT, rules=True)
    (made,) = overrides.in_force(paths)
    assert (made.decision, made.who) == (Decision.MUST_NOT_LINK, "ann")
    assert made.case.startswith("review ")


def test_undo_takes_back_the_answer_and_the_override_that_stood_on_it(paths: LabPaths) -> None:
    _say(paths, "ann", SAME)
    _say(paths, "bea", SAME)
    undone = undo(paths, "bea")
    assert undone is not None
    assert undone.reviewer == "bea"
    assert _rulings(paths) == []
    assert [each.reviewer for each in answers(paths)] == ["ann"]
    entries = [entry.facts["kind"] for entry in journal.read(decisions_file(paths))]
    assert entries == ["answer", "answer", "undo"]  # nothing is deleted


def test_undo_goes_back_one_answer_at_a_time_and_touches_only_ones_own(paths: LabPaths) -> None:
    for number in (1, 2):
        _say(paths, "ann", SAME, number=number)
        _say(paths, "bea", DIFFERENT, number=number)
    assert undo(paths, "ann") is not None
    assert undo(paths, "ann") is not None
    assert undo(paths, "ann") is None
    assert {each.reviewer for each in answers(paths)} == {"bea"}


def test_an_undone_pair_can_be_answered_again(paths: LabPaths) -> None:
    _say(paths, "ann", SAME, rules=True)
    undo(paths, "ann")
    _say(paths, "ann", DIFFERENT, rules=True)
    assert _rulings(paths) == ["must_not_link"]


def test_nobody_answers_a_pair_twice(paths: LabPaths) -> None:
    _say(paths, "ann", SAME)
    with pytest.raises(UsageError, match="answered this pair already"):
        _say(paths, "ann", SAME)
    assert labels(paths).num_rows == 1


def test_an_answer_is_of_one_product_and_counts_for_no_other(paths: LabPaths) -> None:
    """One reviewer may answer a pair for two products: that is one person's word, and no override."""
    for product in ("spine", "criminal_justice"):
        decide(paths, Reply(_item(), "ann", SAME, 1.0), spine="s1", product=product)
    assert [(each.product, each.reviewer) for each in answers(paths)] == [("spine", "ann"), ("criminal_justice", "ann")]
    assert [each.product for each in answers(paths, "criminal_justice")] == ["criminal_justice"]
    assert labels(paths)["product"].to_pylist() == ["criminal_justice", "spine"]
    assert _rulings(paths) == []
    taken = undo(paths, "ann")
    assert taken is not None
    assert taken.product == "spine"
    assert [each.product for each in answers(paths)] == ["criminal_justice"]


def test_reviewers_who_agree_otherwise_for_another_product_make_no_second_override(paths: LabPaths) -> None:
    for product, said in (("spine", SAME), ("criminal_justice", SAME), ("criminal_justice", DIFFERENT)):
        who = ("cal", "dee", "eve") if said is DIFFERENT else ("ann", "bea")
        for reviewer in who:
            decide(paths, Reply(_item(), reviewer, said, 1.0), spine="s1", product=product)
    assert _rulings(paths) == ["must_link"]


def test_answers_are_kept_all_or_none(paths: LabPaths) -> None:
    replies = [Reply(_item(number), "ann", SAME, 1.0) for number in (1, 2, 1)]
    with pytest.raises(UsageError):
        decide(paths, *replies, spine="s1")
    assert labels(paths).num_rows == 0


@pytest.mark.parametrize("reply", [Reply(_item(), " ", SAME, 1.0), Reply(_item(), "ann", CANNOT_TELL, 1.0, rules=True)])
def test_what_says_nothing_is_a_mistake(paths: LabPaths, reply: Reply) -> None:
    with pytest.raises(UsageError):
        decide(paths, reply, spine="s1")


def test_an_override_that_says_the_opposite_stands_and_the_answer_says_so(paths: LabPaths) -> None:
    pair = _item().pair
    overrides.add(paths, overrides.override(pair.left, pair.right, Decision.MUST_LINK, who="cal", why="a court order"))
    kept = decide(paths, Reply(_item(), "ann", DIFFERENT, 1.0, rules=True), spine="s1")
    assert kept.opposed == (pair,)
    assert _rulings(paths) == ["must_link"]
    assert labels(paths).num_rows == 1


def test_an_override_that_somebody_withdrew_does_not_come_back(paths: LabPaths) -> None:
    _say(paths, "ann", SAME, rules=True)
    (made,) = overrides.in_force(paths)
    overrides.withdraw(paths, made.entry, who="cal", why="two brothers")
    assert settle(paths) == ((), ())
    assert _rulings(paths) == []


def test_overrides_that_a_killed_process_left_undone_are_made(paths: LabPaths) -> None:
    _say(paths, "ann", SAME)
    _say(paths, "bea", SAME)
    overrides.overrides_file(paths).unlink()  # as if it had died between the answer and the override
    settle(paths)
    assert _rulings(paths) == ["must_link"]


def test_labels_are_exported_inside_the_linkers_side_and_nowhere_else(paths: LabPaths, tmp_path: Path) -> None:
    _say(paths, "ann", SAME)
    file = paths.linker / "review" / "labels.parquet"
    assert export_labels(paths, file) == 1
    assert read_table(file).equals(labels(paths))
    for elsewhere in (tmp_path / "labels.parquet", paths.public / "labels.parquet"):
        with pytest.raises(Refused, match="linker folder"):
            export_labels(paths, elsewhere)


def test_without_the_linkers_key_nothing_is_read_or_kept(paths: LabPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    _say(paths, "ann", SAME)
    monkeypatch.setattr("counterfoil.linkage.review.access.decrypt", lambda *_, **__: refuse())
    for act in (lambda: labels(paths), lambda: undo(paths, "ann"), lambda: _say(paths, "bea", SAME)):
        with pytest.raises(Refused, match="only the linker"):
            act()


def test_kappa_is_the_published_one_and_its_interval_that_of_another_program() -> None:
    """Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, chapter 18: two raters, three diagnoses,
    100 patients, kappa 0.68. The interval is that of statsmodels."""
    table = np.array([[75, 1, 4], [5, 4, 1], [0, 0, 10]])
    found, theirs = kappa_of(table), cohens_kappa(table)
    assert found.estimate == pytest.approx(0.68, abs=PUBLISHED)
    assert (found.low, found.high) == pytest.approx((theirs.kappa_low, theirs.kappa_upp), abs=1e-9)


def test_kappa_worked_out_by_hand() -> None:
    """20 and 15 of 50 agree; by chance 0.5 x 0.6 + 0.5 x 0.4 = 0.5 would; (0.7 - 0.5) / 0.5 = 0.4."""
    found = kappa_of(np.array([[20, 5], [10, 15]]))
    assert found.estimate == pytest.approx(0.4)


def test_no_kappa_where_there_is_nothing_to_tell() -> None:
    assert kappa_of(np.zeros((3, 3), dtype=np.int64)).estimate is None
    assert kappa_of(np.diag([9, 0, 0])).estimate is None


def test_agreement_counts_pairs_that_two_looked_at(paths: LabPaths) -> None:
    said = [(SAME, SAME), (SAME, DIFFERENT), (DIFFERENT, DIFFERENT), (CANNOT_TELL, CANNOT_TELL), (SAME, None)]
    for number, (ann, bea) in enumerate(said):
        _say(paths, "ann", ann, number=number)
        if bea is not None:
            _say(paths, "bea", bea, number=number)
    found = agreement(answers(paths))
    assert (found.pairs, found.agreed) == (4, 0.75)
