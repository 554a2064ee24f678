"""The wording table: every sentence is looked up by its case and filled from protected cells. None is typed by hand."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from counterfoil.errors import Fault

DEFAULT_LANGUAGE = "en"
LANGUAGES = (DEFAULT_LANGUAGE,)


@dataclass(frozen=True, slots=True)
class Words:
    """Sentences of one language by dotted key: "headline.rate.fewer"."""

    language: str
    sentences: Mapping[str, str]

    def __call__(self, key: str, **filling: str) -> str:
        """The sentence, filled. An unknown key or a gap that is not filled is a fault: nothing half-said leaves."""
        try:
            return self.sentences[key].format_map(filling)
        except KeyError as absent:
            raise Fault(
                f"The wording table has no {absent} for {key}. Report this as a fault of the program."
            ) from None

    def under(self, prefix: str) -> tuple[str, ...]:
        """Every sentence of one part of the table."""
        return tuple(text for key, text in self.sentences.items() if key.startswith(f"{prefix}."))

    def gaps(self, key: str) -> frozenset[str]:
        """Names of what a sentence must be filled with."""
        return frozenset(name for _, name, _, _ in string.Formatter().parse(self.sentences[key]) if name)


@cache
def words_of(language: str) -> Words:
    """The wording table of a language that we have."""
    if language not in LANGUAGES:
        raise Fault(f"There is no wording for the language {language!r}. There is: {', '.join(LANGUAGES)}.")
    text = resources.files("counterfoil.report").joinpath("wording", f"{language}.toml").read_text("utf-8")
    return Words(language=language, sentences=dict(_flat("", tomllib.loads(text))))


def _flat(prefix: str, table: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for key, found in table.items():
        if isinstance(found, Mapping):
            yield from _flat(f"{prefix}{key}.", found)
        else:
            yield f"{prefix}{key}", str(found)
