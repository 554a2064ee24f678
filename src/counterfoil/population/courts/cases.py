"""Criminal cases of the magistrates' courts, and of the Crown Court where they were sent there, as columns.

Each court sanction since the systems began has a case. So have charges that came to nothing, and matters that are no
crime: breaches of orders and civil orders; and petty offences, mostly motoring, which no police record keeps.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from counterfoil.population.calendar import MISSING, Days, day
from counterfoil.population.careers import ADULT, Sanctions
from counterfoil.population.counters import Draws
from counterfoil.population.courts.custody import is_inside
from counterfoil.population.offences import GROUPS, TIERS
from counterfoil.population.people import People
from counterfoil.population.sentencing import ORDERS, Disposal
from counterfoil.population.settings import LAST_DAY
from counterfoil.population.sources import Spells
from counterfoil.population.tables import regions

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]

FIRST_MAGISTRATES = day(dt.date(2011, 1, 1))  # first hearings before are in no system
FIRST_CROWN = day(dt.date(2013, 1, 1))  # nor are receipts before
# Common Platform: courts go over one after another; what they hear from then on is mostly not in the old systems.
PLATFORM_MAGISTRATES = (day(dt.date(2020, 9, 1)), day(dt.date(2022, 3, 1)))
PLATFORM_CROWN = (day(dt.date(2021, 6, 1)), day(dt.date(2022, 1, 1)))
NOT_IN_OLD_SYSTEM = 0.8  # of such cases; the rest are there with fewer identifiers

COURTS_IN_REGION = 15
CENTRES_IN_REGION = 8
NONE = -1

_CAME_TO_NOTHING = 0.30  # cases without a sanction, for each with one
_PETTY = 0.22  # cases of petty offences, for each sanction
_BREACHED = 0.28  # of orders are followed by a case of breach
_CIVIL = 0.035  # civil orders and other matters, for each sanction
_YEARS_BETWEEN = 900  # days, most, between a sanction and a case of the same person without one
_MOST_MAGISTRATES = 183  # days of custody that magistrates may give for one offence
_MOST_FOR_SEVERAL = 365
_SENT_ABOVE_ONE = 0.7  # of either-way cases that end with more than they may give for one offence
_SENT_OTHERWISE = 0.11  # of other either-way cases, at the choice of either side
_YOUTH_SENT = 0.5
_FOR_SENTENCE = 0.30  # of either-way cases that are sent
_APPEALED = 0.008
_CO_DEFENDANT = 0.3  # of those who are heard in one court on one day after another
_SLOTS, _PETTY_SLOT = 8, 4  # cases that one sanction may lead to, each with a number of its own
_OWN_COURT, _OTHER_REGION, _OTHER_CENTRE = 0.8, 0.07, 0.08


class Matter(IntEnum):
    """Kind of proceeding. Position in MATTERS."""

    CRIMINAL = 0
    BREACH = 1
    CIVIL_ORDER = 2
    OTHER = 3


MATTERS = ("criminal", "breach", "civil_order", "other")


class Committal(IntEnum):
    """Whether and why a case went up. Position in COMMITTALS."""

    NOT_SENT = 0
    TRIAL = 1
    SENTENCE = 2
    APPEAL = 3


COMMITTALS = ("not_sent", "sent_for_trial", "committed_for_sentence", "appeal")


@dataclass(frozen=True, slots=True)
class Cases:
    """One entry a defendant on a case. Days of the Crown Court are MISSING where the case did not go there."""

    person: npt.NDArray[np.int32]
    sanction: Integers  # position of the sanction that ended it, NONE where none did
    matter: Codes
    petty: Booleans  # ended with a fine that is in no police record
    committal: Codes
    group: Codes
    tier: Codes
    offence_day: Days
    first_hearing: Days
    finished: Days  # in the magistrates' court: the result, or the sending
    receipt: Days
    crown_hearing: Days
    crown_end: Days
    court: Integers  # region * COURTS_IN_REGION + number
    centre: Integers  # region * CENTRES_IN_REGION + number
    inside: Booleans  # in custody on the day of the first hearing
    crown_inside: Booleans
    youth: Booleans
    thin: Booleans  # of a court that is on Common Platform, and in the old system with fewer identifiers
    crown_thin: Booleans
    in_magistrates: Booleans  # the old system holds it
    in_crown: Booleans
    number: Integers  # names the defendant on the case in draws
    shared: Integers  # names the case, of which there may be other defendants

    def __len__(self) -> int:
        return len(self.person)

    def take(self, who: Integers | Booleans) -> Cases:
        """Some of them."""
        return Cases(*(getattr(self, f.name)[who] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class _Begun:
    """What leads to a case: `ended` is when everything was over, in whichever court."""

    sanction: Integers  # the one it is made from
    number: Integers
    matter: Codes
    petty: Booleans
    proven: Booleans
    offence_day: Days
    ended: Days


def make_cases(draws: Draws, people: People, sanctions: Sanctions, spells: Spells) -> Cases:
    """Every case that a court heard since 2011, in the order of its number; a few are in neither system."""
    begun = _begun(draws, people, sanctions)
    person, number = sanctions.person[begun.sanction], begun.number
    group = np.where(begun.petty, GROUPS.index("motoring"), sanctions.group[begun.sanction]).astype(np.int8)
    petty = begun.petty | (begun.matter != Matter.CRIMINAL)
    tier = np.where(petty, TIERS.index("summary"), sanctions.tier[begun.sanction])
    youth = (begun.offence_day - people.born[person]) / 365.25 < ADULT
    committal = _committals(draws, sanctions, begun, tier, youth)
    held = begun.proven & (sanctions.reception[begun.sanction] <= begun.ended)
    received = np.where(held, sanctions.reception[begun.sanction], MISSING).astype(np.int32)
    first, finished = _magistrates_days(draws, begun, committal, received)
    receipt, hearing, end = _crown_days(draws, begun, committal, finished)
    court, centre = _places(draws, people, person, number)
    on_platform = first >= _rollout(draws, court, "court", PLATFORM_MAGISTRATES)
    crown_on_platform = receipt >= _rollout(draws, centre, "centre", PLATFORM_CROWN)
    gone = draws.uniform(number, "not in the old system") < NOT_IN_OLD_SYSTEM
    crown_gone = draws.uniform(number, "not in the old crown system") < NOT_IN_OLD_SYSTEM
    day_of = np.where(receipt == MISSING, first, hearing).astype(np.int32)
    return Cases(
        person=person,
        sanction=np.where(begun.proven, begun.sanction, NONE),
        matter=begun.matter,
        petty=begun.petty,
        committal=committal,
        group=group,
        tier=tier.astype(np.int8),
        offence_day=begun.offence_day,
        first_hearing=first,
        finished=finished,
        receipt=receipt,
        crown_hearing=hearing,
        crown_end=end,
        court=court,
        centre=centre,
        inside=is_inside(sanctions, spells, person, first),
        crown_inside=is_inside(sanctions, spells, person, day_of),
        youth=youth,
        thin=on_platform,
        crown_thin=crown_on_platform,
        in_magistrates=(first >= FIRST_MAGISTRATES) & ~(on_platform & gone),
        in_crown=(receipt >= FIRST_CROWN) & ~(crown_on_platform & crown_gone),
        number=number,
        shared=_shared(draws, number, court, first),
    )


def _shared(draws: Draws, number: Integers, court: Integers, first: Days) -> Integers:
    """Some who are first heard in one court on one day are defendants on one case."""
    order = np.lexsort((number, first, court))
    same = (court[order] == np.roll(court[order], 1)) & (first[order] == np.roll(first[order], 1))
    same &= draws.uniform(number[order], "co-defendant") < _CO_DEFENDANT
    same[:1] = False
    head = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
    result = np.empty(len(order), np.int64)
    result[order] = number[order][head]
    return result


def _begun(draws: Draws, people: People, sanctions: Sanctions) -> _Begun:
    of_court = np.flatnonzero((sanctions.disposal != Disposal.CAUTION) & (sanctions.proven >= FIRST_MAGISTRATES))
    proven = _Begun(
        sanction=of_court,
        number=of_court * _SLOTS,
        matter=np.zeros(len(of_court), np.int8),
        petty=np.zeros(len(of_court), np.bool_),
        proven=np.ones(len(of_court), np.bool_),
        offence_day=np.minimum(sanctions.offence_day, sanctions.proven)[of_court],
        ended=sanctions.proven[of_court],
    )
    others = [
        _other(draws, people, sanctions, of_court, slot, matter, share)
        for slot, matter, share in (
            (1, Matter.CRIMINAL, _CAME_TO_NOTHING),
            (2, Matter.BREACH, _BREACHED),
            (3, Matter.CIVIL_ORDER, _CIVIL),
            (_PETTY_SLOT, Matter.CRIMINAL, _PETTY),
        )
    ]
    parts = [proven, *others]
    return _Begun(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(_Begun)))


def _other(
    draws: Draws, people: People, sanctions: Sanctions, of_court: Integers, slot: int, matter: Matter, share: float
) -> _Begun:
    """Cases that no sanction ended, of people who have one: within some years of it, in their lifetime."""
    number = of_court * _SLOTS + slot
    asked = draws.uniform(number, "has another case") < share
    if matter is Matter.BREACH:
        asked &= np.isin(sanctions.disposal[of_court], ORDERS)
    sanction, number = of_court[asked], number[asked]
    low = 20 if matter is Matter.BREACH else -_YEARS_BETWEEN
    reach = sanctions.sentence_days[sanction] if matter is Matter.BREACH else _YEARS_BETWEEN
    ended = sanctions.proven[sanction] + low + (draws.uniform(number, "when") * (reach - low)).astype(np.int64)
    lasted = draws.whole(number, "lasted", 14, 120 if matter is Matter.BREACH else 300)
    offence_day, person = ended - lasted, sanctions.person[sanction]
    lived = (offence_day >= people.onset[person]) & (ended <= np.minimum(LAST_DAY, people.dies[person] - 1))
    kept = np.flatnonzero(lived & (ended >= FIRST_MAGISTRATES))
    drawn = draws.uniform(number, "other matter") < 0.3
    kind = np.where((matter is Matter.CIVIL_ORDER) & drawn, Matter.OTHER, matter)
    return _Begun(
        sanction=sanction[kept],
        number=number[kept],
        matter=kind[kept].astype(np.int8),
        petty=np.full(len(kept), slot == _PETTY_SLOT),
        proven=np.zeros(len(kept), np.bool_),
        offence_day=offence_day[kept].astype(np.int32),
        ended=ended[kept].astype(np.int32),
    )


def _committals(
    draws: Draws, sanctions: Sanctions, begun: _Begun, tier: npt.NDArray[np.integer], youth: Booleans
) -> Codes:
    """Indictable only: sent, and so is what ends with more than magistrates may give. Some are appealed later."""
    number, sanction = begun.number, begun.sanction
    custody = begun.proven & (sanctions.disposal[sanction] == Disposal.CUSTODY)
    days = np.where(custody, sanctions.sentence_days[sanction], 0)
    either_way = np.select(
        [days > _MOST_FOR_SEVERAL, days > _MOST_MAGISTRATES], [1.0, _SENT_ABOVE_ONE], _SENT_OTHERWISE
    )
    chance = np.select([tier == TIERS.index("indictable"), tier == TIERS.index("either_way")], [1.0, either_way], 0.0)
    too_long = days > _MOST_FOR_SEVERAL
    chance = np.where(youth & ~too_long, chance * _YOUTH_SENT, np.where(too_long, 1.0, chance))
    time_for_it = begun.ended - begun.offence_day >= 4
    criminal = begun.matter == Matter.CRIMINAL
    sent = criminal & time_for_it & (draws.uniform(number, "sent") < chance)
    for_sentence = (tier == TIERS.index("either_way")) & begun.proven
    for_sentence &= draws.uniform(number, "for sentence") < _FOR_SENTENCE
    appealed = criminal & begun.proven & ~sent & (draws.uniform(number, "appealed") < _APPEALED)
    appealed &= begun.ended <= LAST_DAY - 150
    kind = np.where(for_sentence, Committal.SENTENCE, Committal.TRIAL)
    return np.select([sent, appealed], [kind, Committal.APPEAL], Committal.NOT_SENT).astype(np.int8)


def _magistrates_days(draws: Draws, begun: _Begun, committal: Codes, received: Days) -> tuple[Days, Days]:
    """First hearing and end there. Who is kept in custody came to court on the day of the reception."""
    number = begun.number
    sent = np.isin(committal, [Committal.TRIAL, Committal.SENTENCE])
    lasted = begun.ended - begun.offence_day
    latest = np.where(sent, 0.6, 1.0)
    share = 0.2 + draws.uniform(number, "first hearing") * (latest - 0.2)
    first = begun.offence_day + np.maximum((lasted * share).astype(np.int64), np.minimum(lasted, 1))
    first = np.where(received != MISSING, np.maximum(received, begun.offence_day), first)
    first = np.minimum(first, np.where(sent, begun.ended - 2, begun.ended))
    stay = np.where(committal == Committal.SENTENCE, draws.whole(number, "stay", 0, 60), 0)
    stay = np.where(committal == Committal.TRIAL, draws.whole(number, "sent after", 0, 28), stay)
    finished = np.where(sent, np.minimum(first + stay, begun.ended - 1), begun.ended)
    return first.astype(np.int32), np.maximum(first, finished).astype(np.int32)


def _crown_days(draws: Draws, begun: _Begun, committal: Codes, finished: Days) -> tuple[Days, Days, Days]:
    """Receipt, first hearing, end. Papers come on the day of sending or some days later, now and then much later."""
    number = begun.number
    slow = draws.pick(number, "papers", (0.55, 0.29, 0.12, 0.04))
    low, high = np.array([0, 1, 8, 22])[slow], np.array([1, 8, 22, 60])[slow]
    lag = low + np.floor(draws.uniform(number, "papers came") * (high - low)).astype(np.int64)
    lag = np.where(committal == Committal.APPEAL, lag + 3, lag)
    ends = np.where(committal == Committal.APPEAL, finished + draws.whole(number, "appeal", 70, 150), begun.ended)
    receipt = np.minimum(finished + lag, ends)
    hearing = np.minimum(receipt + draws.whole(number, "crown hearing", 7, 40), ends)
    there = committal != Committal.NOT_SENT
    days = (np.where(there, day_, MISSING).astype(np.int32) for day_ in (receipt, hearing, ends))
    first, second, third = days
    return first, second, third


def _places(draws: Draws, people: People, person: npt.NDArray[np.int32], number: Integers) -> tuple[Integers, Integers]:
    """A person's own court mostly; the centre that it sends to mostly."""
    drawn = draws.uniform(number, "which court")
    region = people.region[person].astype(np.int64)
    region = np.where(drawn < _OTHER_REGION, draws.whole(number, "region", 0, len(regions())), region)
    own = draws.whole(person, "own court", 0, COURTS_IN_REGION)
    place = np.where(drawn < _OWN_COURT, own, draws.whole(number, "court", 0, COURTS_IN_REGION))
    centre = place * CENTRES_IN_REGION // COURTS_IN_REGION
    other = draws.uniform(number, "other centre") < _OTHER_CENTRE
    centre = np.where(other, draws.whole(number, "centre", 0, CENTRES_IN_REGION), centre)
    return region * COURTS_IN_REGION + place, region * CENTRES_IN_REGION + centre


def _rollout(draws: Draws, place: Integers, what: str, between: tuple[int, int]) -> Integers:
    """The day on which each court went over."""
    return between[0] + draws.whole(place, f"rollout of {what}", 0, between[1] - between[0])
