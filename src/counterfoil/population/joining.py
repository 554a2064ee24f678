"""Who joins a programme, when, and what it does to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit

from counterfoil.population.calendar import MISSING
from counterfoil.population.careers import ADULT, Careers, Sanctions, Start, join, next_offence_day, select
from counterfoil.population.draws import Floats
from counterfoil.population.hazard import DAYS_IN_YEAR, YOUNG, days_until, hazard_by
from counterfoil.population.living import live
from counterfoil.population.offences import ACQUISITIVE, GROUPS
from counterfoil.population.outcome_rule import one_year_outcomes
from counterfoil.population.people import People
from counterfoil.population.programmes import NOT_A_PERSON, Expected, Members, Outcomes, ProgrammeSpec, Selection
from counterfoil.population.sentencing import ORDERS, YEAR, Disposal, Ending
from counterfoil.population.settings import FIRST_EVALUATED, LAST_EVALUATED
from counterfoil.population.tables import regions

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

# Shares of a provider's rows, the rest being people who should be analysed.
OFFENDED_SHARE = 0.04
OUTSIDE_SHARE = 0.04
NO_INDEX_SHARE = 0.03
IN_NO_SOURCE_SHARE = 0.05

_DRAWN_TOO_MANY = 1.4  # then some are taken out at random, so that the number is as wanted
_INSIDE_DAYS = 60  # who starts before release starts in the last two months
_YEARS_BEFORE = 3  # years before the evaluated ones, from which a provider lists some
_VIOLENCE = GROUPS.index("violence")


@dataclass(frozen=True, slots=True)
class Joined:
    """The members, and the careers after the programme did what it does."""

    members: Members
    careers: Careers


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Index events that might lead into the programme; `sanction` is a position."""

    sanction: Integers
    delay: Integers  # days from the index date to the start; negative when it lies in custody
    offends_before: Booleans
    score: Floats  # log odds to join without the constant


def plant(rng: np.random.Generator, people: People, careers: Careers, spec: ProgrammeSpec, taken: Booleans) -> Joined:
    """Let people join `spec`, and let it work. `taken` marks who is in another programme already; it is not changed."""
    sanctions = careers.sanctions
    free = ~taken[sanctions.person]
    candidates = _candidates(rng, people, sanctions, spec, free & _may_join(people, sanctions, spec))
    ready = ~candidates.offends_before
    wanted = _analysed_rows(spec, int(ready.sum()))
    propensity = _propensity(candidates.score[ready], wanted * _DRAWN_TOO_MANY)
    drawn = _first_of_each(sanctions, candidates.sanction[ready], rng.random(len(propensity)) < propensity)
    chosen = np.sort(rng.permutation(drawn)[: round(wanted)])
    propensity = propensity * len(chosen) / max(len(drawn), 1)
    sanction, delay = candidates.sanction[ready][chosen], candidates.delay[ready][chosen]
    y0 = one_year_outcomes(careers, sanctions.person[sanction], sanctions.index_date[sanction])
    after = _with_effect(rng, people, careers, sanction, delay, spec)
    y1 = one_year_outcomes(after, sanctions.person[sanction], sanctions.index_date[sanction])
    core = _members(sanctions, sanction, delay, Expected.ANALYSED, propensity[chosen], y0, y1)
    others = _others(rng, people, careers, candidates, spec, free, core)
    return Joined(_together([core, *others]), after)


def _analysed_rows(spec: ProgrammeSpec, ready: int) -> float:
    share = 1.0 - OFFENDED_SHARE - OUTSIDE_SHARE - NO_INDEX_SHARE - IN_NO_SOURCE_SHARE
    return min(spec.people * share, ready * spec.most_of_pool)


def _may_join(people: People, sanctions: Sanctions, spec: ProgrammeSpec) -> Booleans:
    """Each person's first release or sentence served in the community in the evaluated years, of adults of the regions.

    The first, so that the past alone decides who joins: were later events to count, those who reoffend would have more
    chances, and the people left to compare with would be too good.
    """
    at = np.flatnonzero(in_evaluated_years(sanctions) & _leads_into_follow_up(people, sanctions))
    first = np.zeros(len(sanctions), np.bool_)
    first[at[_first_of_each(sanctions, at, np.ones(len(at), np.bool_))]] = True
    near = np.array([not spec.regions or region.code in spec.regions for region in regions()])
    return np.asarray(first & _adult(people, sanctions) & near[people.region[sanctions.person]], np.bool_)


def _adult(people: People, sanctions: Sanctions) -> Booleans:
    return np.asarray(sanctions.index_date - people.born[sanctions.person] >= ADULT * DAYS_IN_YEAR, np.bool_)


def in_evaluated_years(sanctions: Sanctions) -> Booleans:
    """Index dates whose outcomes the lab measures."""
    day = sanctions.index_date
    return np.asarray((day >= FIRST_EVALUATED) & (day <= LAST_EVALUATED), np.bool_)


