"""A slow second reading of every measure, in plain Python from the raw tables, person by person."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from counterfoil.cohort.register import RegisterPaths, build_cohort_register
from counterfoil.domains import load
from counterfoil.outcomes.catalogue import catalogue_of
from counterfoil.outcomes.measuring import FollowUp
from counterfoil.outcomes.register import build_outcomes, measure
from lib.random_extracts import Extracts, random_extracts

PEOPLE = 300
SEED = 20_264
RANK = {"indictable": 1, "either_way": 2, "summary": 3}
WEIGHTS = {group: 1.0 + n for n, group in enumerate(load().codes["offence_group"])}
Row = dict[str, Any]


def months_on(day: dt.date, months: int) -> dt.date:
    """So many calendar months on (or back), on the last day of a month that is too short."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return dt.date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


@pytest.fixture(scope="module")
def extracts() -> Extracts:
    """People with one PNC record each, so that no offence is held twice."""
    made = random_extracts(PEOPLE, SEED)
    owners: dict[str, int] = defaultdict(int)
    for row in made.keys.to_pylist():
        owners[row["register_key"]] += row["source"] == "pnc"
    single = [n == 1 for n in (owners[key] for key in made.keys["register_key"].to_pylist())]
    return replace(made, keys=made.keys.filter(pa.array(single)))


@pytest.fixture(scope="module")
def register(extracts: Extracts, tmp_path_factory: pytest.TempPathFactory) -> RegisterPaths:
    folder = tmp_path_factory.mktemp("measures")
    inputs, paths = extracts.write(folder / "extracts"), RegisterPaths(folder / "register")
    build_cohort_register(inputs, paths)
    build_outcomes(inputs, paths)
    return paths


def by_person(extracts: Extracts, source: str, name: str) -> dict[str, list[Row]]:
    owner = {row["record_id"]: row["register_key"] for row in extracts.keys.to_pylist() if row["source"] == source}
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in extracts.tables[source, name].to_pylist():
        if row["record_id"] in owner:
            rows[owner[row["record_id"]]].append(row)
    return rows


def days_inside(spells: list[Row], first: dt.date, end: dt.date) -> int:
    """Days of [first, end) that begin and end in custody, or come after death or deportation, one day at a time."""
    last_start = max((s["custody_start_date"] for s in spells), default=first)
    usable = [s for s in spells if s["custody_end_date"] is not None or s["custody_start_date"] == last_start]
    usable = [s for s in usable if s["custody_end_date"] is None or s["custody_end_date"] >= s["custody_start_date"]]
    gone = last_gone(usable)
    return sum(
        (gone is not None and day >= gone)
        or any(
            s["custody_start_date"] <= day and (s["custody_end_date"] is None or day < s["custody_end_date"])
            for s in usable
        )
        for day in (first + dt.timedelta(n) for n in range((end - first).days))
    )


def last_gone(usable: list[Row]) -> dt.date | None:
    """The end of the last stay, where a journey of it ended in death or deportation."""
    if not usable or any(s["custody_end_date"] is None for s in usable):
        return None
    stay: list[Row] = []
    for spell in sorted(usable, key=lambda s: s["custody_start_date"]):
        if stay and spell["custody_start_date"] > max(s["custody_end_date"] for s in stay):
            stay = []
        stay.append(spell)
    died = any(s["release_type"] in ("died", "deported") for s in stay)
    return max(s["custody_end_date"] for s in stay) if died else None


