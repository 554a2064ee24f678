"""Open a provider's file in a child process with limits, and give back its rows as text (DISCLOSURE A6)."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO

import counterfoil
from counterfoil.errors import Fault, FileNotTaken, UsageError
from counterfoil.records.gate.child import OUT_OF_MEMORY
from counterfoil.records.gate.limits import DEFAULT_LIMITS, MEGABYTE, Limits

_MODULE = "counterfoil.records.gate.child"
_PIECE = 1 << 20
_LONG_SUFFIX = 12
_TOO_MUCH_MEMORY = (
    "Reading the file needed more memory than a list of people ever does. Copy the rows with people in them into a new "
    "workbook, save it as .xlsx or as CSV, and send that."
)
_BROKE_OFF = (
    "The file could not be read: reading it broke off. Open it in your spreadsheet program, copy the table into a new "
    "workbook, save that as .xlsx, and send it."
)


class Format(Enum):
    """How the file holds its table."""

    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row with something in it. `number` is the row a spreadsheet shows, from 1."""

    number: int
    cells: tuple[str, ...]
    date_cells: frozenset[int]  # positions from 0 of cells that were dates to the spreadsheet


@dataclass(frozen=True, slots=True)
class RawSheet:
    """One sheet, or the one table of a CSV. Blank rows are counted and left out."""

    position: int  # from 1
    rows: tuple[RawRow, ...]
    blank_inside: int
    blank_after: int
    is_visible: bool
    hidden_rows: int
    merged_rows: tuple[int, ...]
    unsaved_formula_rows: tuple[int, ...]
    error_rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RawFile:
    """What was in the file. Text is as it stood: nothing trimmed, nothing guessed."""

    format: Format
    sheets: tuple[RawSheet, ...]
    encoding: str
    separator: str
    line_ends: str
    reread_rows: tuple[int, ...]  # rows with accented letters that were read as Windows-1252
    loose_quotes: bool
    uses_1904: bool


def read_file(path: Path, limits: Limits = DEFAULT_LIMITS) -> RawFile:
    """The rows of a CSV or XLSX file.

    UsageError when there is no such file; FileNotTaken, with what to do, when the gate or a limit says no.
    """
    with _open(path, limits) as file:
        answer = _ask_child(file, path.suffix[:_LONG_SUFFIX], limits)
    if "problems" in answer:
        raise FileNotTaken(*answer["problems"])
    return _raw_file(answer)


def _open(path: Path, limits: Limits) -> BinaryIO:
    try:
        _check_ordinary(path)
        file = path.open("rb")
    except OSError:  # its own text names the file, whose name may be a person's
        raise UsageError(
            "The file cannot be opened. Check that you may read it and that no program holds it."
        ) from None
    if os.fstat(file.fileno()).st_size > limits.file_bytes:
        file.close()
        raise FileNotTaken(
            f"The file is larger than {limits.file_bytes // MEGABYTE} MB, and a list of people never is. "
            "Remove pictures, other sheets and columns that were not asked for, and send it again."
        )
    return file


def _check_ordinary(path: Path) -> None:
    """Raise unless `path` is an ordinary file. Opening a pipe would wait for ever, so this comes first."""
    if not path.exists():
        raise UsageError("There is no file with that name. Check the spelling and the folder.")
    if path.is_dir():
        raise UsageError("That is a folder. Give the name of one file, .xlsx or .csv.")
    if not path.is_file():
        raise UsageError("That is not an ordinary file. Give the name of one file, .xlsx or .csv.")


def _ask_child(file: BinaryIO, suffix: str, limits: Limits) -> dict[str, Any]:
    settings = json.dumps({"suffix": suffix, "limits": asdict(limits)})
    source = str(Path(counterfoil.__file__).resolve().parents[1])
    environment = {"PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1"}
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", _MODULE, settings],
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a traceback could hold a name
        env=environment,
        cwd=os.sep,
    )
    try:
        text = _collect(child, limits)
    finally:
        child.kill()
        code = child.wait()
    if code != 0 or not text:
        raise FileNotTaken(_TOO_MUCH_MEMORY if code < 0 or code == OUT_OF_MEMORY else _BROKE_OFF)
    answer: dict[str, Any] = json.loads(text)
    return answer


def _collect(child: subprocess.Popen[bytes], limits: Limits) -> bytes:
    """All the child says, up to the cap and the clock."""
    if child.stdout is None:
        raise Fault("The process that reads files could not be started.")
    deadline = time.monotonic() + limits.wall_seconds
    pieces: list[bytes] = []
    size = 0
    with child.stdout as pipe, selectors.DefaultSelector() as waiting:
        waiting.register(pipe, selectors.EVENT_READ)
        while waiting.select(max(0.0, deadline - time.monotonic())):
            piece = os.read(pipe.fileno(), _PIECE)
            if not piece:
                child.wait()
                return b"".join(pieces)
            pieces.append(piece)
            size += len(piece)
            if size > limits.answer_bytes:
                raise FileNotTaken(_TOO_MUCH_MEMORY)
    raise FileNotTaken(
        f"Reading the file took longer than {limits.wall_seconds:g} seconds, and a list of people never "
        "does. Copy the rows with people in them into a new workbook, and send that."
    )


def _raw_file(answer: Mapping[str, Any]) -> RawFile:
    return RawFile(
        format=Format(answer["format"]),
        sheets=tuple(_raw_sheet(position, sheet) for position, sheet in enumerate(answer["sheets"], 1)),
        encoding=answer.get("encoding", ""),
        separator=answer.get("separator", ""),
        line_ends=answer.get("line_ends", ""),
        reread_rows=tuple(answer.get("reread_rows", ())),
        loose_quotes=answer.get("loose_quotes", False),
        uses_1904=answer.get("uses_1904", False),
    )


def _raw_sheet(position: int, sheet: Mapping[str, Any]) -> RawSheet:
    facts = sheet.get("facts", {})
    return RawSheet(
        position=position,
        rows=tuple(RawRow(number, tuple(cells), frozenset(dates)) for number, cells, dates in sheet["rows"]),
        blank_inside=sheet["blank_inside"],
        blank_after=sheet["blank_after"],
        is_visible=sheet["is_visible"],
        hidden_rows=facts.get("hidden_rows", 0),
        merged_rows=tuple(facts.get("merged_rows", ())),
        unsaved_formula_rows=tuple(facts.get("unsaved_formula_rows", ())),
        error_rows=tuple(facts.get("error_rows", ())),
    )
