"""The wording table: every sentence is looked up by its case and filled from protected cells. None is typed by hand."""

from __future__ import annotations

import datetime as dt
import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from counterfoil.errors import Fault

DEFAULT_LANGUAGE = "en"
LANGUAGES: Mapping[str, str] = {DEFAULT_LANGUAGE: "English", "cy": "Cymraeg"}  # as each calls itself
TRANSLATIONS = tuple(language for language in LANGUAGES if language != DEFAULT_LANGUAGE)
SITE = "site"  # the part of the table that pages of the public site take their words from
_GAP = re.compile(r"\\{(\w+)\\}")  # a gap of an escaped phrase


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text that the program gives in English, as a pattern, and what it is in another language."""

    pattern: re.Pattern[str]
    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """Sentences of one language by dotted key: "headline.rate.fewer"."""

    language: str
    sentences: Mapping[str, str]
    given_texts: Mapping[str, str] = field(default_factory=dict)  # English, with gaps -> this language
    phrases: tuple[Phrase, ...] = ()  # those of them that have gaps

    def __call__(self, key: str, **filling: str) -> str:
        """The sentence, filled. An unknown key or a gap that is not filled is a fault: nothing half-said leaves."""
        try:
            return self.sentences[key].format_map(filling)
        except KeyError as absent:
            raise Fault(
                f"The wording table has no {absent} for {key}. Report this as a fault of the program."
            ) from None

    def given(self, text: str) -> str:
        """A text that the program gives in English (a measure's name, a setting), in this language; else as it is."""
        found = self._known(text)
        return text if found is None else found

    def is_foreign(self, text: str) -> bool:
        """Whether `given` leaves a text in English on a page that is not."""
        return bool(text) and self.language != DEFAULT_LANGUAGE and self._known(text) is None

    def _known(self, text: str) -> str | None:
        if text in self.given_texts:
            return self.given_texts[text]
        if day := _date_of(text):
            return self.date(day)
        for phrase in self.phrases:
            found = phrase.pattern.fullmatch(text)
            if found:
                return phrase.text.format_map({name: self.given(part) for name, part in found.groupdict().items()})
        return None

    def date(self, day: dt.date) -> str:
        """4 March 2026."""
        return self("page.date", day=str(day.day), month=self(f"month.{day.month}"), year=str(day.year))

    def of_reports(self) -> tuple[str, ...]:
        """Every sentence that is not for the public site's own pages."""
        return tuple(text for key, text in self.sentences.items() if not key.startswith(f"{SITE}."))

    def under(self, prefix: str) -> tuple[str, ...]:
        """Every sentence of one part of the table."""
        return tuple(text for key, text in self.sentences.items() if key.startswith(f"{prefix}."))

    def gaps(self, key: str) -> frozenset[str]:
        """Names of what a sentence must be filled with."""
        return gaps_of(self.sentences[key])


def gaps_of(text: str) -> frozenset[str]:
    """Names in braces."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


@cache
def words_of(language: str) -> Words:
    """The wording table of a language that we have."""
    if language not in LANGUAGES:
        raise Fault(f"There is no wording for the language {language!r}. There is: {', '.join(LANGUAGES)}.")
    given = {} if language == DEFAULT_LANGUAGE else _table(f"{language}.given")
    phrases = tuple(Phrase(_pattern(english), text) for english, text in given.items() if gaps_of(english))
    sentences = _table(language) | {f"{SITE}.{key}": text for key, text in _table(f"{SITE}.{language}").items()}
    return Words(language, sentences, given, phrases)


def file_in(name: str, language: str) -> str:
    """The name of a file in a language: report.html is report.cy.html."""
    stem, _, ending = name.rpartition(".")
    return name if language == DEFAULT_LANGUAGE else f"{stem}.{language}.{ending}"


def _date_of(text: str) -> dt.date | None:
    """The day that an English text names, when it names one and nothing else: 31 December 2020."""
    found = re.fullmatch(r"(\d{1,2}) ([A-Z][a-z]+) (\d{4})", text)
    if not found:
        return None
    months = words_of(DEFAULT_LANGUAGE).under("month")
    if found[2] not in months:
        return None
    try:
        return dt.date(int(found[3]), months.index(found[2]) + 1, int(found[1]))
    except ValueError:
        return None


def _pattern(english: str) -> re.Pattern[str]:
    return re.compile(_GAP.sub(r"(?P<\1>.+?)", re.escape(english)), re.DOTALL)


def _table(name: str) -> dict[str, str]:
    text = resources.files("counterfoil.report").joinpath("wording", f"{name}.toml").read_text("utf-8")
    return dict(_flat("", tomllib.loads(text)))


def _flat(prefix: str, table: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for key, found in table.items():
        if isinstance(found, Mapping):
            yield from _flat(f"{prefix}{key}.", found)
        else:
            yield f"{prefix}{key}", str(found)
