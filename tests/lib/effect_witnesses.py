"""Every figure of `effect` that another program has made too: ours beside theirs, in groups with one tolerance each.

`lib.witness_registry` has these and all others.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from counterfoil.comparison.values import BoolArray, Estimand, FloatArray
from counterfoil.effect.abadie_imbens import abadie_imbens
from counterfoil.effect.characteristics import characteristics_of
from counterfoil.effect.cox import Cox, Ties, cox
from counterfoil.effect.frequency import adjusted_frequency
from counterfoil.effect.g_computation import Adjusted, ModelledOn, adjusted_mean, adjusted_rate
from counterfoil.effect.kaplan_meier import kaplan_meier, restricted_means
from counterfoil.effect.log_rank import LogRank, log_rank
from counterfoil.effect.mean_model import Link, fit_mean
from counterfoil.effect.values import ErrorKind

IntArray = npt.NDArray[np.int64]
SMALL = 1e-3  # figures nearer to 0 than this are compared as they are, not relative to their size


@dataclass(frozen=True)
class Figure:
    """One number, by us and by the witness."""

    name: str
    ours: float
    theirs: float

    @property
    def difference(self) -> float:
        """Relative, save for figures near 0."""
        return abs(self.ours - self.theirs) / max(abs(self.theirs), SMALL)


@dataclass(frozen=True)
class Witness:
    """A group of figures. `tolerance` is relative; `why` it is not that of the last digit."""

    program: str
    make: Callable[[Path], list[Figure]]
    tolerance: float
    why: str = ""
    files: tuple[str, ...] = ()  # under `oracles/`, that it reads; none: the figures are printed elsewhere


@dataclass(frozen=True, eq=False)
class Lalonde:
    """MatchIt's 614 men."""

    ids: tuple[str, ...]
    treated: BoolArray
    earnings: FloatArray
    employed: FloatArray
    covariates: FloatArray  # as R's model.matrix orders them, without the intercept
    score: FloatArray


@cache
def read_columns(path: Path) -> dict[str, list[str]]:
    """A CSV file's columns as text."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name].strip() for row in rows] for name in rows[0]}


def floats(path: Path) -> dict[str, FloatArray]:
    """Columns of a CSV file that holds numbers only."""
    return {name: np.array(cells, dtype=np.float64) for name, cells in read_columns(path).items()}


def stored(shared: Path, name: str) -> dict[str, Any]:
    """A JSON file of figures."""
    figures: dict[str, Any] = json.loads((shared / "oracles/inference" / f"{name}.json").read_text("utf-8"))
    return figures


@cache
def lalonde(shared: Path) -> Lalonde:
    """The people behind `matchit_lalonde614`."""
    columns = read_columns(shared / "oracles/matchit_lalonde614/lalonde614.csv")
    race = np.array(columns["race"])
    numbers = {n: np.array(columns[n], float) for n in columns if n not in ("id", "race")}
    parts = [numbers["age"], numbers["educ"], race == "hispan", race == "white"]
    parts += [numbers[n] for n in ("married", "nodegree", "re74", "re75")]
    return Lalonde(
        ids=tuple(columns["id"]),
        treated=numbers["treat"] == 1.0,
        earnings=numbers["re78"],
        employed=numbers["emp78"],
        covariates=np.column_stack(parts).astype(np.float64),
        score=floats_of(shared / "oracles/matchit_lalonde614/ps_logit_scores.csv", "ps"),
    )


def floats_of(path: Path, name: str) -> FloatArray:
    """One column of numbers."""
    return np.array(read_columns(path)[name], dtype=np.float64)


def matchit_weights(shared: Path, spec: str) -> tuple[FloatArray, IntArray]:
    """MatchIt's weight and subclass of each man (-1: none)."""
    columns = read_columns(shared / "oracles/matchit_lalonde614/matchit_weights.csv")
    row = {person: i for i, person in enumerate(lalonde(shared).ids)}
    weight, pair = np.zeros(len(row)), np.full(len(row), -1)
    for name, person, w, subclass in zip(*(columns[n] for n in ("spec", "id", "weight", "subclass")), strict=True):
        if name == spec:
            weight[row[person]] = float(w)
            pair[row[person]] = int(subclass) if subclass else -1
    return weight, pair


