"""A10: nothing of a report is public before 9:30 in London on its day, in January and in summer; dates are fixed."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from dateutil.tz import tzical

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


@pytest.mark.parametrize("day", NINE_THIRTY)
def test_a10_the_diary_says_half_past_nine_in_london_by_rules_that_it_brings(ready: Press, day: str) -> None:
    """RFC 5545. The zone of the file is read by another program (dateutil), whatever the zone of this machine is."""
    site = ready.plan(V1, day).site(noon("2026-07-02"))
    data = site["releases.ics"]
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    lines = data.decode().split("\r\n")
    assert (lines[0], lines[1][:8], lines[-1]) == ("BEGIN:VCALENDAR", "VERSION:", "")
    assert lines.count("BEGIN:VEVENT") == 1
    (start,) = [line for line in lines if line.startswith("DTSTART;")]
    place, _, time = start.partition(":")
    assert place == "DTSTART;TZID=Europe/London"
    zone = data[data.index(b"BEGIN:VTIMEZONE") : data.index(b"END:VTIMEZONE") + 13].decode()
    london = tzical(io.StringIO(zone)).get("Europe/London")
    assert dt.datetime.strptime(time, "%Y%m%dT%H%M%S").replace(tzinfo=london) == NINE_THIRTY[day]
    assert V1 not in data.decode()
    assert "Bridge to nowhere" not in data.decode()


def test_a10_the_diary_keeps_a_day_when_it_has_come_and_forgets_one_that_was_moved(ready: Press) -> None:
    def days(site: Mapping[str, bytes]) -> list[str]:
        return re.findall(r"DTSTART;TZID=Europe/London:(\d{8})T093000", site["releases.ics"].decode())

    planned = ready.plan(V1)
    assert days(planned.site(noon("2026-07-02"))) == ["20260803"]
    planned.plan(V1, WINTER, by="eve", reason=REASON)
    assert days(planned.site(noon("2026-07-02"))) == ["20270111"]
    then = planned.on(WINTER)
    then.release(NINE_THIRTY[WINTER])
    assert days(then.site(NINE_THIRTY[WINTER])) == ["20270111"]


def test_the_calendar_lists_the_months_that_have_a_release_and_says_how_far_it_reaches(ready: Press) -> None:
    empty = ready.site(noon("2026-07-02"))["calendar.html"].decode()
    assert "No release is fixed up to July 2027." in empty
    page = ready.plan(V1, WINTER).site(noon("2026-07-02"))["calendar.html"].decode()
    assert re.findall(r"<h3>([^<]*)</h3>", page) == ["January 2027"]
    assert "11 January 2027" in page
    assert "in the other months up to July 2027." in page
