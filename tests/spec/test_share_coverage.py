"""How much of the spine a share covers: drawn people, counted by hand; and what of it is of concern."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pyarrow as pa
import pytest

from counterfoil.domains.shares import Coverage, load_shares
from counterfoil.linkage.linked_share import Sides
from counterfoil.linkage.quality_report.domain import quality_rules
from counterfoil.linkage.quality_report.findings import Concerns, _coverage
from counterfoil.linkage.quality_report.sections.coverage import coverage_section
from counterfoil.linkage.share_coverage import UNKNOWN, coverage_of

BORN = Coverage("pupils", dt.date(1985, 8, 31))
# person, source, birth date, sex; a person is who most of their records say
RECORDS = [
    ("A", "pnc", dt.date(1985, 8, 31), "1"),
    ("A", "prison", dt.date(1985, 8, 31), "1"),
    ("A", "pnc", dt.date(1958, 8, 31), "1"),
    ("B", "pnc", dt.date(1985, 8, 30), "1"),
    ("C", "prison", dt.date(1990, 1, 1), "2"),
    ("D", "pnc", dt.date(1990, 6, 1), None),
    ("E", "pnc", None, "2"),
]
LINKED = ("A", "B", "D", "E")


def found(coverage: Coverage = BORN) -> dict[str, Any]:
    person, source, dob, sex = (list(column) for column in zip(*RECORDS, strict=True))
    spine = pa.table({"source": source, "dob": pa.array(dob, pa.date32()), "sex_std": pa.array(sex, pa.string())})
    links = pa.table({"left": list("wxyz"), "right": list(LINKED)})
    return coverage_of(coverage, Sides(spine.slice(0, 0), spine, pa.array(person)), links)


def counts(group: dict[str, Any]) -> tuple[int, int]:
    return group["people"], group["linked"]


def test_who_could_be_in_it_and_who_is() -> None:
    said = found()
    assert said["born_from"] == "1985-08-31"
    assert counts(said["all"]) == (3, 2)  # A, C and D; the first day counts
    assert counts(said["outside"]) == (1, 1)  # B, a day too early
    assert counts(said["without_birth_date"]) == (1, 1)
    assert {year: counts(group) for year, group in said["by_birth_year"].items()} == {"1985": (1, 1), "1990": (2, 1)}
    five = {years: counts(group) for years, group in said["by_five_years"].items()}
    assert five == {"1985 to 1989": (1, 1), "1990 to 1994": (2, 1)}
    assert {sex: counts(group) for sex, group in said["by_sex"].items()} == {"1": (1, 1), "2": (1, 0), UNKNOWN: (1, 1)}
    assert {name: counts(group) for name, group in said["by_source"].items()} == {"pnc": (2, 2), "prison": (2, 1)}
    # Wilson's 95% interval of 2 of 3, by hand: (2/3 + 1.9208/3 ± 1.96 sqrt((2/9 + 0.9604/3) / 3)) / (1 + 3.8415/3)
    assert said["all"]["share"]["rate"] == pytest.approx(2 / 3, abs=1e-6)
    assert said["all"]["share"]["low"] == pytest.approx(0.2077, abs=1e-4)
    assert said["all"]["share"]["high"] == pytest.approx(0.9385, abs=1e-4)


def test_a_share_that_could_hold_everybody_leaves_nobody_out() -> None:
    said = found(Coverage("everybody"))
    assert (said["born_from"], counts(said["all"]), counts(said["outside"])) == (None, (5, 4), (0, 0))
    assert counts(said["without_birth_date"]) == (0, 0)
    assert counts(said["by_birth_year"][UNKNOWN]) == (1, 1)
    assert said["outside"]["share"] == {"rate": None, "low": None, "high": None}


def test_each_share_says_who_could_be_in_it() -> None:
    for share in load_shares().values():
        assert share.coverage.who
    assert load_shares()["education"].coverage.born_from == dt.date(1985, 8, 31)


def group(people: int, linked: int) -> dict[str, Any]:
    from counterfoil.linkage.quality import rate

    return {"people": people, "linked": linked, "share": dict(rate(linked, people))}


@pytest.mark.parametrize(
    ("early", "women", "concerns"),
    [(0, 500, 0), (15, 500, 0), (60, 500, 1), (0, 460, 0), (0, 400, 1), (60, 400, 2)],
)
def test_what_is_of_concern(early: int, women: int, concerns: int) -> None:
    """Of 1,000 men 500 are covered, of 1,000 women `women`; `early` are linked who were born too early. At 15 of about
    1,000 the interval reaches under 2%, at 60 it does not; 50% and 46% may be chance, 50% and 40% are not."""
    said = {**found(), "all": group(2_000, 500 + women), "outside": group(1_000, early),
            "by_sex": {"1": group(1_000, 500), "2": group(1_000, women)}}  # fmt: skip
    overrides = {"must_link": 0, "must_not_link": 0, "of_absent_records": 0, "contradictions": 0}
    report = {
        "products": {"spine": {}, "share education": {"coverage": said, "overrides": overrides}},
        "groups": {"words": {"sex": {"2": "female"}}},
    }
    told = list(_coverage(report, quality_rules("justice").concern))
    assert len(told) == concerns
    assert all(each.concern is Concerns.COVERAGE for each in told)
    assert any("female" in each.text for each in told) is (women == 400)
    assert any("born too early" in each.text for each in told) is (early == 60)
    assert not any(re.search(r"\b60\b", each.text) for each in told)  # it is shown on a terminal: no count
    section = coverage_section(report)
    assert any(row[0] == "born too early to be in it" for row in section.tables[0].rows)
    assert any(row[0] == "sex: female" for row in section.tables[0].rows)


def test_a_lab_without_a_share_says_so() -> None:
    assert "No share" in coverage_section({"products": {"spine": {}}}).words[0]
