"""Who else an entry may be, by hand: two clusters of one person are no doubt, rulings settle, numbers outweigh."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from counterfoil.linkage.cohort import CohortLinks
from counterfoil.linkage.doubt import find_doubtful, find_unsteady

STRICT = 20.0
# Q and Q2 are one person at loose; S is in two parts at strict.
PEOPLE = pa.table(
    {
        "person_id": ["P", "Q", "Q2", "R", "S", "S"],
        "cluster_strict": [1, 2, 3, 4, 5, 6],
        "cluster_loose": [1, 2, 2, 4, 5, 5],
    }
)
NOBODY = pa.table({"row": pa.array([], pa.int64()), "person_id": pa.array([], pa.string())})


def links_of(*rows: tuple[str | None, str, float | None, str | None]) -> pa.Table:
    person, status, weight, evidence = zip(*rows, strict=True)
    return pa.table(
        {
            "row": pa.array(range(len(rows)), pa.int64()),
            "person_id": pa.array(person, pa.string()),
            "link_status": pa.array(status, pa.string()),
            "match_weight": pa.array(weight, pa.float64()),
            "evidence": pa.array(evidence, pa.string()),
        }
    )


def candidates_of(*rows: tuple[int, str, float]) -> pa.Table:
    row, person, weight = zip(*rows, strict=True)
    return pa.table({"row": pa.array(row, pa.int64()), "person_id": person, "weight": weight})


def doubtful(
    before: pa.Table, candidates: pa.Table, *, after: pa.Table | None = None, apart: pa.Table = NOBODY
) -> list[tuple[int, str, float, bool]]:
    found = find_doubtful(CohortLinks(before, candidates), after or before, apart, PEOPLE, strict=STRICT)
    return [(r["row"], r["person_id"], r["probability"], r["is_link"]) for r in found.to_pylist()]


def test_a_sure_link_and_an_entry_with_nobody_near_are_no_doubt() -> None:
    links = links_of(("P", "linked", 20.0, "model"), (None, "not_found", -12.0, None))
    assert doubtful(links, candidates_of((0, "P", 20.0), (1, "R", -12.0))) == []


def test_rivals_and_nobody_share_what_there_is() -> None:
    # row 0: 3 bits, so 8 to 1; row 1: P 3 bits, R 2: 8, 4 and nobody 1
    links = links_of((None, "not_found", 3.0, None), (None, "ambiguous", 3.0, None))
    found = doubtful(links, candidates_of((0, "P", 3.0), (1, "P", 3.0), (1, "R", 2.0)))
    assert [(row, person, is_link) for row, person, _, is_link in found] == [
        (0, "P", False),
        (1, "P", False),
        (1, "R", False),
    ]
    assert [p for _, _, p, _ in found] == pytest.approx([8 / 9, 8 / 13, 4 / 13])


def test_clusters_that_are_one_person_at_loose_are_one_candidate() -> None:
    # linked to Q2, though Q weighs more; without joining them Q2 would have 16 of 49
    links = links_of(("Q2", "linked", 4.0, "model"))
    found = doubtful(links, candidates_of((0, "Q", 5.0), (0, "Q2", 4.0)))
    assert [(person, is_link) for _, person, _, is_link in found] == [("Q2", True)]
    assert found[0][2] == pytest.approx(32 / 33)
    unlinked = doubtful(links_of((None, "ambiguous", 5.0, None)), candidates_of((0, "Q", 5.0), (0, "Q2", 4.0)))
    assert [(person, is_link) for _, person, _, is_link in unlinked] == [("Q", False)]


def test_a_number_weighs_as_the_strict_threshold_at_least() -> None:
    links = links_of(("P", "linked", 2.0, "pnc"))
    assert doubtful(links, candidates_of((0, "P", 2.0), (0, "R", 5.0))) == []
    rival = doubtful(links, candidates_of((0, "P", 2.0), (0, "R", 20.0)))
    assert [p for _, _, p, _ in rival] == pytest.approx([0.5, 0.5], abs=1e-6)


def test_a_link_that_is_less_likely_than_the_floor_still_stands_among_its_rivals() -> None:
    found = doubtful(links_of(("P", "linked", 2.0, "pnc")), candidates_of((0, "P", 2.0), (0, "R", 40.0)))
    assert [(person, is_link) for _, person, _, is_link in found] == [("R", False), ("P", True)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("P", "linked", 9.0, "model"), (None, "not_found", 9.0, None)),  # a reviewer said no
        ((None, "ambiguous", 3.0, None), ("P", "linked", 3.0, "clerical_review")),  # and yes
    ],
)
def test_what_people_ruled_is_settled(before: Any, after: Any) -> None:
    candidates = candidates_of((0, "P", 9.0), (0, "R", 8.0))
    assert doubtful(links_of(before), candidates, after=links_of(after)) == []


def test_whom_a_ruling_keeps_apart_is_no_candidate() -> None:
    apart = pa.table({"row": pa.array([0], pa.int64()), "person_id": ["P"]})
    found = doubtful(links_of((None, "ambiguous", 3.0, None)), candidates_of((0, "P", 3.0), (0, "R", 2.0)), apart=apart)
    assert [person for _, person, _, _ in found] == ["R"]
    assert found[0][2] == pytest.approx(4 / 5)


def test_whom_the_spine_is_unsure_of() -> None:
    assert find_unsteady(PEOPLE, {"P", "Q", "R", "S"}) == {"Q", "S"}
    assert find_unsteady(PEOPLE, set()) == frozenset()
