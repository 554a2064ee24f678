"""Outcomes from another department's share: the same machinery as the register's, on the share's tables and scripts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pyarrow as pa

from counterfoil.cohort.register import Machine, RegisterPaths
from counterfoil.cohort.shares import read_share, stored_tables
from counterfoil.domains.shares import load_share
from counterfoil.lab.paths import LabPaths
from counterfoil.outcomes.catalogue import catalogue_of
from counterfoil.outcomes.measuring import STANDARD, FollowUp, take
from counterfoil.outcomes.register import in_order_of, open_followed
from counterfoil.warehouse import connect


def measure_share(
    people: pa.Table,
    register: RegisterPaths,
    paths: LabPaths,
    name: str,
    measures: Sequence[str],
    follow_up: FollowUp = STANDARD,
    *,
    today: dt.date,
    domain: str = "justice",
    machine: Machine | None = None,
) -> pa.Table:
    """Measures of the share `name` for `people` (index_event_id, follow_from), row by row: covered and a column each.

    Who is not linked to the share, or whose follow-up it does not reach, has nulls. Refused when the gateway is closed
    on `today`; UsageError before `link --share`.
    """
    used = machine or Machine()
    share = load_share(domain, name)
    definitions = [catalogue_of(domain).definitions[each] for each in measures]
    wanted = people.select(["index_event_id", "follow_from"])
    connection = connect(threads=used.threads, memory_limit=used.memory_limit)
    try:
        open_followed(connection, wanted, register)
        for table in stored_tables(share):
            connection.register(table, read_share(paths, name, table, today=today, domain=domain))
        return in_order_of(wanted, take(connection, share.outcome_scripts, definitions, follow_up))
    finally:
        connection.close()
