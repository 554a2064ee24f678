"""Tables on disk: Parquet with a schema, a row count and a content hash; SQL on DuckDB."""

from counterfoil.warehouse.database import connect, query
from counterfoil.warehouse.tables import Table, read_table, table_at, write_table

__all__ = ["Table", "connect", "query", "read_table", "table_at", "write_table"]
