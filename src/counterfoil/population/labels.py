"""Labels and codes as the systems write them: record keys, regions, prisons, probation offices, small areas."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.population.calendar import Days
from counterfoil.population.offences import GROUPS
from counterfoil.population.strings import decode, digits, glue
from counterfoil.population.tables import regions

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]

PRISONS_IN_REGION = 12
_WOMENS_PRISONS = 2
_SMALL_AREAS = 33_000
_HOME_OFFICE_CLASS = {
    "violence": 8, "robbery": 34, "public_order": 66, "sexual": 17, "burglary_domestic": 28, "burglary_other": 30,
    "theft": 46, "handling": 54, "fraud": 53, "breach": 83, "vehicle_taking": 48, "theft_from_vehicle": 45,
    "motoring": 104, "drink_driving": 803, "criminal_damage": 58, "drugs_supply": 92, "drugs_possession": 93,
}  # fmt: skip
_PREFIXES = {
    "pnc": "PNC", "prison": "PRI", "probation": "PRO", "oasys": "OAS", "magistrates": "MAG", "crown": "CCD",
    "family": "FAM", "civil": "CIV",
}  # fmt: skip


def record_ids(source: str, positions: Integers) -> pa.Array:
    """Record keys, "PNC00000001"."""
    return glue(_PREFIXES[source], digits(positions + 1, 8))


def person_ids(person: npt.NDArray[np.integer]) -> pa.Array:
    """The true person key, "T0000001". It is in no source."""
    return glue("T", digits(person.astype(np.int64) + 1, 7))


def region_text(codes: Codes) -> pa.Array:
    """Codes of regions."""
    return decode(codes, [region.code for region in regions()])


def prisons(region: Codes, number: Integers, female: Booleans) -> pa.Array:
    """Labels of prisons, some 120 of them: the first of each region are for women."""
    place = np.where(female, number % _WOMENS_PRISONS, _WOMENS_PRISONS + number % (PRISONS_IN_REGION - _WOMENS_PRISONS))
    return decode(region.astype(np.int64) * PRISONS_IN_REGION + place, _prison_names())


@cache
def _prison_names() -> tuple[str, ...]:
    return tuple(
        f"HMP {region.code.replace('_', ' ').title()} {number:02}"
        for region in regions()
        for number in range(1, PRISONS_IN_REGION + 1)
    )


def lsoas(region: Codes, place: Integers) -> pa.Array:
    """2011 small areas: W01... in Wales, E01... elsewhere."""
    wales = [r.code for r in regions()].index("wales")
    number = np.abs(place) % _SMALL_AREAS
    return glue(decode((region == wales).astype(np.int8), ("E01", "W01")), digits(number, 6))


def offence_codes(group: Codes, within: Integers) -> pa.Array:
    """Home Office codes: a class of three digits and two more."""
    classes = [f"{_HOME_OFFICE_CLASS.get(name, 99):03}" for name in GROUPS]
    return glue(decode(group, classes), digits(within, 2))


AREAS_IN_REGION = 6


def area_labels(region: Codes, number: Integers, private: Booleans, start: Days, eras: tuple[int, int]) -> pa.Array:
    """Who supervises: trusts until the first of `eras`, then companies ("CPA") and NPS divisions, then regions."""
    era = np.searchsorted(np.asarray(eras), start, side="right")
    kind = np.where(era == 1, np.where(private, 1, 2), np.where(era == 0, 0, 3))
    code = (region.astype(np.int64) * 4 + kind) * AREAS_IN_REGION + number % AREAS_IN_REGION
    return decode(code, _area_names())


@cache
def _area_names() -> tuple[str, ...]:
    forms = ("{0} Probation Trust {1}", "CPA {0} {1}", "NPS {0} Division {1}", "{0} Region PDU {1}")
    return tuple(
        form.format(region.code.replace("_", " ").title(), number)
        for region in regions()
        for form in forms
        for number in range(1, AREAS_IN_REGION + 1)
    )
