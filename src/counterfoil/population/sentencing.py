"""What a court or officer does with an offence, and how long someone is inside."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from counterfoil.population.calendar import MISSING, Days
from counterfoil.population.draws import Floats, pick_rows
from counterfoil.population.offences import SEVERITY, scale_of

Codes = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]

DISPOSALS = ("custody", "suspended", "community", "fine", "conditional_discharge", "caution", "other")
ORDERS = (1, 2)  # positions of suspended and community: served in the community


class Disposal(IntEnum):
    """Position in DISPOSALS."""

    CUSTODY = 0
    SUSPENDED = 1
    COMMUNITY = 2
    FINE = 3
    DISCHARGE = 4
    CAUTION = 5
    OTHER = 6


class Ending(IntEnum):
    """How a stay in custody ended. Position in RELEASE_TYPES."""

    AUTOMATIC = 0
    HDC = 1
    PAROLE = 2
    END_OF_SENTENCE = 3
    DEPORTED = 4
    DIED = 5
    BAILED = 6


RELEASE_TYPES = ("automatic", "hdc", "parole", "end_of_sentence", "deported", "died", "bailed")

YEAR = 365
LONG = 4 * YEAR

# Utilities of DISPOSALS: constant, for each unit of log(1 + prior sanctions), for each unit of severity, if under 18.
_CONSTANT = np.array([-1.50, -0.85, -0.15, 0.65, -0.20, 1.10, -1.45])
_PRIORS = np.array([0.85, 0.45, 0.35, -0.05, -0.05, -1.15, 0.00])
_SEVERITY = np.array([1.45, 0.85, 0.45, -0.85, -0.45, -0.80, 0.00])
_JUVENILE = np.array([-1.60, -9.00, 0.55, -0.90, -0.10, 0.70, 1.50])
_BEEN_INSIDE = 0.45  # added to custody's utility
_FEMALE_CUSTODY = -0.45

_MEDIAN_DAYS = 95.0  # of a custodial sentence for an offence of severity 0
_DAYS_BY_SEVERITY = 1.05
_SPREAD = 0.85
_SHORTEST, _LONGEST = 14, 25 * YEAR
_ROUND_TO = 7  # short sentences are in weeks, long ones in months
_MONTH = 30.4

_REMANDED = 0.22  # of those later sentenced to custody, at severity 0
_HDC_SHARE, _HDC_MAXIMUM = 0.22, 60  # released up to that many days early
_HDC_FROM = 84
_PAROLE_DELAY = 240.0  # mean days after half the sentence, for four years and more
_DEPORTED = 0.30  # of foreign nationals with a year or more
_DIED_INSIDE = 0.001


@dataclass(frozen=True, slots=True)
class Stays:
    """Time in custody for each sanction; MISSING reception where there was none."""

    sentence_days: npt.NDArray[np.int32]  # 0 for a sanction without a length
    reception: Days
    release: Days
    ending: Codes
    remand_only: Booleans  # held before the sanction, not sentenced to custody


def draw_disposals(
    rng: np.random.Generator,
    *,
    priors: Floats,
    been_inside: Booleans,
    group: Codes,
    juvenile: Booleans,
    female: Booleans,
) -> Codes:
    """One disposal for each sanction."""
    severity, log_priors = SEVERITY[group], np.log1p(priors)
    utility = _CONSTANT + log_priors[:, None] * _PRIORS + severity[:, None] * _SEVERITY
    utility += juvenile[:, None] * _JUVENILE
    utility[:, Disposal.CUSTODY] += _BEEN_INSIDE * been_inside + _FEMALE_CUSTODY * female
    return pick_rows(rng, np.exp(utility)).astype(np.int8)


def draw_stays(
    rng: np.random.Generator, *, disposal: Codes, proven: Days, group: Codes, last_offence: Days, foreign: Booleans
) -> Stays:
    """Lengths, remand and release for each sanction."""
    size = len(disposal)
    custody = disposal == Disposal.CUSTODY
    days = _lengths(rng, disposal, group)
    remand = rng.random(size) < np.where(custody, scale_of(_REMANDED, group), scale_of(0.02, group))
    received = np.minimum(last_offence + 1 + (rng.random(size) * 4).astype(np.int32), proven)
    reception = np.where(remand, received, np.where(custody, proven, MISSING)).astype(np.int32)
    half = np.where(custody, (days + 1) // 2, 0)
    ending, early = _endings(rng, days, custody, foreign)
    release = np.maximum(proven + 1, reception + half - early)
    release = np.where(custody, release, np.where(remand, proven, MISSING)).astype(np.int32)
    ending = np.where(custody, ending, np.where(remand, Ending.BAILED, -1)).astype(np.int8)
    return Stays(days, reception, release, ending, remand & ~custody)


def _lengths(rng: np.random.Generator, disposal: Codes, group: Codes) -> npt.NDArray[np.int32]:
    size = len(disposal)
    drawn = _MEDIAN_DAYS * np.exp(_DAYS_BY_SEVERITY * SEVERITY[group] + rng.normal(0.0, _SPREAD, size))
    drawn = np.clip(drawn, _SHORTEST, _LONGEST)
    custody = np.where(drawn < 84, np.round(drawn / _ROUND_TO) * _ROUND_TO, np.round(np.round(drawn / _MONTH) * _MONTH))
    order = np.round(rng.choice([183.0, 365.0, 365.0, 548.0, 730.0], size))
    length = np.select([disposal == Disposal.CUSTODY, np.isin(disposal, ORDERS)], [custody, order], 0)
    return length.astype(np.int32)


def _endings(
    rng: np.random.Generator, days: npt.NDArray[np.int32], custody: Booleans, foreign: Booleans
) -> tuple[Codes, npt.NDArray[np.int32]]:
    """How each custodial stay ends, and how many days before half the sentence (negative: after)."""
    size = len(days)
    drawn = rng.random(size)
    hdc = custody & (days >= _HDC_FROM) & (days < LONG) & (drawn < _HDC_SHARE)
    parole = custody & (days >= LONG)
    ending = np.where(hdc, Ending.HDC, np.where(parole, Ending.PAROLE, Ending.AUTOMATIC))
    early = np.where(hdc, np.minimum(days // 6, _HDC_MAXIMUM), 0)
    early -= np.where(parole, np.minimum(rng.exponential(_PAROLE_DELAY, size), days / 3), 0).astype(early.dtype)
    ending = np.where(foreign & (days >= YEAR) & (rng.random(size) < _DEPORTED), Ending.DEPORTED, ending)
    ending = np.where(rng.random(size) < _DIED_INSIDE, Ending.DIED, ending)
    return ending.astype(np.int8), early.astype(np.int32)
