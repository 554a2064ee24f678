"""Weights set by hand, each with a reason, and what a model keeps of its training (METHODS 1)."""

from __future__ import annotations

from dataclasses import replace
from math import log2
from typing import Any

import pyarrow as pa
import pytest

from counterfoil.errors import UsageError
from counterfoil.linkage.model import fuzzy_frequencies, splink_settings, training_notes, with_hand_weights
from counterfoil.linkage.specification import Level, Specification, load_specification, parse_specification


def specification(*levels: Level) -> Specification:
    whole = load_specification("justice")
    return replace(whole, comparisons=(replace(whole.comparisons[0], name="name", levels=levels),))


def trained(told: Specification, m: float, u: float) -> dict[str, Any]:
    settings = splink_settings(told)
    for level in settings["comparisons"][0]["comparison_levels"]:
        level |= {"m_probability": m, "u_probability": u}
    return settings


@pytest.mark.parametrize(
    ("weight", "u", "expected_m", "expected_u"),
    [(3.0, 0.01, 0.08, 0.01), (-2.0, 0.4, 0.1, 0.4), (10.0, 0.5, 1.0, 2.0**-10)],
)
def test_a_weight_by_hand_is_the_weight_of_the_level(
    weight: float, u: float, expected_m: float, expected_u: float
) -> None:
    told = specification(Level("same", "a_l = a_r", weight=weight, reason="known"), Level("other", "ELSE"))
    by_hand, learnt = with_hand_weights(trained(told, 0.9, u), told)["comparisons"][0]["comparison_levels"]
    assert (by_hand["m_probability"], by_hand["u_probability"]) == pytest.approx((expected_m, expected_u))
    assert log2(by_hand["m_probability"] / by_hand["u_probability"]) == pytest.approx(weight)
    assert by_hand["fix_m_probability"]
    assert by_hand["fix_u_probability"]
    assert (learnt["m_probability"], learnt["u_probability"]) == (0.9, u)
    assert "fix_u_probability" not in learnt


def raw(**level: Any) -> dict[str, Any]:
    levels = [{"label": "same", "sql": "a_l = a_r", **level}, {"label": "other", "sql": "ELSE"}]
    return {
        "derived": {},
        "rules": [],
        "comparisons": [{"name": "name", "levels": levels}],
        "frequencies": [],
        "training": {
            "seed": 1, "random_pairs": 1, "em_max_pairs": 1, "em_blocks": [], "prior_rules": [], "prior_recall": 0.5,
        },
        "guards": {"max_block": 1, "max_cluster": 1, "unique": [], "twins": {"same": [], "differ": "false"}},
        "cohort": {"ambiguous_within": 3.0, "confirm": [], "numbers": []},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("level", "said"),
    [
        ({"weight": 4.0}, "reason"),
        ({"m": 0.5}, "reason"),
        ({"m": 0.5, "weight": 1.0, "reason": "both"}, "same"),
        ({"u": 0.0}, "above 0"),
        ({"m": 1.5, "reason": "too much"}, "at most 1"),
    ],
)
def test_what_a_hand_may_not_set_is_refused_by_name(level: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        parse_specification(raw(**level), {})
    assert "'same'" in str(refused.value)


def test_m_by_hand_is_not_learnt() -> None:
    told = parse_specification(raw(m=0.7, reason="a study found it"), {})
    level = splink_settings(told)["comparisons"][0]["comparison_levels"][0]
    assert (level["m_probability"], level["fix_m_probability"]) == (0.7, True)


def test_frequencies_on_a_level_that_is_not_equal_are_warned_of() -> None:
    fuzzy = Level("alike", "jaro_winkler_similarity(a_l, a_r) > 0.9", tf="a")
    told = specification(Level("same", "a_l = a_r", tf="a"), fuzzy, Level("other", "ELSE"))
    (warning,) = fuzzy_frequencies(told)
    assert "'alike'" in warning
    assert fuzzy_frequencies(load_specification("justice")) == ()


def test_the_notes_tell_other_records_and_not_another_order() -> None:
    told = specification(Level("other", "ELSE"))
    one = pa.table({"unique_id": [0, 1], "a": ["x", "y"]})
    order = one.take([1, 0])
    other = pa.table({"unique_id": [0, 1], "a": ["x", "z"]})
    hashes = [training_notes(table, told)["records_hash"] for table in (one, order, other)]
    assert hashes[0] == hashes[1] != hashes[2]
    assert training_notes(one, told)["seed"] == told.training.seed
