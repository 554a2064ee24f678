"""The words of the site's own pages. Sentences about results are the reports' and are quoted, never made here."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from counterfoil.report.words import Words

ENGLISH = "en"
LANGUAGES = (ENGLISH,)  # of the site; reports have their own


@dataclass(frozen=True, slots=True)
class SiteWords:
    """The table of one language."""

    language: str
    words: Words

    def __call__(self, key: str, **filling: str) -> str:
        """The sentence, filled."""
        return self.words(key, **filling)

    def date(self, day: dt.date | str) -> str:
        """4 March 2026."""
        day = dt.date.fromisoformat(day) if isinstance(day, str) else day
        return f"{day.day} {self(f'month.m{day.month}')} {day.year}"

    def month(self, day: dt.date) -> str:
        """March 2026."""
        return f"{self(f'month.m{day.month}')} {day.year}"


@cache
def site_words(language: str) -> SiteWords:
    """The table of a language that there is."""
    text = resources.files("counterfoil.publication").joinpath("wording", f"{language}.toml").read_text("utf-8")
    table = tomllib.loads(text)
    sentences = {f"{part}.{key}": str(said) for part, found in table.items() for key, said in _items(found)}
    return SiteWords(language, Words(language=language, sentences=sentences))


def _items(found: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    return tuple(found.items())
