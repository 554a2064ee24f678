"""Figures of pooling, of several tests at once and of published evaluations, ours beside theirs."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.tests.results.results_meta import exk1_dl_hksj, exk1_metafor

from counterfoil.comparison import Band, Comparison, ComparisonSettings, compare
from counterfoil.comparison.values import FloatArray
from counterfoil.effect import Group, Study, estimate, holm, pool
from counterfoil.effect.pooling import _random_effects
from counterfoil.effect.proportions import proportions_estimate
from counterfoil.effect.values import Estimate
from counterfoil.effect.welch import welch_estimate
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind
from lib.effect_witnesses import Figure, Witness
from lib.witnesses import EXPECTED, read_people

# 13 trials of a vaccine (Colditz and others 1994; `dat.bcg` of R's metadat): with the outcome and without, vaccinated
# and not
BCG = (
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
    (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232),
    (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
)  # fmt: skip
LALONDE = ("age", "educ", "black", "hisp", "married", "nodegree", "re74", "re75", "u74", "u75")
TERMS = ("age^2", "educ^2")
EARNINGS = Measure(name="re78", label="Earnings in 1978", kind=Kind.AMOUNT)
TRIAL_DOLLARS = 1_794.34  # Dehejia and Wahba 1999
AS_THEY_STAND = -8_497.52  # 6,349.14 - 14,846.66, before any matching


def log_risk_ratios() -> list[Study]:
    """Of the 13 trials."""
    return [
        Study(str(i), math.log(a / (a + b) / (c / (c + d))), math.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)))
        for i, (a, b, c, d) in enumerate(BCG)
    ]


def laboratories() -> list[Study]:
    """Nine laboratories (Kacker 2004), as metafor gave them to the authors of statsmodels."""
    both = zip(exk1_metafor.yi, exk1_metafor.vi, strict=True)
    return [Study(str(i), float(y), math.sqrt(v)) for i, (y, v) in enumerate(both)]


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def pooled_trials(_: Path) -> list[Figure]:
    """`rma(yi, vi, data=dat, test="knha")` as metafor's documentation prints it."""
    found = pool(log_risk_ratios())
    mean = found.mean
    return [
        Figure("tau2", mean.tau2, 0.3132),
        Figure("estimate", mean.estimate, -0.7145),
        Figure("error", mean.error, 0.1808),
        Figure("low", _known(mean.low), -1.1084),
        Figure("high", _known(mean.high), -0.3206),
        Figure("Q", found.q, 152.2330),
        Figure("I2", 100 * found.i2, 92.22),
    ]


def pooled_laboratories(_: Path) -> list[Figure]:
    """Paule and Mandel's variance, Q, and Hartung and Knapp's interval on a given variance."""
    found = pool(laboratories())
    given = _random_effects(exk1_metafor.yi, exk1_metafor.vi, exk1_dl_hksj.tau2)
    return [
        Figure("tau2", found.check.tau2, exk1_metafor.tau2),
        Figure("estimate", found.check.estimate, exk1_metafor.b),
        Figure("error", found.check.error, exk1_metafor.se),
        Figure("Q", found.q, exk1_metafor.QE),
        Figure("p of Q", found.q_p, exk1_metafor.QEp),
        Figure("given: estimate", given.estimate, exk1_dl_hksj.b),
        Figure("given: error", given.error, exk1_dl_hksj.se),
        Figure("given: low", _known(given.low), exk1_dl_hksj.ci_lb),
        Figure("given: high", _known(given.high), exk1_dl_hksj.ci_ub),
    ]


def several_tests(_: Path) -> list[Figure]:
    """Holm's correction of 1, 2, 5 and 12 drawn p-values, ties among them."""
    figures = []
    for how_many in (1, 2, 5, 12):
        p_values = np.round(np.random.default_rng(how_many).random(how_many) ** 3, 2)
        theirs = multipletests(p_values, method="holm")[1]
        figures += [Figure(f"{how_many}", a, float(b)) for a, b in zip(holm(p_values.tolist()), theirs, strict=True)]
    return figures


def justice_data_lab_rows() -> list[dict[str, Any]]:
    """The published rows that say the group's size and both rates."""
    rows: list[dict[str, Any]] = json.loads((EXPECTED / "justice_data_lab.json").read_text("utf-8"))["rows"]
    return rows


def treated_group(events: float, n: int) -> Group:
    """The treated of a published row."""
    rate = events / n
    return Group(n=n, ess=n, value=rate, variance=rate * (1 - rate) * n / (n - 1), events=round(events))


def very_large(rate: float) -> Group:
    """The comparison group, whose size is not published and is in the tens of thousands."""
    return Group(n=10**9, ess=math.inf, value=rate, variance=rate * (1 - rate), events=None)


def answers_of(row: dict[str, Any]) -> list[Estimate]:
    """The test for every pair of rates that would be printed as this row's."""
    n, answers = row["n"], []
    for events in range(n + 1):
        if abs(100 * events / n - row["treated"]) <= 0.5:
            for tenths in range(-5, 6):
                answer = welch_estimate(
                    treated_group(events, n), very_large((row["comparison"] + tenths / 10) / 100), Kind.RATE
                )
                assert answer is not None
                answers.append(answer)
    return answers


