"""The organisation's own words as the page lays them out: shown as text, marked as its words, never scored."""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.report.about import About
from counterfoil.report.words import Words


@dataclass(frozen=True, slots=True)
class SaidView:
    """One text of the organisation. `paragraphs` are as it wrote them; `language` is the one it wrote in."""

    title: str
    note: str
    dated: str
    paragraphs: tuple[str, ...]
    language: str


def views_of(about: About, words: Words) -> tuple[SaidView, ...]:
    """Description, response and other evidence, those of them that there are."""
    said = about.words
    day = words("provider.dated", date=words.date(said.responded)) if said.responded else ""
    texts = (
        ("description", "", "", about.description),
        ("response", "", day, said.response),
        ("other_evidence", words("provider.other_note"), "", said.other_evidence),
    )
    return tuple(
        SaidView(words(f"provider.{key}"), note, dated, _paragraphs(text), said.language)
        for key, note, dated, text in texts
        if text
    )


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.splitlines() if part.strip())
