"""What people ruled about the links of a share, as the next link of it obeys them.

A ruling is of two records: one of the share, one of the spine. What it says of people follows from who their records
are of: records of the share that were ruled the same as one person are one person of the share, and those ruled to be
different people are two. Nothing is guessed where rulings contradict each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.linkage.clusters import RULED, Links, Rulings, components
from counterfoil.linkage.linked_share import Sides
from counterfoil.linkage.one_to_one import OneToOne, assign
from counterfoil.linkage.overrides import Decision
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.rulings import Pairs
from counterfoil.warehouse import query

_PAIRS = pa.schema([("left", pa.string()), ("right", pa.string())])


@dataclass(frozen=True, slots=True)
class ShareRuled:
    """The overrides in force of a share. `same`, `apart`: for each record number of the share the people of the spine.

    `absent`: those of a record that is not there any more; they wait. `contradictions`: records that were ruled the
    same as two people, or the same as one and apart from them; of those only what keeps apart holds.
    """

    same: Mapping[int, str]
    apart: Mapping[int, frozenset[str]]
    absent: int
    contradictions: int

    def about(self) -> Mapping[str, int]:
        """Counts, for the quality report. Records of the share."""
        return {
            "must_link": len(self.same),
            "must_not_link": len(self.apart),
            "of_absent_records": self.absent,
            "contradictions": self.contradictions,
        }

    def of_records(self, records: int, links: Links) -> Rulings:
        """What follows for records of the share among themselves. `links`: those that may join them."""
        together = defaultdict(list)
        for record, person in sorted(self.same.items()):
            together[person].append(record)
        joined = [(first, other) for first, *others in together.values() for other in others]
        must = _numbers(joined)
        every = Links(
            np.concatenate([links.left, must[:, 0]]),
            np.concatenate([links.right, must[:, 1]]),
            np.concatenate([links.weight, np.full(len(must), RULED)]),
        )
        return Rulings(must, _numbers(self._kept_apart(components(records, every).tolist())))

    def _kept_apart(self, component: list[int]) -> Iterator[tuple[int, int]]:
        """Pairs of records that links could join and that rulings say are two people."""
        near = defaultdict(list)
        for record in sorted({*self.same, *self.apart}):
            near[component[record]].append(record)
        for records in near.values():
            yield from (pair for pair in combinations(records, 2) if self._differ(*pair) or self._differ(*pair[::-1]))

    def _differ(self, one: int, other: int) -> bool:
        person = self.same.get(one)
        if person is None:
            return False
        return person in self.apart.get(other, ()) or self.same.get(other, person) != person

    def of_people(self, people: pa.Array) -> tuple[pa.Table, pa.Table]:
        """left (a person of the share), right (person_id): of whom it was ruled that they are one, and that not.
        `people`: the person of each record of the share."""
        names = people.to_pylist()
        apart = {(names[record], person) for record, others in self.apart.items() for person in others}
        same = {(names[record], person) for record, person in self.same.items()} - apart
        return _table(same), _table(apart)


def rulings_of_share(overrides: pa.Table, sides: Sides) -> ShareRuled:
    """`overrides` as `read_overrides` gives them for the share."""
    known = {
        "overrides": overrides,
        "own": sides.share.select([ID, "source", "record_id"]),
        "other": sides.spine.select(["source", "record_id"]).append_column("person", sides.persons),
    }
    sql = f"""
        WITH named AS (
            SELECT decision, own.source = source_l AS first, own.{ID} AS record, source_l, record_id_l, source_r,
                   record_id_r
            FROM overrides LEFT JOIN own ON (source_l, record_id_l) = (own.source, own.record_id)
                                         OR (source_r, record_id_r) = (own.source, own.record_id))
        SELECT DISTINCT record, person, decision FROM named LEFT JOIN other
            ON (source, record_id) = (CASE WHEN first THEN source_r ELSE source_l END,
                                      CASE WHEN first THEN record_id_r ELSE record_id_l END)
        ORDER BY ALL"""
    found = query(sql, known)
    here = found.filter(pc.and_(found["record"].is_valid(), found["person"].is_valid())).to_pylist()
    said: dict[Decision, dict[int, set[str]]] = {decision: defaultdict(set) for decision in Decision}
    for row in here:
        said[Decision(row["decision"])][row["record"]].add(row["person"])
    apart = said[Decision.MUST_NOT_LINK]
    same, against = {}, 0
    for record, persons in said[Decision.MUST_LINK].items():
        left = persons - apart.get(record, set())
        against += len(persons) > 1 or left != persons
        if len(persons) == len(left) == 1:
            (same[record],) = left
    kept = {record: frozenset(persons) for record, persons in apart.items()}
    return ShareRuled(same, kept, found.num_rows - len(here), against)


def assign_as_ruled(candidates: pa.Table, rule: OneToOne, ruled: ShareRuled, people: pa.Array) -> pa.Table:
    """left, right, weight, status, ruled: as `assign`, with what was ruled before anything that the model says.

    Two people who were ruled one are linked, whatever they weigh (null where they were never compared); unless one of
    them was ruled the same as somebody else too: then they are tied. A pair that was ruled apart is never linked.
    """
    same, apart = ruled.of_people(people)
    sql = f"""
        WITH every AS (
            SELECT "left", "right", weight FROM candidates
            UNION ALL SELECT "left", "right", NULL FROM same ANTI JOIN candidates USING ("left", "right"))
        SELECT "left", "right", weight AS own, coalesce(is_same, false) AS ruled, coalesce(is_apart, false) AS apart,
               CASE WHEN is_same THEN {RULED} ELSE weight END AS weight
        FROM every LEFT JOIN (SELECT *, true AS is_same FROM same) USING ("left", "right")
        LEFT JOIN (SELECT *, true AS is_apart FROM apart) USING ("left", "right") ORDER BY 1, 2"""
    given = query(sql, {"candidates": candidates, "same": same, "apart": apart})
    found = assign(given.select(["left", "right", "weight", "apart"]), rule)
    back = """SELECT "left", "right", own AS weight, status, ruled
              FROM (SELECT "left", "right", status FROM found) JOIN given USING ("left", "right") ORDER BY 1, 2"""
    return query(back, {"found": found, "given": given})


def _numbers(pairs: Iterable[tuple[int, int]]) -> Pairs:
    return np.array(list(pairs), dtype=np.int64).reshape(-1, 2)


def _table(pairs: Collection[tuple[str, str]]) -> pa.Table:
    return pa.Table.from_pylist([{"left": left, "right": right} for left, right in sorted(pairs)], schema=_PAIRS)