def rossi(shared: Path) -> dict[str, FloatArray]:
    """Rossi's 432 men, with the weights that R made of its score."""
    people = floats(shared / "oracles/data/rossi432.csv")
    return {**people, "w": floats_of(shared / "oracles/inference/rossi_ps.csv", "att_weight")}


def rossi_covariates(people: dict[str, FloatArray]) -> FloatArray:
    """The six covariates of every text on these men."""
    return np.column_stack([people[name] for name in ("age", "race", "wexp", "mar", "paro", "prio")])


def straight_errors(shared: Path) -> list[Figure]:
    """Weighted differences, HC1 to HC3 and pair-clustered, without and with covariates, for every matching."""
    columns = read_columns(shared / "oracles/matchit_lalonde614/matchit_effects.csv")
    keys = zip(columns["spec"], columns["outcome"], columns["stat"], strict=True)
    theirs = {key: float(v) for key, v in zip(keys, columns["value"], strict=True) if v != "NA"}
    men = lalonde(shared)
    outcomes = {"re78": men.earnings, "emp78": men.employed}
    figures = []
    for spec, name in dict.fromkeys((spec, name) for spec, name, _ in theirs):
        weight, pair = matchit_weights(shared, spec)
        for stat, ours in _straight(men, outcomes[name], weight, pair):
            if (spec, name, stat) in theirs:
                figures.append(Figure(f"{spec} {name} {stat}", ours, theirs[spec, name, stat]))
    return figures


def _straight(men: Lalonde, outcome: FloatArray, weight: FloatArray, pair: IntArray) -> Iterator[tuple[str, float]]:
    for kind in (ErrorKind.HC1, ErrorKind.HC2, ErrorKind.HC3):
        plain = adjusted_mean(outcome, men.treated, weight, errors=kind).difference
        yield f"se_{kind.name.lower()}", plain.error
    yield "est", plain.estimate
    together = ModelledOn.TOGETHER
    with_covariates = adjusted_mean(outcome, men.treated, weight, men.covariates, modelled_on=together).difference
    yield "est_adj", with_covariates.estimate
    yield "se_adj_hc3", with_covariates.error
    if (pair[weight > 0] >= 0).all():
        yield "se_cl_pair_HC1", adjusted_mean(outcome, men.treated, weight, cluster=pair).difference.error
        clustered = adjusted_mean(outcome, men.treated, weight, men.covariates, cluster=pair, modelled_on=together)
        yield "se_adj_cl_pair_HC1", clustered.difference.error


def _adjusted_employment(shared: Path, *, covariates: bool) -> Adjusted:
    men = lalonde(shared)
    weight, pair = matchit_weights(shared, "nn1_norep_cal02logit")
    used = men.covariates if covariates else None
    return adjusted_rate(men.employed, men.treated, weight, used, cluster=pair, modelled_on=ModelledOn.EACH)


def clustered_rates(shared: Path) -> list[Figure]:
    """Risk difference and log ratio of pairs, errors clustered by pair."""
    theirs, ours = stored(shared, "binary_effects_nn1_norep_cal02logit"), _adjusted_employment(shared, covariates=False)
    assert ours.log_ratio is not None
    return [
        Figure("rd", ours.difference.estimate, theirs["rd"]),
        Figure("rd_se_clHC1", ours.difference.error, theirs["rd_se_clHC1"]),
        Figure("logrr", ours.log_ratio.estimate, theirs["logrr"]),
        Figure("logrr_se", ours.log_ratio.error, theirs["logrr_se"]),
        Figure("p1", ours.treated, theirs["p1"]),
        Figure("p0", ours.comparison, theirs["p0"]),
    ]


def g_computation(shared: Path) -> list[Figure]:
    """Risk difference and log ratio by g-computation, treatment times every covariate, errors clustered by pair."""
    theirs, ours = stored(shared, "binary_effects_nn1_norep_cal02logit"), _adjusted_employment(shared, covariates=True)
    assert ours.log_ratio is not None
    return [
        Figure("gcomp_rd", ours.difference.estimate, theirs["gcomp_rd"]),
        Figure("gcomp_rd_se", ours.difference.error, theirs["gcomp_rd_se"]),
        Figure("gcomp_logrr", ours.log_ratio.estimate, theirs["gcomp_logrr"]),
        Figure("gcomp_logrr_se", ours.log_ratio.error, theirs["gcomp_logrr_se"]),
    ]


