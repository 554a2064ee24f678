"""Proven reoffending by the rule of the service, read off the true offences: the witness of what a lab should find."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from counterfoil.population.calendar import MISSING, Days, add_months
from counterfoil.population.careers import Careers
from counterfoil.population.programmes import Outcomes
from counterfoil.population.settings import FOLLOW_UP_MONTHS, WAITING_MONTHS

_BASE = 1 << 20  # above every day, so that person and day are one number


def one_year_outcomes(careers: Careers, person: npt.NDArray[np.int32], index_date: Days) -> Outcomes:
    """Recordable offences that are no breach, from the index date until 12 months later (left out), proven within 18
    months (left out). An offence of the index date proven that day belongs to the index sanction."""
    day, proven, key = _countable(careers, person)
    ends = add_months(index_date, FOLLOW_UP_MONTHS)
    proof_ends = add_months(index_date, FOLLOW_UP_MONTHS + WAITING_MONTHS)
    first = np.searchsorted(key, person.astype(np.int64) * _BASE + index_date)
    last = np.searchsorted(key, person.astype(np.int64) * _BASE + ends)
    count = last - first
    owner = np.repeat(np.arange(len(person)), count)
    at = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count) + first[owner]
    counts = (proven[at] < proof_ends[owner]) & ((day[at] > index_date[owner]) | (proven[at] > index_date[owner]))
    frequency = np.bincount(owner[counts], minlength=len(person)).astype(np.int32)
    days = np.full(len(person), np.iinfo(np.int32).max, np.int32)
    np.minimum.at(days, owner[counts], day[at[counts]] - index_date[owner[counts]])
    return Outcomes((frequency > 0).astype(np.int8), frequency, np.where(frequency > 0, days, MISSING).astype(np.int32))


def _countable(careers: Careers, person: npt.NDArray[np.int32]) -> tuple[Days, Days, npt.NDArray[np.int64]]:
    """Offences that count, of the people asked for, by person and day."""
    sanctions, offences = careers.sanctions, careers.offences
    asked = np.zeros(int(sanctions.person.max(initial=0)) + 2, np.bool_)
    asked[person[person < len(asked)]] = True
    rows = np.flatnonzero(offences.recordable & ~offences.breach & asked[sanctions.person[offences.sanction]])
    whose = sanctions.person[offences.sanction[rows]]
    key = whose.astype(np.int64) * _BASE + offences.day[rows]
    order = np.argsort(key, kind="stable")
    return offences.day[rows][order], sanctions.proven[offences.sanction[rows]][order], key[order]
