"""Sanctions beside the course of a life: offences proven apart from their run, and breaches of orders and licences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from counterfoil.population.calendar import MISSING, Days
from counterfoil.population.careers import Careers, Offences, Sanctions, join, select
from counterfoil.population.offences import BREACH
from counterfoil.population.people import People
from counterfoil.population.sentencing import ORDERS, Disposal, Ending
from counterfoil.population.settings import LAST_DAY

Codes = npt.NDArray[np.int8]
Integers = npt.NDArray[np.int32]
Booleans = npt.NDArray[np.bool_]

_LEFT_OVER = 0.07  # of runs: the last offence is proven apart, later
_BREACHES = 0.11  # of orders and licences


def with_side_sanctions(rng: np.random.Generator, people: People, done: Careers) -> Careers:
    """Offences that are proven apart from their run, later; and breaches of orders and licences."""
    left, careers = _left_over(rng, done)
    breaches = _breaches(rng, done.sanctions)
    sides = join([left, breaches])
    death = people.dies[sides.sanctions.person]
    known = (sides.sanctions.proven <= LAST_DAY) & (sides.sanctions.proven < death)
    return join([careers, select(sides, known)])


def _left_over(rng: np.random.Generator, done: Careers) -> tuple[Careers, Careers]:
    """Take the last offence of some runs out of its sanction, to be proven by one of its own."""
    further = done.offences.take(np.arange(len(done.sanctions), len(done.offences)))
    last_of_run = np.append(further.sanction[1:] != further.sanction[:-1], True)[: len(further)]
    chosen = last_of_run & (rng.random(len(further)) < _LEFT_OVER)
    apart = further.take(chosen)
    keep = np.concatenate([np.ones(len(done.sanctions), np.bool_), ~chosen])
    parent = done.sanctions.take(apart.sanction)
    later = parent.proven + rng.integers(10, 160, len(parent)).astype(np.int32)
    disposal = rng.choice([Disposal.FINE, Disposal.DISCHARGE, Disposal.OTHER], len(parent)).astype(np.int8)
    side = _side(parent, offence_day=apart.day, proven=later, disposal=disposal, group=apart.group, tier=apart.tier)
    alone = replace(apart, sanction=np.arange(len(parent), dtype=np.int32))
    return Careers(side, alone), Careers(done.sanctions, done.offences.take(keep))


def _breaches(rng: np.random.Generator, sanctions: Sanctions) -> Careers:
    """Breaches come soon after the start of an order or licence and are dealt with quickly. They are no reoffences."""
    served = np.isin(sanctions.disposal, (*ORDERS, Disposal.CUSTODY)) & (sanctions.ending != Ending.DIED)
    parent = sanctions.take(served & (rng.random(len(sanctions)) < _BREACHES))
    size = len(parent)
    day = parent.index_date + rng.integers(8, 180, size).astype(np.int32)
    group = np.full(size, BREACH, np.int8)
    tier = np.full(size, 2, np.int8)
    side = _side(
        parent,
        offence_day=day,
        proven=day + rng.integers(5, 45, size).astype(np.int32),
        disposal=rng.choice([Disposal.FINE, Disposal.OTHER], size, p=[0.35, 0.65]).astype(np.int8),
        group=group,
        tier=tier,
    )
    yes = np.ones(size, np.bool_)
    return Careers(side, Offences(np.arange(size, dtype=np.int32), day, group, tier, yes, yes))


def _side(
    parent: Sanctions, *, offence_day: Days, proven: Days, disposal: Codes, group: Codes, tier: Codes
) -> Sanctions:
    size = len(parent)
    missing = np.full(size, MISSING, np.int32)
    return replace(
        parent,
        side=np.ones(size, np.bool_),
        offence_day=offence_day,
        proven=proven,
        disposal=disposal,
        group=group,
        tier=tier,
        recordable=np.ones(size, np.bool_),
        sentence_days=np.zeros(size, np.int32),
        reception=missing,
        release=missing,
        ending=np.full(size, -1, np.int8),
        remand_only=np.zeros(size, np.bool_),
        recall=missing,
        recall_days=np.zeros(size, np.int32),
        index_date=proven,
        exponential=np.full(size, np.nan),
    )
