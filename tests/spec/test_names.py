"""Names as METHODS 1 and INPUTS 23 to 27 have them."""

from __future__ import annotations

import pytest

from counterfoil.records.names import (
    NameField,
    SplitName,
    is_placeholder,
    split_alias_list,
    split_aliases,
    split_full_name,
    standardise_full_name,
    standardise_name,
)
from counterfoil.records.nicknames import nickname_classes

FORENAME, SURNAME = NameField.FORENAME, NameField.SURNAME

SAME_SURNAMES = [
    ("O'Brien", "O’Brien", "O Brien", "obrien", "O`BRIEN", "O' Brien", "OʼBRIEN"),
    ("McDonald", "Mc Donald", "MCDONALD", "mcdonald "),
    ("MacDonald", "Mac Donald", "MAC-DONALD"),
    ("St John", "St. John", "Saint John", "ST-JOHN", "StJohn"),
    ("de la Cruz", "De La Cruz", "DELACRUZ", "de-la-Cruz"),
    ("van der Berg", "Vanderberg", "VAN DER BERG"),
    ("bin Laden", "Bin-Laden", "BINLADEN"),
    ("Al-Hassan", "al Hassan", "ALHASSAN"),
    ("Müller", "Muller", "MULLER", "Mu\u0308ller"),
    ("Núñez", "NUNEZ"),
    ("Strauß", "Strauss"),
    ("Ødegård", "Odegard"),
    ("Łukasiewicz", "Lukasiewicz"),
    ("Smith", "Mr Smith", "MR. SMITH", " smith ", "MIG_ERROR_SMITH", "DUPLICATE_SMITH", "Smith Jnr"),
]


@pytest.mark.parametrize("spellings", SAME_SURNAMES, ids=lambda spellings: spellings[0])
def test_spellings_of_one_surname_are_one(spellings: tuple[str, ...]) -> None:
    found = {(name.standard, name.parts) for name in (standardise_name(raw, SURNAME) for raw in spellings)}
    assert len(found) == 1
    assert len(next(iter(found))[1]) == 1  # one part: particles lean on what follows


@pytest.mark.parametrize("raw", ["Smith-Jones", "Smith Jones", "SMITH – JONES", "smith/jones"])
def test_either_half_of_a_double_name_is_a_part(raw: str) -> None:
    found = standardise_name(raw, SURNAME)
    assert (found.standard, found.parts) == ("SMITHJONES", ("SMITH", "JONES"))


@pytest.mark.parametrize(
    ("raw", "standard", "parts"),
    [
        ("Jean-Paul", "JEANPAUL", ("JEAN", "PAUL")),
        ("Mary Ann", "MARYANN", ("MARY", "ANN")),
        ("De Shawn", "DESHAWN", ("DESHAWN",)),
        ("Ben Ali", "BENALI", ("BEN", "ALI")),  # a forename: Ben leans on nothing
        ("Dr John", "JOHN", ("JOHN",)),
        ("J.", "J", ("J",)),
        ("Ольга", "ОЛЬГА", ("ОЛЬГА",)),
        ("محمد", "محمد", ("محمد",)),
        ("प्रिया", "प्रिया", ("प्रिया",)),  # vowel signs are letters of the word
        ("Na", "NA", ("NA",)),  # a name, whatever pandas thinks
    ],
)
def test_forenames(raw: str, standard: str, parts: tuple[str, ...]) -> None:
    found = standardise_name(raw, FORENAME)
    assert (found.standard, found.parts) == (standard, parts)


PLACEHOLDERS = [
    *("Unknown", "UNKNOWN", "N/A", "n / a", "#N/A", "-", "--", ".", "?", "TBC", "tbc", "Test", "Test Test", "TESTTEST"),
    *(
        "XXX",
        "xx",
        "XXXXX",
        "NOT ENTERED",
        "Not Known",
        "NK",
        "None",
        "NULL",
        "Anon",
        "MIG_ERROR_",
        "NO_SHOW_",
        "",
        " ",
    ),
    *("NO_SHOW_NOT ENTERED", "123"),
]


@pytest.mark.parametrize("raw", PLACEHOLDERS)
@pytest.mark.parametrize("field", NameField)
def test_placeholders_are_missing(raw: str, field: NameField) -> None:
    found = standardise_name(raw, field)
    assert (found.standard, found.parts, found.aliases) == (None, (), ())
    assert standardise_full_name(raw) is None


@pytest.mark.parametrize("raw", ["Na", "Nan", "Testa", "Xi", "Noneley", "O", "Li"])
def test_short_and_odd_names_are_names(raw: str) -> None:
    assert not is_placeholder(raw)
    assert standardise_name(raw, SURNAME).standard == raw.upper()


@pytest.mark.parametrize(
    ("raw", "split"),
    [
        ("SMITH, John", SplitName("John", "SMITH")),
        ("SMITH, John (aka Jon)", SplitName("John", "SMITH", ("Jon",))),
        ("John Smith aka Johnny Smyth", SplitName("John", "Smith", ("Johnny Smyth",))),
        ("John Smith a.k.a. Jack", SplitName("John", "Smith", ("Jack",))),
        ("O'BRIEN, Mary Ann", SplitName("Mary Ann", "O'BRIEN")),
        ("Mr John van der Berg", SplitName("John", "van der Berg")),
        ("Mary Ann O Brien", SplitName("Mary Ann", "O Brien")),
        ("Van Nguyen", SplitName("Van", "Nguyen")),  # the first word is a forename
        ("Smith", SplitName(None, "Smith")),
        ("Unknown", SplitName(None, None)),
        (None, SplitName(None, None)),
    ],
)
def test_a_whole_name_in_one_cell(raw: str | None, split: SplitName) -> None:
    assert split_full_name(raw) == split


@pytest.mark.parametrize(
    ("raw", "main", "aliases"),
    [
        ("Elizabeth (Liz)", "Elizabeth", ("Liz",)),
        ("Smith (née Jones)", "Smith", ("Jones",)),
        ("Smith nee Jones", "Smith", ("Jones",)),
        ("Elizabeth (unknown)", "Elizabeth", ()),
        ("Akash", "Akash", ()),  # holds "aka" and no alias
        ("Nee", "Nee", ()),  # a surname
        ("John aka", "John", ()),
        ("Smith T/A Smith Roofing", "Smith", ()),
        ("Smith trading as The Anvil (Jones)", "Smith", ("Jones",)),
    ],
)
def test_aliases_inside_a_name(raw: str, main: str, aliases: tuple[str, ...]) -> None:
    assert split_aliases(raw) == (main, aliases)


def test_a_list_of_aliases_is_sorted_and_each_once() -> None:
    raw = "JON SMITH; Jack Smith-Jones;; unknown; Mr Jon Smith; Van Nguyen"
    assert split_alias_list(raw) == ("JACK SMITHJONES", "JON SMITH", "VAN NGUYEN")
    assert split_alias_list(None) == ()


def test_nicknames_are_classes_of_standard_forenames() -> None:
    classes = nickname_classes()
    assert classes["BILL"] == classes["WILL"] == classes["WILLIAM"] == "WILLIAM"
    assert classes["LIZ"] == classes["BETH"] == "ELIZABETH"
    assert classes["JOHN"] != classes["JOANNE"]
    assert "KHAN" not in classes
    assert all(classes[leader] == leader for leader in set(classes.values()))
    assert all(standardise_name(name, FORENAME).standard == name for name in classes)
