"""Which index event belongs to an entry, who leaves, who is in the pool (METHODS 2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from counterfoil.cohort.one_person import as_chosen
from counterfoil.cohort.select import Selected, select
from counterfoil.cohort.settings import CohortSettings, Exclusion, FollowFrom
from counterfoil.cohort.values import Step
from counterfoil.errors import UsageError
from lib.justice_extracts import World

ALL_KINDS = ("release", "community", "caution", "other_conviction")


def study_of(*entries: tuple[int, str | None, str]) -> pa.Table:
    """Entries: study key, person's letter (None: not linked), start date."""
    return pa.table(
        {
            "study_key": pa.array([key for key, _, _ in entries], pa.int64()),
            "register_key": pa.array([None if who is None else f"key-{who}" for _, who, _ in entries], pa.string()),
            "start_date": pa.array([dt.date.fromisoformat(day) for _, _, day in entries], pa.date32()),
        }
    )


def world_of(**histories: list[tuple[str, ...]]) -> World:
    """Each letter's history: ("community", day), ("stay", day, day or "", release type), ("offence", day)."""
    world = World()
    for letter, history in histories.items():
        world.person("pnc", f"P{letter}")
        world.person("prison", f"N{letter}")
        for what, day, *more in history:
            if what == "stay":
                world.spell(f"N{letter}", day, more[0] or None, release_type=more[1] if len(more) > 1 else "automatic")
            elif what == "offence":
                world.offence(f"P{letter}", day, day.replace(day[:4], str(int(day[:4]) + 1), 1))
            else:
                world.disposal(f"P{letter}", day, disposal=what)
    return world


def treated_of(selected: Selected) -> list[tuple[int, str, str, int]]:
    return [
        (row["study_key"], row["kind"], row["index_date"].isoformat(), row["delay_days"])
        for row in selected.people.to_pylist()
        if row["treated"]
    ]


def pool_of(selected: Selected) -> set[tuple[str, str]]:
    people = {row["register_key"]: row for row in selected.keys.to_pylist()}
    days = {
        row["study_key"]: row["index_date"].isoformat() for row in selected.people.to_pylist() if not row["treated"]
    }
    return {(key[-1], days[row["study_key"]]) for key, row in people.items() if row["study_key"] in days}


def chosen(world: World, folder: Path, study: pa.Table, **settings: Any) -> Selected:
    return select(study, world.register(folder), CohortSettings(**{"index_kinds": ALL_KINDS, **settings}))


HISTORY = [
    ("community", "2015-01-10"),
    ("stay", "2016-03-01", "2016-06-10"),
    ("community", "2016-12-01"),
    ("stay", "2017-06-01", "2017-07-01", "deported"),
]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2016-04-01", ("release", "2016-06-10", 0)),  # inside the stay
        ("2016-03-01", ("release", "2016-06-10", 0)),  # its first day
        ("2016-06-10", ("release", "2016-06-10", 0)),  # the day of release
        ("2016-06-11", ("release", "2016-06-10", 1)),
        ("2016-12-01", ("community", "2016-12-01", 0)),  # the sentence is nearer than the release
        ("2016-10-31", ("release", "2016-06-10", 143)),  # before the offence of 1 November
        ("2017-06-02", None),  # inside a stay that ends in deportation
        ("2016-02-29", None),  # nothing within 183 days before
        ("2014-12-31", None),  # nothing before at all
        ("2015-07-12", ("community", "2015-01-10", 183)),  # the last day of the window
        ("2015-07-13", None),
    ],
)
def test_the_event_that_a_start_belongs_to(tmp_path: Path, start: str, expected: tuple[str, str, int] | None) -> None:
    selected = chosen(world_of(a=HISTORY), tmp_path, study_of((7, "a", start)))
    assert treated_of(selected) == ([] if expected is None else [(7, *expected)])
    assert selected.attrition.people[Step.LINKED] == 1
    assert selected.attrition.people[Step.INDEX_EVENT_FOUND] == (0 if expected is None else 1)


