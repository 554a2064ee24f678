"""The child process that opens a provider's file: bytes in on standard input, rows out as JSON on standard output.

It limits itself before it looks at a byte: memory, processor time, no new file or socket, no core dump. What it says
about a file it cannot take is a list of sentences; if it dies, the parent says so in its own words.
"""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from counterfoil.errors import FileNotTaken
from counterfoil.records.gate.kinds import Kind, check_kind
from counterfoil.records.gate.limits import Limits
from counterfoil.records.gate.text import read_text
from counterfoil.records.gate.workbook import read_workbook

if sys.platform != "win32":
    import resource

OUT_OF_MEMORY = 5  # exit code
_STANDARD_STREAMS = 3
_ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "ascii", "cp437")  # the last: zip


def confine(limits: Limits) -> None:  # pragma: no cover - tested in a child, which can write no coverage file
    """Give up what reading does not need. With no free descriptor there is neither a file nor a network to open."""
    for name in _ENCODINGS:
        codecs.lookup(name)  # the modules of text encodings are files: load them while files can be opened
    if sys.platform != "win32":  # Windows has no such limits; the parent's clock still holds
        ceilings = (
            (resource.RLIMIT_AS, limits.memory_bytes),
            (resource.RLIMIT_CPU, limits.processor_seconds),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, _STANDARD_STREAMS),
        )
        for kind, ceiling in ceilings:
            _, hard = resource.getrlimit(kind)
            lower = ceiling if hard == resource.RLIM_INFINITY else min(ceiling, hard)
            resource.setrlimit(kind, (lower, lower))


def read(data: bytes, suffix: str, limits: Limits) -> dict[str, Any]:
    """What the parent is told of the file: its rows, or why it is not taken."""
    try:
        if check_kind(data, suffix) is Kind.ZIP:
            return _workbook(data, limits)
        return _text(data, limits)
    except FileNotTaken as error:
        return {"problems": list(error.problems)}


def _text(data: bytes, limits: Limits) -> dict[str, Any]:
    found = read_text(data, limits)
    return {
        "format": "csv",
        "encoding": found.encoding,
        "separator": found.separator,
        "line_ends": found.line_ends,
        "reread_rows": found.reread_rows,
        "loose_quotes": found.loose_quotes,
        "sheets": [{"is_visible": True, **_rows(found.rows, {})}],
    }


def _workbook(data: bytes, limits: Limits) -> dict[str, Any]:
    found = read_workbook(data, limits)
    sheets = []
    for sheet in found.sheets:
        facts = asdict(sheet.facts)
        lists = {key: sorted(value) if isinstance(value, set) else value for key, value in facts.items()}
        sheets.append({"is_visible": sheet.is_visible, "facts": lists, **_rows(sheet.rows, sheet.date_cells)})
    return {"format": "xlsx", "uses_1904": found.uses_1904, "sheets": sheets}


def _rows(rows: Sequence[list[str]], dates: Mapping[int, list[int]]) -> dict[str, Any]:
    """Rows with something in them as [number, cells, positions of dates]; blank rows are only counted."""
    numbers = [n for n, cells in enumerate(rows, 1) if any(map(str.strip, cells))]
    filled = [[n, rows[n - 1], dates.get(n, [])] for n in numbers]
    last = max(numbers, default=0)
    return {"rows": filled, "blank_inside": last - len(filled), "blank_after": len(rows) - last}


def main() -> int:  # pragma: no cover - runs confined, and can write no coverage file
    """Read the limits and the name's ending from the arguments, the file from standard input."""
    settings = json.loads(sys.argv[1])
    limits = Limits(**settings["limits"])
    confine(limits)
    try:
        data = sys.stdin.buffer.read(limits.file_bytes + 1)
        answer = read(data, settings["suffix"], limits)
        sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=True, separators=(",", ":")).encode("ascii"))
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


if __name__ == "__main__":  # pragma: no cover - as main
    sys.exit(main())
