"""The two sides of a share that are compared, and a share as it is linked to the newest spine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import counterfoil
from counterfoil.domains.shares import Share, load_share, load_shares
from counterfoil.errors import Refused, UsageError
from counterfoil.lab.make import OpenLab
from counterfoil.linkage.engine import Engine
from counterfoil.linkage.prepare import ID, STANDARD_COLUMNS, prepare
from counterfoil.linkage.specification import Specification, parse_specification
from counterfoil.linkage.spine import Spine, read_spine
from counterfoil.provenance import key_of, sha256_of_file
from counterfoil.records.load import IDENTIFIERS
from counterfoil.records.nicknames import nickname_classes
from counterfoil.warehouse import query


@dataclass(frozen=True, slots=True)
class Sides:
    """Records that are compared: the share's own from number 0, then those of the spine, with `person_id`."""

    share: pa.Table
    spine: pa.Table
    persons: pa.Array  # of each row of `spine`


@dataclass(frozen=True, slots=True)
class LinkedShare:
    """A share as it is linked to the newest spine. `identifiers`: of its newest delivery; `report`: quality.json."""

    share: Share
    spine: Spine
    specification: Specification
    folder: Path
    identifiers: Path
    report: Mapping[str, Any]

    @property
    def threshold(self) -> float:
        """In bits: the least weight of a link."""
        return float(self.share.linkage["thresholds"]["link"])


def read_linked_share(lab: OpenLab, name: str) -> LinkedShare:
    """The newest link of a share. Refused when its gateway is closed; UsageError when its newest delivery is not linked
    to the newest spine."""
    share = load_share(lab.settings.domain, name)
    share.gateway.check_open(lab.settings.date())
    found = _linked(lab, share, read_spine(lab))
    if found is None:
        raise UsageError(
            f"The newest delivery of the share {name} is not linked to the newest spine. "
            f"Run `counterfoil link LAB --share {name}` first."
        )
    return found


def linked_shares(lab: OpenLab, spine: Spine) -> tuple[LinkedShare, ...]:
    """The shares whose newest delivery is linked to a spine and whose gateway is open."""
    found = []
    for share in load_shares(lab.settings.domain).values():
        with suppress(Refused):  # a closed gateway: the share is not read
            share.gateway.check_open(lab.settings.date())
            found.append(_linked(lab, share, spine))
    return tuple(linked for linked in found if linked is not None)


def _linked(lab: OpenLab, share: Share, spine: Spine) -> LinkedShare | None:
    folder, delivered = lab.paths.latest_share_links(share.name), lab.paths.latest_share(share.name)
    if folder is None or delivered is None:
        return None
    specification = parse_specification(share.linkage, nickname_classes(lab.settings.domain))
    report = json.loads((folder / "quality.json").read_text(encoding="utf-8"))
    engine, has_truth = Engine(report["engine"]), "truth" in report
    if report.get("inputs") != key_of_link(delivered[0], spine, specification, engine, has_truth=has_truth):
        return None
    return LinkedShare(share, spine, specification, folder, delivered[0] / IDENTIFIERS, report)


def key_of_link(delivered: Path, spine: Spine, specification: Specification, engine: Engine, *, has_truth: bool) -> str:
    """Of all that a link is made from but what people ruled, which the next link obeys."""
    return key_of(
        identifiers=sha256_of_file(delivered / IDENTIFIERS), spine=spine.version, specification=specification.key,
        engine=engine.value, truth=has_truth, counterfoil=counterfoil.__version__,
    )  # fmt: skip


def sides_of(records: pa.Table, spine: Spine, specification: Specification) -> Sides:
    """Both sides prepared together, so that a block is hot on both or on neither."""
    source = records["source"][0].as_py() if records.num_rows else ""
    known = spine.encoded().select(STANDARD_COLUMNS)
    prepared = prepare(pa.concat_tables([records, known.cast(records.schema)]), specification)
    own = pc.equal(prepared["source"], source)
    share, other = prepared.filter(own), prepared.filter(pc.invert(own))
    people = spine.people()
    sql = f"""SELECT person_id FROM other JOIN people USING (source, record_id) ORDER BY {ID}"""
    persons = query(sql, {"other": other.select([ID, "source", "record_id"]), "people": people})["person_id"]
    return Sides(numbered(share, 0), numbered(other, share.num_rows), persons.combine_chunks())


def numbered(table: pa.Table, first: int) -> pa.Table:
    """The table with its records numbered from `first`."""
    at = table.column_names.index(ID)
    return table.set_column(at, ID, pa.array(np.arange(first, first + table.num_rows, dtype=np.int64)))