def frequency(shared: Path) -> list[Figure]:
    """Log ratios of counts with HC0 and HC1 errors; with weights; with exposure."""
    theirs = stored(shared, "frequency")
    quine, men = floats(shared / "oracles/inference/quine146.csv"), rossi(shared)
    figures = []
    for kind in (ErrorKind.HC0, ErrorKind.HC1):
        plain = adjusted_frequency(quine["days"], quine["ethN"] == 1.0, errors=kind)
        weighted = adjusted_frequency(men["prio"], men["fin"] == 1.0, men["w"], errors=kind)
        name = kind.name.lower()
        figures += [
            Figure(f"quine {name}", plain.log_ratio.error, theirs["quine"][f"pois_{name}"]),
            Figure(f"rossi {name}", weighted.log_ratio.error, theirs["rossi_prio"][name]),
        ]
    for_week = adjusted_frequency(
        men["prio"], men["fin"] == 1.0, men["w"], exposure=men["week"], errors=ErrorKind.HC0
    ).log_ratio
    return [
        *figures,
        Figure("quine b", plain.log_ratio.estimate, theirs["quine"]["quasi_b"]),
        Figure("rossi b", weighted.log_ratio.estimate, theirs["rossi_prio"]["quasi_b"]),
        Figure("rossi b for a week", for_week.estimate, theirs["rossi_prio"]["rate_b"]),
        Figure("rossi hc0 for a week", for_week.error, theirs["rossi_prio"]["rate_hc0"]),
    ]


def dispersion(shared: Path) -> list[Figure]:
    """Dispersion of quasi-Poisson models and the errors that rest on it."""
    theirs = stored(shared, "frequency")
    quine, men = floats(shared / "oracles/inference/quine146.csv"), rossi(shared)
    plain = adjusted_frequency(quine["days"], quine["ethN"] == 1.0)
    weighted = adjusted_frequency(men["prio"], men["fin"] == 1.0, men["w"])
    return [
        Figure("quine dispersion", plain.dispersion, theirs["quine"]["dispersion"]),
        Figure("quine error", plain.quasi.error, theirs["quine"]["quasi_se"]),
        Figure("rossi dispersion", weighted.dispersion, theirs["rossi_prio"]["quasi_dispersion"]),
        Figure("rossi error", weighted.quasi.error, theirs["rossi_prio"]["quasi_se_model"]),
    ]


def _groups(men: dict[str, FloatArray]) -> tuple[tuple[str, BoolArray], ...]:
    return ("fin=0", men["fin"] == 0.0), ("fin=1", men["fin"] == 1.0)


def curves(shared: Path) -> list[Figure]:
    """Every point of the plain and the weighted curve, with errors and people at risk."""
    theirs, men = stored(shared, "survival_rossi"), rossi(shared)
    figures = []
    for group, people in _groups(men):
        at = np.array(theirs["km"]["strata"]) == group
        week, arrest = men["week"][people], men["arrest"][people] == 1.0
        plain, weighted = kaplan_meier(week, arrest), kaplan_meier(week, arrest, men["w"][people])
        pairs = {
            "surv": (plain.survival, theirs["km"]["surv"]),
            "error of log S": (plain.error / plain.survival, theirs["km"]["se"]),
            "weighted surv": (weighted.survival, theirs["kmw"]["surv"]),
            # stored as `se_robust_logS`; it is the error of S itself: 0.0046189 after one event among 216
            "weighted error of S": (weighted.error, theirs["kmw"]["se_robust_logS"]),
            "weighted at risk": (weighted.at_risk, theirs["kmw"]["n.risk"]),
        }
        for name, (ours, those) in pairs.items():
            expected = np.array(those)[at]
            assert len(ours) == len(expected)
            figures += [Figure(f"{group} {name}", a, b) for a, b in zip(ours, expected, strict=True)]
    return figures


def restricted(shared: Path) -> list[Figure]:
    """Restricted means and their errors at 26 and 52 weeks."""
    theirs, men = stored(shared, "survival_rossi"), rossi(shared)
    figures = []
    for weeks in (26, 52):
        ours = restricted_means(men["week"], men["arrest"] == 1.0, men["fin"] == 1.0, horizon=weeks)
        for side, found in enumerate((ours.comparison, ours.treated)):
            figures.append(Figure(f"mean {weeks} {side}", found.estimate, theirs[f"rmst{weeks}"]["rmst"][side]))
            figures.append(Figure(f"error {weeks} {side}", found.error, theirs[f"rmst{weeks}"]["se"][side]))
    return figures