def test_kinds_that_are_not_asked_are_not_there(tmp_path: Path) -> None:
    world = world_of(a=[("community", "2016-12-01")], b=[("fine", "2016-12-01")], c=[("community", "2016-12-02")])
    selected = chosen(
        world, tmp_path, study_of((1, "a", "2016-12-05"), (2, "b", "2016-12-05")), index_kinds=("community",)
    )
    assert treated_of(selected) == [(1, "community", "2016-12-01", 4)]
    assert pool_of(selected) == {("c", "2016-12-02")}


def test_a_person_counts_once_at_the_earliest_entry(tmp_path: Path) -> None:
    world = world_of(a=[("community", "2016-01-10"), ("community", "2016-09-10")])
    study = study_of((5, "a", "2016-09-20"), (5, "a", "2016-01-15"))
    assert treated_of(chosen(world, tmp_path, study)) == [(5, "community", "2016-01-10", 5)]


def _also(study: pa.Table, *letters: str) -> pa.Table:
    """The first entry's person is in these clusters too; the others' in none."""
    keys = [[f"key-{letter}" for letter in letters], *([] for _ in range(study.num_rows - 1))]
    return study.append_column("also", pa.array(keys, pa.list_(pa.string())))


@pytest.mark.parametrize(
    ("own", "other", "expected", "whose"),
    [
        # only the other cluster has an event
        ([], [("community", "2016-09-10")], ("community", "2016-09-10", 10), "b"),
        # the nearer of two
        ([("community", "2016-06-10")], [("community", "2016-09-10")], ("community", "2016-09-10", 10), "b"),
        ([("community", "2016-09-10")], [("community", "2016-06-10")], ("community", "2016-09-10", 10), "a"),
        # the start lies in a stay that the other cluster holds
        ([("community", "2016-09-10")], [("stay", "2016-09-01", "2016-10-01")], ("release", "2016-10-01", 0), "b"),
        # no event ends the stay that the other cluster holds: it had not ended, or not in a release
        ([("community", "2016-09-10")], [("stay", "2016-09-15", "")], None, "b"),
        ([("community", "2016-09-10")], [("stay", "2016-09-15", "2016-10-01", "deported")], None, "b"),
        ([("community", "2016-09-20")], [("stay", "2016-09-15", "2016-10-01", "deported")], None, "b"),
        # a stay in each: the one that ends in a release
        ([("stay", "2016-09-15", "2016-10-01")], [("stay", "2016-09-15", "")], ("release", "2016-10-01", 0), "a"),
        # both hold the event: the entry's own
        ([("community", "2016-09-10")], [("community", "2016-09-10")], ("community", "2016-09-10", 10), "a"),
        ([], [], None, "a"),
    ],
)
def test_the_cluster_that_holds_the_event_stands_for_the_person(
    tmp_path: Path,
    own: list[tuple[str, ...]],
    other: list[tuple[str, ...]],
    expected: tuple[str, str, int] | None,
    whose: str,
) -> None:
    """And none of the person's clusters is somebody to compare with."""
    world = world_of(a=own, b=other, c=[("community", "2016-09-10")])
    selected = chosen(world, tmp_path, _also(study_of((7, "a", "2016-09-20")), "b"))
    assert treated_of(selected) == ([] if expected is None else [(7, *expected)])
    assert {who for who, _ in pool_of(selected)} <= {"c"}
    if expected is not None:
        assert as_chosen(study_of((7, "a", "2016-09-20")), selected.keys)["register_key"].to_pylist() == [
            f"key-{whose}"
        ]


def test_a_register_that_does_not_tell_whose_a_stay_is_is_made_anew(tmp_path: Path) -> None:
    paths = world_of(a=[("community", "2016-09-10")], b=[]).register(tmp_path)
    pq.write_table(pq.read_table(paths.custody).drop_columns(["register_key"]), paths.custody)
    with pytest.raises(UsageError, match="counterfoil register LAB"):
        select(_also(study_of((7, "a", "2016-09-20")), "b"), paths, CohortSettings(index_kinds=ALL_KINDS))


