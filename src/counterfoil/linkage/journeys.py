"""Links of cases, not of persons: one prosecution that moved from one court to another (METHODS 1).

Made after the people, from days, courts and who the defendants are; kept in a table of their own. No journey ever joins
two persons, and no person link is a journey.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from counterfoil.domains.schema import folder as domain_folder
from counterfoil.domains.schema import read_toml
from counterfoil.lab.files import write_json
from counterfoil.lab.paths import LabPaths
from counterfoil.linkage.one_to_one import OneToOne, PairStatus, assign
from counterfoil.linkage.specification import Evidence
from counterfoil.provenance import key_of, sha256_of_file
from counterfoil.warehouse import query, read_table, write_table

JOURNEYS = "journeys.parquet"
ACCOUNT = "journeys.json"
_ELSE = "ELSE"
_SMOOTHING = 1.0  # pairs of courts as if one more case had gone where cases go
_CLUSTERS = ("cluster_medium", "cluster_loose")


@dataclass(frozen=True, slots=True)
class JourneyLevel:
    """One way in which a pair of cases may agree, and its weight (bits), set by hand for the reason given."""

    label: str
    sql: str
    weight: float
    reason: str


@dataclass(frozen=True, slots=True)
class JourneySide:
    """One court's table of cases: `evidence` has the columns day, place and kind; `keys` name the case."""

    evidence: Evidence
    keys: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class JourneyRule:
    """How cases of two courts are linked. Weights in bits, `prior` included in the threshold."""

    name: str
    left: JourneySide
    right: JourneySide
    first_day: int  # from the left case's day to the right one's
    last_day: int
    prior: float
    least_place: float
    one_to_one: OneToOne
    blocks: tuple[tuple[str, ...], ...]
    evidence: Mapping[str, tuple[JourneyLevel, ...]]


def load_journeys(domain: str) -> tuple[JourneyRule, ...]:
    """The journeys of a domain, `journeys.toml`; none where it has no such file."""
    place = domain_folder(domain) / "journeys.toml"
    return tuple(_rule(raw) for raw in read_toml(place)["journeys"]) if place.is_file() else ()


def _rule(raw: Mapping[str, Any]) -> JourneyRule:
    return JourneyRule(
        name=raw["name"],
        left=_side(raw["left"]),
        right=_side(raw["right"]),
        first_day=raw["days"][0],
        last_day=raw["days"][1],
        prior=raw["prior"],
        least_place=raw["least_place"],
        one_to_one=OneToOne(raw["threshold"], raw["within"]),
        blocks=tuple(tuple(block["keys"]) for block in raw["blocks"]),
        evidence={each["name"]: tuple(JourneyLevel(**level) for level in each["levels"]) for each in raw["evidence"]},
    )


def _side(raw: Mapping[str, Any]) -> JourneySide:
    evidence = Evidence(raw["source"], raw["table"], raw["record"], raw["columns"], raw["where"])
    return JourneySide(evidence, raw["keys"])


def find_journeys(people: pa.Table, records: pa.Table, rule: JourneyRule, extracts: Mapping[str, Path]) -> pa.Table:
    """record_id_l, record_id_r, the keys of both cases, weight, status: the best pair of each case of the left side.

    `people`: the spine's clusters; `records`: the records as they are compared; `extracts`: the linker's newest
    delivery of each source. No row where one of the two tables has not been loaded.
    """
    both = (("l", rule.left), ("r", rule.right))
    sides = {name: _cases(side, people, records, rule, extracts) for name, side in both}
    if any(side is None for side in sides.values()):
        return _nothing(rule)
    cases = {name: table for name, table in sides.items() if table is not None}
    compared = _weighed(_candidates(cases, rule), rule)
    assigned = assign(compared.select(["left", "right", "weight"]), rule.one_to_one)
    keys = ", ".join([*(f"l.{name}" for name in rule.left.keys), *(f"r.{name}" for name in rule.right.keys)])
    sql = f"""SELECT l.record AS record_id_l, r.record AS record_id_r, {keys}, a.weight, a.status
              FROM a JOIN l ON a."left" = l.number JOIN r ON a."right" = r.number ORDER BY 1, 2"""
    return query(sql, {"a": assigned} | cases)


