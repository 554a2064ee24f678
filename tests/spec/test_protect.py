"""`protect`: what leaves, what does not, and that nothing else can make what leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.comparison.values import Design
from counterfoil.disclosure import (
    DEFAULT_SETTINGS,
    Band,
    Box,
    Cell,
    Finding,
    Protected,
    ProtectedAttrition,
    ProtectedBalance,
    ProtectedEstimate,
    ProtectedGroup,
    ProtectedMeasure,
    ProtectedRefusal,
    ProtectedTerm,
    Rule,
    Shown,
    Verdict,
    check_gate,
    protect,
    refuse,
)
from counterfoil.disclosure.balance import band_of
from counterfoil.effect.values import Effect, Estimate, Group
from counterfoil.errors import Fault, Refused
from counterfoil.report import render
from lib.results import (
    ABOUT,
    DAYS,
    EARNINGS,
    FREQUENCY,
    RATE,
    attrition_of,
    balance_row,
    comparison_of,
    effect_of,
    mean_effect,
    rate_effect,
    rate_group,
)

LARGE = (9100, 24000)  # a comparison group whose own rate is safe


def protected_of(*effects: Effect, submitted: int = 400, n: int = 137, n_comparison: int = 24000) -> Protected:
    return protect(effects, comparison_of(n, n_comparison), attrition_of(submitted, None, None, n))


def test_everything_that_is_clear_is_exact() -> None:
    """48/137 is 35.036%, 9,100/24,000 is 37.917%; the difference -2.881 is rounded once, from unrounded rates."""
    (measure,) = protected_of(rate_effect((48, 137), LARGE)).measures
    assert (measure.treated.n.value, measure.treated.value.value, measure.treated.per_100.value) == (137, 0.350, 35)
    assert (measure.comparison.n.value, measure.comparison.value.value) == (24000, 0.379)
    assert measure.estimate.difference.value == -2.9
    assert measure.hidden is None


def test_r05_the_difference_is_not_the_difference_of_rounded_rates() -> None:
    """45/137 is 32.847 (32.8), 30,455/100,000 is 30.455 (30.5): rounded rates differ by 2.3, the true ones by 2.4."""
    (measure,) = protected_of(rate_effect((45, 137), (30455, 100_000)), n_comparison=100_000).measures
    assert measure.estimate.difference.value == 2.4


@pytest.mark.parametrize(
    ("treated", "verdict"),
    [((240, 820), Verdict.FEWER), ((400, 820), Verdict.MORE), ((311, 820), Verdict.NOT_ENOUGH_EVIDENCE)],
)
def test_verdicts(treated: tuple[int, int], verdict: Verdict) -> None:
    protected = protected_of(rate_effect(treated, LARGE), submitted=1000, n=820)
    assert protected.verdict is protected.headline.verdict is verdict


def test_the_headline_is_the_first_rate() -> None:
    frequency = mean_effect(FREQUENCY, (137, 0.9, 3.0), (24000, 1.0, 3.0))
    protected = protected_of(frequency, rate_effect((48, 137), LARGE))
    assert protected.headline.measure is RATE
    assert protected_of(frequency).headline.measure is FREQUENCY


def test_an_amount_is_shown_in_whole_units() -> None:
    """LaLonde's trial of 445 men: 6,349 against 4,555 dollars, 1,794 more."""
    effect = mean_effect(EARNINGS, (185, 6349.1435, 7867.402**2), (260, 4554.8011, 5483.836**2))
    comparison = comparison_of(185, 260, design=Design.RANDOMISED)
    (measure,) = protect([effect], comparison, attrition_of(185, None, None, 185)).measures
    assert measure.estimate.difference.value == 1794
    assert measure.verdict is Verdict.MORE
    assert measure.treated.per_100.shown is Shown.NOT_APPLICABLE


def test_small_amounts_keep_their_decimals() -> None:
    effect = mean_effect(replace(EARNINGS, decimals=2), (137, 4.256, 9.0), (24000, 4.111, 9.0))
    assert protected_of(effect).headline.treated.value == Cell(value=4.26, decimals=2)


# R1


