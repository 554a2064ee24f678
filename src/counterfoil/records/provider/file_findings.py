"""Findings about a file as a whole: its text, its sheets, its columns."""

from __future__ import annotations

from collections.abc import Iterable

from counterfoil.records.gate.reader import Format, RawFile
from counterfoil.records.gate.sheets import column_letters
from counterfoil.records.provider.findings import Finding, finding
from counterfoil.records.provider.layout import SEPARATOR_WORDS, Layout
from counterfoil.records.provider.rules import Code


def find_in_file(raw: RawFile, layout: Layout) -> list[Finding]:
    """Everything that is true of the file whatever its rows say."""
    text = _text_findings(raw) if raw.format is Format.CSV else _sheet_findings(raw, layout)
    return [*text, *_table_findings(layout)]


def _text_findings(raw: RawFile) -> list[Finding]:
    found = []
    if raw.encoding == "cp1252":
        found.append(finding(Code.REREAD_TEXT, raw.reread_rows))
    if raw.line_ends in {"cr", "mixed"}:
        found.append(finding(Code.LINE_ENDS))
    if raw.separator != ",":
        found.append(finding(Code.SEPARATOR, shape=SEPARATOR_WORDS[raw.separator]))
    if raw.loose_quotes:
        found.append(finding(Code.LOOSE_QUOTES))
    return found


def _sheet_findings(raw: RawFile, layout: Layout) -> list[Finding]:
    sheet = layout.sheet
    found = [finding(Code.USES_1904)] if raw.uses_1904 else []
    if layout.other_sheets:
        found.append(finding(Code.OTHER_SHEETS))
    if not sheet.is_visible:
        found.append(finding(Code.HIDDEN_SHEET))
    if sheet.hidden_rows:
        found.append(finding(Code.HIDDEN_ROWS))
    by_rows = (
        (Code.MERGED_CELLS, sheet.merged_rows),
        (Code.UNSAVED_FORMULA, sheet.unsaved_formula_rows),
        (Code.ERROR_CELLS, sheet.error_rows),
    )
    return [*found, *(finding(code, below) for code, rows in by_rows if (below := _below(rows, layout)))]


def _below(rows: Iterable[int], layout: Layout) -> list[int]:
    return [row for row in rows if row >= layout.header.number]


def _table_findings(layout: Layout) -> list[Finding]:
    found = [finding(Code.TITLE_ROWS, [layout.header.number])] if layout.header.number > 1 else []
    if layout.sheet.blank_inside or layout.sheet.blank_after:
        found.append(finding(Code.BLANK_ROWS))
    plain = [p for p in layout.unknown if p not in layout.sensitive]
    by_column = (
        (Code.DROPPED_COLUMN, plain),
        (Code.SENSITIVE_COLUMN, layout.sensitive),
        (Code.EMPTY_COLUMN, layout.empty_unnamed),
    )
    return [*found, *(finding(code, column=f"Column {column_letters(p + 1)}") for code, ps in by_column for p in ps)]
