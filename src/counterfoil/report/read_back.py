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
VIEWPORT = "width=device-width, initial-scale=1"

_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
# Of looks and places. Every other attribute of an OpenDocument part is read.
_ODF_LOOKS = tuple(f"{{{_ODF}{part}:1.0}}" for part in ("style", "xsl-fo-compatible", "datastyle", "manifest"))
_ODF_PLACES = tuple(f"{{{_ODF}{name}" for name in ("office:1.0}version", "table:1.0}style-name",
                    "table:1.0}target-range-address", "table:1.0}default-cell-style-name"))  # fmt: skip
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_XLSX_READ = ("name", "displayName", "display", "tooltip", "title", "descr")
_XLSX_COUNTS = ("AppVersion", "DocSecurity", "i4")  # of the format, and of sheets


def texts_of(name: str, data: bytes) -> str:
    """All of it as one text, by the ending of the file's name."""
    if name.endswith(".ods"):
        return " ".join(_ods_texts(data))
    if name.endswith(".xlsx"):
        return " ".join(_xlsx_texts(data))
    text = data.decode("utf-8")
    if name.endswith(".html"):
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