def _matched_rossi(shared: Path, men: dict[str, FloatArray]) -> tuple[dict[str, FloatArray], FloatArray]:
    matched = floats(shared / "oracles/inference/rossi_matched.csv")
    rows = matched["id"].astype(int) - 1
    return {name: values[rows] for name, values in men.items()}, matched["subclass"]


def log_ranks(shared: Path) -> list[Figure]:
    """Plain, in strata, Peto's, in pairs, and the robust one with weights."""
    theirs, men = stored(shared, "survival_rossi"), rossi(shared)
    pairs, pair = _matched_rossi(shared, men)

    def test(people: dict[str, FloatArray], weight: FloatArray | None = None, **options: Any) -> LogRank:
        return log_rank(people["week"], people["arrest"] == 1.0, people["fin"] == 1.0, weight, **options)

    plain = test(men)
    return [
        Figure("chi-square", plain.chi_square, theirs["logrank"]["chisq"]),
        Figure("observed", plain.observed, theirs["logrank"]["obs"][1]),
        Figure("expected", plain.expected, theirs["logrank"]["exp"][1]),
        Figure("Peto", test(men, rho=1.0).chi_square, theirs["peto_rho1_chisq"]),
        Figure("strata", test(men, strata=men["race"]).chi_square, theirs["logrank_strata_race"]),
        Figure("pairs", test(pairs, strata=pair).chi_square, theirs["matched"]["logrank_strat"]),
        Figure("weighted", test(men, men["w"]).chi_square, theirs["coxw_breslow"]["robust_score_chisq"][0][0]),
    ]


def cox_models(shared: Path) -> list[Figure]:
    """Plain, weighted with robust errors (Efron, Breslow), clustered by pair, in strata of pairs."""
    theirs, men = stored(shared, "survival_rossi"), rossi(shared)
    pairs, pair = _matched_rossi(shared, men)

    def fit(people: dict[str, FloatArray], weight: FloatArray | None = None, **options: Any) -> Cox:
        return cox(people["week"], people["arrest"] == 1.0, people["fin"] == 1.0, weight, **options)

    plain, weighted = fit(men), fit(men, men["w"])
    breslow = fit(men, men["w"], ties=Ties.BRESLOW)
    clustered, in_strata = fit(pairs, cluster=pair), fit(pairs, strata=pair)
    return [
        Figure("b", plain.treatment.estimate, theirs["cox"]["b"]),
        Figure("se", plain.treatment.error, theirs["cox"]["se"]),
        Figure("weighted b", weighted.treatment.estimate, theirs["coxw_efron"]["b"]),
        Figure("weighted robust se", weighted.treatment.error, theirs["coxw_efron"]["se_robust"]),
        Figure("weighted naive se", float(weighted.naive_error[0]), theirs["coxw_efron"]["se_naive"]),
        Figure("Breslow b", breslow.treatment.estimate, theirs["coxw_breslow"]["b"]),
        Figure("Breslow robust se", breslow.treatment.error, theirs["coxw_breslow"]["se_robust"]),
        Figure("pairs b", clustered.treatment.estimate, theirs["matched"]["b"]),
        Figure("pairs clustered se", clustered.treatment.error, theirs["matched"]["se_cluster_pair"]),
        Figure("strata b", in_strata.treatment.estimate, theirs["matched"]["strat_b"]),
        Figure("strata se", in_strata.treatment.error, theirs["matched"]["strat_se"]),
    ]


# Fox and Weisberg, Cox Proportional-Hazards Regression for Survival Data (appendix of An R Companion to Applied
# Regression): the model of all seven covariates, coefficients and errors as printed.
ROSSI_COX = {
    "fin": (-0.37942, 0.19138),
    "age": (-0.05744, 0.02200),
    "race": (0.31390, 0.30799),
    "wexp": (-0.14980, 0.21222),
    "mar": (-0.43370, 0.38187),
    "paro": (-0.08487, 0.19576),
    "prio": (0.09150, 0.02865),
}


def published_cox(shared: Path) -> list[Figure]:
    """The published model of Rossi's men."""
    men = rossi(shared)
    ours = cox(men["week"], men["arrest"] == 1.0, men["fin"] == 1.0, None, rossi_covariates(men))
    figures = []
    for position, (name, (b, error)) in enumerate(ROSSI_COX.items()):
        figures.append(Figure(f"{name} b", float(ours.coef[position]), b))
        figures.append(Figure(f"{name} se", float(ours.error[position]), error))
    return figures