def _leads_into_follow_up(people: People, sanctions: Sanctions) -> Booleans:
    """Releases and sentences served in the community, of people who live to see them."""
    released = (sanctions.disposal == Disposal.CUSTODY) & (sanctions.ending <= Ending.PAROLE)
    alive = people.dies[sanctions.person] > sanctions.index_date
    served = released | np.isin(sanctions.disposal, ORDERS)
    return np.asarray(~sanctions.side & served & alive, np.bool_)


def _candidates(
    rng: np.random.Generator, people: People, sanctions: Sanctions, spec: ProgrammeSpec, who: Booleans
) -> _Candidates:
    at = np.flatnonzero(who)
    events = sanctions.take(at)
    delay = _delays(rng, events, spec)
    moment = next_offence_day(events, days_until(events.score, events.exponential))
    before = moment < events.index_date + np.maximum(delay, 0)
    return _Candidates(at, delay, before, selection_score(people, events, spec.selection))


def _delays(rng: np.random.Generator, events: Sanctions, spec: ProgrammeSpec) -> Integers:
    size = len(events)
    outside = rng.integers(0, spec.longest_delay + 1, size)
    stay = np.where(events.reception != MISSING, events.release - events.reception, 0)
    can = (events.disposal == Disposal.CUSTODY) & (stay > 1) & (rng.random(size) < spec.started_inside)
    inside = -1 - (rng.random(size) * np.minimum(stay - 1, _INSIDE_DAYS).clip(0)).astype(np.int64)
    return np.where(can, inside, outside)


def selection_score(people: People, events: Sanctions, rule: Selection) -> Floats:
    """Log odds of joining without the constant."""
    age = (events.index_date - people.born[events.person]) / DAYS_IN_YEAR
    tens = (age - 33.0) / 10.0
    custody = events.disposal == Disposal.CUSTODY
    return np.asarray(
        rule.age * tens
        + rule.age_squared * np.minimum(tens**2, 4.0)
        + rule.priors * np.log1p(events.priors)
        + rule.female * people.female[events.person]
        + rule.custody * custody
        + rule.long_sentence * (custody & (events.sentence_days >= YEAR))
        + rule.violence * (events.group == _VIOLENCE)
        + rule.young_acquisitive * ((age < YOUNG) & ACQUISITIVE[events.group])
        + rule.latent * people.latent[events.person],
        np.float64,
    )


def _propensity(score: Floats, wanted: float) -> Floats:
    """Probabilities that sum to `wanted`."""
    if not len(score) or wanted <= 0:
        return np.zeros(len(score))
    constant = brentq(lambda c: float(expit(score + c).sum()) - min(wanted, 0.95 * len(score)), -25.0, 25.0)
    return np.asarray(expit(score + constant), np.float64)


def _first_of_each(sanctions: Sanctions, at: Integers, drawn: Booleans) -> Integers:
    """Of each person's drawn events the first: it depends on the past alone. Positions in `at`."""
    rows = np.flatnonzero(drawn)
    order = rows[np.lexsort((sanctions.index_date[at[rows]], sanctions.person[at[rows]]))]
    person = sanctions.person[at[order]]
    return order[np.append(True, person[1:] != person[:-1])] if len(order) else order


def _with_effect(
    rng: np.random.Generator, people: People, careers: Careers, sanction: Integers, delay: Integers, spec: ProgrammeSpec
) -> Careers:
    """The same life courses until the start, and from then on with the hazard of the first reoffence multiplied.

    Without an effect nothing changes, so that both potential outcomes are the same. With one, the draw that decided
    the first reoffence stays and is reached later; what follows it is lived anew.
    """
    if spec.hazard_ratio == 1.0 or not len(sanction):
        return careers
    sanctions = careers.sanctions
    events = sanctions.take(sanction)
    by_start = hazard_by(events.score, np.maximum(delay, 0).astype(np.float64))
    reached = by_start + np.maximum(events.exponential - by_start, 0.0) / spec.hazard_ratio
    restart = Start(
        person=events.person,
        next_offence=next_offence_day(events, days_until(events.score, reached)),
        priors=events.priors + 1,
        been_inside=events.been_inside | (events.disposal == Disposal.CUSTODY),
        group=events.group,
    )
    last_step = np.full(len(people), np.iinfo(np.int32).max, np.int32)
    last_step[events.person] = events.step
    kept = select(careers, sanctions.step <= last_step[sanctions.person])
    return join([kept, live(rng, people, restart)])


def _others(
    rng: np.random.Generator,
    people: People,
    careers: Careers,
    candidates: _Candidates,
    spec: ProgrammeSpec,
    free: Booleans,
    core: Members,
) -> list[Members]:
    """Rows of the list that a lab must leave out, each for its reason. `free` is by sanction."""
    sanctions = careers.sanctions
    used = np.zeros(len(people), np.bool_)
    used[core.person] = True
    scale = len(core) / max(1.0 - OFFENDED_SHARE - OUTSIDE_SHARE - NO_INDEX_SHARE - IN_NO_SOURCE_SHARE, 0.1)
    result = []
    for expected, share, (at, delay) in (
        (Expected.OFFENDED_BEFORE_START, OFFENDED_SHARE, _offended(sanctions, candidates)),
        (Expected.OUTSIDE_YEARS, OUTSIDE_SHARE, _outside(rng, people, sanctions, spec, free)),
        (Expected.NO_INDEX_EVENT, NO_INDEX_SHARE, _without_event(rng, people, sanctions, free)),
    ):
        usable = np.flatnonzero(~used[sanctions.person[at]])
        picked = rng.permutation(usable)[: max(1, round(scale * share))]
        _, one_each = np.unique(sanctions.person[at[picked]], return_index=True)
        picked = picked[np.sort(one_each)]
        used[sanctions.person[at[picked]]] = True
        result.append(_unmeasured(sanctions, at[picked], delay[picked], expected))
    return [*result, _strangers(rng, core, max(1, round(scale * IN_NO_SOURCE_SHARE)))]


