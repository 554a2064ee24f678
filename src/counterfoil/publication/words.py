"""The words of the site's own pages. Sentences about results are the reports' and are quoted, never made here."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup, escape

from counterfoil.report.words import DEFAULT_LANGUAGE as ENGLISH
from counterfoil.report.words import SITE, Words, words_of

__all__ = ["ENGLISH", "SiteWords", "site_words"]


@dataclass(frozen=True, slots=True)
class SiteWords:
    """The site's part of the one table of wording, in one language."""

    words: Words

    @property
    def language(self) -> str:
        """Its code."""
        return self.words.language

    def __call__(self, key: str, **filling: str) -> str:
        """The sentence, filled."""
        return self.words(f"{SITE}.{key}", **filling)

    def rich(self, key: str, **filling: str) -> Markup:
        """The sentence for a page, filled with what may carry markup of its own, such as a language."""
        gaps = {name: escape(value) for name, value in filling.items()}
        return Markup(Words(self.language, {key: str(escape(self.words.sentences[f"{SITE}.{key}"]))})(key, **gaps))

    def quoted(self, text: str, language: str) -> Markup:
        """What somebody else wrote, marked with its language where that is not the page's."""
        if language == self.language:
            return escape(text)
        return Markup('<span lang="{0}">{1}</span>').format(language, text)

    def given(self, text: str) -> Markup:
        """A text that the program gives in English, in this language; marked where there is no translation."""
        return self.quoted(self.words.given(text), ENGLISH if self.words.is_foreign(text) else self.language)

    def date(self, day: dt.date | str) -> str:
        """4 March 2026."""
        return self.words.date(dt.date.fromisoformat(day) if isinstance(day, str) else day)

    def month(self, day: dt.date) -> str:
        """March 2026."""
        return f"{self.words(f'month.{day.month}')} {day.year}"


@cache
def site_words(language: str) -> SiteWords:
    """The site's words in a language that there is."""
    return SiteWords(words_of(language))
