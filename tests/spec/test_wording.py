"""The wording table, walked whole by machine: every case renders a sentence, and its numbers are protected cells."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import pytest

from counterfoil.disclosure import Better, Cell, Design, Estimand, Measure, ProtectedMeasure, Rule, Verdict
from counterfoil.disclosure.cells import MAKER, hidden
from counterfoil.disclosure.shown_measures import ProtectedEstimate, ProtectedGroup
from counterfoil.errors import Fault
from counterfoil.report.sentences import DISAGREES, can_say, cannot_say, caveats_of, power_of, statement_of
from counterfoil.report.words import LANGUAGES, Words, words_of
from counterfoil.units import Kind
from lib.reports import EVALUATIONS
from lib.results import DAYS, EARNINGS, FREQUENCY, RATE

MEASURES = {Kind.RATE: RATE, Kind.COUNT: FREQUENCY, Kind.DAYS: DAYS, Kind.AMOUNT: EARNINGS}
RESULTS = (Verdict.FEWER, Verdict.MORE, Verdict.NOT_ENOUGH_EVIDENCE, Verdict.HIDDEN)
ENDS = {Verdict.FEWER: (-7.0, -3.0), Verdict.MORE: (3.0, 7.0), Verdict.NOT_ENOUGH_EVIDENCE: (-3.0, 7.0)}
MAY_STAND_BESIDE = {"100"}  # "in every 100"; in the label, "1978"


def measure_of(measure: Measure, verdict: Verdict) -> ProtectedMeasure:
    """A protected measure by hand, with numbers that stand out: 41 and 52, and an interval of 3 and 7."""
    low, high = ENDS.get(verdict, (0.0, 0.0))
    is_hidden = verdict is Verdict.HIDDEN

    def cell(value: float, decimals: int = 0) -> Cell:
        return hidden(Rule.R3) if is_hidden else Cell(value=value, decimals=decimals)

    scale, decimals = (0.01, 2) if measure.kind is Kind.COUNT else (1.0, 0)
    groups = [
        ProtectedGroup(
            n=cell(900), value=cell(v * scale, decimals), per_100=cell(v), maker=MAKER
        )
        for v in (41.0, 52.0)
    ]  # fmt: skip
    estimate = ProtectedEstimate(
        difference=cell((low + high) / 2 * scale, decimals),
        low=cell(low * scale, decimals),
        high=cell(high * scale, decimals),
        p=cell(0.2, 3),
        maker=MAKER,
    )
    return ProtectedMeasure(
        measure=measure, treated=groups[0], comparison=groups[1], estimate=estimate, score=None, adjusted=None,
        verdict=verdict, disagrees=(), hidden=Rule.R3 if is_hidden else None, maker=MAKER,
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "verdict", "design", "language"), list(product(Kind, RESULTS, Design, LANGUAGES)))
def test_every_case_has_its_sentence_and_its_numbers(
    kind: Kind, verdict: Verdict, design: Design, language: str
) -> None:
    said = statement_of(measure_of(MEASURES[kind], verdict), design, words_of(language)).text
    found = set(re.findall(r"\d+", said.replace(MEASURES[kind].label, ""))) - MAY_STAND_BESIDE
    assert found == (set() if verdict is Verdict.HIDDEN else {"41", "52", "3", "7"})
    assert "{" not in said
    assert "  " not in said


@pytest.mark.parametrize(("better", "verdict"), list(product(Better, RESULTS)))
def test_every_direction_is_said_and_only_of_what_is_known(better: Better, verdict: Verdict) -> None:
    said = statement_of(measure_of(replace(RATE, better=better), verdict), Design.MATCHED, words_of("en")).direction
    hoped = (better, verdict) in {(Better.LOWER, Verdict.FEWER), (Better.HIGHER, Verdict.MORE)}
    feared = (better, verdict) in {(Better.LOWER, Verdict.MORE), (Better.HIGHER, Verdict.FEWER)}
    assert ("hopes for" in said) is (hoped or feared)
    assert ("opposite" in said) is feared


def test_every_estimand_rule_and_verdict_has_its_words() -> None:
    words = words_of("en")
    for estimand in Estimand:
        assert words(f"estimand.{estimand.name}")
    for verdict in Verdict:
        assert words(f"verdict.{verdict.value}")
    for rule in Rule:
        assert words(f"rule.{rule.value}", threshold="10", min_group="30", min_difference="10")


@pytest.mark.parametrize("name", EVALUATIONS)
def test_every_result_has_what_can_and_cannot_be_said(name: str) -> None:
    protected, words = EVALUATIONS[name](), words_of("en")
    can, cannot = can_say(protected, words), cannot_say(protected, words)
    assert can
    assert any("must not be compared with other reports" in s for s in cannot)
    assert any("any one person" in s for s in cannot)
    assert any("not analysed" in s for s in cannot)
    causal = any("caused" in s or "by lot" in s for s in cannot)
    assert causal is (protected.verdict in (Verdict.FEWER, Verdict.MORE))


def test_inconclusive_is_not_no_effect() -> None:
    protected, words = EVALUATIONS["inconclusive"](), words_of("en")
    assert "The result rules out larger changes" in statement_of(protected.headline, Design.MATCHED, words).interval
    assert any("failed" in s for s in cannot_say(protected, words))
    assert power_of(protected, words)[0].startswith("With this many people, only a true difference of at least ")
    assert any("More people" in s for s in power_of(protected, words))


def test_the_headline_carries_its_caveats() -> None:
    words = words_of("en")
    assert any("caution" in c for c in caveats_of(EVALUATIONS["unreliable"](), words))
    assert any("borderline" in c for c in caveats_of(EVALUATIONS["borderline"](), words))
    assert any("little different" in c for c in caveats_of(EVALUATIONS["amber"](), words))
    assert any("By chance" in c for c in caveats_of(EVALUATIONS["unbalanced_trial"](), words))
    assert caveats_of(EVALUATIONS["fewer"](), words) == ()
    assert any("caution" in s for s in can_say(EVALUATIONS["unreliable"](), words))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_says_no_effect_or_ranks(language: str) -> None:
    for key, sentence in words_of(language).sentences.items():
        assert not re.search(r"no effect|no impact|proves|league|significan", sentence, re.IGNORECASE), key


def test_an_unknown_case_or_a_gap_is_a_fault() -> None:
    words = Words(language="en", sentences={"a": "{n} people"})
    assert words.gaps("a") == {"n"}
    with pytest.raises(Fault):
        words("b")
    with pytest.raises(Fault):
        words("a")
    with pytest.raises(Fault):
        words_of("xx")


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_way_of_disagreeing_has_its_sentence(language: str) -> None:
    words = words_of(language)
    said = {words(key) for key in DISAGREES.values()}
    assert set(DISAGREES) == {"score", "adjusted"}
    assert len(said) == 2
    assert all({"en": "chance", "cy": "hap a damwain"}[language] in sentence for sentence in said)
