"""What is wrong with people or settings before anyone is compared: every problem at once."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.interchange import from_dataframe

from counterfoil.comparison.design import Covariates
from counterfoil.comparison.methods import (
    CoarsenedExact,
    EntropyBalancing,
    Kernel,
    Method,
    MethodSettings,
    Nearest,
    Order,
    Radius,
    Subclassification,
    Ties,
)
from counterfoil.comparison.strata import find_exact_problems
from counterfoil.comparison.values import BoolArray, ComparisonSettings, Design
from counterfoil.errors import Refused, UsageError

INDEX_OF_PANDAS = re.compile(r"__index_level_\d+__")
MIN_GROUP = 2  # people in each group; a variance needs two
MATCHES_WITHIN = frozenset({Method.RADIUS, Method.NEAREST, Method.KERNEL})  # methods that use exact factors
WORDS = {method: method.value.replace("_", " ") for method in Method}


def as_table(people: object) -> pa.Table:
    """`people` as an Arrow table: a table, a pandas or polars frame, anything with `__arrow_c_stream__` or, failing
    that, `__dataframe__`. A pandas frame's index is not a column."""
    if isinstance(people, pa.Table):
        return people
    try:
        if not hasattr(people, "__arrow_c_stream__") and hasattr(people, "__dataframe__"):
            return from_dataframe(people)
        return _without_index(pa.table(people))
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise UsageError(
            "`people` cannot be read as a table. "
            "Hand in an Arrow table or a data frame whose columns hold one kind of value each."
        ) from error


def _without_index(table: pa.Table) -> pa.Table:
    """Arrow keeps the index of a pandas frame that was filtered as a column; it is nobody's characteristic."""
    return table.drop_columns([name for name in table.column_names if INDEX_OF_PANDAS.fullmatch(name)])


def check_varies(covariates: Covariates) -> None:
    """Some covariate differs between people; else a method that tells near from far has nothing to go by."""
    design = covariates.design
    if not design.factors and not design.numeric_names:
        raise Refused(
            "Every covariate is the same for everyone, or for all but a few people, so nobody is nearer than anybody "
            "else. Name covariates that differ.",
            rule="covariates",
        )


def check_people(table: pa.Table, treated: str, settings: ComparisonSettings) -> BoolArray:
    """Who was treated, once nothing is wrong. Raises UsageError with every problem."""
    problems = [*_find_column_problems(table, treated, settings), *_find_setting_problems(settings)]
    if not problems:
        problems += find_exact_problems(table, settings.exact)
    if problems:
        raise UsageError(*problems)
    return _read_treated(table, treated)


def _find_column_problems(table: pa.Table, treated: str, settings: ComparisonSettings) -> list[str]:
    key = () if settings.key is None else (settings.key,)
    present, needed = table.column_names, dict.fromkeys((treated, *settings.covariates, *settings.exact, *key))
    problems = [f"There is no column `{name}` among the people's columns." for name in needed if name not in present]
    problems += [f"`{name}` occurs more than once." for name in sorted({n for n in present if present.count(n) > 1})]
    problems += [
        f"`{name}` is neither a covariate, an exact factor nor the treatment. The comparison must not see an outcome: "
        "hand in only the columns that it uses."
        for name in dict.fromkeys(present)
        if name not in needed
    ]
    if treated in (*settings.covariates, *settings.exact):
        problems.append(f"`{treated}` is the treatment and cannot be a covariate or an exact factor.")
    if not problems and settings.key is not None:
        problems += _find_key_problems(table, settings.key)
    return problems


def _find_key_problems(table: pa.Table, key: str) -> list[str]:
    column = table[key]
    if column.null_count:
        return [f"`{key}` is empty for some people; a key tells everyone apart."]
    if pc.count_distinct(column).as_py() < len(column):
        return [f"`{key}` has one value for several people. Keep one row a person, or name a column that differs."]
    return []


