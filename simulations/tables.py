"""The studies of drawn tables: coverage and the null, errors of linking, selection that nobody observed.

Each gives a JSON object. "Covers": the 95% interval holds the planted mean over the treated people who were analysed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from counterfoil.comparison import Comparison, ComparisonSettings, compare
from counterfoil.comparison.values import BoolArray, IntArray
from counterfoil.effect import Effect, Estimate, estimate
from counterfoil.errors import Refused
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind
from simulations import seeds
from simulations.counting import Mean, Share
from simulations.drawn_tables import COVARIATES, N_TREATED, Drawn, draw

NULL = Measure("null", "A programme that does nothing", Kind.RATE)
RATE = Measure("rate", "A programme that works", Kind.RATE)
COUNT = Measure("count", "Its frequency", Kind.COUNT)
BEFORE = Measure("before", "The year before", Kind.RATE)
FALSE_SHARE, MISSED_SHARE = 0.02, 0.10  # the most that METHODS 5 asks for
STRENGTHS = (0.25, 0.5, 1.0)  # log-odds of treatment for one SD of what nobody observed
Progress = Callable[[str, float], None]


@dataclass(slots=True)
class Tally:
    """One interval, followed over the draws. Rates are in points."""

    covers: Share = field(default_factory=Share)
    significant: Share = field(default_factory=Share)
    miss: Mean = field(default_factory=Mean)  # estimate less truth
    width: Mean = field(default_factory=Mean)

    def add(self, found: Estimate | None, truth: float) -> None:
        """An interval that is not there covers nothing and finds nothing."""
        self.covers.add(held=found is not None and found.low <= truth <= found.high)
        self.significant.add(held=found is not None and (found.low > 0.0 or found.high < 0.0))
        if found is not None:
            self.miss.add(found.difference - truth)
            self.width.add(found.high - found.low)

    def as_json(self) -> dict[str, Any]:
        return {
            "covers": self.covers.as_json(),
            "significant": self.significant.as_json(),
            "miss": self.miss.as_json(),
            "width": self.width.as_json()["mean"],
        }


Tallies = dict[str, Tally]


def coverage(n: int, progress: Progress, *, trying: int = 0) -> dict[str, Any]:
    """Intervals of a programme that works and of one that does nothing, by radius matching as it comes."""
    tallies: Tallies = {}
    raw = Mean()
    for _, drawn in _draws(seeds.TABLES + trying, n, "drawn tables", progress):
        raw.add(100.0 * float(drawn.null[drawn.treated].mean() - drawn.null[~drawn.treated].mean()))
        comparison = _compare(drawn.people)
        if comparison is None:
            for name in ("rate", "null", "count", "before"):
                tallies.setdefault(f"{name}, compatible", Tally()).add(None, 0.0)
            continue
        analysed = drawn.treated & (comparison.weight > 0)
        truth = {
            "rate": 100.0 * float(drawn.rate_effect[analysed].mean()),
            "count": float(drawn.count_effect[analysed].mean()),
        }
        outcomes = {"rate": drawn.rate, "null": drawn.null, "count": drawn.count}
        for effect in estimate(outcomes, comparison, [RATE, NULL, COUNT], people=drawn.people):
            _add(tallies, effect, truth.get(effect.measure.name, 0.0))
        (before,) = estimate({"before": drawn.before}, comparison, [BEFORE])
        _add(tallies, before, 0.0)
    return {"tables": n, "as they stand": raw.as_json(), **_json_of(tallies)}


def link_errors(n: int, progress: Progress, *, trying: int = 0) -> dict[str, Any]:
    """The same when one treated person in ten is not found, and stays in the pool, and one in fifty is somebody else.

    Whoever is linked wrongly is anybody of the pool, drawn without regard to outcomes. The truth is the effect on those
    who did take part.
    """
    tallies: Tallies = {}
    for i, drawn in _draws(seeds.LINK_ERRORS + trying, n, "linking errors", progress):
        found = _linked(drawn.treated, np.random.default_rng([seeds.LINK_ERRORS + trying, i, 1]))
        comparison = _compare(_with_treated(drawn.people, found))
        if comparison is None:
            tallies.setdefault("rate, compatible", Tally()).add(None, 0.0)
            continue
        outcomes = {"rate": drawn.rate, "null": drawn.null}
        truth = {"rate": 100.0 * float(drawn.rate_effect[drawn.treated].mean())}
        for effect in estimate(outcomes, comparison, [RATE, NULL], people=_with_treated(drawn.people, found)):
            _add(tallies, effect, truth.get(effect.measure.name, 0.0))
    return {"tables": n, "false": FALSE_SHARE, "missed": MISSED_SHARE, **_json_of(tallies)}


def _linked(treated: BoolArray, rng: np.random.Generator) -> BoolArray:
    """Who is taken for treated."""
    found = treated.copy()
    rows: IntArray = rng.permutation(np.flatnonzero(treated))
    n_missed, n_false = round(MISSED_SHARE * N_TREATED), round(FALSE_SHARE * N_TREATED)
    found[rows[: n_missed + n_false]] = False
    found[rng.choice(np.flatnonzero(~treated), n_false, replace=False)] = True
    return found


def hidden_selection(n: int, progress: Progress, *, trying: int = 0) -> dict[str, Any]:
    """A factor that nobody observed makes people join and offend; the year before gives it away, or does not."""
    answer: dict[str, Any] = {"tables": n}
    for strength in STRENGTHS:
        tallies: Tallies = {}
        seed = seeds.HIDDEN + trying + round(100 * strength)
        for _, drawn in _draws(seed, n, f"hidden selection, {strength}", progress, hidden_choice=strength):
            comparison = _compare(drawn.people)
            if comparison is None:
                tallies.setdefault("before, compatible", Tally()).add(None, 0.0)
                continue
            outcomes = {"null": drawn.null, "before": drawn.before}
            for effect in estimate(outcomes, comparison, [NULL, BEFORE]):
                _add(tallies, effect, 0.0)
        answer[str(strength)] = _json_of(tallies)
    return answer


def _draws(
    seed: int, n: int, what: str, progress: Progress, *, hidden_choice: float = 0.0
) -> Iterator[tuple[int, Drawn]]:
    for i in range(n):
        if i % 25 == 0:
            progress(what, i / n)
        yield i, draw(np.random.default_rng([seed, i]), hidden_choice=hidden_choice)
    progress(what, 1.0)


def _compare(people: pa.Table) -> Comparison | None:
    """None: refused, which covers nothing."""
    try:
        return compare(people, "treated", ComparisonSettings(covariates=COVARIATES, threads=1))
    except Refused:
        return None


def _with_treated(people: pa.Table, treated: BoolArray) -> pa.Table:
    return people.set_column(people.column_names.index("treated"), "treated", pa.array(treated))


def _add(tallies: Tallies, effect: Effect, truth: float) -> None:
    for kind, found in (("compatible", effect.compatible), ("score", effect.score), ("adjusted", effect.adjusted)):
        if kind == "compatible" or found is not None:
            tallies.setdefault(f"{effect.measure.name}, {kind}", Tally()).add(found, truth)


def _json_of(tallies: Tallies) -> dict[str, Any]:
    return {"intervals": {name: tally.as_json() for name, tally in tallies.items()}}
