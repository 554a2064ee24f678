"""R18 before outcomes: a list of nearly the same people as another report's is held as soon as that is certain."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from counterfoil.clearance import actions
from counterfoil.clearance.moves import State
from counterfoil.cohort.values import Attrition, Step
from counterfoil.disclosure import DEFAULT_SETTINGS, Said, read_said, write_said
from counterfoil.disclosure.audited.joint import analysed_of
from counterfoil.disclosure.differencing import nearly_alike
from counterfoil.errors import Refused
from counterfoil.lab import log
from counterfoil.lab.paths import MEMBERS, SAID
from counterfoil.outcomes.measures import Measure
from counterfoil.report.about import ProviderWords
from counterfoil.study import ledger
from counterfoil.study.alike import check_analysed, check_cohort
from counterfoil.study.analysis import TREATED, analyse
from counterfoil.study.analyst import _alike
from counterfoil.study.audit import Behind
from counterfoil.study.deciding import decided, held_for
from counterfoil.study.evaluate import _nearly, _Request
from counterfoil.study.inputs import Facts, Inputs
from counterfoil.study.plan import parse_plan
from counterfoil.units import Kind
from lib.clearance import OTHER, RUN, Office, add_run, bring, make_office

RATE = Measure("back", "Back in prison", Kind.RATE, noun="returned to prison")
ROWS, LISTED, FAR = 3_000, 200, 20  # people there are, of the list, and of these who are like nobody in the pool
EARLIER = "aaaaaaaaaaaa"
EVERYBODY_COUNTS = {"method": "inverse_probability"}


def names(*numbers: int) -> tuple[str, ...]:
    return tuple(f"person {n}" for n in numbers)


def said(cohort: Sequence[str], analysed: Sequence[str]) -> Said:
    """An earlier report with nothing but its people."""
    return Said(
        name=f"the report {EARLIER}",
        keys=tuple(analysed),
        members={"people analysed": np.ones(len(analysed), np.bool_)},
        values={},
        statements=(),
        cohort=tuple(cohort),
    )


def run(folder: Path, earlier: Said, comparison: Mapping[str, Any], *, far: int = 0) -> tuple[dict[str, Any], bool]:
    """A list of persons 0 to 199, the last `far` of whom are like nobody; the answer, and whether outcomes were opened.

    The earlier report counts as one in flight, so that R13 has nothing to say of it.
    """
    rng = np.random.default_rng(5)
    age = rng.normal(35.0, 9.0, ROWS).round()
    age[LISTED - far : LISTED] += 200.0
    inputs = Inputs(
        run=RUN,
        plan=parse_plan({"title": "A service", "comparison": comparison}, "plan"),
        people=pa.table({TREATED: np.arange(ROWS) < LISTED, "age": age}),
        covariates=("age",),
        attrition=Attrition(people={Step.SUBMITTED: LISTED}),
        measures=(RATE,),
        folder=folder,
        inputs={},
        facts=Facts(today=dt.date(2022, 3, 1)),
        behind=Behind(
            keys=names(*range(LISTED)), study_keys=tuple(range(LISTED)), alike=((EARLIER, earlier),), seal=bytes
        ),
    )
    opened: list[str] = []

    def outcomes() -> Mapping[str, npt.NDArray[np.float64]]:
        opened.append("")
        return {RATE.name: (np.arange(ROWS) % 3 == 0).astype(np.float64)}

    return analyse(inputs, outcomes), bool(opened)


# who the earlier list was, D being 10: the first and the last one whom it has, as numbers of persons -> held
LISTS = [
    (0, 199, False),  # the very same people: nobody is told apart
    (0, 198, True),  # one fewer than now
    (0, 200, True),  # one more
    (0, 190, True),  # nine fewer
    (0, 189, False),  # ten fewer: enough to stand on their own
    (9, 299, True),  # nine are new, and a hundred are gone
    (10, 299, False),
    (1_000, 1_003, False),  # nobody is in both
]


@pytest.mark.parametrize(("first", "last", "held"), LISTS)
def test_r18_a_list_of_nearly_the_same_people_is_held_before_anyone_is_matched(
    tmp_path: Path, first: int, last: int, held: bool
) -> None:
    people = names(*range(first, last + 1))
    result, opened = run(tmp_path, said(people, people), EVERYBODY_COUNTS)
    audit = json.loads((tmp_path / "audit.json").read_text())
    if not held:
        assert opened
        assert "refused" not in result
        assert audit["findings"] == []
        return
    assert not opened
    assert result["refused"]["rule"] == "R18"
    assert not (tmp_path / "frozen.json").exists()  # not even a comparison was made
    assert audit["passed"] is False
    assert audit["held"] == [EARLIER]
    assert audit["findings"] == [{"rule": "R18", "cell": nearly_alike(f"the report {EARLIER}"), "never": False}]
    page = (tmp_path / "report.html").read_text("utf-8")
    assert EARLIER not in page  # which report it is, is for the lab alone
    assert "Fewer than 10 people are in this list" in page


def followed_from(day: str, *numbers: int) -> tuple[str, ...]:
    return tuple(f"{name} {day}" for name in names(*numbers))


# who is in another list, by their numbers; how many of them are followed from the same day -> held
DAYS = [
    (200, 0, False),  # the very same people
    (199, 0, True),  # one fewer, everybody from another day
    (199, 180, True),  # nineteen from another day: neither by whom they are, nor that these differ, is one told apart
    (190, 0, False),  # ten fewer
    (200, 195, True),  # the same, and what became of five from another day can be taken from it
]


@pytest.mark.parametrize(("people", "same_day", "held"), DAYS)
def test_r18_is_asked_of_people_whatever_day_they_are_followed_from(people: int, same_day: int, held: bool) -> None:
    """The rule compares persons. A list of all but one of another, with another window for the index event, has other
    days and so other keys."""
    now = followed_from("2018-01-01", *range(LISTED))
    then = (*now[:same_day], *followed_from("2018-03-01", *range(same_day, people)))
    for check in (check_cohort, check_analysed):
        if held:
            with pytest.raises(Refused) as refused:
                check(now, [(EARLIER, said(then, then))], DEFAULT_SETTINGS)
            assert (refused.value.rule, refused.value.about) == ("R18", (EARLIER,))
        else:
            check(now, [(EARLIER, said(then, then))], DEFAULT_SETTINGS)


def test_r18_whom_a_report_could_not_match_counts_where_lists_are_compared(tmp_path: Path) -> None:
    """197 of the 200 were in its list. It could match 100 of them, so that the groups analysed are far apart."""
    earlier = said(names(*range(197)), names(*range(100)))
    assert run(tmp_path, earlier, EVERYBODY_COUNTS)[0]["refused"]["rule"] == "R18"


def test_r18_lists_that_are_far_apart_and_are_matched_down_to_nearly_the_same_are_held(tmp_path: Path) -> None:
    """Twenty of this list are like nobody. What is left is the earlier report's group and three more."""
    group = names(*range(LISTED - FAR - 3))
    far_apart = said((*group, *names(*range(500, 530))), group)
    method = {"method": "radius", "keep_share": 0.5}
    result, opened = run(tmp_path, far_apart, method, far=FAR)
    assert (result["refused"]["rule"], opened) == ("R18", False)
    assert not (tmp_path / "frozen.json").exists()
    unlike = replace(far_apart, members={"people analysed": np.arange(len(group)) < 170})
    assert run(tmp_path / "again", unlike, method, far=FAR)[1]  # ten more: goes on


