"""What can be counted of a spine: completeness by source and year, pairs by rule, weights, sizes, guards, changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from counterfoil.linkage.clusters import Labels, Links, Strictness, sizes, weak_bridges
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.quality import completeness
from counterfoil.linkage.spine import Spine
from counterfoil.warehouse import query, read_table

BIN = 2.0  # bits
_NOT_WHEN = frozenset({"date_of_birth", "dob"})  # dates of a person and not of an event


def years_of(extracts: Mapping[str, Path], encoded: pa.Table) -> pa.Table:
    """source, record_id, year of the record's first event that the linker holds a date of; others are left out.

    `extracts`: the linker's newest folder of each source. Tables of link evidence lie beside identifiers.parquet. A
    table without record_id, of cases, belongs to the records of the tables that name the case.
    """
    parts = [
        part for source, folder in extracts.items() for part in _of_source(source, sorted(folder.glob("*.parquet")))
    ]
    schema = pa.schema([("source", pa.string()), ("record_id", pa.string()), ("year", pa.int64())])
    found = pa.concat_tables([schema.empty_table(), *(part.cast(schema) for part in parts)])
    sql = """SELECT source, record_id, min(year) AS year FROM f SEMI JOIN e USING (source, record_id)
             GROUP BY ALL ORDER BY ALL"""
    return query(sql, {"f": found, "e": encoded.select(["source", "record_id"])})


def _of_source(source: str, paths: Sequence[Path]) -> Iterator[pa.Table]:
    columns = {path: pq.read_schema(path).names for path in paths}
    for path in paths:
        dates = [f.name for f in pq.read_schema(path) if pa.types.is_date(f.type) and f.name not in _NOT_WHEN]
        if not dates:
            continue
        if "record_id" in columns[path]:
            yield _years(source, read_table(path, ["record_id", *dates]), dates)
            continue
        for other, names in columns.items():
            shared = [name for name in names if name in columns[path] and name.endswith("_hash")]
            if "record_id" in names and shared:
                sql = f"""SELECT record_id, {", ".join(dates)} FROM o JOIN t USING ({", ".join(shared)}) ORDER BY ALL"""
                tables = {"o": read_table(other, ["record_id", *shared]), "t": read_table(path, [*shared, *dates])}
                yield _years(source, query(sql, tables), dates)


def _years(source: str, events: pa.Table, dates: Sequence[str]) -> pa.Table:
    first = f"least({', '.join(dates)})" if len(dates) > 1 else dates[0]
    sql = f"""SELECT '{source}' AS source, record_id, min(year({first})) AS year FROM t
              WHERE {first} IS NOT NULL GROUP BY record_id ORDER BY record_id"""
    return query(sql, {"t": events})


def completeness_by_year(encoded: pa.Table, years: pa.Table) -> dict[str, dict[str, Any]]:
    """{source: {year: {records, identifier: share}}}, years that are known."""
    found: dict[str, dict[str, Any]] = {}
    sql = (
        "SELECT e.* REPLACE (e.source || '|' || y.year AS source) FROM e JOIN y USING (source, record_id) ORDER BY ALL"
    )
    if years.num_rows:
        for key, shares in completeness(query(sql, {"e": encoded, "y": years})).items():
            source, _, year = key.rpartition("|")
            found.setdefault(source, {})[year] = shares
    return found


def by_rule(spine: Spine, encoded: pa.Table, links: pa.Table) -> list[dict[str, Any]]:
    """For each rule: candidate pairs, largest block, links at medium it finds, and those that no other rule finds."""
    rules = spine.specification.rules
    flags = ", ".join(f"coalesce({rule.sql}, false)::TINYINT AS r{i}" for i, rule in enumerate(rules))
    every = " + ".join(f"r{i}" for i in range(len(rules)))
    sums = ", ".join(
        f"sum(r{i})::BIGINT AS f{i}, sum((r{i} = 1 AND many = 1)::TINYINT)::BIGINT AS o{i}" for i in range(len(rules))
    )
    sql = f"""WITH x AS (SELECT {flags} FROM k JOIN e l ON l.{ID} = k.{ID}_l JOIN e r ON r.{ID} = k.{ID}_r
                         WHERE k.match_weight >= {spine.thresholds[Strictness.MEDIUM]!r}),
                   y AS (SELECT *, {every} AS many FROM x)
              SELECT {sums} FROM y ORDER BY 1"""
    row = query(sql, {"k": links, "e": encoded}).to_pylist()[0]
    counts = {count["rule"]: count for count in spine.quality().get("blocking", ())}
    return [
        {
            "rule": rule.name,
            "pairs": counts.get(rule.name, {}).get("pairs"),
            "largest_block": counts.get(rule.name, {}).get("largest_block"),
            "links": int(row[f"f{i}"] or 0),
            "links_only_here": int(row[f"o{i}"] or 0),
        }
        for i, rule in enumerate(rules)
    ]


def histogram(weights: np.ndarray[Any, np.dtype[np.float64]]) -> list[dict[str, float]]:
    """Scored pairs that were kept, by weight in bits: from, pairs."""
    number = np.floor(weights / BIN).astype(np.int64)
    at, count = np.unique(number, return_counts=True)
    known = dict(zip(at.tolist(), count.tolist(), strict=True))
    if not known:
        return []
    return [{"from": place * BIN, "pairs": known.get(place, 0)} for place in range(min(known), max(known) + 1)]


def cluster_sizes(people: pa.Table) -> dict[str, list[dict[str, int]]]:
    """{strictness: [{records, clusters}]}."""
    return {
        level.value: [{"records": a, "clusters": b} for a, b in sizes(_positions(people, level))]
        for level in Strictness
    }


def _positions(people: pa.Table, level: Strictness) -> Labels:
    labels: Labels = np.unique(people[f"cluster_{level.value}"].to_numpy(), return_inverse=True)[1].astype(np.int64)
    return labels


def guards(spine: Spine, links: pa.Table, labels: Labels) -> dict[str, Any]:
    """For each guard what it left out and what stands for review; and weak bridges of the people at medium."""
    weakest = getattr(spine.specification.guards, "weak_bridge", None) or spine.thresholds[Strictness.MEDIUM] + 4
    found = Links(links[f"{ID}_l"].to_numpy(), links[f"{ID}_r"].to_numpy(), links["match_weight"].to_numpy())
    threshold = spine.thresholds[Strictness.MEDIUM]
    bridges = weak_bridges(found, labels, threshold=threshold, weakest=weakest).links.left.size
    return {
        "guards": spine.quality().get("guards", {}),
        "weak_bridges": {"below": weakest, "links": int(bridges)},
    }


def changes(spine: Spine, previous: Path | None) -> dict[str, Any] | None:
    """What became of the spine before: records, people, keys, links, completeness. None for the first spine."""
    if previous is None:
        return None
    now, before = spine.people(), read_table(previous / "people.parquet")
    crosswalk = read_table(spine.folder / "crosswalk.parquet")
    counted = query("SELECT status, count(*) AS n FROM t GROUP BY status ORDER BY status", {"t": crosswalk})
    return {
        "previous": previous.name,
        "records": {"now": now.num_rows, "before": before.num_rows, **_moved(now, before)},
        "people": {"now": _people(now), "before": _people(before)},
        "keys": dict(zip(counted["status"].to_pylist(), counted["n"].to_pylist(), strict=True)),
        "links": _links_changed(spine.folder, previous, spine.thresholds[Strictness.MEDIUM]),
    }


def _people(people: pa.Table) -> int:
    return len(people["person_id"].unique())


def _moved(now: pa.Table, before: pa.Table) -> dict[str, int]:
    keys = ["source", "record_id"]
    tables = {"now": now.select(keys), "old": before.select(keys)}
    sql = """SELECT (SELECT count(*) FROM now ANTI JOIN old USING (source, record_id)) AS new,
                    (SELECT count(*) FROM old ANTI JOIN now USING (source, record_id)) AS gone ORDER BY 1"""
    return dict(query(sql, tables).to_pylist()[0])


def _links_changed(folder: Path, previous: Path, threshold: float) -> dict[str, int]:
    names = ["source_l", "record_id_l", "source_r", "record_id_r"]
    links = {
        name: read_table(at / "links.parquet", [*names, "match_weight"])
        for name, at in (("now", folder), ("old", previous))
    }
    using = ", ".join(names)
    held = {name: f"(SELECT {using} FROM {name} WHERE match_weight >= {threshold!r})" for name in links}
    sql = f"""SELECT (SELECT count(*) FROM {held["now"]} SEMI JOIN {held["old"]} USING ({using})) AS kept,
                     (SELECT count(*) FROM {held["now"]} ANTI JOIN {held["old"]} USING ({using})) AS new,
                     (SELECT count(*) FROM {held["old"]} ANTI JOIN {held["now"]} USING ({using})) AS gone ORDER BY 1"""
    return dict(query(sql, links).to_pylist()[0])


def drift(now: Mapping[str, Mapping[str, Any]], before: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """How the completeness of each identifier of each source moved since the spine before; both known."""
    return [
        {
            "source": source,
            "identifier": name,
            "before": before[source][name],
            "now": share,
            "change": round(share - before[source][name], 4),
        }
        for source, shares in now.items()
        if source in before
        for name, share in shares.items()
        if name != "records" and before[source].get(name) is not None
    ]


def level_weights(spine: Spine, bounds: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every level's m, u and weight in bits, and how each was come by: learnt, set, or a bound."""
    bounded = {(b["comparison"], b["level"]) for b in bounds}
    rows = []
    for comparison in spine.model.settings["comparisons"]:
        name = comparison["output_column_name"]
        for level in comparison["comparison_levels"]:
            if level.get("is_null_level", False):
                continue
            m, u, label = level["m_probability"], level["u_probability"], level["label_for_charts"]
            how = "set by hand" if level.get("fix_u_probability") else "bound" if (name, label) in bounded else "learnt"
            rows.append(
                {
                    "comparison": name.replace("_", " "),
                    "level": label,
                    "m": m,
                    "u": u,
                    "weight": round(float(np.log2(m / u)), 3),
                    "how": how,
                    "frequency": level.get("tf_adjustment_column"),
                }
            )
    return rows
