"""Tiny loaded extracts of the justice domain, typed out row by row, with a perfect register key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from counterfoil.cohort.register import RegisterInputs, RegisterPaths, build_cohort_register
from counterfoil.outcomes.register import build_outcomes

Row = Mapping[str, Any]

TEXT, DAY, WHOLE, YES = pa.string(), pa.date32(), pa.int64(), pa.bool_()
SECTIONS = ("acc", "ete", "rel", "lifestyle", "drug", "alcohol", "think", "att")
SCHEMAS: dict[str, dict[str, pa.DataType]] = {
    "facts": {"record_id": TEXT, "sex": TEXT, "ethnicity": TEXT, "nationality": TEXT, "birth_month": DAY},
    "offences": {
        "offence_id": TEXT,
        "record_id": TEXT,
        "disposal_id": TEXT,
        "offence_date": DAY,
        "proven_date": DAY,
        "proof": TEXT,
        "offence_group": TEXT,
        "tier": TEXT,
        "recordable": YES,
        "breach": YES,
    },
    "disposals": {
        "disposal_id": TEXT,
        "record_id": TEXT,
        "disposal_date": DAY,
        "disposal": TEXT,
        "sentence_days": WHOLE,
        "offence_group": TEXT,
        "tier": TEXT,
        "region": TEXT,
    },
    "nomis": {
        "row_id_hash": TEXT,
        "record_id": TEXT,
        "custody_start_date": DAY,
        "custody_end_date": DAY,
        "legal_status": TEXT,
        "sentence_length_days": WHOLE,
        "release_type": TEXT,
        "main_offence_group": TEXT,
        "tier": TEXT,
        "region": TEXT,
    },
    "flatfile": {
        "row_id_hash": TEXT,
        "record_id": TEXT,
        "event_id_hash": TEXT,
        "disposal_date": DAY,
        "disposal_type_description": TEXT,
        "length_in_days": WHOLE,
        "disposal_termination_date": DAY,
        "region": TEXT,
    },
    "assessment": {
        "assessment_id_hash": TEXT,
        "record_id": TEXT,
        "assessment_type": TEXT,
        "assessment_status": TEXT,
        "date_completed": DAY,
        **{f"{section}_other_weighted_score": WHOLE for section in SECTIONS},
        "finance_linked_to_reoffending": YES,
        "emo_linked_to_reoffending": YES,
        "no_fixed_abode": YES,
        "currently_unemployed": YES,
        "injecting_drug_use": YES,
        "motivation_to_change": TEXT,
    },
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "facts": {"sex": "1", "ethnicity": "W1", "nationality": "UK", "birth_month": "1990-06-01"},
    "offences": {
        "proof": "conviction",
        "offence_group": "theft",
        "tier": "either_way",
        "recordable": True,
        "breach": False,
    },
    "disposals": {"disposal": "community", "offence_group": "theft", "tier": "either_way", "region": "london"},
    "nomis": {
        "legal_status": "sentenced",
        "release_type": "automatic",
        "main_offence_group": "theft",
        "tier": "either_way",
        "region": "wales",
    },
    "flatfile": {"disposal_type_description": "community order"},
    "assessment": {"assessment_type": "LAYER3", "assessment_status": "COMPLETE"},
}
KEYS = {
    "assessment": "assessment_id_hash",
    "offences": "offence_id",
    "disposals": "disposal_id",
    "nomis": "row_id_hash",
    "flatfile": "row_id_hash",
}


@dataclass
class World:
    """Rows of each table. A record belongs to the person whose letter its name ends with: "P1a" and "N7a" are a's."""

    tables: dict[tuple[str, str], list[Row]] = field(default_factory=dict)

    def person(self, source: str, record_id: str, **values: Any) -> None:
        """A record in the person table of `source`."""
        self._add(source, "facts", {"record_id": record_id, **values})

    def disposal(self, record_id: str, on: str, **values: Any) -> None:
        """A disposal and, unless `offence_on` is None, the offence that it is for (30 days earlier by default)."""
        number = len(self.tables.get(("pnc", "disposals"), []))
        offence_on = values.pop("offence_on", (dt.date.fromisoformat(on) - dt.timedelta(30)).isoformat())
        proof = "caution" if values.get("disposal") == "caution" else "conviction"
        self._add("pnc", "disposals", {"record_id": record_id, "disposal_date": on, **values})
        if offence_on is not None:
            group = {k: v for k, v in values.items() if k in ("offence_group", "tier")}
            self.offence(record_id, offence_on, on, disposal_id=f"disposals{number:04}", proof=proof, **group)

    def offence(self, record_id: str, on: str, proven: str, **values: Any) -> None:
        """An offence by itself."""
        row = {"record_id": record_id, "offence_date": on, "proven_date": proven, "disposal_id": "none", **values}
        self._add("pnc", "offences", row)

    def spell(self, record_id: str, start: str, end: str | None, **values: Any) -> None:
        """A stay in prison."""
        row = {"record_id": record_id, "custody_start_date": start, "custody_end_date": end, **values}
        self._add("prison", "nomis", row)

    def event(self, record_id: str, on: str, **values: Any) -> None:
        """A probation event."""
        row = {"record_id": record_id, "disposal_date": on, "event_id_hash": f"{record_id} {on}", **values}
        self._add("probation", "flatfile", row)

    def assessment(self, record_id: str, on: str, **values: Any) -> None:
        """An assessment that was completed on a day. A lab has assessments when someone in it has a record of them."""
        self._add("oasys", "assessment", {"record_id": record_id, "date_completed": on, **values})

    def _add(self, source: str, table: str, row: Row) -> None:
        rows = self.tables.setdefault((source, table), [])
        key = {KEYS[table]: f"{table}{len(rows):04}"} if table in KEYS else {}
        rows.append({**DEFAULTS[table], **key, **row})

    def write(self, folder: Path, data_end: str | None = "2030-01-01") -> RegisterInputs:
        """Write every table of every source and the register keys."""
        held = {"pnc": ("offences", "disposals"), "prison": ("nomis",), "probation": ("flatfile",)}
        if ("oasys", "facts") in self.tables:
            held["oasys"] = ("assessment",)
        for source, tables in held.items():
            for table in ("facts", *tables):
                _write(folder / source / f"{table}.parquet", SCHEMAS[table], self.tables.get((source, table), []))
        keys = [
            {"source": source, "record_id": row["record_id"], "register_key": f"key-{row['record_id'][-1]}"}
            for (source, table), rows in sorted(self.tables.items())
            if table == "facts"
            for row in rows
        ]
        _write(folder / "keys.parquet", {"source": TEXT, "record_id": TEXT, "register_key": TEXT}, keys)
        return RegisterInputs(
            extracts={source: folder / source for source in held},
            register_keys=folder / "keys.parquet",
            data_end=None if data_end is None else dt.date.fromisoformat(data_end),
        )

    def register(self, folder: Path, data_end: str | None = "2030-01-01") -> RegisterPaths:
        """Write the extracts and build the whole register from them."""
        inputs = self.write(folder / "extracts", data_end)
        paths = RegisterPaths(folder / "register")
        build_cohort_register(inputs, paths)
        build_outcomes(inputs, paths)
        return paths


def _write(path: Path, schema: Mapping[str, pa.DataType], rows: Sequence[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: [_typed(row.get(name), kind) for row in rows] for name, kind in schema.items()}
    pq.write_table(pa.table(columns, schema=pa.schema(list(schema.items()))), path)


def _typed(value: Any, kind: pa.DataType) -> Any:
    return dt.date.fromisoformat(value) if kind == DAY and isinstance(value, str) else value
