"""Sub-analyses: how a plan declares them, and who belongs to each. All of it is fixed before outcomes are opened."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, model_validator

from counterfoil.comparison import CoarsenedExact
from counterfoil.comparison.values import ComparisonSettings
from counterfoil.errors import UsageError
from counterfoil.study.comparison_plan import Name

BoolArray = npt.NDArray[np.bool_]
UPLOADED = ("site", "variant", "completed")  # columns of a provider's list that a plan may divide the treated by
SITE = "site"
AFTER_START = frozenset({"completed"})
YEAR = "year"


class SubAnalysisPlan(BaseModel):
    """The headline measure again, for some of the people, with a comparison of their own (METHODS 5)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Annotated[str, Field(min_length=1, max_length=80)]  # what the report calls it
    # a covariate, `year` (of the index event), or a column of the list: `site`, `variant`, `completed`; with [table]
    # a column of the table
    by: Name
    levels: tuple[Name, ...] = ()  # values of `by` that belong to it; `completed` has "yes" and "no"
    at_least: float | None = None  # for a number: the least value that belongs to it
    under: float | None = None  # for a number: values under this belong to it

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        bounds = self.at_least is not None or self.under is not None
        if bool(self.levels) == bounds:
            raise ValueError("give `levels`, or `at_least` and `under` for a number; one of the two ways.")
        return self

    @property
    def about(self) -> str:
        """What makes up its people, as the plan says it: "sex: F"."""
        by = self.by.replace("_", " ")
        if self.levels:
            return f"{by}: {', '.join(level.replace('_', ' ') for level in self.levels)}"
        bounds = (("at least", self.at_least), ("under", self.under))
        return f"{by}: {' and '.join(f'{word} {value:g}' for word, value in bounds if value is not None)}"


@dataclass(frozen=True, slots=True)
class Part:
    """The people of one sub-analysis, as rows of the whole table, with what is narrowed to them."""

    plan: SubAnalysisPlan
    rows: BoolArray
    treated_only: bool  # the comparison people have no such column, so all of them may be used

    def settings(self, whole: ComparisonSettings) -> ComparisonSettings:
        """The same settings, without a factor that is now the same for everyone."""
        if len(self.plan.levels) != 1 or self.treated_only:
            return whole
        by = self.plan.by
        terms = tuple(t for t in whole.terms if by not in t.replace("^", "*").split("*"))
        covariates = tuple(c for c in whole.covariates if c != by) or whole.covariates
        return replace(
            whole,
            covariates=covariates,
            method=whole.method.of(covariates) if isinstance(whole.method, CoarsenedExact) else whole.method,
            exact=tuple(e for e in whole.exact if e != by),
            terms=terms,
            references={k: v for k, v in whole.references.items() if k != by},
        )


def find_unknown(plans: Collection[SubAnalysisPlan], known: Collection[str]) -> list[str]:
    """A sentence for each sub-analysis by something that is not there."""
    there = ", ".join(sorted(known))
    return [
        f"The sub-analysis `{p.name}` is by `{p.by}`, which is not known. Those there are: {there}."
        for p in plans
        if p.by not in known
    ]


def uploaded_columns(plans: Collection[SubAnalysisPlan]) -> list[str]:
    """Columns of the list that an evaluation needs: the site, and what sub-analyses are by. The linker hands over no
    others."""
    return [name for name in UPLOADED if name == SITE or any(p.by == name for p in plans)]


def make_parts(
    plans: Collection[SubAnalysisPlan], treated: BoolArray, columns: Mapping[str, pa.ChunkedArray]
) -> tuple[Part, ...]:
    """Who belongs to each. A column of the list is null for the pool, all of which may then be compared.

    UsageError for a level that nobody has, treated or not: its part would be called too small and not mistaken.
    """
    parts = []
    if problems := _find_unknown_levels(plans, columns):
        raise UsageError(*problems)
    for plan in plans:
        rows = _belongs(plan, columns[plan.by])
        only = plan.by in UPLOADED and not rows[~treated].any()
        parts.append(Part(plan, rows | ~treated if only else rows, only))
    return tuple(parts)


def _find_unknown_levels(plans: Collection[SubAnalysisPlan], columns: Mapping[str, pa.ChunkedArray]) -> list[str]:
    return [
        f"The sub-analysis `{plan.name}` names {level!r}, which nobody has in `{plan.by}`. Mend its `levels`."
        for plan in plans
        if plan.levels and plan.by not in (*UPLOADED, YEAR)
        for level in sorted(set(plan.levels) - {_text(value) for value in pc.unique(columns[plan.by]).to_pylist()})
    ]


def _belongs(plan: SubAnalysisPlan, column: pa.ChunkedArray) -> BoolArray:
    values = column.to_pylist()
    if plan.levels:
        return np.array([_text(value) in plan.levels for value in values], np.bool_)
    low = -np.inf if plan.at_least is None else plan.at_least
    high = np.inf if plan.under is None else plan.under
    return np.array([_is_number(v) and low <= v < high for v in values], np.bool_)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    """A value as a plan writes it: yes and no, 3 and not 3.0."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
