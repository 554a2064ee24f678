"""`check` on every staged file of a real mess: no traceback, and something true of each (each was looked at)."""

from __future__ import annotations

from pathlib import Path

import pytest

from counterfoil.errors import FileNotTaken
from counterfoil.records.provider import check_file
from lib.provider_files import TODAY

NO_HEADINGS = "None of the first 20 rows has headings"

# What is true of each file, by eye, and must be said.
TRUE_THINGS = {
    "csvlint_cr-line-endings.csv": ["CR only", NO_HEADINGS],
    "csvlint_inconsistent-line-endings-unquoted.csv": ["end in different ways", NO_HEADINGS],
    "csvlint_inconsistent-line-endings.csv": ["end in different ways", NO_HEADINGS],
    "csvlint_title-row.csv": ["one value in row 1, which looks like a title", NO_HEADINGS],
    "csvlint_windows-line-endings.csv": [NO_HEADINGS],
    "frictionless_blank-headers.csv": ["Column B has no heading in row 1"],
    "frictionless_blank-rows-multiple.csv": ["no column for: Date of birth", "blank rows"],
    "frictionless_bom.csv": ["byte-order mark", "no column for: Date of birth"],
    "frictionless_cast-int-to-string-issue-1251.xlsx": [NO_HEADINGS],
    "frictionless_defective-rows.csv": ["more or fewer cells than row 1: rows 2 to 3"],
    "frictionless_doublequote.csv": [NO_HEADINGS],
    "frictionless_duplicate-headers.csv": ["Columns A, C and E are each headed"],
    "frictionless_merged-cells.xlsx": ["merged cells, from row 1"],
    "frictionless_multiline-headers.xlsx": ["merged cells, from rows 1, 4"],
    "frictionless_sheets.xlsx": ["Sheets 1, 2 and 3 of the workbook each hold a list"],
    "frictionless_skip-rows.xlsx": ["merged cells, from row 1", "looks like a title"],
    "moj_crown_courts_cr_only_no_header.csv": ["CR only", NO_HEADINGS],
    "moj_magistrates_courts_crlf.csv": ["no column for: Surname; Forename; Date of birth", "rows 221 to 230"],
    "moj_offences_cr_only_latin1.csv": ["CR only", "Windows-1252", "rows 49 to 50", NO_HEADINGS],
    "ons_babynames_1998_title_rows.xls": ["old Excel workbook (.xls)", "Excel workbook (.xlsx)"],
    "tfl_passengers_untitled_col_trailing_blanks.csv": ["Column A has no heading in row 1", "blank rows"],
}


@pytest.mark.parametrize("name", sorted(TRUE_THINGS))
def test_every_messy_file_is_told_something_true(shared: Path, name: str) -> None:
    with pytest.raises(FileNotTaken) as refusal:
        check_file(shared / "data" / "messy" / name, TODAY)
    assert refusal.value.exit_code == 3
    for words in TRUE_THINGS[name]:
        assert words in str(refusal.value)


def test_every_messy_file_that_is_staged_is_in_the_table(shared: Path) -> None:
    assert {path.name for path in (shared / "data" / "messy").iterdir()} <= set(TRUE_THINGS)
