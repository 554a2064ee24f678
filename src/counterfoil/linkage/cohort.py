"""A cohort to the spine: for each entry one person, or an honest no (METHODS 1).

The order of evidence: a valid identifying number that a birth date or surname confirms; then the model, with the cohort
as one side and the spine's records as the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.errors import Fault
from counterfoil.linkage import engine as engines
from counterfoil.linkage.blocking import RuleCount, check_blocks, count_between
from counterfoil.linkage.clusters import Strictness
from counterfoil.linkage.core.room import Reach
from counterfoil.linkage.core.searcher import Searcher
from counterfoil.linkage.engine import DEFAULT_ENGINE, Engine
from counterfoil.linkage.kept import Kept
from counterfoil.linkage.model import Resources
from counterfoil.linkage.prepare import ID, known_hot_keys, prepare
from counterfoil.linkage.record_clusters import LOOSE, RecordClusters, read_clusters
from counterfoil.linkage.specification import NumberEvidence, Specification
from counterfoil.linkage.spine import Spine
from counterfoil.warehouse import query

# An entry has one right answer among the spine's people, and a close second is never guessed at; so less is asked of it
# than of a pair inside the spine, where a false link chains. At 8 bits one link in 250 at the edge is expected to be
# false; on 2,900 entries of the synthetic population none was, and 93% were found (79% at 14). docs/decisions/0010.
COHORT_WEIGHT = 8.0
LOWEST_WEIGHT = -20.0  # bits; below it a pair tells nothing about who an entry is
_EXACT = ["pnc_std", "prison_number_std", "dob"]  # what the plain baseline joins on, with the names
_NUMBERS = ("pnc_std", "cro_std", "prison_number_std", "crn_std")


class LinkStatus(Enum):
    """How an entry ended."""

    LINKED = "linked"
    AMBIGUOUS = "ambiguous"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class CohortLinks:
    """How the entries ended, and everyone who came near one.

    links: as `link_cohort` gives it. candidates: row (of the entry), person_id, weight (bits, prior included; of the
    person's best record) and loose (their cluster at loose), ordered by row and person_id.
    """

    links: pa.Table
    candidates: pa.Table


def link_cohort(
    entries: pa.Table,
    spine: Spine,
    *,
    resources: Resources,
    threshold: float = COHORT_WEIGHT,
    engine: Engine = DEFAULT_ENGINE,
    without_identifiers: bool = False,
    kept: Kept | None = None,
    clusters: RecordClusters | None = None,
) -> pa.Table:
    """One row for each entry of `entries` (standardised; record_id is the entry's id), in their order.

    Columns: row (int64, from 0), record_id, person_id (null unless linked), link_status, match_weight (bits, of the
    best person; null when no record came near), link_probability (null unless linked), evidence ("pnc",
    "prison_number", "model"; null unless linked), also (person_ids of further clusters that are the same person at
    loose and come as near; empty for most). Two entries may end at one person: which row to keep is a later step.

    `threshold` is the least match weight (bits, prior included) at which the model alone links an entry.
    `without_identifiers` takes all identifying numbers away first, to show how the cohort would link without them.
    `kept`, `clusters`: the spine's encoded table and its records' clusters, for who links more than one list; they
    are opened otherwise.
    """
    given = _without_numbers(entries) if without_identifiers else entries
    found = find_links(
        given, spine, resources=resources, threshold=threshold, engine=engine, kept=kept, clusters=clusters
    )
    return found.links


def find_links(
    entries: pa.Table,
    spine: Spine,
    *,
    resources: Resources,
    threshold: float = COHORT_WEIGHT,
    engine: Engine = DEFAULT_ENGINE,
    kept: Kept | None = None,
    clusters: RecordClusters | None = None,
) -> CohortLinks:
    """As `link_cohort`, with every candidate of each entry beside it."""
    if engine is Engine.CORE and kept is None:
        kept = spine.kept(resources=resources)
    if kept is None:
        tables = _beside_spine(entries, spine, engine, resources)
    else:
        tables = _beside_kept(entries, spine, kept, clusters or read_clusters(spine.folder, LOOSE))
    tables["entries"] = _numbered(entries, tables["entries"])
    sql = f"SELECT row, person_id, weight, loose FROM candidates JOIN entries USING ({ID}) ORDER BY row, person_id"
    candidates = query(sql, {name: tables[name] for name in ("candidates", "entries")})
    return CohortLinks(query(decision_sql(spine, threshold), tables), candidates)


def _beside_kept(given: pa.Table, spine: Spine, kept: Kept, clusters: RecordClusters) -> dict[str, pa.Table]:
    """The prepared entries, candidates and confirmed numbers, by the spine's encoded table."""
    rules = spine.specification.rules
    prepared = prepare(given, spine.specification, first_id=kept.index.records, hot=kept.hot)
    most = spine.specification.guards.max_block
    scored, brought = Searcher(kept.index, kept.model).find_checked(prepared, threshold=LOWEST_WEIGHT, most=most)
    check_blocks(
        [RuleCount(rule.name, each.pairs, each.largest) for rule, each in zip(rules, brought, strict=False)],
        max_block=most,
    )
    if scored is None:
        raise Fault("Pairs of the list were not scored. Report it; nothing was linked.")
    records = scored["record"].to_numpy()
    weighed = pa.table(
        {
            ID: prepared[ID].combine_chunks().take(scored["entry"].combine_chunks()),
            "person_id": kept.people_of(records),
            "loose": clusters.of(LOOSE, records),
            "match_weight": scored["match_weight"],
        }
    )
    numbers = numbers_of(prepared, kept, brought, spine.specification)
    return {"entries": prepared, "candidates": _best_of_each_person(weighed), "numbers": numbers}


def _beside_spine(given: pa.Table, spine: Spine, engine: Engine, resources: Resources) -> dict[str, pa.Table]:
    """The same by the engine that can score the spine's model."""
    specification = spine.specification
    encoded, people = spine.encoded(), spine.people()
    hot = known_hot_keys(encoded, specification)
    prepared = prepare(given, specification, first_id=encoded.num_rows, hot=hot)
    check_blocks(count_between(prepared, encoded, specification.rules), max_block=specification.guards.max_block)
    scored = engines.score_between(
        prepared, encoded, spine.model, threshold=LOWEST_WEIGHT, engine=engine, resources=resources
    )
    one, other = (scored[f"{ID}_{side}"].to_numpy() for side in "lr")
    persons, records = people["person_id"].combine_chunks(), pa.array(np.minimum(one, other))
    weighed = pa.table(
        {
            ID: np.maximum(one, other),
            "person_id": persons.take(records),
            "loose": people["cluster_loose"].combine_chunks().take(records),
            "match_weight": scored["match_weight"],
        }
    )
    whole = encoded.append_column("person_id", persons)
    return {
        "entries": prepared,
        "candidates": _best_of_each_person(weighed),
        "numbers": _numbers(prepared, whole, specification),
    }


def exact_baseline(entries: pa.Table, spine: Spine, kept: Kept | None = None) -> pa.Table:
    """What plain SQL finds by PNC number, prison number, or names and birth date: row, person_id (null unless one).

    `kept`: the spine's encoded table, by which only records that share one of these with an entry are read.
    """
    prepared = prepare(entries, spine.specification)
    keys = (
        "e.pnc_std = s.pnc_std",
        "e.prison_number_std = s.prison_number_std",
        "e.name_key = s.name_key AND e.dob = s.dob",
    )
    hits = " UNION ".join(f"SELECT e.record_id, s.person_id FROM entries e JOIN spine s ON {key}" for key in keys)
    sql = f"""SELECT n.row, CASE WHEN count(DISTINCT h.person_id) = 1 THEN min(h.person_id) END AS person_id
              FROM numbered n LEFT JOIN ({hits}) h USING (record_id) GROUP BY n.row ORDER BY n.row"""
    tables = {
        "entries": prepared,
        "spine": _whole_of(spine) if kept is None else _sharing(prepared, spine, kept),
        "numbered": _numbered(entries, prepared),
    }
    return query(sql, tables)


def _whole_of(spine: Spine) -> pa.Table:
    keys = spine.encoded([*_EXACT, "name_key"])
    return keys.append_column("person_id", spine.people(["person_id"])["person_id"])


def _sharing(prepared: pa.Table, spine: Spine, kept: Kept) -> pa.Table:
    """The records that share a number or a birth date with an entry."""
    shares = np.zeros(kept.shown.num_rows, np.bool_)
    for name in _EXACT:
        values = prepared[name].combine_chunks().drop_null().unique()
        shares |= pc.is_in(kept.shown[name], value_set=values).to_numpy()
    rows = np.flatnonzero(shares)
    found = kept.shown.select(_EXACT).take(pa.array(rows))
    names = spine.encoded(["name_key"])["name_key"].take(pa.array(rows))
    return found.append_column("name_key", names).append_column("person_id", kept.people_of(rows))


def link_otherwise(
    entries: pa.Table,
    spine: Spine,
    *,
    resources: Resources,
    threshold: float = COHORT_WEIGHT,
    kept: Kept | None = None,
    clusters: RecordClusters | None = None,
) -> Mapping[str, Any]:
    """Entries by how they end with all numbers removed, and what plain SQL finds. Linker only.

    At most 55% of a provider's rows carry a valid number, so what holds without any is the honest figure (METHODS 1).
    """
    bare = link_cohort(
        entries,
        spine,
        resources=resources,
        threshold=threshold,
        without_identifiers=True,
        kept=kept,
        clusters=clusters,
    )
    exact = exact_baseline(entries, spine, kept)
    found = exact.num_rows - exact["person_id"].null_count
    return {"without_numbers": _endings(bare), "exact_keys": {"linked": found}}


def cohort_quality(links: pa.Table, otherwise: Mapping[str, Any]) -> Mapping[str, Any]:
    """Entries by how they end, as in `links`, beside what `link_otherwise` found of them. Linker only."""
    return {"entries": links.num_rows, "with_numbers": _endings(links), **otherwise}


def _endings(links: pa.Table) -> dict[str, Any]:
    status, evidence = Counter(links["link_status"].to_pylist()), Counter(links["evidence"].to_pylist())
    by_evidence = {key: count for key, count in sorted(evidence.items(), key=str) if key is not None}
    return {each.value: status[each.value] for each in LinkStatus} | {"by_evidence": by_evidence}


def _without_numbers(entries: pa.Table) -> pa.Table:
    for name in _NUMBERS:
        at = entries.column_names.index(name)
        entries = entries.set_column(at, name, pa.nulls(entries.num_rows, pa.string()))
    return entries


def _numbered(entries: pa.Table, prepared: pa.Table) -> pa.Table:
    """row (position in `entries`), record_id, unique_id."""
    rows = entries.select(["source", "record_id"]).append_column("row", pa.array(range(entries.num_rows), pa.int64()))
    sql = f"SELECT row, record_id, {ID} FROM rows JOIN prepared USING (source, record_id) ORDER BY row"
    return query(sql, {"rows": rows, "prepared": prepared.select([ID, "source", "record_id"])})


def _best_of_each_person(weighed: pa.Table) -> pa.Table:
    """unique_id of the entry, person_id, weight (the most that any record of the person weighs), loose."""
    sql = f"""SELECT {ID}, person_id, max(match_weight) AS weight, min(loose) AS loose FROM weighed
              GROUP BY {ID}, person_id ORDER BY 1, 2"""
    return query(sql, {"weighed": weighed})


def numbers_of(prepared: pa.Table, kept: Kept, brought: Sequence[Reach], specification: Specification) -> pa.Table:
    """`_numbers` from the records that the entries share a number with; all of them where no rule is of the number."""
    by_rule = {rule.left: i for i, rule in enumerate(specification.rules) if rule.left == rule.right}
    wanted = [by_rule.get((number.column,)) for number in specification.cohort.numbers]
    shown = kept.shown
    rows = np.arange(shown.num_rows if brought and None in wanted else 0)
    if brought and rows.size == 0:
        rows = np.unique(np.concatenate([kept.reached(brought, rule) for rule in wanted if rule is not None]))
    spine = shown.take(pa.array(rows)).append_column("person_id", kept.people_of(rows))
    return _numbers(prepared, spine, specification)


def _numbers(prepared: pa.Table, spine: pa.Table, specification: Specification) -> pa.Table:
    """unique_id, person_id, evidence, rank: entries whose confirmed number is that of exactly one person of `spine`."""
    rules = specification.cohort
    confirmed = " OR ".join(f"e.{column} = s.{column}" for column in rules.confirm)
    parts = [_number_sql(number, rank, confirmed) for rank, number in enumerate(rules.numbers)]
    columns = ["person_id", *[number.column for number in rules.numbers], *rules.confirm]
    return query(" UNION ALL ".join(parts) + " ORDER BY 1, rank", {"entries": prepared, "spine": spine.select(columns)})


def _number_sql(number: NumberEvidence, rank: int, confirmed: str) -> str:
    return f"""SELECT e.{ID}, min(s.person_id) AS person_id, '{number.evidence}' AS evidence, {rank} AS rank
               FROM entries e JOIN spine s ON e.{number.column} = s.{number.column} AND ({confirmed})
               GROUP BY e.{ID} HAVING count(DISTINCT s.person_id) = 1"""


def decision_sql(spine: Spine, threshold: float) -> str:
    """One row an entry, of `entries`, `candidates` (entry, person, weight, loose), `numbers` (entry, person, evidence).

    Clusters that the spine joins at loose are no rivals: where they come as near as each other, the entry is the person
    that they are.
    """
    strict, within = spine.thresholds[Strictness.STRICT], spine.specification.cohort.ambiguous_within
    return f"""
        WITH ranked AS (
            SELECT *, row_number() OVER (PARTITION BY {ID} ORDER BY weight DESC, person_id) AS place FROM candidates),
        near AS (
            SELECT r.*, first_value(loose) OVER of_entry = loose AS is_same
            FROM ranked r WINDOW of_entry AS (PARTITION BY {ID} ORDER BY place)
            QUALIFY first_value(weight) OVER of_entry - weight < {within}),
        best AS (
            SELECT {ID}, first(person_id ORDER BY place) AS person_id, max(weight) AS weight,
                   NOT bool_and(is_same) AS close,
                   list(person_id ORDER BY place) FILTER (place > 1 AND weight >= {threshold}) AS also
            FROM near GROUP BY {ID}),
        certain AS (
            SELECT n.{ID}, n.person_id, n.evidence, coalesce(c.weight, {LOWEST_WEIGHT}) AS weight
            FROM (SELECT * FROM numbers QUALIFY row_number() OVER (PARTITION BY {ID} ORDER BY rank) = 1) n
            LEFT JOIN candidates c ON n.{ID} = c.{ID} AND n.person_id = c.person_id),
        decided AS (
            SELECT row, record_id,
                   CASE WHEN certain.person_id IS NOT NULL THEN {_text(LinkStatus.LINKED)}
                        WHEN best.weight < {threshold} OR best.weight IS NULL THEN {_text(LinkStatus.NOT_FOUND)}
                        WHEN best.close THEN {_text(LinkStatus.AMBIGUOUS)}
                        ELSE {_text(LinkStatus.LINKED)} END AS link_status,
                   coalesce(certain.person_id, best.person_id) AS likeliest,
                   coalesce(certain.weight, best.weight) AS match_weight,
                   coalesce(certain.evidence, 'model') AS found_by,
                   CASE WHEN certain.person_id IS NULL THEN best.also END AS also
            FROM entries LEFT JOIN certain USING ({ID}) LEFT JOIN best USING ({ID})),
        judged AS (SELECT *, link_status = {_text(LinkStatus.LINKED)} AS is_linked FROM decided)
        SELECT row, record_id, CASE WHEN is_linked THEN likeliest END AS person_id, link_status, match_weight,
               CASE WHEN is_linked THEN 1 / (1 + pow(2.0, -CASE WHEN found_by = 'model' THEN match_weight
                   ELSE greatest(match_weight, {strict}) END)) END AS link_probability,
               CASE WHEN is_linked THEN found_by END AS evidence,
               CASE WHEN is_linked THEN coalesce(also, []) ELSE [] END AS also
        FROM judged ORDER BY row"""


def _text(status: LinkStatus) -> str:
    return f"'{status.value}'"
