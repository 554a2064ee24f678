"""Provider files for tests: small lists of people who do not exist, as CSV and as workbooks, sound and attacking."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import openpyxl

from counterfoil.records.provider import Finding, Submission, read_submission

TODAY = dt.date(2026, 1, 15)
HEADINGS = ("Surname", "Forename", "Date of birth", "Sex", "PNC ID", "Prison number", "Start date")
SOUND = ("Archer", "Nerys", "27/03/1984", "F", "1984/0012345W", "A1234BC", "14/06/2018")
_SYLLABLES = ("bel", "cor", "dun", "fen", "gal", "hol", "lin", "mor", "pen", "tar")


def row(**cells: str) -> list[str]:
    """The sound row with some cells changed, by column: surname, forename, born, sex, pnc, prison, start."""
    names = ("surname", "forename", "born", "sex", "pnc", "prison", "start")
    return [cells.get(name, value) for name, value in zip(names, SOUND, strict=True)]


def people(count: int) -> list[list[str]]:
    """Rows of `count` different people, with dates of birth and a start date and no numbers."""
    return [
        row(
            surname=f"{_SYLLABLES[n % 10]}{_SYLLABLES[n // 10 % 10]}{_SYLLABLES[n // 100 % 10]}".capitalize(),
            forename=("Ann", "Ben", "Cat")[n % 3],
            born=f"{2 + n % 26:02}/{1 + n % 12:02}/{1960 + n % 37}",
            sex="MF"[n % 2],
            pnc="",
            prison="",
            start=f"{13 + n % 15}/{1 + n % 12:02}/2018",
        )
        for n in range(count)
    ]


def csv_text(rows: Iterable[Sequence[str]], headings: Sequence[str] = HEADINGS, end: str = "\r\n") -> str:
    """A CSV as text."""
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerows([headings, *rows])
    return text.getvalue()


def write_csv(path: Path, rows: Iterable[Sequence[str]], headings: Sequence[str] = HEADINGS) -> Path:
    """A CSV in UTF-8."""
    path.write_bytes(csv_text(rows, headings).encode())
    return path


def write_xlsx(path: Path, rows: Iterable[Sequence[object]], headings: Sequence[str] = HEADINGS) -> Path:
    """A workbook of one sheet, with values of the types given."""
    book = openpyxl.Workbook()
    for cells in [headings, *rows]:
        book.active.append(list(cells))
    book.save(path)
    return path


def read(path: Path) -> Submission:
    """The file, read on the day of these tests."""
    return read_submission(path, TODAY)


def found(submission: Submission) -> dict[str, list[Finding]]:
    """Findings by the value of their code."""
    by_code: dict[str, list[Finding]] = {}
    for one in submission.findings:
        by_code.setdefault(one.code.value, []).append(one)
    return by_code


def rows_of(submission: Submission, code: str) -> list[int]:
    """Every row that findings of `code` name."""
    return sorted({number for one in found(submission).get(code, []) for number in one.rows})


def column(submission: Submission, name: str) -> list[object]:
    """One column of the entries."""
    values: list[object] = submission.entries[name].to_pylist()
    return values


def outcomes(submission: Submission) -> dict[int, str]:
    """What became of each row."""
    pairs = zip(submission.accounts["row"].to_pylist(), submission.accounts["outcome"].to_pylist(), strict=True)
    return dict(pairs)


_MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def workbook_parts(sheet: str = "<sheetData/>", main_type: str = _MAIN) -> dict[str, bytes]:
    """The least parts of a workbook, by name, with `sheet` inside its one worksheet."""
    return {
        "[Content_Types].xml": (
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{main_type}"/></Types>'
        ).encode(),
        "_rels/.rels": (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="rId1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ).encode(),
        "xl/workbook.xml": (
            f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_RELATIONS}">'
            '<sheets><sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>'
        ).encode(),
        "xl/_rels/workbook.xml.rels": (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="rId1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
        ).encode(),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_SPREADSHEET}">{sheet}</worksheet>'.encode(),
    }


def zipped(parts: Mapping[str, bytes]) -> bytes:
    """A zip archive of the parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def sheet_of(rows: Iterable[Sequence[str]]) -> str:
    """Sheet data of inline text."""
    lines = (
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in cells) + "</row>" for cells in rows
    )
    return f"<sheetData>{''.join(lines)}</sheetData>"