def slow_measures(
    event: Row, index_tier: str, offences: list[Row], disposals: dict[str, Row], spells: list[Row]
) -> dict[str, float | None]:
    """Every measure of one index event, window and wait 12 and 6 months, covered."""
    day = event["index_date"]

    def counts(months: int) -> list[Row]:
        return [
            o
            for o in offences
            if day <= o["offence_date"] < months_on(day, months)
            and o["proven_date"] < months_on(day, months + 6)
            and max(o["offence_date"], o["proven_date"]) > day
        ]

    here = sorted(counts(12), key=lambda o: (o["offence_date"], RANK[o["tier"]]))
    two = counts(24)
    before = [
        o for o in offences if months_on(day, -12) <= o["offence_date"] < day and o["proven_date"] < months_on(day, 6)
    ]
    custodial = [o for o in here if disposals[o["disposal_id"]]["disposal"] == "custody"]
    worst = min((RANK[o["tier"]] for o in here), default=9)
    window = (months_on(day, 12) - day).days
    free = window - days_inside(spells, day, months_on(day, 12))
    groups = load().codes["offence_group"]
    return {
        "reoffending_rate": float(bool(here)),
        "reoffending_frequency": float(len(here)),
        "days_to_first_reoffence": float((here[0]["offence_date"] - day).days) if here else None,
        "custodial_reoffending_rate": float(bool(custodial)),
        "custodial_reoffending_frequency": float(len(custodial)),
        **{f"first_reoffence_{t}_rate": float(bool(here) and here[0]["tier"] == t) for t in RANK},
        **{f"worst_reoffence_{t}_rate": float(worst == RANK[t]) for t in RANK},
        **{f"{t}_reoffending_frequency": float(sum(o["tier"] == t for o in here)) for t in RANK},
        **{f"{g}_reoffending_rate": float(any(o["offence_group"] == g for o in here)) for g in groups},
        **{f"{g}_reoffending_frequency": float(sum(o["offence_group"] == g for o in here)) for g in groups},
        "more_severe_reoffending_rate": float(worst < RANK[index_tier]),
        "offences_before": float(len(before)),
        "offences_change": float(len(here) - len(before)),
        "offended_year_before": float(
            any(o["proven_date"] < day and o["proven_date"] != event["sanction_date"] for o in before)
        ),
        "two_year_reoffending_rate": float(bool(two)),
        "two_year_reoffending_frequency": float(len(two)),
        "days_at_liberty": float(free),
        "years_at_liberty": free / 365.25,
        "reoffences_per_year_at_liberty": float(len(here)),
        "reoffending_harm": float(sum(WEIGHTS[o["offence_group"]] for o in here)),
    }


def test_every_measure_agrees_with_a_slow_reading(extracts: Extracts, register: RegisterPaths) -> None:
    names = tuple(n for n, one in catalogue_of("justice").definitions.items() if not one.share)
    every = {w: by_person(extracts, *w) for w in (("pnc", "offences"), ("pnc", "disposals"), ("prison", "nomis"))}
    events = pq.read_table(register.index_events).to_pylist()
    tiers = dict(
        zip(*pq.read_table(register.covariates, columns=["index_event_id", "tier"]).to_pydict().values(), strict=True)
    )
    people = pa.table(
        {
            "index_event_id": [e["index_event_id"] for e in events],
            "follow_from": pa.array([e["index_date"] for e in events], pa.date32()),
        }
    )
    found = measure(people, register, FollowUp(), measures=names, weights={"offence_group": WEIGHTS}).to_pylist()
    data_end, checked = register.data_end(), 0
    for event, row in zip(events, found, strict=True):
        who = event["register_key"]
        offences = [o for o in every["pnc", "offences"][who] if o["recordable"] and not o["breach"]]
        disposals = {d["disposal_id"]: d for d in every["pnc", "disposals"][who]}
        spells = every["prison", "nomis"][who]
        expected = slow_measures(event, tiers[event["index_event_id"]], offences, disposals, spells)
        assert expected.keys() == set(names)
        one, two = (months_on(event["index_date"], months) <= data_end for months in (18, 30))
        for name in names:
            covered = two if name.startswith("two_year") else one
            assert row[name] == (pytest.approx(expected[name]) if covered else None), (name, event["index_date"])
        checked += one
    assert checked > PEOPLE
