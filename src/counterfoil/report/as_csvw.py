"""What stands beside each CSV file, for programs to read (W3C, Metadata Vocabulary for Tabular Data, 2015)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from counterfoil.disclosure import Cell
from counterfoil.report.about import About
from counterfoil.report.tables import Table, safe_text
from counterfoil.report.words import Words, words_of
from counterfoil.report.workbook import SHORTHAND, column_titles
from counterfoil.visible import visible

CONTEXT = "http://www.w3.org/ns/csvw"  # the standard's own name for itself; nothing is fetched from it
SUFFIX = "-metadata.json"


def to_csvw(table: Table, about: About) -> bytes:
    """The metadata of `tables/NAME.csv`. What people read is there in each of the report's languages."""
    tongues = [words_of(language) for language in about.languages]
    document = {
        "@context": [CONTEXT, {"@language": about.language}],
        "url": f"{table.name}.csv",
        "dc:title": _said(
            [(w.language, visible(f"{w.given(about.title)}: {w(f'workbook.{table.name}.title')}")) for w in tongues]
        ),
        "dc:description": _said([(w.language, w(f"workbook.{table.name}.about")) for w in tongues]),
        "dc:publisher": visible(about.lab or about.provider),
        "dc:issued": about.today.isoformat(),
        "dc:language": about.language,
        "tableSchema": {"columns": _columns(table, tongues)},
    }
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def _said(texts: Sequence[tuple[str, str]]) -> Any:
    """A text by itself, or one for each language (Metadata Vocabulary 5.1.6: common properties)."""
    if len(texts) == 1:
        return texts[0][1]
    return [{"@value": text, "@language": language} for language, text in texts]


def _columns(table: Table, tongues: Sequence[Words]) -> list[dict[str, Any]]:
    found = []
    titles = {words.language: column_titles(table, words) for words in tongues}
    for place, name in enumerate(table.columns):
        said = _said([(language, found_in[place]) for language, found_in in titles.items()])
        column: dict[str, Any] = {"name": name, "titles": [safe_text(name)], "dc:description": said}
        cells = [row[place] for row in table.rows]
        if cells and all(isinstance(cell, Cell) for cell in cells):
            whole = all(cell.decimals == 0 for cell in cells if isinstance(cell, Cell))
            column |= {"datatype": "integer" if whole else "decimal", "null": [f"[{key}]" for key in SHORTHAND]}
        else:
            column |= {"datatype": "string"}
        found.append(column)
    return found
