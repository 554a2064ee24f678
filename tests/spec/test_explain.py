"""A pair's waterfall adds up to the match weight that Splink gives, and says which level each comparison reached."""

from __future__ import annotations

from functools import cache
from math import log2

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.errors import Fault
from counterfoil.linkage import splink_engine
from counterfoil.linkage.differences import Standing, bracketed, compare
from counterfoil.linkage.explain import explain
from counterfoil.linkage.model import Model, Resources
from counterfoil.linkage.prepare import prepare
from counterfoil.linkage.specification import load_specification
from lib.links import make_records, record, table_of

WEIGHT = 1e-9  # bits: METHODS 1 asks as much of two engines
MACHINE = Resources(threads=2, memory="2GB")


@cache
def _trained() -> tuple[pa.Table, Model]:
    specification = load_specification("justice")
    prepared = prepare(make_records(500, seed=5).records, specification)
    return prepared, splink_engine.train(prepared, specification, MACHINE).model


def test_every_waterfall_ends_at_splinks_match_weight() -> None:
    prepared, model = _trained()
    scored = splink_engine.score(prepared, model, threshold=-20.0, pairs=10**6, resources=MACHINE)
    assert scored.num_rows > 500
    pairs = list(zip(scored["unique_id_l"].to_pylist(), scored["unique_id_r"].to_pylist(), strict=True))
    found = explain(pairs, prepared, model)
    wrong = [
        abs(each.match_weight - weight)
        for each, weight in zip(found, scored["match_weight"].to_pylist(), strict=True)
        if abs(each.match_weight - weight) > WEIGHT
    ]
    assert wrong == []


def test_running_totals_add_up() -> None:
    prepared, model = _trained()
    (found,) = explain([(0, 1)], prepared, model)
    total = found.prior
    for step in found.steps:
        total += step.weight + step.frequency
        assert step.total == pytest.approx(total, abs=WEIGHT)


def _model(levels: list[dict[str, object]]) -> Model:
    table = pa.table({"surname_std": ["SMITH", "RARE"], "tf_surname_std": [0.25, 0.01]})
    settings = {
        "probability_two_random_records_match": 0.5,
        "comparisons": [{"output_column_name": "surname", "comparison_levels": levels}],
    }
    return Model(settings, {"surname_std": table})


_LEVELS: list[dict[str, object]] = [
    {"sql_condition": "surname_std_l IS NULL OR surname_std_r IS NULL", "label_for_charts": "missing",
     "is_null_level": True},
    {"sql_condition": '("surname_std_l" = "surname_std_r")', "label_for_charts": "same", "m_probability": 0.8,
     "u_probability": 0.1, "tf_adjustment_column": "surname_std", "tf_adjustment_weight": 0.5},
    {"sql_condition": "ELSE", "label_for_charts": "other", "m_probability": 0.2, "u_probability": 0.9},
]  # fmt: skip


def test_levels_weights_and_frequencies_of_a_model_worked_out_by_hand() -> None:
    surnames = ("SMITH", "SMITH", "RARE", "RARE", None, "UNKNOWN", "UNKNOWN")
    records = prepare(
        table_of([record(source="pnc", record_id=str(n), surname_std=s) for n, s in enumerate(surnames)]),
        load_specification("justice"),
    )
    pairs = [(0, 1), (2, 3), (0, 2), (0, 4), (5, 6)]
    steps = [found.steps[0] for found in explain(pairs, records, _model(_LEVELS))]
    assert [step.level for step in steps] == ["same", "same", "other", "missing", "same"]
    assert [step.is_missing for step in steps] == [False, False, False, True, False]
    assert [step.weight for step in steps] == pytest.approx([3, 3, log2(0.2 / 0.9), 0, 3])  # log2(.8/.1) = 3
    half = [0.5 * log2(0.1 / 0.25), 0.5 * log2(0.1 / 0.01)]  # a common value says less, a rare one more
    assert [step.frequency for step in steps] == pytest.approx([*half, 0, 0, 0])


def test_no_pairs_no_waterfalls() -> None:
    assert explain([], table_of([]), _model(_LEVELS)) == ()


def test_a_record_that_is_not_there_is_a_fault() -> None:
    prepared, model = _trained()
    with pytest.raises(Fault, match="does not hold"):
        explain([(0, 10**9)], prepared, model)


def test_a_frequency_without_an_equal_level_is_a_fault() -> None:
    prepared, _ = _trained()
    levels = [{**_LEVELS[1], "sql_condition": "surname_2_l = surname_2_r"}, _LEVELS[2]]
    with pytest.raises(Fault, match="no level at which they are equal"):
        explain([(0, 1)], prepared, _model(levels))


def test_a_comparison_without_else_is_a_fault_where_nothing_holds() -> None:
    prepared, _ = _trained()
    levels = [{**_LEVELS[1], "sql_condition": "1 = 0", "tf_adjustment_column": None}]
    with pytest.raises(Fault, match="no ELSE"):
        explain([(0, 1)], prepared, _model(levels))


@pytest.mark.parametrize(
    ("left", "right", "standing", "marked"),
    [
        ("SMITH", "SMITH", Standing.SAME, ("SMITH", "SMITH")),
        ("SMITH", "SMYTH", Standing.DIFFERENT, ("SM[I]TH", "SM[Y]TH")),
        ("Smith", "SMITH", Standing.SAME, ("Smith", "SMITH")),
        ("Smith", "SMYTH", Standing.DIFFERENT, ("Sm[i]th", "SM[Y]TH")),
        ("ANN", "ANNE", Standing.DIFFERENT, ("ANN", "ANN[E]")),
        ("HARRY", "DECLAN", Standing.DIFFERENT, ("[HARRY]", "[DECLAN]")),  # one letter in common is chance
        ("1980-03-01", "1980-01-03", Standing.DIFFERENT, None),
        ("", "ANNE", Standing.ONE_MISSING, ("", "ANNE")),
        ("", "", Standing.BOTH_MISSING, ("", "")),
    ],
)
def test_differences_are_marked_where_they_are(
    left: str, right: str, standing: Standing, marked: tuple[str, str] | None
) -> None:
    found = compare(left, right)
    assert found.standing is standing
    if marked:
        assert (bracketed(found.left), bracketed(found.right)) == marked


@given(left=st.text(max_size=12), right=st.text(max_size=12))
def test_pieces_joined_are_the_values_and_what_does_not_differ_is_common(left: str, right: str) -> None:
    found = compare(left, right)
    assert ("".join(p.text for p in found.left), "".join(p.text for p in found.right)) == (left, right)
    if found.standing is Standing.DIFFERENT:
        common = ["".join(p.text for p in side if not p.differs).upper() for side in (found.left, found.right)]
        assert common[0] == common[1]
