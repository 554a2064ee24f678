"""R22 on our own bytes: every number of every file must be a protected cell, a parameter, a date or the wording's."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from enum import Enum

from counterfoil.disclosure import Band, Cell, Protected, ProtectedPool, ProtectedRefusal, ProtectedWay, WayGroup
from counterfoil.errors import Fault
from counterfoil.report import numbers
from counterfoil.report.about import About
from counterfoil.report.as_csvw import CONTEXT
from counterfoil.report.charts import axis_reach, curve_top, forest_reach
from counterfoil.report.read_back import texts_of
from counterfoil.report.trust import reach_of, rows_of
from counterfoil.report.words import words_of
from counterfoil.visible import visible

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def numbers_in(text: str) -> set[Decimal]:
    """Every number of a text, without its sign and its thousands' commas."""
    return {Decimal(found.replace(",", "")) for found in NUMBER.findall(text)}


def cells_in(value: object) -> Iterator[Cell]:
    """Every cell of a protected value, found by walking it, so that none is forgotten."""
    if isinstance(value, Cell):
        yield value
    elif isinstance(value, Enum):
        return
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from cells_in(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from cells_in(item)


def names_in(protected: Protected | ProtectedRefusal) -> set[str]:
    """Words that come from a plan and may hold digits: labels, units, nouns, terms."""
    if isinstance(protected, ProtectedRefusal):
        return {protected.reason, protected.rule}
    measures = [m.measure for m in protected.measures]
    found = {text for m in measures for text in (m.name, m.label, m.unit, m.noun)}
    found |= {text for sub in protected.sub_analyses for text in (sub.name, sub.about, f"({sub.about})")}
    found |= {f"“{way.label}”" for way in rows_of(protected) if way.group is WayGroup.SITE}
    found |= {kind for table in protected.tables for cell in table.cells for kind in cell.kinds}
    found |= {text for cost in protected.costs for text in (cost.source, cost.currency)}
    return found | {text for t in protected.balance.terms for text in (t.term, t.covariate)}


def allowed_numbers(protected: Protected | ProtectedRefusal, about: About) -> frozenset[Decimal]:
    """The release's allow-list: protected cells (as they are, and 100 times), parameters, and the wording's numbers."""
    cells = [c for c in cells_in(protected) if c.value is not None]
    found = {abs(numbers.exact(c)) for c in cells}
    found |= {abs(numbers.times_hundred(c)) for c in cells if c.decimals >= numbers.HUNDRED_PLACES}
    found |= {n for name in about.texts() if NUMBER.fullmatch(name) for n in numbers_in(name)}  # seeds and the like
    found |= {n for c in cells_in(protected) if c.rule is not None for n in numbers_in(c.rule.value)}  # named
    found |= {Decimal(f"{p.value:g}") for p in protected.settings.annex()}
    for language in about.languages:
        words = words_of(language)
        said = (*words.of_reports(), *words.given_texts.values())
        found |= {n for text in said for n in numbers_in(text)}
    for parameter in protected.settings.annex():
        found |= numbers_in(parameter.meaning) | numbers_in(parameter.source) | numbers_in(f"{parameter.symbol}")
    found |= {Decimal("0.05"), Decimal("0.10"), Decimal(about.today.day), Decimal(about.today.year)}
    found |= numbers_in(protected.settings.version)
    if isinstance(protected, Protected):
        found |= {Decimal(protected.balance.count(b)) for b in Band}  # characteristics, not people
        found |= {Decimal(protected.balance.count_before(b)) for b in Band}
        found |= {Decimal(n) for s in protected.sub_analyses for n in (s.green, s.amber, s.red)}
        found |= {n for s in protected.sub_analyses if s.hidden for n in numbers_in(s.hidden)}
        check = () if protected.trust is None or protected.trust.control is None else (protected.trust.control,)
        found |= _of_ways((*rows_of(protected), *check))
        found |= numbers_in((protected.linking and protected.linking.hidden) or "")
        found |= set() if protected.survival is None else {curve_top(protected.survival)}
        found |= {n for f in protected.findings for n in numbers_in(f.rule.value)}
        found |= {n for m in protected.measures if m.hidden for n in numbers_in(m.hidden.value)}
        shown = [m for m in protected.measures if m.estimate.difference.value is not None]
        found |= {axis_reach(m) for m in shown} | {Decimal("0.001")}
    return frozenset(found)


def _of_ways(ways: tuple[ProtectedWay, ...]) -> set[Decimal]:
    """Characteristics in each band (not people), the rules that hid something, calipers, and the end of the axis."""
    found = {Decimal(n) for way in ways for n in (way.green, way.amber, way.red)}
    found |= {n for way in ways if way.hidden for n in numbers_in(way.hidden)}
    found |= {n for way in ways if way.group is WayGroup.CALIPER for n in numbers_in(way.label)}
    return found | ({reach_of(ways)} if ways else set())


def names_said(protected: Protected | ProtectedRefusal, about: About) -> frozenset[str]:
    """What the run and the plan say of themselves, in every language of the report: hashes, dates, titles, labels."""
    caveats = protected.caveats if isinstance(protected, Protected) else ()
    made = f"{about.today.isoformat()}T00:00:00Z"  # as XLSX must say a date
    days = () if about.words.responded is None else (about.words.responded,)
    tongues = [words_of(language) for language in about.languages]
    dated = {words.date(day) for words in tongues for day in days}
    given = {*about.given(), *names_in(protected), *caveats}
    return frozenset(
        {words.given(name) for words in tongues for name in given} | {*about.texts(), *dated, made, CONTEXT}
    )


def without(text: str, names: Collection[str], *, broken: bool = False) -> str:
    """`text` without these names, the longest first, so that none leaves a part of another. Spaces may differ.

    `broken`: a line may end anywhere, as where a PDF breaks a word that is too long for it.
    """
    named = {form for name in names for form in (name, visible(name))}
    held = text.replace("\n", "") if broken else text
    there = (name for name in filter(_is_more_than_a_number, named) if all(word in held for word in name.split()))
    for name in sorted(there, key=len, reverse=True):  # a search for each name that there may be
        between = r"\n{0,3}" if broken else ""  # three where a page ends too
        spaced = r"\s+".join(between.join(map(re.escape, word)) for word in name.split())
        text = re.sub(rf"(?<![\w.]){spaced}(?!\w)", " ", text)
    return text


def _is_more_than_a_number(name: str) -> bool:
    return NUMBER.search(name) is not None and NUMBER.fullmatch(name) is None


def find_strays(files: Mapping[str, bytes], protected: Protected | ProtectedRefusal, about: About) -> list[str]:
    """Files that hold a number which is not on the allow-list. Names of files only."""
    allowed, names = allowed_numbers(protected, about), names_said(protected, about)

    def is_stray(name: str, data: bytes) -> bool:
        text = without(texts_of(name, data), names, broken=name.endswith(".pdf"))
        return not numbers_in(text) <= allowed

    return [name for name, data in files.items() if is_stray(name, data)]


def check_numbers(files: Mapping[str, bytes], protected: Protected | ProtectedRefusal, about: About) -> None:
    """Refuse to give out a file with a number that nobody protected."""
    strays = find_strays(files, protected, about)
    if strays:
        raise Fault(f"A number that was not protected is in {', '.join(strays)}. Nothing was written (R22).")


def check_pool_numbers(files: Mapping[str, bytes], pool: ProtectedPool, about: About, names: set[str]) -> None:
    """The same for several results together. `names`: what the runs say of themselves (titles, years, hashes)."""
    cells = [c for c in cells_in(pool) if c.value is not None]
    allowed = {abs(numbers.exact(c)) for c in cells}
    allowed |= {abs(numbers.times_hundred(c)) for c in cells if c.decimals >= numbers.HUNDRED_PLACES}
    tongues = [words_of(language) for language in about.languages]
    said = {text for words in tongues for text in (*words.of_reports(), *words.given_texts.values())}
    allowed |= {n for text in said for n in numbers_in(text)}
    allowed |= {Decimal(100), Decimal(256)}  # in every 100; SHA-256
    allowed |= {forest_reach(pool), Decimal("0.001"), Decimal(about.today.day), Decimal(about.today.year)}
    dated = {*(words.date(about.today) for words in tongues), f"{about.today.isoformat()}T00:00:00Z", CONTEXT}
    known = names | set(about.texts()) | dated | {pool.measure.name, pool.measure.label, pool.measure.unit}
    allowed |= {n for name in known if NUMBER.fullmatch(name) for n in numbers_in(name)}  # a cohort of one year
    stray = [n for n, data in files.items() if not numbers_in(without(texts_of(n, data), known)) <= allowed]
    if stray:
        raise Fault(f"A number that was not protected is in {', '.join(stray)}. Nothing was written (R22).")