def replaced(shared: Path) -> list[Figure]:
    """Nearest with replacement and ties: effect and error, and the effect corrected for bias by regression."""
    columns = read_columns(shared / "oracles/inference/abadie_imbens_Match.csv")
    theirs = {spec: (float(e), s) for spec, e, s in zip(*(columns[n] for n in ("spec", "est", "se_AI")), strict=True)}
    men, pairs = lalonde(shared), read_columns(shared / "oracles/inference/Match_pairs_ps_re78_M1_ties.csv")
    row = {person: i for i, person in enumerate(men.ids)}
    one, other = (np.array([row[person] for person in pairs[side]]) for side in ("treated", "control"))
    share = np.array(pairs["weight"], float)
    in_sd = men.score / men.score.std(ddof=1)
    carried = np.bincount(other, weights=share, minlength=len(row)).astype(np.float64)
    figures = []
    for name, outcome in (("re78", men.earnings), ("emp78", men.employed)):
        # Match's ties: squared distances in SDs within 1e-5
        ours = abadie_imbens(outcome, men.treated, in_sd, one, other, share, tie=1e-5)
        model = fit_mean(characteristics_of(men.covariates, len(row)), outcome, carried, Link.IDENTITY)
        corrected = abadie_imbens(outcome, men.treated, in_sd, one, other, share, predicted=model.mean, tie=1e-5)
        estimate, error = theirs[f"ps_{name}_M1_ties_Var4"]
        figures += [
            Figure(f"{name}", ours.estimate, estimate),
            Figure(f"{name} se", ours.error, float(error)),
            Figure(f"{name} corrected", corrected.estimate, theirs[f"ps_{name}_M1_biasadj"][0]),
        ]
    return figures


def on_everyone(shared: Path) -> list[Figure]:
    """Regression adjustment, and weighting then adjusting (doubly robust), of 4,642 births: effect on everyone."""
    births = files("statsmodels.treatment.tests.results") / "cataneo2.csv"
    columns = read_columns(Path(str(births)))
    names = ("bweight", "mbsmoke_", "prenatal1_", "mmarried_", "mage", "fbaby_", "mage2", "medu")
    y, smoked, prenatal, married, age, first, age2, education = (np.array(columns[n], float) for n in names)
    theirs = stored(shared, "stata_teffects_from_statsmodels")["results"]
    outcome_on, treated = np.column_stack([prenatal, married, age, first]), smoked == 1.0
    probit = np.array([term["b"] for term in theirs["ipwra"][-6:]])  # Stata's own score, a probit
    score = ndtr(np.column_stack([married, age, age2, first, education, np.ones(len(y))]) @ probit)
    weight = np.where(treated, 1.0 / score, 1.0 / (1.0 - score))
    plain = adjusted_mean(y, treated, None, outcome_on, errors=ErrorKind.HC0, estimand=Estimand.ATE).difference
    weighted = adjusted_mean(y, treated, weight, outcome_on, estimand=Estimand.ATE).difference
    return [
        Figure("ra", plain.estimate, theirs["ra"][0]["b"]),
        Figure("ra se", plain.error, theirs["ra"][0]["se"]),
        Figure("ipwra", weighted.estimate, theirs["ipwra"][0]["b"]),
    ]


def match_estimates(shared: Path) -> list[Figure]:
    """Mean differences over the pairs of R's Match: with replacement and ties in a caliper, and without replacement."""
    columns = read_columns(shared / "oracles/inference/abadie_imbens_Match.csv")
    theirs = dict(zip(columns["spec"], map(float, columns["est"]), strict=True))
    men, figures = lalonde(shared), []
    row = {person: i for i, person in enumerate(men.ids)}
    outcomes = {"re78": men.earnings, "emp78": men.employed}
    for name, spec, file in (
        ("emp78", "ps_emp78_M1_ties", "ps_emp78_M1_ties"),
        ("re78", "ps_re78_M1_ties_cal02sd_lp", "ps_re78_M1_ties_cal02sd_lp"),
        ("emp78", "ps_emp78_M1_ties_cal02sd_lp", "ps_re78_M1_ties_cal02sd_lp"),
        ("re78", "ps_re78_M1_norep_noties_cal02lp", "ps_re78_M1_norep_noties_cal02lp"),
    ):
        pairs = read_columns(shared / f"oracles/inference/Match_pairs_{file}.csv")
        one, other = (np.array([row[person] for person in pairs[side]]) for side in ("treated", "control"))
        share = np.array(pairs["weight"], float)
        ours = abadie_imbens(outcomes[name], men.treated, men.score, one, other, share).estimate
        figures.append(Figure(spec, ours, theirs[spec]))
    return figures


