"""`compare`: from people and their covariates to a frozen design. No outcome is among what it is given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from counterfoil.comparison.balance import Baseline, balance_baseline, effective_sample_size, measure_balance
from counterfoil.comparison.design import Covariates, encode_covariates
from counterfoil.comparison.ladder import Chosen, climb_ladder
from counterfoil.comparison.propensity import Propensity, estimate_propensity
from counterfoil.comparison.radius import sort_scores
from counterfoil.comparison.strata import find_exact_problems, strata
from counterfoil.comparison.values import (
    BalanceRow,
    Band,
    BoolArray,
    Comparison,
    ComparisonSettings,
    Design,
    Estimand,
)
from counterfoil.errors import Refused, UsageError
from counterfoil.lab.progress import Progress, silent

MIN_GROUP = 2  # people in each group; a variance needs two


def compare(people: object, treated: str, settings: ComparisonSettings, *, progress: Progress = silent) -> Comparison:
    """Make the comparison group: score, match, choose the caliper, measure balance.

    `people` is an Arrow table, or a pandas, polars or other data frame that Arrow can read, with one row a person and
    exactly these columns: `treated` (yes/no or 0/1), the covariates, the exact factors. Any other column is refused,
    because it could be an outcome.

    Raises UsageError (every problem at once) when the columns or settings do not fit, Refused with rule "overlap" or
    "balance" when the groups cannot be compared. The order of the rows and the number of threads change nothing.
    """
    table = as_table(people)
    is_treated = _check(table, treated, settings)
    progress("Reading covariates", None)
    covariates = encode_covariates(table, settings)
    baseline = balance_baseline(covariates.design, is_treated, threads=settings.threads)
    if settings.design is Design.RANDOMISED:
        return _compare_trial(covariates, baseline, is_treated, settings)
    progress("Estimating the propensity score", None)
    propensity = estimate_propensity(covariates.design, is_treated, threads=settings.threads)
    progress("Matching", None)
    chosen = climb_ladder(
        sort_scores(propensity.logit, is_treated, strata(table, settings.exact) if settings.exact else None),
        baseline,
        calipers_sd=settings.calipers_sd,
        sd=propensity.sd,
        keep_share=settings.keep_share,
        threads=settings.threads,
    )
    progress("Measuring balance", None)
    balance = measure_balance(covariates, baseline, chosen.weight, threads=settings.threads)
    check_balance(balance, max_red_share=settings.max_red_share)
    return _matched(is_treated, settings, covariates, propensity, chosen, balance)


def as_table(people: object) -> pa.Table:
    """`people` as an Arrow table: a table, a pandas frame or anything with `__arrow_c_stream__`."""
    if isinstance(people, pa.Table):
        return people
    try:
        return pa.table(people)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise UsageError(
            "`people` cannot be read as a table. "
            "Hand in an Arrow table or a data frame whose columns hold one kind of value each."
        ) from error


def check_balance(balance: Sequence[BalanceRow], *, max_red_share: float) -> None:
    """Refuse when more than `max_red_share` of the terms are red."""
    reds = sum(row.band is Band.RED for row in balance)
    if balance and reds / len(balance) > max_red_share:
        raise Refused(
            "After matching, too many characteristics of the two groups still lie far apart, so the groups cannot be "
            "compared fairly. A comparison pool with more people like the treated could be.",
            rule="balance",
        )


def _check(table: pa.Table, treated: str, settings: ComparisonSettings) -> BoolArray:
    problems = [*_find_column_problems(table, treated, settings), *_find_setting_problems(settings)]
    if not problems:
        problems += find_exact_problems(table, settings.exact)
    if problems:
        raise UsageError(*problems)
    return _read_treated(table, treated)


def _find_column_problems(table: pa.Table, treated: str, settings: ComparisonSettings) -> list[str]:
    present, needed = table.column_names, dict.fromkeys((treated, *settings.covariates, *settings.exact))
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
    return problems


def _find_setting_problems(settings: ComparisonSettings) -> list[str]:
    repeated = sorted({name for name in settings.covariates if settings.covariates.count(name) > 1})
    problems = [f"`covariates` names `{name}` more than once." for name in repeated]
    if settings.design is Design.RANDOMISED:
        if settings.exact:
            problems.append("`exact` is set, but nobody is matched in a randomised design. Remove it.")
        return problems
    if not settings.covariates:
        problems.append("`covariates` is empty; a matched design needs at least one.")
    if not settings.calipers_sd or not all(0.0 < caliper < np.inf for caliper in settings.calipers_sd):
        problems.append("`calipers_sd` must hold at least one caliper, each above 0.")
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


def _compare_trial(
    covariates: Covariates, baseline: Baseline, is_treated: BoolArray, settings: ComparisonSettings
) -> Comparison:
    """Chance made the groups: everyone counts once, and a difference between them is chance, told but not judged."""
    weight = np.ones(len(is_treated))
    balance = measure_balance(covariates, baseline, weight, threads=settings.threads)
    apart = any(row.band is Band.RED for row in balance)
    note = "Some characteristics differ between the groups. In a randomised trial such differences arise by chance."
    n = int(np.count_nonzero(is_treated))
    return Comparison(
        treated=is_treated,
        weight=weight,
        logit_propensity=np.empty(0),
        settings=settings,
        balance=balance,
        steps=(),
        caliper_sd=None,
        caliper=None,
        n_treated=n,
        n_treated_matched=n,
        n_pool=len(is_treated) - n,
        n_comparison=len(is_treated) - n,
        ess=float(len(is_treated) - n),
        asked=Estimand.ATE_TRIAL,
        achieved=Estimand.ATE_TRIAL,
        reliable=True,
        warnings=(*covariates.notes, *((note,) if apart else ())),
        ridge=0.0,
    )


def _matched(
    is_treated: BoolArray,
    settings: ComparisonSettings,
    covariates: Covariates,
    propensity: Propensity,
    chosen: Chosen,
    balance: tuple[BalanceRow, ...],
) -> Comparison:
    n, matched = int(np.count_nonzero(is_treated)), int(np.count_nonzero(chosen.weight[is_treated]))
    bands = {row.band for row in balance}
    return Comparison(
        treated=is_treated,
        weight=chosen.weight,
        logit_propensity=propensity.logit,
        settings=settings,
        balance=balance,
        steps=chosen.steps,
        caliper_sd=chosen.caliper_sd,
        caliper=chosen.caliper,
        n_treated=n,
        n_treated_matched=matched,
        n_pool=len(is_treated) - n,
        n_comparison=int(np.count_nonzero(chosen.weight[~is_treated])),
        ess=effective_sample_size(chosen.weight[~is_treated]),
        asked=Estimand.ATT,
        achieved=Estimand.ATT if matched == n else Estimand.ATT_MATCHED,
        reliable=chosen.keeps_enough and Band.RED not in bands,
        warnings=(*covariates.notes, *propensity.fit.notes, *_warnings(bands, chosen, all_kept=matched == n)),
        ridge=propensity.fit.ridge,
    )


def _warnings(bands: set[Band], chosen: Chosen, *, all_kept: bool) -> list[str]:
    warnings = []
    if Band.RED in bands:
        warnings.append("Some characteristics stay apart after matching.")
    elif Band.AMBER in bands:
        warnings.append("Some characteristics are only roughly alike after matching.")
    if not chosen.keeps_enough:
        warnings.append("No caliper keeps enough of the treated people; the widest was used.")
    elif not all_kept:
        warnings.append("Some treated people had nobody like them and were left out.")
    return warnings
