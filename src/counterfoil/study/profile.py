"""Who the people analysed were, as tables of the group. The domain's data (`profile.toml`) say by which characteristics
they divide, and how. Nothing here is of after the index date.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from counterfoil.disclosure import GroupTable
from counterfoil.domains import load
from counterfoil.domains.schema import folder, read_toml

BoolArray = npt.NDArray[np.bool_]
NOT_KNOWN = "not known"


class Characteristic(BaseModel):
    """One of `profile.toml`. Either `kinds` (value of the column -> what a report says), or `codes`, whose table of the
    domain's codes says so, or `bands` of a count with their lower ends in `from`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    column: str
    ordered: bool = False
    kinds: Mapping[str, str] = {}
    codes: str = ""
    ends: Annotated[tuple[int, ...], Field(alias="from")] = ()
    bands: tuple[str, ...] = ()


@cache
def characteristics_of(domain: str) -> tuple[Characteristic, ...]:
    """The domain's, in the order in which a report has them; none where it has no `profile.toml`."""
    place = folder(domain) / "profile.toml"
    if not place.is_file():
        return ()
    found = (Characteristic.model_validate(one) for one in read_toml(place)["characteristic"])
    codes = load(domain).codes
    return tuple(one.model_copy(update={"kinds": codes[one.codes]}) if one.codes else one for one in found)


def profile_of(people: pa.Table, domain: str, *, treated: str = "treated") -> tuple[GroupTable, ...]:
    """A table for each characteristic that `people` have, row by row of them.

    Whoever has no value that the domain names is "not known", which is a kind where somebody treated is.
    """
    taking_part = np.asarray(people[treated].to_numpy(zero_copy_only=False), np.bool_)
    there = (one for one in characteristics_of(domain) if one.column in people.column_names)
    return tuple(_table(one, people[one.column], taking_part) for one in there)


def _table(one: Characteristic, column: pa.ChunkedArray, treated: BoolArray) -> GroupTable:
    values = np.asarray(column.to_numpy(zero_copy_only=False))
    cells = _banded(one, values) if one.bands else {said: values == value for value, said in one.kinds.items()}
    left = ~np.logical_or.reduce(list(cells.values()))
    return GroupTable(one.name, {**cells, NOT_KNOWN: left} if (left & treated).any() else cells, one.ordered)


def _banded(one: Characteristic, values: npt.NDArray[np.generic]) -> dict[str, BoolArray]:
    """Each count in the last band that begins at or under it."""
    counts = values.astype(np.float64)
    place = np.where(np.isnan(counts), 0, np.searchsorted(np.array(one.ends), counts, side="right"))
    return {said: place == number for number, said in enumerate(one.bands, 1)}
