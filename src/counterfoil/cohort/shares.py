"""What shares of other departments say of people in the register, by the share's own key."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa

from counterfoil.domains.shares import Share, load_share
from counterfoil.errors import UsageError
from counterfoil.lab.paths import LabPaths
from counterfoil.warehouse import connect, query, read_table

PERSON_FACTS = "facts"


def read_share(
    paths: LabPaths, name: str, table: str = PERSON_FACTS, *, today: dt.date, domain: str = "justice"
) -> pa.Table:
    """One table of a share with `register_key` in place of the share's key, of linked people only, ordered by it.

    Refused when the share's gateway is closed on `today`; UsageError before `link --share`.
    """
    share = load_share(domain, name)
    share.gateway.check_open(today)
    keys = paths.latest_share_keys(name)
    if keys is None:
        raise UsageError(f"The share {name} is not linked. Run `counterfoil link LAB --share {name}` first.")
    place = paths.share_facts(name, keys.stem) / f"{table}.parquet"
    if not place.is_file():
        raise UsageError(f"The share {name} has no table {table!r}. Its tables are: {', '.join(stored_tables(share))}.")
    facts = read_table(place)
    order = ", ".join(["register_key", *(column for column in facts.column_names if column != "share_key")])
    sql = f"SELECT {order} FROM facts JOIN keys USING (share_key) ORDER BY {order}"
    return query(sql, {"facts": facts, "keys": read_table(keys)})


def share_covariates(
    paths: LabPaths, name: str, index_events: pa.Table, *, today: dt.date, domain: str = "justice"
) -> pa.Table:
    """A row for each of `index_events` (index_event_id, register_key, index_date), ordered by index_event_id: what the
    share's covariates.sql measures strictly before the index date. `NAME_known` is false for people who are not linked,
    and the others are then null."""
    share = load_share(domain, name)
    connection = connect()
    try:
        connection.register("asked", index_events.select(["index_event_id", "register_key", "index_date"]))
        for table in stored_tables(share):
            connection.register(table, read_share(paths, name, table, today=today, domain=domain))
        return connection.sql(share.covariates).to_arrow_table()
    finally:
        connection.close()


def share_columns(name: str, domain: str = "justice") -> tuple[str, ...]:
    """The names of the covariates that a share has, `NAME_known` first."""
    share = load_share(domain, name)
    connection = connect()
    try:
        connection.execute("CREATE TABLE asked (index_event_id BIGINT, register_key VARCHAR, index_date DATE)")
        for table, stored in zip(share.source.tables.values(), stored_tables(share), strict=True):
            columns = ", ".join(f'"{c}" {_SQL_TYPES.get(k.type, "VARCHAR")}' for c, k in table.columns.items())
            connection.execute(f"CREATE TABLE {stored} (register_key VARCHAR, {columns})")
        return tuple(name for name in connection.sql(share.covariates).columns if name != "index_event_id")
    finally:
        connection.close()


_SQL_TYPES = {"date": "DATE", "integer": "BIGINT", "decimal": "DOUBLE", "boolean": "BOOLEAN"}


def stored_tables(share: Share) -> list[str]:
    """The names under which a share's tables are kept, as its scripts name them: the people's is `facts`."""
    return [PERSON_FACTS if table == share.source.person_table else table for table in share.source.tables]
