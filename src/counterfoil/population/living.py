"""Life courses: offences, proof, sanctions, custody, release and the next offence, for everybody a step at a time.

A step is one sanction: a first offence, further ones until the person is stopped, the proof, the disposal, custody, and
the draw of when the next offence comes. Everyone takes step k together, so that a million people are some dozens of
passes over arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from counterfoil.population.calendar import MISSING, Days
from counterfoil.population.careers import ADULT, Careers, Offences, Sanctions, Start, join, next_offence_day, select
from counterfoil.population.hazard import DAYS_IN_YEAR, days_until, score, sentence_kind
from counterfoil.population.offences import BURST, DAYS_TO_PROOF, draw_groups, draw_recordable, draw_tiers
from counterfoil.population.people import People
from counterfoil.population.sentencing import YEAR, Disposal, Ending, Stays, draw_disposals, draw_stays
from counterfoil.population.settings import LAST_DAY
from counterfoil.population.sides import with_side_sanctions

Codes = npt.NDArray[np.int8]
Integers = npt.NDArray[np.int32]
Booleans = npt.NDArray[np.bool_]

_KEEPS_GROUP = 0.5  # the next first offence is of the same group as the last
_SAME_GROUP = 0.62  # a further offence is of the group of the first
_CONVICTION_DAYS, _CONVICTION_SPREAD = 42.0, 0.75  # from the last offence to proof: median, and SD of the log
_CAUTION_DAYS, _CAUTION_SPREAD = 12.0, 0.8
_LONGEST_TO_PROOF = 1500
_FURTHER_MEAN = 1.35  # further offences dealt with together, at burst 1 and no priors
_FURTHER_BY_PRIORS = 0.22
_GAP_DAYS = 9.0  # mean, between offences of a run
_MOST_FURTHER = 30
_RECALLED = 0.12  # of releases on licence from a year or more
_RECALL_FROM, _RECALL_UNTIL = 100, 330  # days after release
_LATEST_STEP = 400


def first_start(people: People) -> Start:
    """Everyone before their first offence."""
    size = len(people)
    return Start(
        person=np.arange(size, dtype=np.int32),
        next_offence=people.onset,
        priors=np.zeros(size, np.int32),
        been_inside=np.zeros(size, np.bool_),
        group=np.full(size, -1, np.int8),
    )


def live(rng: np.random.Generator, people: People, start: Start) -> Careers:
    """Every life course from `start` to the end of the sources."""
    steps: list[Careers] = []
    for number in range(_LATEST_STEP):
        start = start.take((start.next_offence <= LAST_DAY) & (start.next_offence < people.dies[start.person]))
        if not len(start.person):
            break
        done, start = _step(rng, people, start, number)
        steps.append(done)
    return join(steps)


def _without_late_recalls(sanctions: Sanctions) -> Sanctions:
    """Someone who offends before the recall is charged, not recalled."""
    moment = next_offence_day(sanctions, days_until(sanctions.score, sanctions.exponential))
    late = (sanctions.recall != MISSING) & (moment < sanctions.recall)
    return replace(
        sanctions,
        recall=np.where(late, MISSING, sanctions.recall).astype(np.int32),
        recall_days=np.where(late, 0, sanctions.recall_days).astype(np.int32),
    )


def _step(rng: np.random.Generator, people: People, start: Start, number: int) -> tuple[Careers, Start]:
    sanctions, runs = _main_sanctions(rng, people, start, number)
    offences = _run_offences(rng, people, sanctions, runs)
    known = (sanctions.proven <= LAST_DAY) & (sanctions.proven < people.dies[sanctions.person])
    done = select(Careers(sanctions, offences), known)
    done = Careers(_without_late_recalls(done.sanctions), done.offences)
    goes_on = ~np.isin(done.sanctions.ending, (Ending.DEPORTED, Ending.DIED))
    following = done.sanctions.take(goes_on)
    moment = next_offence_day(following, days_until(following.score, following.exponential))
    after = Start(
        person=following.person,
        next_offence=moment,
        priors=following.priors + 1,
        been_inside=following.been_inside | (following.disposal == Disposal.CUSTODY),
        group=following.group,
    )
    return with_side_sanctions(rng, people, done), after


@dataclass(frozen=True, slots=True)
class _Runs:
    """Further offences of each sanction: how many, and days after the first, one row an offence."""

    count: npt.NDArray[np.int64]
    owner: npt.NDArray[np.int64]
    after: npt.NDArray[np.int32]


def _main_sanctions(rng: np.random.Generator, people: People, start: Start, number: int) -> tuple[Sanctions, _Runs]:
    size, female = len(start.person), people.female[start.person]
    fresh = draw_groups(rng, female)
    group = np.where((start.group >= 0) & (rng.random(size) < _KEEPS_GROUP), start.group, fresh).astype(np.int8)
    tier = draw_tiers(rng, group)
    age = (start.next_offence - people.born[start.person]) / DAYS_IN_YEAR
    disposal = draw_disposals(
        rng,
        priors=start.priors.astype(np.float64),
        been_inside=start.been_inside,
        group=group,
        juvenile=age < ADULT,
        female=female,
    )
    runs, last = _runs(rng, start, group, disposal)
    proven = last + _days_to_proof(rng, disposal, group)
    stays = draw_stays(
        rng, disposal=disposal, proven=proven, group=group, last_offence=last, foreign=people.foreign[start.person]
    )
    return _assemble(rng, people, start, number, group, tier, disposal, proven, stays), runs


def _assemble(
    rng: np.random.Generator,
    people: People,
    start: Start,
    number: int,
    group: Codes,
    tier: Codes,
    disposal: Codes,
    proven: Days,
    stays: Stays,
) -> Sanctions:
    size = len(group)
    index_date = np.where(disposal == Disposal.CUSTODY, stays.release, proven).astype(np.int32)
    recall, recall_days = _recalls(rng, stays, disposal)
    kind = sentence_kind(disposal, stays.sentence_days)
    risk = score(
        kind=kind,
        age=(index_date - people.born[start.person]) / DAYS_IN_YEAR,
        priors=start.priors.astype(np.float64),
        female=people.female[start.person],
        group=group,
        latent=people.latent[start.person],
    )
    return Sanctions(
        person=start.person,
        step=np.full(size, number, np.int32),
        side=np.zeros(size, np.bool_),
        offence_day=start.next_offence,
        proven=proven,
        disposal=disposal,
        group=group,
        tier=tier,
        recordable=draw_recordable(rng, group, tier),
        priors=start.priors,
        been_inside=start.been_inside,
        sentence_days=stays.sentence_days,
        reception=stays.reception,
        release=stays.release,
        ending=stays.ending,
        remand_only=stays.remand_only,
        recall=recall,
        recall_days=recall_days,
        index_date=index_date,
        score=risk,
        exponential=rng.exponential(1.0, size),
    )


def _runs(rng: np.random.Generator, start: Start, group: Codes, disposal: Codes) -> tuple[_Runs, Days]:
    """Further offences before the person is stopped, and the day of the last one."""
    mean = _FURTHER_MEAN * BURST[group] * (1.0 + _FURTHER_BY_PRIORS * np.log1p(start.priors))
    mean = np.where(disposal == Disposal.CAUTION, 0.12, mean)
    count = np.minimum(rng.geometric(1.0 / (1.0 + mean)) - 1, _MOST_FURTHER)
    owner = np.repeat(np.arange(len(group)), count)
    gap = rng.exponential(_GAP_DAYS, len(owner))
    total = np.cumsum(gap)
    before = np.concatenate([[0.0], total])[np.concatenate([[0], np.cumsum(count)[:-1]])]
    after = (total - before[owner]).astype(np.int32)
    last = start.next_offence.copy()
    np.maximum.at(last, owner, start.next_offence[owner] + after)
    return _Runs(count, owner, after), last


def _days_to_proof(rng: np.random.Generator, disposal: Codes, group: Codes) -> Integers:
    size = len(disposal)
    convicted = _CONVICTION_DAYS * DAYS_TO_PROOF[group] * np.exp(rng.normal(0.0, _CONVICTION_SPREAD, size))
    cautioned = _CAUTION_DAYS * np.exp(rng.normal(0.0, _CAUTION_SPREAD, size))
    drawn = np.where(disposal == Disposal.CAUTION, cautioned, convicted)
    return (1 + np.minimum(drawn, _LONGEST_TO_PROOF)).astype(np.int32)


def _recalls(rng: np.random.Generator, stays: Stays, disposal: Codes) -> tuple[Days, Integers]:
    size = len(disposal)
    licence = (disposal == Disposal.CUSTODY) & (stays.sentence_days >= YEAR) & (stays.ending <= Ending.PAROLE)
    recalled = licence & (rng.random(size) < _RECALLED)
    day = stays.release + rng.integers(_RECALL_FROM, _RECALL_UNTIL, size)
    length = np.where(rng.random(size) < 0.7, 28, rng.integers(30, 200, size))
    length = np.minimum(length, np.maximum(stays.sentence_days // 2, 28))
    return np.where(recalled, day, MISSING).astype(np.int32), np.where(recalled, length, 0).astype(np.int32)


def _run_offences(rng: np.random.Generator, people: People, sanctions: Sanctions, runs: _Runs) -> Offences:
    """The first offence of each sanction and the further ones."""
    size, owner = len(sanctions), runs.owner
    fresh = draw_groups(rng, people.female[sanctions.person[owner]])
    group = np.where(rng.random(len(owner)) < _SAME_GROUP, sanctions.group[owner], fresh).astype(np.int8)
    tier = draw_tiers(rng, group)
    return Offences(
        sanction=np.concatenate([np.arange(size), owner]).astype(np.int32),
        day=np.concatenate([sanctions.offence_day, sanctions.offence_day[owner] + runs.after]).astype(np.int32),
        group=np.concatenate([sanctions.group, group]),
        tier=np.concatenate([sanctions.tier, tier]),
        recordable=np.concatenate([sanctions.recordable, draw_recordable(rng, group, tier)]),
        breach=np.zeros(size + len(owner), np.bool_),
    )