def test_two_entries_of_one_person_count_once_whichever_cluster_each_found(tmp_path: Path) -> None:
    """One is linked to B outright; the other to A and B, of whom A would be nearer."""
    world = world_of(a=[("community", "2016-09-10")], b=[("community", "2016-06-10")])
    study = _also(study_of((7, "a", "2016-09-20"), (8, "b", "2016-06-20")), "b")
    assert treated_of(chosen(world, tmp_path, study)) == [(8, "community", "2016-06-10", 10)]


def test_a_cluster_of_somebody_treated_is_no_candidate_of_a_doubtful_entry(tmp_path: Path) -> None:
    world = world_of(a=[("community", "2016-09-10")], b=[("community", "2016-06-10")], c=[("community", "2016-09-10")])
    study = _also(study_of((7, "a", "2016-09-20")), "b")
    doubt = study_of((20, "b", "2016-06-20"), (21, "c", "2016-09-20")).append_column(
        "start_known", pa.array([True] * 2)
    )
    selected = select(study, world.register(tmp_path), CohortSettings(index_kinds=ALL_KINDS), doubt=doubt)
    assert selected.possible.keys["study_key"].to_pylist() == [21]


def test_who_offends_before_the_start_leaves(tmp_path: Path) -> None:
    world = world_of(
        a=[("community", "2016-03-01"), ("offence", "2016-03-10")],
        b=[("community", "2016-03-01"), ("offence", "2016-03-11")],  # on the day of the start: stays
        c=[("community", "2016-03-01"), ("offence", "2016-02-20")],  # before the index date
    )
    study = study_of((1, "a", "2016-03-11"), (2, "b", "2016-03-11"), (3, "c", "2016-03-11"))
    selected = chosen(world, tmp_path, study)
    assert [key for key, *_ in treated_of(selected)] == [2, 3]
    assert selected.attrition.people[Step.ELIGIBLE] == 3
    assert selected.attrition.people[Step.NO_OFFENCE_BEFORE_START] == 2


def test_the_pool_meets_the_same_condition(tmp_path: Path) -> None:
    world = world_of(
        a=[("community", "2016-03-01")],
        b=[("community", "2016-05-01"), ("offence", "2016-05-10")],  # 9 days: before any pseudo-start of 10
        c=[("community", "2016-05-01"), ("offence", "2016-05-11")],
        d=[("community", "2015-05-01")],  # no treated person of that year: delays of the kind
        e=[("fine", "2015-05-01")],  # none of the kind: delays of all
    )
    selected = chosen(world, tmp_path, study_of((1, "a", "2016-03-11")), first_year=2015)
    assert pool_of(selected) == {("c", "2016-05-01"), ("d", "2015-05-01"), ("e", "2015-05-01")}
    assert set(selected.people["delay_days"].to_pylist()) == {10}


def test_everyone_in_the_study_is_out_of_the_pool(tmp_path: Path) -> None:
    world = world_of(
        a=[("community", "2016-03-01")],
        b=[("community", "2012-03-01")],  # entered, but without an event in the window
        c=[("community", "2016-03-05")],
    )
    selected = chosen(
        world, tmp_path, study_of((1, "a", "2016-03-11"), (2, "b", "2016-03-11"), (3, None, "2016-03-11"))
    )
    assert pool_of(selected) == {("c", "2016-03-05")}
    assert selected.attrition.people[Step.LINKED] == 2


