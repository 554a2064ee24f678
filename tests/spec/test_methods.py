"""Every method gives the same frozen comparison; what a method cannot use or do is refused in a sentence."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.comparison import (
    Band,
    CoarsenedExact,
    Comparison,
    ComparisonSettings,
    Design,
    EntropyBalancing,
    Estimand,
    InverseProbability,
    Kernel,
    Method,
    Nearest,
    Order,
    Overlap,
    Radius,
    Ruler,
    Scale,
    Subclassification,
    Target,
    Ties,
    Unit,
    compare,
    matchit_weights,
    psmatch2_kernel,
    psmatch2_nearest,
    psmatch2_radius,
)
from counterfoil.comparison.methods import MethodSettings
from counterfoil.errors import Refused, UsageError
from lib.populations import SETTINGS, draw_people

PEOPLE = draw_people(11, 2_000).drop_columns(["sex"])
LENIENT = replace(SETTINGS, exact=(), max_red_share=1.0)
WIDE = {"age": (30.0, 40.0), "priors": (3.0,), "tenure": (10.0,)}

EVERY: list[MethodSettings] = [
    Radius(),
    Nearest(),
    Nearest(ratio=2, replace=True),
    InverseProbability(),
    InverseProbability(target=Target.EVERYONE),
    Overlap(),
    EntropyBalancing(),
    EntropyBalancing(moments=2),
    Kernel(),
    Subclassification(),
    Subclassification(target=Target.EVERYONE),
    CoarsenedExact(cutpoints=WIDE),
    psmatch2_nearest(),
    psmatch2_radius(0.05),
    psmatch2_kernel(),
]


def _name(method: MethodSettings) -> str:
    return method.kind.value


def test_every_method_of_the_enum_has_settings_and_is_tried_here() -> None:
    assert {kind.kind for kind in get_args(MethodSettings)} == set(Method)
    assert {method.kind for method in EVERY} == set(Method)


@pytest.mark.parametrize("method", EVERY, ids=_name)
def test_every_method_gives_the_same_lawful_comparison(method: MethodSettings) -> None:
    found = compare(PEOPLE, "treated", replace(LENIENT, method=method))
    treated, others = found.weight[found.treated], found.weight[~found.treated]
    rows = PEOPLE.num_rows
    assert [len(array) for array in (found.treated, found.weight, found.pair, found.stratum)] == [rows] * 4
    assert found.method is method.kind
    assert found.weight.min() >= 0.0
    assert others.sum() == pytest.approx(treated.sum())
    assert found.n_treated_matched == np.count_nonzero(treated)
    assert found.n_comparison == np.count_nonzero(others)
    assert found.ess == pytest.approx(others.sum() ** 2 / (others**2).sum())
    assert found.ess_treated == pytest.approx(treated.sum() ** 2 / (treated**2).sum())
    assert found.largest_share == pytest.approx(others.max() / others.sum())
    if found.asked is Estimand.ATT:
        assert set(treated.tolist()) <= {0.0, 1.0}
        dropped = found.n_treated_matched < found.n_treated
        assert found.achieved is (Estimand.ATT_MATCHED if dropped else Estimand.ATT)
    else:
        assert found.achieved is found.asked
    names = {row.term for row in found.balance}
    assert names == {row.term for row in compare(PEOPLE, "treated", LENIENT).balance}
    assert all(row.variance_ratio is not None for row in found.balance if row.term in ("age", "priors"))
    assert found.reliable == (found.count(Band.RED) == 0 and found.n_treated_matched >= 0.95 * found.n_treated)


@pytest.mark.parametrize("method", EVERY, ids=_name)
def test_no_method_sees_an_outcome(method: MethodSettings) -> None:
    people = PEOPLE.append_column("reoffended", pa.array(np.zeros(PEOPLE.num_rows)))
    with pytest.raises(UsageError, match="must not see an outcome"):
        compare(people, "treated", replace(LENIENT, method=method))
    assert not any("outcome" in field.name for field in fields(Comparison))


def test_pairs_strata_and_steps_are_there_where_the_method_makes_them() -> None:
    radius = compare(PEOPLE, "treated", LENIENT)
    nearest = compare(PEOPLE, "treated", replace(LENIENT, method=Nearest()))
    again = compare(PEOPLE, "treated", replace(LENIENT, method=Nearest(replace=True)))
    cut = compare(PEOPLE, "treated", replace(LENIENT, method=Subclassification()))
    assert len(radius.steps) == 5
    assert radius.pairs is None
    assert nearest.pairs is not None
    assert again.pairs is not None
    assert (again.pair == -1).all()  # a person may be in several pairs
    assert sorted(np.bincount(nearest.pair[nearest.pair >= 0]).tolist()) == [2] * nearest.n_treated_matched
    assert np.array_equal(nearest.pair >= 0, nearest.weight > 0.0)
    assert set(cut.stratum.tolist()) == set(range(6))


def test_a_trial_has_no_method() -> None:
    found = compare(PEOPLE, "treated", replace(LENIENT, design=Design.RANDOMISED))
    assert (found.method, found.pair.size, found.stratum.size, found.pairs) == (None, 0, 0, None)
    assert found.ess_treated == found.n_treated


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": Radius(calipers=())}, "Radius: `calipers` must hold"),
        ({"method": Nearest(ratio=0)}, "Nearest: `ratio` must be 1 or more"),
        ({"method": Nearest(caliper=0.0)}, "`caliper` must be above 0, or None"),
        ({"method": Nearest(replace=True, order=Order.SMALLEST)}, "changes nothing with replacement"),
        ({"method": Nearest(ties=Ties.SHARE)}, "ties can be shared only with replacement"),
        ({"method": Nearest(order=Order.DATA)}, "ties must go by `rows` too"),
        ({"method": EntropyBalancing(moments=3)}, "Entropy balancing: `moments` must be 1"),
        ({"method": Kernel(bandwidth=-1.0)}, "Kernel: `bandwidth` must be above 0"),
        ({"method": Subclassification(subclasses=1)}, "`subclasses` must be 2 or more"),
        ({"method": CoarsenedExact(cutpoints={"age": (30.0, 20.0)})}, "`cutpoints` of `age` must be numbers in rising"),
        ({"method": CoarsenedExact(cutpoints={"age": ()})}, "`cutpoints` of `age` must be numbers in rising"),
        ({"method": CoarsenedExact(cutpoints={"region": (1.0,)})}, "`region`, which is not a number"),
        ({"method": CoarsenedExact(groups={"age": (("a",),)})}, "`age`, which is not a factor"),
        ({"method": CoarsenedExact(groups={"region": (("north", "moon"),)})}, "'moon', which nobody has"),
        ({"method": CoarsenedExact(groups={"region": (("north",), ("north", "east"))})}, "in several groups"),
        ({"method": Overlap(), "exact": ("region",)}, "`exact` is set, but overlap matches nobody within factors"),
        ({"method": Subclassification(), "exact": ("region",)}, "Name them as covariates instead"),
        ({"method": Radius(), "key": "region"}, "`key` breaks ties in nearest matching"),
        ({"method": Nearest(), "key": "priors"}, "`priors` has one value for several people"),
        ({"method": Nearest(), "key": "tenure"}, "`tenure` is empty for some people"),
        ({"method": Nearest(), "key": "name"}, "no column `name`"),
    ],
)
def test_a_setting_that_the_method_cannot_use_is_an_error(changes: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        compare(PEOPLE, "treated", replace(LENIENT, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("method", [Nearest(), Subclassification()], ids=_name)
def test_covariates_that_are_the_same_for_everyone_leave_nobody_nearer(method: MethodSettings) -> None:
    people = pa.table({"t": [1, 1, 0, 0, 0, 0], "x": [3.0] * 6})
    with pytest.raises(Refused, match="Name covariates that differ") as refusal:
        compare(people, "t", ComparisonSettings(("x",), method=method, min_level=1))
    assert refusal.value.rule == "covariates"


def test_an_empty_subclass_is_refused() -> None:
    """The pool reaches up to the middle of the treated: the upper subclasses hold nobody to compare with."""
    x = np.concatenate([np.linspace(0.0, 10.0, 100), np.linspace(-5.0, 5.0, 300)])
    people = pa.table({"t": np.arange(400) < 100, "x": x})
    with pytest.raises(Refused, match="fewer `subclasses`") as refusal:
        compare(people, "t", ComparisonSettings(("x",), method=Subclassification(), max_red_share=1.0))
    assert refusal.value.rule == "overlap"


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (Nearest(), "Use a wider caliper"),
        (Kernel(), "Use a wider bandwidth"),
        (CoarsenedExact(), "wider bands"),
        (Overlap(), "Use fewer covariates"),
    ],
    ids=["nearest", "kernel", "coarsened", "overlap"],
)
def test_groups_without_overlap_are_refused(method: MethodSettings, words: str) -> None:
    people = pa.table({"t": np.arange(90) < 30, "x": np.where(np.arange(90) < 30, 50.0, 0.0) + np.arange(90) / 90})
    with pytest.raises(Refused, match=words) as refusal:
        compare(people, "t", ComparisonSettings(("x",), method=method, max_red_share=1.0))
    assert refusal.value.rule == "overlap"


def test_an_exact_stratum_without_a_pool_drops_its_treated_people_and_says_so() -> None:
    rng = np.random.default_rng(12)
    treated = np.arange(400) < 100
    place = np.where(np.arange(400) < 10, "far", "near")
    people = pa.table({"t": treated, "x": rng.normal(size=400), "place": place})
    for method in (Nearest(caliper=None), Kernel(bandwidth=50.0)):
        found = compare(people, "t", ComparisonSettings(("x",), exact=("place",), method=method, max_red_share=1.0))
        assert found.weight[:10].tolist() == [0.0] * 10
        assert (found.n_treated_matched, found.achieved) == (90, Estimand.ATT_MATCHED)
        assert not found.reliable
        assert "More of the treated people were left out than the plan allows." in found.warnings


def test_a_person_who_carries_much_of_the_weight_is_said() -> None:
    x = np.concatenate([np.full(30, 2.0), np.zeros(200), np.full(2, 2.0)])
    people = pa.table({"t": np.arange(232) < 30, "x": x + np.arange(232) % 2})
    found = compare(people, "t", ComparisonSettings(("x",), method=InverseProbability(), max_red_share=1.0))
    assert found.largest_share > 0.05
    assert "A few comparison people carry much of the weight, so the answer leans on them." in found.warnings


def test_a_caliper_is_in_the_units_of_its_ruler() -> None:
    """The same caliper three ways: in pooled SDs, in everyone's SDs, in the score itself."""
    score = compare(PEOPLE, "treated", replace(LENIENT, method=Nearest())).logit_propensity
    treated = PEOPLE["treated"].to_numpy()
    pooled = np.sqrt((score[treated].var(ddof=1) + score[~treated].var(ddof=1)) / 2)
    sizes = {Unit.POOLED_SD: 0.1, Unit.SD: 0.1 * pooled / score.std(ddof=1), Unit.SCORE: 0.1 * pooled}
    weights = [
        compare(PEOPLE, "treated", replace(LENIENT, method=Kernel(bandwidth=size, ruler=Ruler(unit=unit)))).weight
        for unit, size in sizes.items()
    ]
    np.testing.assert_allclose(weights[1], weights[0], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(weights[2], weights[0], rtol=1e-9, atol=1e-9)


def test_common_support_leaves_out_whoever_lies_outside_the_other_group() -> None:
    method = Kernel(bandwidth=5.0, ruler=Ruler(scale=Scale.PROBABILITY, unit=Unit.SCORE, common_support=True))
    found = compare(PEOPLE, "treated", replace(LENIENT, method=method))
    used, treated = found.weight > 0.0, found.treated
    score = found.logit_propensity
    inside = (score >= score[~treated].min()) & (score <= score[~treated].max())
    outside = (score < score[treated].min()) | (score > score[treated].max())
    assert np.array_equal(used[treated], inside[treated])
    assert np.array_equal(used[~treated], ~outside[~treated])


def test_matchits_scale_adds_up_to_the_people_used() -> None:
    found = compare(PEOPLE, "treated", replace(LENIENT, method=Kernel()))
    scaled = matchit_weights(found)
    assert scaled[~found.treated].sum() == pytest.approx(found.n_comparison)
    assert scaled[found.treated].sum() == pytest.approx(found.n_treated_matched)