def published_intervals(_: Path) -> list[Figure]:
    """Ends of the nearest interval that the printed, rounded rates allow, as printed: whole points."""
    figures = []
    for row in justice_data_lab_rows():
        if row["interval"] is not None:
            low, high = row["interval"]
            ends = [(round(a.low), round(a.high)) for a in answers_of(row)]
            nearest = min(ends, key=lambda end, low=low, high=high: abs(end[0] - low) + abs(end[1] - high))  # type: ignore[misc]
            figures += [
                Figure(f"{row['analysis']} low", float(nearest[0]), float(low)),
                Figure(f"{row['analysis']} high", float(nearest[1]), float(high)),
            ]
    return figures


def published_verdicts(_: Path) -> list[Figure]:
    """1 where the effect is significant at the printed rates, 0 where it is not."""
    figures = []
    for row in justice_data_lab_rows():
        answer = welch_estimate(
            treated_group(row["n"] * row["treated"] / 100, row["n"]), very_large(row["comparison"] / 100), Kind.RATE
        )
        assert answer is not None
        figures.append(Figure(str(row["analysis"]), float(answer.p < 0.05), float(row["significant"])))
    return figures


def trials(shared: Path) -> list[Figure]:
    """LaLonde's two samples, in dollars as printed; Rossi's men, in per cent and points as printed."""
    figures = []
    for file, dollars in (("nsw_lalonde_experimental_722", 886.3), ("nsw_dw_experimental_445", 1794.34)):
        men = read_people(shared / f"data/impact/{file}.csv")
        treated, earnings = men["treat"].to_numpy() == 1.0, men["re78"].to_numpy()
        difference = float(earnings[treated].mean() - earnings[~treated].mean())
        figures.append(Figure(file, round(difference, 1 if dollars == 886.3 else 2), dollars))
    rossi = proportions_estimate(_trial(48, 216), _trial(66, 216))
    assert rossi is not None
    printed = {"difference": -8.3, "low": -16.6, "high": -0.1}
    figures += [Figure(f"rossi {name}", round(getattr(rossi, name), 1), value) for name, value in printed.items()]
    return [*figures, Figure("rossi p", round(rossi.p, 3), 0.049)]


def _trial(events: int, n: int) -> Group:
    rate = events / n
    return Group(n=n, ess=float(n), value=rate, variance=rate * (1 - rate), events=events)


def beside_the_survey(shared: Path) -> tuple[Comparison, Estimate]:
    """The trial's treated men compared with those of a survey (CPS-1); earnings come in afterwards."""
    people, earnings = against(shared, "cps1_controls_15992.csv.gz")
    comparison = compare(people, "treat", ComparisonSettings(covariates=LALONDE, terms=TERMS))
    answer = estimate({"re78": earnings}, comparison, [EARNINGS])[0].compatible
    assert answer is not None
    return comparison, answer


def against(shared: Path, pool_file: str) -> tuple[pa.Table, FloatArray]:
    """The treated of the experiment with a survey's people as the pool; earnings apart."""
    treated = read_people(shared / "data/impact/nsw_dw_experimental_445.csv")
    treated = treated.filter(np.asarray(treated["treat"]) == 1.0)
    people = pa.concat_tables([treated, read_people(shared / "data/impact" / pool_file)])
    for year in ("74", "75"):
        people = people.append_column(f"u{year}", pa.array(people[f"re{year}"].to_numpy() == 0.0))
    return people.select(["treat", *LALONDE]), people["re78"].to_numpy()


def what_matching_must_do(shared: Path) -> list[Figure]:
    """1 for each promise of METHODS 5 on CPS-1 that is kept: covers 1,794, over 85% less bias, a warning on balance."""
    comparison, answer = beside_the_survey(shared)
    bias = abs(answer.difference - TRIAL_DOLLARS) / abs(AS_THEY_STAND - TRIAL_DOLLARS)
    warned = comparison.count(Band.AMBER) + comparison.count(Band.RED) > 0
    return [
        Figure("covers the trial's answer", float(answer.low <= TRIAL_DOLLARS <= answer.high), 1.0),
        Figure("bias down by over 85%", float(bias < 0.15), 1.0),
        Figure("balance is warned of", float(warned), 1.0),
    ]


PRINTED = "as printed, after rounding"
WITNESSES: dict[str, Witness] = {
    "Pooling: REML, Hartung and Knapp, Q, I2": Witness(
        "R metafor, its documentation: 13 trials of BCG", pooled_trials, 2e-4, "printed to four decimals"
    ),
    "Pooling: Paule and Mandel, intervals on a given variance": Witness(
        "R metafor, nine laboratories (figures kept by statsmodels)", pooled_laboratories, 1e-9
    ),
    "Several tests: Holm": Witness("statsmodels multipletests", several_tests, 1e-11),
    "Intervals of the Justice Data Lab, from group size and printed rates": Witness(
        "Published: 4 evaluations", published_intervals, 0.0, PRINTED
    ),
    "Verdicts of the Justice Data Lab, from group size and printed rates": Witness(
        "Published: 11 evaluations", published_verdicts, 0.0, PRINTED
    ),
    "Trials: supported work (886 and 1,794 dollars), weekly aid (-8.3 points)": Witness(
        "Published: LaLonde 1986; Dehejia and Wahba 1999; Rossi and others 1980", trials, 0.0, PRINTED
    ),
    "The trial's men beside a survey: covers 1,794, 85% less bias, warned": Witness(
        "Published: Dehejia and Wahba 1999", what_matching_must_do, 0.0, "yes or no"
    ),
}
