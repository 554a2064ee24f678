"""The zip pre-check: what a workbook's archive may be before any reader of workbooks sees it (DISCLOSURE A6)."""

from __future__ import annotations

import copy
import re
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO

from counterfoil.errors import FileNotTaken
from counterfoil.records.gate.kinds import AS_XLSX, BINARY_WORKBOOK, MACROS, OPEN_DOCUMENT
from counterfoil.records.gate.limits import MEGABYTE, Limits

CHUNK = 1 << 16
_END_RECORD = 22  # bytes of the record that ends a zip archive with no comment
_ENCRYPTED_FLAG = 0x1
_ANY_SIZE = 1 << 62
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")
_ARCHIVE_SUFFIXES = (".zip", ".xlsx", ".xlsm", ".xlsb", ".docx", ".gz", ".7z", ".rar", ".ods")
_MAIN_PART = b"spreadsheetml.sheet.main+xml"

DAMAGED = f"The workbook is damaged: its parts do not fit together. Open it to see that it is whole. {AS_XLSX}"

# What a part's name says it holds -> what a person is told. Searched in the lower-cased name.
_REFUSED_PARTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"vbaproject|macrosheets/|vbadata"),
        f"The workbook holds macros, and a file with macros is never taken, whatever its name. {AS_XLSX}",
    ),
    (
        re.compile(r"externallinks/"),
        "The workbook takes values from other files (external links). Copy the sheet, "
        f"paste it as values into a new workbook. {AS_XLSX}",
    ),
    (
        re.compile(r"embeddings/|activex/|oleobject"),
        "The workbook holds embedded objects (another file, a form or a "
        f"button). Delete them, or copy the table into a new workbook. {AS_XLSX}",
    ),
)


def parts(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """The inflated bytes of one entry, in pieces, to its true end whatever size the archive declares."""
    info = copy.copy(archive.getinfo(name))
    info.file_size = _ANY_SIZE  # zipfile would stop at the declared size, and a later reader might not
    with archive.open(info) as entry:
        while piece := entry.read(CHUNK):
            yield piece


def open_archive(data: bytes, limits: Limits) -> zipfile.ZipFile:
    """The archive in `data`, once every rule on names, sizes and contents is met; else FileNotTaken."""
    try:
        archive = zipfile.ZipFile(BytesIO(data))
        _check_frame(archive, data, limits)
        _check_names(archive)
        _check_sizes(archive, len(data), limits)
        _check_type(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OverflowError, ValueError) as error:
        raise FileNotTaken(DAMAGED) from error
    return archive


def _check_frame(archive: zipfile.ZipFile, data: bytes, limits: Limits) -> None:
    entries = archive.infolist()
    if len(entries) > limits.zip_entries:
        raise FileNotTaken(
            f"The workbook's archive has over {limits.zip_entries} parts, far more than a table needs. "
            f"Copy the table into a new workbook. {AS_XLSX}"
        )
    if any(entry.flag_bits & _ENCRYPTED_FLAG for entry in entries):
        raise FileNotTaken(
            "The file is a zip archive with a password, so nothing in it can be read. "
            "Unpack it, remove the password, and send the workbook inside."
        )
    first = min((entry.header_offset for entry in entries), default=0)
    if first != 0 or archive.comment or data[-_END_RECORD : -_END_RECORD + 4] != b"PK\x05\x06":
        raise FileNotTaken(
            f"The file holds a zip archive with other data before or after it, which no spreadsheet "
            f"program makes. It was not opened. {AS_XLSX}"
        )


def _check_names(archive: zipfile.ZipFile) -> None:
    names = [name.replace("\\", "/").lower() for name in archive.namelist()]
    if len(set(names)) != len(names):  # readers look names up without regard to case
        raise FileNotTaken(DAMAGED)
    for name in names:
        _check_name(name)


def _check_name(name: str) -> None:
    if name.startswith("/") or ".." in name.split("/") or ":" in name or "\x00" in name:
        raise FileNotTaken(f"The workbook's archive has a part that points outside it. It was not opened. {AS_XLSX}")
    for pattern, sentence in _REFUSED_PARTS:
        if pattern.search(name):
            raise FileNotTaken(sentence)
    if name.endswith(_ARCHIVE_SUFFIXES):
        raise FileNotTaken(_nested())


def _nested() -> str:
    return (
        "The file is an archive that holds another archive or a whole workbook. "
        "Unpack it and send the one workbook or CSV with the table."
    )


def _check_sizes(archive: zipfile.ZipFile, compressed: int, limits: Limits) -> None:
    """Inflate everything once, counting; stop as soon as a limit is passed."""
    total = 0
    allowed = min(limits.expanded_bytes, limits.expansion_ratio * compressed)
    for entry in archive.infolist():
        size = 0
        for piece in parts(archive, entry.filename):
            if size == 0 and piece.startswith(_ARCHIVES):
                raise FileNotTaken(_nested())
            size += len(piece)
            if total + size > allowed:
                raise FileNotTaken(_too_big(limits))
        if size != entry.file_size:
            raise FileNotTaken(DAMAGED)
        total += size


def _too_big(limits: Limits) -> str:
    return (
        f"The workbook unpacks to more than {limits.expanded_bytes // MEGABYTE} MB or to more than "
        f"{limits.expansion_ratio} times its size, which a list of people never does. Copy the rows with people "
        f"in them into a new workbook. {AS_XLSX}"
    )


def _check_type(archive: zipfile.ZipFile) -> None:
    names = set(archive.namelist())
    if "mimetype" in names and b"opendocument" in _read(archive, "mimetype"):
        raise FileNotTaken(OPEN_DOCUMENT)
    if "[Content_Types].xml" not in names:
        raise FileNotTaken("The file is a zip archive, not a workbook. Unpack it and send the workbook or CSV inside.")
    types = _read(archive, "[Content_Types].xml")
    if b"sheet.binary" in types:
        raise FileNotTaken(BINARY_WORKBOOK)
    if b"macroenabled" in types.lower() or b"vbaproject" in types.lower():
        raise FileNotTaken(MACROS)
    if _MAIN_PART not in types:
        raise FileNotTaken(
            f"The file is an Office document, but not a workbook (.xlsx). Copy the table into a spreadsheet. {AS_XLSX}"
        )


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    return b"".join(parts(archive, name))
