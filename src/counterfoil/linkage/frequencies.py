"""How common a value is among other people, so that agreeing on a rare one counts for more. Frozen with the model.

A plain share of records overstates rare values: a name that one person alone has is as frequent as that person has
records, and the smaller the lab, the more. For columns that the domain takes apart (a whole name into forename and
surname) the frequency is instead

    (people who have the value - 1) / people  +  k x product of the shares of its parts

The first term is what was seen of other people; the second is what chance makes of the parts, so that a name nobody
else was seen with still has a frequency. k is measured: how many times more often than by chance two people with one
value share all its parts, because names go together. People are told apart by another column (whole names by birth
date), since nothing is linked yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

import pyarrow as pa

from counterfoil.linkage.specification import Frequency, Specification
from counterfoil.warehouse import query

Frequencies = Mapping[str, pa.Table]  # column -> (COLUMN, tf_COLUMN), one row a value


def count_frequencies(prepared: pa.Table, specification: Specification) -> Frequencies:
    """The frequency (above 0, at most 1) of each value of each column whose agreement is weighed by it."""
    taken_apart = {frequency.column: frequency for frequency in specification.frequencies}
    return {
        column: _among_others(prepared, taken_apart[column]) if column in taken_apart else _share(prepared, column)
        for column in specification.frequency_columns
    }


def _share(prepared: pa.Table, column: str) -> pa.Table:
    sql = f"""SELECT {column}, count(*) / (SELECT count({column}) FROM t)::DOUBLE AS tf_{column}
              FROM t WHERE {column} IS NOT NULL GROUP BY {column} ORDER BY {column}"""
    return query(sql, {"t": prepared.select([column])})


def _among_others(prepared: pa.Table, frequency: Frequency) -> pa.Table:
    column, parts = frequency.column, frequency.parts
    columns = ", ".join([column, *parts, frequency.apart])
    people = query(f"SELECT DISTINCT {columns} FROM t WHERE {column} IS NOT NULL ORDER BY ALL", {"t": prepared})
    together = max(1.0, _chance_of_agreeing(people, [column]) / prod(_chance_of_agreeing(people, [p]) for p in parts))
    shares = " ".join(
        f"JOIN (SELECT {p}, count(*) / n_all AS s_{p} FROM t, n GROUP BY {p}, n_all) USING ({p})" for p in parts
    )
    product = " * ".join(f"any_value(s_{p})" for p in parts)
    sql = f"""WITH n AS (SELECT count(*)::DOUBLE AS n_all FROM t)
              SELECT {column}, least(1.0, (count(*) - 1) / any_value(n_all) + {together!r} * {product}) AS tf_{column}
              FROM t {shares}, n GROUP BY {column} ORDER BY {column}"""
    return query(sql, {"t": people})


def _chance_of_agreeing(people: pa.Table, columns: Sequence[str]) -> float:
    """Probability that two different rows agree; of a column in which none do, half that of one pair that does."""
    groups = f"SELECT count(*) AS n FROM t GROUP BY {', '.join(columns)}"
    sql = f"SELECT coalesce(sum(n * (n - 1) // 2), 0)::DOUBLE AS pairs FROM ({groups})"
    agreeing = float(query(sql, {"t": people})["pairs"][0].as_py())
    pairs: float = people.num_rows * (people.num_rows - 1) / 2
    return max(agreeing, 0.5) / max(pairs, 1.0)
