"""Who else an entry may be: its candidates as people, with probabilities (METHODS 5); and whom the spine is unsure of.

The spine holds some people in several clusters. Clusters that it joins at loose count as one candidate: between them it
is not in doubt who the entry is. Nothing here changes how an entry ends.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.linkage.cohort import CohortLinks, LinkStatus
from counterfoil.linkage.entries import RULED
from counterfoil.linkage.kept import Kept
from counterfoil.linkage.posterior import posterior
from counterfoil.linkage.record_clusters import LOOSE, STRICT, RecordClusters
from counterfoil.warehouse import query

# A candidate that is less likely than this is none, and a link that lacks less than this to 1 is certain: of a thousand
# links that are taken for certain, one is false at most.
FLOOR = 0.001
PLACE = "place"  # a record's row in the spine


def find_doubtful(found: CohortLinks, links: pa.Table, apart: pa.Table, people: pa.Table, *, strict: float) -> pa.Table:
    """row, person_id, probability, is_link: the candidates of each entry that is in doubt, ordered by row, likeliest
    first. An entry that is not here is who `links` says, or nobody.

    `links`: the links of `found` after rulings; `apart`: row and person_id that a ruling keeps apart. `people`: the
    spine's records, with person_id and cluster_loose, or those that `people_near` the candidates are. A link by a
    number weighs `strict` bits at least, as it does in its own probability. Of candidates that are one person at loose
    stands the one whom the entry is linked to, else the one that weighs most. Entries that people ruled to be somebody
    are settled, and so are those whose link they took.
    """
    named = _named(found, links, apart, people, strict)
    row = np.asarray(named["row"].to_numpy(), np.int64)
    is_link = np.asarray(named["is_link"].to_numpy(zero_copy_only=False), np.bool_)
    chance = posterior(row, np.asarray(named["weight"].to_numpy(), np.float64))
    certain = np.isin(row, row[is_link & (chance > 1.0 - FLOOR)])
    table = named.append_column("probability", pa.array(chance))
    table = table.filter(pa.array(~certain & (is_link | (chance >= FLOOR))))
    order = [("row", "ascending"), ("probability", "descending"), ("person_id", "ascending")]
    return table.select(["row", "person_id", "probability", "is_link"]).sort_by(order)


def _named(found: CohortLinks, links: pa.Table, apart: pa.Table, people: pa.Table, strict: float) -> pa.Table:
    """row, person_id, weight, is_link: each person that an entry may be, where no ruling settles it; ordered by row."""
    sql = f"""
        WITH settled AS (
            SELECT row FROM links JOIN before USING (row)
            WHERE coalesce(links.evidence, '') = '{RULED}' OR links.link_status <> before.link_status),
        near AS (
            SELECT row, person_id, weight FROM candidates
            UNION ALL SELECT row, person_id, greatest(match_weight, {strict}) FROM links
            WHERE link_status = '{LinkStatus.LINKED.value}' AND evidence <> 'model'),
        still AS (
            SELECT row, person_id, max(weight) AS weight
            FROM (SELECT * FROM near ANTI JOIN settled USING (row)) n ANTI JOIN apart USING (row, person_id)
            GROUP BY ALL),
        loose AS (
            SELECT person_id, min(cluster_loose) AS cluster, min(place) AS place FROM people
            WHERE person_id IN (SELECT person_id FROM still) GROUP BY person_id),
        named AS (
            SELECT s.*, cluster, place, l.person_id IS NOT NULL AS is_link
            FROM still s JOIN loose USING (person_id) LEFT JOIN links l ON s.row = l.row AND s.person_id = l.person_id)
        SELECT row, first(person_id ORDER BY is_link DESC, weight DESC, place) AS person_id,
               max(weight) AS weight, bool_or(is_link) AS is_link
        FROM named GROUP BY row, cluster ORDER BY row, person_id"""
    tables = {
        "links": links.select(["row", "person_id", "link_status", "match_weight", "evidence"]),
        "before": found.links.select(["row", "link_status"]),
        "candidates": found.candidates,
        "apart": apart,
        "people": _placed(people).select(["person_id", "cluster_loose", PLACE]),
    }
    return query(sql, tables)


def _placed(people: pa.Table) -> pa.Table:
    """With the place of each record in the spine: of two that weigh the same the first counts, for keys are random."""
    if PLACE in people.column_names:
        return people
    return people.append_column(PLACE, pa.array(np.arange(people.num_rows)))


def people_near(kept: Kept, clusters: RecordClusters, asked: pa.Array) -> pa.Table:
    """person_id, cluster_strict, cluster_loose, place: every record that is of one of `asked` (person_id) or joined to
    them at loose. Nothing else is looked at to say who is in doubt, and of millions of records these are thousands."""
    persons = np.flatnonzero(pc.is_in(kept.persons, value_set=asked).to_numpy(zero_copy_only=False))
    records = np.concatenate([np.empty(0, np.int64), *(kept.records_of(each) for each in persons.tolist())])
    rows = clusters.records_near(records)
    return pa.table(
        {
            "person_id": kept.people_of(rows),
            STRICT: clusters.of(STRICT, rows),
            LOOSE: clusters.of(LOOSE, rows),
            PLACE: rows,
        }
    )


def find_unsteady(people: pa.Table, asked: Collection[str]) -> frozenset[str]:
    """Those of `asked` (person_id) whom the spine does not hold alike at its three strictnesses: split at strict, or
    one with somebody else at loose.

    `people`: the spine's records, with person_id and the clusters, or those that `people_near` them are.
    """
    sql = """
        WITH theirs AS (SELECT DISTINCT cluster_loose FROM people SEMI JOIN asked USING (person_id)),
        near AS (SELECT * FROM people SEMI JOIN theirs USING (cluster_loose)),
        shared AS (SELECT cluster_loose FROM near GROUP BY 1 HAVING count(DISTINCT person_id) > 1)
        SELECT person_id FROM near SEMI JOIN asked USING (person_id) GROUP BY 1
        HAVING count(DISTINCT cluster_strict) > 1 OR bool_or(cluster_loose IN (SELECT cluster_loose FROM shared))
        ORDER BY 1"""
    tables = {
        "people": people.select(["person_id", "cluster_strict", "cluster_loose"]),
        "asked": pa.table({"person_id": pa.array(sorted(asked), pa.string())}),
    }
    return frozenset(query(sql, tables)["person_id"].to_pylist())
