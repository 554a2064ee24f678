"""What people ruled about a provider's entries: who an entry is, whatever the model says (METHODS 1).

An entry is named by a keyed hash of what it says of the person, so a ruling outlives the file: the same entry in a
later file, or twice in one, is ruled alike, and an entry that was corrected is looked at anew. No name is kept.
"""

from __future__ import annotations

import hmac

import pyarrow as pa

from counterfoil.linkage.cohort import LinkStatus
from counterfoil.linkage.overrides import COHORT, ENTRIES, Decision
from counterfoil.linkage.search import Identifiers
from counterfoil.provenance import canonical_json
from counterfoil.warehouse import query

RULED = "clerical_review"  # the evidence of an entry that people linked
_KEY_LENGTH = 32  # hex characters: 128 bits
_SAID = tuple(Identifiers.__dataclass_fields__)
# What was ruled of each entry and person, and of whom it was that they are not the entry.
_SAID_OF_ENTRIES = f"""
        named AS (
            SELECT decision, CASE WHEN source_l = '{COHORT}' THEN record_id_l ELSE record_id_r END AS key,
                   CASE WHEN source_l = '{COHORT}' THEN source_r ELSE source_l END AS source,
                   CASE WHEN source_l = '{COHORT}' THEN record_id_r ELSE record_id_l END AS record_id
            FROM overrides WHERE scope = '{ENTRIES}'),
        said AS (SELECT DISTINCT key, person_id, decision FROM named JOIN people USING (source, record_id)),
        apart AS (SELECT key, person_id FROM said WHERE decision = '{Decision.MUST_NOT_LINK.value}')"""


def entry_keys(entries: pa.Table, secret: bytes) -> pa.Array:
    """The name of each entry: HMAC-SHA-256 of its identifiers as they were read, under the linker's secret."""
    there = [name for name in _SAID if name in entries.column_names]
    rows = entries.select(there).to_pylist()
    said = ({name: str(value) for name, value in row.items() if value is not None} for row in rows)
    return pa.array([hmac.digest(secret, canonical_json(each), "sha256").hex()[:_KEY_LENGTH] for each in said])


def apply_rulings(found: pa.Table, keys: pa.Array, overrides: pa.Table, people: pa.Table, *, strict: float) -> pa.Table:
    """`found` as `link_cohort` gives it, with the entries that people ruled on ended as they said.

    Same as one person: linked to them alone, as sure as a link of weight `strict` (bits) at least. Different from the
    person whom the entry was linked to: not found; another is never taken in their place. Rulings that name two people,
    or the same one both ways, settle nothing.
    """
    if not overrides.num_rows:
        return found
    sure = 1 / (1 + 2.0**-strict)
    sql = f"""
        WITH {_SAID_OF_ENTRIES},
        same AS (
            SELECT key, min(person_id) AS person_id
            FROM (SELECT * FROM said WHERE decision = '{Decision.MUST_LINK.value}') s
            ANTI JOIN apart USING (key, person_id) GROUP BY key HAVING count(*) = 1),
        kept_apart AS (SELECT key, list(person_id) AS not_them FROM apart GROUP BY key),
        judged AS (
            SELECT f.*, not_them, same.person_id AS ruled, same.person_id IS NOT NULL AS is_same,
                   same.person_id IS NULL AND apart.person_id IS NOT NULL AS is_apart
            FROM found f LEFT JOIN same USING (key) LEFT JOIN kept_apart USING (key)
            LEFT JOIN apart ON f.key = apart.key AND f.person_id = apart.person_id)
        SELECT row, record_id,
               CASE WHEN is_same THEN ruled WHEN NOT is_apart THEN person_id END AS person_id,
               CASE WHEN is_same THEN '{LinkStatus.LINKED.value}' WHEN is_apart THEN '{LinkStatus.NOT_FOUND.value}'
                    ELSE link_status END AS link_status,
               match_weight,
               CASE WHEN is_same THEN greatest(coalesce(link_probability, 0), {sure!r})
                    WHEN NOT is_apart THEN link_probability END AS link_probability,
               CASE WHEN is_same THEN '{RULED}' WHEN NOT is_apart THEN evidence END AS evidence,
               CASE WHEN is_same OR is_apart THEN []
                    ELSE list_filter(also, lambda each: NOT list_contains(coalesce(not_them, []), each)) END AS also
        FROM judged ORDER BY row"""
    return query(sql, {"found": found.append_column("key", keys), **_tables(overrides, people)})


def ruled_apart(keys: pa.Array, overrides: pa.Table, people: pa.Table) -> pa.Table:
    """row, person_id: of each entry, whom people ruled it not to be. `keys`: one an entry, in order of `row`."""
    if not overrides.num_rows:
        return pa.table({"row": pa.array([], pa.int64()), "person_id": pa.array([], pa.string())})
    sql = f"WITH {_SAID_OF_ENTRIES} SELECT row, person_id FROM entries JOIN apart USING (key) ORDER BY ALL"
    entries = pa.table({"row": pa.array(range(len(keys)), pa.int64()), "key": keys})
    return query(sql, {"entries": entries, **_tables(overrides, people)})


def _tables(overrides: pa.Table, people: pa.Table) -> dict[str, pa.Table]:
    return {"overrides": overrides, "people": people.select(["source", "record_id", "person_id"])}
