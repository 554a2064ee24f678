"""DISCLOSURE A1: a provider that picks its sample is seen, and what it asked for is counted."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from counterfoil.cohort.gaps import FALSE_ALARMS, GapTest, start_date_gaps
from counterfoil.disclosure import Beside, Gaps, Protected, SampleFacts, protect
from counterfoil.lab import log
from counterfoil.lab.log import REQUESTED
from counterfoil.lab.make import make_lab, open_lab
from counterfoil.report import render
from counterfoil.report.further import sample_caveats, sample_of
from counterfoil.report.words import words_of
from counterfoil.study.plan import parse_plan
from counterfoil.study.requests import Asked, count_requests, note_request
from lib.results import ABOUT, attrition_of, comparison_of, rate_effect

LISTS = 1_000  # drawn; a rate of 1% is then known to 0.3 points
MOST_ALARMS = 0.02  # 1% and three standard errors
FIRST = dt.date(2018, 1, 1)


def _dates(days: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[dt.date]:
    return [FIRST + dt.timedelta(days=int(day)) for day in days]


def _alarms(draw: object, seed: int) -> float:
    rng = np.random.default_rng(seed)
    found = [start_date_gaps(_dates(draw(rng))) for _ in range(LISTS)]  # type: ignore[operator]
    assert GapTest.UNKNOWN not in found
    return sum(each is GapTest.FOUND for each in found) / LISTS


@pytest.mark.parametrize("people", [60, 150, 400])
def test_a01_an_honest_list_is_blamed_at_most_once_in_a_hundred(people: int) -> None:
    assert FALSE_ALARMS == 0.01
    assert _alarms(lambda rng: rng.integers(0, 730, people), seed=people) <= MOST_ALARMS


def test_a01_a_service_that_grows_or_goes_by_courses_is_not_blamed() -> None:
    assert _alarms(lambda rng: (730 * np.sqrt(rng.random(200))).astype(np.int64), seed=1) <= MOST_ALARMS
    courses = np.repeat(np.arange(0, 730, 14), 8)  # every other Monday
    assert start_date_gaps(_dates(courses)) is GapTest.NONE


def test_a01_a_block_that_was_taken_out_is_found() -> None:
    """Of 200 starts in two years those of ten weeks (some 10%) are left out: nearly always seen."""
    rng = np.random.default_rng(7)

    def draw() -> list[dt.date]:
        days = rng.integers(0, 730, 200)
        return _dates(days[(days < 300) | (days >= 370)])

    assert sum(start_date_gaps(draw()) is GapTest.FOUND for _ in range(200)) >= 190


def test_a01_few_dates_say_nothing() -> None:
    assert start_date_gaps([*_dates(np.arange(29)), None, None]) is GapTest.UNKNOWN


def _report(facts: SampleFacts, *, submitted: int = 1000, started: int | None = 1060) -> Protected:
    effects = [rate_effect((212, 820), (9100, 29_000), ess=17_000)]
    flow = attrition_of(submitted, 871, 842, 820, started=started)
    return protect(effects, comparison_of(820, 29_000), flow, beside=Beside(sample=facts))


def test_a01_outcome_dependent_deletion_of_a_fifth_is_flagged_by_the_ratio() -> None:
    """1,250 started; the fifth who did worst are not in the list. The dates cannot show it, the ratio does."""
    protected, words = _report(SampleFacts(gaps=Gaps.NONE), started=1250), words_of("en")
    assert protected.sample is not None
    assert protected.sample.missing.value == 20
    assert words("caveat.missing") in sample_caveats(protected, words)
    assert "Of every 100 people who started, 20 are not in the list." in " ".join(sample_of(protected.sample, words))


def test_a01_deletion_of_a_twentieth_is_noted_and_no_caveat() -> None:
    protected, words = _report(SampleFacts(gaps=Gaps.NONE), started=1040), words_of("en")
    assert sample_caveats(protected, words) == ()
    assert any("Nearly everyone who started" in line for line in sample_of(protected.sample, words))


def test_a01_gaps_duplicates_and_completers_are_said_without_a_count() -> None:
    facts = SampleFacts(gaps=Gaps.FOUND, repeated=True, completers_only=True)
    protected, words = _report(facts), words_of("en")
    caveats = sample_caveats(protected, words)
    assert words("caveat.completers") in caveats
    assert words("caveat.gaps") in caveats
    said = sample_of(protected.sample, words)
    assert words("sample.repeated") in said
    assert words("sample.completers") in said


def test_a01_the_fifth_request_prints_itself_and_the_corrected_p() -> None:
    protected, _words = _report(SampleFacts(gaps=Gaps.NONE, requests=5)), words_of("en")
    page = render(protected, ABOUT).files["report.html"].decode()
    assert "5 analyses requested" in page
    p = protected.headline.estimate.p.value
    assert p is not None
    assert protected.sample is not None
    assert protected.sample.p_corrected.value == pytest.approx(min(1.0, 5 * p), abs=0.0006)


def test_a01_a_finding_that_five_requests_explain_carries_a_caveat() -> None:
    """0.02 is a finding by itself; five chances of it are 0.1."""
    effects = [rate_effect((130, 500), (9100, 29_000), ess=17_000)]  # 26.0% against 31.4%, p about 0.01
    flow = attrition_of(700, None, None, 500)
    beside = Beside(sample=SampleFacts(requests=9))
    protected, words = protect(effects, comparison_of(500, 29_000), flow, beside=beside), words_of("en")
    p = protected.headline.estimate.p.value
    assert p is not None
    assert p < 0.05 <= 9 * p
    assert any("9 analyses" in caveat for caveat in sample_caveats(protected, words))


def _asked(request: str, plan: str, file: str, on: str, organisation: str = "o") -> dict[str, str]:
    return {"request": request, "plan": plan, "list": file, "on": on, "organisation": organisation}


def test_a01_requests_are_counted_by_organisation_and_year() -> None:
    noted = [
        _asked("a", "p1", "f1", "2020-01-01"),
        _asked("b", "p2", "f2", "2021-01-15"),
        _asked("x", "p9", "f9", "2021-02-01", organisation="another"),
        _asked("c", "p3", "f3", "2021-03-01"),
        _asked("c", "p3", "f3", "2021-03-02"),  # the same again is no other request
        _asked("d", "p4", "f3", "2021-06-01"),  # the same list, defined otherwise
        _asked("e", "p5", "f5", "2021-07-01"),  # later than the one that is asked about
    ]
    assert count_requests(noted, noted[0]) == Asked(1, changed=False)
    assert count_requests(noted, noted[3]) == Asked(2, changed=False)
    assert count_requests(noted, noted[5]) == Asked(3, changed=True)


def test_a01_a_request_that_is_withdrawn_leaves_an_entry_and_another_plan_is_another_request(tmp_path: Path) -> None:
    """Entries are written before anyone is compared; a run that stops afterwards has `requested` and no `evaluated`."""
    make_lab(tmp_path / "lab", name="A lab", today=FIRST)
    lab = open_lab(tmp_path / "lab")
    plan = parse_plan({"title": "Reading", "provider": "The Trust"}, "plan")
    other = parse_plan({"title": "Reading", "provider": "the  trust", "seed": 2}, "plan")
    assert note_request(lab, plan, "a" * 64, "run1") == Asked(1, changed=False)
    assert note_request(lab, plan, "a" * 64, "run1") == Asked(1, changed=False)  # the same again
    assert note_request(lab, other, "a" * 64, "run2") == Asked(2, changed=True)
    events = [event for event in log.read(lab.paths) if event["event"] == REQUESTED]
    assert len({event["facts"]["plan"] for event in events}) == len(events) == 2
    assert not any("trust" in str(event).casefold() for event in events)  # no name in the log
