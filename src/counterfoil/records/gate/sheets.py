"""A streaming look at a workbook's XML before the reader of workbooks sees it: no DTD, and no sheet too large."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat

from counterfoil.errors import FileNotTaken
from counterfoil.records.gate.archive import DAMAGED, parts
from counterfoil.records.gate.kinds import AS_XLSX
from counterfoil.records.gate.limits import Limits

_CELL = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})\Z")
_SHEET_PART = re.compile(r"xl/(work|chart|dialog)sheets/[^/]+\.xml\Z")
_WORKBOOK = "xl/workbook.xml"
_RELATIONSHIPS = "xl/_rels/workbook.xml.rels"
_MARKUP_SUFFIXES = (".xml", ".rels", ".vml")
_OPTIONAL_SUFFIXES = (".vml",)  # drawings: often not well formed, and nobody reads them here
_VALUE_TAGS = frozenset({"v", "is"})


@dataclass(slots=True)
class SheetFacts:
    """What a sheet holds, from its XML alone. Rows are counted from 1, as a spreadsheet shows them."""

    last_row: int = 0  # last row with a value
    last_column: int = 0
    hidden_rows: int = 0
    merged_rows: set[int] = field(default_factory=set)  # first row of each merged area
    unsaved_formula_rows: set[int] = field(default_factory=set)  # a formula whose result was not saved
    error_rows: set[int] = field(default_factory=set)  # #N/A, #REF!


@dataclass(frozen=True, slots=True)
class WorkbookFacts:
    """The workbook's own settings, and the facts of each sheet in the order of the workbook."""

    uses_1904: bool
    sheets: tuple[SheetFacts, ...]


def column_number(letters: str) -> int:
    """1 for A, 26 for Z, 27 for AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def column_letters(number: int) -> str:
    """A for 1, Z for 26, AA for 27."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


class _SheetReader:
    """Follows one sheet's elements. Only cells with a value count towards the extent: formatting alone does not."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.facts = limits, SheetFacts()
        self.row = self.column = 0
        self.has_formula = self.has_value = self.is_text = False
        self.depth_in_value = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element opens."""
        name = tag.rpartition(":")[2]
        if name == "row":
            self.row = _number(attributes.get("r"), self.row + 1)
            self.column = 0
            self.facts.hidden_rows += attributes.get("hidden") in {"1", "true"}
        elif name == "c":
            self._cell(attributes)
        elif name == "f":
            self.has_formula = True
        elif name in _VALUE_TAGS:
            self.depth_in_value = 1
        elif name == "mergeCell" and (area := _CELL.match(attributes.get("ref", "").partition(":")[0])):
            self.facts.merged_rows.add(int(area[2]))

    def _cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        self.column += 1
        if reference is not None:
            found = _CELL.match(reference)
            if found is None:
                raise FileNotTaken(DAMAGED)
            self.column, self.row = column_number(found[1]), int(found[2])
        self.has_formula = self.has_value = False
        self.is_text = attributes.get("t") == "str"
        if attributes.get("t") == "e":
            self.facts.error_rows.add(self.row)

    def text(self, text: str) -> None:
        """Characters inside the open element."""
        if self.depth_in_value and text:
            self.has_value = True

    def end(self, tag: str) -> None:
        """An element closes."""
        name = tag.rpartition(":")[2]
        if name in _VALUE_TAGS:
            self.depth_in_value = 0
        elif name == "c":
            self._close_cell()

    def _close_cell(self) -> None:
        if self.has_value:
            self.facts.last_row = max(self.facts.last_row, self.row)
            self.facts.last_column = max(self.facts.last_column, self.column)
            _check_extent(self.facts, self.limits)
        elif self.has_formula and not self.is_text:  # a formula may truly give an empty text
            self.facts.unsaved_formula_rows.add(self.row)


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isdigit() or len(text) > 7:
        raise FileNotTaken(DAMAGED)
    return int(text)


def _check_extent(facts: SheetFacts, limits: Limits) -> None:
    if facts.last_row > limits.rows or facts.last_column > limits.columns:
        raise FileNotTaken(
            f"A sheet reaches past {limits.rows:,} rows or {limits.columns} columns: a value lies far "
            f"from the table. Copy the table into a new workbook. {AS_XLSX}"
        )


class _WorkbookReader:
    """Follows the workbook part and its relationships: the date system, and which part each sheet is."""

    def __init__(self) -> None:
        self.uses_1904 = False
        self.sheet_ids: list[str] = []
        self.targets: dict[str, str] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element opens."""
        name = tag.rpartition(":")[2]
        if name == "workbookPr":
            self.uses_1904 = attributes.get("date1904") in {"1", "true"}
        elif name == "sheet":
            self.sheet_ids += [value for key, value in attributes.items() if key.endswith(":id")]
        elif name == "Relationship":
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def sheet_parts(self) -> list[str]:
        """The lower-cased part name of each sheet; a sheet kept anywhere unusual is not opened."""
        targets = [self.targets.get(identity, "").lower().lstrip("/") for identity in self.sheet_ids]
        parts_ = [target if target.startswith("xl/") else f"xl/{target}" for target in targets]
        if not parts_ or not all(_SHEET_PART.match(part) for part in parts_):
            raise FileNotTaken(DAMAGED)
        return parts_


def look_through(archive: zipfile.ZipFile, limits: Limits) -> WorkbookFacts:
    """Parse every part that is markup once, as a stream; FileNotTaken for a DTD, a sheet too large, or damage."""
    sheets: dict[str, SheetFacts] = {}
    workbook = _WorkbookReader()
    for name in archive.namelist():
        lower = name.lower()
        if _SHEET_PART.match(lower):
            reader = _SheetReader(limits)
            _stream(archive, name, reader.start, reader.end, reader.text)
            sheets[lower] = reader.facts
        elif lower in {_WORKBOOK, _RELATIONSHIPS}:
            _stream(archive, name, workbook.start)
        elif lower.endswith(_MARKUP_SUFFIXES):
            _stream(archive, name)
    found = [sheets.get(part) for part in workbook.sheet_parts()]
    if None in found:
        raise FileNotTaken(DAMAGED)
    return WorkbookFacts(uses_1904=workbook.uses_1904, sheets=tuple(facts for facts in found if facts is not None))


def _stream(
    archive: zipfile.ZipFile,
    name: str,
    start: Callable[[str, dict[str, str]], None] | None = None,
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.EntityDeclHandler = _refuse_doctype
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    try:
        for piece in parts(archive, name):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError, OSError) as error:  # OSError: an encoding nobody has loaded
        if not name.lower().endswith(_OPTIONAL_SUFFIXES):
            raise FileNotTaken(DAMAGED) from error


def _refuse_doctype(*_: object) -> None:
    raise FileNotTaken(
        "The workbook's XML declares a document type (DTD), which spreadsheet programs never write and "
        f"attackers do. It was not opened. {AS_XLSX}"
    )