def test_r18_who_is_in_scope_is_kept_and_a_report_of_before_that_is_read(tmp_path: Path) -> None:
    result, _ = run(tmp_path, said(names(1_000), names(1_000)), EVERYBODY_COUNTS)
    assert "refused" not in result
    kept = (tmp_path / "said.json").read_bytes()
    assert read_said(kept, "it").cohort == names(*range(LISTED))
    members = json.loads((tmp_path / "members.age").read_bytes())["populations"]
    assert members["people in scope"] == list(range(LISTED))
    older = {name: each for name, each in json.loads(kept).items() if name not in ("cohort", "apart", "untold")}
    read = read_said(json.dumps(older).encode(), "this report")
    assert read.cohort == ()
    assert write_said(replace(read, cohort=names(*range(LISTED)), untold=read_said(kept, "it").untold)) == kept


@pytest.fixture
def held(tmp_path: Path) -> Office:
    """A run that was held for OTHER, which is before the checkers."""
    office = make_office(tmp_path / "lab")
    finding = {"rule": "R18", "cell": nearly_alike(f"the report {OTHER}"), "never": False}
    audit = {"release": office.digest(), "passed": False, "findings": [finding], "held": [OTHER]}
    (office.lab.paths.run(RUN) / "audit.json").write_text(json.dumps(audit))
    return office


