"""Life courses: offences, proof, sanctions, custody and release, until the next offence, for everybody one step at a time.

A step is one sanction: a first offence, further ones until the person is stopped, the proof, the disposal, custody, and
the draw of when the next offence comes. Everyone takes step k together, so that a million people are some dozens of
passes over arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from counterfoil.population.calendar import MISSING, Days
from counterfoil.population.draws import Floats
from counterfoil.population.hazard import DAYS_IN_YEAR, days_until, score, sentence_kind
from counterfoil.population.offences import BREACH, BURST, DAYS_TO_PROOF, draw_groups, draw_recordable, draw_tiers
from counterfoil.population.people import People
from counterfoil.population.sentencing import ORDERS, YEAR, Disposal, Ending, Stays, draw_disposals, draw_stays
from counterfoil.population.settings import LAST_DAY

Codes = npt.NDArray[np.int8]
Integers = npt.NDArray[np.int32]
Booleans = npt.NDArray[np.bool_]

ADULT = 18.0

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
_LEFT_OVER = 0.07  # of runs: the last offence is proven apart, later
_BREACHES = 0.11  # of orders and licences
_LATEST_STEP = 400


@dataclass(frozen=True, slots=True)
class Start:
    """Where each life course (re)starts: a person whose next first offence is known."""

    person: Integers
    next_offence: Days
    priors: Integers  # sanctions so far
    been_inside: Booleans
    group: Codes  # of the last first offence, -1 when there was none

    def take(self, who: npt.NDArray[np.integer] | Booleans) -> Start:
        """Some of them."""
        return Start(*(getattr(self, f.name)[who] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Sanctions:
    """One entry a sanction. A side sanction (a left-over offence, a breach) starts no new risk: its `exponential` is nan."""

    person: Integers
    step: Integers  # 0 for a person's first; side sanctions carry the step that they belong to
    side: Booleans
    offence_day: Days  # of the first offence
    proven: Days
    disposal: Codes
    group: Codes
    tier: Codes
    recordable: Booleans
    priors: Integers  # sanctions before, side ones left out
    been_inside: Booleans  # before this sanction
    sentence_days: Integers
    reception: Days
    release: Days
    ending: Codes
    remand_only: Booleans
    recall: Days  # of the recall after the release, MISSING when none
    recall_days: Integers
    index_date: Days  # from when there is a new risk: release from custody, else proof
    score: Floats
    exponential: Floats  # the draw that decides when the next offence is

    def __len__(self) -> int:
        return len(self.person)

    def take(self, who: npt.NDArray[np.integer] | Booleans) -> Sanctions:
        """Some of them."""
        return Sanctions(*(getattr(self, f.name)[who] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Offences:
    """One entry an offence; `sanction` is a position in Sanctions."""

    sanction: Integers
    day: Days
    group: Codes
    tier: Codes
    recordable: Booleans
    breach: Booleans

    def __len__(self) -> int:
        return len(self.sanction)

    def take(self, who: npt.NDArray[np.integer] | Booleans) -> Offences:
        """Some of them."""
        return Offences(*(getattr(self, f.name)[who] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Careers:
    """Sanctions and the offences that they dealt with."""

    sanctions: Sanctions
    offences: Offences


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


def join(parts: Sequence[Careers]) -> Careers:
    """Careers one after another; the offences' positions follow."""
    offsets = np.cumsum([0, *(len(part.sanctions) for part in parts)])[:-1].astype(np.int32)
    sanctions = Sanctions(
        *(np.concatenate([getattr(part.sanctions, f.name) for part in parts]) for f in fields(Sanctions))
    )
    moved = [
        replace(part.offences, sanction=part.offences.sanction + offset)
        for part, offset in zip(parts, offsets, strict=True)
    ]
    return Careers(
        sanctions, Offences(*(np.concatenate([getattr(m, f.name) for m in moved]) for f in fields(Offences)))
    )


def select(careers: Careers, keep: Booleans) -> Careers:
    """Careers with some sanctions left out, and their offences with them."""
    position = np.cumsum(keep, dtype=np.int32) - 1
    offences = careers.offences.take(keep[careers.offences.sanction])
    return Careers(careers.sanctions.take(keep), replace(offences, sanction=position[offences.sanction]))


def next_offence_day(sanctions: Sanctions, days: Floats) -> Days:
    """The date that lies `days` at liberty after the index date; time back inside on recall does not count."""
    plain = sanctions.index_date + 1 + np.minimum(days, 40_000).astype(np.int32)
    recalled = (sanctions.recall != MISSING) & (plain >= sanctions.recall)
    return np.where(recalled, plain + sanctions.recall_days, plain).astype(np.int32)


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
    return _with_side_sanctions(rng, people, done), after


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


def _with_side_sanctions(rng: np.random.Generator, people: People, done: Careers) -> Careers:
    """Offences that are proven apart from their run, later; and breaches of orders and licences."""
    left, careers = _left_over(rng, done)
    breaches = _breaches(rng, done.sanctions)
    sides = join([left, breaches])
    death = people.dies[sides.sanctions.person]
    known = (sides.sanctions.proven <= LAST_DAY) & (sides.sanctions.proven < death)
    return join([careers, select(sides, known)])


def _left_over(rng: np.random.Generator, done: Careers) -> tuple[Careers, Careers]:
    """Take the last offence of some runs out of its sanction, to be proven by one of its own."""
    further = done.offences.take(np.s_[len(done.sanctions) :]) if len(done.offences) > len(done.sanctions) else None
    if further is None:
        return _no_careers(done), done
    last_of_run = np.append(further.sanction[1:] != further.sanction[:-1], True)
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


def _no_careers(like: Careers) -> Careers:
    nothing = np.zeros(0, np.int64)
    return Careers(like.sanctions.take(nothing), like.offences.take(nothing))
