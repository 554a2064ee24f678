"""Addresses: real postcode areas, invented districts and units, hostels that many share, and no address at all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.population.draws import pick
from counterfoil.population.strings import decode, glue
from counterfoil.population.tables import regions

Places = npt.NDArray[np.int64]

NOWHERE = -1  # no address known

_DISTRICTS = 24
_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"  # no C I K M O V in the last two places
_SECTORS = 9
_UNITS = _SECTORS * len(_LETTERS) ** 2
_HOSTEL = 0.02  # of addresses are one of a few hostels of the region
_HOSTELS = 6  # in a region


@dataclass(frozen=True, slots=True)
class Outcodes:
    """Every outward code ("LS7"), by number; `first` and `weights` by region."""

    codes: tuple[str, ...]
    numbers: tuple[npt.NDArray[np.int64], ...]
    weights: tuple[npt.NDArray[np.float64], ...]


@cache
def outcodes() -> Outcodes:
    """Outward codes of each region, the lower districts of an area being the fuller ones."""
    codes: dict[str, int] = {}
    numbers, weights = [], []
    for region in regions():
        pairs = [
            (f"{area}{district}", weight / (district + 3.0))
            for area, weight in zip(region.areas, region.area_weights, strict=True)
            for district in range(1, _DISTRICTS + 1)
        ]
        numbers.append(np.array([codes.setdefault(code, len(codes)) for code, _ in pairs]))
        weights.append(np.array([weight for _, weight in pairs]))
    return Outcodes(tuple(codes), tuple(numbers), tuple(weights))


def draw_regions(rng: np.random.Generator, size: int) -> npt.NDArray[np.int8]:
    """A region for each person."""
    return pick(rng, np.array([region.weight for region in regions()]), size).astype(np.int8)


def draw_places(rng: np.random.Generator, region: npt.NDArray[np.int8], each: int) -> Places:
    """`each` addresses in the region of each person (people x each)."""
    table = outcodes()
    result = np.empty((len(region), each), np.int64)
    for number in range(len(regions())):
        who = np.flatnonzero(region == number)
        size = len(who) * each
        outward = table.numbers[number][pick(rng, table.weights[number], size)]
        units = rng.integers(0, _UNITS, size)
        hostel = rng.random(size) < _HOSTEL
        pair = pick(rng, np.full(_HOSTELS, 1.0), size)
        outward = np.where(hostel, table.numbers[number][pair], outward)
        units = np.where(hostel, pair * 97 + number, units)
        result[who] = (outward * _UNITS + units).reshape(-1, each)
    return result


def postcodes(places: Places) -> pa.Array:
    """Places as "LS7 3AB"; NOWHERE becomes null."""
    outward = decode(np.where(places < 0, -1, places // _UNITS), outcodes().codes)
    inward = decode(np.where(places < 0, -1, places % _UNITS), _inward_codes())
    return glue(outward, " ", inward)


@cache
def _inward_codes() -> tuple[str, ...]:
    return tuple(f"{sector}{a}{b}" for sector in range(1, _SECTORS + 1) for a in _LETTERS for b in _LETTERS)


def mistyped(rng: np.random.Generator, places: Places) -> Places:
    """Another unit of the same district, as a slip in the last letters makes."""
    units = rng.integers(0, _UNITS, len(places))
    return np.where(places < 0, places, places // _UNITS * _UNITS + units)
