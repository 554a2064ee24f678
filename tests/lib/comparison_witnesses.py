"""Every figure of `comparison`, and of the tests that need no model, that another program has made too."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from counterfoil.comparison import (
    CoarsenedExact,
    ComparisonSettings,
    EntropyBalancing,
    InverseProbability,
    Nearest,
    Order,
    Scale,
    Subclassification,
    Target,
    compare,
    matchit,
    matchit_weights,
)
from counterfoil.comparison.balance import Denominator, balance_baseline, measure_balance
from counterfoil.comparison.design import encode_covariates
from counterfoil.comparison.kernel import match_kernel
from counterfoil.comparison.nearest import match_nearest, weigh_pairs
from counterfoil.comparison.presets import psmatch2_kernel, psmatch2_nearest
from counterfoil.comparison.radius import match_radius_psmatch2
from counterfoil.comparison.scores import common_support, sort_scores
from counterfoil.comparison.strata import strata
from counterfoil.comparison.values import BoolArray, FloatArray, Pairs
from counterfoil.effect import ErrorKind, adjusted_mean, estimate
from counterfoil.effect.psmatch2 import psmatch2_standard_error
from counterfoil.logit import fit
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind
from lib.designs import design_of
from lib.effect_witnesses import Figure, Witness, floats_of, lalonde, read_columns, stored
from lib.effect_witnesses import matchit_weights as stored_weights
from lib.matchit_witness import COVARIATES, Lalonde614, read_lalonde614
from lib.witnesses import read_people

LALONDE = "oracles/matchit_lalonde614"
RACE, RACE_AND_MARRIED = ("race",), ("race", "married")
LOGIT = Scale.LOGIT
# The oracle's name, our settings, the exact factors.
NEAREST: tuple[tuple[str, Nearest, tuple[str, ...]], ...] = (
    ("nn1_norep", matchit(), ()),
    ("nn1_norep_data", matchit(order=Order.DATA), ()),
    ("nn1_norep_smallest", matchit(order=Order.SMALLEST), ()),
    ("nn1_norep_closest", matchit(order=Order.CLOSEST), ()),
    ("nn1_rep", matchit(replace=True), ()),
    ("nn1_norep_cal02logit", matchit(caliper=0.2, scale=LOGIT), ()),
    ("nn1_rep_cal02logit", matchit(caliper=0.2, scale=LOGIT, replace=True), ()),
    ("nn1_norep_cal02logit_closest", matchit(caliper=0.2, scale=LOGIT, order=Order.CLOSEST), ()),
    ("nn1_norep_exactrace", matchit(), RACE),
    ("nn1_norep_cal02logit_exactrace", matchit(caliper=0.2, scale=LOGIT), RACE),
    ("nn1_norep_cal02logit_exactracemar", matchit(caliper=0.2, scale=LOGIT), RACE_AND_MARRIED),
    ("nn2_norep", matchit(ratio=2), ()),
    ("nn3_norep_cal02logit", matchit(ratio=3, caliper=0.2, scale=LOGIT), ()),
    ("nn3_rep", matchit(ratio=3, replace=True), ()),
)
TIED = ("nn5_rep_cal02logit_exactrace", matchit(ratio=5, replace=True, caliper=0.2, scale=LOGIT), RACE)
USER_CUTS = {
    "age": (20.0, 25.0, 30.0, 35.0, 40.0),
    "educ": (8.5, 11.5, 12.5),
    "re74": (0.5, 5_000.0, 10_000.0),
    "re75": (0.5, 5_000.0, 10_000.0),
}
WHOLE = ("race", "married", "nodegree")
STRATA: tuple[tuple[str, Subclassification | CoarsenedExact, tuple[str, ...]], ...] = (
    ("sub6_att", Subclassification(), COVARIATES),
    ("sub6_ate", Subclassification(target=Target.EVERYONE), COVARIATES),
    ("exact_race_mar_nodeg", CoarsenedExact(), WHOLE),
    ("cem_default", CoarsenedExact(), COVARIATES),
    ("cem_user", CoarsenedExact(cutpoints=USER_CUTS), COVARIATES),
    ("cem_k2k_free", CoarsenedExact(groups={"race": (("black",), ("hispan", "white"))}), COVARIATES),
)
# What MatchIt can do and we have no method for: their pairs are not ours, their balance and errors come out.
NOT_OURS = (
    "nn1_mahal", "nn1_mahvars_cal", "nn1_norep_ageantiexact", "nn1_norep_agecal", "nn1_reuse3", "nn1_robmahal",
    "nn2_variable_min1_max5", "optimal1", "optimal2", "full_att", "full_ate", "full_cal02logit",
)  # fmt: skip


def _alike(name: str, ours: list[float], theirs: list[float]) -> list[Figure]:
    return [Figure(f"{name} {i}", a, b) for i, (a, b) in enumerate(zip(ours, theirs, strict=True))]


def _settings(columns: tuple[str, ...], **chosen: Any) -> ComparisonSettings:
    return ComparisonSettings(
        covariates=columns, references={"race": "black"}, max_red_share=1.0, min_level=1, **chosen
    )


def our_pairs(people: Lalonde614, method: Nearest, exact: tuple[str, ...]) -> Pairs:
    """Our pairs on R's stored scores."""
    score = people.logit if method.ruler.scale is LOGIT else people.propensity
    caliper = np.inf if method.caliper is None else method.caliper * float(np.std(score, ddof=1))
    place = people.people.column_names.index("married")  # exact factors are whole numbers or text
    whole = people.people.set_column(place, "married", [people.people["married"].cast("int64")])
    stratum = strata(whole, exact) if exact else None
    return match_nearest(sort_scores(score, people.treated, stratum), caliper, method)