EARLY = "R's `glm` stops when the deviance moves by less than 1e-8 and keeps the weights of the step before"
WITNESSES: dict[str, Witness] = {
    "Difference of means and rates, HC1 to HC3, pair-clustered, plain and adjusted": Witness(
        "R sandwich 3.0.2, MatchIt 4.7.2: 33 matchings of LaLonde's men",
        straight_errors,
        1e-11,
        files=("matchit_lalonde614/matchit_effects.csv", "matchit_lalonde614/matchit_weights.csv"),
    ),
    "Rates and ratio of pairs, pair-clustered": Witness(
        "R sandwich 3.0.2", clustered_rates, 1e-11, files=("inference/binary_effects_nn1_norep_cal02logit.json",)
    ),
    "Rates and ratio by g-computation, pair-clustered": Witness(
        "R sandwich 3.0.2",
        g_computation,
        1e-4,
        f"{EARLY}; the treated men's own model has no finite maximum, so that the error depends on where one stops "
        "(stopped where R stops, ours is R's to 1e-14)",
    ),
    "Frequency ratio, robust, weighted, with exposure": Witness(
        "R 4.2.2 glm, sandwich 3.0.2",
        frequency,
        1e-7,
        EARLY,
        ("inference/frequency.json", "inference/quine146.csv", "inference/rossi_ps.csv", "data/rossi432.csv"),
    ),
    "Dispersion and its error": Witness(
        "R 4.2.2 glm, quasipoisson", dispersion, 1e-5, EARLY, ("inference/frequency.json", "inference/quine146.csv")
    ),
    "Kaplan-Meier curves, plain and weighted, with errors": Witness(
        "R survival 3.5.3, survfit",
        curves,
        1e-12,
        files=("inference/survival_rossi.json", "data/rossi432.csv", "inference/rossi_ps.csv"),
    ),
    "Restricted means and errors": Witness(
        "R survival 3.5.3, survfit rmean",
        restricted,
        1e-12,
        files=("inference/survival_rossi.json", "data/rossi432.csv"),
    ),
    "Log-rank: plain, Peto, strata, pairs, robust": Witness(
        "R survival 3.5.3, survdiff and coxph",
        log_ranks,
        1e-12,
        files=("inference/survival_rossi.json", "inference/rossi_matched.csv"),
    ),
    "Cox: weights, Efron, Breslow, robust, clustered, strata": Witness(
        "R survival 3.5.3, coxph",
        cox_models,
        1e-11,
        files=("inference/survival_rossi.json", "inference/rossi_matched.csv"),
    ),
    "Cox of Rossi's men": Witness(
        "Published: Fox and Weisberg's appendix", published_cox, 3e-4, "printed to 5 decimals", ("data/rossi432.csv",)
    ),
    "Nearest with replacement: Abadie-Imbens errors, bias correction": Witness(
        "R Matching 4.10.8",
        replaced,
        1e-11,
        files=("inference/abadie_imbens_Match.csv", "inference/Match_pairs_ps_re78_M1_ties.csv"),
    ),
    "Adjusted, and weighted then adjusted (doubly robust), on everyone": Witness(
        "Stata teffects ra and ipwra, 4,642 births (figures kept by statsmodels)",
        on_everyone,
        1e-8,
        files=("inference/stata_teffects_from_statsmodels.json",),
    ),
    "Mean differences over pairs, ties sharing a person's weight": Witness(
        "R Matching 4.10.8",
        match_estimates,
        1e-11,
        files=(
            "inference/abadie_imbens_Match.csv",
            "inference/Match_pairs_ps_emp78_M1_ties.csv",
            "inference/Match_pairs_ps_re78_M1_ties_cal02sd_lp.csv",
            "inference/Match_pairs_ps_re78_M1_norep_noties_cal02lp.csv",
        ),
    ),
}


def largest(figures: list[Figure]) -> float:
    """The largest difference of a group; NaN anywhere is infinitely far."""
    differences = [f.difference for f in figures]
    return math.inf if any(map(math.isnan, differences)) else max(differences)
