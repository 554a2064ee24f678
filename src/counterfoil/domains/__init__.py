"""What is specific to a field, as data: source schemas, codes, measures. The stages read it and know no field."""

from counterfoil.domains.schema import Column, ColumnClass, Domain, PersonWhen, SourceSchema, TableSchema, load

__all__ = ["Column", "ColumnClass", "Domain", "PersonWhen", "SourceSchema", "TableSchema", "load"]
