"""Threat A11: a planted surname and date are in no message, finding, text or JSON, whatever is wrong with a file."""

from __future__ import annotations

import datetime as dt
import json
import traceback
from pathlib import Path

import openpyxl
import pytest

from counterfoil.errors import CounterfoilError
from counterfoil.records.gate.limits import Limits
from counterfoil.records.provider import check_file
from counterfoil.records.provider.submission import read_submission
from lib.provider_files import HEADINGS, SOUND, TODAY, csv_text, row, sheet_of, workbook_parts, write_xlsx, zipped

SURNAME, BORN, SERIAL = "Zyxwick", "19/08/1977", "28356"  # 19 August 1977 in the 1900 system
MARKERS = ("zyxwick", BORN, "1977-08-19", "19.08.1977", "19 Aug", SERIAL)
MARKED = row(surname=SURNAME, born=BORN)


def everything_said(path: Path, limits: Limits | None = None) -> str:
    """All that a person could see of the file: the text and the JSON of `check`, or the error."""
    try:
        if limits is not None:
            read_submission(path, TODAY, limits=limits)
        result = check_file(path, TODAY)
    except CounterfoilError as error:
        return "".join(traceback.format_exception(error, limit=0))  # with its causes, as a log would hold it
    return "\n".join([*result.lines(), json.dumps(result.to_json()), repr(result)])


def assert_no_marker(said: str) -> None:
    assert said
    assert [marker for marker in MARKERS if marker in said.casefold()] == []


MISTAKES = {
    "sound": MARKED,
    "impossible date": row(surname=SURNAME, born="31/02/1977"),
    "unreadable date": row(surname=SURNAME, born=f"about {BORN}"),
    "serial": row(surname=SURNAME, born=SERIAL),
    "dots": row(surname=SURNAME, born="19.08.1977"),
    "bad number": row(surname=SURNAME, pnc=SURNAME, prison=BORN),
    "slipped": row(surname=BORN, forename=SURNAME, born=SURNAME, sex=SURNAME, start=SURNAME),
    "whole name": row(surname=f"{SURNAME}, A (aka {SURNAME})", forename=""),
    "formula": row(surname=f"={SURNAME}"),
    "total": [f"Total {SURNAME}", "", "", "", "", "", ""],
    "ragged": [SURNAME, BORN],
    "turned": row(surname=f"\u202e{SURNAME}", born=BORN),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a11_mistakes_in_rows(tmp_path: Path, mistake: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(csv_text([MISTAKES[mistake], SOUND, MISTAKES[mistake]]), encoding="utf-8")
    assert_no_marker(everything_said(path))


@pytest.mark.parametrize(
    "text",
    [
        csv_text([MARKED], headings=MARKED),  # no headings at all: a person stands in the first row
        csv_text([MARKED], headings=(*HEADINGS[:2], *HEADINGS[3:], SURNAME, BORN)),
        csv_text([(*MARKED, SURNAME)], headings=(*HEADINGS, "")),
        csv_text([(*MARKED, SURNAME)], headings=(*HEADINGS, f"notes on {SURNAME}")),
        csv_text([MARKED], headings=(*HEADINGS[:-1], "DOB")),
        csv_text([MARKED]) + f'"{SURNAME},{BORN}',
        csv_text([MARKED]) + f'"{SURNAME}"x,"{BORN}"y',
        csv_text([MARKED]) + SURNAME * 9000,
        csv_text([MARKED]) + f"{SURNAME},\x00{BORN}",
        f"<html>{SURNAME} {BORN}",
    ],
)
def test_a11_mistakes_in_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    assert_no_marker(everything_said(path))


def test_a11_bytes_that_cannot_be_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(csv_text([MARKED]).encode() + b"\x81\x8d")
    assert_no_marker(everything_said(path))


def test_a11_the_name_of_the_file_and_of_its_sheets(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for _ in range(2):
        sheet = book.create_sheet(SURNAME)
        sheet.append(HEADINGS)
        sheet.append(MARKED)
    path = tmp_path / f"{SURNAME}.xlsx"
    book.save(path)
    assert_no_marker(everything_said(path))
    path.write_bytes(path.read_bytes()[:-300])
    assert_no_marker(everything_said(path))
    assert_no_marker(everything_said(tmp_path / f"{SURNAME}.csv"))


def test_a11_a_workbook_whose_code_became_the_date(tmp_path: Path) -> None:
    cells: list[object] = list(MARKED)
    cells[4] = dt.date(1977, 8, 19)
    assert_no_marker(everything_said(write_xlsx(tmp_path / "a.xlsx", [cells])))


@pytest.mark.parametrize("limits", [Limits(memory_bytes=30_000_000), Limits(wall_seconds=0.01), Limits(answer_bytes=9)])
def test_a11_a_child_that_dies(tmp_path: Path, limits: Limits, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(zipped(workbook_parts(sheet_of([HEADINGS, MARKED]))))
    assert_no_marker(everything_said(path, limits))
    shown = capfd.readouterr()
    assert shown.out + shown.err == ""
