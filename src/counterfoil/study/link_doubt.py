"""From the linker's candidates and the selection to who is treated in which draw: rows instead of keys."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from counterfoil.cohort.select import Selected
from counterfoil.study.covariates import everyone_of
from counterfoil.study.link_draws import LinkDoubt

TREATED = "treated"


def link_doubt(selected: Selected, possible: pa.Table, study: pa.Table, doubt: pa.Table) -> LinkDoubt:
    """`possible`: the people of `selected.possible` with every covariate; `study` and `doubt` as the linker handed
    them over.

    A person has one row in every draw: the treated row of the selection where there is one, else that of the first
    entry. Entries come in the order of their candidates' rows, so that no draw depends on a file's order or on a key.
    """
    everyone, keys = everyone_of(selected), selected.keys["register_key"].to_pylist()
    treated = np.asarray(everyone[TREATED].to_numpy(zero_copy_only=False), np.bool_)
    rows = np.flatnonzero(treated)
    row_of = {keys[row]: int(row) for row in rows}
    of_possible = {key: len(keys) + n for n, key in enumerate(selected.possible.keys["study_key"].to_pylist())}
    own, is_link = doubt["study_key"].to_pylist(), doubt["is_link"].to_pylist()
    uncertain = {key for key, linked in zip(own, is_link, strict=True) if linked}
    doubt, at = entries_in_order(doubt, row_of, of_possible)
    asked = doubt["register_key"].to_pylist()
    number = {key: n for n, key in enumerate(sorted(set(asked)))}
    linked = zip(*(study[name].to_pylist() for name in ("study_key", "register_key")), strict=True)
    certain = {person for key, person in linked if key not in uncertain}
    told = dict(zip(*(study[name].to_pylist() for name in ("register_key", "link_probability")), strict=True))
    steady = dict(zip(*(study[name].to_pylist() for name in ("register_key", "is_steady")), strict=True))
    sure, is_steady, chance = np.zeros(len(keys), np.bool_), np.ones(len(keys), np.bool_), np.ones(len(keys))
    for row in rows:
        sure[row], is_steady[row], chance[row] = keys[row] in certain, steady[keys[row]], told[keys[row]]
    return LinkDoubt(
        people=possible,
        place=selected.possible.place,
        entry=_whole(doubt["entry"]),
        person=np.array([number[key] for key in asked], np.int64),
        row=np.array(at, np.int64),
        probability=np.asarray(doubt["link_probability"].to_numpy(), np.float64),
        sure=sure,
        steady=is_steady,
        link_probability=chance,
    )


def entries_in_order(
    doubt: pa.Table, row_of: Mapping[str, int], of_possible: Mapping[int, int]
) -> tuple[pa.Table, list[int]]:
    """Entries numbered in the order of their candidates' rows, chances and start; candidates from the likeliest on.

    With them the row of each candidate, -1 for somebody who is not eligible. Rows stand in the order of events, which
    no secret changes. Entries that may be the same people by the same chances from the same day are one entry, however
    often the list has it: a person who is in it twice has one lot.
    """
    rows = [
        {**row, "at": row_of.get(row["register_key"], of_possible.get(row["study_key"], -1))}
        for row in doubt.to_pylist()
    ]
    rows.sort(key=lambda row: (-row["link_probability"], row["at"]))
    of_entry: dict[int, list[tuple[int, float, str]]] = {}
    who: dict[int, list[tuple[int, float, str]]] = {}
    for row in rows:
        said = (row["link_probability"], str(row["start_date"]))
        of_entry.setdefault(row["entry"], []).append((row["at"], *said))
        who.setdefault(row["entry"], []).append((row["register_key"], *said))
    order = sorted(of_entry, key=lambda entry: of_entry[entry])
    once = {tuple(sorted(who[entry])): entry for entry in reversed(order)}  # the first of those that are alike
    kept = set(once.values())
    number = {entry: n for n, entry in enumerate(entry for entry in order if entry in kept)}
    rows = [row for row in rows if row["entry"] in number]
    rows.sort(key=lambda row: number[row["entry"]])  # keeps the likeliest first within each
    ordered = [{**row, "entry": number[row["entry"]]} for row in rows]
    return pa.Table.from_pylist(ordered, schema=doubt.schema), [row["at"] for row in ordered]


def _whole(column: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.asarray(column.to_numpy(), np.int64)
