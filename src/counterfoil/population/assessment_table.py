"""The table of assessments: section scores, flags and predictors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.lab.progress import Progress
from counterfoil.population.assessments import (
    PURPOSES,
    SECTIONS,
    SETTINGS,
    UNSCORED,
    Assessments,
    found_need,
    need,
    score_of,
)
from counterfoil.population.calendar import to_arrow, year_of
from counterfoil.population.careers import Sanctions
from counterfoil.population.draws import Floats
from counterfoil.population.labels import person_ids, record_ids
from counterfoil.population.offences import GROUPS
from counterfoil.population.people import People
from counterfoil.population.risk import ogrs
from counterfoil.population.strings import decode
from counterfoil.population.writing import Columns, Positions, write_in_parts

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

_FULL_INSIDE, _FULL_OUTSIDE = 0.85, 0.65  # of assessments are in full
_LOCKED = 0.04
_SUCCESSOR_FROM, _SUCCESSOR = 2021, 0.05
_BANDS = ("low", "medium", "high", "very_high", "not_applicable")
_HARM = ("Low", "Medium", "High", "Very High")
_DYNAMIC = ("acc", "ete", "lifestyle", "drug", "think", "att")
_VIOLENT, _SEXUAL = GROUPS.index("violence"), GROUPS.index("sexual")
_MOST_DYNAMIC = sum(section.most for section in SECTIONS if section.name in _DYNAMIC)


def write_assessments(out: Path, people: People, sanctions: Sanctions, made: Assessments, progress: Progress) -> int:
    """Write oasys_assessment.parquet, a person record's rows together, in the order of their dates."""
    order = np.lexsort((made.day, made.source.holdings.of_event))

    def columns(at: Positions) -> Columns:
        return _columns(people, sanctions, made, order[at])

    return write_in_parts(
        out / "oasys_assessment.parquet", len(order), columns, progress=progress, label="Writing assessments"
    )


def write_truth_needs(out: Path, people: People, made: Assessments, progress: Progress) -> int:
    """Each assessed person's own need in every section, in standard deviations: what the scores are drawn from."""
    assessed = np.unique(made.person)

    def columns(at: Positions) -> Columns:
        person = assessed[at]
        needs = {s.name: pa.array(need(made.draws, s, people, person)) for s in (*SECTIONS, *UNSCORED)}
        return {"person_id": person_ids(person), **needs}

    return write_in_parts(
        out / "truth_needs.parquet", len(assessed), columns, progress=progress, label="Writing truth of needs"
    )


def _columns(people: People, sanctions: Sanctions, made: Assessments, at: Integers) -> Columns:
    draws = made.draws
    full = draws.uniform(at, "layer") < np.where(made.setting[at] == 0, _FULL_INSIDE, _FULL_OUTSIDE)
    successor = (year_of(made.day[at]) >= _SUCCESSOR_FROM) & (draws.uniform(at, "tool") < _SUCCESSOR)
    locked = draws.uniform(at, "locked") < _LOCKED
    scores = {s.name: score_of(s, found_need(made, s, people, at)) for s in (*SECTIONS, *UNSCORED)}
    return {
        "assessment_id_hash": draws.hashed(at, "assessment"),
        "row_id_hash": draws.hashed(made.source.holdings.of_event[at], "row"),
        "record_id": record_ids("oasys", made.source.holdings.of_event[at]),
        "assessment_version": decode(successor.astype(np.int8), ("OASYS", "SAN")),
        "assessment_type": decode(full.astype(np.int8), ("LAYER1", "LAYER3")),
        "assessment_status": decode(locked.astype(np.int8), ("COMPLETE", "LOCKED_INCOMPLETE")),
        "date_completed": to_arrow(made.day[at]),
        "setting": decode(made.setting[at], SETTINGS),
        "purpose": decode(made.purpose[at], PURPOSES),
        **_sections(made, at, scores, full, locked, successor),
        **_items(made, at, scores, full),
        **_predictors(people, sanctions, made, at, scores, full),
        **_harm(people, sanctions, made, at, scores),
    }


def _sections(
    made: Assessments, at: Integers, scores: dict[str, Integers], full: Booleans, locked: Booleans, successor: Booleans
) -> Columns:
    """Scores of full assessments only. One that was locked lacks some; the successor has other sections in the end."""
    columns: Columns = {}
    for section in (*SECTIONS, *UNSCORED):
        missing = ~full | (locked & (made.draws.uniform(at, f"{section.name} left out") < 0.5))
        missing |= successor & (section.name in {"att", "emo"})
        score = scores[section.name]
        needed = score >= section.threshold
        harm = needed & (made.draws.uniform(at, f"{section.name} harm") < 0.4)
        reoffending = needed ^ (made.draws.uniform(at, f"{section.name} link") < 0.05)
        if section in SECTIONS:
            columns[f"{section.name}_other_weighted_score"] = pa.array(score, mask=missing)
            columns[f"{section.name}_threshold"] = pa.array(np.full(len(at), section.threshold))
        columns[f"{section.name}_linked_to_harm"] = pa.array(harm, mask=missing)
        columns[f"{section.name}_linked_to_reoffending"] = pa.array(reoffending, mask=missing)
    return columns


