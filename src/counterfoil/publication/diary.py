"""The calendar as a file for diaries (RFC 5545): each day of releases at 9:30 in London, whatever zone a reader is in.

An event says its time by the zone's name, and the file brings the zone's rules with it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from counterfoil.publication.clock import release_time
from counterfoil.publication.feed import BEGINNING, identity
from counterfoil.publication.words import SiteWords

if TYPE_CHECKING:
    from icalendar import Event  # itself only where a calendar is made: it takes a while to read

DIARY = "releases.ics"
MAKER = "-//Counterfoil//Release calendar//EN"


def to_diary(days: Sequence[str], lab: str, lab_id: str, words: SiteWords) -> bytes:
    """One event a day (ISO dates), however many reports it has: the calendar does not say. The same days, the same
    bytes; an event has no time of its making but one for all, since a day that is moved is another event."""
    from icalendar import Calendar

    made = Calendar()
    made.add("prodid", MAKER)
    made.add("version", "2.0")
    made.add("x-wr-calname", words("all.title", lab=lab))
    for day in sorted(set(days)):
        made.add_component(_event(day, lab, lab_id, words))
    made.add_missing_timezones()
    data: bytes = made.to_ical()
    return data


def _event(day: str, lab: str, lab_id: str, words: SiteWords) -> Event:
    from icalendar import Event

    event = Event()
    event.add("uid", identity(lab_id, f"release {day}"))
    event.add("dtstamp", release_time(BEGINNING).astimezone(dt.UTC))
    event.add("dtstart", release_time(day))
    event.add("duration", dt.timedelta())
    event.add("summary", f"{lab}: {words('calendar.some')}", parameters={"language": words.language})
    event.add("transp", "TRANSPARENT")  # nobody is busy by it
    return event


def texts_of_diary(data: bytes) -> str:
    """What a reader meets in such a file: its name, and each event's text and time. For the check of R22."""
    from icalendar import Calendar

    read = Calendar.from_ical(data)
    said = [str(read["x-wr-calname"])]
    for event in read.walk("VEVENT"):
        said += [str(event["summary"]), event.decoded("dtstart").isoformat()]
    return " ".join(said)
