"""The tables of the Crown Court: defendants, their cases, the counts of the indictment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.lab.progress import Progress
from counterfoil.population.calendar import MISSING, to_arrow
from counterfoil.population.careers import Careers
from counterfoil.population.courts import shared_columns as shared
from counterfoil.population.courts.cases import CENTRES_IN_REGION, Cases, Committal
from counterfoil.population.courts.criminal import CriminalCourts
from counterfoil.population.custody_tables import impossible, whole_years
from counterfoil.population.labels import lsoas, record_ids
from counterfoil.population.offences import GROUPS
from counterfoil.population.people import People, ethnicities
from counterfoil.population.sentencing import LONG, YEAR
from counterfoil.population.strings import StringPool, decode
from counterfoil.population.tables import regions
from counterfoil.population.writing import Columns, Positions, write_in_parts

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]

_CASE_TYPES = ("", "T", "S", "A")  # of a committal
_CLASSES = ("1", "2", "3")
_PLEAS = ("guilty", "not_guilty", "change_of_plea", "none")
_TRIALS = ("effective", "cracked", "ineffective", "vacated", "none")
_VERDICTS = ("convicted", "acquitted", "dismissed", "quashed", "other")
_COUNTS = ("guilty", "not_guilty", "left_on_file", "no_verdict", "alternative")
_APPEALS = ("allowed", "dismissed", "abandoned", "varied")
_SENTENCES = ("determinate", "suspended", "community", "fine", "discharge", "other", "none", "life", "extended")
_OF_DISPOSAL = (0, 1, 2, 3, 4, 5, 5)  # position in _SENTENCES of each disposal
_NOTHING, _LIFE, _EXTENDED = 6, 7, 8
_LIFE_FROM = 12 * YEAR
_GRAVE = ("violence", "robbery", "sexual")


@dataclass(frozen=True, slots=True)
class _Made:
    people: People
    careers: Careers
    courts: CriminalCourts


def write_crown(
    out: Path, pool: StringPool, people: People, careers: Careers, courts: CriminalCourts, progress: Progress
) -> dict[str, int]:
    """Write the three tables; how many rows each has."""
    made, size = _Made(people, careers, courts), len(courts.crown.case)
    tables = {"people": shared.people_columns(pool, courts.crown), "case_summary": lambda at: _case(made, at)}
    written = {
        f"crown_{name}": write_in_parts(
            out / f"crown_{name}.parquet", size, columns, progress=progress, label="Writing Crown Court cases"
        )
        for name, columns in tables.items()
    }
    return written | {"crown_offence": _write_counts(out, made, progress)}


def _case(made: _Made, at: Positions) -> Columns:
    case = made.courts.cases.take(made.courts.crown.case[at])
    columns = {**_who(made, at, case), **_about(made, case), **_tried(made, case), **_ended(made, case)}
    return shared.in_order("crown", "case_summary", columns)


def _who(made: _Made, at: Positions, case: Cases) -> Columns:
    draws, number = made.courts.crown.draws, case.number
    return {
        "row_id_hash": draws.hashed(number, "crown row"),
        "record_id": record_ids("crown", at),
        "defendant_on_case_id_hash": draws.hashed(number, "defendant on case"),
        "case_id_hash": draws.hashed(number, "crown case"),
        "case_type": decode(case.committal, _CASE_TYPES),
        "receipt_date": to_arrow(case.receipt),
        "first_hearing_date": to_arrow(case.crown_hearing),
    }


def _about(made: _Made, case: Cases) -> Columns:
    draws, number, people = made.courts.crown.draws, case.number, made.people
    age = whole_years(case.receipt, people.born[case.person])
    unsaid = draws.uniform(number, "crown ethnicity") < 0.3
    ethnicity = np.where(unsaid, ethnicities().index("NS"), people.ethnicity[case.person])
    centres = [f"{r.code.replace('_', ' ').title()} {n}" for r in regions() for n in range(1, CENTRES_IN_REGION + 1)]
    grave = np.isin(case.group, [GROUPS.index(group) for group in _GRAVE])
    kind = np.where(grave, draws.pick(number, "class", (0.05, 0.35, 0.6)), 2)
    return {
        "disposal_date": to_arrow(case.crown_end),
        "age_at_receipt": impossible(draws, number, age),
        "gender": shared.genders(draws, people, case.person, number),
        "ethnicity": decode(ethnicity, ethnicities()),
        "court_centre": decode(case.centre, centres),
        "lsoa_residence": lsoas(people.region[case.person], people.places[case.person, 0]),
        "main_offence_code": shared.principal_codes(made.courts.magistrates.draws, number, case.group),
        "main_offence_group": shared.case_groups(case.group, case.tier),
        "offence_class": decode(kind, _CLASSES),
    }


def _tried(made: _Made, case: Cases) -> Columns:
    """Plea, trial and verdict. Who pleads guilty has no trial; who changes the plea has a cracked one."""
    draws, number = made.courts.crown.draws, case.number
    trial, proven = case.committal == Committal.TRIAL, case.sanction >= 0
    plea = np.where(proven, draws.pick(number, "crown plea", (0.6, 0.28, 0.12)), 1)
    plea = np.where(trial, plea, np.where(case.committal == Committal.SENTENCE, 0, 3))
    other = 2 + draws.pick(number, "no trial", (0.6, 0.4))
    kind = np.select([trial & (plea == 1), trial & (plea == 2)], [0, 1], 4)
    kind = np.where((kind == 0) & ~proven & (draws.uniform(number, "stopped") < 0.3), other, kind)
    between = case.crown_hearing + (draws.uniform(number, "trial") * (case.crown_end - case.crown_hearing)).astype(int)
    started = np.where(kind == 0, between, MISSING).astype(np.int32)
    pleaded = np.select([plea == 0, plea == 2], [case.crown_hearing, between], MISSING).astype(np.int32)
    verdict = np.where(proven, 0, 1 + draws.pick(number, "verdict", (0.75, 0.2, 0.0, 0.05)))
    return {
        "plea": decode(plea, _PLEAS),
        "plea_date": to_arrow(pleaded),
        "trial_type": decode(kind, _TRIALS),
        "trial_start_date": to_arrow(started),
        "verdict": decode(np.where(case.committal == Committal.APPEAL, 4, verdict), _VERDICTS),
    }


def _ended(made: _Made, case: Cases) -> Columns:
    draws, number = made.courts.crown.draws, case.number
    appeal = case.committal == Committal.APPEAL
    nobody = np.zeros(len(case), np.bool_)
    came = shared.attendances(draws, number, case.crown_inside, nobody, case.crown_hearing)
    remand = shared.remand_statuses(draws, number, case.crown_inside, nobody, came == 0)
    sentence, days = _sentences(made, case)
    result = np.where(appeal, draws.pick(number, "appeal result", (0.0, 0.5, 0.3, 0.2)), -1)
    held = np.isin(sentence, [0, _EXTENDED])
    return {
        "remand_status": decode(np.where(appeal, 3, remand), shared.REMAND),
        "attendance": decode(came, shared.ATTENDANCES),
        "sentence_type": decode(sentence, _SENTENCES),
        "custody_length_days": shared.only_where(days, held),
        "hearing_count": pa.array((2 + (case.crown_end - case.crown_hearing) // 60).astype(np.int64)),
        "receipt_to_disposal_days": pa.array((case.crown_end - case.receipt).astype(np.int64)),
        "appeal_result": decode(result, _APPEALS),
        "legal_representation": shared.representation(draws, number, np.full(len(case), 0.96)),
    }


def _sentences(made: _Made, case: Cases) -> tuple[Codes, Integers]:
    """Position in _SENTENCES, and days."""
    sanctions, at = made.careers.sanctions, np.maximum(case.sanction, 0)
    days = sanctions.sentence_days[at].astype(np.int64)
    kind = np.array(_OF_DISPOSAL)[sanctions.disposal[at]]
    grave = np.isin(case.group, [GROUPS.index(group) for group in _GRAVE]) & (kind == 0)
    kind = np.where(grave & (days >= _LIFE_FROM), _LIFE, kind)
    extended = made.courts.crown.draws.uniform(case.number, "extended") < 0.1
    kind = np.where(grave & (kind == 0) & (days >= LONG) & extended, _EXTENDED, kind)
    sentenced = (case.sanction >= 0) & (case.committal != Committal.APPEAL)
    return np.where(sentenced, kind, _NOTHING).astype(np.int8), days


def _write_counts(out: Path, made: _Made, progress: Progress) -> int:
    court = made.courts.crown
    charged = shared.charges(made.courts.cases, made.careers, court)
    rows, own = shared.twice(court.draws, charged.number)

    def columns(at: Positions) -> Columns:
        return _counts(made, charged, rows[at], own[at])

    return write_in_parts(
        out / "crown_offence.parquet", len(rows), columns, progress=progress, label="Writing counts of the Crown Court"
    )


def _counts(made: _Made, charged: shared.Charges, rows: Integers, own: Integers) -> Columns:
    """The first count carries the verdict; of others some are left on the file."""
    draws, number = made.courts.crown.draws, charged.number[rows]
    case = made.courts.cases.take(charged.case[rows])
    sentence, days = _sentences(made, case)
    later = charged.sequence[rows] > 1
    proven = np.where(later, draws.pick(number, "count", (0.75, 0.1, 0.1, 0.03, 0.02)), 0)
    verdict = np.where(case.sanction >= 0, proven, 1 + 2 * (draws.uniform(number, "no verdict") < 0.2))
    guilty = np.isin(verdict, [0, 4])
    sentence = np.where(guilty, sentence, _NOTHING).astype(np.int8)
    return {
        "offence_row_id": draws.hashed(own, "crown count row"),
        "defendant_on_case_id_hash": draws.hashed(case.number, "defendant on case"),
        "offence_id_hash": draws.hashed(number, "crown count"),
        "count_number": pa.array(charged.sequence[rows]),
        "offence_code": shared.principal_codes(draws, number, charged.group[rows]),
        "count_plea": decode(np.where(guilty, 0, 1), _PLEAS),
        "count_verdict": decode(verdict, _COUNTS),
        "count_sentence_type": decode(sentence, _SENTENCES),
        "count_sentence_length": shared.only_where(days, np.isin(sentence, [0, _EXTENDED])),
        "concurrent_flag": pa.array(later & (draws.uniform(number, "concurrent") < 0.8), mask=sentence == _NOTHING),
    }