def test_years_and_cover_and_exclusions(tmp_path: Path) -> None:
    world = world_of(
        a=[("community", "2014-03-01")],
        b=[("community", "2016-03-01")],
        c=[("community", "2028-06-30")],  # 18 months end on 30 December 2029
        d=[("community", "2028-07-02")],  # not covered by data until 1 January 2030
    )
    study = study_of((1, "a", "2014-03-11"), (2, "b", "2016-03-11"), (3, "c", "2028-07-01"), (4, "d", "2028-07-03"))
    inside = chosen(world, tmp_path / "1", study, first_year=2015)
    assert [key for key, *_ in treated_of(inside)] == [2, 3]
    assert inside.attrition.people[Step.INSIDE_YEARS] == 2
    from_start = chosen(world, tmp_path / "2", study, last_year=2028, follow_from=FollowFrom.START)
    assert [key for key, *_ in treated_of(from_start)] == [1, 2]  # the latest start of a window must be covered
    nobody = chosen(
        world, tmp_path / "3", study, exclusions=(Exclusion("offence_group", ("theft",), "thefts are left out"),)
    )
    assert nobody.attrition.people[Step.ELIGIBLE] == 0
    assert nobody.people.num_rows == 0


def test_follow_up_starts_where_the_plan_says(tmp_path: Path) -> None:
    world = world_of(a=[("community", "2016-03-01")], b=[("community", "2016-05-01")])
    study = study_of((1, "a", "2016-03-11"))
    expected: Mapping[FollowFrom, list[str]] = {
        FollowFrom.INDEX: ["2016-03-01", "2016-05-01"],
        FollowFrom.START: ["2016-03-11", "2016-05-11"],
    }
    for follow_from, days in expected.items():
        selected = chosen(world, tmp_path / follow_from.value, study, follow_from=follow_from)
        assert [day.isoformat() for day in selected.people["follow_from"].to_pylist()] == days


def test_one_event_a_pool_person_drawn_by_the_seed(tmp_path: Path) -> None:
    world = world_of(a=[("community", "2016-03-01")], b=[("community", f"201{n}-05-01") for n in range(2, 9)])
    paths = world.register(tmp_path)
    study, years = study_of((1, "a", "2016-03-11")), CohortSettings(first_year=2012, last_year=2018)
    drawn = [pool_of(select(study, paths, replace(years, seed=seed))) for seed in range(30)]
    assert max(len(one) for one in drawn) == 1
    assert len(set.union(*drawn)) > 3
    one, again = (select(study, paths, replace(years, seed=3)) for _ in range(2))
    assert one.people.equals(again.people)


def test_without_years_in_the_plan_the_pool_has_those_of_the_treated(tmp_path: Path) -> None:
    world = world_of(
        a=[("community", "2014-03-01")],
        b=[("community", "2016-03-01")],
        c=[("community", "2013-12-31")],
        d=[("community", "2014-01-01")],
        e=[("community", "2016-12-31")],
        f=[("community", "2017-01-01")],
    )
    selected = chosen(world, tmp_path, study_of((1, "a", "2014-03-01"), (2, "b", "2016-03-01")))
    assert pool_of(selected) == {("d", "2014-01-01"), ("e", "2016-12-31")}


def test_people_hold_covariates_and_no_register_key(tmp_path: Path) -> None:
    world = world_of(a=[("community", "2016-03-01")], b=[("community", "2016-05-01")])
    selected = chosen(world, tmp_path, study_of((1, "a", "2016-03-11")))
    fixed = ("study_key", "treated", "index_event_id", "kind", "index_date", "delay_days", "follow_from")
    assert tuple(selected.people.column_names) == fixed + selected.covariates
    assert "copas_rate" in selected.covariates
    assert selected.keys.to_pylist()[0] == {"study_key": 1, "register_key": "key-a"}


def test_mistakes_are_told_together(tmp_path: Path) -> None:
    paths = world_of(a=[("community", "2016-03-01")]).register(tmp_path)
    wrong = CohortSettings(index_kinds=("parole",), exclusions=(Exclusion("height", ("tall",), ""),))
    with pytest.raises(UsageError) as told:
        select(study_of().drop_columns(["start_date"]), paths, wrong)
    assert [word for word in ("start_date", "parole", "height") if word in str(told.value)] == [
        "start_date",
        "parole",
        "height",
    ]


