"""Doubt about links, carried into the estimates (METHODS 5, decision 16): who the entries are is drawn 20 times.

Who is treated in each draw, and every weight, is decided and hashed before outcomes are opened. Draws that come to the
headline's people are not made again. Everything here is exact and stays inside the lab; `disclosure` shows what it may.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.cohort.link_draws import FEWEST_LINK_DRAWS, draw_links
from counterfoil.comparison.exchange import Exchange, ready_to_exchange, weigh_again
from counterfoil.comparison.made import Groups
from counterfoil.comparison.values import Comparison
from counterfoil.disclosure import DrawnGroups, LinkingResult
from counterfoil.effect import Combined, Effect, Estimate, combine_estimates, compatible
from counterfoil.effect.estimate import Compatible
from counterfoil.effect.reading import read_exposures, read_outcomes
from counterfoil.errors import Refused, UsageError
from counterfoil.outcomes.measures import Measure
from counterfoil.provenance import sha256_of_bytes
from counterfoil.warehouse import write_table

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
DRAWS = FEWEST_LINK_DRAWS
FILE = "link_draws.parquet"
DOES_NOT_FIT = "does not fit"


@dataclass(frozen=True, slots=True, eq=False)
class LinkDoubt:
    """Who else the doubtful entries may be. Rows are those of the analysis, then those of `people`.

    people: people who may be treated in a draw and are not in the headline, with the columns of the analysis.
    place: the row of each of them in the analysis, as somebody of the pool; -1 for none.
    entry, person, row, probability: the candidates, one each; `row` -1: somebody who is not eligible.
    sure: the treated of the analysis who are so in every draw.
    steady: whom of the analysis the spine holds alike at its three strictnesses.
    link_probability: of each treated of the analysis, as the linker gave it; 1 for the others.
    """

    people: pa.Table
    place: IntArray
    entry: IntArray
    person: IntArray
    row: IntArray
    probability: FloatArray
    sure: BoolArray
    steady: BoolArray
    link_probability: FloatArray

    def narrowed(self, rows: BoolArray, possible: BoolArray) -> LinkDoubt:
        """Of the rows of a part of the analysis, and of those of `people` who may be in it."""
        number = np.concatenate([rows, possible])
        to = np.where(number, np.cumsum(number) - 1, -1)
        return replace(
            self,
            people=self.people.filter(pa.array(possible)),
            place=_looked_up(to, self.place[possible]),
            row=_looked_up(to, self.row),
            sure=self.sure[rows],
            steady=self.steady[rows],
            link_probability=self.link_probability[rows],
        )


def _looked_up(to: IntArray, rows: IntArray) -> IntArray:
    """`to` of each row; -1 stays."""
    return np.where(rows < 0, -1, to[np.maximum(rows, 0)]) if len(to) else rows


@dataclass(frozen=True, slots=True, eq=False)
class DrawnDesign:
    """One set of people who came up in `draws`, and everyone's weight; None where a rule stopped it (`rule`)."""

    draws: tuple[int, ...]
    treated: BoolArray
    weight: FloatArray | None
    rule: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class LinkDesigns:
    """The draws, before outcomes. `as_headline`: those that came to the headline's people."""

    as_headline: tuple[int, ...]
    others: tuple[DrawnDesign, ...]
    without_unsteady: DrawnDesign | None  # only those whom the spine holds alike; None: all are, or nobody is
    doubt: LinkDoubt
    comparison: Comparison

    @property
    def rule(self) -> str:
        """What stopped a draw, so that there is no combined estimate; empty when nothing did."""
        return next((each.rule for each in self.others if each.weight is None), "")


