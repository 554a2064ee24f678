"""From the linker's candidates and the selection to who is treated in which draw: rows instead of keys."""

from __future__ import annotations

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
    entry. Entries come in the order of their likeliest candidate's register key, so that no draw depends on a file's
    order or on a key of this run.
    """
    doubt = _in_order(doubt)
    everyone, keys = everyone_of(selected), selected.keys["register_key"].to_pylist()
    treated = np.asarray(everyone[TREATED].to_numpy(zero_copy_only=False), np.bool_)
    rows = np.flatnonzero(treated)
    row_of = {keys[row]: int(row) for row in rows}
    of_possible = {key: len(keys) + n for n, key in enumerate(selected.possible.keys["study_key"].to_pylist())}
    asked, own = doubt["register_key"].to_pylist(), doubt["study_key"].to_pylist()
    number = {key: n for n, key in enumerate(sorted(set(asked)))}
    uncertain = {key for key, is_link in zip(own, doubt["is_link"].to_pylist(), strict=True) if is_link}
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
        row=np.array([row_of.get(a, of_possible.get(b, -1)) for a, b in zip(asked, own, strict=True)], np.int64),
        probability=np.asarray(doubt["link_probability"].to_numpy(), np.float64),
        sure=sure,
        steady=is_steady,
        link_probability=chance,
    )


def _in_order(doubt: pa.Table) -> pa.Table:
    """Entries numbered in the order of their likeliest candidate and start; candidates from the likeliest on."""
    rows = doubt.to_pylist()
    first: dict[int, tuple[str, str]] = {}
    for row in rows:
        first.setdefault(row["entry"], (row["register_key"], str(row["start_date"])))
    number = {entry: n for n, entry in enumerate(sorted(first, key=lambda entry: first[entry]))}
    rows.sort(key=lambda row: (number[row["entry"]], -row["link_probability"], row["register_key"]))
    return pa.Table.from_pylist([{**row, "entry": number[row["entry"]]} for row in rows], schema=doubt.schema)


def _whole(column: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.asarray(column.to_numpy(), np.int64)
