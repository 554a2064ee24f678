"""Every finding there is about a provider's file: its level and its words, as a table of rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """What a finding asks of the sender."""

    MUST_FIX = "must fix"
    CHECK = "check"
    INFORMATION = "for information"


class Code(Enum):
    """Every finding there is. `RULES` has the words of each."""

    NO_ROWS = "no rows"
    TOO_FEW = "too few people"
    CANNOT_BE_FOUND = "cannot be found"
    NO_DATE = "no date to place the person"
    RAGGED_ROW = "row of another width"
    NOT_A_PERSON = "row without a person"
    REPEATED_HEADINGS = "headings again"
    REREAD_TEXT = "not utf-8"
    LINE_ENDS = "line ends"
    SEPARATOR = "separator"
    LOOSE_QUOTES = "loose quotation marks"
    TITLE_ROWS = "rows above the headings"
    BLANK_ROWS = "blank rows"
    EMPTY_COLUMN = "empty column without heading"
    DROPPED_COLUMN = "column not asked for"
    SENSITIVE_COLUMN = "sensitive column"
    OTHER_SHEETS = "other sheets"
    HIDDEN_SHEET = "hidden sheet"
    HIDDEN_ROWS = "hidden rows"
    MERGED_CELLS = "merged cells"
    UNSAVED_FORMULA = "formula without a result"
    ERROR_CELLS = "error in a cell"
    USES_1904 = "1904 date system"
    NAME_MISSING = "name missing"
    NAME_SPLIT = "name in one cell"
    NAME_GUESSED = "name split by guess"
    ALIAS_TAKEN = "alias in a name"
    NAME_WITH_FIGURES = "figures in a name"
    SWAPPED_NAMES = "names swapped"
    PLACEHOLDER = "placeholder"
    FORMULA_LIKE = "text like a formula"
    INVISIBLE = "invisible characters"
    DATE_UNREADABLE = "date not read"
    DATE_IMPOSSIBLE = "no such day"
    DATE_IMPLAUSIBLE = "date not plausible"
    DATE_AMBIGUOUS = "day or month first"
    DATE_MONTH_FIRST = "month first"
    DATE_MIXED_ORDER = "both orders"
    DATE_TWO_DIGIT = "two-digit year"
    DATE_CENTURY = "century unknown"
    DATE_SERIAL = "serial number"
    DATE_FUTURE = "future date"
    DATE_STAND_IN = "stand-in date"
    DATE_JANUARY = "first of January"
    DATE_FORMS = "several date forms"
    DATE_MISSING = "date missing"
    END_BEFORE_START = "end before start"
    START_BEFORE_BIRTH = "start before birth"
    ID_LETTER = "check letter"
    ID_SHAPE = "number of another shape"
    ID_AMBIGUOUS = "number reads two ways"
    ID_CENTURY = "century of a number"
    ID_SHORT = "short form"
    ID_AS_DATE = "code turned into a date"
    ID_EXPONENT = "code turned into a rounded number"
    ID_BEFORE_TEN = "number given before age 10"
    SEX_UNREAD = "sex not read"
    SEX_MISSING = "sex missing"
    COMPLETED_UNREAD = "yes or no not read"
    COMPLETERS_ONLY = "completers only"
    GROUP_UNREAD = "took part not read"
    POSTCODE_UNREAD = "postcode not read"
    SAME_ROW_TWICE = "row twice"
    SAME_PERSON_TWICE = "person twice"
    ID_SHARED = "number shared"
    ID_SHARE = "share with a number"


@dataclass(frozen=True, slots=True)
class Rule:
    """The words of a finding. `says` is what was found; `advice` is what to do, empty when nothing need be done."""

    level: Level
    says: str
    advice: str = ""


_M, _C, _I = Level.MUST_FIX, Level.CHECK, Level.INFORMATION

RULES: Mapping[Code, Rule] = {
    Code.NO_ROWS: Rule(
        _M,
        "There are headings and no rows of people below them.",
        "Write one row for each person, from the row under the headings.",
    ),
    Code.TOO_FEW: Rule(
        _C,
        "Fewer than 60 people are in the list.",
        "The lab cannot publish a result for fewer than 60 "
        "people. Add people from other months or sites, or wait until there are more.",
    ),
    Code.CANNOT_BE_FOUND: Rule(
        _M,
        "Neither a date of birth nor a PNC, prison, CRO or probation number can be used.",
        "Nobody can be found by a name alone. Add the date of birth or a number.",
    ),
    Code.NO_DATE: Rule(
        _M,
        "No usable start date and no other date says when this person's time with you began. The row is left out.",
        "Add the start date.",
    ),
    Code.RAGGED_ROW: Rule(
        _M,
        "The row has more or fewer cells than the headings, so its values may stand under the wrong "
        "heading. The row is left out.",
        "Put the cells under their headings, or put quotation marks round a cell that holds a comma.",
    ),
    Code.NOT_A_PERSON: Rule(
        _I,
        "The row has neither a name nor a number (a total, a note or the end of the list). It is left out.",
        "If a person belongs there, add the name.",
    ),
    Code.REPEATED_HEADINGS: Rule(_I, "The headings come again inside the list. The row is left out."),
    Code.REREAD_TEXT: Rule(
        _C,
        "The text is not UTF-8 and was read as Windows-1252; these rows hold accented or special letters.",
        "Look at the names in these rows. If they are right in your program, save as "
        "'CSV UTF-8' or .xlsx, and all is well.",
    ),
    Code.LINE_ENDS: Rule(_I, "The lines end as on an old Mac, or in different ways. Each was read as a row."),
    Code.SEPARATOR: Rule(_I, "The cells are separated by something other than commas, which was understood."),
    Code.LOOSE_QUOTES: Rule(
        _C,
        "Some quotation marks do not pair at the edges of a cell.",
        "Look for names with quotation marks in them, or send the workbook itself.",
    ),
    Code.TITLE_ROWS: Rule(_I, "The headings are not in the first row; what stands above them was not read."),
    Code.BLANK_ROWS: Rule(_I, "Blank rows were skipped. Row numbers here are those of your file."),
    Code.EMPTY_COLUMN: Rule(_I, "A column without heading and values was ignored."),
    Code.DROPPED_COLUMN: Rule(_I, "The template does not ask for this column. It is not kept."),
    Code.SENSITIVE_COLUMN: Rule(
        _C,
        "The template does not ask for this column, and its heading speaks of something private. It is not kept.",
        "Delete the column before you send the file.",
    ),
    Code.OTHER_SHEETS: Rule(_I, "The workbook has other sheets, which were not read."),
    Code.HIDDEN_SHEET: Rule(
        _C, "The list is on a hidden sheet.", "Show the sheet, and see that it is the list you mean."
    ),
    Code.HIDDEN_ROWS: Rule(
        _C,
        "Some rows are hidden or filtered out of sight. They are read like any other.",
        "Show all rows, and delete those that should not be sent.",
    ),
    Code.MERGED_CELLS: Rule(
        _C,
        "Cells are merged here. Only the first cell of a merged area has its value; nothing is filled down.",
        "Unmerge them, and write each value in its own cell.",
    ),
    Code.UNSAVED_FORMULA: Rule(
        _M,
        "A cell holds a formula whose result was not saved, so it was read as empty.",
        "Open the file, let it calculate, copy the list and paste it as values, and save.",
    ),
    Code.ERROR_CELLS: Rule(_C, "A cell holds an error such as #N/A, and was read as empty.", "Write the value itself."),
    Code.USES_1904: Rule(_I, "The workbook counts dates from 1904, as old Mac versions do. Its dates were read so."),
    Code.NAME_MISSING: Rule(_C, "The surname or the forename is missing.", "Add it, if you know it."),
    Code.NAME_SPLIT: Rule(_I, "The whole name is in one cell and was split at the comma, surname first."),
    Code.NAME_GUESSED: Rule(
        _C,
        "The whole name is in one cell without a comma. The last word was taken as the surname.",
        "Put surname and forename in two columns, or write SURNAME, Forename.",
    ),
    Code.ALIAS_TAKEN: Rule(_I, "Another name in brackets or after 'aka' was taken as an alias."),
    Code.NAME_WITH_FIGURES: Rule(_C, "A name holds figures.", "Check that the columns have not slipped."),
    Code.SWAPPED_NAMES: Rule(
        _C,
        "The surnames look like forenames and the forenames do not: the two columns may be swapped.",
        "Check the two headings.",
    ),
    Code.PLACEHOLDER: Rule(
        _I, "A word or sign for 'not known' was read as missing.", "Fill in what you know; else leave the cell empty."
    ),
    Code.FORMULA_LIKE: Rule(
        _C,
        "Text begins like a formula (= + - @). It was kept as plain text and never run.",
        "Check that the cell holds what you mean.",
    ),
    Code.INVISIBLE: Rule(
        _C,
        "A cell holds invisible characters, such as marks that turn the direction of writing. They "
        "are left out when names are compared.",
        "Type the value again.",
    ),
    Code.DATE_UNREADABLE: Rule(_M, "This is not a date in any form that is known here.", "Write it as 27/03/1984."),
    Code.DATE_IMPOSSIBLE: Rule(
        _M, "There is no such day in the calendar.", "Correct the date; leave it empty if you do not know it."
    ),
    Code.DATE_IMPLAUSIBLE: Rule(
        _M,
        "The date cannot be right: too long ago, or an age no one reaches.",
        "Correct the date; leave it empty if you do not know it.",
    ),
    Code.DATE_AMBIGUOUS: Rule(
        _C,
        "Day and month could be either way round. They were read day first.",
        "If your dates have the month first, change them to 27/03/1984 or 27 March 1984.",
    ),
    Code.DATE_MONTH_FIRST: Rule(
        _C,
        "Dates in this column have the month first, as one with a number above 12 in second "
        "place shows. All were read so.",
        "If that is wrong, change them to 27 March 1984.",
    ),
    Code.DATE_MIXED_ORDER: Rule(
        _M,
        "Some dates in this column can only be day first, and others only month first.",
        "Write every date of the column in one way: 27/03/1984.",
    ),
    Code.DATE_TWO_DIGIT: Rule(
        _C,
        "The year has two figures. Births were read as an age from 10 to 100, other dates as 20YY.",
        "Write the year in full.",
    ),
    Code.DATE_CENTURY: Rule(
        _M, "The year has two figures, and no century gives an age from 10 to 100.", "Write the year in full."
    ),
    Code.DATE_SERIAL: Rule(
        _C,
        "The date is a spreadsheet's day number. It was read as one.",
        "Format the column as a date. Ask the lab if the file came from an old Mac (1904 system).",
    ),
    Code.DATE_FUTURE: Rule(_C, "The date is after today.", "Correct it, if it is not planned."),
    Code.DATE_STAND_IN: Rule(
        _C,
        "The date is one that stands for 'not known' (such as 1 January 1900). It was read as missing.",
        "Write the true date; leave it empty if you do not know it.",
    ),
    Code.DATE_JANUARY: Rule(
        _C,
        "Over 5% of births are on 1 January, far more than are born then.",
        "If 1 January stands for 'only the year is known', tell the lab; write true dates where you have them.",
    ),
    Code.DATE_FORMS: Rule(_I, "Dates in this column are written in several forms. Each was read by its own form."),
    Code.DATE_MISSING: Rule(
        _C, "There is no usable date of birth; the person will be looked for by number alone.", "Add the date of birth."
    ),
    Code.END_BEFORE_START: Rule(_C, "The end date is before the start date.", "Correct one of them."),
    Code.START_BEFORE_BIRTH: Rule(_C, "The start date is before the person's tenth birthday.", "Correct one of them."),
    Code.ID_LETTER: Rule(
        _C,
        "The last letter does not follow from the figures, so one character is mistyped. The number "
        "is kept and not used.",
        "Copy it again from the source.",
    ),
    Code.ID_SHAPE: Rule(
        _C,
        "This is not the shape of such a number. It is kept and not used.",
        "Compare it with the example in the template.",
    ),
    Code.ID_AMBIGUOUS: Rule(
        _C,
        "Without its slash this number can be read in two ways. It is kept and not used.",
        "Write it with the slash: 1984/0012345W.",
    ),
    Code.ID_CENTURY: Rule(
        _C,
        "The year's century is not the one such numbers have. The letter cannot tell.",
        "Check the first two figures against the date of birth.",
    ),
    Code.ID_SHORT: Rule(_I, "Numbers were written short; century and zeros were added, which the letter confirms."),
    Code.ID_AS_DATE: Rule(
        _M,
        "A spreadsheet has turned this code into a date. That cannot be undone; the cell was read as empty.",
        "Format the column as text, type the codes again, and save.",
    ),
    Code.ID_EXPONENT: Rule(
        _M,
        "A spreadsheet has rounded this code (as 1.23E+11). That cannot be undone; the cell was read as empty.",
        "Format the column as text, type the codes again, and save.",
    ),
    Code.ID_BEFORE_TEN: Rule(
        _C, "The year in the number is before the person was ten.", "Check the number and the date of birth."
    ),
    Code.SEX_UNREAD: Rule(
        _C, "This was not understood as male or female. It was read as not known.", "Write Male, Female or Not known."
    ),
    Code.SEX_MISSING: Rule(_C, "The sex is missing.", "Write Male or Female, if you know it."),
    Code.COMPLETED_UNREAD: Rule(
        _C, "This was not understood as yes or no. It was read as not known.", "Write Yes or No."
    ),
    Code.GROUP_UNREAD: Rule(
        _M,
        "This was not understood as who took part, was refused or was waiting. The row is in no group.",
        "Write Took part, Refused or Waiting, or leave it empty for those who took part.",
    ),
    Code.COMPLETERS_ONLY: Rule(
        _C,
        "Everyone in the list completed. A result for those who complete says little of the service.",
        "Include everyone who started, whatever came of it.",
    ),
    Code.POSTCODE_UNREAD: Rule(
        _C,
        "This is not a whole postcode. It is kept and not used.",
        "Write it as CF10 3AT; leave it empty if there is no address.",
    ),
    Code.SAME_ROW_TWICE: Rule(
        _C, "These rows are the same in every column. The person counts once.", "Delete the repeated rows."
    ),
    Code.SAME_PERSON_TWICE: Rule(
        _C,
        "These rows have the same number, or the same name and date of birth. The person "
        "counts once, from the first start.",
        "Check that they are one person. Both rows may stay if the person came twice.",
    ),
    Code.ID_SHARED: Rule(
        _C,
        "Rows with different names and different dates of birth have the same number.",
        "Correct the number in one of them.",
    ),
    Code.ID_SHARE: Rule(
        _I,
        "How many rows have a PNC or prison number that can be used is said above.",
        "Each such number makes it much more likely that the person is found.",
    ),
}
