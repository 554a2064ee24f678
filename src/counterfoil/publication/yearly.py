"""Year by year, what became public, and how often a rule was set aside for it: the transparency table (R28)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from counterfoil.publication.published import Published


@dataclass(frozen=True, slots=True)
class Year:
    """One calendar year. `excepted`: by rule, the exceptions that its reports rest on; never which report."""

    year: str
    reports: int
    corrections: int
    excepted: Mapping[str, int]


def years_of(published: Sequence[Published]) -> tuple[Year, ...]:
    """Every year in which a report became public, the newest first. A correction is a report of its own year too."""
    found = []
    for year in sorted({each.date[:4] for each in published}, reverse=True):
        of = [each for each in published if each.date.startswith(year)]
        excepted = Counter(rule for each in of for rule in each.exceptions)
        by_rule = dict(sorted(excepted.items(), key=lambda item: (len(item[0]), item[0])))
        found.append(Year(year, len(of), sum(bool(each.replaces) for each in of), by_rule))
    return tuple(found)


def rows_of_years(published: Sequence[Published]) -> list[dict[str, object]]:
    """The same as JSON."""
    return [
        {"year": int(y.year), "reports": y.reports, "corrections": y.corrections, "exceptions": dict(y.excepted)}
        for y in years_of(published)
    ]
