"""Entries whose person the register holds in several clusters: one of them stands for the person.

The spine joins such clusters at loose and not at medium, which registers are made from. Everybody of the pool is known
by one cluster; to add up the records of several for the treated alone would find more offences of theirs than of people
like them. So the cluster that holds the index event stands for the person, and the others are nobody's comparison.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.errors import UsageError

ALSO = "also"  # register keys of further clusters of an entry's person

# A key that another entry is linked to outright comes first: then the two entries count as one person.
_ALTERNATIVES = """
CREATE TABLE alternatives AS
WITH keys AS (
    SELECT entry, register_key, true AS is_own FROM linked WHERE len(also) > 0
    UNION ALL SELECT entry, unnest(also), false FROM linked),
known AS (
    SELECT register_key, person_number FROM every_event SEMI JOIN keys USING (register_key)
    UNION SELECT register_key, person_number FROM custody SEMI JOIN keys USING (register_key)),
outright AS (SELECT DISTINCT register_key FROM linked WHERE len(also) = 0)
SELECT row_number() OVER (ORDER BY k.entry, k.is_own DESC, known.person_number, k.register_key) AS study_key,
    k.entry, k.register_key, k.is_own, o.register_key IS NOT NULL AS is_outright,
    CAST(w.start_date AS DATE) AS start_date, w.start_known, w."group", known.person_number
FROM keys k JOIN linked w USING (entry)
LEFT JOIN known ON known.register_key = k.register_key LEFT JOIN outright o ON o.register_key = k.register_key
"""

# The event that all clusters together would give: the release that ends a stay comes after any event before the start.
# Where no event ends the stay there is none, whatever another cluster holds from before.
_CHOSEN = """
WITH closed AS (
    SELECT DISTINCT a.study_key FROM alternatives a JOIN custody c ON c.person_number = a.person_number
        AND a.start_date >= c.stay_start AND (c.stay_end IS NULL OR a.start_date < c.stay_end)
    ANTI JOIN alternatives_found f ON f.study_key = a.study_key)
SELECT a.entry, a.register_key
FROM alternatives a LEFT JOIN alternatives_found f USING (study_key) LEFT JOIN closed c USING (study_key)
QUALIFY row_number() OVER (
    PARTITION BY a.entry
    ORDER BY is_outright DESC, coalesce(f.index_date > a.start_date, false) DESC, c.study_key IS NOT NULL DESC,
        f.index_date DESC NULLS LAST, f.kind_order, f.index_event_id, is_own DESC, a.register_key
) = 1
"""


def choose_clusters(connection: duckdb.DuckDBPyConnection, study: pa.Table, found: str) -> pa.Table:
    """`study` with the cluster that stands for each entry as its register_key; `found` finds the events of entries.

    Makes the table `set_aside` of all register keys of such entries. UsageError where the register is too old to tell.
    """
    if ALSO not in study.column_names or not pc.any(pc.greater(pc.list_value_length(study[ALSO]), 0)).as_py():
        connection.execute("CREATE TABLE set_aside (register_key VARCHAR)")
        return study
    if "register_key" not in connection.sql("SELECT * FROM custody LIMIT 0").columns:
        raise UsageError(
            "The register was made by an older version, which did not write whose each stay in custody is. Run "
            "`counterfoil register LAB` and then this again."
        )
    connection.register("linked", study.append_column("entry", pa.array(range(study.num_rows), pa.int64())))
    connection.execute(_ALTERNATIVES)
    connection.execute("CREATE TABLE set_aside AS SELECT DISTINCT register_key FROM alternatives")
    connection.execute(found.format(entries="alternatives", found="alternatives_found"))
    chosen = connection.sql(_CHOSEN).to_arrow_table()
    keys = study["register_key"].to_pylist()
    for entry, key in zip(chosen["entry"].to_pylist(), chosen["register_key"].to_pylist(), strict=True):
        keys[entry] = key
    return study.set_column(study.column_names.index("register_key"), "register_key", pa.array(keys, pa.string()))


def as_chosen(linked: pa.Table, keys: pa.Table) -> pa.Table:
    """`linked` (study_key, register_key and more) with the register keys that selection chose, `keys`."""
    keys = keys.filter(pc.is_in(keys["study_key"], value_set=linked["study_key"].combine_chunks()))
    chosen = dict(zip(keys["study_key"].to_pylist(), keys["register_key"].to_pylist(), strict=True))
    both = zip(linked["study_key"].to_pylist(), linked["register_key"].to_pylist(), strict=True)
    found = pa.array([chosen.get(study_key, key) for study_key, key in both], pa.string())
    return linked.set_column(linked.column_names.index("register_key"), "register_key", found)
