"""`link --share`: another department's people to the people of the spine, by a model and a pseudonym of its own.

Nothing of a share enters the spine, and nothing of the spine leaves the linker but the register key beside a share key.
The analyst gets the share's facts of linked people only, under the share key.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.domains.shares import Share, load_share
from counterfoil.errors import UsageError
from counterfoil.lab.files import PRIVATE, atomic_folder, atomic_write, write_json
from counterfoil.lab.keys import SECRET_BYTES
from counterfoil.lab.make import OpenLab
from counterfoil.lab.paths import LabPaths
from counterfoil.lab.progress import Progress, silent
from counterfoil.lab.versions import version_for
from counterfoil.linkage import engine as engines
from counterfoil.linkage import quality
from counterfoil.linkage.blocking import count_within
from counterfoil.linkage.clusters import Labels, Strictness, cluster, links_of
from counterfoil.linkage.engine import DEFAULT_ENGINE, Engine
from counterfoil.linkage.keys import REGISTER_KEY_LENGTH, assign_keys
from counterfoil.linkage.linked_share import Sides, key_of_link, numbered, sides_of
from counterfoil.linkage.model import Resources, Trained, save_model, weights
from counterfoil.linkage.one_to_one import OneToOne, PairStatus
from counterfoil.linkage.overrides import read_overrides
from counterfoil.linkage.prepare import ID, STANDARD_COLUMNS
from counterfoil.linkage.rulings import key_of_overrides
from counterfoil.linkage.share_coverage import coverage_of
from counterfoil.linkage.share_rulings import ShareRuled, assign_as_ruled, rulings_of_share
from counterfoil.linkage.share_truth import against_truth
from counterfoil.linkage.specification import Specification, parse_specification
from counterfoil.linkage.spine import Spine, read_spine, resources
from counterfoil.provenance import key_of
from counterfoil.records.load import FACTS, IDENTIFIERS
from counterfoil.records.nicknames import nickname_classes
from counterfoil.warehouse import query, read_table, write_table

_LEAST_WEIGHT = 0.0  # candidates as likely as not and above: what a tie is told from


@dataclass(frozen=True, slots=True)
class ShareResult:
    """`made` is False when a link of the same inputs was there already."""

    share: str
    version: str
    quality: Mapping[str, Any]
    made: bool

    def lines(self) -> list[str]:
        """What a person is told: no count below ten."""
        ends = self.quality["people"]
        said = ", ".join(f"{name} {_about(ends[name])}" for name in ("linked", "tied", "not_found"))
        what = "Linked" if self.made else "Nothing has changed since"
        return [f"{what} the share {self.share} {self.version}: people of the share: {said}."]


@dataclass(frozen=True, slots=True)
class _Linked:
    sides: Sides
    trained: Trained
    people: pa.Array  # of each row of the share: the key of its person
    crosswalk: pa.Table  # what became of the keys of the link before
    pairs: pa.Table  # left (a person of the share), right (person_id), weight (null: never compared), status, ruled
    ruled: ShareRuled
    exact: pa.Table  # left, right


def link_share(
    lab: OpenLab,
    name: str,
    *,
    engine: Engine = DEFAULT_ENGINE,
    truth: Path | None = None,
    progress: Progress = silent,
) -> ShareResult:
    """Link the newest delivery of a share to the newest spine.

    Refused when its gateway is closed on the lab's date. `truth` is the truth folder of a synthetic population: the
    quality then holds error rates.
    """
    share = load_share(lab.settings.domain, name)
    share.gateway.check_open(lab.settings.date())
    spine = read_spine(lab)
    delivered = lab.paths.latest_share(name)
    if delivered is None:
        raise UsageError(f"The share {name} is not loaded. Run `counterfoil load LAB {name} FILE...` first.")
    specification = parse_specification(share.linkage, nickname_classes(lab.settings.domain))
    inputs = key_of_link(delivered[0], spine, specification, engine, has_truth=truth is not None)
    overrides = read_overrides(lab.paths, share=name)
    key = key_of(inputs=inputs, overrides=key_of_overrides(overrides))
    version, there = version_for(lab.paths.share_links(name, "any").parent, lab.settings.date(), key)
    folder = lab.paths.share_links(name, version)
    if not there:
        linked = _link(read_table(delivered[0] / IDENTIFIERS, list(STANDARD_COLUMNS)), lab, spine, share,
                       specification, engine, overrides, _people_before(lab.paths, name), progress)  # fmt: skip
        _write(folder, linked, {"key": key, "inputs": inputs, **_report(linked, share, spine, engine, truth)})
    progress("Writing keys and facts of the share", 0.95)
    _write_analyst_side(lab.paths, share, spine, folder, delivered[1])
    report = json.loads((folder / "quality.json").read_text(encoding="utf-8"))
    return ShareResult(name, version, report, made=not there)


def share_key(secret: bytes, person: str) -> str:
    """HMAC-SHA-256 of the key of a person of the share under the share's own secret."""
    return hmac.digest(secret, person.encode(), "sha256").hex()[:REGISTER_KEY_LENGTH]


