"""What the police, prison and probation systems would hold of the population, as tables in the sources' own schemas."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.lab.progress import Progress, silent
from counterfoil.population import numbers
from counterfoil.population.calendar import MISSING, Days, to_arrow, year_of
from counterfoil.population.careers import ADULT, Careers, Sanctions
from counterfoil.population.holdings import Holdings, hold
from counterfoil.population.identities import (
    NATIONALITIES,
    NO_COPY,
    PNC,
    PRISON,
    PROBATION,
    SEXES,
    Identities,
    nobody,
    record,
)
from counterfoil.population.offences import GROUPS, TIERS
from counterfoil.population.people import People, ethnicities
from counterfoil.population.places import postcodes
from counterfoil.population.sentencing import DISPOSALS, ORDERS, RELEASE_TYPES, YEAR, Disposal, Ending
from counterfoil.population.settings import LAST_DAY
from counterfoil.population.strings import StringPool, decode, digits, glue
from counterfoil.population.tables import regions
from counterfoil.population.writing import Columns, Positions, write_in_parts

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]

LEGAL_STATUSES = ("sentenced", "remand", "recall")
ORDER_TYPES = ("community", "suspended", "licence")
PROOFS = ("conviction", "caution", "reprimand", "warning")

_SECOND_RECORD = {"pnc": 0.11, "prison": 0.14, "probation": 0.13}  # of people with several events in the source
_SAME_NUMBER = {"pnc": 0.5, "prison": 0.35, "probation": 0.25}  # of second records keep the first one's number
_HAS_CRO = 0.78
_NO_PNC = {"prison": 0.25, "probation": 0.30}
_NO_PRISON_NUMBER = 0.35  # of probation records of people who have been inside
_SHORT_PNC = 0.25  # of PNC numbers outside the PNC are in the short form
_WRONG_DIGIT = 0.004
_SOMEONE_ELSES = 0.0015
_OTHER_REGION = 0.07
_LICENCE_FOR_ALL = "2015-02-01"  # from then those with less than a year are on licence too
_CAUTIONS_ONLY_FROM = "2013-04-08"  # before it a child had a reprimand or warning
_ENDED_EARLY = 0.18  # of orders


@dataclass(frozen=True, slots=True)
class Numbers:
    """Each person's own numbers, as text, and those that second records carry."""

    pnc: pa.Array
    pnc_short: pa.Array
    cro: pa.Array  # null for some
    prison: pa.Array
    crn: pa.Array


@dataclass(frozen=True, slots=True)
class Source:
    """One source: who has a record, and what each record says. Numbers are text columns, null where not held."""

    name: str
    holdings: Holdings
    said: Identities
    pnc: pa.Array
    cro: pa.Array
    prison: pa.Array
    crn: pa.Array


@dataclass(frozen=True, slots=True)
class Spells:
    """Stays in custody; `sanction` is a position."""

    sanction: Integers
    reception: Days
    release: Days
    status: Codes
    ending: Codes


