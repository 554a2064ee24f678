"""An index event may stand in several rows, each from a day of its own; every row is measured as if it stood alone."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from counterfoil.cohort.register import RegisterPaths
from counterfoil.study.getting_ready import machine_of
from counterfoil.study.outcomes import open_outcomes
from counterfoil.study.plan import read_plan
from counterfoil.warehouse import read_table
from lib.labs import MadeLab

FIRST, LAST = dt.date(2016, 1, 1), dt.date(2017, 12, 31)
LATER = dt.timedelta(days=100)


@pytest.mark.slow
def test_rows_of_one_event_are_measured_as_each_would_be_alone(small_lab: MadeLab) -> None:
    lab, plan = small_lab.lab, read_plan(small_lab.population.programmes["northgate"].plan, for_table=False)
    folder = lab.paths.latest_register()
    assert folder is not None
    register = RegisterPaths(folder)
    events = read_table(register.index_events, ["index_event_id", "index_date"])
    within = pc.and_(pc.greater_equal(events["index_date"], FIRST), pc.less_equal(events["index_date"], LAST))
    own = events.filter(within).rename_columns(["index_event_id", "follow_from"])
    later = own.set_column(1, "follow_from", pc.add(own["follow_from"], pa.scalar(LATER)).cast(pa.date32()))
    machine = machine_of(lab)
    together = open_outcomes(lab, plan, register, pa.concat_tables([own, later, own.slice(0, 50)]), machine)
    alone = [open_outcomes(lab, plan, register, people, machine) for people in (own, later)]
    counts = [each["reoffending_frequency"] for each in alone]
    assert np.nansum(counts[0]) > 100  # offences enough to count double
    assert not np.array_equal(counts[0], counts[1], equal_nan=True)
    for name, values in together.items():
        expected = np.concatenate([alone[0][name], alone[1][name], alone[0][name][:50]])
        np.testing.assert_array_equal(values, expected, err_msg=name)
