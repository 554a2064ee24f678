"""Which pairs of a share people look at, drawn once and kept with its link (`links/VERSION/quality`).

Each person of the share is asked about once, with the person of the spine that they are linked to or, where there is
none, that comes nearest; shown are their two records that come nearest. So recall is of people: a person who has two
in the spine is not half missed. Pairs of the usual rules that weigh 0 and more are counted exactly; what lies outside
is found by looser rules down to `FLOOR`. A share has no number in common with the spine that confirms a pair, so what
no rule makes is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from counterfoil.linkage import engine as engines
from counterfoil.linkage.blocking import count_within
from counterfoil.linkage.engine import Engine
from counterfoil.linkage.linked_share import LinkedShare, Sides, sides_of
from counterfoil.linkage.model import Resources, load_model
from counterfoil.linkage.one_to_one import PairStatus
from counterfoil.linkage.prepare import ID, STANDARD_COLUMNS
from counterfoil.linkage.quality_report.intervals import exactly
from counterfoil.linkage.quality_report.judged import FOLDER
from counterfoil.linkage.quality_report.review import ReviewSample, read_sample, write_sample
from counterfoil.linkage.quality_report.sampling import (
    FLOOR,
    LABELS,
    MAX_LOOSER_PAIRS,
    Frame,
    Standing,
    draw,
    looser_model,
    strata_of,
)
from counterfoil.linkage.specification import Rule
from counterfoil.warehouse import query, read_table, write_table

WINDOW = 3.0  # bits on either side of the threshold: pairs to look at beside the sample, as of the spine
DOUBTFUL, COMPARED = "doubtful.parquet", "compared.parquet"
_LEAST_WEIGHT = 0.0
_SEED = 4


def share_folder(linked: LinkedShare) -> Path:
    """Where its sample lies."""
    return linked.folder / FOLDER


def is_share_drawn(linked: LinkedShare) -> bool:
    """Whether somebody has asked for the pairs of a share."""
    return (share_folder(linked) / "sample.json").is_file()


def share_sample(
    linked: LinkedShare, looser: Sequence[Rule], *, resources: Resources, labels: int = LABELS
) -> ReviewSample:
    """The pairs of a share that are to be looked at: those drawn before, or drawn now and kept.

    Beside the sample lie the doubtful pairs (`DOUBTFUL`) and the records of both as they are compared (`COMPARED`).
    """
    folder = share_folder(linked)
    if is_share_drawn(linked):
        return read_sample(folder)
    sides = sides_of(read_table(linked.identifiers, list(STANDARD_COLUMNS)), linked.spine, linked.specification)
    encoded = pa.concat_tables([sides.share, sides.spine])
    frame = share_frame(linked, sides, looser, resources=resources)
    sample = draw(frame, encoded, labels=labels)
    doubtful = _doubtful(linked, frame, encoded)
    made = ReviewSample(sample, exactly(0.0), {})
    write_table(doubtful, folder / DOUBTFUL)
    write_table(_of_pairs(encoded, sample.pairs, doubtful), folder / COMPARED)
    write_sample(folder, made)  # the last: it says that all are there
    return made


def share_frame(
    linked: LinkedShare,
    sides: Sides,
    looser: Sequence[Rule],
    *,
    resources: Resources,
    max_pairs: int = MAX_LOOSER_PAIRS,
) -> Frame:
    """Every pair that may be looked at, and its stratum. A part of the share's people is compared looser."""
    model, engine = load_model(linked.folder), Engine(linked.report["engine"])
    usual = linked.specification.rules
    held = set(sides.share.column_names)
    every = [*usual, *(rule for rule in looser if {*rule.left, *rule.right} <= held)]
    members = read_table(linked.folder / "people.parquet")
    persons = query(
        f"SELECT share_person FROM s JOIN m USING (record_id) ORDER BY s.{ID}",
        {"s": sides.share.select([ID, "record_id"]), "m": members},
    )["share_person"].combine_chunks()
    part = _share_to_compare(sides, every, max_pairs)
    chosen = sides.share.filter(pa.array(_drawn(persons, part)))
    inside, outside = (
        engines.score_between(left, sides.spine, each, threshold=least, engine=engine, resources=resources)
        for left, each, least in (
            (sides.share, model, _LEAST_WEIGHT),
            (chosen, looser_model(model, every), FLOOR),
        )
    )
    tables = {
        "inside": inside.select([f"{ID}_l", f"{ID}_r", "match_weight"]),
        "outside": outside.select([f"{ID}_l", f"{ID}_r", "match_weight"]),
        "s": sides.share.append_column("person", persons),
        "e": sides.spine.append_column("person", sides.persons),
        "links": read_table(linked.folder / "links.parquet", ["share_person", "person_id", "status"]),
    }
    pairs = query(_frame_sql(usual), tables)
    return Frame(pairs.append_column("stratum", strata_of(pairs, [linked.threshold])), part, sides=1)