def test_r01_protect_itself_opens_no_small_run() -> None:
    with pytest.raises(Refused) as refused:
        protected_of(rate_effect((15, 29), LARGE), n=29)
    assert refused.value.rule == "R1"


def test_r01_a_measure_over_too_few_of_the_group_is_hidden() -> None:
    (measure,) = protected_of(rate_effect((12, 25), LARGE)).measures
    assert measure.hidden is Rule.R1


def test_nothing_to_protect_is_a_fault() -> None:
    with pytest.raises(Fault):
        protected_of()


# R3


@pytest.mark.parametrize("events", [0, 9, 51, 60])
def test_r03_a_one_sided_rate_takes_its_difference_with_it(events: int) -> None:
    (measure,) = protected_of(rate_effect((events, 60), LARGE), n=60).measures
    hidden = Cell(value=None, shown=Shown.SUPPRESSED, rule=Rule.R3)
    assert measure.treated.value == measure.treated.per_100 == hidden
    assert (measure.estimate.difference, measure.estimate.low, measure.estimate.high) == (hidden, hidden, hidden)
    assert measure.estimate.p == hidden
    assert measure.comparison.value.value == 0.38
    assert measure.verdict is Verdict.HIDDEN
    assert measure.disagrees == ()


def test_r03_acts_on_the_unweighted_comparison_people() -> None:
    effect = effect_of(RATE, rate_group(48, 137), rate_group(8, 4000, value=0.34))
    (measure,) = protected_of(effect, n_comparison=4000).measures
    assert measure.comparison.value.rule is measure.hidden is Rule.R3
    assert measure.treated.value.value == 0.35


def test_r03_unknown_events_fail_shut() -> None:
    effect = effect_of(RATE, replace(rate_group(48, 137), events=None), rate_group(*LARGE))
    assert protected_of(effect).verdict is Verdict.HIDDEN


def test_r03_a_count_bounds_the_people_behind_it() -> None:
    """21 reoffences among 60 with 9 reoffenders: the mean would say that at most 21 reoffended."""
    frequency = mean_effect(FREQUENCY, (60, 0.35, 1.0), (24000, 1.0, 3.0))
    _, count = protected_of(rate_effect((9, 60), LARGE), frequency, n=60).measures
    assert count.hidden is Rule.R3
    assert count.treated.n.shown is Shown.SUPPRESSED


def test_r03_a_count_whose_people_are_known_is_judged_by_them() -> None:
    groups = [Group(137, 137.0, 0.9, 3.0, events) for events in (48, 9)]
    comparison = Group(24000, 24000.0, 1.0, 3.0, 9100)
    few = replace(RATE, name="custody_rate")
    safe, unsafe = (effect_of(FREQUENCY, g, comparison) for g in groups)
    small = rate_effect((3, 137), (900, 24000), measure=few)
    assert protected_of(rate_effect((48, 137), LARGE), small, safe).measures[2].hidden is None
    assert protected_of(rate_effect((48, 137), LARGE), small, unsafe).measures[2].hidden is Rule.R3


def test_r02_fewer_than_ten_events_in_all_are_hidden() -> None:
    (measure,) = protected_of(mean_effect(FREQUENCY, (137, 0.05, 0.1), (24000, 1.0, 3.0))).measures
    assert measure.hidden is Rule.R2


# R9 and R17


def test_r09_the_number_of_reoffenders_is_hidden_with_their_days() -> None:
    days = mean_effect(DAYS, (21, 151, 7000), (9100, 143, 7200))
    _, measure = protected_of(rate_effect((21, 60), LARGE), days, n=60).measures
    assert measure.hidden is Rule.R9
    assert measure.treated.n.rule is measure.estimate.low.rule is Rule.R9
    assert Finding(Rule.R9, DAYS.name) in protected_of(rate_effect((21, 60), LARGE), days, n=60).findings


def test_r09_days_go_with_a_rate_that_r3_hides() -> None:
    days = mean_effect(DAYS, (48, 151, 7000), (9100, 143, 7200))
    other = rate_effect((5, 137), LARGE, measure=replace(RATE, name="custody_rate"))
    assert protected_of(other, days).measures[1].hidden is Rule.R3
    assert protected_of(rate_effect((48, 137), LARGE), days).measures[1].hidden is None


