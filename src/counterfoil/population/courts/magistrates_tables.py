"""The tables of the magistrates' courts: defendants, their cases, the offences on them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.lab.progress import Progress
from counterfoil.population.calendar import day, to_arrow
from counterfoil.population.careers import Careers
from counterfoil.population.courts import companies as firms
from counterfoil.population.courts import shared_columns as shared
from counterfoil.population.courts.cases import COMMITTALS, COURTS_IN_REGION, MATTERS, Cases, Committal, Matter
from counterfoil.population.courts.companies import Companies, draw_companies
from counterfoil.population.courts.criminal import CriminalCourts, summoned
from counterfoil.population.custody_tables import impossible, whole_years
from counterfoil.population.labels import lsoas, record_ids
from counterfoil.population.offences import GROUPS, TIERS
from counterfoil.population.people import People, ethnicities
from counterfoil.population.places import postcodes
from counterfoil.population.sentencing import Disposal
from counterfoil.population.strings import StringPool, decode, digits
from counterfoil.population.tables import regions
from counterfoil.population.writing import Columns, Positions, write_in_parts

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]

MOST_DAYS = 366  # of custody that these courts may give in all
_KINDS = ("person", "company")
_INITIATION = ("charge", "summons", "postal_requisition", "written_charge")
_POSTED_FROM = day(dt.date(2014, 1, 1))  # from then most summonses are postal requisitions
_PLEAS = ("guilty", "not_guilty", "none", "mixed")
_SENTENCES = ("custody", "suspended", "community", "fine", "discharge", "other", "none")
_OF_DISPOSAL = (0, 1, 2, 3, 4, 5, 5)  # position in _SENTENCES of each disposal
_FINE, _OTHER, _NOTHING = 3, 5, 6
_VERDICTS = ("guilty", "not_guilty", "dismissed", "withdrawn", "discontinued", "committed")
_RESULTS = ("1002", "1115", "3100", "1015", "1017", "4000", "4592", "0000")  # of _SENTENCES, and the dummy
_GROUPS_OF_RESULTS = ("Custody", "Suspended sentence", "Community order", "Fine", "Discharge", "Other", "No sentence")
_MATTER_TEXTS = ("Criminal case", "Breach of order", "Application for civil order", "Other proceedings")
_OFFICER = ("white_north", "white_south", "black", "asian", "east_asian", "middle_eastern", "not_known")
_OFFICER_OF = {"W": 0, "M": 2, "A": 3, "B": 2, "O": 5, "N": 6}
_DAYS_A_MONTH, _HOURS_A_MONTH = 30, 10
_MEDIAN_FINE = 200.0  # pounds
_YEARS_AT_ADDRESS = 365


@dataclass(frozen=True, slots=True)
class _Made:
    pool: StringPool
    people: People
    careers: Careers
    courts: CriminalCourts
    companies: Companies

    @property
    def size(self) -> int:
        return len(self.courts.magistrates.case)


def write_magistrates(
    out: Path, pool: StringPool, people: People, careers: Careers, courts: CriminalCourts, progress: Progress
) -> dict[str, int]:
    """Write the three tables; how many rows each has. Companies come after people."""
    made = _Made(pool, people, careers, courts, draw_companies(courts.magistrates.draws, courts.companies))
    rows = made.size + courts.companies
    of_people = shared.people_columns(pool, courts.magistrates)

    def person(at: Positions) -> Columns:
        columns = of_people(at)
        return {"record_id": columns.pop("record_id"), "defendant_type": _kind(at, 0), **columns}

    tables = {
        "people": shared.one_after_another(person, made.size, lambda at: _company(made, at)),
        "case_summary": shared.one_after_another(
            lambda at: _case(made, at), made.size, lambda at: _company_case(made, at)
        ),
    }
    written = {
        f"magistrates_{name}": write_in_parts(
            out / f"magistrates_{name}.parquet", rows, columns, progress=progress, label="Writing magistrates' cases"
        )
        for name, columns in tables.items()
    }
    return written | {"magistrates_offence": _write_offences(out, made, progress)}


def _kind(at: Positions, kind: int) -> pa.Array:
    return decode(np.full(len(at), kind, np.int8), _KINDS)


def _null(at: Positions, kind: pa.DataType | None = None) -> pa.Array:
    return pa.nulls(len(at), kind or pa.string())


def _company(made: _Made, at: Positions) -> Columns:
    draws, number = made.courts.magistrates.draws, made.companies.number[at]
    place = made.people.places[draws.whole(number, "company place", 0, len(made.people)), 0]
    empty = ("forename1", "forename2")
    return {
        "record_id": record_ids("magistrates", at + made.size),
        "defendant_type": _kind(at, 1),
        **{name: _null(at) for name in empty},
        "surname": firms.company_names(draws, number),
        "aliases": _null(at),
        "date_of_birth": _null(at, pa.date32()),
        **{name: _null(at) for name in ("sex", "ethnicity", "pnc_id", "cro")},
        "postcode": postcodes(place),
    }


def _case(made: _Made, at: Positions) -> Columns:
    """The case of each record of a person."""
    rows = made.courts.magistrates.case[at]
    case = made.courts.cases.take(rows)
    columns = {
        **_who(made, at, case),
        **_where_and_when(made, case),
        **_about(made, case),
        **_came(made, case),
        **_ended(made, case),
    }
    return shared.in_order("magistrates", "case_summary", columns)


def _who(made: _Made, at: Positions, case: Cases) -> Columns:
    draws, number, source = made.courts.magistrates.draws, case.number, made.courts.magistrates.source
    ethnicity = source.said.ethnicity[at]
    unsaid = (case.tier == TIERS.index("summary")) & (draws.uniform(number, "ethnicity") < 0.6)
    stated = np.where(unsaid, ethnicities().index("NS"), ethnicity)
    officer = np.array([_OFFICER_OF[code[0]] for code in ethnicities()])[ethnicity]
    officer = np.where(draws.uniform(number, "officer") < 0.2, -1, officer)
    age = whole_years(case.first_hearing, made.people.born[case.person])
    return {
        "row_id_hash": draws.hashed(number, "magistrates row"),
        "record_id": record_ids("magistrates", at),
        "case_id_hash": draws.hashed(case.shared, "magistrates case"),
        "defendant_id_hash": draws.hashed(number, "defendant"),
        "age_at_hearing": impossible(draws, number, age),
        "gender": shared.genders(draws, made.people, case.person, number),
        "ethnicity_self": decode(stated, ethnicities()),
        "ethnicity_officer": decode(officer, _OFFICER),
        "defendant_type": _kind(at, 0),
    }


def _where_and_when(made: _Made, case: Cases) -> Columns:
    draws, number, people = made.courts.magistrates.draws, case.number, made.people
    charged = case.offence_day + draws.uniform(number, "charged") * (case.first_hearing - case.offence_day)
    return {
        **_courts(case.court, draws.uniform(number, "no court") < shared.NO_CODE),
        "lsoa_residence": lsoas(people.region[case.person], people.places[case.person, 0]),
        "youth_court_flag": pa.array(case.youth),
        "offence_date": shared.offence_days(draws, number, case.offence_day),
        "charge_date": to_arrow(np.floor(charged).astype(np.int32)),
        "first_hearing_date": to_arrow(case.first_hearing),
        "final_result_date": to_arrow(case.finished),
    }


def _courts(court: Integers, unknown: Booleans) -> Columns:
    names = [f"{region.code.replace('_', ' ').title()} Police {n}" for region in regions() for n in range(1, 5)]
    force = court // COURTS_IN_REGION * 4 + court % COURTS_IN_REGION // 4
    return {
        "court_code": shared.either(unknown, "0000", digits(1000 + court)),
        "police_force_area": decode(force, names),
    }


def _about(made: _Made, case: Cases) -> Columns:
    draws, number = made.courts.magistrates.draws, case.number
    paper = summoned(draws, case)
    posted = np.where(case.first_hearing >= _POSTED_FROM, 2, 1)
    begun = np.where(paper, np.where(draws.uniform(number, "written charge") < 0.1, 3, posted), 0)
    plea = draws.pick(number, "plea", (0.72, 0.17, 0.06, 0.05))
    plea = np.where(shared.convicted(draws, case), plea, np.where(draws.uniform(number, "denied") < 0.7, 1, 2))
    plea = np.where(case.committal == Committal.TRIAL, np.where(plea == 0, 0, 2), plea)
    violent = case.group == GROUPS.index("violence")
    return {
        "initiation_type": decode(begun, _INITIATION),
        "proceeding_type": decode(case.matter, MATTERS),
        "proceedings_type_desc": decode(case.matter, _MATTER_TEXTS),
        "breach_marker": pa.array(case.matter == Matter.BREACH),
        "principal_offence_code": shared.principal_codes(draws, number, case.group),
        "principal_offence_group": shared.case_groups(case.group, case.tier),
        "offence_mode": decode(case.tier, TIERS),
        "plea": decode(np.where(case.matter == Matter.CIVIL_ORDER, 2, plea), _PLEAS),
        "domestic_abuse_flag": pa.array(violent & (draws.uniform(number, "domestic abuse") < 0.25)),
    }


def _came(made: _Made, case: Cases) -> Columns:
    draws, number = made.courts.magistrates.draws, case.number
    paper = summoned(draws, case)
    came = shared.attendances(draws, number, case.inside, paper, case.first_hearing)
    remand = shared.remand_statuses(draws, number, case.inside, paper, came == 0)
    lasted = case.finished - case.first_hearing
    return {
        "remand_status": decode(remand, shared.REMAND),
        "attendance": decode(came, shared.ATTENDANCES),
        "legal_representation": shared.representation(draws, number, np.where(paper, 0.15, 0.75)),
        "hearing_count": pa.array((1 + lasted // 40).astype(np.int64)),
    }


def _ended(made: _Made, case: Cases) -> Columns:
    draws, number = made.courts.magistrates.draws, case.number
    guilty = shared.convicted(draws, case) & (case.committal != Committal.TRIAL)
    sentence = _sentences(made, case)
    days = np.minimum(made.careers.sanctions.sentence_days[np.maximum(case.sanction, 0)], MOST_DAYS).astype(np.int64)
    sent = np.isin(case.committal, [Committal.TRIAL, Committal.SENTENCE])
    results = decode(sentence, _GROUPS_OF_RESULTS)
    return {
        "convicted_flag": pa.array(guilty),
        "committal_type": decode(case.committal, COMMITTALS),
        "jsas_result_group_desc": shared.either(sent, "Sent to the Crown Court", results),
        "sentence_type": decode(sentence, _SENTENCES),
        "custody_length_days": shared.only_where(days, sentence == 0),
        "fine_amount": shared.only_where(_fines(made, number), sentence == _FINE),
    }


def _fines(made: _Made, number: Integers) -> npt.NDArray[np.float64]:
    drawn = made.courts.magistrates.draws.normal(number, "fine")
    return np.asarray(np.round(_MEDIAN_FINE * np.exp(0.7 * drawn)), np.float64)


def _sentences(made: _Made, case: Cases) -> Codes:
    """Of cases that ended here; position in _SENTENCES."""
    disposal = made.careers.sanctions.disposal[np.maximum(case.sanction, 0)]
    proven = np.array(_OF_DISPOSAL)[disposal]
    guilty = shared.convicted(made.courts.magistrates.draws, case)
    sentence = np.select([case.sanction >= 0, case.petty, guilty], [proven, _FINE, _OTHER], _NOTHING)
    sent = np.isin(case.committal, [Committal.TRIAL, Committal.SENTENCE])
    return np.where(sent, _NOTHING, sentence).astype(np.int8)


def _company_case(made: _Made, at: Positions) -> Columns:
    """A summons, a fine."""
    firm, draws, number = made.companies, made.courts.magistrates.draws, made.companies.number[at]
    first, none = firm.first_hearing[at], _null(at)
    offence = (first - draws.whole(number, "company offence", 60, 300)).astype(np.int32)
    fine = np.round(3_000.0 * np.exp(1.2 * draws.normal(number, "company fine")))
    same = {name: _repeat(at, value) for name, value in _OF_COMPANIES.items()}
    values: Columns = {
        "row_id_hash": draws.hashed(number, "company row"),
        "record_id": record_ids("magistrates", at + made.size),
        "case_id_hash": draws.hashed(number, "company case"),
        "defendant_id_hash": draws.hashed(number, "company defendant"),
        "age_at_hearing": _null(at, pa.int64()),
        "ethnicity_self": none,
        "ethnicity_officer": none,
        **_courts(firm.court[at], np.zeros(len(at), np.bool_)),
        "lsoa_residence": none,
        "offence_date": to_arrow(offence),
        "charge_date": to_arrow((first - 50).astype(np.int32)),
        "first_hearing_date": to_arrow(first),
        "final_result_date": to_arrow(first),
        "hearing_count": pa.array(np.ones(len(at), np.int64)),
        "custody_length_days": _null(at, pa.int64()),
        "fine_amount": pa.array(fine),
    }
    return values | same


_OF_COMPANIES: dict[str, str | bool] = {
    "gender": "company", "defendant_type": "company", "youth_court_flag": False, "initiation_type": "summons",
    "proceeding_type": "criminal", "proceedings_type_desc": _MATTER_TEXTS[0], "breach_marker": False,
    "principal_offence_code": "09901", "principal_offence_group": "summary_non_motoring", "offence_mode": "summary",
    "plea": "guilty", "domestic_abuse_flag": False, "remand_status": "not_applicable", "attendance": "not_known",
    "legal_representation": "represented", "convicted_flag": True, "committal_type": "not_sent",
    "jsas_result_group_desc": "Fine", "sentence_type": "fine",
}  # fmt: skip


def _repeat(at: Positions, value: str | bool) -> pa.Array:
    return pa.array([value] * len(at), pa.bool_() if isinstance(value, bool) else pa.string())


def _write_offences(out: Path, made: _Made, progress: Progress) -> int:
    """Offences of people, some of them twice, then one of each company."""
    court = made.courts.magistrates
    charged = shared.charges(made.courts.cases, made.careers, court)
    rows, own = shared.twice(court.draws, charged.number)

    def columns(at: Positions) -> Columns:
        return _offences(made, charged, rows[at], own[at])

    return write_in_parts(
        out / "magistrates_offence.parquet",
        len(rows) + len(made.companies),
        shared.one_after_another(columns, len(rows), lambda at: _company_offences(made, at)),
        progress=progress,
        label="Writing magistrates' offences",
    )


def _offences(made: _Made, charged: shared.Charges, rows: Integers, own: Integers) -> Columns:
    draws, number = made.courts.magistrates.draws, charged.number[rows]
    case = made.courts.cases.take(charged.case[rows])
    guilty, sentence = shared.convicted(draws, case), _sentences(made, case)
    sent = np.isin(case.committal, [Committal.TRIAL, Committal.SENTENCE])
    nothing = 1 + draws.pick(number, "came to nothing", (0.3, 0.25, 0.2, 0.25))
    result = np.where(draws.uniform(number, "no result code") < shared.NO_CODE, len(_RESULTS) - 1, sentence)
    length, fine = _lengths(made, case, sentence), sentence == _FINE
    return {
        "offence_row_id": draws.hashed(own, "magistrates offence row"),
        "row_id_hash": draws.hashed(case.number, "magistrates row"),
        "offence_id_hash": draws.hashed(number, "magistrates offence"),
        "offence_sequence": pa.array(charged.sequence[rows]),
        "offence_code": shared.principal_codes(draws, number, charged.group[rows]),
        "offence_start_date": shared.offence_days(draws, number, charged.day[rows]),
        "offence_plea": decode(np.where(guilty, 0, 1), _PLEAS),
        "offence_verdict": decode(np.where(sent, 5, np.where(guilty, 0, nothing)), _VERDICTS),
        "offence_result_code": decode(result, _RESULTS),
        "offence_result_length": pa.array(length, mask=length == 0),
        "offence_result_amount": shared.only_where(_fines(made, number), fine),
    }


def _lengths(made: _Made, case: Cases, sentence: Codes) -> Integers:
    """In days or months of custody, in months or hours of an order, as the clerk of the court is used to."""
    days = made.careers.sanctions.sentence_days[np.maximum(case.sanction, 0)].astype(np.int64)
    months = np.maximum(days // _DAYS_A_MONTH, 1)
    other_unit = made.courts.magistrates.draws.uniform(case.court, "unit") < 0.5
    custody = np.where(other_unit, months, days)
    order = np.where(other_unit, months * _HOURS_A_MONTH, months)
    return np.select([sentence == Disposal.CUSTODY, np.isin(sentence, [1, 2])], [custody, order], 0).astype(np.int64)


def _company_offences(made: _Made, at: Positions) -> Columns:
    draws, number = made.courts.magistrates.draws, made.companies.number[at]
    case = _company_case(made, at)
    return {
        "offence_row_id": draws.hashed(number, "company offence row"),
        "row_id_hash": case["row_id_hash"],
        "offence_id_hash": draws.hashed(number, "company offence"),
        "offence_sequence": pa.array(np.ones(len(at), np.int64)),
        "offence_code": case["principal_offence_code"],
        "offence_start_date": case["offence_date"],
        "offence_plea": case["plea"],
        "offence_verdict": _repeat(at, "guilty"),
        "offence_result_code": _repeat(at, _RESULTS[_FINE]),
        "offence_result_length": _null(at, pa.int64()),
        "offence_result_amount": case["fine_amount"],
    }
