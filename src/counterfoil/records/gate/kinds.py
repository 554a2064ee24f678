"""What a file is by its content, whatever it is called, and the sentence for each kind that is not taken."""

from __future__ import annotations

import re
from enum import Enum

from counterfoil.errors import FileNotTaken

SNIFFED = 4096  # bytes looked at for a login page or a text declaration
POLYGLOT_WINDOW = 1024  # PDF readers accept their header anywhere in the first 1,024 bytes
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")  # how Office stores a workbook with a password
_HTML = re.compile(rb"^\s*(<!doctype\s+html|<html|<head|<body|<script|<meta)|<html[\s>]", re.IGNORECASE)

AS_XLSX = "Open it in your spreadsheet program, choose Save as, pick 'Excel workbook (.xlsx)', and send that."
AS_CSV = "Open it in your spreadsheet program, choose Save as, pick 'CSV UTF-8', and send that."


class Kind(Enum):
    """What the first bytes say a file is."""

    EMPTY = "an empty file"
    ZIP = "a zip archive, as workbooks are"
    TEXT = "text"
    TEXT_UTF16 = "UTF-16 text"
    PDF = "a PDF"
    ENCRYPTED = "a workbook with a password"
    OLE = "an old Office file"
    HTML = "a web page"
    XML = "an XML file"
    GZIP = "a gzip archive"
    OTHER_ARCHIVE = "an archive"
    PICTURE = "a picture"
    RTF = "a word processor's file"
    BINARY = "not text"


_SIGNATURES: tuple[tuple[bytes, Kind], ...] = (
    (b"PK\x03\x04", Kind.ZIP),
    (b"PK\x05\x06", Kind.ZIP),
    (b"%PDF", Kind.PDF),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind.OLE),
    (b"\x1f\x8b", Kind.GZIP),
    (b"7z\xbc\xaf\x27\x1c", Kind.OTHER_ARCHIVE),
    (b"Rar!", Kind.OTHER_ARCHIVE),
    (b"BZh", Kind.OTHER_ARCHIVE),
    (b"\xfd7zXZ", Kind.OTHER_ARCHIVE),
    (b"\x89PNG", Kind.PICTURE),
    (b"\xff\xd8\xff", Kind.PICTURE),
    (b"GIF8", Kind.PICTURE),
    (b"{\\rtf", Kind.RTF),
    (b"\xff\xfe", Kind.TEXT_UTF16),
    (b"\xfe\xff", Kind.TEXT_UTF16),
)

_NOT_TAKEN = {
    Kind.EMPTY: "The file is empty. Check that it was saved, and send it again.",
    Kind.PDF: "The file is a PDF, which holds pages and not a table. Send the workbook or CSV that it was made from.",
    Kind.ENCRYPTED: "The file is protected with a password, so it cannot be read. In your spreadsheet program "
    "clear the password (File, Info, Protect workbook, Encrypt with password), save as .xlsx, and send that.",
    Kind.OLE: f"The file is an old Excel workbook (.xls) or another old Office file, which is not read here. {AS_XLSX}",
    Kind.HTML: "The file is a web page, often a log-in page saved in place of a download. Log in, download the file "
    "again, open it to see that it holds your table, and send that.",
    Kind.XML: f"The file is XML text, not a workbook or a CSV. {AS_XLSX}",
    Kind.GZIP: "The file is compressed (gzip). Unpack it and send the workbook or CSV inside.",
    Kind.OTHER_ARCHIVE: "The file is a compressed archive. Unpack it and send the workbook or CSV inside.",
    Kind.PICTURE: "The file is a picture. Send the workbook or CSV that it was made from.",
    Kind.RTF: "The file is a word processor's document. Copy its table into a spreadsheet, save as .xlsx, send that.",
    Kind.BINARY: f"The file holds NUL bytes, which neither a CSV nor a workbook has; it may be damaged. {AS_CSV}",
}