@dataclass(frozen=True, slots=True)
class Orders:
    """Sentences served in the community; `sanction` is a position."""

    sanction: Integers
    kind: Codes
    sentenced: Days
    length: npt.NDArray[np.int32]
    ended: Days


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that the three systems hold."""

    pnc: Source
    prison: Source
    probation: Source
    spells: Spells
    orders: Orders
    numbers: Numbers


def hold_sources(rng: np.random.Generator, pool: StringPool, people: People, careers: Careers) -> Sources:
    """Records in each source for the events of the careers, errors and all."""
    sanctions = careers.sanctions
    spells, orders = _spells(sanctions, people), _orders(rng, sanctions)
    given = _own_numbers(rng, people, sanctions)
    pnc = _police(rng, pool, people, sanctions, given)
    prison = _prison(rng, pool, people, sanctions, spells, pnc, given)
    probation = _probation(rng, pool, people, sanctions, orders, pnc, prison, given)
    return Sources(pnc, prison, probation, spells, orders, given)


# Events


def _spells(sanctions: Sanctions, people: People) -> Spells:
    """Stays until the end of the sources: sentenced or on remand, and back on recall."""
    inside = np.flatnonzero(sanctions.reception != MISSING)
    back = np.flatnonzero(
        (sanctions.recall != MISSING)
        & (sanctions.recall <= LAST_DAY)
        & (sanctions.recall < people.dies[sanctions.person])
    )
    sanction = np.concatenate([inside, back])
    release = np.concatenate([sanctions.release[inside], sanctions.recall[back] + sanctions.recall_days[back]])
    status = np.concatenate([np.where(sanctions.remand_only[inside], 1, 0), np.full(len(back), 2)])
    ending = np.concatenate([sanctions.ending[inside], np.full(len(back), Ending.AUTOMATIC)])
    still = release > LAST_DAY
    return Spells(
        sanction=sanction,
        reception=np.concatenate([sanctions.reception[inside], sanctions.recall[back]]).astype(np.int32),
        release=np.where(still, MISSING, release).astype(np.int32),
        status=status.astype(np.int8),
        ending=np.where(still, -1, ending).astype(np.int8),
    )


def _orders(rng: np.random.Generator, sanctions: Sanctions) -> Orders:
    """Community and suspended sentence orders, and licences after custody."""
    court = np.flatnonzero(np.isin(sanctions.disposal, ORDERS))
    custody = (sanctions.disposal == Disposal.CUSTODY) & (sanctions.ending <= Ending.PAROLE)
    covered = (sanctions.sentence_days >= YEAR) | (sanctions.release >= _days(_LICENCE_FOR_ALL))
    licensed = np.flatnonzero(custody & covered & (sanctions.release <= LAST_DAY))
    kind = np.where(sanctions.disposal[court] == Disposal.COMMUNITY, 0, 1)
    length = np.concatenate(
        [sanctions.sentence_days[court], np.maximum(sanctions.sentence_days[licensed] // 2, YEAR)]
    ).astype(np.int32)
    sanction = np.concatenate([court, licensed])
    begins = np.concatenate([sanctions.proven[court], sanctions.release[licensed]])
    served = np.where(rng.random(len(sanction)) < _ENDED_EARLY, length * rng.random(len(sanction)), length)
    ended = begins + served.astype(np.int32)
    return Orders(
        sanction=sanction,
        kind=np.concatenate([kind, np.full(len(licensed), 2)]).astype(np.int8),
        sentenced=sanctions.proven[sanction],
        length=length,
        ended=np.where(ended > LAST_DAY, MISSING, ended).astype(np.int32),
    )


# Records


def _own_numbers(rng: np.random.Generator, people: People, sanctions: Sanctions) -> Numbers:
    """Two numbers of each kind a person: the second half of each column is for second records."""
    year = np.maximum(year_of(people.onset), 2000)
    both = np.concatenate([year, np.minimum(year + rng.integers(1, 6, len(year)), 2021)])
    serial = numbers.serials(rng, both, 7)
    cro = numbers.cro_numbers(both, numbers.serials(rng, both, 6))
    has_cro = np.tile(rng.random(len(year)) < _HAS_CRO, 2)
    size = 2 * len(people)
    return Numbers(
        pnc=numbers.pnc_ids(both, serial),
        pnc_short=numbers.short_pnc_ids(both, serial),
        cro=_only(cro, has_cro),
        prison=numbers.prison_numbers(rng, size),
        crn=numbers.crns(rng, size),
    )


def _police(rng: np.random.Generator, pool: StringPool, people: People, sanctions: Sanctions, given: Numbers) -> Source:
    holdings = hold(rng, sanctions.person, sanctions.proven, second_record=_SECOND_RECORD["pnc"])
    said = _say(rng, pool, people, holdings, PNC, nobody(), np.full(len(holdings), NO_COPY))
    own = _number_of(rng, holdings, len(people), _SAME_NUMBER["pnc"])
    nothing = pa.nulls(len(holdings), pa.string())
    return Source("pnc", holdings, said, given.pnc.take(pa.array(own)), given.cro.take(pa.array(own)), nothing, nothing)


def _prison(
    rng: np.random.Generator,
    pool: StringPool,
    people: People,
    sanctions: Sanctions,
    spells: Spells,
    pnc: Source,
    given: Numbers,
) -> Source:
    person = sanctions.person[spells.sanction]
    holdings = hold(rng, person, spells.reception, second_record=_SECOND_RECORD["prison"])
    copy_of = pnc.holdings.first_record_of(len(people))[holdings.person]
    said = _say(rng, pool, people, holdings, PRISON, pnc.said, copy_of)
    own = _number_of(rng, holdings, len(people), _SAME_NUMBER["prison"])
    quoted = _quote_pnc(rng, people, holdings, given, _NO_PNC["prison"])
    nothing = pa.nulls(len(holdings), pa.string())
    return Source("prison", holdings, said, quoted, nothing, given.prison.take(pa.array(own)), nothing)


def _probation(
    rng: np.random.Generator,
    pool: StringPool,
    people: People,
    sanctions: Sanctions,
    orders: Orders,
    pnc: Source,
    prison: Source,
    given: Numbers,
) -> Source:
    """A probation record copies the prison's where there is one, errors included, else the police's."""
    person = sanctions.person[orders.sanction]
    holdings = hold(rng, person, orders.sentenced, second_record=_SECOND_RECORD["probation"])
    inside = prison.holdings.first_record_of(len(people))[holdings.person]
    police = pnc.holdings.first_record_of(len(people))[holdings.person]
    earlier = _stacked(prison.said, pnc.said)
    copy_of = np.where(inside >= 0, inside, np.where(police >= 0, police + len(prison.said), NO_COPY))
    said = _say(rng, pool, people, holdings, PROBATION, earlier, copy_of)
    own = _number_of(rng, holdings, len(people), _SAME_NUMBER["probation"])
    quoted = _quote_pnc(rng, people, holdings, given, _NO_PNC["probation"])
    known = (inside >= 0) & (rng.random(len(holdings)) >= _NO_PRISON_NUMBER)
    quoted_prison = _only(prison.prison.take(pa.array(np.maximum(inside, 0))), known) if len(prison.said) else None
    nothing = pa.nulls(len(holdings), pa.string())
    return Source(
        "probation",
        holdings,
        said,
        quoted,
        nothing,
        quoted_prison if quoted_prison is not None else nothing,
        given.crn.take(pa.array(own)),
    )


def _say(
    rng: np.random.Generator,
    pool: StringPool,
    people: People,
    holdings: Holdings,
    habits: object,
    earlier: Identities,
    copy_of: Integers,
) -> Identities:
    return record(
        rng,
        pool,
        people,
        person=holdings.person,
        first_day=holdings.first_day,
        habits=habits,  # type: ignore[arg-type]
        earlier=earlier,
        copy_of=copy_of,
    )


def _stacked(first: Identities, second: Identities) -> Identities:
    names = Identities.__slots__
    return Identities(*(np.concatenate([getattr(first, n), getattr(second, n)]) for n in names))


def _number_of(rng: np.random.Generator, holdings: Holdings, people: int, same: float) -> Integers:
    """Position of each record's own number: the person's, or for most second records another."""
    other = ~holdings.first & (rng.random(len(holdings)) >= same)
    return np.where(other, holdings.person + people, holdings.person).astype(np.int64)


def _quote_pnc(
    rng: np.random.Generator, people: People, holdings: Holdings, given: Numbers, missing: float
) -> pa.Array:
    """PNC numbers as another system holds them: many absent, some short, a few wrong, a few of someone else."""
    size, mess = len(holdings), people.messiness[holdings.person]
    whose = np.where(rng.random(size) < _SOMEONE_ELSES, rng.integers(0, len(people), size), holdings.person).astype(
        np.int64
    )
    short = pa.array(rng.random(size) < _SHORT_PNC)
    text = pc.if_else(short, given.pnc_short.take(pa.array(whose)), given.pnc.take(pa.array(whose)))
    wrong = pa.array(rng.random(size) < _WRONG_DIGIT * mess)
    text = pc.if_else(wrong, numbers.one_digit_wrong(rng, text), text)
    held = rng.random(size) >= np.clip(missing * (0.7 + 0.3 * mess), 0.0, 0.9)
    return _only(text, held)


def _only(text: pa.Array, held: Booleans) -> pa.Array:
    return pc.if_else(pa.array(held), text, pa.scalar(None, pa.string()))


def _days(text: str) -> int:
    return int(np.datetime64(text).astype(np.int64))


# Tables


def write_sources(
    out: Path,
    rng: np.random.Generator,
    pool: StringPool,
    people: People,
    careers: Careers,
    sources: Sources,
    *,
    progress: Progress = silent,
) -> dict[str, int]:
    """Write the seven tables; how many rows each has."""
    rows: dict[str, int] = {}
    for source in (sources.pnc, sources.prison, sources.probation):
        rows[f"{source.name}_people"] = _write_people(out, pool, source, progress)
    sanctions = careers.sanctions
    region = _regions(rng, people.region[sanctions.person])
    rows |= _write_police(out, people, careers, sources.pnc, region, progress)
    rows["prison_spells"] = _write_spells(out, sanctions, sources, region, progress)
    rows["probation_events"] = _write_orders(out, sanctions, sources, region, progress)
    return rows


def record_ids(source: str, positions: Integers) -> pa.Array:
    """Record keys, "PNC00000001"."""
    prefix = {"pnc": "PNC", "prison": "PRI", "probation": "PRO"}[source]
    return glue(prefix, digits(positions + 1, 8))


def _write_people(out: Path, pool: StringPool, source: Source, progress: Progress) -> int:
    numbers_held = {
        "pnc": {"pnc_id": source.pnc, "cro": source.cro},
        "prison": {"prison_number": source.prison, "pnc_id": source.pnc},
        "probation": {"crn": source.crn, "pnc_id": source.pnc, "prison_number": source.prison},
    }[source.name]

    def columns(at: Positions) -> Columns:
        said = source.said.take(at)
        return {
            "record_id": record_ids(source.name, at),
            "forename1": pool.to_arrow(said.forename1),
            "forename2": pool.to_arrow(said.forename2),
            "surname": pool.to_arrow(said.surname),
            "aliases": pool.to_arrow(said.aliases),
            "date_of_birth": to_arrow(said.born),
            "sex": decode(said.sex, SEXES),
            "ethnicity": decode(said.ethnicity, ethnicities()),
            "nationality": decode(said.nationality, NATIONALITIES),
            **{name: column.take(pa.array(at)) for name, column in numbers_held.items()},
            "postcode": postcodes(said.place),
        }

    return write_in_parts(
        out / f"{source.name}_people.parquet",
        len(source.holdings),
        columns,
        progress=progress,
        label=f"Writing people of {source.name}",
    )


def _regions(rng: np.random.Generator, home: Codes) -> Codes:
    elsewhere = rng.random(len(home)) < _OTHER_REGION
    return np.where(elsewhere, rng.integers(0, len(regions()), len(home)), home).astype(np.int8)


def _region_text(codes: Codes) -> pa.Array:
    return decode(codes, [region.code for region in regions()])


def _write_police(
    out: Path, people: People, careers: Careers, source: Source, region: Codes, progress: Progress
) -> dict[str, int]:
    sanctions, offences = careers.sanctions, careers.offences
    record_of = source.holdings.of_event
    order = np.lexsort((sanctions.side, sanctions.proven, record_of))
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    proof = _proofs(people, sanctions)
    offence_order = np.lexsort((offences.group, offences.day, number[offences.sanction]))

    def disposals(at: Positions) -> Columns:
        rows = order[at]
        length = sanctions.sentence_days[rows]
        return {
            "disposal_id": glue("D", digits(at + 1, 9)),
            "record_id": record_ids("pnc", record_of[rows]),
            "disposal_date": to_arrow(sanctions.proven[rows]),
            "disposal": decode(sanctions.disposal[rows], DISPOSALS),
            "sentence_days": pa.array(length.astype(np.int64), mask=length == 0),
            "offence_group": decode(sanctions.group[rows], GROUPS),
            "tier": decode(sanctions.tier[rows], TIERS),
            "region": _region_text(region[rows]),
        }

    def offence_columns(at: Positions) -> Columns:
        rows = offence_order[at]
        sanction = offences.sanction[rows]
        return {
            "offence_id": glue("F", digits(at + 1, 9)),
            "record_id": record_ids("pnc", record_of[sanction]),
            "disposal_id": glue("D", digits(number[sanction] + 1, 9)),
            "offence_date": to_arrow(offences.day[rows]),
            "proven_date": to_arrow(sanctions.proven[sanction]),
            "proof": decode(proof[sanction], PROOFS),
            "offence_group": decode(offences.group[rows], GROUPS),
            "tier": decode(offences.tier[rows], TIERS),
            "recordable": pa.array(offences.recordable[rows]),
            "breach": pa.array(offences.breach[rows]),
        }

    return {
        "pnc_disposals": write_in_parts(
            out / "pnc_disposals.parquet", len(order), disposals, progress=progress, label="Writing disposals"
        ),
        "pnc_offences": write_in_parts(
            out / "pnc_offences.parquet", len(offences), offence_columns, progress=progress, label="Writing offences"
        ),
    }


def _proofs(people: People, sanctions: Sanctions) -> Codes:
    """Conviction; or caution, which for a child was a reprimand at first and then a warning, before 2013."""
    age = (sanctions.proven - people.born[sanctions.person]) / 365.25
    child = (age < ADULT) & (sanctions.proven < _days(_CAUTIONS_ONLY_FROM))
    cautioned = np.where(child, np.where(sanctions.priors == 0, 2, 3), 1)
    return np.where(sanctions.disposal == Disposal.CAUTION, cautioned, 0).astype(np.int8)


def _write_spells(out: Path, sanctions: Sanctions, sources: Sources, region: Codes, progress: Progress) -> int:
    spells, record_of = sources.spells, sources.prison.holdings.of_event
    order = np.lexsort((spells.reception, record_of))

    def columns(at: Positions) -> Columns:
        rows = order[at]
        sanction = spells.sanction[rows]
        length = sanctions.sentence_days[sanction]
        remand = spells.status[rows] == 1
        return {
            "spell_id": glue("S", digits(at + 1, 9)),
            "record_id": record_ids("prison", record_of[rows]),
            "reception_date": to_arrow(spells.reception[rows]),
            "release_date": to_arrow(spells.release[rows]),
            "legal_status": decode(spells.status[rows], LEGAL_STATUSES),
            "sentence_days": pa.array(length.astype(np.int64), mask=remand),
            "release_type": decode(spells.ending[rows], RELEASE_TYPES),
            "offence_group": decode(sanctions.group[sanction], GROUPS),
            "tier": decode(sanctions.tier[sanction], TIERS),
            "region": _region_text(region[sanction]),
        }

    return write_in_parts(
        out / "prison_spells.parquet", len(order), columns, progress=progress, label="Writing stays in custody"
    )


def _write_orders(out: Path, sanctions: Sanctions, sources: Sources, region: Codes, progress: Progress) -> int:
    orders, record_of = sources.orders, sources.probation.holdings.of_event
    order = np.lexsort((orders.kind, orders.sentenced, record_of))

    def columns(at: Positions) -> Columns:
        rows = order[at]
        return {
            "event_id": glue("E", digits(at + 1, 9)),
            "record_id": record_ids("probation", record_of[rows]),
            "sentence_date": to_arrow(orders.sentenced[rows]),
            "order_type": decode(orders.kind[rows], ORDER_TYPES),
            "length_days": pa.array(orders.length[rows].astype(np.int64)),
            "termination_date": to_arrow(orders.ended[rows]),
            "region": _region_text(region[orders.sanction[rows]]),
        }

    return write_in_parts(
        out / "probation_events.parquet", len(order), columns, progress=progress, label="Writing probation events"
    )
