"""Other ways to make the comparison, beside the headline's: other pools, other covariates, people who applied.

Each is a name, the rows that stand in it and what changes in the settings. All are compared and frozen before outcomes
are opened, and which of two pools makes the headline is decided by size and balance alone. Further ways (other methods,
calipers) are more entries of the same list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.comparison import CoarsenedExact, compare
from counterfoil.comparison.terms import parse_term
from counterfoil.comparison.values import Band, Comparison, ComparisonSettings
from counterfoil.disclosure import DisclosureSettings, WayResult, counts_once
from counterfoil.effect import estimate
from counterfoil.effect.influence import ESTIMATE_RULE
from counterfoil.effect.values import Effect
from counterfoil.errors import Refused, UsageError
from counterfoil.outcomes.measures import Measure

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to make the comparison. `name` is a key of the wording; `rows` are those of the whole table of people."""

    name: str
    rows: BoolArray
    covariates: tuple[str, ...]
    exact: tuple[str, ...] = ()
    change: Mapping[str, Any] = field(default_factory=dict)  # of ComparisonSettings, for example the method
    within_headline: bool = False  # of the headline's people and within its factors only

    def within(self, headline: Way | None) -> Way:
        """Itself, among the headline's people where it belongs there."""
        if headline is None or not self.within_headline:
            return self
        return replace(self, rows=self.rows & headline.rows, exact=headline.exact)

    def settings(self, whole: ComparisonSettings) -> ComparisonSettings:
        """The plan's settings with what this one changes."""
        named = {*self.covariates, *self.exact}
        kept = tuple(term for term in whole.terms if all(o.column in named for o in parse_term(term)))
        references = {name: level for name, level in whole.references.items() if name in self.covariates}
        own: dict[str, Any] = {
            "covariates": self.covariates,
            "exact": self.exact,
            "terms": kept,
            "references": references,
        }
        if isinstance(whole.method, CoarsenedExact):
            own["method"] = whole.method.of(self.covariates)
        return replace(whole, **{**own, **self.change})


@dataclass(frozen=True, slots=True)
class Designed:
    """A way before outcomes. `rule`: what stops it already, else ""; `comparison`: None if none was made."""

    way: Way
    comparison: Comparison | None
    rule: str

    def members(self) -> BoolArray:
        """The treated analysed in it, as rows of the whole table."""
        members = np.zeros(len(self.way.rows), np.bool_)
        if self.comparison is not None:
            used = self.comparison.treated & (self.comparison.weight > 0)
            members[np.flatnonzero(self.way.rows)[used]] = True
        return members


def people_of(people: pa.Table, treated: str, settings: ComparisonSettings, rows: BoolArray) -> pa.Table:
    """The rows and columns that `compare` is given."""
    columns = [treated, *dict.fromkeys((*settings.covariates, *settings.exact))]
    return people.select(columns).filter(pa.array(rows))


def make_designs(
    people: pa.Table,
    treated: str,
    whole: ComparisonSettings,
    ways: Sequence[Way],
    settings: DisclosureSettings,
) -> tuple[Designed, ...]:
    """Compare each by itself; those too few or not alike are stopped here."""
    with ThreadPoolExecutor(max(whole.threads, 1)) as pool:
        return tuple(pool.map(lambda each: _design(people, treated, whole, each, settings), ways))


def _design(
    people: pa.Table, treated: str, whole: ComparisonSettings, each: Way, settings: DisclosureSettings
) -> Designed:
    chosen = each.settings(whole)
    used = people_of(people, treated, chosen, each.rows)
    taken = np.asarray(used[treated].to_numpy(zero_copy_only=False), np.bool_)
    if min(taken.sum(), (~taken).sum()) < settings.min_group:
        return Designed(each, None, "R1")
    try:
        made = compare(used, treated, chosen)
    except (Refused, UsageError) as stopped:
        return Designed(each, None, rule_of(stopped))
    return Designed(each, made, rule_against(made, settings))


def rule_of(stopped: Refused | UsageError) -> str:
    """The rule that stopped a comparison beside the headline's, as a key of the wording."""
    if isinstance(
        stopped, UsageError
    ):  # what fits everyone and not these people, such as a level that none of them has
        return "settings"
    if stopped.rule == ESTIMATE_RULE:
        return "spread"
    return stopped.rule if stopped.rule == "balance" else "overlap"


def rule_against(made: Comparison, settings: DisclosureSettings) -> str:
    """The rule that stops a comparison that was made: too few, not alike, too many left out; empty when none does."""
    if min(made.n_treated_matched, made.n_comparison) < settings.min_group:
        return "R1"
    if made.reliable:
        return ""
    return "balance" if made.count(Band.RED) else "kept"


def choose(designs: Sequence[Designed]) -> Designed:
    """The first that is large enough and alike; where none is, the last. No outcome has been opened."""
    return next((each for each in designs if not each.rule), designs[-1])


def estimate_ways(
    designs: Sequence[Designed], outcomes: Mapping[str, FloatArray], headline: Measure, settings: DisclosureSettings
) -> tuple[WayResult, ...]:
    """The headline measure of each. `outcomes`, and who is in it, are of the whole table's rows."""
    return tuple(
        WayResult(
            name=each.way.name,
            members=each.members(),
            comparison=each.comparison,
            effect=_effect(each, outcomes[headline.name], headline),
            rule=each.rule,
            compared=compared_of(each.comparison, np.flatnonzero(each.way.rows), len(each.way.rows), settings),
        )
        for each in designs
    )


def compared_of(
    comparison: Comparison | None, rows: npt.NDArray[np.intp], size: int, settings: DisclosureSettings
) -> npt.NDArray[np.bool_]:
    """The comparison people used, among `size` rows of which the comparison is of `rows`; nobody where they do not
    count once each, for then no count of them is given away."""
    if comparison is None or not counts_once(comparison.n_comparison, comparison.ess, settings):
        return np.zeros(0, np.bool_)
    found = np.zeros(size, np.bool_)
    found[rows[~comparison.treated & (comparison.weight > 0)]] = True
    return found


def _effect(each: Designed, outcome: FloatArray, headline: Measure) -> Effect | None:
    if each.comparison is None or each.rule:
        return None
    return estimate({headline.name: outcome[each.way.rows]}, each.comparison, [headline])[0]
