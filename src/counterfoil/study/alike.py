"""R18 before outcomes are opened: a list of nearly the same people as another report's waits for a person.

Two sets are compared, each as soon as it is known for certain: everybody of the list who is in scope, before anyone is
matched; and those who are left after matching, before an outcome is opened. No outcome plays a part.

People are known by their keys with the day they are followed from, and by their keys alone: who asks again with other
days has nearly the same people all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

from counterfoil.disclosure import DisclosureSettings, Said
from counterfoil.disclosure.audited.joint import analysed_of
from counterfoil.disclosure.differencing import are_nearly_alike
from counterfoil.errors import Refused

People = Collection[str]
_DAY = re.compile(r" \d{4}-\d{2}-\d{2}$")  # at the end of a person's key


def check_cohort(keys: People, others: Iterable[tuple[str, Said]], settings: DisclosureSettings) -> None:
    """Refused where those of this list who are in scope are nearly those of another. `others`: run, what it says."""
    _check(keys, others, settings, lambda said: said.cohort or analysed_of(said))


def check_analysed(keys: People, others: Iterable[tuple[str, Said]], settings: DisclosureSettings) -> None:
    """The same of those who are left after matching: cohorts that are far apart can be matched down to nearly one."""
    _check(keys, others, settings, analysed_of)


def _are_alike(new: frozenset[str], old: frozenset[str], least: int) -> bool:
    return are_nearly_alike(new, old, least) or are_nearly_alike(_persons(new), _persons(old), least)


def _persons(keys: Iterable[str]) -> frozenset[str]:
    return frozenset(_DAY.sub("", key) for key in keys)


def _check(
    keys: People, others: Iterable[tuple[str, Said]], settings: DisclosureSettings, people_of: Callable[[Said], People]
) -> None:
    new, least = frozenset(keys), settings.min_difference
    found = tuple(run for run, said in others if _are_alike(new, frozenset(people_of(said)), least))
    if found:
        raise Refused(
            f"Fewer than {least} people are in this list and not in that of another report, or the other way round, so "
            "one could be taken from the other (R18). No outcome was opened. If this list replaces one that is not "
            "public yet, withdraw that report; else ask for an exception, which somebody of a higher grade allows. "
            "Then run the same evaluate command again.",
            rule="R18",
            about=found,
        )
