"""docs/explanation/validation.md says what simulations/results.json holds."""

from __future__ import annotations

import json

from simulations.page import PAGE, RESULTS, render


def test_the_page_is_made_from_the_stored_results() -> None:
    """When it is not: `PYTHONPATH=tests:. python -m simulations.page`, and commit."""
    assert PAGE.read_text("utf-8") == render(json.loads(RESULTS.read_text("utf-8")))
