"""A10: nothing of a report is public before 9:30 in London on its day, in January and in summer; dates are fixed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from counterfoil import publication
from counterfoil.clearance import actions, read_record
from counterfoil.errors import Refused
from counterfoil.lab.settings import LabSettings
from counterfoil.publication.planning import check_date
from counterfoil.publication.releasing import due
from lib import reports
from lib.clearance import REASON, TODAY
from lib.site import DAY, V1, WINTER, Press, noon, press, texts_in

SECOND = dt.timedelta(seconds=1)
# Greenwich Mean Time in January, British Summer Time (an hour ahead) in August
NINE_THIRTY = {
    DAY: dt.datetime(2026, 8, 3, 8, 30, tzinfo=dt.UTC),
    WINTER: dt.datetime(2027, 1, 11, 9, 30, tzinfo=dt.UTC),
}


@pytest.fixture
def ready(tmp_path: Path) -> Press:
    return press(tmp_path / "lab").add(V1, reports.fewer(), title="Bridge to nowhere").clear(V1)


@pytest.mark.parametrize("day", NINE_THIRTY)
def test_a10_a_second_before_and_at_half_past_nine_in_london(ready: Press, day: str) -> None:
    then, time = ready.plan(V1, day).on(day), NINE_THIRTY[day]
    assert due(read_record(then.lab), time - SECOND) == ()
    for run in (V1, ""):
        if run:
            with pytest.raises(Refused) as refused:
                then.release(time - SECOND, run)
            assert refused.value.rule == "A10"
        else:
            assert then.release(time - SECOND) == ()
    before = then.site(time - SECOND)
    everything = texts_in(before)
    for secret in (V1.encode(), b"Bridge to nowhere", b"The Bridge Trust", b"fewer people"):
        assert secret not in everything
    assert not any(name.startswith("reports/") for name in before)
    assert then.release(time) == (V1,)
    after = then.site(time)
    assert f"reports/{V1}/index.html" in after
    assert b"Bridge to nowhere" in after["feed.xml"]
    assert after[f"reports/{V1}/report.html"] == (then.lab.paths.run(V1) / "report.html").read_bytes()
    assert not any(name.startswith("reports/") for name in then.site(time - SECOND))  # whatever the log says


def test_a10_a_site_built_early_or_twice_is_the_same(ready: Press) -> None:
    ready.plan(V1)
    early, later = ready.site(noon("2026-07-02")), ready.site(noon("2026-07-03"))
    assert early == later
    assert b"3 August 2026" in early["calendar.html"]


@pytest.mark.parametrize(
    ("day", "holds"),
    [
        ("2026-06-30", False),  # past
        ("2026-07-01", False),  # today
        ("2026-07-28", False),  # 27 days on, a Tuesday
        ("2026-07-29", True),  # four weeks on
        ("2026-08-01", False),  # a Saturday
        ("2027-07-30", True),  # within the month that is 12 months on
        ("2027-08-02", False),
    ],
)
def test_a10_a_day_is_fixed_four_weeks_ahead_and_within_the_calendar(day: str, holds: bool) -> None:
    assert dt.date(2026, 7, 1) == TODAY
    if holds:
        check_date(day, TODAY.isoformat())
        return
    with pytest.raises(Refused) as refused:
        check_date(day, TODAY.isoformat())
    assert refused.value.rule == "A10"


def test_a10_a_day_is_put_off_by_an_owner_alone_and_never_brought_forward(ready: Press) -> None:
    ready.plan(V1)
    late = ready.on("2026-07-30")
    with pytest.raises(Refused):
        late.plan(V1, "2026-08-10", reason=REASON)  # a publisher
    with pytest.raises(Refused) as refused:
        late.plan(V1, "2026-07-31", by="eve", reason=REASON)
    assert refused.value.rule == "A10"
    late.plan(V1, "2026-08-10", by="eve", reason=REASON)
    assert publication.planned_of(late.office.case(V1)).date == "2026-08-10"


def test_a10_a_day_that_was_fixed_by_the_way_publishes_nothing(ready: Press) -> None:
    actions.schedule(ready.lab, V1, signer=ready.office.signer("dan"), date=DAY)
    with pytest.raises(Refused) as refused:
        ready.on(DAY).release(noon(DAY))
    assert refused.value.rule == "A10"


def test_a10_a_fixed_day_holds_back_and_never_brings_forward() -> None:
    past, future = dt.date(2020, 1, 1), dt.date(2999, 1, 1)
    assert publication.now_of(LabSettings(today=past)) == noon("2020-01-01")
    assert publication.now_of(LabSettings(today=future)) <= dt.datetime.now(dt.UTC)
    assert publication.now_of(LabSettings(today=future, truth="../truth")) == noon("2999-01-01")
