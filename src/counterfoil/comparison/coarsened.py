"""Coarsened exact matching (Iacus, King and Porro 2012, Political Analysis 20(1)), as MatchIt's `method = "cem"`.

Numbers are put into bands, levels into the groups that are named; people are compared with those of the same band or
group in every covariate. A stratum without treated people or without comparison people is left out. Missing is a value
of its own. No score, no caliper; only sorting.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.comparison.factors import read_labels
from counterfoil.comparison.made import Groups, Made, no_overlap
from counterfoil.comparison.methods import CoarsenedExact, Target
from counterfoil.comparison.subclass import weigh_strata
from counterfoil.comparison.values import BoolArray, IntArray
from counterfoil.errors import UsageError


def make_coarsened(groups: Groups, method: CoarsenedExact) -> Made:
    """Refused when no stratum holds people of both groups; UsageError when a setting names what is not there."""
    covariates = groups.settings.covariates
    problems = _find_problems(groups.people, covariates, method)
    if problems:
        raise UsageError(*problems)
    values = [coarsen(groups.people[name], name, method) for name in covariates]
    stratum = common_strata(values, groups.treated)
    if (stratum < 0).all():
        raise no_overlap(
            "nobody agrees with any of them in every covariate.",
            "Use fewer covariates, wider bands (`cutpoints`), larger `groups` of levels or another pool.",
        )
    return Made(weigh_strata(stratum, groups.treated, Target.TREATED), stratum=stratum)


def coarsen(column: pa.ChunkedArray, name: str, method: CoarsenedExact) -> IntArray:
    """A number for each person's band or group of levels."""
    if _is_number(column.type):
        return _banded(column, method.cutpoints.get(name))
    labels = read_labels(column)
    groups = method.groups.get(name, ())
    place = {label: number for number, group in enumerate(groups) for label in group}
    own = {label: len(groups) + number for number, label in enumerate(labels.labels)}
    lookup = np.array([place.get(label, own[label]) for label in labels.labels], np.int64)
    return lookup[labels.positions]


def sturges_cutpoints(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, ...]:
    """Ends of bands of equal width, as many as Sturges' rule says: log2(people) + 1, rounded up. The outermost bands
    have no outer end."""
    bands = math.ceil(math.log2(len(values)) + 1.0)
    ends = np.linspace(float(values.min()), float(values.max()), bands + 1)
    return tuple(ends[1:-1].tolist())


def common_strata(values: Sequence[IntArray], treated: BoolArray) -> IntArray:
    """One number for each combination of the values that people of both groups have; -1 for everyone else. Numbers
    follow the values, so the order of the rows does not matter."""
    combined = np.zeros(len(treated), np.int64)
    for value in values:
        _, dense = np.unique(value, return_inverse=True)
        _, combined = np.unique(combined * (int(dense.max()) + 1) + dense, return_inverse=True)
    size = int(combined.max()) + 1
    both = (np.bincount(combined[treated], minlength=size) > 0) & (np.bincount(combined[~treated], minlength=size) > 0)
    number = np.where(both, np.cumsum(both) - 1, -1)
    return number[combined].astype(np.int64)


def _banded(column: pa.ChunkedArray, cutpoints: Sequence[float] | None) -> IntArray:
    numbers = column.cast(pa.float64(), safe=False)
    is_missing = pc.is_null(numbers).to_numpy()
    present = numbers.drop_null().to_numpy()
    band = np.full(len(numbers), -1, np.int64)
    if len(present):
        cuts = sturges_cutpoints(present) if cutpoints is None else cutpoints
        band[~is_missing] = np.searchsorted(np.asarray(cuts, np.float64), present, side="right")
    return band


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _find_problems(people: pa.Table, covariates: Sequence[str], method: CoarsenedExact) -> list[str]:
    problems = [
        f"`cutpoints` names `{name}`, which is not a number among the covariates. Remove it."
        for name in method.cutpoints
        if name not in covariates or not _is_number(people[name].type)
    ]
    for name, groups in method.groups.items():
        if name not in covariates or _is_number(people[name].type):
            problems.append(f"`groups` names `{name}`, which is not a factor among the covariates. Remove it.")
        else:
            problems += _find_group_problems(name, groups, read_labels(people[name]).counts())
    return problems


def _find_group_problems(name: str, groups: Sequence[Sequence[str]], counts: Mapping[str, int]) -> list[str]:
    named = [label for group in groups for label in group]
    problems = [f"`groups` puts {label!r} of `{name}` in several groups. Name it once." for label in _repeated(named)]
    absent = sorted({label for label in named if label not in counts})
    return problems + [f"`groups` names {label!r}, which nobody has in `{name}`. Remove it." for label in absent]


def _repeated(labels: Sequence[str]) -> list[str]:
    return sorted({label for label in labels if labels.count(label) > 1})
