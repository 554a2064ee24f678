"""The tables of the County Court, with the real system's faults.

Companies are typed in as people and people who trade as companies. One system counts pence. Events are there twice.
Dates are 1 January 1900 at times, and courts a test court.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.lab.progress import Progress
from counterfoil.population.calendar import MISSING, Days, day, to_arrow
from counterfoil.population.courts import shared_columns as shared
from counterfoil.population.courts.civil import (
    CLAIMS,
    INSOLVENCY,
    PARTIES,
    POSSESSION,
    TITLE_IN_FORENAME,
    TRADES,
    CivilCourts,
    Party,
)
from counterfoil.population.courts.companies import company_names
from counterfoil.population.courts.parties import NOBODY, null_where, number_within
from counterfoil.population.custody_tables import whole_years
from counterfoil.population.labels import lsoas, record_ids
from counterfoil.population.places import postcodes
from counterfoil.population.settings import LAST_DAY
from counterfoil.population.strings import StringPool, decode, glue
from counterfoil.population.tables import regions
from counterfoil.population.writing import Columns, Positions, write_in_parts

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]

EVENT_TWICE = 0.02
PLACEHOLDER_DATES = 0.003
DUMMY_COURT = 0.002
NO_DATE = day(dt.date(1900, 1, 1))
COMPANY_AS_PERSON = 0.03  # of companies that are parties; half of them have a first word where the forename stands
PERSON_AS_COMPANY = 0.3  # of people who trade under a second name
NO_TITLE = 0.12
COURTS_IN_REGION = 12
_DOCTOR = 0.01
_MISS, _MS = 0.35, 0.15  # of women's titles
_TITLES = ("Mr", "Mrs", "Miss", "Ms", "Dr")
_TRADES = ("Roofing", "Motors", "Cleaning Services", "Builders", "Catering", "Cars", "Electrical")
_BULK_ISSUERS = (
    "Albion Credit Management Ltd", "Castle Finance plc", "Meridian Debt Purchase Limited", "Northgate Energy Ltd",
    "Parkside Parking Control Ltd", "Severn and Wye Water plc", "Globe Telecom Limited", "Anchor Catalogue Credit Ltd",
)  # fmt: skip
_BODIES = ("City Council", "Borough Council", "County Council", "NHS Trust")
_LANDLORDS = ("Housing Association", "Homes Ltd", "Housing Trust")
_OUTCOMES = (
    "default judgment", "judgment by admission", "judgment at hearing", "struck out", "withdrawn", "paid", "settled",
)  # fmt: skip
_OUTCOME_WEIGHTS = (0.52, 0.06, 0.10, 0.05, 0.09, 0.10, 0.08)
_TRACKS = ("none", "small claims", "fast", "multi")
_EVENTS = ("hearing", "judgment", "order", "warrant", "defence", "admission", "transfer")
_HEARING, _JUDGMENT, _ORDER, _WARRANT, _DEFENCE, _ADMISSION, _TRANSFER = range(7)
_WARRANTS = (
    "control", "attachment of earnings", "charging order", "third party debt", "delivery", "committal", "possession",
)  # fmt: skip
_WARRANT_OUTCOMES = ("executed", "suspended", "withdrawn", "returned")
_ACTIVE_DAYS = 400


def write_civil(out: Path, pool: StringPool, courts: CivilCourts, progress: Progress) -> dict[str, int]:
    """Write the four tables; how many rows each has."""
    return {
        "civil_person_records": _write_records(out, pool, courts, progress),
        "civil_cases": _write_claims(out, courts, progress),
        "civil_events": _write_events(out, courts, progress),
        "civil_parties": _write_parties(out, courts, progress),
    }


def _of_record(courts: CivilCourts) -> Integers:
    """The party that each record is of."""
    result = np.empty(len(courts.parties), np.int64)
    result[courts.record_of] = np.arange(len(courts.parties))
    return result


def _trades(courts: CivilCourts, record: Integers, party: Integers) -> Booleans:
    sued = ~courts.parties.claims[party] & (courts.claims.kind[courts.parties.claim[party]] == 0)
    return np.asarray(sued & (courts.draws.uniform(record, "trades") < TRADES * 1.5), np.bool_)


def _titles(courts: CivilCourts, record: Integers) -> Codes:
    """From the sex that the record has; position in _TITLES, -1 for none."""
    draws, sex = courts.draws, courts.source.said.sex[record]
    drawn = draws.uniform(record, "title")
    woman = np.where(drawn < _MISS, 2, np.where(drawn < _MISS + _MS, 3, 1))
    title = np.where(draws.uniform(record, "doctor") < _DOCTOR, 4, np.where(sex == 2, woman, 0))
    none = (draws.uniform(record, "no title") < NO_TITLE) | ~np.isin(sex, (1, 2))
    return np.where(none, -1, title).astype(np.int8)


_SEX_OF_TITLE = np.array([1, 2, 2, 2, 0, 0])  # the last stands for none


def _write_records(out: Path, pool: StringPool, courts: CivilCourts, progress: Progress) -> int:
    humans, party_of = len(courts.source.holdings), _of_record(courts)

    def people(at: Positions) -> Columns:
        said, draws = courts.source.said.take(at), courts.draws
        title = _titles(courts, at)
        trades = _trades(courts, at, party_of[at])
        surname = pool.to_arrow(said.surname)
        trade = decode(draws.whole(at, "trade", 0, len(_TRADES)), _TRADES)
        forename = pool.to_arrow(said.forename1)
        first = (draws.uniform(at, "title first") < TITLE_IN_FORENAME) & (title >= 0)
        return {
            "record_id": record_ids("civil", at),
            "party_type": _person_types(courts, at, trades),
            "title": decode(title, _TITLES),
            "forename1": pc.if_else(pa.array(first), glue(decode(title, _TITLES), " ", forename), forename),
            "forename2": pool.to_arrow(said.forename2),
            "surname": pc.if_else(pa.array(trades), glue(surname, " T/A ", surname, " ", trade), surname),
            "date_of_birth": to_arrow(said.born),
            "sex": decode(_SEX_OF_TITLE[title], ("0", "1", "2")),
            "postcode": postcodes(said.place),
        }

    def organisations(at: Positions) -> Columns:
        party = party_of[at + humans]
        none = pa.nulls(len(at), pa.string())
        name, split = _organisations(courts, party), _typed_as_person(courts, party) & (party % 2 == 0)
        word = pc.list_element(pc.split_pattern(name, " ", max_splits=1), 0)
        rest = pc.list_element(pc.split_pattern(name, " ", max_splits=1), 1)
        return {
            "record_id": record_ids("civil", at + humans),
            "party_type": _organisation_types(courts, party),
            "title": none,
            "forename1": null_where(word, ~split),
            "forename2": none,
            "surname": pc.if_else(pa.array(split), rest, name),
            "date_of_birth": to_arrow(np.full(len(at), MISSING, np.int32)),
            "sex": decode(np.zeros(len(at), np.int8), ("0",)),
            "postcode": postcodes(courts.draws.whole(party, "office", 0, 1 << 22)),
        }

    columns = shared.one_after_another(people, humans, organisations)
    return write_in_parts(
        out / "civil_person_records.parquet",
        len(courts.parties),
        columns,
        progress=progress,
        label="Writing people of civil",
    )


def _person_types(courts: CivilCourts, record: Integers, trades: Booleans) -> pa.Array:
    as_company = trades & (courts.draws.uniform(record, "as company") < PERSON_AS_COMPANY)
    empty = courts.draws.uniform(record, "no type") < 0.04
    return decode(np.where(as_company, 1, np.where(empty, -1, 0)), PARTIES)


def _typed_as_person(courts: CivilCourts, party: Integers) -> Booleans:
    company = courts.parties.kind[party] == Party.COMPANY
    return np.asarray(company & (courts.draws.uniform(party, "as person") < COMPANY_AS_PERSON), np.bool_)


def _organisation_types(courts: CivilCourts, party: Integers) -> pa.Array:
    kind = courts.parties.kind[party].astype(np.int64)
    wrong = np.where(courts.draws.uniform(party, "empty type") < 0.5, -1, 0)
    return decode(np.where(_typed_as_person(courts, party), wrong, kind), PARTIES)


def _organisations(courts: CivilCourts, party: Integers) -> pa.Array:
    draws, kind = courts.draws, courts.parties.kind[party]
    claim = courts.parties.claim[party]
    place = decode(courts.claims.region[claim], [r.code.replace("_", " ").title() for r in regions()])
    body = glue(place, " ", decode(draws.whole(claim, "body", 0, len(_BODIES)), _BODIES))
    home = glue(place, " ", decode(draws.whole(claim, "landlord", 0, len(_LANDLORDS)), _LANDLORDS))
    issuer = decode(draws.whole(claim, "issuer", 0, len(_BULK_ISSUERS)), _BULK_ISSUERS)
    bulk = courts.claims.bulk[claim] & courts.parties.claims[party]
    company = pc.if_else(pa.array(bulk), issuer, company_names(draws, party))
    named = pc.if_else(pa.array(kind == Party.PUBLIC_BODY), body, company)
    return pc.if_else(pa.array(kind == Party.LANDLORD), home, named)


def _numbers(courts: CivilCourts, claim: Integers) -> pa.Array:
    return courts.draws.hashed(claim, "claim")


def _online(courts: CivilCourts, claim: Integers) -> Booleans:
    possession = np.isin(courts.claims.kind[claim], POSSESSION)
    return np.asarray(possession & (courts.draws.uniform(claim, "online") < 0.6), np.bool_)


def _ended(courts: CivilCourts, claim: Integers) -> Days:
    """The day of judgment or of another end; MISSING while open."""
    days = 20 + np.floor(-np.log1p(-courts.draws.uniform(claim, "ended")) * 95)
    end = (courts.claims.issued[claim] + days).astype(np.int32)
    return np.where(end > LAST_DAY, MISSING, end).astype(np.int32)


def _outcomes(courts: CivilCourts, claim: Integers) -> Integers:
    """Position in _OUTCOMES; -1 while open."""
    outcome = courts.draws.pick(claim, "outcome", _OUTCOME_WEIGHTS)
    possession = np.isin(courts.claims.kind[claim], POSSESSION)
    outcome = np.where(possession & (outcome == 0), 2, outcome)  # possession is given at a hearing
    return np.where(_ended(courts, claim) == MISSING, -1, outcome)


def _defended(courts: CivilCourts, claim: Integers) -> Booleans:
    heard = _outcomes(courts, claim) == 2
    return np.asarray(courts.draws.uniform(claim, "defended") < np.where(heard, 0.6, 0.08), np.bool_)


def _amounts(courts: CivilCourts, claim: Integers) -> npt.NDArray[np.float64]:
    """Pounds."""
    return np.asarray(np.round(np.exp(7.0 + 1.1 * courts.draws.normal(claim, "amount")), 2), np.float64)


def _write_claims(out: Path, courts: CivilCourts, progress: Progress) -> int:
    claims, draws = courts.claims, courts.draws

    def columns(at: Positions) -> Columns:
        online, amount, ended, outcome = _online(courts, at), _amounts(courts, at), _ended(courts, at), None
        outcome = _outcomes(courts, at)
        judged = np.isin(outcome, (0, 1, 2))
        defended = _defended(courts, at)
        unknown = draws.uniform(at, "no date") < PLACEHOLDER_DATES
        track = np.where(defended, 1 + np.searchsorted((10_000, 25_000), amount), 0)
        tried = defended & (outcome == 2)
        return shared.in_order("civil", "cases", {
            "claim_id_hash": _numbers(courts, at),
            "source_system": decode(online.astype(np.int8), ("CaseMan", "PCOL")),
            "claim_type": decode(claims.kind[at], CLAIMS),
            "issue_date": to_arrow(np.where(unknown, NO_DATE, claims.issued[at]).astype(np.int32)),
            "issuing_court": _courts(courts, at),
            "claim_amount": pa.array(np.where(online, np.round(amount * 100), amount)),
            "track": decode(track, _TRACKS),
            "defended_flag": pa.array(defended),
            "outcome": decode(np.where(outcome < 0, len(_OUTCOMES), outcome), (*_OUTCOMES, "open")),
            "judgment_date": to_arrow(np.where(judged, ended, MISSING).astype(np.int32)),
            "judgment_amount": pa.array(amount, mask=~judged),
            "claimant_represented": pa.array(draws.uniform(at, "claimant represented") < 0.7),
            "defendant_represented": pa.array(draws.uniform(at, "defendant represented") < 0.07),
            "weeks_issue_to_trial": pa.array(np.round((ended - claims.issued[at]) / 7.0, 1), mask=~tried),
        })  # fmt: skip

    return write_in_parts(out / "civil_cases.parquet", len(claims), columns, progress=progress, label="Writing claims")


_COURTS = [
    f"County Court {r.code.replace('_', ' ').title()} {number}"
    for r in regions()
    for number in range(1, COURTS_IN_REGION + 1)
]


def _courts(courts: CivilCourts, at: Integers) -> pa.Array:
    draws = courts.draws
    number = courts.claims.region[at].astype(np.int64) * COURTS_IN_REGION
    own = decode(number + draws.whole(at, "court", 0, COURTS_IN_REGION), _COURTS)
    centre = shared.either(courts.claims.bulk[at], "County Court Business Centre", own)
    return shared.either(draws.uniform(at, "dummy court") < DUMMY_COURT, "ZZ Test Court", centre)


def _write_events(out: Path, courts: CivilCourts, progress: Progress) -> int:
    claim, kind, place = _steps(courts)
    draws, own = courts.draws, claim * len(_EVENTS) + kind
    twice = draws.uniform(own, "twice") < EVENT_TWICE
    rows = np.repeat(np.arange(len(claim)), 1 + twice)
    again = number_within(rows)

    def columns(at: Positions) -> Columns:
        row = rows[at]
        of, what, mine = claim[row], kind[row], own[row]
        date = _step_dates(courts, of, what, place[row])
        warrant = what == _WARRANT
        possession = np.isin(courts.claims.kind[of], POSSESSION)
        which = np.where(possession, 6, draws.pick(mine, "warrant", (0.68, 0.15, 0.09, 0.03, 0.04, 0.01)))
        result = draws.pick(mine, "warrant outcome", (0.35, 0.2, 0.15, 0.3))
        taken = warrant & possession & (result == 0)
        return shared.in_order("civil", "events", {
            "event_row_id": draws.hashed(mine * 2 + again[at], "event row"),
            "claim_id_hash": _numbers(courts, of),
            "event_type": decode(what, _EVENTS),
            "event_date": to_arrow(date),
            "warrant_type": decode(np.where(warrant, which, -1), _WARRANTS),
            "warrant_outcome": decode(np.where(warrant, result, -1), _WARRANT_OUTCOMES),
            "repossession_date": to_arrow(np.where(taken, date, MISSING).astype(np.int32)),
        })  # fmt: skip

    return write_in_parts(
        out / "civil_events.parquet", len(rows), columns, progress=progress, label="Writing civil events"
    )


def _steps(courts: CivilCourts) -> tuple[Integers, Integers, Integers]:
    """The claim, the kind and the place in time of each event, in the order of the claims."""
    number = np.arange(len(courts.claims))
    outcome, defended = _outcomes(courts, number), _defended(courts, number)
    judged = np.isin(outcome, (0, 1, 2))
    unpaid = judged & (courts.draws.uniform(number, "enforced") < 0.4)
    steps = (
        (_TRANSFER, courts.claims.bulk & defended), (_ADMISSION, outcome == 1), (_DEFENCE, defended),
        (_HEARING, outcome == 2), (_JUDGMENT, judged), (_ORDER, np.isin(outcome, (3, 4, 6))), (_WARRANT, unpaid),
    )  # fmt: skip
    claim = np.concatenate([np.flatnonzero(who) for _, who in steps])
    kind = np.concatenate([np.full(int(who.sum()), what) for what, who in steps])
    place = np.concatenate([np.full(int(who.sum()), at) for at, (_, who) in enumerate(steps)])
    order = np.argsort(claim, kind="stable")
    return claim[order], kind[order], place[order]


def _step_dates(courts: CivilCourts, claim: Integers, kind: Integers, place: Integers) -> Days:
    """Before a judgment in the order of the steps, on its day, or months after it."""
    issued, ended = courts.claims.issued[claim], _ended(courts, claim)
    span = np.where(ended == MISSING, 0, ended - issued)
    early = issued + span * (place + 1) // len(_EVENTS)
    late = ended + courts.draws.whole(claim, "warrant after", 15, _ACTIVE_DAYS)
    date = np.where(np.isin(kind, (_JUDGMENT, _HEARING, _ORDER)), ended, early)
    date = np.where(kind == _WARRANT, late, date)
    unknown = courts.draws.uniform(claim * len(_EVENTS) + kind, "no event date") < PLACEHOLDER_DATES
    return np.where(date > LAST_DAY, MISSING, np.where(unknown, NO_DATE, date)).astype(np.int32)


def _write_parties(out: Path, courts: CivilCourts, progress: Progress) -> int:
    parties, draws = courts.parties, courts.draws

    def columns(at: Positions) -> Columns:
        claim, record = parties.claim[at], courts.record_of[at]
        role = np.where(parties.claims[at], 0, np.where(courts.claims.kind[claim] == INSOLVENCY, 2, 1))
        return shared.in_order("civil", "parties", {
            "party_id_hash": draws.hashed(at, "party"),
            "record_id": record_ids("civil", record),
            "claim_id_hash": _numbers(courts, claim),
            "row_id_hash": draws.hashed(record, "row"),
            "party_role": decode(role, ("claimant", "defendant", "insolvent")),
            **_party(courts, at, record),
            "bulk_issuer_flag": pa.array(courts.claims.bulk[claim] & parties.claims[at]),
        })  # fmt: skip

    return write_in_parts(
        out / "civil_parties.parquet", len(parties), columns, progress=progress, label="Writing parties"
    )


def _party(courts: CivilCourts, at: Integers, record: Integers) -> Columns:
    parties, people, said = courts.parties, courts.everyone.people, courts.source.said
    organisation = parties.person[at] == NOBODY
    person = np.where(organisation, 0, parties.person[at])
    own = np.where(organisation, 0, record)
    sex = _SEX_OF_TITLE[np.where(organisation, -1, _titles(courts, own))]
    known = ~organisation & (said.born[own] != MISSING)
    issued = courts.claims.issued[parties.claim[at]]
    age = whole_years(issued, np.where(known, said.born[own], issued))
    human = _person_types(courts, own, _trades(courts, own, at) & ~organisation)
    return {
        "party_type": pc.if_else(pa.array(organisation), _organisation_types(courts, at), human),
        "gender_title": decode(np.where(organisation, -1, np.array([2, 0, 1])[sex]), ("male", "female", "unknown")),
        "age_at_issue": pa.array(age.clip(0, 130), mask=~known),
        "lsoa_residence": null_where(lsoas(people.region[person], people.places[person, 0]), organisation),
    }
