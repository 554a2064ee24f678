"""One table: 500 treated people and a pool of 20,000, with three outcomes whose truth is known.

People are drawn until both groups are full; treatment is logistic in the covariates, so that the propensity model is
the right one. The outcomes are not: they have a square, a product and an unobserved factor, none of which is a
covariate. The covariates tell outcomes apart about as well as a plain risk score does (area under the curve 0.66).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from counterfoil.comparison.values import BoolArray, FloatArray, IntArray

N_TREATED, N_POOL = 500, 20_000
AT_ONCE = 24_000  # people drawn at a time; about 600 of them are treated
TREATMENT_AT = -3.85  # log-odds of treatment of the average person
RECORD_CHOICE = 0.60  # of the log of earlier offences, on the log-odds of treatment
EFFECT = -0.45  # of treatment on the log-odds of the rate: about 9 points
EFFECT_ON_COUNT = -0.30  # on the log of the mean number
COVARIATES = ("age", "priors", "copas", "male", "employed", "ethnicity", "offence", "region")
ETHNICITY = (0.75, 0.10, 0.09, 0.06)
OFFENCE = (0.35, 0.25, 0.20, 0.12, 0.08)
REGION = (0.30, 0.28, 0.22, 0.20)
OFFENCE_RISK = np.array([0.0, 0.30, 0.45, -0.30, -0.10])
REGION_RISK = np.array([0.0, 0.10, -0.10, 0.15])
OFFENCE_CHOICE = np.array([0.0, -0.20, 0.25, 0.30, 0.0])  # log-odds of being treated
REGION_CHOICE = np.array([0.0, 0.40, 0.10, -0.20])


@dataclass(frozen=True, eq=False)
class Drawn:
    """A table. Row-aligned; `risk` and `mean` are what each person would have without and with the treatment."""

    people: pa.Table  # treated and the covariates
    treated: BoolArray
    null: FloatArray  # 0/1: the outcome of a programme that does nothing
    rate: FloatArray  # 0/1: of one that works
    count: FloatArray  # of one that works
    before: FloatArray  # 0/1: in the year before, which nothing in the table contains
    rate_effect: FloatArray  # planted, for each person if treated, as a difference of probabilities
    count_effect: FloatArray


@dataclass(frozen=True, eq=False)
class _Batch:
    columns: dict[str, FloatArray | IntArray]
    risk: FloatArray  # log-odds of the outcome without treatment
    hidden: FloatArray
    chosen: BoolArray


def draw(rng: np.random.Generator, *, hidden_choice: float = 0.0, record_choice: float = RECORD_CHOICE) -> Drawn:
    """One table. Log-odds of treatment: `hidden_choice` for one SD of the factor that nobody observes, `record_choice`
    for one unit of the log of earlier offences."""
    kept_treated: list[_Batch] = []
    kept_others: list[_Batch] = []
    treated = others = 0
    while treated < N_TREATED or others < N_POOL:
        batch = _draw_batch(rng, hidden_choice, record_choice)
        kept_treated.append(_take(batch, np.flatnonzero(batch.chosen)[: N_TREATED - treated]))
        kept_others.append(_take(batch, np.flatnonzero(~batch.chosen)[: N_POOL - others]))
        treated += len(kept_treated[-1].chosen)
        others += len(kept_others[-1].chosen)
    return _with_outcomes(_join([*kept_treated, *kept_others]), rng)


def _draw_batch(rng: np.random.Generator, hidden_choice: float, record_choice: float) -> _Batch:
    n = AT_ONCE
    a, b, hidden = rng.normal(size=n), rng.normal(size=n), rng.normal(size=n)
    priors = rng.poisson(np.exp(1.2 + 0.5 * b + 0.2 * a)).astype(np.float64)
    history = np.log1p(priors)
    copas = history - np.log(6.0 + np.exp(0.4 * a + 0.3 * rng.normal(size=n)) * 5.0)
    male, employed = rng.random(n) < 0.85, rng.random(n) < 1.0 / (1.0 + np.exp(0.8 - 0.3 * a))
    ethnicity, offence, region = (_levels(rng, shares, n) for shares in (ETHNICITY, OFFENCE, REGION))
    risk = -0.75 - 0.45 * a + 0.65 * (history - 1.5) + 0.25 * (copas + 0.9) + 0.35 * male - 0.50 * employed
    risk = risk + OFFENCE_RISK[offence] + REGION_RISK[region]
    risk = risk - 0.15 * (a**2 - 1.0) + 0.25 * a * male + 0.60 * hidden  # what no model here has
    choice = TREATMENT_AT + record_choice * (history - 1.5) + 0.35 * male - 0.50 * employed - 0.10 * a
    choice = choice + OFFENCE_CHOICE[offence] + REGION_CHOICE[region] + hidden_choice * hidden
    columns = {
        "age": np.round(34.0 + 9.0 * a),
        "priors": priors,
        "history": history,
        "copas": copas,
        "male": male.astype(np.float64),
        "employed": employed.astype(np.float64),
        "ethnicity": ethnicity,
        "offence": offence,
        "region": region,
        "a": a,
    }
    return _Batch(columns, risk, hidden, rng.random(n) < 1.0 / (1.0 + np.exp(-choice)))


def _levels(rng: np.random.Generator, shares: tuple[float, ...], n: int) -> IntArray:
    return np.asarray(np.searchsorted(np.cumsum(shares[:-1]), rng.random(n), side="right"), np.int64)


def _take(batch: _Batch, rows: IntArray) -> _Batch:
    columns = {name: values[rows] for name, values in batch.columns.items()}
    return _Batch(columns, batch.risk[rows], batch.hidden[rows], batch.chosen[rows])


def _join(batches: list[_Batch]) -> _Batch:
    names = batches[0].columns
    columns = {name: np.concatenate([b.columns[name] for b in batches]) for name in names}
    risk, hidden, chosen = (np.concatenate([getattr(b, n) for b in batches]) for n in ("risk", "hidden", "chosen"))
    return _Batch(columns, risk, hidden, chosen)


def _with_outcomes(all_of_them: _Batch, rng: np.random.Generator) -> Drawn:
    treated, risk, columns = all_of_them.chosen, all_of_them.risk, all_of_them.columns
    n = len(treated)
    without, with_it = _probability(risk), _probability(risk + EFFECT)
    mean = np.exp(0.7 * risk + 0.1)
    mean_with = mean * np.exp(EFFECT_ON_COUNT)
    frailty = rng.gamma(2.0, 0.5, n)
    people: dict[str, object] = {"treated": treated, "age": columns["age"], "priors": columns["history"]}
    people["copas"] = columns["copas"]
    people |= {name: columns[name] == 1.0 for name in ("male", "employed")}
    people |= {name: columns[name].astype(str) for name in ("ethnicity", "offence", "region")}
    return Drawn(
        people=pa.table(people),
        treated=treated,
        null=(rng.random(n) < without).astype(np.float64),
        rate=(rng.random(n) < np.where(treated, with_it, without)).astype(np.float64),
        count=rng.poisson(np.where(treated, mean_with, mean) * frailty).astype(np.float64),
        before=(rng.random(n) < _probability(risk + 0.2)).astype(np.float64),
        rate_effect=with_it - without,
        count_effect=mean_with - mean,
    )


def _probability(log_odds: FloatArray) -> FloatArray:
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)), np.float64)