_SUFFIX_NOT_TAKEN = {
    ".xls": Kind.OLE,
    ".xlt": Kind.OLE,
    ".pdf": Kind.PDF,
    ".gz": Kind.GZIP,
    ".7z": Kind.OTHER_ARCHIVE,
    ".rar": Kind.OTHER_ARCHIVE,
    ".html": Kind.HTML,
    ".htm": Kind.HTML,
    ".xml": Kind.XML,
    ".rtf": Kind.RTF,
}

MACROS = f"The workbook is of a type that carries macros (.xlsm), and a file with macros is never taken. {AS_XLSX}"
BINARY_WORKBOOK = f"The workbook is a binary one (.xlsb), which is not read here. {AS_XLSX}"
OPEN_DOCUMENT = f"The file is an OpenDocument spreadsheet (.ods), which is not read here yet. {AS_XLSX}"
_OTHER_SUFFIXES = {".xlsm": MACROS, ".xltm": MACROS, ".xlsb": BINARY_WORKBOOK, ".ods": OPEN_DOCUMENT}

TEXT_SUFFIXES = frozenset({".csv", ".txt", ".tsv"})


def kind_of(data: bytes) -> Kind:
    """What `data` is by its content."""
    if not data.strip(b"\x00\t\r\n ") or data == b"\xef\xbb\xbf":
        return Kind.EMPTY if b"\x00" not in data else Kind.BINARY
    found = next((kind for signature, kind in _SIGNATURES if data.startswith(signature)), None)
    if found is Kind.OLE and _ENCRYPTED_STREAM in data:
        return Kind.ENCRYPTED
    return found or _kind_of_text(data)


def _kind_of_text(data: bytes) -> Kind:
    start = data[:SNIFFED].removeprefix(b"\xef\xbb\xbf")
    if b"%PDF-" in data[:POLYGLOT_WINDOW]:
        return Kind.PDF
    if b"\x00" in data:
        return Kind.BINARY
    if start.lstrip().lower().startswith(b"<?xml"):
        return Kind.HTML if _HTML.search(start) else Kind.XML
    return Kind.HTML if _HTML.search(start) else Kind.TEXT


def check_kind(data: bytes, suffix: str) -> Kind:
    """The kind of a file that may be read further: ZIP, TEXT or TEXT_UTF16, with a name that agrees.

    Raises FileNotTaken with what the file is and what to send instead. `suffix` is the name's ending with its dot.
    """
    kind, ending = kind_of(data), suffix.lower()
    if kind in _NOT_TAKEN:
        raise FileNotTaken(_NOT_TAKEN[kind])
    if kind is Kind.ZIP and b"%PDF-" in data[:POLYGLOT_WINDOW]:
        raise FileNotTaken(
            "The file is a PDF and a zip archive at once, which no spreadsheet program makes. "
            f"It was not opened. {AS_XLSX}"
        )
    if ending in _OTHER_SUFFIXES:
        raise FileNotTaken(_OTHER_SUFFIXES[ending])
    if ending != ".xlsx" and ending not in TEXT_SUFFIXES:
        raise FileNotTaken(_wrong_suffix(kind, ending))
    _check_name_agrees(kind, ending)
    return kind


def _wrong_suffix(kind: Kind, ending: str) -> str:
    named = f"is named {ending}" if ending in _SUFFIX_NOT_TAKEN else "has a name that ends in neither .xlsx nor .csv"
    return f"The file {named}, but holds {kind.value}. Send a workbook named .xlsx or a text file named .csv."


def _check_name_agrees(kind: Kind, ending: str) -> None:
    if kind is Kind.ZIP and ending != ".xlsx":
        raise FileNotTaken(
            f"The file is named {ending} but holds a zip archive, as a workbook does. "
            "If it is a workbook, name it .xlsx; else unpack it and send the table inside."
        )
    if kind is not Kind.ZIP and ending == ".xlsx":
        raise FileNotTaken(
            "The file is named .xlsx but holds plain text, as a CSV does. Name it .csv and send it again."
        )
