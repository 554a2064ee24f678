"""Small tables with the answer worked out beside them: blocks, frequencies, bounds, rates, levels of the model."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.errors import Fault, Refused
from counterfoil.linkage.blocking import RuleCount, check_blocks, count_between, count_within
from counterfoil.linkage.clusters import Links, Strictness
from counterfoil.linkage.frequencies import count_frequencies
from counterfoil.linkage.model import bounded, column_name, splink_settings
from counterfoil.linkage.prepare import prepare
from counterfoil.linkage.quality import against_truth, estimated, rate
from counterfoil.linkage.specification import Rule, load_specification, rule_on
from counterfoil.warehouse import query
from lib.links import record, table_of

SPECIFICATION = load_specification("justice")
DAY = dt.date(1980, 3, 4)


def _prepared(*rows: dict[str, Any]) -> pa.Table:
    return prepare(
        table_of([record(source="pnc", record_id=f"R{i}", **row) for i, row in enumerate(rows)]), SPECIFICATION
    )


BLOCKS = _prepared(
    {"surname_std": "SMITH", "forename1_std": "KIM", "dob": DAY},
    {"surname_std": "SMITH", "forename1_std": "LEE", "dob": DAY},
    {"surname_std": "SMITH", "forename1_std": "KIM"},
    {"surname_std": "KIM", "forename1_std": "SMITH", "dob": DAY},
    {"forename1_std": "ANN"},
)


@pytest.mark.parametrize(
    ("rule", "pairs", "largest"),
    [
        (rule_on("surname_std"), 3, 3),  # three SMITH; a missing surname is in no block
        (rule_on("surname_std", "dob"), 1, 2),  # a missing birth date is in no block
        (rule_on("cro_std"), 0, 0),
        # KIM SMITH (twice) against SMITH KIM, seen from either side: an upper bound of the 2 pairs
        (Rule("swapped", ("forename1_std", "surname_std"), ("surname_std", "forename1_std")), 4, 2),
    ],
)
def test_pairs_of_a_rule_are_counted_before_it_runs(rule: Rule, pairs: int, largest: int) -> None:
    assert count_within(BLOCKS, [rule]) == (RuleCount(rule.name, pairs, largest),)


def test_pairs_between_a_cohort_and_the_spine() -> None:
    cohort = _prepared({"surname_std": "SMITH"}, {"surname_std": "SMITH"}, {"surname_std": "JONES"})
    assert count_between(cohort, BLOCKS, [rule_on("surname_std")]) == (RuleCount("surname_std", 6, 3),)


def test_only_a_block_over_the_limit_is_refused() -> None:
    counts = [RuleCount("small", 3, 3), RuleCount("large", 4950, 100)]
    check_blocks(counts, max_block=100)
    with pytest.raises(Refused, match="'large' would compare 100 records"):
        check_blocks(counts, max_block=99)


def test_a_name_of_one_person_is_as_rare_as_its_parts_make_it() -> None:
    """Four people by name and birth date: ANN LEE twice (two birth dates), ANN HALL and JO LEE.

    ANN 3/4, JO 1/4, LEE 3/4, HALL 1/4. Of 6 pairs of people, 1 agrees on the name, 3 on the forename, 3 on the surname:
    k = (1/6) / (3/6 x 3/6) = 2/3, less than 1, so 1. ANN LEE: (2-1)/4 + 9/16; ANN HALL: 0 + 3/16.
    The second record of JO LEE is the same person and changes nothing.
    """
    table = _prepared(
        {"forename1_std": "ANN", "surname_std": "LEE", "dob": DAY},
        {"forename1_std": "ANN", "surname_std": "LEE", "dob": dt.date(1990, 1, 2)},
        {"forename1_std": "ANN", "surname_std": "HALL", "dob": DAY},
        {"forename1_std": "JO", "surname_std": "LEE", "dob": DAY},
        {"forename1_std": "JO", "surname_std": "LEE", "dob": DAY},
    )
    found = count_frequencies(table, SPECIFICATION)["name_key"]
    shares = dict(zip(found["name_key"].to_pylist(), found["tf_name_key"].to_pylist(), strict=True))
    assert shares == pytest.approx({"ANN LEE": 13 / 16, "ANN HALL": 3 / 16, "JO LEE": 3 / 16})


def test_other_columns_are_as_common_as_their_share_of_records() -> None:
    table = _prepared({"postcode_std": "AB11AA"}, {"postcode_std": "AB11AA"}, {"postcode_std": "AB22AA"}, {})
    found = count_frequencies(table, SPECIFICATION)["postcode_std"]
    assert found.to_pylist() == [
        {"postcode_std": "AB11AA", "tf_postcode_std": 2 / 3},
        {"postcode_std": "AB22AA", "tf_postcode_std": 1 / 3},
    ]


@pytest.mark.parametrize(
    ("given", "m", "u", "bounds"),
    [
        ((0.9, 0.01), 0.9, 0.01, []),
        ((0.9, None), 0.9, 1e-6, ["u"]),  # never seen in a million random pairs
        ((None, 0.5), 1e-4, 0.5, ["m"]),  # never seen among true pairs: counts against, by the ratio allowed
        ((None, 1e-6), 1e-6, 1e-6, ["m"]),  # as rare among others: counts for nothing, never for a link
        ((None, None), 1e-6, 1e-6, ["m", "u"]),  # no evidence at all: weighs nothing
        ((1e-9, 0.5), 5e-5, 0.5, []),  # no single disagreement weighs more than 13.3 bits
    ],
)
def test_a_level_that_training_never_saw_gets_a_bound(
    given: tuple[float | None, float | None], m: float, u: float, bounds: list[str]
) -> None:
    settings = splink_settings(SPECIFICATION) | {"probability_two_random_records_match": 0.001}
    levels = settings["comparisons"][0]["comparison_levels"]
    levels[1]["m_probability"], levels[1]["u_probability"] = given
    done, found = bounded(settings, random_pairs=1_000_000)
    level = done["comparisons"][0]["comparison_levels"][1]
    assert (level["m_probability"], level["u_probability"]) == pytest.approx((m, u))
    of_level = [bound for bound in found if (bound.comparison, bound.level) == ("name", "same forename and surname")]
    assert [bound.parameter for bound in of_level] == bounds


def test_wilson_interval() -> None:
    """Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263: 0.2553 to 0.3662; 0 of 20: 0 to 0.1611."""
    assert rate(81, 263) == pytest.approx({"rate": 81 / 263, "low": 0.2553, "high": 0.3662}, abs=5e-5)
    assert rate(0, 20) == pytest.approx({"rate": 0.0, "low": 0.0, "high": 0.1611}, abs=5e-5)
    assert rate(0, 0) == {"rate": None, "low": None, "high": None}


def test_error_rates_are_of_pairs_and_by_the_true_persons_group() -> None:
    """Clusters {a1 a2 b1} {b2} {b3}; a is a woman, b a man. Linked pairs: a1a2 a1b1 a2b1. True: a1a2 b1b2 b1b3 b2b3.

    All: precision 1/3, recall 1/4. Women: 3 pairs with one, 1 right; true 1, found 1. Men: 2 linked, 0 right; true 3.
    """
    prepared = _prepared({}, {}, {}, {}, {})
    truth = pa.table(
        {
            "source": ["pnc"] * 5,
            "record_id": [f"R{i}" for i in range(5)],
            "person_id": list("aabbb"),
            "sex": list("22111"),
        }
    )
    found = against_truth(prepared, np.array([0, 0, 0, 3, 4]), truth, ["sex"])
    assert [found["all"][name]["rate"] for name in ("precision", "recall")] == pytest.approx([1 / 3, 1 / 4], abs=1e-6)
    women, men = found["by_sex"]["2"], found["by_sex"]["1"]
    assert (women["precision"]["rate"], women["recall"]["rate"]) == pytest.approx((1 / 3, 1.0), abs=1e-6)
    assert (men["precision"]["rate"], men["recall"]["rate"]) == pytest.approx((0.0, 0.0))


def test_what_the_model_expects_of_itself() -> None:
    """Two links: odds 8:1 (3 bits) and 1:1 (0 bits). At 1 bit: precision 8/9, recall (8/9) / (8/9 + 1/2)."""
    links = Links(np.array([0, 1]), np.array([1, 2]), np.array([3.0, 0.0]))
    found = estimated(links, {Strictness.LOOSE: 1.0})["loose"]
    assert found["precision"] == pytest.approx(8 / 9, abs=1e-6)
    assert found["recall"] == pytest.approx((8 / 9) / (8 / 9 + 1 / 2), abs=1e-6)


def test_a_record_id_that_is_not_unique_is_refused() -> None:
    rows = [record(source="prison", record_id="SAME"), record(source="prison", record_id="SAME")]
    with pytest.raises(Fault, match="more than once in prison"):
        prepare(table_of(rows), SPECIFICATION)


def test_a_missing_column_is_named() -> None:
    rows = table_of([record(source="prison", record_id="1")])
    with pytest.raises(Fault, match="pnc_std"):
        prepare(rows.drop_columns(["pnc_std"]), SPECIFICATION)


ANN_LEE = {"forename1_std": "ANN", "surname_std": "LEE"}
EVE_LEE = {"forename1_std": "EVE", "surname_std": "LEE"}
LEVELS = [
    ("name", ANN_LEE, "same forename and surname"),
    ("name", {"forename1_std": "LEE", "surname_std": "ANN"}, "same parts in any order, or swapped"),
    ("name", EVE_LEE | {"surname_std": "HALL", "alias_names": ["ANN LEE"]}, "an alias is the other's name"),
    ("name", ANN_LEE | {"forename1_std": "ANNE"}, "same surname, forename alike"),
    ("name", ANN_LEE | {"forename1_std": "A"}, "same surname, forename alike"),
    ("name", EVE_LEE | {"forename_parts": ["EVE", "ANN"]}, "same surname, forename alike"),
    ("name", EVE_LEE, "same surname, other forename"),
    ("name", ANN_LEE | {"surname_std": "LEEHALL", "surname_parts": ["LEE", "HALL"]}, "surname alike, forename alike"),
    ("name", ANN_LEE | {"surname_std": "ZUCKER"}, "same forename, other surname"),
    ("name", EVE_LEE | {"surname_std": "ZUCKER"}, "other names"),
    ("name", {}, "missing"),
    ("middle name", ANN_LEE | {"forename_parts": ["ANN", "ROSE"]}, "same"),
    ("middle name", ANN_LEE | {"forename_parts": ["ANN", "R"]}, "an initial that agrees"),
    ("middle name", ANN_LEE | {"forename_parts": ["ANN", "ROSEE"]}, "alike"),
    ("middle name", ANN_LEE | {"forename_parts": ["ANN", "MAY"]}, "other"),
    ("middle name", ANN_LEE, "missing"),
    ("date of birth", {"dob": dt.date(1980, 3, 4)}, "same"),
    ("date of birth", {"dob": dt.date(1980, 4, 3)}, "day and month swapped"),
    ("date of birth", {"dob": dt.date(1980, 3, 14)}, "one digit other, or two neighbours transposed"),
    ("date of birth", {"dob": dt.date(1990, 3, 4)}, "one digit other, or two neighbours transposed"),
    ("date of birth", {"dob": dt.date(1980, 1, 1)}, "same year, one of them 1 January"),
    ("date of birth", {"dob": dt.date(1980, 11, 25)}, "within a year"),
    ("date of birth", {"dob": dt.date(1971, 11, 25)}, "other"),
    ("postcode", {"postcode_std": "AB11AA"}, "same"),
    ("postcode", {"postcode_std": "AB12BB"}, "same outward code"),
    ("postcode", {"postcode_std": "CD12BB"}, "other"),
    ("prison number", {"prison_number_std": "A1234BC"}, "same"),
    ("prison number", {"prison_number_std": "A1243BC"}, "one edit apart"),
    ("prison number", {"prison_number_std": "Z9876YX"}, "other"),
    ("prison number", {}, "missing"),
]
ANN: dict[str, Any] = {
    "forename1_std": "ANN",
    "forename_parts": ["ANN", "ROSE"],
    "surname_std": "LEE",
    "dob": DAY,
    "postcode_std": "AB11AA",
    "prison_number_std": "A1234BC",
}


@pytest.mark.parametrize(("comparison", "other", "label"), LEVELS)
def test_the_level_of_a_pair(comparison: str, other: dict[str, Any], label: str) -> None:
    """Ann Rose Lee against another record: the first level whose condition holds."""
    assert _level(comparison, _prepared(ANN, other)) == label


def _level(comparison: str, pair: pa.Table) -> str:
    levels = next(each for each in SPECIFICATION.comparisons if each.name == comparison).levels
    renamed = {
        f"{side}": pair.slice(i, 1).rename_columns([f"{name}_{side}" for name in pair.column_names])
        for i, side in enumerate("lr")
    }
    cases = " ".join(f"WHEN {level.sql} THEN '{level.label.replace(chr(39), chr(39) * 2)}'" for level in levels[:-1])
    sql = f"SELECT CASE {cases} ELSE '{levels[-1].label}' END AS label FROM l, r"
    found: str = query(sql, renamed)["label"][0].as_py()
    return found


def test_every_comparison_ends_with_else_and_begins_with_missing() -> None:
    for comparison in SPECIFICATION.comparisons:
        assert comparison.levels[0].null
        assert comparison.levels[-1].sql == "ELSE"
    assert column_name("date of birth") == "date_of_birth"


def test_training_blocks_share_no_column() -> None:
    """METHODS 1: at least two training blocks that do not share a column."""
    columns = [set(rule.left) for rule in SPECIFICATION.training.em_blocks]
    assert len(columns) >= 2
    assert all(not a & b for i, a in enumerate(columns) for b in columns[:i])