def design_draws(groups: Groups, comparison: Comparison, doubt: LinkDoubt, *, seed: int) -> LinkDesigns:
    """Draw who the entries are and compare each set of people once, by the headline's method and caliper."""
    taken = draw_links(doubt.entry, doubt.person, doubt.probability, seed=seed, draws=DRAWS)
    headline = np.concatenate([groups.treated, np.zeros(doubt.people.num_rows, np.bool_)])
    open_rows = np.unique(doubt.row[doubt.row >= 0])  # nobody else differs between draws
    people = [_treated_of(each, doubt) for each in taken]
    _, first, which = np.unique(np.stack(people)[:, open_rows], axis=0, return_index=True, return_inverse=True)
    which = which.ravel()
    asked = {n: people[at] for n, at in enumerate(first) if not np.array_equal(people[at], headline)}
    unsteady = groups.treated & ~doubt.steady
    steady = None
    if (asked or unsteady.any()) and groups.treated.any():
        ready = ready_to_exchange(groups, comparison, doubt.people)
        if unsteady.any() and not unsteady[groups.treated].all():
            steady = _design(ready, np.concatenate([~unsteady & groups.treated, headline[len(unsteady) :]]), doubt, ())
    with ThreadPoolExecutor(max(groups.settings.threads, 1)) as pool:
        others = list(pool.map(lambda one: _design(ready, one[1], doubt, _places(which, one[0])), asked.items()))
    same = tuple(draw for draw in range(DRAWS) if which[draw] not in asked)
    return LinkDesigns(same, tuple(others), steady, doubt, comparison)


def _places(which: IntArray, number: int) -> tuple[int, ...]:
    return tuple(np.flatnonzero(which == number).tolist())


def _treated_of(taken: BoolArray, doubt: LinkDoubt) -> BoolArray:
    """The treated of one draw, over the rows of the analysis and of `people`."""
    treated = np.concatenate([doubt.sure, np.zeros(doubt.people.num_rows, np.bool_)])
    rows = doubt.row[taken]
    treated[rows[rows >= 0]] = True
    return treated


def _design(ready: Exchange, treated: BoolArray, doubt: LinkDoubt, draws: tuple[int, ...]) -> DrawnDesign:
    """Nobody is in both groups, and who is of the list and not drawn is in neither."""
    there = treated | ~ready.groups.treated
    there[len(doubt.sure) :] = treated[len(doubt.sure) :]
    place = doubt.place[treated[len(doubt.sure) :]]
    there[place[place >= 0]] = False
    try:
        return DrawnDesign(draws, treated, weigh_again(ready, treated, there))
    except Refused as refused:
        return DrawnDesign(draws, treated, None, refused.rule)
    except UsageError:  # a setting that the headline's people fit and these do not must not cost the headline
        return DrawnDesign(draws, treated, None, DOES_NOT_FIT)


def freeze_draws(designs: LinkDesigns, folder: Path, *, seed: int) -> dict[str, Any]:
    """Write who is treated in which draw; gives what the frozen design says of it: hashes, the seed, a rule."""
    rows = [(draw, row) for each in designs.others for draw in each.draws for row in np.flatnonzero(each.treated)]
    table = pa.table(
        {
            "draw": pa.array([draw for draw, _ in rows], pa.int64()),
            "row": pa.array([row for _, row in rows], pa.int64()),
        }
    ).sort_by([("draw", "ascending"), ("row", "ascending")])
    steady = () if designs.without_unsteady is None else (designs.without_unsteady,)
    return {
        "seed": seed,
        "draws": DRAWS,
        "as_headline": list(designs.as_headline),
        "treated": write_table(table, folder / FILE).sha256,
        "designs": [_hash_of(each) for each in designs.others],
        "without_unsteady": [_hash_of(each) for each in steady],
    }


def _hash_of(design: DrawnDesign) -> dict[str, Any]:
    if design.weight is None:
        return {"draws": list(design.draws), "rule": design.rule}
    return {"draws": list(design.draws), "weight": sha256_of_bytes(np.ascontiguousarray(design.weight).tobytes())}


@dataclass(frozen=True, slots=True)
class Linking:
    """What the draws came to. Exact: inside the lab."""

    combined: Mapping[str, Combined | None]  # by measure
    headline: LinkingResult
    steady: Mapping[str, Estimate | None]  # without those of whom the spine is unsure
    false_share: float  # of the links of those analysed, as their probabilities say
    draws_as_headline: int
    rule: str

    def facts(self) -> dict[str, Any]:
        """For the run's folder, inside the lab."""
        return {
            "draws": DRAWS,
            "draws_as_headline": self.draws_as_headline,
            "rule": self.rule or None,
            "combined": {name: None if each is None else _facts(each) for name, each in self.combined.items()},
            "without_unsteady": {
                name: None if each is None else {"difference": each.difference, "low": each.low, "high": each.high}
                for name, each in self.steady.items()
            },
            "expected_false_links": self.false_share,
            "expected_dilution": self.false_share,  # strangers do as the comparison group does: METHODS 5
        }


