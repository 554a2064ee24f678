"""How likely the next offence is, and when: what moves it is partly in the records and partly in nobody's.

The cumulative hazard t years after an index date is exp(score) * t ** SHAPE, so that exp(score) is that of one year and
the first weeks are the riskiest. The score holds a term that is not linear in age, an interaction of age and kind of
offence, and a factor that no source records.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from counterfoil.population.draws import Floats
from counterfoil.population.offences import ACQUISITIVE, GROUPS
from counterfoil.population.sentencing import LONG, YEAR, Disposal

Codes = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]

SHAPE = 0.62
DAYS_IN_YEAR = 365.25
YOUNG = 25.0  # years of age
LATENT_EFFECT = 0.35  # of one standard deviation of the unrecorded factor


class Sentence(IntEnum):
    """What an index event was, as fine as its risk differs."""

    CAUTION = 0
    FINE = 1
    DISCHARGE = 2
    OTHER = 3
    COMMUNITY = 4
    SUSPENDED = 5
    CUSTODY_6_MONTHS = 6  # 6 months or less
    CUSTODY_UNDER_YEAR = 7
    CUSTODY_UNDER_4_YEARS = 8
    CUSTODY_LONG = 9


# Fitted so that the one-year rates come out as published (tests/spec/test_population_rates.py).
_INTERCEPT = np.array([-1.61, -1.62, -1.36, -1.35, -1.47, -1.57, -0.49, -0.87, -1.37, -2.00])
_LOG_PRIORS = 0.32  # for each unit of log(1 + sanctions before)
_FIRST_TIME = -0.90  # no sanction before
_FEMALE = -0.12
_SLOPE = -0.022  # for each year of age above 21
_BUMP = 0.22  # at 20, fading within some years: the term that is not linear
_JUVENILE = 0.64
_YOUNG_ACQUISITIVE = 0.30  # the interaction
_GROUP_EFFECTS = {
    "violence": -0.18, "robbery": 0.0, "public_order": 0.05, "sexual": -0.9, "burglary_domestic": 0.2,
    "burglary_other": 0.3, "theft": 0.55, "handling": 0.15, "fraud": -0.5, "breach": 0.25, "vehicle_taking": 0.3,
    "theft_from_vehicle": 0.5, "motoring": -0.05, "drink_driving": -0.75, "criminal_damage": 0.1,
    "drugs_supply": -0.35, "drugs_possession": -0.1, "other": -0.2,
}  # fmt: skip
_GROUP = np.array([_GROUP_EFFECTS[code] for code in GROUPS])

_OF_DISPOSAL = np.array(
    [Sentence.CUSTODY_LONG, Sentence.SUSPENDED, Sentence.COMMUNITY, Sentence.FINE, Sentence.DISCHARGE,
     Sentence.CAUTION, Sentence.OTHER]
)  # fmt: skip


def sentence_kind(disposal: Codes, sentence_days: npt.NDArray[np.int32]) -> Codes:
    """The finer kind of each sanction."""
    custody = disposal == Disposal.CUSTODY
    by_length = np.select(
        [sentence_days <= 183, sentence_days < YEAR, sentence_days < LONG],
        [Sentence.CUSTODY_6_MONTHS, Sentence.CUSTODY_UNDER_YEAR, Sentence.CUSTODY_UNDER_4_YEARS],
        Sentence.CUSTODY_LONG,
    )
    return np.where(custody, by_length, _OF_DISPOSAL[disposal]).astype(np.int8)


def score(*, kind: Codes, age: Floats, priors: Floats, female: Booleans, group: Codes, latent: Floats) -> Floats:
    """Log of the cumulative hazard of the first year after each index date. `age` in years at that date."""
    observed = (
        _INTERCEPT[kind]
        + _GROUP[group]
        + _LOG_PRIORS * np.log1p(priors)
        + _FIRST_TIME * (priors == 0)
        + _FEMALE * female
    )
    by_age = (
        _SLOPE * np.maximum(age - 21.0, 0.0) + _BUMP * np.exp(-(((age - 20.0) / 4.0) ** 2)) + _JUVENILE * (age < 18)
    )
    interaction = _YOUNG_ACQUISITIVE * ((age < YOUNG) & ACQUISITIVE[group])
    return np.asarray(observed + by_age + interaction + LATENT_EFFECT * latent, np.float64)


def days_until(score: Floats, exponential: Floats) -> Floats:
    """Days from the index date until the cumulative hazard reaches a unit exponential draw."""
    return np.asarray(DAYS_IN_YEAR * (exponential * np.exp(-score)) ** (1.0 / SHAPE), np.float64)


def hazard_by(score: Floats, days: Floats) -> Floats:
    """Cumulative hazard some days after the index date."""
    return np.asarray(np.exp(score) * (days / DAYS_IN_YEAR) ** SHAPE, np.float64)