def test_r18_a_list_is_compared_with_reports_before_the_checkers_but_those_decided_about(held: Office) -> None:
    """What the command tells the analyst, and what the analyst reads for it: of one that is submitted, and no other."""
    paths = held.lab.paths
    for other in (OTHER, EARLIER):
        add_run(held.lab, other)
        (paths.run(other) / SAID).write_bytes(write_said(said(names(1, 2, 3), names(1, 2))))
        (paths.run(other) / MEMBERS).write_bytes(b"kept by the analyst")
    request = _Request(held.lab, parse_plan({"title": "A service"}, "plan"), "digest", RUN, False, ProviderWords())
    assert _alike(held.lab, _nearly(request), {}) == ()
    actions.submit(held.lab, OTHER, signer=held.signer("amina"), team=[])
    ((run, found),) = _alike(held.lab, _nearly(request), {})
    assert (run, found.cohort, analysed_of(found)) == (OTHER, names(1, 2, 3), frozenset(names(1, 2)))
    actions.allow_exception(held.lab, RUN, ask(held), signer=held.signer("eve"))
    assert _alike(held.lab, _nearly(request), {}) == ()


def ask(office: Office, until: str = "2026-12-31") -> str:
    cell = nearly_alike(f"the report {OTHER}")
    given = {"rule": "R18", "cell": cell, "reason": "A mended list.", "risk": "None beyond that.", "until": until}
    return actions.ask_exception(office.lab, RUN, signer=office.signer("amina"), **given).exceptions[-1].entry


def test_r18_somebody_of_a_higher_grade_decides_and_only_until_a_day(held: Office) -> None:
    assert held_for(held.lab.paths, RUN) == (OTHER,)
    assert decided(held.lab, RUN, [OTHER]) == ()
    asked = ask(held)
    assert decided(held.lab, RUN, [OTHER]) == ()  # asked for is not allowed
    actions.allow_exception(held.lab, RUN, asked, signer=held.signer("eve"))
    assert decided(held.lab, RUN, [OTHER, EARLIER]) == (OTHER,)  # of one report, and of no other
    assert decided(held.on(dt.date(2026, 12, 31)).lab, RUN, [OTHER]) == (OTHER,)


def test_r18_a_decision_ends_with_its_day(held: Office) -> None:
    actions.allow_exception(held.lab, RUN, ask(held), signer=held.signer("eve"))
    assert decided(held.on(dt.date(2027, 1, 1)).lab, RUN, [OTHER]) == ()


def test_r18_the_refusal_itself_does_not_leave_without_that_decision(held: Office) -> None:
    """That a list is held tells that somebody of it was found: it is no answer for a provider."""
    with pytest.raises(Refused) as refused:
        actions.submit(held.lab, RUN, signer=held.signer("amina"), team=[])
    assert refused.value.rule == "R18"


def test_r18_a_report_that_is_in_the_ledger_is_not_held_for_a_later_one(tmp_path: Path) -> None:
    office = bring(make_office(tmp_path), State.CLEARED)
    facts = {"run": RUN, "release": "r", "cells": "c", "people": "p", "said": "s"}
    log.append(office.lab.paths, ledger.ENTERED, facts)
    assert decided(office.lab, RUN, [OTHER]) == (OTHER,)
    assert held_for(office.lab.paths, RUN) == ()
