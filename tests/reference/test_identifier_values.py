"""Every test value of PNC, CRO, prison number and CRN that the Ministry of Justice or the standard published."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

from counterfoil.records.identifiers import IdentifierFlag, IdentifierKind, IdentifierStatus, canonical

KINDS = {
    "PNC": IdentifierKind.PNC,
    "CRO": IdentifierKind.CRO,
    "PRISON": IdentifierKind.PRISON_NUMBER,
    "CRN": IdentifierKind.CRN,
}
# What the witness's status says beyond valid or not, as the flag that must then be there.
SAID = {
    "valid": None,
    "invalid": None,
    "valid_after_cleaning": IdentifierFlag.CLEANED,
    "valid_check_flag_century": IdentifierFlag.CENTURY,
    "valid_padded_rule": IdentifierFlag.SF_PADDED,
    "valid_unpadded_rule": IdentifierFlag.SF_UNPADDED,
    "valid_pre65_rule": IdentifierFlag.SF_SERIAL_ALONE,
}
TODAY = dt.date(2026, 1, 31)


def test_all_published_values_come_out(shared: Path) -> None:
    with (shared / "data" / "uk" / "identifier_test_values.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] in KINDS]
    assert {row["kind"] for row in rows} == set(KINDS)
    for row in rows:
        found = canonical(KINDS[row["kind"]], row["raw"], today=TODAY)
        valid = row["status"].startswith("valid")
        assert (found.status is IdentifierStatus.VALID) == valid, row
        assert (found.canonical or "") == row["canonical"], row
        assert SAID[row["status"]] is None or SAID[row["status"]] in found.flags, row
