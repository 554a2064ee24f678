"""What a reviewer is shown of a pair: both records side by side, what differs, and the waterfall of its weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.domains import Domain
from counterfoil.domains import load as load_domain
from counterfoil.errors import Fault
from counterfoil.lab.make import OpenLab
from counterfoil.linkage.clusters import Strictness
from counterfoil.linkage.differences import Difference, Standing, compare
from counterfoil.linkage.explain import Waterfall, explain
from counterfoil.linkage.model import Model, load_model
from counterfoil.linkage.overrides import COHORT, Record
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.quality_report.judged import SPINE, judged_product
from counterfoil.linkage.review.access import check_linker
from counterfoil.linkage.review.entries import Entries
from counterfoil.linkage.review.values import Item, Pair
from counterfoil.linkage.specification import Specification
from counterfoil.linkage.spine import Spine
from counterfoil.warehouse import connect

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Shown:
    """One line of a record: its raw column, and the standardised one that is compared."""

    label: str
    raw: str
    standard: str
    codes: str = ""


_SHOWN = (
    _Shown("forename", "forename1", "forename1_std"),
    _Shown("other forenames", "forename2", "forename_parts"),
    _Shown("surname", "surname", "surname_std"),
    _Shown("aliases", "aliases", "alias_names"),
    _Shown("date of birth", "date_of_birth", "dob"),
    _Shown("sex", "sex", "sex_std", codes="sex"),
    _Shown("postcode", "postcode", "postcode_std"),
    _Shown("PNC number", "pnc_id", "pnc_std"),
    _Shown("CRO number", "cro", "cro_std"),
    _Shown("prison number", "prison_number", "prison_number_std"),
    _Shown("case reference", "crn", "crn_std"),
)


@dataclass(frozen=True, slots=True)
class Side:
    """One record's value of a line: as delivered, and as compared; empty is missing."""

    raw: str
    standard: str

    @property
    def is_changed(self) -> bool:
        """Whether standardising did more than make capitals of it."""
        return self.raw.upper().strip() != self.standard


@dataclass(frozen=True, slots=True)
class Line:
    """One identifier of both records. `raw_marks` are over the delivered values, `marks` over the compared ones;
    `standing` is by the compared values where both have one."""

    label: str
    left: Side
    right: Side
    standing: Standing
    raw_marks: Difference
    marks: Difference


@dataclass(frozen=True, slots=True)
class Other:
    """Pairs that are not two records of the spine's: their records as compared and as delivered, the model that weighs
    them, what people call their sources, what became of each pair."""

    compared: pa.Table
    raw: Mapping[Record, Row]
    model: Model
    labels: Mapping[str, str]
    decisions: Mapping[Pair, str]


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """Everything that a screen needs to ask about one pair. Holds names: for the linker alone."""

    item: Item
    sources: tuple[str, str]  # what people call the two sources
    lines: tuple[Line, ...]
    waterfall: Waterfall
    decision: str  # what the spine made of the pair


def show(
    lab: OpenLab, spine: Spine, items: Sequence[Item], entries: Entries | None = None, *, product: str = SPINE
) -> tuple[ReviewItem, ...]:
    """The items of a product as they are shown, in their order. Reads only these records. `entries`: those of a
    provider's list."""
    check_linker(lab.paths)
    every = {record for item in items for record in (item.pair.left, item.pair.right)}
    wanted = sorted(record for record in every if record.source != COHORT)
    compared, raw = _compared(spine, wanted), _delivered(lab, wanted)
    if entries is not None:
        names = [record.record_id for record in every if record.source == COHORT]
        own = entries.prepared.filter(pc.is_in(entries.prepared["record_id"], value_set=pa.array(names, pa.string())))
        compared = pa.concat_tables([compared, own.select(compared.column_names).cast(compared.schema)])
        raw |= {Record(COHORT, name): entries.raw[name] for name in names}
    domain = load_domain(lab.settings.domain)
    falls = _waterfalls(spine, items, compared)
    together, clusters = _together(spine, wanted), judged_product(spine, product).columns
    return tuple(
        ReviewItem(
            item,
            (_source_label(domain, item.pair.left), _source_label(domain, item.pair.right)),
            _lines(item, compared, raw, domain),
            fall,
            _decision(together.get(item.pair.left), together.get(item.pair.right), clusters),
        )
        for item, fall in zip(items, falls, strict=True)
    )


def show_other(lab: OpenLab, items: Sequence[Item], other: Other) -> tuple[ReviewItem, ...]:
    """The items as they are shown, in their order, of pairs that are not two records of the spine's."""
    check_linker(lab.paths)
    domain, compared = load_domain(lab.settings.domain), other.compared
    every = {record for item in items for record in (item.pair.left, item.pair.right)}
    raw = _delivered(lab, sorted(every - other.raw.keys())) | dict(other.raw)
    number = _numbers(compared)
    falls = explain([(number[item.pair.left], number[item.pair.right]) for item in items], compared, other.model)

    def label(record: Record) -> str:
        return other.labels.get(record.source) or _source_label(domain, record)

    return tuple(
        ReviewItem(
            item,
            (label(item.pair.left), label(item.pair.right)),
            _lines(item, compared, raw, domain),
            fall,
            other.decisions.get(item.pair, "not linked"),
        )
        for item, fall in zip(items, falls, strict=True)
    )


def _source_label(domain: Domain, record: Record) -> str:
    known = domain.sources.get(record.source)
    return known.label if known else "The provider's list" if record.source == COHORT else record.source


