"""The patterns of upload files that INPUTS numbers, one small file each. Expected answers are its right handling."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from counterfoil.errors import FileNotTaken
from counterfoil.records.provider import Level
from counterfoil.records.standardise import standardise_people
from lib.provider_files import (
    HEADINGS,
    SOUND,
    TODAY,
    column,
    csv_text,
    found,
    outcomes,
    people,
    read,
    row,
    rows_of,
    write_csv,
    write_xlsx,
)


def test_a_sound_row_passes_whole(tmp_path: Path) -> None:
    submission = read(write_csv(tmp_path / "a.csv", [SOUND]))
    assert not submission.must_fix
    assert outcomes(submission) == {2: "kept"}
    assert (
        submission.entries.to_pylist()[0]
        | {
            "row": 2,
            "entry_id": "row 2",
            "first_row": 2,
            "surname": "Archer",
            "forename1": "Nerys",
            "date_of_birth": dt.date(1984, 3, 27),
            "sex": "2",
            "pnc_id": "1984/0012345W",
            "prison_number": "A1234BC",
            "start_date": dt.date(2018, 6, 14),
            "date_of_birth_raw": "27/03/1984",
        }
        == submission.entries.to_pylist()[0]
    )


def test_provider_pattern_01_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf" + csv_text([SOUND]).encode())
    assert column(read(path), "surname") == ["Archer"]


def test_provider_pattern_02_windows_1252_is_read_and_shown(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(csv_text([row(surname="Bell"), row(forename="Zoë", surname="O’Dunn")]).encode("cp1252"))
    submission = read(path)
    assert column(submission, "forename1")[1] == "Zoë"
    assert column(submission, "surname")[1] == "O’Dunn"
    assert rows_of(submission, "not utf-8") == [3]


def test_provider_pattern_02_bytes_of_neither_encoding_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(csv_text([row(forename="Zo")]).encode().replace(b"Zo", b"Zo\x81"))
    with pytest.raises(FileNotTaken, match="neither UTF-8 nor Windows-1252"):
        read(path)


def test_provider_pattern_02_utf_16_with_tabs_as_spreadsheets_save_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(csv_text([row(forename="Siân")]).replace(",", "\t").encode("utf-16"))
    assert column(read(path), "forename1") == ["Siân"]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_provider_pattern_04_line_ends_of_every_kind_are_rows(tmp_path: Path, end: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(csv_text(people(3), end=end).encode())
    submission = read(path)
    assert outcomes(submission) == {2: "kept", 3: "kept", 4: "kept"}
    assert ("line ends" in found(submission)) is (end == "\r")


def test_provider_pattern_05_mixed_line_ends_are_accepted_and_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(csv_text(people(3)).encode().replace(b"\r\n", b"\n", 2))
    submission = read(path)
    assert submission.entries.num_rows == 3
    assert "line ends" in found(submission)


def test_provider_pattern_06_title_rows_above_the_headings(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"Our people,,\r\n\r\nPrinted for the lab\r\n" + csv_text([SOUND]).encode())
    submission = read(path)
    assert submission.header_row == 4
    assert column(submission, "row") == [5]
    assert rows_of(submission, "rows above the headings") == [4]


def test_provider_pattern_06_headings_below_row_20_are_not_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"note,,\r\n" * 20 + csv_text([SOUND]).encode())
    with pytest.raises(FileNotTaken, match="first 20 rows"):
        read(path)


def test_provider_pattern_09_blank_heading_over_values_is_refused_by_letter(tmp_path: Path) -> None:
    headings = (*HEADINGS, "", "Site")
    with pytest.raises(FileNotTaken, match="Column H has no heading in row 1"):
        read(write_csv(tmp_path / "a.csv", [(*SOUND, "x", "Cardiff")], headings))


def test_provider_pattern_09_blank_heading_over_nothing_is_ignored_and_said(tmp_path: Path) -> None:
    headings = (*HEADINGS, "", "Site")
    submission = read(write_csv(tmp_path / "a.csv", [(*SOUND, "", "Cardiff")], headings))
    assert [one.column for one in found(submission)["empty column without heading"]] == ["Column H"]


def test_provider_pattern_09_two_columns_of_one_meaning_are_refused_by_letter(tmp_path: Path) -> None:
    headings = (*HEADINGS, "DOB")
    with pytest.raises(FileNotTaken, match="Columns C and H are each headed as Date of birth"):
        read(write_csv(tmp_path / "a.csv", [(*SOUND, "27/03/1984")], headings))


@pytest.mark.parametrize("heading", ["DOB", "D.O.B.", "d o b", "Date of Birth ", "DATE OF BIRTH", "Dyddiad Geni"])
def test_provider_pattern_10_wordings_of_a_heading(tmp_path: Path, heading: str) -> None:
    headings = [heading if name == "Date of birth" else name for name in HEADINGS]
    submission = read(write_csv(tmp_path / "a.csv", [SOUND], headings))
    assert column(submission, "date_of_birth") == [dt.date(1984, 3, 27)]


def test_provider_pattern_10_welsh_headings_and_words(tmp_path: Path) -> None:
    headings = ("Cyfenw", "Enw cyntaf", "Dyddiad geni", "Rhyw", "Rhif PNC", "Rhif carchar", "Dyddiad dechrau")
    submission = read(write_csv(tmp_path / "a.csv", [row(sex="Benyw", start="14/06/2018")], headings))
    assert column(submission, "sex") == ["2"]
    assert column(submission, "start_date") == [dt.date(2018, 6, 14)]


def test_provider_pattern_11_blank_rows_keep_the_row_numbers(tmp_path: Path) -> None:
    blank = [""] * len(HEADINGS)
    first, second = people(2)
    submission = read(write_csv(tmp_path / "a.csv", [first, blank, blank, second, *[blank] * 50]))
    assert column(submission, "row") == [2, 5]
    assert submission.blank_rows == 52
    assert "blank rows" in found(submission)


def test_provider_pattern_11_thousands_of_formatted_empty_rows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for cells in (HEADINGS, SOUND):
        book.active.append(cells)
    for number in range(3, 5000):
        book.active.cell(number, 1).number_format = "@"
    book.save(tmp_path / "a.xlsx")
    assert column(read(tmp_path / "a.xlsx"), "row") == [2]


@pytest.mark.parametrize(
    "cells",
    [["", "", "", "", "", "", "3 people"], ["TOTAL", "", "", "", "", "", ""], ["", "End of list", "", "", "", "", ""]],
)
def test_provider_pattern_12_total_rows_are_left_out_and_listed(tmp_path: Path, cells: list[str]) -> None:
    submission = read(write_csv(tmp_path / "a.csv", [SOUND, cells]))
    assert outcomes(submission) == {2: "kept", 3: "excluded"}
    assert rows_of(submission, "row without a person") == [3]


@pytest.mark.parametrize("serial", ["29221", "29221.0"])
def test_provider_pattern_13_serial_numbers_in_text(tmp_path: Path, serial: str) -> None:
    submission = read(write_csv(tmp_path / "a.csv", [row(born=serial)]))
    assert column(submission, "date_of_birth") == [dt.date(1980, 1, 1)]
    assert rows_of(submission, "serial number") == [2]


def test_provider_pattern_13_day_60_of_the_1900_system_is_no_day(tmp_path: Path) -> None:
    submission = read(write_csv(tmp_path / "a.csv", [row(born="60")]))
    assert column(submission, "date_of_birth") == [None]
    assert rows_of(submission, "no such day") == [2]


@pytest.mark.parametrize("uses_1904", [True, False])
def test_provider_pattern_14_the_1904_flag_of_a_workbook(tmp_path: Path, uses_1904: bool) -> None:
    """1 January 1980 is serial 29221 in the 1900 system and 1,462 less in the 1904 system."""
    book = openpyxl.Workbook()
    if uses_1904:
        book.epoch = CALENDAR_MAC_1904
    book.active.append(HEADINGS)
    book.active.append(row(born=""))
    book.active["C2"] = dt.date(1980, 1, 1)  # a date to the spreadsheet
    book.active.append(row(born="", surname="Bell", pnc="", prison=""))
    book.active["C3"] = 29221 - 1462 if uses_1904 else 29221  # a bare number
    book.save(tmp_path / "a.xlsx")
    submission = read(tmp_path / "a.xlsx")
    assert column(submission, "date_of_birth") == [dt.date(1980, 1, 1)] * 2
    assert ("1904 date system" in found(submission)) is uses_1904


def test_provider_pattern_15_several_forms_in_one_column(tmp_path: Path) -> None:
    forms = ["14 June 2012", "14th Jun 2012", "14.06.2012", "2012-06-14", "14/06/2012"]
    rows = [[*cells[:-1], form] for cells, form in zip(people(5), forms, strict=True)]
    submission = read(write_csv(tmp_path / "a.csv", rows))
    assert column(submission, "start_date") == [dt.date(2012, 6, 14)] * 5
    (mix,) = found(submission)["several date forms"]
    assert "(2 rows)" in mix.shape  # both with the month's name


def test_provider_pattern_16_a_proven_order_holds_for_the_column(tmp_path: Path) -> None:
    rows = [row(start="05/06/2018"), row(start="06/25/2018", surname="Bell")]
    submission = read(write_csv(tmp_path / "a.csv", rows))
    assert column(submission, "start_date") == [dt.date(2018, 5, 6), dt.date(2018, 6, 25)]
    assert rows_of(submission, "month first") == [2, 3]


def test_provider_pattern_16_without_proof_day_comes_first_and_every_such_row_is_flagged(tmp_path: Path) -> None:
    rows = [row(start="05/06/2018"), row(start="07/07/2018", surname="Bell")]
    submission = read(write_csv(tmp_path / "a.csv", rows))
    assert column(submission, "start_date") == [dt.date(2018, 6, 5), dt.date(2018, 7, 7)]
    assert rows_of(submission, "day or month first") == [2]  # 7 July is the same either way


def test_provider_pattern_17_two_digit_years(tmp_path: Path) -> None:
    rows = [row(born="27/03/84", start="14/06/18"), row(born="27/03/20", surname="Bell")]
    submission = read(write_csv(tmp_path / "a.csv", rows))
    assert column(submission, "date_of_birth") == [dt.date(1984, 3, 27), None]  # 2020: age 5; 1920: over 100
    assert column(submission, "start_date")[0] == dt.date(2018, 6, 14)
    assert rows_of(submission, "century unknown") == [3]


@pytest.mark.parametrize("born", ["31/02/1984", "00/00/0000", "12/81/1984"])
def test_provider_pattern_18_impossible_dates_are_missing_listed_and_kept_raw(tmp_path: Path, born: str) -> None:
    submission = read(write_csv(tmp_path / "a.csv", [row(born=born)]))
    assert column(submission, "date_of_birth") == [None]
    assert column(submission, "date_of_birth_raw") == [born]
    assert rows_of(submission, "no such day") == [2]
    assert outcomes(submission) == {2: "mended"}


@pytest.mark.parametrize("born", ["01/01/1900", "01/01/1970", "11/11/1111"])
def test_provider_pattern_19_stand_in_dates_are_missing(tmp_path: Path, born: str) -> None:
    submission = read(write_csv(tmp_path / "a.csv", [row(born=born)]))
    assert column(submission, "date_of_birth") == [None]
    assert rows_of(submission, "stand-in date") == [2]


@pytest.mark.parametrize(("of_40", "warned"), [(2, False), (3, True)])  # 5% of 40 is 2
def test_provider_pattern_19_first_of_january_over_5_per_cent(tmp_path: Path, of_40: int, warned: bool) -> None:
    rows = people(40)
    for number in range(of_40):
        rows[number][2] = f"01/01/{1981 + number}"
    submission = read(write_csv(tmp_path / "a.csv", rows))
    assert ("first of January" in found(submission)) is warned
    assert column(submission, "date_of_birth")[0] == dt.date(1981, 1, 1)  # kept: the year is evidence


def test_provider_pattern_20_zeros_come_back_only_where_the_letter_proves_them(tmp_path: Path) -> None:
    # Letters by the rule: number mod 23 into ZABCDEFGHJKLMNPQRTUVWXY. 45 mod 23 = 22: Y. 50012345 mod 23 = 18: U.
    rows = [row(pnc="00/45Y"), row(pnc="0/45Y", surname="Bell"), row(pnc="5/12345U", surname="Cole", born="1/2/1985"),
            row(pnc="5/12345T", surname="Dunn", prison="")]  # fmt: skip
    submission = read(write_csv(tmp_path / "a.csv", rows))
    assert column(submission, "pnc_id") == ["2000/0000045Y", "2000/0000045Y", "2005/0012345U", None]
    assert column(submission, "pnc_id_raw")[3] == "5/12345T"


def test_provider_pattern_20_text_cells_of_a_workbook_keep_zeros(tmp_path: Path) -> None:
    headings = ("Ref", *HEADINGS)
    submission = read(write_xlsx(tmp_path / "a.xlsx", [("0017", *SOUND), (42.0, *row(surname="Bell"))], headings))
    assert column(submission, "entry_id") == ["0017", "42"]


def test_provider_pattern_21_rounded_codes_are_refused(tmp_path: Path) -> None:
    submission = read(write_csv(tmp_path / "a.csv", [row(pnc="1.23E+11")]))
    assert column(submission, "pnc_id") == [None]
    (one,) = found(submission)["code turned into a rounded number"]
    assert one.level is Level.MUST_FIX
    assert one.rows == (2,)


def test_provider_pattern_22_codes_turned_into_dates_are_refused_by_row(tmp_path: Path) -> None:
    cells: list[object] = list(row(surname="Bell"))
    cells[4] = dt.date(1998, 3, 3)
    submission = read(write_xlsx(tmp_path / "a.xlsx", [SOUND, cells]))
    assert column(submission, "pnc_id") == ["1984/0012345W", None]
    (one,) = found(submission)["code turned into a date"]
    assert one.level is Level.MUST_FIX
    assert one.rows == (3,)


@pytest.mark.parametrize("code", ["03-Mar-98", "01-Mar", "Mar-98", "3 March 1998"])
def test_provider_pattern_22_in_the_text_of_a_csv(tmp_path: Path, code: str) -> None:
    submission = read(write_csv(tmp_path / "a.csv", [row(pnc=code)]))
    assert rows_of(submission, "code turned into a date") == [2]


def test_provider_pattern_23_spellings_of_one_name_are_one_person_and_raw_is_kept(tmp_path: Path) -> None:
    spellings = ["O'Brien", "O’Brien", "O Brien", "obrien"]
    rows = [row(surname=name, pnc="", prison="") for name in spellings]
    submission = read(write_csv(tmp_path / "a.csv", rows))
    assert column(submission, "surname") == spellings
    assert column(submission, "first_row") == [2, 2, 2, 2]
    assert submission.n_people == 1


def test_provider_pattern_24_double_names_keep_both_parts(tmp_path: Path) -> None:
    submission = read(write_csv(tmp_path / "a.csv", [row(surname="Smith-Jones"), row(surname="Jones Smith")]))
    standard = standardise_people(submission.entries, today=TODAY)
    assert [sorted(parts) for parts in standard["surname_parts"].to_pylist()] == [["JONES", "SMITH"]] * 2


def test_provider_pattern_25_prefixes_are_not_split(tmp_path: Path) -> None:
    names = ["McDonald", "St. John", "de la Cruz", "bin Yusuf", "van den Berg"]
    submission = read(write_csv(tmp_path / "a.csv", [row(surname=name) for name in names]))
    standard = standardise_people(submission.entries, today=TODAY)
    assert standard["surname_std"].to_pylist() == ["MCDONALD", "STJOHN", "DELACRUZ", "BINYUSUF", "VANDENBERG"]


def test_provider_pattern_26_whole_name_in_one_cell(tmp_path: Path) -> None:
    headings = ("Name", *HEADINGS[2:])
    rows = [("DUNN, Carys (aka Caz)", *SOUND[2:]), ("Carys Dunn", *SOUND[2:])]
    submission = read(write_csv(tmp_path / "a.csv", rows, headings))
    assert column(submission, "surname") == ["DUNN", "Dunn"]
    assert column(submission, "forename1") == ["Carys", "Carys"]
    assert column(submission, "aliases") == ["Caz DUNN", None]
    assert rows_of(submission, "name in one cell") == [2]
    assert rows_of(submission, "name split by guess") == [3]


def test_provider_pattern_26_whole_name_in_the_surname_column(tmp_path: Path) -> None:
    submission = read(write_csv(tmp_path / "a.csv", [row(surname="DUNN, Carys", forename="")]))
    assert column(submission, "surname") == ["DUNN"]
    assert column(submission, "forename1") == ["Carys"]


@pytest.mark.parametrize("swapped", [True, False])
def test_provider_pattern_26_swapped_columns_are_suspected(tmp_path: Path, swapped: bool) -> None:
    rows = people(30)
    for number, cells in enumerate(rows):
        cells[1] = ("John", "Sarah", "Gareth")[number % 3]
        if swapped:
            cells[0], cells[1] = cells[1], cells[0]
    assert ("names swapped" in found(read(write_csv(tmp_path / "a.csv", rows)))) is swapped


@pytest.mark.parametrize("word", ["Unknown", "N/A", "#N/A", "-", "TBC", "XXX", "Test Test", "NFA"])
def test_provider_pattern_27_placeholders_are_missing_and_counted(tmp_path: Path, word: str) -> None:
    submission = read(write_csv(tmp_path / "a.csv", [row(forename=word), row(surname="Bell")]))
    assert column(submission, "forename1") == [None, "Nerys"]
    assert rows_of(submission, "placeholder") == [2]


def test_provider_pattern_27_na_is_a_surname(tmp_path: Path) -> None:
    assert column(read(write_csv(tmp_path / "a.csv", [row(surname="Na")])), "surname") == ["Na"]


@pytest.mark.parametrize("code", ["UNKNOWN", "NFA", "ZZ99 3VZ"])
def test_provider_pattern_27_postcodes_that_are_no_address(tmp_path: Path, code: str) -> None:
    submission = read(write_csv(tmp_path / "a.csv", [(*SOUND, code)], (*HEADINGS, "Postcode")))
    assert column(submission, "postcode") == [None]
    assert rows_of(submission, "placeholder") == [2]


def test_provider_pattern_28_repeated_rows_and_people_are_reported_and_none_is_dropped(tmp_path: Path) -> None:
    again = row(start="20/09/2019", forename="Nerris", born="28/03/1984")  # same number, slight spelling change
    other = row(surname="Bell", pnc="", prison="")
    submission = read(write_csv(tmp_path / "a.csv", [SOUND, SOUND, other, again]))
    assert submission.entries.num_rows == 4
    assert submission.n_people == 2
    assert column(submission, "first_row") == [2, 2, 4, 2]
    assert rows_of(submission, "row twice") == [2, 3]
    assert rows_of(submission, "person twice") == [2, 3, 5]


def test_provider_pattern_28_one_number_on_two_people_is_a_mistake(tmp_path: Path) -> None:
    submission = read(write_csv(tmp_path / "a.csv", [SOUND, row(surname="Bell", forename="Tom", born="13/08/1991")]))
    assert submission.n_people == 2
    assert rows_of(submission, "number shared") == [2, 3]


def test_provider_pattern_29_formula_whose_result_was_not_saved(tmp_path: Path) -> None:
    submission = read(write_xlsx(tmp_path / "a.xlsx", [row(forename='=CONCATENATE("A","B")')]))
    assert rows_of(submission, "formula without a result") == [2]
    assert column(submission, "forename1") == [None]
    assert submission.must_fix


def test_provider_pattern_29_error_cells_are_said(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(HEADINGS)
    book.active.append(SOUND)
    book.active["E2"] = "#N/A"
    book.active["E2"].data_type = "e"
    book.save(tmp_path / "a.xlsx")
    submission = read(tmp_path / "a.xlsx")
    assert rows_of(submission, "error in a cell") == [2]
    assert column(submission, "pnc_id") == [None]


@pytest.mark.parametrize("count", [1, 2])
def test_provider_pattern_30_one_list_among_sheets_is_taken_and_two_are_refused(tmp_path: Path, count: int) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Notes on this file"])
    for _ in range(count):
        sheet = book.create_sheet()
        sheet.append(HEADINGS)
        sheet.append(SOUND)
        sheet.row_dimensions[2].hidden = True
    book.save(tmp_path / "a.xlsx")
    if count == 2:
        with pytest.raises(FileNotTaken, match="Sheets 2 and 3 of the workbook each hold a list"):
            read(tmp_path / "a.xlsx")
    else:
        submission = read(tmp_path / "a.xlsx")
        assert column(submission, "row") == [2]  # hidden rows count
        assert {"other sheets", "hidden rows"} <= found(submission).keys()


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_provider_pattern_32_other_separators(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(csv_text([SOUND]).replace(",", separator).encode())
    submission = read(path)
    assert column(submission, "surname") == ["Archer"]
    assert "separator" in found(submission)


def test_provider_pattern_32_rows_of_another_width_are_left_out_and_listed(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [SOUND, SOUND[:4], (*SOUND, "one more"), (*SOUND, "")])
    submission = read(path)
    assert outcomes(submission) == {2: "kept", 3: "excluded", 4: "excluded", 5: "kept"}
    assert rows_of(submission, "row of another width") == [3, 4]
    assert submission.must_fix


def test_provider_pattern_32_a_quotation_mark_never_closed_is_refused_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(csv_text([SOUND]).encode() + b'"Bell,Tom,1/2/1984,M,,,14/06/2018\r\nCole,Una,,,,,\r\n')
    with pytest.raises(FileNotTaken, match="opened in row 3 is never closed"):
        read(path)


def test_provider_pattern_32_a_line_end_inside_a_cell_is_one_row(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [(*SOUND, "HMP\nCardiff"), (*people(1)[0], "Usk")], (*HEADINGS, "Site"))
    submission = read(path)
    assert column(submission, "row") == [2, 3]
    assert column(submission, "site") == ["HMP Cardiff", "Usk"]


@pytest.mark.parametrize("text", ["+44", "@SUM(A1)", "-x", "=HYPERLINK(1)", "=1+1"])
def test_provider_pattern_33_text_like_a_formula_stays_text(tmp_path: Path, text: str) -> None:
    submission = read(write_csv(tmp_path / "a.csv", [(*SOUND, text)], (*HEADINGS, "Site")))
    assert column(submission, "site") == [text]
    assert rows_of(submission, "text like a formula") == [2]


def test_provider_pattern_34_sensitive_columns_are_dropped_and_never_stored(tmp_path: Path) -> None:
    headings = (*HEADINGS, "Mental health notes", "Shoe size")
    submission = read(write_csv(tmp_path / "a.csv", [(*SOUND, "poorly", "8")], headings))
    assert [one.column for one in found(submission)["sensitive column"]] == ["Column H"]
    assert [one.column for one in found(submission)["column not asked for"]] == ["Column I"]
    assert "poorly" not in str(submission.entries.to_pylist())