def _offended(sanctions: Sanctions, candidates: _Candidates) -> tuple[Integers, Integers]:
    """Who offended before the start and started all the same; the offence is proven and recordable."""
    key = sanctions.person.astype(np.int64) * 1000 + sanctions.step
    recordable = np.sort(key[~sanctions.side & sanctions.recordable])
    wanted = key[candidates.sanction] + 1
    place = np.searchsorted(recordable, wanted).clip(0, max(len(recordable) - 1, 0))
    known = recordable[place] == wanted
    rows = candidates.offends_before & known & (candidates.delay > 0)
    return candidates.sanction[rows], candidates.delay[rows]


def _outside(
    rng: np.random.Generator, people: People, sanctions: Sanctions, spec: ProgrammeSpec, free: Booleans
) -> tuple[Integers, Integers]:
    """Who joined in years that are not evaluated."""
    early = FIRST_EVALUATED - _YEARS_BEFORE * YEAR
    old = (sanctions.index_date >= early) & (sanctions.index_date < FIRST_EVALUATED - spec.longest_delay - 200)
    at = np.flatnonzero(old & free & _adult(people, sanctions) & _leads_into_follow_up(people, sanctions))
    return at, rng.integers(0, spec.longest_delay + 1, len(at))


def _without_event(
    rng: np.random.Generator, people: People, sanctions: Sanctions, free: Booleans
) -> tuple[Integers, Integers]:
    """Who was never sentenced to custody or an order: fined or cautioned only."""
    served = np.zeros(len(people), np.bool_)
    served[sanctions.person[np.isin(sanctions.disposal, (Disposal.CUSTODY, *ORDERS))]] = True
    free_adults = free & _adult(people, sanctions) & ~sanctions.side
    at = np.flatnonzero(in_evaluated_years(sanctions) & free_adults & ~served[sanctions.person])
    return at, rng.integers(0, 100, len(at))


def _members(
    sanctions: Sanctions,
    at: Integers,
    delay: Integers,
    expected: Expected,
    propensity: Floats,
    y0: Outcomes,
    y1: Outcomes,
) -> Members:
    size = len(at)
    return Members(
        person=sanctions.person[at],
        expected=np.full(size, expected, np.int8),
        index_date=sanctions.index_date[at],
        start=(sanctions.index_date[at] + delay).astype(np.int32),
        is_release=sanctions.disposal[at] == Disposal.CUSTODY,
        propensity=propensity,
        y0=y0,
        y1=y1,
        other=np.full(size, NOT_A_PERSON, np.int32),
    )


def _nothing(size: int) -> Outcomes:
    return Outcomes(np.full(size, -1, np.int8), np.full(size, -1, np.int32), np.full(size, MISSING, np.int32))


def _unmeasured(sanctions: Sanctions, at: Integers, delay: Integers, expected: Expected) -> Members:
    nothing = _nothing(len(at))
    return _members(sanctions, at, delay, expected, np.full(len(at), np.nan), nothing, nothing)


def _strangers(rng: np.random.Generator, core: Members, size: int) -> Members:
    """People that no source knows, with dates like those of the members."""
    like = rng.integers(0, max(len(core), 1), size) if len(core) else np.zeros(0, np.int64)
    nothing = _nothing(len(like))
    return Members(
        person=np.full(len(like), NOT_A_PERSON, np.int32),
        expected=np.full(len(like), Expected.IN_NO_SOURCE, np.int8),
        index_date=core.index_date[like] + 7,
        start=core.start[like] + 7,
        is_release=core.is_release[like],
        propensity=np.full(len(like), np.nan),
        y0=nothing,
        y1=nothing,
        other=np.arange(len(like), dtype=np.int32),
    )


def _together(parts: list[Members]) -> Members:
    def stacked(name: str) -> npt.NDArray[np.generic]:
        return np.concatenate([getattr(part, name) for part in parts])

    def outcomes(name: str) -> Outcomes:
        sides: list[Outcomes] = [getattr(part, name) for part in parts]
        return Outcomes(
            np.concatenate([side.rate for side in sides]),
            np.concatenate([side.frequency for side in sides]),
            np.concatenate([side.days for side in sides]),
        )

    plain = {
        name: stacked(name)
        for name in ("person", "expected", "index_date", "start", "is_release", "propensity", "other")
    }
    return Members(**plain, y0=outcomes("y0"), y1=outcomes("y1"))  # type: ignore[arg-type]
