"""The library by itself: any kind of table, values that print, pictures that show. None of them is cleared."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from counterfoil.comparison import (
    Comparison,
    ComparisonSettings,
    Design,
    EntropyBalancing,
    compare,
    love_plot,
    overlap_plot,
)
from counterfoil.comparison.printing import NOT_CLEARED
from counterfoil.effect import Effect, curve_plot, estimate, kaplan_meier
from counterfoil.errors import UsageError
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind

RATE = Measure("again", "Again <within> a year", Kind.RATE)
SETTINGS = ComparisonSettings(covariates=("age", "sex"))


def columns() -> dict[str, Any]:
    """Ninety treated and 600 others."""
    rng = np.random.default_rng(3)
    n = 690
    return {
        "treated": np.arange(n) < 90,
        "age": np.round(rng.normal(35, 8, n)),
        "sex": np.where(rng.random(n) < 0.8, "m", "f"),
    }


class OnlyInterchange:
    """A frame of a library that knows the older protocol only."""

    def __init__(self, frame: Any) -> None:
        self.frame = frame

    def __dataframe__(self, **options: Any) -> Any:
        return self.frame.__dataframe__(**options)


def outcome() -> Any:
    return (np.random.default_rng(4).random(690) < 0.3).astype(float)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(pa.table(columns()), "treated", SETTINGS)


@pytest.fixture(scope="module")
def effect(comparison: Comparison) -> Effect:
    return estimate({"again": outcome()}, comparison, [RATE])[0]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, lambda c: OnlyInterchange(pa.table(c)), pa.table])
def test_every_kind_of_table_gives_the_same_comparison_and_effect(make: Any, comparison: Comparison) -> None:
    people, again = make(columns()), make({"again": outcome()})
    found = compare(people, "treated", SETTINGS)
    assert np.array_equal(found.weight, comparison.weight)
    (one,) = estimate(again, found, [RATE], people=people)
    (other,) = estimate({"again": outcome()}, comparison, [RATE], people=pa.table(columns()))
    assert one.compatible == other.compatible
    assert one.adjusted == other.adjusted


def test_the_index_of_a_filtered_pandas_frame_is_no_characteristic() -> None:
    frame = pd.DataFrame(columns())
    assert compare(frame[frame["age"] > 20], "treated", SETTINGS).n_treated > 0


def test_something_that_is_no_table_is_refused_with_what_to_hand_in() -> None:
    with pytest.raises(UsageError, match="Hand in an Arrow table or a data frame"):
        compare(object(), "treated", SETTINGS)


def test_a_comparison_prints_itself(comparison: Comparison) -> None:
    said = str(comparison)
    assert f"{comparison.n_treated_matched} of 90 used" in said
    assert "age" in said
    assert said.endswith(NOT_CLEARED)
    page = ET.fromstring(f"<div>{comparison._repr_html_()}</div>")
    assert len(page.findall("table")) == 2
    assert len(page.findall("table")[1].findall("tbody/tr")) == len(comparison.balance)


def test_an_effect_prints_itself_and_escapes_its_words(effect: Effect) -> None:
    assert str(effect).startswith("Again <within> a year")
    assert effect.compatible is not None
    assert f"{effect.compatible.difference:.2f}" in str(effect)
    ET.fromstring(f"<div>{effect._repr_html_()}</div>")


def test_pictures_show_every_characteristic_and_can_be_saved(comparison: Comparison, tmp_path: Path) -> None:
    love = love_plot(comparison)
    svg = ET.fromstring(love._repr_svg_())
    assert len(list(svg.iter("{http://www.w3.org/2000/svg}circle"))) == 2 * len(comparison.balance)
    love.save(tmp_path / "love.svg")
    assert (tmp_path / "love.svg").read_text("utf-8") == love.svg
    with pytest.raises(UsageError, match=r"ends in \.svg"):
        love.save(tmp_path / "love.png")


def test_overlap_needs_a_score(comparison: Comparison) -> None:
    ET.fromstring(overlap_plot(comparison).svg)
    balanced = compare(
        pa.table(columns()), "treated", ComparisonSettings(covariates=("age", "sex"), method=EntropyBalancing())
    )
    with pytest.raises(UsageError, match="no propensity score"):
        overlap_plot(balanced)
    trial = compare(
        pa.table(columns()), "treated", ComparisonSettings(covariates=("age", "sex"), design=Design.RANDOMISED)
    )
    assert "a trial" in str(trial)


def test_curves_go_down_and_two_at_most_are_drawn() -> None:
    curve = kaplan_meier(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, False]))
    svg = ET.fromstring(curve_plot({"all": curve}).svg)
    (path,) = svg.iter("{http://www.w3.org/2000/svg}polyline")
    heights = [float(point.split(",")[1]) for point in path.attrib["points"].split()]
    assert heights == sorted(heights)  # down on the page
    with pytest.raises(UsageError, match="One curve or two"):
        curve_plot({})
