"""The encoded table of a spine, kept beside it (`encoded/`): cohorts and searches open it and encode nothing anew.

It can always be made again from the spine, and is, with a word, when it is absent, damaged or of another version.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.lab.progress import Progress, silent
from counterfoil.linkage import core_engine
from counterfoil.linkage.blocking import keys_of
from counterfoil.linkage.core import encode as encoding
from counterfoil.linkage.core.conditions import NotExpressible
from counterfoil.linkage.core.encoded_files import ABOUT, Check, Opened, Unusable, Written, load, save
from counterfoil.linkage.core.index import (
    Index,
    arrays_of_keys,
    arrays_of_rarity,
    arrays_of_values,
    told_of,
    used_by,
)
from counterfoil.linkage.core.layout import Ints, Longs
from counterfoil.linkage.core.room import Reach
from counterfoil.linkage.core.splink_json import CoreModel
from counterfoil.linkage.keys import coded
from counterfoil.linkage.model import Model, Resources
from counterfoil.linkage.prepare import known_hot_keys
from counterfoil.linkage.specification import Specification
from counterfoil.provenance import key_of
from counterfoil.warehouse import read_table

FOLDER = "encoded"
# What is shown of a record, and what numbers are confirmed by.
SHOWN = (
    "source", "record_id", "forename1_std", "surname_std", "dob", "sex_std", "postcode_std", "pnc_std", "cro_std",
    "prison_number_std", "crn_std",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """A spine's encoded table, ready to be searched. `shown`: `SHOWN` of every record; `hot`: keys over a cap."""

    index: Index
    model: CoreModel
    shown: pa.Table
    persons: pa.Array  # the person_id of each person number
    person_of: Ints  # the person number of each record
    person_start: Longs  # (persons + 1,) where each person's records begin in `person_records`
    person_records: Ints
    hot: Mapping[str, pa.Table]  # by rule

    def people_of(self, records: Longs) -> pa.Array:
        """The person_id of each of some records."""
        return self.persons.take(pa.array(self.person_of[records]))

    def reached(self, brought: Sequence[Reach], rule: int) -> Longs:
        """The records that a rule brought, each once for each entry."""
        ranges = zip(brought[rule].low.tolist(), brought[rule].high.tolist(), strict=True)
        whose = self.index.arrays[f"records_{rule:02}"]
        found: Longs = np.concatenate([np.empty(0, np.int64), *(whose[a:b] for a, b in ranges)]).astype(np.int64)
        return found

    def records_of(self, person: int) -> Ints:
        """All records of a person, in order."""
        found: Ints = self.person_records[self.person_start[person] : self.person_start[person + 1]]
        return found


def open_kept(
    folder: Path,
    model: Model,
    specification: Specification,
    *,
    resources: Resources,
    check: Check = Check.SUMS,
    progress: Progress = silent,
) -> Kept | None:
    """Open the encoded table of the spine in `folder`; make it again, and say so, when it cannot be used.

    None when our own engine cannot express the spine's model.
    """
    try:
        read = core_engine.core_model(model)
    except NotExpressible:
        return None
    key = _key(model, specification, folder)
    try:
        opened = load(folder / FOLDER, key, check=check)
    except Unusable as why:
        progress(f"The encoded table of spine {folder.name} {why}; making it again", None)
        if not keep(folder, model, specification, read_table(folder / "encoded.parquet"), resources=resources):
            return None
        opened = load(folder / FOLDER, key)
    return _kept(opened, read, specification)


def check_kept(folder: Path, model: Model, specification: Specification) -> str:
    """Why a spine's encoded table is not as it was written, by every file's SHA-256; empty when it is."""
    try:
        core_engine.core_model(model)
        load(folder / FOLDER, _key(model, specification, folder), check=Check.DIGESTS)
    except NotExpressible:
        return ""
    except Unusable as why:
        return str(why)
    return ""


def is_kept(folder: Path) -> bool:
    """Whether a spine has an encoded table, well or not."""
    return (folder / FOLDER / ABOUT).is_file()