@pytest.mark.parametrize(("n", "rule"), [(48, None), (45, Rule.R17), (39, Rule.R17), (38, None)])
def test_r17_days_of_nearly_all_reoffenders_are_hidden(n: int, rule: Rule | None) -> None:
    """48 reoffended; days are known of 45: three reoffenders stand out."""
    days = mean_effect(DAYS, (n, 151, 7000), (9100, 143, 7200))
    assert protected_of(rate_effect((48, 137), LARGE), days).measures[1].hidden is rule


def test_r17_days_alone_have_nothing_to_be_read_beside() -> None:
    assert protected_of(mean_effect(DAYS, (45, 151, 7000), (9100, 143, 7200))).measures[0].hidden is None


@pytest.mark.parametrize(("n", "rule"), [(137, None), (130, Rule.R17), (128, Rule.R17), (127, None), (150, Rule.R17)])
def test_r17_a_measure_on_nearly_the_same_people_is_hidden(n: int, rule: Rule | None) -> None:
    assert protected_of(rate_effect((48, n), LARGE)).measures[0].hidden is rule


# R6, R7 and R11: nearly everybody was analysed


def test_r07_a_hidden_size_takes_the_fine_digits_and_the_p_value_with_it() -> None:
    effects = (rate_effect((48, 137), LARGE), mean_effect(DAYS, (48, 151.4, 7000), (9100, 143, 7200)))
    protected = protected_of(*effects, submitted=140)
    rate, days = protected.measures
    assert [box.people.value for box in protected.attrition.boxes] == [140, None]
    assert protected.attrition.analysed.rule is Rule.R11
    assert rate.treated.n.rule is days.treated.n.rule is Rule.R11
    assert (rate.treated.value.value, rate.estimate.difference.value) == (0.35, -3)
    assert (rate.estimate.low.value, rate.estimate.high.value) == (-11, 5)
    assert rate.estimate.p.rule is Rule.R7
    assert rate.score is not None
    assert rate.score.low.rule is Rule.R7
    assert days.treated.value.value == 151
    assert protected.balance.ess.rule is Rule.R11
    assert protected.smallest_detectable.rule is Rule.R7
    assert Finding(Rule.R11, "flow") in protected.findings


def test_r07_an_interval_that_pins_a_hidden_size_is_hidden() -> None:
    """58 of 62: at that size a whole-point interval fits few sizes, so a reader would learn how many were lost."""
    protected = protected_of(rate_effect((30, 58), LARGE), submitted=62, n=58)
    assert protected.headline.hidden in {Rule.R6, Rule.R7}
    assert protected.verdict is Verdict.HIDDEN


def test_r06_rates_beside_a_rounded_size_are_hidden() -> None:
    """The headline fails R3, so N is only 'about 60'; a second rate would pin it down with its one decimal."""
    second = rate_effect((25, 60), (12000, 24000), measure=replace(RATE, name="employed_rate"))
    protected = protected_of(rate_effect((9, 60), LARGE), second, n=60)
    assert protected.measures[1].hidden is Rule.R6
    assert protected.attrition.analysed == Cell(value=60, about=True)


def test_r06_a_mean_count_may_give_a_hidden_size_back() -> None:
    """A mean to four decimals leaves few sizes whose total is whole."""
    fine = replace(FREQUENCY, decimals=4)
    effect = mean_effect(fine, (137, 130 / 137, 3.0), (24000, 1.04, 3.9))
    (measure,) = protected_of(effect, submitted=140).measures
    assert measure.hidden is Rule.R6
    coarse = mean_effect(FREQUENCY, (137, 130 / 137, 3.0), (24000, 1.04, 3.9))
    assert protected_of(coarse, submitted=140).measures[0].hidden is None


def test_r07_amounts_say_nothing_of_the_size() -> None:
    effect = mean_effect(EARNINGS, (137, 6349.0, 7e7), (24000, 4554.0, 3e7))
    assert protected_of(effect, submitted=140).measures[0].hidden is None


# balance


