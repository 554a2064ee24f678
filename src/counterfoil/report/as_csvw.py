"""What stands beside each CSV file, for programs to read (W3C, Metadata Vocabulary for Tabular Data, 2015)."""

from __future__ import annotations

import json
from typing import Any

from counterfoil.disclosure import Cell
from counterfoil.report.about import About
from counterfoil.report.tables import Table, safe_text
from counterfoil.report.visible import visible
from counterfoil.report.words import Words
from counterfoil.report.workbook import SHORTHAND, column_titles

CONTEXT = "http://www.w3.org/ns/csvw"  # the standard's own name for itself; nothing is fetched from it
SUFFIX = "-metadata.json"


def to_csvw(table: Table, about: About, words: Words) -> bytes:
    """The metadata of `tables/NAME.csv`."""
    document = {
        "@context": [CONTEXT, {"@language": about.language}],
        "url": f"{table.name}.csv",
        "dc:title": visible(f"{about.title}: {words(f'workbook.{table.name}.title')}"),
        "dc:description": words(f"workbook.{table.name}.about"),
        "dc:publisher": visible(about.lab or about.provider),
        "dc:issued": about.today.isoformat(),
        "dc:language": about.language,
        "tableSchema": {"columns": _columns(table, words)},
    }
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def _columns(table: Table, words: Words) -> list[dict[str, Any]]:
    found = []
    for place, (name, title) in enumerate(zip(table.columns, column_titles(table, words), strict=True)):
        column: dict[str, Any] = {"name": name, "titles": [safe_text(name)], "dc:description": title}
        cells = [row[place] for row in table.rows]
        if cells and all(isinstance(cell, Cell) for cell in cells):
            whole = all(cell.decimals == 0 for cell in cells if isinstance(cell, Cell))
            column |= {"datatype": "integer" if whole else "decimal", "null": [f"[{key}]" for key in SHORTHAND]}
        else:
            column |= {"datatype": "string"}
        found.append(column)
    return found