def _nothing(rule: JourneyRule) -> pa.Table:
    texts = ["record_id_l", "record_id_r", *rule.left.keys, *rule.right.keys]
    columns = {name: pa.array([], pa.string()) for name in texts}
    return pa.table(columns | {"weight": pa.array([], pa.float64()), "status": pa.array([], pa.string())})


def _cases(
    side: JourneySide, people: pa.Table, records: pa.Table, rule: JourneyRule, extracts: Mapping[str, Path]
) -> pa.Table | None:
    """The cases of one side with who the defendant is, numbered from 0 by record."""
    evidence = side.evidence
    file = extracts.get(evidence.source)
    if file is None or not (file / f"{evidence.table}.parquet").is_file():
        return None
    chosen = ", ".join(f"e.{column} AS {name}" for name, column in {**evidence.columns, **side.keys}.items())
    spoken = _known(rule, records.column_names)
    known = ", ".join([*(f"p.{name}" for name in _CLUSTERS), *(f"k.{name}" for name in spoken)])
    order = ", ".join(f"e.{column}" for column in (evidence.record, *side.keys.values(), *evidence.columns.values()))
    sql = f"""SELECT row_number() OVER (ORDER BY {order}) - 1 AS number, e.{evidence.record} AS record,
                     {chosen}, {known}
              FROM (SELECT * FROM t WHERE {evidence.where}) e
              JOIN p ON p.source = '{evidence.source}' AND p.record_id = e.{evidence.record}
              JOIN k ON k.source = '{evidence.source}' AND k.record_id = e.{evidence.record} ORDER BY number"""
    return query(sql, {"t": read_table(file / f"{evidence.table}.parquet"), "p": people, "k": records})


def _known(rule: JourneyRule, held: Sequence[str]) -> list[str]:
    """Columns of the compared records that blocks and evidence speak of."""
    spoken = " ".join(level.sql for levels in rule.evidence.values() for level in levels)
    keys = {column for block in rule.blocks for column in block}
    names = [name for name in held if name not in ("source", "record_id")]
    return [name for name in names if name in keys or f"{name}_l" in spoken]


def _candidates(cases: Mapping[str, pa.Table], rule: JourneyRule) -> pa.Table:
    """Every pair of cases within the days that agrees on a block, once; columns of both as NAME_l and NAME_r."""
    pairs = " UNION ".join(
        f"""SELECT l.number AS "left", r.number AS "right" FROM l JOIN r
            ON {" AND ".join(f"l.{key} = r.{key}" for key in block)}
            AND r.day BETWEEN l.day + {rule.first_day} AND l.day + {rule.last_day}"""
        for block in rule.blocks
    )
    columns = ", ".join(
        f"{side}.{name} AS {name}_{side}" for side, table in cases.items() for name in table.column_names
    )
    sql = f"""SELECT pairs.*, r.day - l.day AS days, {columns} FROM ({pairs}) pairs
              JOIN l ON l.number = "left" JOIN r ON r.number = "right" ORDER BY "left", "right" """
    return query(sql, dict(cases))


def _weighed(candidates: pa.Table, rule: JourneyRule) -> pa.Table:
    """left, right, weight. What a pair of courts weighs is learnt from pairs that have no rival in person and time."""
    known = " + ".join(_case_of(levels) for levels in rule.evidence.values())
    best = {name: max(level.weight for level in levels) for name, levels in rule.evidence.items()}
    sure = " AND ".join(f"{_case_of(rule.evidence[name])} = {weight}" for name, weight in best.items())
    sql = f"""
        WITH fitting AS (SELECT *, count(*) OVER (PARTITION BY "left") AS of_left,
                count(*) OVER (PARTITION BY "right") AS of_right FROM c WHERE {sure}),
            sent AS (SELECT place_l, place_r, count(*) AS n FROM fitting WHERE of_left = 1 AND of_right = 1
                GROUP BY ALL),
            of_all AS (SELECT sum(n) AS total FROM sent),
            of_left AS (SELECT place_l, sum(n) AS n FROM sent GROUP BY ALL),
            of_right AS (SELECT place_r, sum(n) / any_value(total) AS share FROM sent, of_all GROUP BY ALL)
        SELECT "left", "right", {rule.prior} + {known} + CASE WHEN share IS NULL OR of_left.n IS NULL THEN 0
            ELSE greatest({rule.least_place}, log2((coalesce(sent.n, 0) / share + {_SMOOTHING})
                / (of_left.n + {_SMOOTHING}))) END AS weight
        FROM c LEFT JOIN sent USING (place_l, place_r) LEFT JOIN of_left USING (place_l)
            LEFT JOIN of_right USING (place_r) ORDER BY "left", "right" """
    return query(sql, {"c": candidates})