def _facts(combined: Combined) -> dict[str, Any]:
    names = ("estimate", "low", "high", "p", "within", "between", "total", "df", "share", "missing")
    found = {name: getattr(combined, name) for name in names}
    return {name: value if np.isfinite(value) else None for name, value in found.items()}


def estimate_draws(
    designs: LinkDesigns,
    outcomes: Mapping[str, FloatArray],
    more: Mapping[str, FloatArray],
    effects: Sequence[Effect],
    headline: Measure,
) -> Linking:
    """`outcomes`: of the rows of the analysis; `more`: of those of the doubt's people. `effects`: the headline's."""
    measures = [effect.measure for effect in effects]
    whole = _columns(designs, outcomes, more, measures)
    with ThreadPoolExecutor(max(designs.comparison.settings.threads, 1)) as pool:
        asked = (*designs.others, designs.without_unsteady)
        *drawn, steady = pool.map(lambda each: _compatible(designs, each, whole, measures), asked)
    found = {
        effect.measure.name: [
            Compatible(effect.treated, effect.comparison, effect.compatible),
            *(each.get(effect.measure.name) for each in drawn),
        ]
        for effect in effects
    }
    combined = {name: _combine(designs, each) for name, each in found.items()}
    analysed = designs.comparison.treated & (designs.comparison.weight > 0)
    return Linking(
        combined,
        _result(designs, whole[headline.name], headline, combined[headline.name], found[headline.name]),
        {name: each.estimate for name, each in steady.items()},
        float(1.0 - designs.doubt.link_probability[analysed].mean()),
        len(designs.as_headline),
        designs.rule,
    )


def _compatible(
    designs: LinkDesigns, design: DrawnDesign | None, whole: Mapping[str, FloatArray], measures: Sequence[Measure]
) -> dict[str, Compatible]:
    """By measure; nothing where a rule stopped the design."""
    if design is None or design.weight is None:
        return {}
    return compatible(whole, replace(designs.comparison, treated=design.treated, weight=design.weight), measures)


def _columns(
    designs: LinkDesigns,
    outcomes: Mapping[str, FloatArray],
    more: Mapping[str, FloatArray],
    measures: Sequence[Measure],
) -> dict[str, FloatArray]:
    """Outcomes and times at risk of the analysis, then of the doubt's people; checked once for all draws."""
    names = dict.fromkeys(name for measure in measures for name in (measure.name, measure.exposure) if name)
    whole = {name: np.concatenate([outcomes[name], more[name]]) for name in names}
    everyone = np.zeros(len(designs.comparison.treated) + designs.doubt.people.num_rows, np.bool_)
    of_all = replace(designs.comparison, treated=everyone)
    return {**read_exposures(whole, of_all, measures), **read_outcomes(whole, of_all, measures)}


def _combine(designs: LinkDesigns, found: Sequence[Compatible | None]) -> Combined | None:
    """None where a draw has no estimate."""
    times = [len(designs.as_headline), *(len(each.draws) for each in designs.others)]
    estimates: list[Estimate] = []
    for each, many in zip(found, times, strict=True):
        if many and (each is None or each.estimate is None):
            return None
        if each is not None and each.estimate is not None:
            estimates += [each.estimate] * many
    return combine_estimates(estimates)


def _result(
    designs: LinkDesigns,
    outcome: FloatArray,
    measure: Measure,
    combined: Combined | None,
    found: Sequence[Compatible | None],
) -> LinkingResult:
    """What `disclosure` needs: the treated of the headline and of each draw, and the comparison groups."""
    comparison = designs.comparison
    rows = len(outcome)
    first = np.zeros(rows)
    first[: len(comparison.treated)] = np.where(comparison.treated, comparison.weight, 0.0)
    weights = [first]
    weights += [np.zeros(rows) if d.weight is None else np.where(d.treated, d.weight, 0.0) for d in designs.others]
    anyone = np.flatnonzero(np.any(np.stack(weights) > 0, axis=0))
    times = (len(designs.as_headline), *(len(each.draws) for each in designs.others))
    drawn = tuple(
        DrawnGroups(many, weight[anyone], each.comparison)
        for weight, each, many in zip(weights, found, times, strict=True)
        if many and each is not None
    )
    return LinkingResult(measure, comparison.settings.design, combined, outcome[anyone], first[anyone], drawn)