def _link(
    records: pa.Table,
    lab: OpenLab,
    spine: Spine,
    share: Share,
    specification: Specification,
    engine: Engine,
    overrides: pa.Table,
    before: pa.Table | None,
    progress: Progress,
) -> _Linked:
    limits = share.linkage["thresholds"]
    progress("Preparing records of the share", 0.0)
    sides = sides_of(records, spine, specification)
    progress("Training the share's model", 0.1)
    trained = engines.train(_training_table(sides), specification, engine=engine, resources=resources(lab))
    progress("De-duplicating the share", 0.4)
    ruled = rulings_of_share(overrides, sides)
    labels = _labels(sides.share, trained, specification, limits["dedupe"], ruled, engine, resources(lab))
    keys = assign_keys(sides.share, labels, before)
    people = keys.person_id.cast(pa.string())
    progress("Comparing with the spine", 0.6)
    scored = engines.score_between(
        sides.share, sides.spine, trained.model, threshold=_LEAST_WEIGHT, engine=engine, resources=resources(lab)
    )
    rule = OneToOne(limits["link"], limits["ambiguous_within"])
    pairs = assign_as_ruled(_best_of_people(scored, sides, people), rule, ruled, people)
    return _Linked(sides, trained, people, keys.crosswalk, pairs, ruled, _exact(sides, people))


def _people_before(paths: LabPaths, name: str) -> pa.Table | None:
    """source, record_id, person_id of the share's newest link, whose people keep their keys; None before the first."""
    folder = paths.latest_share_links(name)
    if folder is None:
        return None
    people = read_table(folder / "people.parquet").rename_columns(["record_id", "person_id"])
    return people.append_column("source", pa.repeat(pa.scalar(name, pa.string()), people.num_rows))


def _training_table(sides: Sides) -> pa.Table:
    """The share's records and one record of each person of the spine: its pairs are those that the model is for."""
    _, first = np.unique(sides.persons.to_numpy(zero_copy_only=False).astype(str), return_index=True)
    one_each = sides.spine.take(pa.array(np.sort(first)))
    return numbered(pa.concat_tables([sides.share, one_each]), 0)


def _labels(
    records: pa.Table,
    trained: Trained,
    specification: Specification,
    limit: float,
    ruled: ShareRuled,
    engine: Engine,
    machine: Resources,
) -> Labels:
    """The person of each record of the share, as a number."""
    pairs = sum(count.pairs for count in count_within(records, specification.rules))
    scored = engines.score(
        records, trained.model, threshold=_LEAST_WEIGHT, pairs=pairs, engine=engine, resources=machine
    )
    levels, links = dict.fromkeys(Strictness, limit), links_of(scored)
    rulings = ruled.of_records(records.num_rows, links.above(limit))
    return cluster(records, links, levels, specification.guards, rulings=rulings).labels[Strictness.MEDIUM]


def _best_of_people(scored: pa.Table, sides: Sides, people: pa.Array) -> pa.Table:
    tables = {
        "scored": scored,
        "share": pa.table({ID: sides.share[ID], "person": people}),
        "spine": pa.table({ID: sides.spine[ID], "person": sides.persons}),
    }
    sql = f"""SELECT a.person AS "left", b.person AS "right", max(match_weight) AS weight
              FROM scored JOIN share a ON least({ID}_l, {ID}_r) = a.{ID}
              JOIN spine b ON greatest({ID}_l, {ID}_r) = b.{ID} GROUP BY ALL ORDER BY 1, 2"""
    return query(sql, tables)


def _exact(sides: Sides, people: pa.Array) -> pa.Table:
    """What plain SQL finds: both names and the birth date are the same, and of exactly one person of either side."""
    columns = ["name_key", "dob"]
    tables = {
        "share": sides.share.select(columns).append_column("person", people),
        "spine": sides.spine.select(columns).append_column("person", sides.persons),
    }
    sql = """WITH pairs AS (
                 SELECT DISTINCT a.person AS l, b.person AS r FROM share a JOIN spine b USING (name_key, dob))
             SELECT l AS "left", r AS "right" FROM pairs
             QUALIFY count(*) OVER (PARTITION BY l) = 1 AND count(*) OVER (PARTITION BY r) = 1 ORDER BY 1"""
    return query(sql, tables)