def _case_of(levels: tuple[JourneyLevel, ...]) -> str:
    """The weight of the first level that holds, as SQL."""
    tried = " ".join(f"WHEN {level.sql} THEN {level.weight}" for level in levels if level.sql != _ELSE)
    other = next((level.weight for level in levels if level.sql == _ELSE), 0.0)
    return f"(CASE {tried} ELSE {other} END)"


def write_journeys(paths: LabPaths, folder: Path, domain: str) -> None:
    """The journeys of a spine: `journeys.parquet` beside its people, and for the analyst what the public catalogue has.

    `journeys.json` counts them. Nothing is done again for the same tables; people and their keys are never touched.
    """
    rules, extracts = load_journeys(domain), paths.latest_extracts(paths.linker)
    key = key_of(spine=folder.name, rules=[asdict(rule) for rule in rules], evidence=_evidence(rules, extracts))
    made = [folder / JOURNEYS, paths.journeys(folder.name)]
    if not rules or (all(file.is_file() for file in made) and _made_before(folder / ACCOUNT, key)):
        return
    people = read_table(folder / "people.parquet", ["source", "record_id", *_CLUSTERS])
    held = pq.read_schema(folder / "encoded.parquet").names
    known = dict.fromkeys(name for rule in rules for name in _known(rule, held))
    records = read_table(folder / "encoded.parquet", ["source", "record_id", *known])
    found = {rule.name: find_journeys(people, records, rule, extracts) for rule in rules}
    named = [table.add_column(0, "journey", _repeated(name, len(table))) for name, table in found.items()]
    shown = [_for_analyst(rule, found[rule.name]) for rule in rules]
    write_table(pa.concat_tables(named, promote_options="default"), made[0])
    write_table(pa.concat_tables(shown, promote_options="default"), made[1])
    counts = {name: dict(sorted(Counter(table["status"].to_pylist()).items())) for name, table in found.items()}
    write_json(folder / ACCOUNT, {"key": key, "journeys": counts})


def _repeated(text: str, times: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, pa.string()), times)


def _evidence(rules: Sequence[JourneyRule], extracts: Mapping[str, Path]) -> dict[str, str]:
    """The hash of each table of cases that is there."""
    sides = [side.evidence for rule in rules for side in (rule.left, rule.right)]
    files = {f"{e.source}/{e.table}": extracts[e.source] / f"{e.table}.parquet" for e in sides if e.source in extracts}
    return {name: sha256_of_file(file) for name, file in sorted(files.items()) if file.is_file()}


def _made_before(account: Path, key: str) -> bool:
    """Whether the account says so; one that cannot be read counts as none."""
    try:
        return bool(json.loads(account.read_text(encoding="utf-8"))["key"] == key)
    except (OSError, ValueError, KeyError):
        return False


def _for_analyst(rule: JourneyRule, found: pa.Table) -> pa.Table:
    """The keys of both cases and the probability that they are one (0-1), of linked pairs only."""
    keys = ", ".join([*rule.left.keys, *rule.right.keys])
    sql = f"""SELECT '{rule.name}' AS journey, {keys}, 1 / (1 + pow(2, -weight)) AS estimated_match_score
              FROM t WHERE status = '{PairStatus.LINKED.value}' ORDER BY ALL"""
    return query(sql, {"t": found})