def test_r23_the_value_of_a_rare_characteristic_is_hidden_and_its_band_after_is_not() -> None:
    rows = (balance_row("age", 0.021), balance_row("ethnicity: other", 0.08, binary=True, people=(4, 1203)))
    balance = protect(
        [rate_effect((48, 137), LARGE)], comparison_of(137, 24000, rows=rows), attrition_of(400, None, None, 137)
    ).balance
    assert [t.smd.value for t in balance.terms] == [0.02, None]
    assert balance.terms[1].smd.rule is Rule.R3
    assert [t.after for t in balance.terms] == [Band.GREEN, Band.AMBER]
    assert balance.worst_smd == Cell(value=0.05, decimals=2, at_least=True)
    assert (balance.count(Band.AMBER), balance.count_before(Band.RED)) == (1, 1)  # the band of before is hidden


def test_the_worst_difference_is_exact_when_it_may_be_shown() -> None:
    rows = (balance_row("age", -0.134), balance_row("sex: female", 0.02, binary=True, people=(31, 9000)),
            balance_row("nothing", None))  # fmt: skip
    protected = protect(
        [rate_effect((48, 137), LARGE)], comparison_of(137, 24000, rows=rows), attrition_of(400, None, None, 137)
    )
    assert protected.balance.worst_smd == Cell(value=0.13, decimals=2)
    assert [t.smd.value for t in protected.balance.terms] == [-0.13, 0.02, None]
    assert protected.balance.terms[2].smd.shown is Shown.NOT_AVAILABLE


def test_r23_no_binary_value_beside_a_hidden_size() -> None:
    balance = protected_of(rate_effect((48, 137), LARGE), submitted=140).balance
    assert {t.term: t.smd.rule for t in balance.terms if t.smd.value is None} == {
        "sex: female": Rule.R6,
        "ethnicity: other": Rule.R6,
    }


@pytest.mark.parametrize(
    ("smd", "band"),
    [(0.05, Band.GREEN), (-0.05, Band.GREEN), (0.051, Band.AMBER), (0.10, Band.AMBER), (-0.2, Band.RED), (None, None)],
)
def test_bands(smd: float | None, band: Band | None) -> None:
    assert band_of(smd) is band


# what cannot be shown for want of a number


def test_no_variance_means_no_interval_and_no_rule() -> None:
    effect = replace(mean_effect(FREQUENCY, (137, 0.9, 3.0), (24000, 1.0, 3.0)), compatible=None)
    (measure,) = protected_of(effect).measures
    assert measure.estimate.low.shown is Shown.NOT_AVAILABLE
    assert (measure.verdict, measure.hidden) == (Verdict.HIDDEN, None)


def test_no_variance_and_a_rule_name_the_rule() -> None:
    effect = replace(rate_effect((0, 137), LARGE), compatible=None)
    assert protected_of(effect).measures[0].estimate.low.rule is Rule.R3


def test_no_variance_of_a_rate_beside_a_hidden_size_shows_the_rate_alone() -> None:
    effect = replace(rate_effect((48, 137), LARGE), compatible=None)
    (measure,) = protected_of(effect, submitted=140).measures
    assert measure.treated.value.value == 0.35
    assert measure.verdict is Verdict.HIDDEN


def test_what_is_no_number_is_not_available() -> None:
    broken = Estimate(difference=float("nan"), low=-1.0, high=1.0, p=0.5, method="welch")
    effect = replace(mean_effect(EARNINGS, (137, 10.0, 3.0), (24000, 11.0, 3.0)), compatible=broken)
    (measure,) = protected_of(effect).measures
    assert measure.estimate.difference.shown is Shown.NOT_AVAILABLE
    assert measure.verdict is Verdict.HIDDEN


def test_r02_a_mean_that_is_no_number_fails_shut() -> None:
    effect = mean_effect(FREQUENCY, (137, 0.9, 3.0), (24000, 1.0, 3.0))
    broken = replace(effect, treated=replace(effect.treated, value=float("nan")))
    assert protected_of(broken).measures[0].hidden is Rule.R2


def test_an_adjusted_estimate_is_protected_like_the_first() -> None:
    effect = rate_effect((48, 137), LARGE)
    adjusted = Estimate(difference=-3.33, low=-9.99, high=3.33, p=0.31, method="g-computation")
    (measure,) = protected_of(replace(effect, adjusted=adjusted)).measures
    assert measure.adjusted is not None
    assert measure.adjusted.difference.value == -3.3


