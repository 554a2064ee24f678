"""Who the people analysed were: by the domain's kinds, small ones together, the same in every file and language."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.report import render
from counterfoil.report.read_back import texts_of
from counterfoil.report.words import words_of
from counterfoil.study.profile import characteristics_of, profile_of
from lib.reports import with_everything
from lib.results import ABOUT

# Of `lib.beside.profile`, by the rules: under ten stands with a neighbour (the smaller) or with the other small ones;
# a characteristic in which all are alike is not shown (R3). Shares are of 820.
SHOWN = [
    ("Sex", "female", "205", "25%"),
    ("Sex", "male", "615", "75%"),
    ("Age at the index date", "under 18; 18 to 20", "100", "12%"),
    ("Age at the index date", "21 to 24", "300", "37%"),
    ("Age at the index date", "25 to 29; 30 to 34", "420", "51%"),
    ("Ethnicity", "Black", "90", "11%"),
    ("Ethnicity", "white", "716", "87%"),
    ("Ethnicity", "Asian; mixed", "14", "2%"),
]


def test_each_value_is_of_the_kind_that_the_domain_says_and_the_rest_is_not_known() -> None:
    people = pa.table(
        {
            "treated": [True, True, True, True, False],
            "age_band": ["18-20", "50 and over", "unknown", "18-20", "25-29"],
            "sex": ["male", "female", "male", "male", "unknown"],
            "n_previous_convictions": [0, 2, 10, 11, 3],
        }
    )
    tables = {one.name: one for one in profile_of(people, "justice")}
    assert list(tables) == ["Age at the index date", "Sex", "Earlier convictions"]
    found = {name: {kind: np.flatnonzero(rows).tolist() for kind, rows in one.cells.items() if rows.any()}
             for name, one in tables.items()}  # fmt: skip
    assert found == {
        "Age at the index date": {"18 to 20": [0, 3], "25 to 29": [4], "50 and over": [1], "not known": [2]},
        "Sex": {"male": [0, 2, 3], "female": [1]},  # nobody treated is of a sex that is not known
        "Earlier convictions": {
            "no earlier conviction": [0], "1 or 2": [1], "3 to 5": [4], "6 to 10": [2], "11 or more": [3]
        },
    }  # fmt: skip
    assert [one.ordered for one in tables.values()] == [True, False, True]


def test_everything_that_a_profile_says_is_there_in_welsh() -> None:
    words = words_of("cy")
    said = {text for one in characteristics_of("justice") for text in (one.name, *one.kinds.values(), *one.bands)}
    assert len(said) > 40
    assert not sorted(text for text in (*said, "not known") if words.is_foreign(text))


@cache
def files() -> Mapping[str, bytes]:
    return render(with_everything(), replace(ABOUT, languages=("en", "cy"), drafts=("cy",))).files


def section(page: str) -> str:
    return page[page.index('id="h-profile"') : page.index('id="h-balance"')]


def test_the_page_has_each_line_and_says_why_one_is_absent() -> None:
    page = section(files()["report.html"].decode())
    rows = [tuple(html.unescape(cell) for cell in row) for row in re.findall(
        r'<tr><th scope="row">([^<]*)</th><td class="number">([^<]*)</td><td class="number">([^<]*)</td></tr>', page
    )]  # fmt: skip
    assert rows == [line[1:] for line in SHOWN]
    assert re.findall(r"<caption>([^<]*)</caption>", page) == ["Sex", "Age at the index date", "Ethnicity"]
    assert re.findall(r"<h3>([^<]*)</h3>", page) == ["Index offence"]
    assert "Not shown. A line is shown only when it has at least 10 people and leaves out at least 10." in page
    assert "820 people" not in page  # that all are of one kind is what is hidden
    assert "robbery" not in page


def test_the_welsh_page_has_the_same_numbers_and_its_own_words() -> None:
    english, welsh = (section(files()[name].decode()) for name in ("report.html", "report.cy.html"))
    numbers = re.compile(r'<td class="number">([^<]*)</td>')
    assert numbers.findall(english) == numbers.findall(welsh)
    assert "Asiaidd; cymysg" in welsh
    assert "Proffil y grŵp" in welsh
    assert not re.search(r'lang="en"|female|white', welsh)


def test_tables_and_json_have_the_same_lines() -> None:
    rows = list(csv.reader(io.StringIO(files()["tables/profile.csv"].decode())))
    assert rows[0] == ["characteristic", "group", "people", "share", "hidden_by"]
    per_cent = [(name, group, people, f"{round(float(share) * 100)}%") for name, group, people, share, rule in rows[1:]
                if not rule]  # fmt: skip
    assert per_cent == SHOWN
    assert [(row[0], row[2], row[4]) for row in rows[1:] if row[4]] == [("Index offence", "[c]", "R3"),
                                                                        ("Index offence", "[c]", "R4")]  # fmt: skip
    said = json.loads(files()["report.json"])["profile"]
    assert [one["characteristic"] for one in said] == ["Sex", "Age at the index date", "Ethnicity", "Index offence"]
    lines = [(one["characteristic"], "; ".join(group["kinds"]), f"{group['people']}") for one in said
             for group in one["groups"] if group["people"] is not None]  # fmt: skip
    assert lines == [line[:3] for line in SHOWN]
    assert {group["hidden"] for group in said[-1]["groups"]} == {"R3", "R4"}
    assert all(group["people"] is None and group["share"] is None for group in said[-1]["groups"])


@pytest.mark.parametrize("ending", ["ods", "xlsx"])
@pytest.mark.parametrize("language", ["en", "cy"])
def test_the_workbooks_have_them_too(language: str, ending: str) -> None:
    name = f"report.{ending}" if language == "en" else f"report.{language}.{ending}"
    text = texts_of(name, files()[name])
    words = words_of(language)
    assert words("workbook.profile.title") in text
    for characteristic, group, _, _ in SHOWN:
        assert words.given(characteristic) in text
        assert "; ".join(words.given(kind) for kind in group.split("; ")) in text