def _names(records: Sequence[Record]) -> pa.Table:
    return pa.table(
        {
            "source": pa.array([record.source for record in records], pa.string()),
            "record_id": pa.array([record.record_id for record in records], pa.string()),
        }
    )


def _held(file: Path, records: Sequence[Record]) -> pa.Table:
    """The rows of `file` that hold some records (by source, record_id), read without the others' columns."""
    path = str(file).replace("'", "''")
    connection = connect()
    try:
        connection.register("names", _names(records))
        sql = f"""SELECT held.* FROM read_parquet('{path}') held SEMI JOIN names USING (source, record_id)
                  ORDER BY source, record_id"""
        return connection.sql(sql).to_arrow_table()
    finally:
        connection.close()


def _compared(spine: Spine, records: Sequence[Record]) -> pa.Table:
    """The prepared rows of some records."""
    found = _held(spine.folder / "encoded.parquet", records)
    if found.num_rows != len(records):
        raise Fault("A pair of the review queue names a record that the spine does not hold. Run `counterfoil link`.")
    return found


def _together(spine: Spine, records: Sequence[Record]) -> dict[Record, Row]:
    held = _held(spine.folder / "people.parquet", records)
    return {Record(row["source"], row["record_id"]): row for row in held.to_pylist()}


def _decision(left: Row | None, right: Row | None, clusters: Mapping[Strictness, str]) -> str:
    if left is None or right is None:
        return "not linked"
    for level, column in clusters.items():
        if left[column] == right[column]:
            return f"one person at {level.value}"
    return "two people"


def _delivered(lab: OpenLab, records: Sequence[Record]) -> dict[Record, Row]:
    """The raw row of each record, from the newest delivery that holds it; empty where none does any more."""
    found: dict[Record, Row] = {}
    for source in sorted({record.source for record in records}):
        own = [record for record in records if record.source == source]
        for folder in sorted((lab.paths.linker / "extracts" / source).glob("[!.]*")):
            rows = _held(folder / "identifiers.parquet", own)
            found |= {Record(source, row["record_id"]): row for row in rows.to_pylist()}  # a newer one writes over
    return found


def _waterfalls(spine: Spine, items: Sequence[Item], compared: pa.Table) -> list[Waterfall]:
    """Each pair's, by the model of the slice that scores such pairs."""
    number = _numbers(compared)
    slices = [_model_name(spine.specification, item) for item in items]
    found: dict[int, Waterfall] = {}
    for name in dict.fromkeys(slices):
        places = [place for place, own in enumerate(slices) if own == name]
        pairs = [(number[items[at].pair.left], number[items[at].pair.right]) for at in places]
        found |= dict(zip(places, explain(pairs, compared, model_of(spine, name)), strict=True))
    return [found[place] for place in range(len(items))]


def _numbers(compared: pa.Table) -> dict[Record, int]:
    names = zip(compared["source"].to_pylist(), compared["record_id"].to_pylist(), strict=True)
    return dict(zip((Record(*name) for name in names), compared[ID].to_pylist(), strict=True))


def _model_name(specification: Specification, item: Item) -> str | None:
    """The slice whose model weighs the pair; none for an entry, which the spine's own model weighs."""
    sources = (item.pair.left.source, item.pair.right.source)
    return None if COHORT in sources else slice_of(specification, *sources)


def slice_of(specification: Specification, one: str, other: str) -> str:
    """Which slice scores pairs of a record of source `one` with one of `other`."""
    for part in specification.slices:
        reached = {s for each in specification.slices if each.name in part.to for s in each.sources}
        if {one, other} <= {*part.sources, *reached} and {one, other} & set(part.sources):
            return part.name
    raise Fault(f"No slice of the linkage specification compares records of {one} and {other}.")


def model_of(spine: Spine, name: str | None) -> Model:
    """The model of a slice, as it is kept with the spine; the spine's own for none."""
    folder = spine.folder / "models" / (name or "")
    return load_model(folder) if name is not None and folder.is_dir() else spine.model


def _lines(item: Item, compared: pa.Table, raw: Mapping[Record, Row], domain: Domain) -> tuple[Line, ...]:
    rows = {Record(row["source"], row["record_id"]): row for row in compared.to_pylist()}
    left, right = item.pair.left, item.pair.right
    lines = [
        _line(
            shown,
            _side(shown, raw.get(left, {}), rows[left], domain),
            _side(shown, raw.get(right, {}), rows[right], domain),
        )
        for shown in _SHOWN
    ]
    return tuple(line for line in lines if line.standing is not Standing.BOTH_MISSING)


def _side(shown: _Shown, raw: Row, compared: Row, domain: Domain) -> Side:
    delivered, standard = _text(raw.get(shown.raw)), _text(compared.get(shown.standard), compared)
    if shown.codes:
        names = domain.codes.get(shown.codes, {})
        delivered, standard = (names.get(value, value) for value in (delivered, standard))
        standard = standard.upper()
    return Side(delivered, standard)


def _text(value: Any, row: Row | None = None) -> str:
    """As a person reads it. Of a list of name parts, those that are not the forename itself."""
    if isinstance(value, list):
        first = "" if row is None else str(row.get("forename1_std") or "")
        return "; ".join(str(part) for part in value if part != first)
    return "" if value is None else str(value).strip()


def _line(shown: _Shown, left: Side, right: Side) -> Line:
    marks, raw_marks = compare(left.standard, right.standard), compare(left.raw, right.raw)
    standing = marks.standing
    if standing in (Standing.ONE_MISSING, Standing.BOTH_MISSING) and raw_marks.standing is not Standing.BOTH_MISSING:
        standing = Standing.ONE_MISSING
    return Line(shown.label, left, right, standing, raw_marks, marks)