def score(shared: Path) -> list[Figure]:
    """Coefficients, errors and the score of each man."""
    columns = read_columns(shared / LALONDE / "ps_logit_coef.csv")
    theirs = {
        t: (float(b), float(se)) for t, b, se in zip(columns["term"], columns["coef"], columns["se"], strict=True)
    }
    people = read_people(shared / LALONDE / "lalonde614.csv")
    fitted = fit(encode_covariates(people, _settings(COVARIATES)).design, people["treat"].to_numpy())
    names = [term.replace(": ", "").replace("intercept", "(Intercept)") for term in fitted.terms]
    figures = []
    for name, b, error in zip(names, fitted.coef.tolist(), fitted.standard_errors.tolist(), strict=True):
        figures += [Figure(f"{name} b", b, theirs[name][0]), Figure(f"{name} se", error, theirs[name][1])]
    logit = floats_of(shared / LALONDE / "ps_logit_scores.csv", "logit")
    return [*figures, *_alike("logit", fitted.eta.tolist(), logit.tolist())]


def pairs(shared: Path) -> list[Figure]:
    """Pairs, as 0 where the two sets are the same; where several partners are equally far, their distances."""
    people = read_lalonde614(shared)
    figures = []
    for spec, method, exact in NEAREST:
        ours = our_pairs(people, method, exact)
        one, other = people.named(ours.treated), people.named(ours.comparison)
        rank = ours.rank.tolist() if not (method.replace and method.ratio > 1) else [0] * len(one)
        theirs = {(t, r if rank[0] else 0, c) for t, r, c in people.pairs[spec]}
        found = set(zip(one, rank, other, strict=True))
        figures += [Figure(f"{spec} pair {i}", 0.0, float(pair not in found)) for i, pair in enumerate(sorted(theirs))]
        figures.append(Figure(f"{spec} pairs too many", float(len(found - theirs)), 0.0))
    spec, method, exact = TIED
    ours = our_pairs(people, method, exact)
    place = {name: row for row, name in enumerate(people.names)}
    gaps = sorted(abs(people.logit[place[t]] - people.logit[place[c]]) for t, _, c in people.pairs[spec])
    return [*figures, *_alike(f"{spec} distance", np.sort(ours.distance).tolist(), [float(g) for g in gaps])]


def weights(shared: Path) -> list[Figure]:
    """The weight of each man in each matching that is ours too."""
    people = read_lalonde614(shared)
    figures = []
    for spec, method, exact in NEAREST:
        weight = weigh_pairs(our_pairs(people, method, exact), len(people.names))
        others = ~people.treated
        weight[others] *= np.count_nonzero(weight[others]) / weight[others].sum()
        figures += _alike(spec, weight.tolist(), people.weight_of(spec).tolist())
    for spec, by_strata, columns in STRATA:
        found = compare(people.people.select(["treat", *columns]), "treat", _settings(columns, method=by_strata))
        figures += _alike(spec, matchit_weights(found).tolist(), people.weight_of(spec).tolist())
    return figures