def keep(
    folder: Path,
    model: Model,
    specification: Specification,
    prepared: pa.Table,
    *,
    resources: Resources,
    orders: Mapping[str, Written] | None = None,
    encoded: encoding.Encoded | None = None,
    people: pa.Table | None = None,
) -> bool:
    """Encode a spine's records and write them beside it; False when our own engine cannot express its model.

    `orders`: the records' order by each rule of the specification, where it lies in files. `encoded`: the records as
    `encoded_to_keep` gave them, where it was asked before; `people`: with each record's person_id, where it is at hand.
    """
    encoded = encoded_to_keep(model, prepared, resources=resources) if encoded is None else encoded
    if encoded is None:
        return False
    read, machine = core_engine.core_model(model), encoding.Resources(resources.threads, resources.memory)
    schema, types = told_of(prepared, read)
    persons, more = _numbered(read_table(folder / "people.parquet", ["person_id"]) if people is None else people)
    hot = known_hot_keys(prepared, specification)
    numbers = {rule.name: f"hot_{i:02}" for i, rule in enumerate(specification.rules)}
    there = _there(orders, specification, read)
    tables = {"shown": prepared.select(_held(specification)), "persons": persons}
    save(
        folder / FOLDER,
        itertools.chain(
            arrays_of_values(encoded),
            arrays_of_rarity(prepared, read, model.frequencies, schema),
            [] if there else arrays_of_keys(prepared, read, resources=machine),
        ),
        key=_key(model, specification, folder),
        used=used_by(encoded.values),
        schema=schema,
        types=types,
        more=more,
        tables=tables | {numbers[name]: table for name, table in hot.items()},
        there=there,
    )
    return True


def encoded_to_keep(model: Model, prepared: pa.Table, *, resources: Resources) -> encoding.Encoded | None:
    """A spine's records as they are compared; None when our own engine cannot express its model."""
    try:
        read = core_engine.core_model(model)
        machine = encoding.Resources(resources.threads, resources.memory)
        return encoding.encode(prepared, read, model.frequencies, keyed=False, resources=machine)
    except NotExpressible:
        return None


def _there(
    orders: Mapping[str, Written] | None, specification: Specification, model: CoreModel
) -> Mapping[str, Written]:
    """The arrays of keys that lie in files, where they are of the model's rules."""
    if orders is None or model.rules != keys_of(specification.rules):
        return {}
    names = [f"{part}_{r:02}" for r in range(len(model.rules)) for part in ("keys", "records")]
    return {name: orders[name] for name in names}


def _held(specification: Specification) -> list[str]:
    rules = specification.cohort
    return list(dict.fromkeys([*SHOWN, *(number.column for number in rules.numbers), *rules.confirm]))


def _numbered(people: pa.Table) -> tuple[pa.Table, dict[str, npt.NDArray[np.generic]]]:
    """person_id once a person, in order of first appearance; and whose each record is."""
    encoded = coded(people["person_id"])
    of = encoded.indices.to_numpy().astype(np.int32)
    start = np.concatenate([[0], np.cumsum(np.bincount(of, minlength=len(encoded.dictionary)))]).astype(np.int64)
    records = np.argsort(of, kind="stable").astype(np.int32)
    more = {"person_of": of, "person_start": start, "person_records": records}
    return pa.table({"person_id": encoded.dictionary}), more


def _kept(opened: Opened, model: CoreModel, specification: Specification) -> Kept:
    hot = {
        rule.name: opened.tables[name]
        for i, rule in enumerate(specification.rules)
        if (name := f"hot_{i:02}") in opened.tables
    }
    return Kept(
        index=opened.index,
        model=model,
        shown=opened.tables["shown"],
        persons=opened.tables["persons"]["person_id"].combine_chunks(),
        person_of=opened.more["person_of"],
        person_start=opened.more["person_start"],
        person_records=opened.more["person_records"],
        hot=hot,
    )


def _key(model: Model, specification: Specification, folder: Path) -> str:
    """Of all that the encoded table is made from."""
    frequencies = {column: _digest(table) for column, table in sorted(model.frequencies.items())}
    sizes = {name: (folder / name).stat().st_size for name in ("encoded.parquet", "people.parquet")}
    return key_of(model=model.settings, frequencies=frequencies, specification=specification.key, tables=sizes)


def _digest(table: pa.Table) -> str:
    """SHA-256 of a table's values."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema.remove_metadata()) as writer:
        writer.write_table(table.combine_chunks().replace_schema_metadata(None))
    return hashlib.sha256(sink.getvalue()).hexdigest()
