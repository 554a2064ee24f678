"""What a reader, a screen reader or a program meets in the bytes of each kind of file, for the check of R22.

Read from the finished bytes, never from what they were made of. Shapes of charts are R21's affair.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from counterfoil.errors import Fault

NOT_TEXT = re.compile(r"<style>.*?</style>|<!--.*?-->|<[^>]*>", re.DOTALL)
SPOKEN = re.compile(r"(?:alt|content|aria-label|title)=\"([^\"]*)\"")
POLICY = re.compile(  # as templating writes it: a hash of the style, and what is let in
    r"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    r"style-src 'sha256-[A-Za-z0-9+/=]{44}'; base-uri 'none'; form-action 'none'\">"
)
VIEWPORT = "width=device-width, initial-scale=1"

_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
# Of looks and places. Every other attribute of an OpenDocument part is read.
_ODF_LOOKS = tuple(f"{{{_ODF}{part}:1.0}}" for part in ("style", "xsl-fo-compatible", "datastyle", "manifest"))
_ODF_PLACES = tuple(f"{{{_ODF}{name}" for name in ("office:1.0}version", "table:1.0}style-name",
                    "table:1.0}target-range-address", "table:1.0}default-cell-style-name"))  # fmt: skip
_NEVER = ("/EmbeddedFiles", "/AF", "/JS", "/JavaScript", "/OpenAction", "/AA", "/Launch", "/URI", "/RichMedia", "/XFA")
_PDF_PLACES = ("/ID", "/Headers", "/Names", "/Registry", "/Ordering", "/Limits")  # names of places and of encodings
_UA_PART = "{http://www.aiim.org/pdfua/ns/id/}part"
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_XLSX_READ = ("name", "displayName", "display", "tooltip", "title", "descr")
_XLSX_COUNTS = ("AppVersion", "DocSecurity", "i4")  # of the format, and of sheets


def texts_of(name: str, data: bytes) -> str:
    """All of it as one text, by the ending of the file's name."""
    if name.endswith(".ods"):
        return " ".join(_ods_texts(data))
    if name.endswith(".xlsx"):
        return " ".join(_xlsx_texts(data))
    if name.endswith(".pdf"):
        return "\n".join(_pdf_texts(data))
    text = data.decode("utf-8")
    if name.endswith(".html"):
        text = POLICY.sub("", text)
        spoken = " ".join(SPOKEN.findall(text)).replace(VIEWPORT, "")
        return html.unescape(NOT_TEXT.sub(" ", text) + " " + spoken)
    if name.endswith(".json"):
        return " ".join(_json_texts(json.loads(text, parse_float=str, parse_int=str)))
    return " ".join(cell for row in csv.reader(io.StringIO(text)) for cell in row)


def _json_texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _json_texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _json_texts(item)
    elif value is not None:
        yield str(value)


def _parts(data: bytes) -> Iterator[tuple[str, ET.Element]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                yield name, ET.fromstring(archive.read(name))
            elif name != "mimetype":
                raise Fault("A workbook has a part that none of ours has. Nothing was written (R22).")


def _ods_texts(data: bytes) -> Iterator[str]:
    for part, root in _parts(data):
        for element in () if part == "META-INF/manifest.xml" else root.iter():
            yield from filter(None, (element.text, element.tail))
            yield from (v for k, v in element.attrib.items() if not k.startswith((*_ODF_LOOKS, *_ODF_PLACES)))


def _xlsx_texts(data: bytes) -> Iterator[str]:
    for _, root in _parts(data):
        for cell in root.iter(f"{_SHEET}c"):
            if cell.attrib.get("t") == "s":  # its value is the place of a shared text, which is read where it stands
                for value in cell.findall(f"{_SHEET}v"):
                    cell.remove(value)
        for element in root.iter():
            if element.tag.rpartition("}")[2] not in _XLSX_COUNTS:
                yield from filter(None, (element.text,))
            yield from filter(None, (element.tail,))
            yield from (v for k, v in element.attrib.items() if k in _XLSX_READ)


def _pdf_texts(data: bytes) -> Iterator[str]:
    """Text of each page without its page number, alternative texts, titles, and both kinds of metadata."""
    import pypdf  # only where there is a PDF

    reader = pypdf.PdfReader(io.BytesIO(data))
    for number, page in enumerate(reader.pages, 1):
        yield re.sub(rf"(?m)^{number} / {len(reader.pages)}$", "", page.extract_text(), count=1)
    yield from _pdf_strings(reader.trailer)
    metadata: Any = reader.root_object["/Metadata"].get_object()
    for element in ET.fromstring(metadata.get_data()).iter():
        yield from filter(None, (element.text, element.tail))
        yield from (value for key, value in element.attrib.items() if key != _UA_PART)


def _pdf_strings(trailer: Any) -> Iterator[str]:
    """Every string of a PDF's objects, found by walking them, so that none is forgotten."""
    from pypdf.generic import ArrayObject, ByteStringObject, DictionaryObject, IndirectObject, TextStringObject

    left: list[tuple[str, Any]] = [("", trailer)]
    seen: set[int] = set()
    while left:
        key, value = left.pop()
        if isinstance(value, IndirectObject) and value.idnum not in seen:
            seen.add(value.idnum)
            left.append((key, value.get_object()))
        elif isinstance(value, DictionaryObject):
            if not set(_NEVER).isdisjoint(value.keys()):
                raise Fault("A PDF has a file, an action or an address; none of ours has. Nothing was written (A9).")
            left.extend((str(name), value.raw_get(name)) for name in value)
        elif isinstance(value, ArrayObject):
            left.extend((key, item) for item in list.__iter__(value))
        elif isinstance(value, TextStringObject | ByteStringObject) and key not in _PDF_PLACES:
            yield str(value)
