"""Laws of nearest matching: who may be whose partner, how often, and that the order of rows changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.comparison import Nearest, Order, Ties, compare
from counterfoil.comparison.nearest import match_nearest, weigh_pairs
from counterfoil.comparison.scores import sort_scores
from lib.matching import assert_sound_pairs
from lib.populations import SETTINGS, draw_people

LENIENT = replace(SETTINGS, max_red_share=1.0, threads=1)


@st.composite
def drawn_groups(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, Nearest]:
    """Few distinct scores, so that ties, crowds and exact caliper distances are common."""
    rows = draw(st.integers(2, 40))
    score = np.array(draw(st.lists(st.integers(-6, 6), min_size=rows, max_size=rows)), dtype=np.float64) / 4.0
    treated = np.array(draw(st.lists(st.booleans(), min_size=rows, max_size=rows)))
    stratum = np.array(draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows)), dtype=np.int64)
    again = draw(st.booleans())
    order = Order.LARGEST if again else draw(st.sampled_from(Order))
    ties = draw(st.sampled_from([Ties.ROWS, Ties.SHARE])) if again else Ties.ROWS
    method = Nearest(ratio=draw(st.integers(1, 4)), replace=again, order=order, ties=ties)
    return score, treated, stratum, draw(st.sampled_from([0.0, 0.25, 0.3, 1.0, np.inf])), method


@settings(deadline=None)  # the first call compiles
@given(drawn=drawn_groups())
def test_pairs_are_sound(drawn: tuple[np.ndarray, np.ndarray, np.ndarray, float, Nearest]) -> None:
    score, treated, stratum, caliper, method = drawn
    pairs = match_nearest(sort_scores(score, treated, stratum), caliper, method)
    assert_sound_pairs(pairs, treated, score, stratum, caliper, method)
    weight = weigh_pairs(pairs, len(score))
    assert weight.min() >= 0.0
    assert set(np.unique(weight[treated])) <= {0.0, 1.0}
    assert weight[~treated].sum() == pytest.approx(weight[treated].sum())


@settings(deadline=None)
@given(drawn=drawn_groups())
def test_with_replacement_everyone_gets_the_nearest_there_are(
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray, float, Nearest],
) -> None:
    """By brute force: the distances of each treated person's partners are the smallest within the caliper."""
    score, treated, stratum, caliper, method = drawn
    method = Nearest(ratio=method.ratio, replace=True, ties=Ties.ROWS)
    pairs = match_nearest(sort_scores(score, treated, stratum), caliper, method)
    for person in np.flatnonzero(treated):
        reach = np.sort(np.abs(score[~treated & (stratum == stratum[person])] - score[person]))
        expected = reach[reach <= caliper][: method.ratio]
        assert pairs.distance[pairs.treated == person].tolist() == expected.tolist()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 100_000), order=st.sampled_from([Order.LARGEST, Order.CLOSEST]), replaces=st.booleans())
def test_the_order_of_the_rows_changes_nothing(seed: int, order: Order, replaces: bool) -> None:
    """With a key: not a byte, ties and identical people included."""
    people = _with_twins(seed)
    method = Nearest(ratio=2, replace=replaces, order=Order.LARGEST if replaces else order)
    chosen = replace(LENIENT, method=method, key="person")
    here = compare(people, "treated", chosen)
    shuffled = np.random.default_rng(seed).permutation(people.num_rows)
    there = compare(people.take(shuffled), "treated", chosen)
    assert there.weight.tolist() == here.weight[shuffled].tolist()
    assert there.logit_propensity.tolist() == here.logit_propensity[shuffled].tolist()
    assert here.pairs is not None
    assert there.pairs is not None
    ours = set(zip(here.pairs.treated, here.pairs.comparison, here.pairs.rank, strict=True))
    theirs = zip(shuffled[there.pairs.treated], shuffled[there.pairs.comparison], there.pairs.rank, strict=True)
    assert set(theirs) == ours


def test_without_a_key_people_who_differ_in_nothing_are_interchangeable_and_nobody_else() -> None:
    """Weights by what the rows hold are the same in any order."""
    people = _with_twins(3).drop_columns(["person"])
    chosen = replace(LENIENT, method=Nearest())
    shuffled = np.random.default_rng(3).permutation(people.num_rows)
    here, there = (compare(table, "treated", chosen) for table in (people, people.take(shuffled)))
    assert _by_content(people, here.weight) == _by_content(people.take(shuffled), there.weight)


def test_threads_change_no_byte() -> None:
    people = draw_people(1, 6_000)
    chosen = replace(SETTINGS, method=Nearest(), max_red_share=1.0)
    one, two = (compare(people, "treated", replace(chosen, threads=threads)) for threads in (1, 2))
    assert one.weight.tobytes() == two.weight.tobytes()
    assert one.pair.tobytes() == two.pair.tobytes()


def test_a_crowd_with_no_room_is_no_slower_than_a_sort() -> None:
    """50,000 treated people at one score and 60,000 others: a scan past whoever is taken would take minutes."""
    rng = np.random.default_rng(4)
    treated = np.arange(110_000) < 50_000
    score = np.where(treated, 0.0, rng.normal(size=110_000))
    pairs = match_nearest(sort_scores(score, treated), np.inf, Nearest(caliper=None))
    assert len(pairs.treated) == 50_000
    assert len(np.unique(pairs.comparison)) == 50_000


def _with_twins(seed: int) -> pa.Table:
    people = draw_people(seed, 500)
    twins = pa.concat_tables([people, people.slice(0, 200)])
    return twins.append_column("person", pa.array([f"p{(7 * i) % 1_009}" for i in range(twins.num_rows)]))


def _by_content(people: pa.Table, weight: np.ndarray) -> list[tuple[str, float]]:
    return sorted(zip(map(str, people.to_pylist()), weight.tolist(), strict=True))