def listed(*entries: tuple[int, str, str, str, bool]) -> pa.Table:
    """Entries: study key, person's letter, start date, group, whether a start is known."""
    study = study_of(*((key, who, day) for key, who, day, _, _ in entries))
    study = study.append_column("group", pa.array([group for *_, group, _ in entries]))
    return study.append_column("start_known", pa.array([known for *_, known in entries]))


def test_people_who_applied_get_an_event_and_a_start_and_stand_in_no_pool(tmp_path: Path) -> None:
    """a and z took part 20 days after; b was refused on a day; c without a day of a start; d offended before it."""
    one: list[tuple[str, ...]] = [("community", "2016-03-01")]
    world = world_of(a=one, z=one, b=one, c=one, d=[*one, ("offence", "2016-03-10")], p=one)
    study = listed(
        (1, "a", "2016-03-21", "treated", True),
        (2, "z", "2016-03-21", "treated", True),
        (3, "b", "2016-04-10", "refused", True),
        (4, "c", "2016-03-01", "waiting", False),
        (5, "d", "2016-03-21", "refused", True),
    )
    selected = chosen(world, tmp_path, study)
    assert [key for key, *_ in treated_of(selected)] == [1, 2]
    assert pool_of(selected) == {("p", "2016-03-01")}
    found = {
        row["study_key"]: (row["group"], row["delay_days"], row["treated"]) for row in selected.applied.to_pylist()
    }
    assert found == {3: ("refused", 40, False), 4: ("waiting", 20, False)}  # c's is drawn from those who took part
    assert {row["study_key"] for row in selected.keys.to_pylist()} >= {3, 4}
    assert selected.attrition.people[Step.LINKED] == 2  # of those who took part


def test_who_was_refused_and_took_part_later_took_part(tmp_path: Path) -> None:
    world = world_of(a=[("community", "2016-03-01"), ("community", "2017-03-01")])
    study = listed((1, "a", "2016-03-05", "refused", True), (2, "a", "2017-03-09", "treated", True))
    selected = chosen(world, tmp_path, study)
    assert treated_of(selected) == [(2, "community", "2017-03-01", 8)]
    assert selected.applied.num_rows == 0


def doubt_of(*candidates: tuple[int, str, str]) -> pa.Table:
    """Candidates of doubtful entries: study key, person's letter, start date."""
    table = study_of(*candidates)
    return table.append_column("start_known", pa.array([True] * table.num_rows))


def test_whom_an_entry_may_be_stands_beside_the_selection_and_changes_nothing(tmp_path: Path) -> None:
    """B may be an entry that starts in June: the nearest event before it. C offended before the start, D has no event
    by then, and A is treated already."""
    world = world_of(
        A=[("community", "2016-01-10")],
        B=[("community", "2016-02-01"), ("community", "2016-05-20"), ("community", "2016-08-01")],
        C=[("community", "2016-05-20"), ("offence", "2016-05-25")],
        D=[("community", "2016-09-01")],
        E=[("community", "2016-03-01")],
    )
    study = study_of((7, "A", "2016-02-01"))
    day = "2016-06-01"
    register = world.register(tmp_path)
    settings = CohortSettings(index_kinds=ALL_KINDS)
    doubt = doubt_of((11, "B", day), (12, "C", day), (13, "D", day), (14, "A", day))
    plain, selected = select(study, register, settings), select(study, register, settings, doubt=doubt)
    assert selected.people.equals(plain.people)
    assert selected.keys.equals(plain.keys)
    assert selected.attrition == plain.attrition
    possible = selected.possible
    assert possible.people.column_names == selected.people.column_names
    assert [(r["study_key"], r["index_date"].isoformat(), r["delay_days"]) for r in possible.people.to_pylist()] == [
        (11, "2016-05-20", 12)
    ]
    assert possible.keys["register_key"].to_pylist() == ["key-B"]
    in_pool = [key == "key-B" for key in selected.keys["register_key"].to_pylist()]
    assert possible.place.tolist() == [in_pool.index(True) if any(in_pool) else -1]
