"""How far to trust it, in words: which sentence each case gets, and what a warning sign does to the headline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from counterfoil.comparison.values import Design
from counterfoil.disclosure import (
    Cell,
    HiddenBias,
    NoGamma,
    Protected,
    ProtectedTrust,
    ProtectedWay,
    TrustResult,
    Verdict,
    WayGroup,
    protect,
)
from counterfoil.disclosure.cells import MAKER
from counterfoil.report import sentences
from counterfoil.report.as_json import to_json
from counterfoil.report.trust import hedge_of, sentences_of, trust_view
from counterfoil.report.words import words_of
from lib.beside import everything, trust_of
from lib.reports import fewer, inconclusive, trial
from lib.results import attrition_of, comparison_of, rate_effect

WORDS = words_of("en")


def row(
    difference: int, verdict: Verdict, group: WayGroup = WayGroup.METHOD, hidden: str | None = None
) -> ProtectedWay:
    """A way as it is shown."""
    middle, low, high = (Cell(value=difference + end) for end in (0, -3, 3))
    name = "refused" if group is WayGroup.COMPARISON else "entropy"
    return ProtectedWay(
        name=name, difference=middle, low=low, high=high, green=3, amber=0, red=0, hidden=hidden, is_headline=False,
        maker=MAKER, group=group, verdict=verdict,
    )  # fmt: skip


def with_ways(protected: Protected, *ways: ProtectedWay) -> Protected:
    """The same result with these other ways beside it."""
    first = replace(row(-5, Verdict.FEWER, WayGroup.COMPARISON), name="headline", is_headline=True, maker=MAKER)
    beside = protect(
        [rate_effect((212, 820), (9_100, 29_000), ess=17_000)],
        comparison_of(820, 29_000),
        attrition_of(1000, 871, 842, 820),
        beside=replace(everything(), trust=TrustResult()),
    ).trust
    assert beside is not None
    trust: ProtectedTrust = replace(beside, ways=(first, *ways), maker=MAKER)
    return replace(protected, trust=trust, maker=MAKER)


F, M, N = Verdict.FEWER, Verdict.MORE, Verdict.NOT_ENOUGH_EVIDENCE
CASES = [
    ([(-4, F), (-6, F)], "all"),
    ([(-4, F), (-2, N)], "direction"),
    ([(-4, F), (1, N)], "mixed"),
    ([(-4, F), (0, N)], "mixed"),
    ([(4, M)], "mixed"),
]


@pytest.mark.parametrize(("ways", "key"), CASES)
def test_whether_other_ways_agree_with_a_clear_result(ways: list[tuple[int, Verdict]], key: str) -> None:
    said = sentences_of(with_ways(fewer(), *(row(*way) for way in ways)), WORDS)
    assert said[0] == WORDS(f"trust.agree.{key}")


@pytest.mark.parametrize(("verdict", "key"), [(N, "none_clear"), (F, "some_clear"), (M, "some_clear")])
def test_whether_other_ways_agree_with_an_unclear_result(verdict: Verdict, key: str) -> None:
    said = sentences_of(with_ways(inconclusive(), row(-4, verdict)), WORDS)
    assert said[0] == WORDS(f"trust.agree.{key}")
    assert WORDS("trust.e.not_needed") in said


def test_what_could_not_be_made_alike_is_named_and_agrees_with_nothing() -> None:
    said = sentences_of(with_ways(fewer(), row(9, M, hidden="balance")), WORDS)
    assert said[0] == WORDS("trust.agree.nothing")
    assert said[1] == WORDS("trust.unmade", names=WORDS("trust.name.entropy"))


@pytest.mark.parametrize(("verdict", "key"), [(F, "same"), (N, "differ"), (M, "differ")])
def test_other_people_to_compare_with_have_a_sentence_of_their_own(verdict: Verdict, key: str) -> None:
    said = sentences_of(with_ways(fewer(), row(-4, F), row(2, verdict, WayGroup.COMPARISON)), WORDS)
    assert said[0] == WORDS("trust.agree.all")
    assert said[1] == WORDS(f"trust.others.{key}", names=WORDS("ways.name.refused"))


def reported(bias: HiddenBias | None = None, *, before: int = 300) -> Protected:
    """820 people, 212 with the outcome, beside 31%; `before`: how many had offended before, beside 36.6%."""
    beside = everything()
    found = trust_of(beside.headline, before=before)
    return protect(
        [rate_effect((212, 820), (9_100, 29_000), ess=17_000)],
        comparison_of(820, 29_000),
        attrition_of(1000, 871, 842, 820),
        beside=replace(beside, trust=found if bias is None else replace(found, bias=bias)),
    )


@pytest.mark.parametrize(("limit", "key"), [(1.38, "needed"), (1.04, "weak"), (1.0, "weak"), (None, "none")])
def test_the_e_value_in_words(limit: float | None, key: str) -> None:
    said = sentences_of(reported(HiddenBias(None if limit is None else 1.72, limit)), WORDS)
    assert WORDS(f"trust.e.{key}", limit="1.4", point="1.7") in said


@pytest.mark.parametrize(
    ("gamma", "why", "text"),
    [
        (1.24, None, WORDS("trust.gamma.needed", gamma="1.2")),
        (None, NoGamma.CHANCE, WORDS("trust.gamma.chance")),
    ],
)
def test_gamma_in_words(gamma: float | None, why: NoGamma | None, text: str) -> None:
    assert text in sentences_of(reported(HiddenBias(1.7, 1.4, gamma, why, 80)), WORDS)


def test_without_pairs_nothing_is_said_of_them() -> None:
    said = " ".join(sentences_of(reported(HiddenBias(1.7, 1.4, None, NoGamma.NO_PAIRS, 0)), WORDS))
    assert "paired" not in said


BEFORE = [  # of 820; those compared with them had 36.6 in every 100
    (300, N, None),
    (220, F, "same"),
    (400, M, "other"),
]


@pytest.mark.parametrize(("before", "verdict", "hedge"), BEFORE)
def test_a_warning_sign_is_beside_the_headline_and_in_it(before: int, verdict: Verdict, hedge: str | None) -> None:
    protected = reported(before=before)
    assert protected.trust is not None
    assert protected.trust.control is not None
    assert protected.trust.control.verdict is verdict
    assert protected.verdict is F  # the check says how far to trust it, and never what it is
    said, caveats = sentences.headline_of(protected, WORDS), sentences.caveats_of(protected, WORDS)
    assert WORDS(f"trust.control.{verdict.value}") in sentences_of(protected, WORDS)
    if hedge is None:
        assert hedge_of(protected, WORDS) == ""
        assert not any("warning sign" in caveat for caveat in caveats)
        return
    assert said.headline.endswith(WORDS(f"trust.hedge.{hedge}"))
    assert WORDS(f"caveat.before_{verdict.value}") in caveats
    assert WORDS(f"trust.hedge.{hedge}") in to_json(protected, "r", None)["headline"]
    assert any(WORDS(f"trust.hedge.{hedge}") in line for line in sentences.can_say(protected, WORDS))


def test_a_trial_has_its_own_sentence_and_no_picture() -> None:
    protected = trial()
    assert protected.design is Design.RANDOMISED
    assert sentences_of(protected, WORDS) == (WORDS("trust.trial"),)


def test_the_headline_is_first_and_the_check_last_and_every_other_way_has_its_row() -> None:
    view = trust_view(reported(), WORDS)
    assert view is not None
    headings = [heading for heading, _ in view.groups]
    assert headings == ["", *(WORDS(f"trust.group.{key}") for key in ("method", "site", "caliper", "check"))]
    assert [len(rows) for _, rows in view.groups] == [1, 3, 1, 2, 1]
    assert view.groups[0][1][0].css == "mean"
    assert view.groups[-1][1][0].css == "prediction"


def test_the_json_has_what_the_section_shows() -> None:
    found = to_json(reported(), "r", None)["trust"]
    assert [way["headline"] for way in found["ways"]] == [True, *[False] * 6]
    assert found["negative_control"]["verdict"] == "not_enough_evidence"
    assert found["e_value"] == {"point": 1.7, "limit": 1.4, "hidden": None}
    assert (found["gamma"], found["gamma_is_none_because"]) == (1.2, None)
    assert found["sentences"] == list(sentences_of(reported(), WORDS))
    assert all(float(way["low"]).is_integer() for way in found["ways"] if way["hidden"] is None)


def test_a_site_called_by_a_number_brings_no_stray_number() -> None:
    view = trust_view(reported(), WORDS)
    assert view is not None
    assert any("“47”" in r.label for _, rows in view.groups for r in rows)


def test_nobody_lost_nothing_to_show() -> None:
    assert trust_view(fewer(), WORDS) is None
    assert np.count_nonzero(everything().members) == 820