def _balance(people: pa.Table, weight: FloatArray, denominator: Denominator) -> dict[str, dict[str, float | None]]:
    treated = people["treat"].to_numpy() == 1.0
    covariates = encode_covariates(people, ComparisonSettings(covariates=COVARIATES, min_level=1))
    rows = measure_balance(covariates, balance_baseline(covariates.design, treated, denominator=denominator), weight)
    return {
        row.term.replace(": ", ""): {
            "treated": row.treated_mean, "comparison": row.comparison_mean, "smd": row.smd, "ratio": row.variance_ratio,
            "ks": row.ks, "smd_before": row.smd_before, "before": row.comparison_mean_before,
        }
        for row in rows
    }  # fmt: skip


def cobalt(shared: Path) -> list[Figure]:
    """cobalt's table for ten sets of weights, over the treated's SD and the pooled one."""
    people = read_people(shared / LALONDE / "lalonde614.csv")
    n, figures = people.num_rows, []
    of_spec = {
        "unadjusted": np.ones(n),
        "ipw_att": floats_of(shared / "oracles/inference/ipw_att_weights.csv", "att_weight"),
    }
    columns = read_columns(shared / LALONDE / "cobalt_balance.csv")
    names = {"smd": "smd", "vr": "ratio", "ks": "ks", "smd_un": "smd_before"}
    for i, (spec, denominator) in enumerate(zip(columns["spec"], columns["sd_denom"], strict=True)):
        if spec not in of_spec:
            of_spec[spec] = stored_weights(shared, spec)[0]
        chosen = Denominator.TREATED if denominator == "treated" else Denominator.POOLED
        ours = _balance(people, of_spec[spec], chosen)[columns["term"][i].replace("race_", "race")]
        for theirs, name in names.items():
            value, own = columns[theirs][i], ours[name]
            if value != "NA" and own is not None:
                figures.append(Figure(f"{spec} {denominator} {columns['term'][i]} {name}", own, float(value)))
    return figures


def matchit_balance(shared: Path) -> list[Figure]:
    """MatchIt's own table of all 33 matchings: means, SMD, variance ratio, largest difference of the distributions."""
    people = read_people(shared / LALONDE / "lalonde614.csv")
    before = _balance(people, np.ones(people.num_rows), Denominator.TREATED)
    figures = list(_matchit_rows(read_columns(shared / LALONDE / "matchit_balance_unmatched.csv"), "", before))
    columns = read_columns(shared / LALONDE / "matchit_balance.csv")
    for spec in dict.fromkeys(columns["spec"]):
        chosen = Denominator.POOLED if spec.endswith("_ate") else Denominator.TREATED
        ours = _balance(people, stored_weights(shared, spec)[0], chosen)
        figures += _matchit_rows(columns, spec, ours)
    return figures


def _matchit_rows(
    columns: dict[str, list[str]], spec: str, ours: dict[str, dict[str, float | None]]
) -> Iterator[Figure]:
    names = {
        "Means Treated": "treated", "Means Control": "comparison", "Std. Mean Diff.": "smd", "Var. Ratio": "ratio",
        "eCDF Max": "ks",
    }  # fmt: skip
    for i, term in enumerate(columns["term"]):
        if term in ours and (not spec or columns["spec"][i] == spec):
            for theirs, name in names.items():
                own, value = ours[term][name], columns[theirs][i]
                if own is not None and value not in ("NA", "NaN"):
                    yield Figure(f"{spec} {term} {name}", own, float(value))


def _people_of_stata(shared: Path) -> tuple[FloatArray, BoolArray, FloatArray, dict[str, float]]:
    names = ("age", "educ", "black", "hisp", "marr", "re74", "re75", "u74", "u75")
    people = read_people(shared / "oracles/data/nsw445.csv")
    for name in ("re74", "re75"):
        place = people.column_names.index(name)
        people = people.set_column(place, name, [people[name].to_numpy() / 1000.0])
    treated = people["treat"].to_numpy() == 1.0
    fitted = fit(encode_covariates(people, ComparisonSettings(covariates=names)).design, treated.astype(np.float64))
    coef = dict(zip(fitted.terms, fitted.coef.tolist(), strict=True))
    return 1.0 / (1.0 + np.exp(-fitted.eta)), treated, people["re78"].to_numpy() / 1000.0, coef