def _find_setting_problems(settings: ComparisonSettings) -> list[str]:
    repeated = sorted({name for name in settings.covariates if settings.covariates.count(name) > 1})
    problems = [f"`covariates` names `{name}` more than once." for name in repeated]
    if settings.design is Design.RANDOMISED:
        if settings.exact:
            problems.append("`exact` is set, but nobody is matched in a randomised design. Remove it.")
        return problems
    if not settings.covariates:
        problems.append("`covariates` is empty; a matched design needs at least one.")
    return problems + _find_method_problems(settings)


def _find_method_problems(settings: ComparisonSettings) -> list[str]:
    """Sentences about settings that the chosen method cannot use."""
    method = settings.method
    problems = []
    if settings.exact and method.kind not in MATCHES_WITHIN:
        problems.append(
            f"`exact` is set, but {WORDS[method.kind]} matches nobody within factors. Name them as covariates instead."
        )
    if settings.key is not None and not (isinstance(method, Nearest) and method.ties is Ties.PERSON):
        problems.append("`key` breaks ties in nearest matching by person; nothing here uses it. Remove it.")
    return problems + [f"{WORDS[method.kind].capitalize()}: {problem}" for problem in find_own_problems(method)]


def find_own_problems(method: MethodSettings) -> list[str]:
    """Sentences about a method's own settings, before any people are there."""
    match method:
        case Radius() if not method.calipers or not all(0.0 < caliper < np.inf for caliper in method.calipers):
            return ["`calipers` must hold at least one caliper, each above 0."]
        case Nearest():
            return _find_nearest_problems(method)
        case EntropyBalancing() if method.moments not in (1, 2):
            return ["`moments` must be 1 (means) or 2 (means and squares)."]
        case Kernel() if not 0.0 < method.bandwidth < np.inf:
            return ["`bandwidth` must be above 0."]
        case Subclassification() if method.subclasses < 2:
            return ["`subclasses` must be 2 or more."]
        case CoarsenedExact():
            return [
                f"`cutpoints` of `{name}` must be numbers in rising order."
                for name, points in method.cutpoints.items()
                if not points or not all(low < high for low, high in pairwise((*points, np.inf)))
            ]
        case _:
            return []


def _find_nearest_problems(method: Nearest) -> list[str]:
    problems = []
    if method.ratio < 1:
        problems.append("`ratio` must be 1 or more.")
    if method.caliper is not None and not 0.0 < method.caliper < np.inf:
        problems.append("`caliper` must be above 0, or None for no caliper.")
    if method.replace and method.order is not Order.LARGEST:
        problems.append("`order` says who chooses first, which changes nothing with replacement. Leave it out.")
    if method.ties is Ties.SHARE and not method.replace:
        problems.append("ties can be shared only with replacement. Set `replace`, or break ties by person.")
    if method.order is Order.DATA and method.ties is not Ties.ROWS:
        problems.append("order `data` takes people as the rows stand, so ties must go by `rows` too.")
    return problems


def _read_treated(table: pa.Table, treated: str) -> BoolArray:
    column = table[treated]
    if column.null_count:
        raise UsageError(f"`{treated}` is empty for some people; say for everyone whether they were treated.")
    values = column.to_numpy()
    if not (pa.types.is_boolean(column.type) or pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise UsageError(f"`{treated}` holds {column.type} values; it must be yes/no, or 0 and 1.")
    if not np.isin(values, (0, 1)).all():
        raise UsageError(f"`{treated}` holds values other than 0 and 1.")
    is_treated: BoolArray = values.astype(np.bool_)
    _check_groups(is_treated, treated)
    return is_treated


def _check_groups(is_treated: BoolArray, treated: str) -> None:
    n = int(np.count_nonzero(is_treated))
    for size, group in ((n, "treated"), (len(is_treated) - n, "comparison")):
        if size == 0:
            raise UsageError(f"`{treated}` puts nobody in the {group} group, so there is nothing to compare.")
        if size < MIN_GROUP:
            raise UsageError(f"The {group} group has fewer than {MIN_GROUP} people; a comparison needs more.")
