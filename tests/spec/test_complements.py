"""Measures that add up: what one hides, the others must not give away (DISCLOSURE R13, secondary suppression)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from counterfoil.disclosure import Rule, protect
from counterfoil.effect.values import Effect, Group
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind
from lib.results import RATE, attrition_of, comparison_of, effect_of, rate_effect

LARGE = (9100, 24000)
WHOLE = Measure("reoffences", "Reoffences", Kind.COUNT)
GROUPS = ("theft", "violence", "fraud")
PARTS = [replace(WHOLE, name=name, part_of="reoffences by group") for name in GROUPS]


def count(measure: Measure, value: float, people: int) -> Effect:
    treated = Group(137, 137.0, value, 1.0, people)
    return effect_of(measure, treated, Group(24000, 24000.0, 1.0, 3.0, 9100))


def hidden_of(*effects: Effect) -> dict[str, Rule | None]:
    every = (rate_effect((48, 137), LARGE, measure=RATE), *effects)
    measures = protect(every, comparison_of(137, 24000), attrition_of(400, None, None, 137)).measures[1:]
    return {one.measure.name: one.hidden for one in measures}


def parts(people: Sequence[int]) -> list[Effect]:
    return [count(m, value, n) for m, value, n in zip(PARTS, (0.6, 0.2, 0.1), people, strict=True)]


def test_r13_the_smallest_other_part_is_hidden_with_the_only_one() -> None:
    found = hidden_of(count(WHOLE, 0.9, 48), *parts([40, 20, 5]))
    assert found == {"reoffences": None, "theft": None, "violence": Rule.R13, "fraud": Rule.R3}


def test_r13_two_hidden_parts_hide_each_other() -> None:
    found = hidden_of(count(WHOLE, 0.9, 48), *parts([40, 6, 5]))
    assert found == {"reoffences": None, "theft": None, "violence": Rule.R3, "fraud": Rule.R3}


def test_r13_without_the_whole_nothing_is_given_away() -> None:
    assert hidden_of(*parts([40, 20, 5])) == {"theft": None, "violence": None, "fraud": Rule.R3}


def test_r13_a_change_is_hidden_where_one_of_its_two_is() -> None:
    before = replace(WHOLE, name="before")
    change = Measure("change", "Change", Kind.AMOUNT, sum_of=("reoffences", "before"))
    found = hidden_of(count(WHOLE, 0.9, 48), count(before, 1.5, 4), count(change, -0.6, 60))
    assert found == {"reoffences": None, "before": Rule.R3, "change": Rule.R13}


def test_r08_too_few_behind_a_total_of_days() -> None:
    days = Measure("days", "Days", Kind.DAYS)
    assert hidden_of(count(days, 20.0, 9)) == {"days": Rule.R8}
    assert hidden_of(count(days, 20.0, 40)) == {"days": None}


def test_r08_one_person_with_too_much_of_the_total() -> None:
    harm = Measure("harm", "Harm", Kind.AMOUNT)
    effect = count(harm, 20.0, 40)
    for largest, rule in ((0.11, Rule.R8), (0.10, None)):
        assert hidden_of(replace(effect, treated=replace(effect.treated, largest=largest))) == {"harm": rule}


def test_r17_two_measures_of_populations_that_differ_by_a_few() -> None:
    """Two years are covered for 110 people and, of another measure, for 105: five people between the two."""
    rates = [replace(RATE, name=name) for name in ("one", "other", "third")]
    effects = [rate_effect((40, n), (8000, 20000), measure=m) for m, n in zip(rates, (110, 105, 95), strict=True)]
    assert hidden_of(*effects) == {"one": None, "other": Rule.R17, "third": None}