def psmatch2(shared: Path) -> list[Figure]:
    """Stata's printed score, and effects by radius, nearest with ties and Epanechnikov kernel; the radius error."""
    printed = stored(shared, "stata_psmatch2_nsw445")["published"]
    propensity, treated, outcome, coef = _people_of_stata(shared)
    figures = [
        Figure(f"{n} b", coef["intercept" if n == "const" else n], b)
        for n, b in printed["logit_coef"].items()
        if n != "ll"
    ]
    inside = common_support(propensity, treated)

    def weigh(name: str, side: BoolArray) -> FloatArray:
        if name == "radius.01":
            return match_radius_psmatch2(propensity, side, 0.01)
        people = sort_scores(propensity, side, inside=inside)
        if name == "nn1":
            return weigh_pairs(match_nearest(people, np.inf, psmatch2_nearest()), len(side))
        return match_kernel(people, psmatch2_kernel().bandwidth)

    for name in ("radius.01", "nn1", "epan.06"):
        on_treated, on_others = weigh(name, treated), weigh(name, ~treated)
        n1, n0 = on_treated[treated].sum(), on_others[~treated].sum()
        att, atu = _mean_difference(on_treated, treated, outcome), _mean_difference(on_others, treated, outcome)
        ate = (att * n1 + atu * n0) / (n1 + n0)
        used = treated & (on_treated > 0)
        others = ~treated & (on_treated > 0)
        error = psmatch2_standard_error(outcome[used], outcome[others], on_treated[others])
        ours = {"att": att, "atu": atu, "ate": ate, "n1": float(n1), "n0": float(n0), "se": error}
        figures += [Figure(f"{name} {what}", ours[what], printed[name][what]) for what in ours]
    return figures


def _mean_difference(weight: FloatArray, treated: BoolArray, outcome: FloatArray) -> float:
    one, other = (np.average(outcome[side], weights=weight[side]) for side in (treated, ~treated))
    return float(one - other)


def _scaled(weight: FloatArray, like: FloatArray) -> list[float]:
    return list((weight * (like.sum() / weight.sum())).tolist())


def odds(shared: Path) -> list[Figure]:
    """Odds of treatment from our own score, and their effective sample size."""
    people = read_lalonde614(shared)
    theirs = floats_of(shared / "oracles/inference/ipw_att_weights.csv", "att_weight")
    found = compare(people.table(), "treat", _settings(COVARIATES, method=InverseProbability()))
    others = ~found.treated
    ess = stored(shared, "ttests_lalonde")["re78_att_weights"]["kish_neff"]
    return [
        *_alike("odds", _scaled(found.weight[others], theirs[others]), theirs[others].tolist()),
        Figure("ess", found.ess, ess),
    ]


def entropy(shared: Path) -> list[Figure]:
    """Entropy balancing: weights, effective sample size, effect."""
    people = read_lalonde614(shared)
    figures = stored(shared, "entropy_balancing")["lalonde614"]
    with (shared / "oracles/inference/entropy_balancing_weights.csv").open(newline="") as file:
        by_name = {row["id"]: float(row["w"]) for row in csv.DictReader(file)}
    found = compare(people.table(), "treat", _settings(COVARIATES, method=EntropyBalancing()))
    others = ~found.treated
    theirs = [by_name[name] for name in np.array(people.names)[others]]
    effect = _mean_difference(found.weight, found.treated, people.people["re78"].to_numpy())
    return [
        *_alike("weight", found.weight[others].tolist(), theirs),
        Figure("ess", found.ess, figures["ess"]),
        Figure("att", effect, figures["att_re78"]),
        Figure("sum", float(found.weight[others].sum()), figures["sum_w"]),
    ]


