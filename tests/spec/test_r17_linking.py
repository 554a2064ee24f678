"""R17 on doubt about links: a range that differs from the headline's by a few people tells nothing about those few."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from counterfoil.disclosure import (
    DEFAULT_SETTINGS,
    Design,
    DrawnGroups,
    LinkAnswer,
    LinkingResult,
    ProtectedLinking,
    Rule,
    Verdict,
)
from counterfoil.disclosure.linking import EDGES, protect_linking
from counterfoil.effect import Estimate, Group, combine_estimates
from counterfoil.effect.proportions import proportions_estimate
from counterfoil.effect.welch import welch_estimate
from counterfoil.units import Kind
from lib.results import FREQUENCY, RATE

OTHERS = Group(n=20_000, ess=9_000.0, value=0.31, variance=0.2139, events=6_200)
CORE = 400  # treated in the headline and in every draw


def treated_group(outcome: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Group:
    n, rate = len(outcome), float(outcome.mean())
    return Group(n, float(n), rate, rate * (1 - rate) * n / (n - 1), int(outcome.sum()))


def result_of(
    outcome: list[int],
    draws: list[tuple[int, list[int]]],
    headline: list[int],
    design: Design = Design.MATCHED,
    others: Group = OTHERS,
) -> LinkingResult:
    """`outcome` of the people in doubt; of each draw how often it came up and who of them is in it."""
    values = np.concatenate([(np.arange(CORE) % 4 == 0).astype(float), np.array(outcome, float)])

    def weight(members: list[int]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        made = np.concatenate([np.ones(CORE), np.zeros(len(outcome))])
        made[[CORE + m for m in members]] = 1.0
        return made

    drawn = tuple(DrawnGroups(times, weight(members), others) for times, members in draws)
    estimates: list[Estimate] = []
    for each in drawn:
        group = treated_group(values[each.weight > 0])
        found = (
            proportions_estimate(group, others)
            if design is Design.RANDOMISED
            else welch_estimate(group, others, Kind.RATE)
        )
        assert found is not None
        estimates += [found] * each.times
    return LinkingResult(RATE, design, combine_estimates(estimates), values, weight(headline), drawn)


def shown(
    result: LinkingResult,
    hides: Rule | None = None,
    *,
    size_is_shown: bool = True,
    verdict: Verdict = Verdict.NOT_ENOUGH_EVIDENCE,
) -> ProtectedLinking:
    found = protect_linking(result, verdict, hides, size_is_shown=size_is_shown, settings=DEFAULT_SETTINGS)
    assert found is not None
    return found


def figures(found: ProtectedLinking) -> tuple[object, ...]:
    cells = (found.difference, found.low, found.high, found.share_from, found.share_to)
    return (*((c.value, c.rule) for c in cells), found.hidden, found.is_outward, found.answer)


def test_without_doubt_the_range_is_the_headlines_in_whole_points() -> None:
    result = result_of([], [(20, [])], [])
    assert result.combined is not None
    found = shown(result)
    # 100 of 400 against 31%: -6, half 1.97 * 2.2 = 4.4
    assert (found.difference.value, found.low.value, found.high.value) == (-6.0, -10.0, -2.0)
    assert (found.share_from.value, found.share_to.value, found.hidden) == (0.0, EDGES[1], None)


@pytest.mark.parametrize("people", [1, 2, 5])
def test_r17_what_is_shown_does_not_depend_on_what_a_few_people_did(people: int) -> None:
    """Whoever takes the headline away learns nothing: every pattern of outcomes of those added shows the same."""
    draws = [(7, list(range(people))), (13, [0])]
    seen = {figures(shown(result_of(list(y), draws, []))) for y in itertools.product((0, 1), repeat=people)}
    assert len(seen) == 1


def test_r17_the_range_of_a_few_holds_that_of_every_pattern_outward_in_whole_points() -> None:
    """Nine who are in every draw and not in the headline: 100 to 109 of 409 against 27.5%.

    Welch by hand: own variance p(1-p)/408, theirs .2139/9000. Low end at 100: 24.450 - 27.5 - 1.966 * 2.183 = -7.34;
    high end at 109: 26.650 - 27.5 + 1.966 * 2.243 = 3.56.
    """
    others = replace(OTHERS, value=0.275)
    found = shown(result_of([1] * 9, [(20, list(range(9)))], [], others=others))
    assert (found.difference.value, found.low.value, found.high.value) == (None, -8.0, 4.0)
    assert (found.hidden, found.is_outward, found.answer) == (None, True, LinkAnswer.SAME)
    assert (found.share_from.value, found.share_to.value) == (0.0, EDGES[1])


@pytest.mark.parametrize(
    ("others", "verdict", "answer"),
    [
        # -7.5 to -5.3 points, at most 4.4 each way: the worst pattern ends at -0.9
        (0.32, Verdict.FEWER, LinkAnswer.SAME),
        (0.32, Verdict.NOT_ENOUGH_EVIDENCE, LinkAnswer.MAY_CHANGE),
        # -5.5 to -3.4: some patterns leave zero out, some do not
        (0.30, Verdict.FEWER, LinkAnswer.MAY_CHANGE),
        (0.30, Verdict.NOT_ENOUGH_EVIDENCE, LinkAnswer.MAY_CHANGE),
        (0.26, Verdict.NOT_ENOUGH_EVIDENCE, LinkAnswer.SAME),
        (0.10, Verdict.MORE, LinkAnswer.SAME),
        (0.26, Verdict.HIDDEN, LinkAnswer.UNTOLD),
    ],
)
def test_r17_the_answer_is_told_of_all_patterns_and_so_of_nobody(
    others: float, verdict: Verdict, answer: LinkAnswer
) -> None:
    draws = [(20, list(range(9)))]
    group = replace(OTHERS, value=others)
    told = {
        shown(result_of(list(y), draws, [], others=group), verdict=verdict).answer
        for y in ((0,) * 9, (1,) * 9, (0, 1) * 4 + (1,))
    }
    assert told == {answer}


def test_r17_ten_people_are_enough_to_be_shown() -> None:
    found = shown(result_of([1, 0] * 5, [(20, list(range(10)))], []))
    assert found.hidden is None
    assert found.difference.value is not None


def test_r17_a_measure_that_is_no_rate_is_hidden_for_a_few_people() -> None:
    result = replace(result_of([1], [(20, [0])], []), measure=FREQUENCY)
    assert shown(result).hidden == Rule.R17.value


def test_what_hides_the_headline_hides_the_rest() -> None:
    result = result_of([], [(20, [])], [])
    assert shown(result, Rule.R3).hidden == Rule.R3.value
    untold = shown(result, size_is_shown=False, verdict=Verdict.FEWER)
    assert (untold.hidden, untold.low.value, untold.share_to.value) == (Rule.R7.value, None, None)
    assert untold.answer is LinkAnswer.SAME  # -10 to -2: one word, which gives no size away
    assert shown(replace(result, combined=None)).hidden == "spread"
    assert protect_linking(None, Verdict.FEWER, None, size_is_shown=True, settings=DEFAULT_SETTINGS) is None


@pytest.mark.parametrize("design", [Design.MATCHED, Design.RANDOMISED])
def test_the_patterns_hold_what_was_found(design: Design) -> None:
    """The range under each pattern, many at once, is that of Welch (or of two proportions) and Rubin, one at a time."""
    from counterfoil.disclosure.linking import _whatever_they_did  # the arithmetic itself, before it is rounded

    draws, headline = [(12, [0, 2]), (8, [1])], [1]
    result = result_of([0, 0, 0], draws, headline, design)
    found = _whatever_they_did(result)
    for place, y in enumerate(itertools.product((0, 1), repeat=3)):
        one = result_of(list(reversed(y)), draws, headline, design).combined
        # the headline's number with the outcome is known: where its person in doubt had it, somebody else had not
        if one is None or y[-2] == 1:
            continue
        assert found.difference[place] == pytest.approx(one.estimate)
        assert found.low[place] == pytest.approx(one.low)
        assert found.share[place] == pytest.approx(one.share)
