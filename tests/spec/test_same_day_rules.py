"""The justice domain's own rules for being in two places on one day: who is brought from prison is one person."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.linkage.guards import find_same_day, read_evidence
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.specification import SameDay, load_specification
from counterfoil.warehouse import write_table

IN, OUT = dt.date(2020, 5, 1), dt.date(2020, 5, 31)
RULES = {rule.days.source: rule for rule in load_specification("justice").guards.same_day}


def _found(
    rule: SameDay, folder: Path, day: dt.date, *, attendance: str, remand: str, out: dt.date | None = OUT
) -> int:
    """How many pairs the rule finds for one stay and one hearing of two records that are linked."""
    court = rule.days.source
    stay = {"record_id": ["p"], "custody_start_date": [IN], "custody_end_date": pa.array([out], pa.date32())}
    heard = {"record_id": ["c"], "first_hearing_date": [day], "attendance": [attendance], "remand_status": [remand]}
    write_table(pa.table(stay), folder / "prison" / "nomis.parquet")
    write_table(pa.table(heard), folder / court / "case_summary.parquet")
    records = pa.table({ID: [0, 1], "source": ["prison", court], "record_id": ["p", "c"]})
    extracts = {"prison": folder / "prison", court: folder / court}
    return len(find_same_day(records, np.zeros(2, np.int64), rule, read_evidence([rule], extracts)))


@pytest.mark.parametrize("court", ["magistrates", "crown"])
@pytest.mark.parametrize(
    ("day", "attendance", "remand", "found"),
    [
        (dt.date(2020, 5, 10), "in_person", "bail", 1),  # came from home, on a day in prison
        (dt.date(2020, 5, 10), "produced", "custody", 0),  # a remand prisoner is brought to court
        (dt.date(2020, 5, 10), "produced", "bail", 0),  # a prisoner for one matter may be on bail for another
        (dt.date(2020, 5, 10), "video", "bail", 0),
        (dt.date(2020, 5, 10), "absent", "bail", 0),
        (dt.date(2020, 5, 10), "in_person", "custody", 0),  # "in person" of somebody in custody: brought
        (dt.date(2020, 5, 10), "in_person", "not_known", 0),
        (IN, "in_person", "bail", 0),  # came on bail and was received from court
        (OUT, "in_person", "bail", 0),  # released, and in court later that day
        (dt.date(2020, 6, 2), "in_person", "bail", 0),
    ],
)
def test_only_who_came_alone_and_on_bail_is_no_prisoner(
    tmp_path: Path, court: str, day: dt.date, attendance: str, remand: str, found: int
) -> None:
    assert _found(RULES[court], tmp_path, day, attendance=attendance, remand=remand) == found


def test_a_stay_without_an_end_lasts(tmp_path: Path) -> None:
    day = dt.date(2021, 2, 1)
    assert _found(RULES["crown"], tmp_path, day, attendance="in_person", remand="bail", out=None) == 1


def test_the_rules_keep_such_records_apart() -> None:
    assert sorted(RULES) == ["crown", "magistrates"]
    assert all(rule.cut for rule in RULES.values())