def two_samples(shared: Path) -> list[Figure]:
    """Welch plain; Welch with Kish's effective size; HC0 to HC2 of the weighted difference."""
    theirs, men = stored(shared, "ttests_lalonde"), lalonde(shared)
    weight = floats_of(shared / "oracles/inference/ipw_att_weights.csv", "att_weight")
    figures = []
    for name, outcome, kind in (("re78", men.earnings, Kind.AMOUNT), ("emp78", men.employed, Kind.RATE)):
        scale = 100.0 if kind is Kind.RATE else 1.0
        measure = Measure(name=name, label=name, kind=kind)
        plain = estimate({name: outcome}, design_of(men.treated, None), [measure])[0].compatible
        effect = estimate({name: outcome}, design_of(men.treated, weight), [measure])[0]
        assert plain is not None
        assert effect.compatible is not None
        welch, kish = theirs[name]["welch"], theirs[f"{name}_att_weights"]
        found = {
            "diff": (plain.difference / scale, welch["diff"]),
            "low": (plain.low / scale, welch["ci"][0]),
            "high": (plain.high / scale, welch["ci"][1]),
            "p": (plain.p, welch["p"]),
            "df": (plain.df or 0.0, welch["df"]),
            "kish diff": (effect.compatible.difference / scale, kish["diff"]),
            "kish n": (effect.comparison.ess, kish["kish_neff"]),
            "kish df": (effect.compatible.df or 0.0, kish["kish_df"]),
            "kish p": (effect.compatible.p, kish["kish_p"]),
            "mean": (effect.comparison.value, kish["mean_c"]),
        }
        figures += [Figure(f"{name} {what}", *both) for what, both in found.items()]
        for kind_of_error in (ErrorKind.HC0, ErrorKind.HC1, ErrorKind.HC2):
            error = adjusted_mean(outcome, men.treated, weight, errors=kind_of_error).difference.error
            figures.append(Figure(f"{name} {kind_of_error.name}", error, kish[f"lm_{kind_of_error.name.lower()}"]))
    return figures


FOLDER = "matchit_lalonde614/"
MEN = (f"{FOLDER}lalonde614.csv", f"{FOLDER}ps_logit_scores.csv")
WITNESSES: dict[str, Witness] = {
    "Propensity score: coefficients, errors, everyone's logit": Witness(
        "R 4.2.2 glm", score, 1e-8, "R stops at a change of the deviance of 1e-14", (*MEN, f"{FOLDER}ps_logit_coef.csv")
    ),
    "Nearest matching: pairs": Witness(
        "MatchIt 4.7.2, 15 matchings of LaLonde's men", pairs, 1e-11, files=(*MEN, f"{FOLDER}matchit_pairs.csv")
    ),
    "Nearest, subclasses, exact and coarsened exact: everyone's weight": Witness(
        "MatchIt 4.7.2, 20 matchings", weights, 1e-11, files=(*MEN, f"{FOLDER}matchit_weights.csv")
    ),
    "Balance: means, SMD, variance ratio, eCDF": Witness(
        "MatchIt 4.7.2 summary, 33 matchings",
        matchit_balance,
        1e-11,
        files=(*MEN, f"{FOLDER}matchit_balance.csv", f"{FOLDER}matchit_balance_unmatched.csv"),
    ),
    "Balance: SMD over two denominators, variance ratio, KS": Witness(
        "cobalt 4.5.5, ten sets of weights", cobalt, 1e-11, files=(*MEN, f"{FOLDER}cobalt_balance.csv")
    ),
    "Radius, nearest with ties and kernel: effects on treated, others, everyone; errors": Witness(
        "Stata psmatch2, published output",
        psmatch2,
        4e-6,
        "Stata printed coefficients to seven decimals, and effects from scores of single precision",
        ("data/nsw445.csv", "inference/stata_psmatch2_nsw445.json"),
    ),
    "Odds of treatment as weights": Witness(
        "R 4.2.2 glm", odds, 2e-8, "from our own fit, which agrees to 1e-8", ("inference/ipw_att_weights.csv",)
    ),
    "Entropy balancing: weights, effective size, effect": Witness(
        "R ebal 0.1.8",
        entropy,
        1e-9,
        "ebal stopped 2e-12 from balance, in the units of the data",
        ("inference/entropy_balancing.json", "inference/entropy_balancing_weights.csv"),
    ),
    "Two samples: Welch, Welch with Kish's size, HC0 to HC2": Witness(
        "R 4.2.2 t.test and lm, sandwich 3.0.2",
        two_samples,
        1e-10,
        files=("inference/ttests_lalonde.json", "inference/ipw_att_weights.csv"),
    ),
}
