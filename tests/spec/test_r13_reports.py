"""R13 on a whole report: what a reader of an earlier one could work out is hidden; time that runs out is a failure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from counterfoil.disclosure import Limit, More, People, Protected, protect, protect_audited, read_said, write_said
from counterfoil.disclosure.audited import Audited, Said, say_report
from counterfoil.disclosure.cells import Box
from counterfoil.disclosure.intruder.statements import Exact
from counterfoil.disclosure.settings import DEFAULT_SETTINGS
from counterfoil.errors import Refused
from lib.results import RATE, attrition_of, comparison_of, rate_effect

LARGE = (9000, 29000)
HAD = np.array([1.0] * 49 + [0.0] * 121 + [1.0] * 30)  # of 200 persons, the first 49 and the last 30


def report_of(people: int, events: int) -> tuple[Protected, People]:
    """The first `people` of a row of persons, `events` of whom had the outcome: see HAD."""
    submitted = people + 60

    flow = attrition_of(submitted, people + 40, people + 20, people)
    made = protect([rate_effect((events, people), LARGE)], comparison_of(people, 29000), flow)
    name = made.measures[0].measure.name
    boxes = {Box.SUBMITTED: submitted, Box.IN_SCOPE: people + 40, Box.COMPARABLE: people + 20, Box.ANALYSED: people}
    had = HAD[:people]
    assert had.sum() == events
    return made, People(
        keys=tuple(f"person {n}" for n in range(people)),
        analysed=np.ones(people, np.bool_),
        values={name: had},
        boxes=boxes,
        headline=had,
    )


def audited(people: int, events: int, *earlier: Said, limit: Limit | None = None) -> Audited:
    _, behind = report_of(people, events)

    def again(more: More) -> Protected:
        flow = attrition_of(people + 60, people + 40, people + 20, people)
        effects = [rate_effect((events, people), LARGE)]
        return protect(effects, comparison_of(people, 29000), flow, more=more)

    return protect_audited(again, behind, earlier, DEFAULT_SETTINGS, limit or Limit())


def earlier_of(people: int, events: int) -> Said:
    said: Said = audited(people, events).said
    return read_said(write_said(said), "the report before")


def test_r13_a_report_alone_keeps_all_that_the_rules_show() -> None:
    found = audited(140, 49)
    assert found.protected == report_of(140, 49)[0]
    assert found.record.facts()["repaired"] == []


def test_r13_one_more_person_is_not_told_of() -> None:
    """140 people of whom 49, after 139 of whom 49: the one more did not. The size and the rate must both go."""
    found = audited(140, 49, earlier_of(139, 49))
    assert found.protected.attrition.analysed.value is None
    assert found.protected.measures[0].treated.value.value is None
    words = [attack.sentence for each in found.record.repairs for attack in each.attacks]
    assert any("subtract" in one and "the report before" in one and "get 1" in one for one in words)


def test_r18_the_very_same_people_again_give_nothing_away() -> None:
    found = audited(140, 49, earlier_of(140, 49))
    assert found.protected == report_of(140, 49)[0]


def test_r18_other_people_give_nothing_away() -> None:
    """60 more people, of whom 30 had the outcome: both are counts that may be shown."""
    found = audited(200, 79, earlier_of(140, 49))
    assert found.protected.measures[0].treated.value.value is not None
    assert found.record.findings() == []


def test_r19_other_outcomes_than_before_are_a_finding() -> None:
    """The same 140 people, one of whom has the outcome no more as records were mended: somebody must look."""
    before = earlier_of(140, 49)
    values = {name: np.roll(there, 1) for name, there in before.values.items()}
    found = audited(140, 49, replace(before, values=values)).record
    assert found.changed == ("the report before",)
    assert [(one["rule"], one["never"]) for one in found.findings()] == [("R18", False)]


def test_r18_nearly_the_same_people_are_for_a_person_to_decide() -> None:
    """Where anything is still shown of them, clearance asks; here nothing is."""
    assert audited(140, 49, earlier_of(139, 49)).record.findings() == []


def test_r13_time_that_runs_out_is_a_refusal() -> None:
    with pytest.raises(Refused) as refused:
        audited(140, 49, limit=Limit(seconds=-1.0))
    assert (refused.value.rule, refused.value.exit_code) == ("R13", 3)
    assert "did not finish" in refused.value.reason


def test_r13_what_was_said_is_kept_whole() -> None:
    said = audited(140, 49).said
    kept = read_said(write_said(said), said.name)
    assert (kept.keys, kept.statements, kept.outcomes, kept.lost) == (
        said.keys, said.statements, said.outcomes, said.lost,
    )  # fmt: skip
    assert all(np.array_equal(kept.members[name], there) for name, there in said.members.items())


def test_r13_two_measures_of_the_same_fewer_people_are_two_statements() -> None:
    """Both print how many people they were measured for: whoever hides that size has to hide it beside both."""
    others = [replace(RATE, name=name, label=name) for name in ("one", "other")]
    effects = [
        rate_effect((49, 140), LARGE),
        *(rate_effect((40, 120), LARGE, measure=measure) for measure in others),
    ]
    made = protect(effects, comparison_of(140, 29000), attrition_of(200, 180, 160, 140))
    fewer = np.where(np.arange(140) < 120, HAD[:140], np.nan)
    fewer[40:49] = 0.0
    values = {RATE.name: HAD[:140], "one": fewer, "other": fewer}
    boxes = {Box.SUBMITTED: 200, Box.IN_SCOPE: 180, Box.COMPARABLE: 160, Box.ANALYSED: 140}
    people = People(
        keys=tuple(f"person {n}" for n in range(140)),
        analysed=np.ones(140, np.bool_),
        values=values,
        boxes=boxes,
        headline=HAD[:140],
    )
    said = say_report(made, people)
    sizes = [one for one in said.statements if isinstance(one, Exact) and one.value == 120]
    assert [said.hides[one.label][1] for one in sizes] == ["one", "other"]
    assert len({one.label for one in said.statements}) == len(said.statements)
