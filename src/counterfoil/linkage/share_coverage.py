"""How much of the spine a share covers: of the people who could be in it, how many are linked, and which.

A person who is not linked was missed, or is not in the share at all: nothing tells the two apart, so this is no
recall. It says of whom an analysis of the share can speak, and whom it leaves out more often than others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.domains.shares import Coverage
from counterfoil.linkage import quality
from counterfoil.linkage.linked_share import Sides
from counterfoil.warehouse import query

UNKNOWN = "not known"


def coverage_of(coverage: Coverage, sides: Sides, linked: pa.Table) -> dict[str, Any]:
    """Shares (0-1) with Wilson's 95% interval. `linked`: the links; `right` names people of the spine.

    Who could be in the share is told from the birth date that most of a person's records say. `outside`: people who
    could not, and are linked all the same: a false link each, or a wrong birth date. Where a birth date decides, people
    without one are counted apart.
    """
    known = sides.spine.select(["source", "dob", "sex_std"]).append_column("person", sides.persons)
    sql = """
        WITH people AS (
            SELECT person, mode(dob ORDER BY dob) AS born, mode(sex_std ORDER BY sex_std) AS sex,
                   list_sort(list_distinct(list(source))) AS sources
            FROM known GROUP BY person)
        SELECT year(born) AS year, year(born) // 5 * 5 || ' to ' || year(born) // 5 * 5 + 4 AS years, sex, sources,
               is_linked, $could AS could
        FROM (SELECT people.*, l.person IS NOT NULL AS is_linked FROM people
              LEFT JOIN (SELECT DISTINCT "right" AS person FROM linked) l USING (person))
        ORDER BY ALL"""
    could_be = "true" if coverage.born_from is None else f"born >= DATE '{coverage.born_from.isoformat()}'"
    people = query(sql.replace("$could", could_be), {"known": known, "linked": linked.select(["right"])})
    could = people.filter(pc.fill_null(people["could"], fill_value=False))
    rest = people.filter(pc.invert(pc.fill_null(people["could"], fill_value=True)))
    nameless = people.filter(people["could"].is_null())
    by_source = query(
        "SELECT source, is_linked FROM (SELECT unnest(sources) AS source, is_linked FROM could)", {"could": could}
    )
    return {
        "who": coverage.who,
        "born_from": None if coverage.born_from is None else coverage.born_from.isoformat(),
        "all": _covered(could),
        "outside": _covered(rest),
        "without_birth_date": _covered(nameless),
        "by_birth_year": _by(could, "year"),
        "by_five_years": _by(could, "years"),
        "by_sex": _by(could, "sex"),
        "by_source": _by(by_source, "source"),
    }


def _covered(people: pa.Table) -> dict[str, Any]:
    linked = int(pc.sum(people["is_linked"]).as_py() or 0)
    return {"people": people.num_rows, "linked": linked, "share": dict(quality.rate(linked, people.num_rows))}


def _by(people: pa.Table, column: str) -> Mapping[str, Any]:
    values = [value for value in pc.unique(people[column]).to_pylist() if value is not None]
    found = {str(value): _covered(people.filter(pc.equal(people[column], value))) for value in sorted(values)}
    missing = people.filter(people[column].is_null())
    return found | ({UNKNOWN: _covered(missing)} if missing.num_rows else {})
