"""docs/reference/witnesses.md says what the tests find."""

from __future__ import annotations

from pathlib import Path

from lib.witness_registry import PAGE, page


def test_the_page_of_witnesses_is_what_comes_out(shared: Path) -> None:
    """When it is not: `PYTHONPATH=tests:. python -m lib.witness_registry ../shared`, and commit."""
    assert PAGE.read_text("utf-8") == page(shared)