def test_caveats_with_a_number_do_not_leave() -> None:
    warnings = ("Some characteristics stay apart after matching.", "7 people were odd.")
    comparison = comparison_of(137, 24000, reliable=False, warnings=warnings)
    protected = protect([rate_effect((48, 137), LARGE)], comparison, attrition_of(400, None, None, 137))
    assert protected.caveats == warnings[:1]
    assert not protected.reliable


def test_an_inconclusive_result_carries_what_it_could_have_shown() -> None:
    """SE is 4.10 points; (1.960 + 0.842) times that is 11.5."""
    assert protected_of(rate_effect((48, 137), LARGE)).smallest_detectable.value == 11.5
    clear = protected_of(rate_effect((240, 820), LARGE), submitted=1000, n=820)
    assert clear.smallest_detectable.shown is Shown.NOT_APPLICABLE


# only disclosure makes it


@pytest.mark.parametrize(
    "make",
    [
        lambda p: replace(p, maker=None),
        lambda _: ProtectedGroup(n=Cell(1), value=Cell(1), per_100=Cell(1), maker=object()),
        lambda _: ProtectedEstimate(difference=Cell(1), low=Cell(1), high=Cell(1), p=Cell(1), maker=None),
        lambda p: replace(p.headline, maker="please"),
        lambda _: ProtectedTerm(term="t", covariate="t", before=None, after=Band.GREEN, smd=Cell(1), maker=0),
        lambda _: ProtectedBalance(terms=(), worst_smd=Cell(1), ess=Cell(1), maker=None),
        lambda _: ProtectedAttrition(boxes=(), started=Cell(1), maker=None),
        lambda p: ProtectedRefusal(rule="", reason="", verdict=Verdict.REFUSED, settings=p.settings, maker=None),
    ],
)
def test_only_disclosure_makes_what_may_be_shown(make: object) -> None:
    protected = protected_of(rate_effect((48, 137), LARGE))
    assert callable(make)
    with pytest.raises(Fault, match="made outside disclosure"):
        make(protected)


def test_a_protected_value_cannot_be_changed_or_copied_with_a_change() -> None:
    protected = protected_of(rate_effect((48, 137), LARGE))
    with pytest.raises((TypeError, ValueError)):
        replace(protected, reliable=True)  # type: ignore[call-arg]
    assert isinstance(protected.headline, ProtectedMeasure)


def test_a_cell_is_a_number_or_a_shorthand() -> None:
    with pytest.raises(Fault):
        Cell(value=None)
    with pytest.raises(Fault):
        Cell(value=3, shown=Shown.SUPPRESSED)


# refusals


def test_r25_a_refusal_gives_the_rule_never_the_number() -> None:
    with pytest.raises(Refused) as refused:
        check_gate(attrition_of(100, 60, 40, 27), comparison_of(27, 5000), DEFAULT_SETTINGS)
    shown = refuse(refused.value)
    assert (shown.rule, shown.verdict) == ("R1", Verdict.REFUSED)
    assert shown.reason.startswith("Fewer than 30 people")
    assert "27" not in shown.reason


def test_r25_a_reason_with_a_number_of_its_own_is_replaced() -> None:
    shown = refuse(Refused("Only 27 people were matched.", rule="R1"))
    assert "27" not in shown.reason
    assert refuse(Refused("Too few groups.", rule="not_suitable")).verdict is Verdict.NOT_SUITABLE


def test_r12_refusals_do_not_depend_on_who_was_linked() -> None:
    """Two lists of one length: whoever was linked or matched, the bytes are the same."""
    pages = []
    for matched, pool in ((29, 900), (12, 40_000)):
        with pytest.raises(Refused) as refused:
            check_gate(attrition_of(100, 60, 40, matched), comparison_of(matched, pool), DEFAULT_SETTINGS)
        pages.append(render(refuse(refused.value), ABOUT).files)
    assert pages[0] == pages[1]


def test_boxes_are_named() -> None:
    assert [b.value for b in Box] == ["submitted", "linked and in scope", "comparable", "analysed"]
