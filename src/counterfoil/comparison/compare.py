"""`compare`: from people and their covariates to a frozen design. No outcome is among what it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from counterfoil.comparison.balance import Baseline, balance_baseline, effective_sample_size, measure_balance
from counterfoil.comparison.checks import as_table, check_people, check_varies
from counterfoil.comparison.coarsened import make_coarsened
from counterfoil.comparison.design import Covariates, encode_covariates
from counterfoil.comparison.entropy import make_entropy
from counterfoil.comparison.inverse_probability import make_inverse_probability
from counterfoil.comparison.kernel import make_kernel
from counterfoil.comparison.ladder import make_radius
from counterfoil.comparison.made import Groups, Made
from counterfoil.comparison.methods import (
    CoarsenedExact,
    EntropyBalancing,
    InverseProbability,
    Kernel,
    MethodSettings,
    Nearest,
    Overlap,
    Radius,
    Subclassification,
    Ties,
)
from counterfoil.comparison.nearest import make_nearest, order_of_people
from counterfoil.comparison.overlap import make_overlap
from counterfoil.comparison.propensity import Propensity, estimate_propensity
from counterfoil.comparison.strata import strata
from counterfoil.comparison.subclass import make_subclasses
from counterfoil.comparison.values import (
    BalanceRow,
    Band,
    BoolArray,
    Comparison,
    ComparisonSettings,
    Design,
    Estimand,
    IntArray,
)
from counterfoil.errors import Refused
from counterfoil.lab.progress import Progress, silent

HEAVY_SHARE = 0.05  # of the comparison group's weight on one person: worth a word


def compare(people: object, treated: str, settings: ComparisonSettings, *, progress: Progress = silent) -> Comparison:
    """Make the comparison group by the settings' method and measure balance.

    `people` is an Arrow table, or a pandas, polars or other data frame that Arrow can read, with one row a person and
    exactly these columns: `treated` (yes/no or 0/1), the covariates, the exact factors, the key if one is named. Any
    other column is refused, because it could be an outcome.

    Raises UsageError (every problem at once) when the columns or settings do not fit, Refused with rule "overlap",
    "separation", "covariates" or "balance" when the groups cannot be compared. The order of the rows and the number of
    threads change nothing.
    """
    return compare_groups(prepare(people, treated, settings, progress=progress), progress=progress)


def prepare(people: object, treated: str, settings: ComparisonSettings, *, progress: Progress = silent) -> Groups:
    """Both groups, checked and encoded once, for `compare_groups` by several methods. Raises as `compare` does."""
    table = as_table(people)
    is_treated = check_people(table, treated, settings)
    progress("Reading covariates", None)
    covariates = encode_covariates(table, settings)
    baseline = balance_baseline(covariates.design, is_treated, threads=settings.threads)
    matched = settings.design is Design.MATCHED
    stratum = strata(table, settings.exact) if settings.exact and matched else None
    return Groups(table, is_treated, covariates, baseline, stratum, settings)


def with_propensity(groups: Groups, *, progress: Progress = silent) -> Groups:
    """The groups with the score estimated, so that a change of method or caliper does not estimate it again."""
    return replace(groups, propensity=_propensity(groups, progress))


def compare_groups(groups: Groups, method: MethodSettings | None = None, *, progress: Progress = silent) -> Comparison:
    """Make the comparison group by `method`, or by the settings' own, and measure balance. Raises as `compare` does.

    Another method keeps covariates and terms; the exact factors stay with those that match people within them.
    """
    if groups.settings.design is Design.RANDOMISED:
        return _compare_trial(groups.covariates, groups.baseline, groups.treated, groups.settings)
    if method is not None:
        groups = _by(groups, method)
    settings = groups.settings
    made = make_in_order(groups, progress)
    progress("Measuring balance", None)
    balance = measure_balance(groups.covariates, groups.baseline, made.weight, threads=settings.threads)
    check_balance(balance, max_red_share=settings.max_red_share)
    return _compared(groups, made, balance)


def _by(groups: Groups, method: MethodSettings) -> Groups:
    if isinstance(method, (Radius, Nearest, Kernel)):
        return replace(groups, settings=replace(groups.settings, method=method))
    return replace(groups, settings=replace(groups.settings, method=method, exact=()), stratum=None)


def check_balance(balance: Sequence[BalanceRow], *, max_red_share: float) -> None:
    """Refuse when more than `max_red_share` of the terms are red."""
    reds = sum(row.band is Band.RED for row in balance)
    if balance and reds / len(balance) > max_red_share:
        raise Refused(
            "After matching, too many characteristics of the two groups still lie far apart, so the groups cannot be "
            "compared fairly. A comparison pool with more people like the treated could be.",
            rule="balance",
        )


def make_in_order(groups: Groups, progress: Progress = silent) -> Made:
    """The comparison group by the settings' method, before balance is judged.

    Nearest matching depends on ties, so everything from the score on is done in an order of people, not of rows.
    """
    method = groups.settings.method
    if not isinstance(method, Nearest) or method.ties is Ties.ROWS:
        return _make(groups, progress)
    order = order_of_people(groups, groups.settings.key)
    return _make(groups.take(order), progress).put_back(order)


def _make(groups: Groups, progress: Progress) -> Made:
    """The one place that knows every method."""
    method = groups.settings.method
    match method:
        case Radius():
            propensity = _propensity(groups, progress)
            progress("Matching", None)
            return make_radius(groups, method, propensity)
        case Nearest():
            check_varies(groups.covariates)
            propensity = _propensity(groups, progress)
            progress("Matching", None)
            return make_nearest(groups, method, propensity)
        case InverseProbability():
            return make_inverse_probability(groups, method, _propensity(groups, progress))
        case Overlap():
            return make_overlap(groups, _propensity(groups, progress))
        case EntropyBalancing():
            progress("Balancing", None)
            return make_entropy(groups, method)
        case Kernel():
            propensity = _propensity(groups, progress)
            progress("Matching", None)
            return make_kernel(groups, method, propensity)
        case Subclassification():
            check_varies(groups.covariates)
            return make_subclasses(groups, method, _propensity(groups, progress))
        case CoarsenedExact():
            progress("Matching", None)
            return make_coarsened(groups, method)


def _propensity(groups: Groups, progress: Progress) -> Propensity:
    if groups.propensity is not None:
        return groups.propensity
    progress("Estimating the propensity score", None)
    return estimate_propensity(groups.covariates.design, groups.treated, threads=groups.settings.threads)


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
        ess_treated=float(n),
        largest_share=1.0 / (len(is_treated) - n),
    )


def _compared(groups: Groups, made: Made, balance: tuple[BalanceRow, ...]) -> Comparison:
    treated, settings = groups.treated, groups.settings
    n, matched = int(np.count_nonzero(treated)), int(np.count_nonzero(made.weight[treated]))
    others = made.weight[~treated]
    keeps_enough = matched / n >= settings.keep_share
    largest = float(others.max()) / float(others.sum())
    bands = {row.band for row in balance}
    fit = None if made.propensity is None else made.propensity.fit
    notes = () if fit is None else fit.notes
    blind = not balance and not settings.exact
    warnings = (
        *_balance_warnings(bands, blind=blind),
        *_loss_warnings(made, keeps_enough=keeps_enough, all_kept=matched == n),
    )
    return Comparison(
        treated=treated,
        weight=made.weight,
        logit_propensity=np.empty(0) if made.propensity is None else made.propensity.logit,
        settings=settings,
        balance=balance,
        steps=made.steps,
        caliper_sd=made.caliper_sd,
        caliper=made.caliper,
        n_treated=n,
        n_treated_matched=matched,
        n_pool=len(treated) - n,
        n_comparison=int(np.count_nonzero(others)),
        ess=effective_sample_size(others),
        asked=made.asked,
        achieved=Estimand.ATT_MATCHED if made.asked is Estimand.ATT and matched < n else made.asked,
        reliable=keeps_enough and Band.RED not in bands and not blind,
        warnings=(*groups.covariates.notes, *notes, *warnings, *_weight_warnings(largest)),
        ridge=0.0 if fit is None else fit.ridge,
        pair=_or_none(made.pair, len(treated)),
        stratum=_or_none(made.stratum, len(treated)),
        pairs=made.pairs,
        ess_treated=effective_sample_size(made.weight[treated]),
        largest_share=largest,
    )


def _or_none(numbers: IntArray | None, rows: int) -> IntArray:
    return np.full(rows, -1, np.int64) if numbers is None else numbers


def _balance_warnings(bands: set[Band], *, blind: bool) -> list[str]:
    if blind:
        return ["No covariate differs between people, so nothing was made alike. Name covariates that differ."]
    if Band.RED in bands:
        return ["Some characteristics stay apart after matching."]
    if Band.AMBER in bands:
        return ["Some characteristics are only roughly alike after matching."]
    return []


def _loss_warnings(made: Made, *, keeps_enough: bool, all_kept: bool) -> list[str]:
    if not keeps_enough:
        return [made.keeps_too_few]
    return [] if all_kept else ["Some treated people had nobody like them and were left out."]


def _weight_warnings(largest: float) -> list[str]:
    if largest > HEAVY_SHARE:
        return ["A few comparison people carry much of the weight, so the answer leans on them."]
    return []