def _report(linked: _Linked, share: Share, spine: Spine, engine: Engine, truth: Path | None) -> Mapping[str, Any]:
    gateway = share.gateway
    status = Counter(linked.pairs["status"].to_pylist())
    persons = len(pc.unique(linked.people))
    taken = linked.pairs.filter(pc.equal(linked.pairs["status"], PairStatus.LINKED.value))
    likely = quality.probability_of(_as_sure(taken, spine))
    report: dict[str, Any] = {
        "share": share.name,
        "spine": spine.version,
        "engine": engine.value,
        "gateway": {"reference": gateway.reference, "controller": gateway.controller, "ends": gateway.ends.isoformat()},
        "records": linked.sides.share.num_rows,
        "people": {
            "all": persons,
            **{each.value: status[each.value] for each in PairStatus},
            "not_found": persons - status[PairStatus.LINKED.value] - status[PairStatus.TIED.value],
        },
        "thresholds": dict(share.linkage["thresholds"]),
        "completeness": quality.completeness(linked.sides.share)[share.name],
        "model": {
            "key": linked.trained.model.key,
            "prior": linked.trained.model.prior,
            "weights": weights(linked.trained.model),
            "sessions": list(linked.trained.sessions),
        },
        "estimated": {
            "note": quality.MODEL_NOTE,
            "precision": round(float(likely.mean()), quality.DIGITS) if likely.size else None,
            "false_links": round(float((1 - likely).sum()), 3),
        },
        "exact_keys": {"linked": linked.exact.num_rows},
        "overrides": linked.ruled.about(),
        "coverage": coverage_of(share.coverage, linked.sides, taken),
    }
    if truth is not None:
        report["truth"] = {
            "model": against_truth(linked.sides, linked.people, taken, share.name, truth),
            "exact_keys": against_truth(linked.sides, linked.people, linked.exact, share.name, truth),
        }
    return report


def _write(folder: Path, linked: _Linked, report: Mapping[str, Any]) -> None:
    people = pa.table({"record_id": linked.sides.share["record_id"], "share_person": linked.people})
    names = ["share_person", "person_id", "match_weight", "status", "ruled"]
    with atomic_folder(folder) as temporary:
        write_table(people, temporary / "people.parquet")
        write_table(linked.crosswalk, temporary / "crosswalk.parquet")
        write_table(linked.pairs.rename_columns(names), temporary / "links.parquet")
        save_model(linked.trained.model, temporary)
        write_json(temporary / "quality.json", dict(report))


def _write_analyst_side(paths: LabPaths, share: Share, spine: Spine, folder: Path, held: Path) -> None:
    """Keys, and facts of linked people under them. Everything else of the share stays with the linker."""
    links = read_table(folder / "links.parquet")
    links = links.filter(pc.equal(links["status"], PairStatus.LINKED.value))
    own = _secret(paths, share.name)
    keys = pa.array([share_key(own, person) for person in links["share_person"].to_pylist()], pa.string())
    tables = {
        "links": links.append_column("share_key", keys).append_column("sure", pa.array(_as_sure(links, spine))),
        "people": spine.people(),
        "register_keys": read_table(paths.register_keys(spine.version)),
        "members": read_table(folder / "people.parquet"),
    }
    sql = """WITH named AS (SELECT person_id, any_value(register_key) AS register_key
                 FROM people JOIN register_keys USING (source, record_id) GROUP BY person_id)
             SELECT share_key, register_key, 1 / (1 + pow(2.0, -sure)) AS link_probability
             FROM links JOIN named USING (person_id) ORDER BY share_key"""
    _write_facts(paths.share_facts(share.name, folder.name), share, held, query(_MEMBERS, tables))
    write_table(query(sql, tables), paths.share_keys(share.name, folder.name))


def _as_sure(links: pa.Table, spine: Spine) -> npt.NDArray[np.float64]:
    """The weight of each link in bits; of one that people ruled at least the spine's strict threshold."""
    name = "weight" if "weight" in links.column_names else "match_weight"
    found = pc.fill_null(links[name], 0.0).to_numpy()
    ruled = links["ruled"].to_numpy()
    sure: npt.NDArray[np.float64] = np.where(ruled, np.maximum(found, spine.thresholds[Strictness.STRICT]), found)
    return sure


_MEMBERS = "SELECT record_id, share_key FROM members JOIN links USING (share_person) ORDER BY record_id"


def _write_facts(target: Path, share: Share, held: Path, members: pa.Table) -> None:
    with atomic_folder(target) as temporary:
        for name, schema in share.source.tables.items():
            stored = FACTS if name == share.source.person_table else f"{name}.parquet"
            table = read_table(held / stored)
            columns = [column for column in table.column_names if column not in ("record_id", schema.key)]
            order = ", ".join(["share_key", *columns])
            sql = f"SELECT {order} FROM held JOIN members USING (record_id) ORDER BY {order}"
            write_table(query(sql, {"held": table, "members": members}), temporary / stored)


def _secret(paths: LabPaths, share: str) -> bytes:
    place = paths.share_secret(share)
    if not place.is_file():
        atomic_write(place, secrets.token_bytes(SECRET_BYTES), mode=PRIVATE)
    return place.read_bytes()


def _about(count: int) -> str:
    return "none" if not count else "fewer than 10" if count < 10 else f"about {10 * round(count / 10):,}"
