"""Intervals of sampled review: published values, and coverage where the truth is drawn."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.linkage.clusters import Strictness
from counterfoil.linkage.quality_report.estimates import DIFFERENT, SAME, estimate
from counterfoil.linkage.quality_report.intervals import (
    Interval,
    corrected,
    difference,
    exactly,
    ratio,
    share_of,
    total,
    wilson,
)
from counterfoil.linkage.quality_report.sampling import Sample, Standing, Stratum


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    # Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_is_the_published_one(part: int, whole: int, low: float, high: float) -> None:
    found = wilson(part, whole)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    # Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090)],
)
def test_a_difference_is_the_published_one(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    found = difference(wilson(*one), wilson(*other))
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_with_nothing_looked_at_anything_is_possible() -> None:
    assert wilson(0, 0) == Interval(0.5, 0.0, 1.0)


def test_a_ratio_of_counted_numbers_has_no_width() -> None:
    found = ratio(exactly(3.0), exactly(4.0))
    assert (found.estimate, found.low, found.high) == pytest.approx((0.75, 0.75, 0.75))


def test_a_share_of_counted_numbers_is_their_share() -> None:
    found = share_of(exactly(3.0), exactly(1.0))
    assert (found.estimate, found.low, found.high) == pytest.approx((0.75, 0.75, 0.75))


def test_sums_of_independent_parts_are_narrower_than_the_sum_of_their_widths() -> None:
    found = total([Interval(1.0, 0.0, 3.0), Interval(2.0, 1.0, 4.0)])
    assert found.estimate == 3.0
    assert (found.low, found.high) == pytest.approx((3 - 2**0.5, 3 + 8**0.5))


def test_a_reviewer_who_is_wrong_one_time_in_ten_is_corrected() -> None:
    """0.9 p + 0.1 (1 - p) = 0.82 at p = 0.9."""
    assert corrected(exactly(0.82), 0.1).estimate == pytest.approx(0.9)


STRATA = (  # pairs, share of them that are one person
    (Stratum("a", Standing.STRICT, False, 6_000, 300), 0.999),
    (Stratum("b", Standing.MEDIUM, False, 500, 120), 0.97),
    (Stratum("c", Standing.LOOSE, False, 300, 100), 0.85),
    (Stratum("d", Standing.APART, False, 400, 100), 0.30),
    (Stratum("e", Standing.APART, True, 900, 150), 0.02),
    (Stratum("f", Standing.UNREACHED, True, 300, 100), 0.05),
)
ERROR = 0.03


def draw_review(rng: np.random.Generator) -> tuple[Sample, pa.Table, dict[str, int]]:
    """Strata of pairs with a drawn truth; a sample; two reviewers each wrong with chance `ERROR`."""
    rows, labels, true = [], [], {}
    number = 0
    for stratum, share in STRATA:
        is_same = rng.random(stratum.pairs) < share
        true[stratum.name] = int(is_same.sum())
        for truth in is_same[: stratum.sampled]:
            pair = ("x", f"{number}l", "y", f"{number}r")
            rows.append((*pair, stratum.name))
            for reviewer in ("p", "q"):
                said = truth ^ (rng.random() < ERROR)
                labels.append((*pair, reviewer, SAME if said else DIFFERENT))
            number += 1
    names = ["source_l", "record_id_l", "source_r", "record_id_r"]
    pairs = pa.table({name: [row[i] for row in rows] for i, name in enumerate([*names, "stratum"])})
    said_table = pa.table({n: [row[i] for row in labels] for i, n in enumerate([*names, "reviewer", "answer"])})
    return Sample(pairs, tuple(stratum for stratum, _ in STRATA), 1.0), said_table, true


def test_stated_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """150 reviews: 95% intervals, so at least 90% of them (three standard errors under) hold the truth."""
    rng = np.random.default_rng(11)
    held: dict[str, list[bool]] = {}
    for _ in range(150):
        sample, labels, true = draw_review(rng)
        found = estimate(sample, labels)
        assert found is not None
        every = sum(true.values())
        inside = true["a"] + true["b"]
        rates = {
            "precision": (found.precision[Strictness.MEDIUM], inside / 6_500),
            "recall": (found.recall[Strictness.MEDIUM], inside / every),
            "scoring": (found.scoring_recall[Strictness.MEDIUM], inside / (every - true["f"])),
            "blocking": (found.blocking_recall, (every - true["f"]) / every),
        }
        for name, (interval, rate) in rates.items():
            held.setdefault(name, []).append(interval.low <= rate <= interval.high)
        error = found.reviewers.error  # from pairs that two looked at
        held.setdefault("reviewers", []).append(error.low <= ERROR <= error.high)
    assert {name: np.mean(found) >= 0.90 for name, found in held.items()} == dict.fromkeys(held, True)


def test_blocking_times_scoring_is_recall() -> None:
    sample, labels, _ = draw_review(np.random.default_rng(12))
    found = estimate(sample, labels)
    assert found is not None
    for level in Strictness:
        product = found.blocking_recall.estimate * found.scoring_recall[level].estimate
        assert product == pytest.approx(found.recall[level].estimate, rel=1e-9)


def test_no_label_no_estimate() -> None:
    sample, labels, _ = draw_review(np.random.default_rng(14))
    assert estimate(sample, labels.slice(0, 0)) is None


def test_a_sample_of_records_widens_what_lies_outside() -> None:
    sample, labels, _ = draw_review(np.random.default_rng(15))
    whole = estimate(sample, labels)
    part = estimate(Sample(sample.pairs, sample.strata, 0.2), labels)
    assert whole is not None
    assert part is not None
    wide, narrow = (f.blocking_recall.high - f.blocking_recall.low for f in (part, whole))
    assert wide > narrow
    assert part.blocking_recall.estimate < whole.blocking_recall.estimate