def _frame_sql(usual: Sequence[Rule]) -> str:
    """The pair of each person of the share: the one that the link looked at, else that of the usual rules, else that of
    the looser ones, which weighs most; by the two records that weigh most."""
    rules = " OR ".join(f"({rule.sql})" for rule in usual)
    return f"""
        WITH scored AS (
            SELECT least({ID}_l, {ID}_r) AS a, greatest({ID}_l, {ID}_r) AS b, match_weight, false AS is_outside
            FROM inside
            UNION ALL SELECT least({ID}_l, {ID}_r), greatest({ID}_l, {ID}_r), match_weight, true FROM outside),
        named AS (
            SELECT a, b, match_weight, is_outside, l.person AS p, r.person AS q, coalesce({rules}, false) AS compared
            FROM scored JOIN s l ON l.{ID} = a JOIN e r ON r.{ID} = b),
        best AS (
            SELECT a, b, match_weight, is_outside, status, bool_or(compared) OVER (PARTITION BY p, q) AS compared
            FROM named LEFT JOIN links ON share_person = p AND person_id = q
            QUALIFY row_number() OVER (
                PARTITION BY p ORDER BY status IS NULL, is_outside, match_weight DESC, a, b) = 1)
        SELECT a AS {ID}_l, b AS {ID}_r, match_weight,
               CASE WHEN status = '{PairStatus.LINKED.value}' THEN '{Standing.LINKED.value}'
                    WHEN compared THEN '{Standing.APART.value}' ELSE '{Standing.UNREACHED.value}' END AS standing,
               is_outside, status
        FROM best ORDER BY 1, 2"""


def _drawn(persons: pa.Array, part: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """For each record of the share whether its person was drawn."""
    number = persons.dictionary_encode().indices.to_numpy()
    chosen = np.random.default_rng(_SEED).random(int(number.max(initial=-1)) + 1) < part
    return np.asarray(chosen[number], np.bool_)


def _share_to_compare(sides: Sides, rules: Sequence[Rule], max_pairs: int) -> float:
    """Share of the people to compare looser, so that there are not more than `max_pairs` candidate pairs."""
    whole, *own = (
        sum(count.pairs for count in count_within(table, rules))
        for table in (pa.concat_tables([sides.share, sides.spine]), sides.share, sides.spine)
    )
    between = whole - sum(own)
    return 1.0 if between <= max_pairs else max_pairs / between


def _doubtful(linked: LinkedShare, frame: Frame, encoded: pa.Table) -> pa.Table:
    """source_l, record_id_l, source_r, record_id_r, match_weight, status: pairs near the threshold, and tied ones."""
    sql = f"""
        SELECT l.source AS source_l, l.record_id AS record_id_l, r.source AS source_r, r.record_id AS record_id_r,
               match_weight, status
        FROM f JOIN e l ON l.{ID} = f.{ID}_l JOIN e r ON r.{ID} = f.{ID}_r
        WHERE status IS NOT NULL AND (abs(match_weight - {linked.threshold!r}) < {WINDOW!r}
              OR status = '{PairStatus.TIED.value}')
        ORDER BY 1, 2, 3, 4"""
    return query(sql, {"f": frame.pairs, "e": encoded.select([ID, "source", "record_id"])})


def _of_pairs(encoded: pa.Table, *pairs: pa.Table) -> pa.Table:
    names = [
        table.select([f"source_{side}", f"record_id_{side}"]).rename_columns(["source", "record_id"])
        for table in pairs
        for side in "lr"
    ]
    wanted = pa.concat_tables([each.cast(names[0].schema) for each in names])
    return query(f"SELECT e.* FROM e SEMI JOIN w USING (source, record_id) ORDER BY {ID}", {"e": encoded, "w": wanted})
