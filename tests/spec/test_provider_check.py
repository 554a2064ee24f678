"""`check`: what it says of a list, by row number and shape, in three groups, whatever the lab holds (R12)."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import openpyxl
import pytest

from counterfoil.errors import FileNotTaken
from counterfoil.records.provider import check_file, count_outcomes
from counterfoil.records.provider.findings import finding, ranges, render
from counterfoil.records.provider.rules import RULES, Code, Level
from counterfoil.records.provider.shape import shape
from lib.provider_files import HEADINGS, SOUND, TODAY, found, outcomes, people, read, row, rows_of, write_csv


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Smith 1", "Aaaaa 9"),
        ("O'Brien-Éa", "A'Aaaaa-Aa"),
        ("31/02/1984", "99/99/9999"),
        ("", ""),
        ("١٢", "99"),  # figures of another script
        ("محمد", "aaaa"),
        ("a\u202eb\t", "a?a?"),
        ("x" * 30, "a" * 24 + "…"),
    ],
)
def test_shape_shows_no_character_of_a_value(value: str, expected: str) -> None:
    assert shape(value) == expected


@pytest.mark.parametrize("code", Code)
def test_every_finding_has_words_and_says_what_to_do_when_something_must_be_done(code: Code) -> None:
    rule = RULES[code]
    assert rule.says.endswith(".")
    assert rule.advice or rule.level is Level.INFORMATION


def test_row_numbers_are_drawn_together_in_ranges() -> None:
    assert ranges([9, 2, 3, 4, 3]) == ["2 to 4", "9"]


def test_text_is_in_groups_by_level_and_column_with_the_first_20_ranges() -> None:
    text = render(
        [
            finding(Code.BLANK_ROWS),
            finding(Code.DATE_IMPOSSIBLE, range(2, 100, 2), column="Date of birth (column C)", shape="99/99/9999"),
            finding(Code.SEX_UNREAD, [4], column="Sex (column D)"),
        ]
    )
    lines = text.splitlines()
    assert [line for line in lines if not line.startswith(" ") and line] == ["Must fix", "Check", "For information"]
    assert "2, 4, 6" in text
    assert "40 and more (all 49 in --json)" in text
    assert "42" not in text


def test_levels_and_exit(tmp_path: Path) -> None:
    sound = check_file(write_csv(tmp_path / "a.csv", people(60)), TODAY)
    assert not sound.has_must_fix
    assert "too few people" not in {one.code.value for one in sound.findings}
    broken = check_file(write_csv(tmp_path / "b.csv", [*people(60), row(born="31/02/1984")]), TODAY)
    assert broken.has_must_fix
    assert broken.to_json()["must_fix"] is True


def test_fewer_than_60_people_is_said_without_the_number(tmp_path: Path) -> None:
    rows = people(60)
    rows[59] = rows[0]  # 60 rows, 59 people
    result = check_file(write_csv(tmp_path / "a.csv", rows), TODAY)
    assert result.n_people == 59
    (one,) = [one for one in result.findings if one.code is Code.TOO_FEW]
    assert one.level is Level.CHECK
    assert "59" not in one.says + one.advice


@pytest.mark.parametrize(("with_number", "band"), [(0, "none"), (20, "a quarter to a half"), (60, "all")])
def test_share_with_a_number_is_said_in_a_band_with_what_would_help(
    tmp_path: Path, with_number: int, band: str
) -> None:
    rows = people(60)
    for number in range(with_number):
        rows[number][5] = f"A{1000 + number}BC"
    said = " ".join(check_file(write_csv(tmp_path / "a.csv", rows), TODAY).summary)
    assert f"that can be used: {band}." in said
    assert ("Add the number" in said) is (with_number < 60)


def test_every_row_is_accounted_for(tmp_path: Path) -> None:
    rows = [SOUND, row(born="31/02/1984"), SOUND[:3], row(start=""), HEADINGS, ["", "", "", "", "", "", "end"]]
    submission = read(write_csv(tmp_path / "a.csv", rows))
    assert count_outcomes(submission) == {
        "kept": 1,
        "mended": 1,
        "excluded: row of another width": 1,
        "excluded: no date to place the person": 1,
        "excluded: headings again": 1,
        "excluded: row without a person": 1,
    }
    assert sum(count_outcomes(submission).values()) == submission.accounts.num_rows == len(rows)
    assert submission.entries["row"].to_pylist() == [2, 3]


@pytest.mark.parametrize("missing", ["Surname", "Forename", "Date of birth", "Sex", "Start date"])
def test_a_missing_column_is_refused_by_its_label(tmp_path: Path, missing: str) -> None:
    headings = [name if name != missing else "Shoe size" for name in HEADINGS]
    with pytest.raises(FileNotTaken, match=f"no column for: {missing}") as refusal:
        read(write_csv(tmp_path / "a.csv", [SOUND], headings))
    assert refusal.value.exit_code == 3


def test_any_of_three_dates_places_a_person(tmp_path: Path) -> None:
    for heading, name in (("Release date", "index_date"), ("Conviction date", "conviction_date")):
        submission = read(write_csv(tmp_path / "a.csv", [SOUND], [*HEADINGS[:-1], heading]))
        assert submission.entries[name].to_pylist() == [dt.date(2018, 6, 14)]
        assert submission.entries["start_date"].to_pylist() == [None]


def test_all_problems_of_the_headings_are_told_at_once(tmp_path: Path) -> None:
    headings = ("Surname", "Forename", "Forename", "", "Sex")
    with pytest.raises(FileNotTaken) as refusal:
        read(write_csv(tmp_path / "a.csv", [("A", "B", "C", "D", "M")], headings))
    assert len(refusal.value.problems) == 3  # no heading, two alike, columns missing


def test_people_who_can_only_be_found_by_name_must_be_fixed(tmp_path: Path) -> None:
    rows = [row(born=""), row(born="", pnc="", prison="")]
    submission = read(write_csv(tmp_path / "a.csv", rows))
    assert rows_of(submission, "date missing") == [2]
    assert rows_of(submission, "cannot be found") == [3]
    assert outcomes(submission) == {2: "kept", 3: "kept"}


def test_values_that_contradict_each_other(tmp_path: Path) -> None:
    rows = [
        (*row(), "13/06/2018"),  # ends the day before it starts
        (*row(start="26/03/1994", surname="Bell"), ""),  # the day before the tenth birthday
        (*row(start="27/03/1994", surname="Cole"), ""),
        (*row(pnc="1984/0012345W", born="27/03/1975", surname="Dunn"), ""),  # nine in 1984
    ]
    submission = read(write_csv(tmp_path / "a.csv", rows, (*HEADINGS, "End date")))
    assert rows_of(submission, "end before start") == [2]
    assert rows_of(submission, "start before birth") == [3]
    assert rows_of(submission, "number given before age 10") == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1984/0012345X", "check letter"),
        ("hello", "number of another shape"),
        ("1884/0012345W", "number of another shape"),
        ("84/12345W", "short form"),
    ],
)
def test_numbers_are_judged_and_kept_raw(tmp_path: Path, text: str, code: str) -> None:
    submission = read(write_csv(tmp_path / "a.csv", [row(pnc=text)]))
    assert rows_of(submission, code) == [2]
    assert submission.entries["pnc_id_raw"].to_pylist() == [text]
    assert submission.entries["pnc_id"].to_pylist() == ["1984/0012345W" if code == "short form" else None]


@pytest.mark.parametrize(
    ("word", "code", "said"),
    [("M", "1", False), ("female", "2", False), ("2", "2", False), ("Not known", None, False), ("?!x", None, True)],
)
def test_sex_is_read_from_its_words(tmp_path: Path, word: str, code: str | None, said: bool) -> None:
    submission = read(write_csv(tmp_path / "a.csv", [row(sex=word)]))
    assert submission.entries["sex"].to_pylist() == [code]
    assert ("sex not read" in found(submission)) is said


@pytest.mark.parametrize(("last", "said"), [("Yes", True), ("No", False)])
def test_a_list_of_completers_only_is_said(tmp_path: Path, last: str, said: bool) -> None:
    rows = [(*cells, "Yes") for cells in people(29)] + [(*people(30)[29], last)]
    submission = read(write_csv(tmp_path / "a.csv", rows, (*HEADINGS, "Completed")))
    assert submission.entries["completed"].to_pylist()[-1] is (last == "Yes")
    assert ("completers only" in found(submission)) is said


def test_the_same_file_gives_the_same_answer_and_json_is_plain(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [*people(5), row(born="x")])
    first, second = check_file(path, TODAY), check_file(path, TODAY)
    assert json.dumps(first.to_json()) == json.dumps(second.to_json())


def test_r12_two_files_that_differ_in_one_person_get_the_same_words(tmp_path: Path) -> None:
    """Nothing but the file can be in the answer: `check` is given no lab. Names alone change nothing."""
    rows = people(60)
    first = check_file(write_csv(tmp_path / "a.csv", rows), TODAY)
    rows[7][0] = "Other"
    second = check_file(write_csv(tmp_path / "b.csv", rows), TODAY)
    assert first.to_json() == second.to_json()


def test_a_workbook_with_nothing_in_it_is_refused(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    with pytest.raises(FileNotTaken, match="no cell with anything in it"):
        read(tmp_path / "a.xlsx")


def test_a_list_on_a_hidden_sheet_is_read_and_announced(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.create_sheet("list")
    for cells in (HEADINGS, SOUND):
        book.worksheets[1].append(cells)
    book.worksheets[1].sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")
    assert "hidden sheet" in found(read(tmp_path / "a.xlsx"))


def test_a_date_that_ten_rows_share_is_a_stand_in(tmp_path: Path) -> None:
    rows = people(60)
    for cells in rows[:12]:
        cells[2] = "17/05/1988"
    submission = read(write_csv(tmp_path / "a.csv", rows))
    assert submission.entries["date_of_birth"].to_pylist()[:12] == [None] * 12
    assert rows_of(submission, "stand-in date") == list(range(2, 14))


def test_a_number_without_its_slash_that_reads_two_ways_is_not_used(tmp_path: Path) -> None:
    """197834U is 1978/34 or 19/7834 (INPUTS)."""
    submission = read(write_csv(tmp_path / "a.csv", [row(pnc="197834U")]))
    assert rows_of(submission, "number reads two ways") == [2]
    assert submission.entries["pnc_id"].to_pylist() == [None]


def test_a_word_for_no_date_is_missing(tmp_path: Path) -> None:
    submission = read(write_csv(tmp_path / "a.csv", [row(born="N/K"), row(born="about 1984", surname="Bell")]))
    assert rows_of(submission, "placeholder") == [2]
    assert rows_of(submission, "date not read") == [3]