def _items(made: Assessments, at: Integers, scores: dict[str, Integers], full: Booleans) -> Columns:
    draws = made.draws
    motivation = np.searchsorted((3, 7), scores["att"] + draws.whole(at, "motivation", 0, 4), side="right")
    return {
        "no_fixed_abode": pa.array(scores["acc"] + draws.whole(at, "abode", 0, 3) >= 7, mask=~full),
        "currently_unemployed": pa.array(scores["ete"] + draws.whole(at, "work", 0, 3) >= 4, mask=~full),
        "injecting_drug_use": pa.array(scores["drug"] + draws.whole(at, "injects", 0, 3) >= 9, mask=~full),
        "motivation_to_change": decode(
            np.where(full, motivation, -1), ("very_motivated", "quite_motivated", "not_at_all")
        ),
    }


def _predictors(
    people: People,
    sanctions: Sanctions,
    made: Assessments,
    at: Integers,
    scores: dict[str, Integers],
    full: Booleans,
) -> Columns:
    one, two = ogrs(people, sanctions, made.sanction[at])
    dynamic = sum((scores[name] for name in _DYNAMIC), start=np.zeros(len(at), np.int64)) * 40.0 / _MOST_DYNAMIC
    static = two * 0.6
    violent = sanctions.group[made.sanction[at]] == _VIOLENT
    general = static + dynamic
    violence = 0.35 * two + 3.0 * scores["alcohol"] + 1.5 * scores["att"] + 12.0 * violent
    general_one, general_two, violence_one, violence_two = (
        _per_cent((general - 62.0) / 16.0),
        _per_cent((general - 52.0) / 16.0),
        _per_cent((violence - 62.0) / 15.0),
        _per_cent((violence - 52.0) / 15.0),
    )
    serious = np.minimum(0.02 * two + 0.05 * violence * np.where(full, 1.0, 0.8), 60.0)
    version = np.minimum(np.maximum((year_of(made.day[at]) - 2007) // 4, 0), 3)
    return {
        "ogrs_one_year": _decimals(one),
        "ogrs_two_years": _decimals(two),
        "ogp_static_weighted_score": _decimals(static, ~full),
        "ogp_dynamic_weighted_score": _decimals(dynamic, ~full),
        "ogp_1year": _decimals(general_one, ~full),
        "ogp_2years": _decimals(general_two, ~full),
        "ogp_risk": _band(general_two, (34, 67, 85), ~full),
        "ovp_total_weighted_score": _decimals(violence, ~full),
        "ovp_1year": _decimals(violence_one, ~full),
        "ovp_2years": _decimals(violence_two, ~full),
        "ovp_risk": _band(violence_two, (30, 60, 80), ~full),
        "rsr_percentage_score": pa.array(np.round(serious, 2)),
        "rsr_static_or_dynamic": decode(full.astype(np.int8), ("STATIC", "DYNAMIC")),
        "rsr_algorithm_version": decode(version, ("2", "3", "4", "5")),
        **_sexual(sanctions, made, at),
    }


def _per_cent(score: Floats) -> Floats:
    return np.asarray(100.0 / (1.0 + np.exp(-score)), np.float64)


def _decimals(values: Floats, missing: Booleans | None = None) -> pa.Array:
    return pa.array(np.round(values, 1), mask=missing)


def _band(values: Floats, edges: tuple[int, ...], missing: Booleans) -> pa.Array:
    return decode(np.where(missing, -1, np.searchsorted(np.asarray(edges), values, side="right")), _BANDS)


def _sexual(sanctions: Sanctions, made: Assessments, at: Integers) -> Columns:
    for_it = sanctions.group[made.sanction[at]] == _SEXUAL
    contact = np.where(for_it, made.draws.pick(at, "contact", (0.4, 0.3, 0.2, 0.1)), 4)
    images = np.where(for_it, made.draws.pick(at, "images", (0.6, 0.25, 0.15)), 4)
    return {"osp_contact_score_level": decode(contact, _BANDS), "osp_indecent_score_level": decode(images, _BANDS)}


def _harm(
    people: People, sanctions: Sanctions, made: Assessments, at: Integers, scores: dict[str, Integers]
) -> Columns:
    draws, person = made.draws, made.person[at]
    grave = np.isin(sanctions.group[made.sanction[at]], (_VIOLENT, _SEXUAL, GROUPS.index("robbery")))
    worst = scores["att"] / 4.0 + 0.8 * grave + 1.2 * draws.uniform(at, "harm") - 0.6
    groups = {
        name: np.clip(np.floor(worst - draws.uniform(at, name)), 0, 3).astype(np.int64)
        for name in ("children", "public", "known_adult", "staff")
    }
    overall = np.max(np.stack(list(groups.values())), axis=0)
    female = people.female[person]
    perpetrator = draws.uniform(person, "perpetrator") < np.where(female, 0.06, 0.24)
    victim = draws.uniform(person, "victim") < np.where(female, 0.55, 0.08)
    emotional = scores["emo"] == 1
    return {
        "rosh_overall_level": decode(overall, _HARM),
        **{f"rosh_{name}_community": decode(level, _HARM) for name, level in groups.items()},
        "domestic_abuse_perpetrator": pa.array(perpetrator),
        "domestic_abuse_victim": pa.array(victim),
        "self_harm_concern": pa.array(emotional & (draws.uniform(at, "self harm") < 0.35)),
        "learning_need_flag": pa.array(draws.uniform(person, "learning") < 0.22),
    }
