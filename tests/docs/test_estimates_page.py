"""The table of docs/explanation/estimates.md says what the tests find."""

from __future__ import annotations

import re
from pathlib import Path

from lib.effect_witnesses import WITNESSES, table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "estimates.md"


def test_the_table_of_witnesses_is_what_comes_out(shared: Path) -> None:
    """When it is not: put the rows that this prints into the page."""
    rows = table(shared)
    assert "\n".join(rows) in PAGE.read_text("utf-8"), "\n".join(rows)


def test_no_row_promises_more_than_its_test_holds() -> None:
    said = dict(re.findall(r"^\| ([^|]+) \| [^|]+ \| \d+ \| under (\S+) \|$", PAGE.read_text("utf-8"), re.MULTILINE))
    assert list(said) == list(WITNESSES)
    assert all(float(said[name]) <= 10.0 * witness.tolerance for name, witness in WITNESSES.items())
