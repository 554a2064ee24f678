"""What became of a person key of any earlier spine: the crosswalks from one spine to the next, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.errors import Fault, UsageError
from counterfoil.lab.paths import LabPaths
from counterfoil.linkage.keys import Fate
from counterfoil.warehouse import query, read_table

CROSSWALK = "crosswalk.parquet"
BEFORE = "before"  # in its metadata: the name of the spine whose keys it leads on


def trace_keys(paths: LabPaths, keys: Sequence[str], *, since: str) -> pa.Table:
    """old_person_id, person_id, status, for keys of the spine `since` in the newest; ordered by the first two.

    A key that was split has a row for each person who has records of it now. One that was retired on the way has a row
    with no person. A key that the spine `since` did not have, and a later one gave, is followed from there.
    """
    spines = _spines(paths)
    names = [spine.name for spine in spines]
    if since not in names:
        raise UsageError(f"There is no spine {since!r} in this lab. The spines are: {', '.join(names) or 'none'}.")
    steps = [_crosswalk(spine) for spine in spines[names.index(since) + 1 :]]
    return follow(keys, steps, _crosswalk(spines[names.index(since)]))


def follow(keys: Sequence[str], steps: Sequence[pa.Table], first: pa.Table) -> pa.Table:
    """The keys through the crosswalks `steps`. `first`, that of the spine they are of, says which keys there are."""
    places = pa.table({"old_person_id": pa.array(sorted(set(keys)), pa.string())})
    places = places.append_column("person_id", places["old_person_id"])
    given = pc.unique(first["person_id"])
    for step in steps:
        sql = """SELECT DISTINCT p.old_person_id,
                        CASE WHEN s.old_person_id IS NULL THEN p.person_id ELSE s.person_id END AS person_id
                 FROM p LEFT JOIN s ON p.person_id = s.old_person_id ORDER BY ALL"""
        places = query(sql, {"p": places, "s": step})
        given = pa.chunked_array([pc.unique(pa.chunked_array([*_chunks(given), *step["person_id"].chunks]))])
    return _with_status(places, given)


def _chunks(values: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    return values.chunks if isinstance(values, pa.ChunkedArray) else [values]


def _with_status(places: pa.Table, given: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Each old key's fate over the whole way. A key that no spine gave is refused."""
    if not pc.all(pc.is_in(places["old_person_id"], value_set=pc.unique(given))).as_py():
        raise UsageError("Some of the keys are of no spine of this lab. Give keys of its people, as they were printed.")
    sql = f"""WITH found AS (
                SELECT *, count(person_id) OVER (PARTITION BY old_person_id) AS people FROM p)
              SELECT old_person_id, person_id, CASE WHEN people = 0 THEN '{Fate.RETIRED.value}'
                WHEN people > 1 THEN '{Fate.SPLIT.value}' WHEN old_person_id = person_id THEN '{Fate.KEPT.value}'
                ELSE '{Fate.MERGED.value}' END AS status
              FROM found WHERE person_id IS NOT NULL OR people = 0 ORDER BY ALL"""
    return query(sql, {"p": places})


def _spines(paths: LabPaths) -> list[Path]:
    folder = paths.linker / "spine"
    return sorted(p for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []


def _crosswalk(spine: Path) -> pa.Table:
    file = spine / CROSSWALK
    if not file.is_file():
        raise Fault(f"The spine {spine.name} has no crosswalk. Restore it from a backup: keys cannot be led past it.")
    return read_table(file)
