"""The records that the criminal courts hold of defendants: one a defendant on a case, and of companies."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.population.calendar import Days
from counterfoil.population.careers import Sanctions
from counterfoil.population.counters import Draws, stream
from counterfoil.population.courts.cases import Cases, Matter, make_cases
from counterfoil.population.holdings import Holdings
from counterfoil.population.identities import NO_COPY, Habits, Identities, record
from counterfoil.population.offences import GROUPS
from counterfoil.population.people import People
from counterfoil.population.places import NOWHERE
from counterfoil.population.sources import Source, Sources, only, quote_pnc, stacked
from counterfoil.population.strings import NO_TEXT, StringPool

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

MAGISTRATES = Habits(
    slip=0.018, date_slip=0.014, familiar=0.025, swapped=0.004, no_second_forename=0.30, half_a_double_name=0.15,
    mark_lost=0.35, no_diacritics=0.8, upper_case=False, no_birth_date=0.015, stand_in_birth_date=0.004,
    no_postcode=0.08, wrong_sex=0.004, copies=0.60,
)  # fmt: skip
CROWN = Habits(
    slip=0.012, date_slip=0.010, familiar=0.01, swapped=0.002, no_second_forename=0.25, half_a_double_name=0.12,
    mark_lost=0.30, no_diacritics=0.9, upper_case=True, no_birth_date=0.010, stand_in_birth_date=0.003,
    no_postcode=0.20, wrong_sex=0.003, copies=0.75,
)  # fmt: skip
SUMMONED = 0.75  # of motoring cases, and fewer of others: begun on paper, without a police number
_SUMMONED_OTHERWISE = 0.12
_NO_PNC = {"magistrates": 0.30, "crown": 0.22}
_HAS_CRO = {"magistrates": 0.35, "crown": 0.5}  # of records with a PNC number
_COMPANIES = 0.006  # cases of companies, for each case of a person
_MOTORING = tuple(GROUPS.index(group) for group in ("motoring", "drink_driving"))


@dataclass(frozen=True, slots=True)
class Court:
    """One court's system: its person source, and which case each record is of."""

    source: Source
    case: Integers  # of each record, a position in Cases
    draws: Draws


@dataclass(frozen=True, slots=True)
class CriminalCourts:
    """Both courts. Records of `companies` come after the magistrates' records of people."""

    cases: Cases
    magistrates: Court
    crown: Court
    companies: int


def hold_cases(
    rng: np.random.Generator, pool: StringPool, people: People, sanctions: Sanctions, sources: Sources
) -> CriminalCourts:
    """Every case and the records of its defendants, errors and all. A Crown record copies the committal papers."""
    draws, crown_draws = stream(rng), stream(rng)
    cases = make_cases(draws, people, sanctions, sources.spells)
    lower_case = rng.permutation(np.flatnonzero(cases.in_magistrates))
    upper_case = rng.permutation(np.flatnonzero(cases.in_crown))
    lower = _holdings(cases.person[lower_case], cases.first_hearing[lower_case])
    police = sources.pnc.holdings.first_record_of(len(people))[lower.person]
    said = _said(rng, pool, people, lower, MAGISTRATES, sources.pnc.said, np.where(police >= 0, police, NO_COPY))
    magistrates = _source(rng, people, "magistrates", lower, said, sources, _paper(draws, cases, lower_case))
    upper = _holdings(cases.person[upper_case], cases.receipt[upper_case])
    papers = np.full(len(cases), NO_COPY, np.int64)
    papers[lower_case] = np.arange(len(lower_case))
    police = sources.pnc.holdings.first_record_of(len(people))[upper.person]
    copied = np.where(police >= 0, police + len(said), NO_COPY)
    copied = np.where(papers[upper_case] >= 0, papers[upper_case], copied)
    crown_said = _said(rng, pool, people, upper, CROWN, stacked(said, sources.pnc.said), copied)
    crown = _source(rng, people, "crown", upper, crown_said, sources, np.zeros(len(upper), np.bool_))
    return CriminalCourts(
        cases=cases,
        magistrates=Court(_thinned(magistrates, cases.thin[lower_case]), lower_case, draws),
        crown=Court(_thinned(crown, cases.crown_thin[upper_case]), upper_case, crown_draws),
        companies=round(len(lower_case) * _COMPANIES),
    )


def summoned(draws: Draws, cases: Cases) -> Booleans:
    """Begun on paper: most motoring, and matters that are no crime."""
    often = np.isin(cases.group, _MOTORING) | (cases.matter != Matter.CRIMINAL)
    return np.asarray(
        draws.uniform(cases.number, "on paper") < np.where(often, SUMMONED, _SUMMONED_OTHERWISE), np.bool_
    )


def _paper(draws: Draws, cases: Cases, rows: Integers) -> Booleans:
    return summoned(draws, cases.take(rows))


def _holdings(person: npt.NDArray[np.int32], first_day: Days) -> Holdings:
    """A record for each case: `first` is each person's earliest."""
    order = np.lexsort((first_day, person))
    first = np.zeros(len(person), np.bool_)
    first[order] = np.append(True, person[order][1:] != person[order][:-1])[: len(person)]
    return Holdings(person, first_day, first, np.arange(len(person)))


def _said(
    rng: np.random.Generator,
    pool: StringPool,
    people: People,
    holdings: Holdings,
    habits: Habits,
    earlier: Identities,
    copy_of: Integers,
) -> Identities:
    return record(
        rng,
        pool,
        people,
        person=holdings.person,
        first_day=holdings.first_day,
        habits=habits,
        earlier=earlier,
        copy_of=copy_of,
    )


def _source(
    rng: np.random.Generator,
    people: People,
    name: str,
    holdings: Holdings,
    said: Identities,
    sources: Sources,
    on_paper: Booleans,
) -> Source:
    given = sources.numbers
    pnc = only(quote_pnc(rng, people, holdings, given, _NO_PNC[name]), ~on_paper)
    known = pc.is_valid(pnc).to_numpy(zero_copy_only=False) & (rng.random(len(holdings)) < _HAS_CRO[name])
    cro = only(given.cro.take(pa.array(holdings.person.astype(np.int64))), known)
    nothing = pa.nulls(len(holdings), pa.string())
    return Source(name, holdings, said, pnc, cro, nothing, nothing)


def _thinned(source: Source, thin: Booleans) -> Source:
    """Records of courts on Common Platform: a name and a birth date, and little else."""
    said = replace(
        source.said,
        forename2=np.where(thin, NO_TEXT, source.said.forename2).astype(np.int32),
        aliases=np.where(thin, NO_TEXT, source.said.aliases).astype(np.int32),
        place=np.where(thin, NOWHERE, source.said.place),
    )
    return replace(source, said=said, pnc=only(source.pnc, ~thin), cro=only(source.cro, ~thin))
