"""The table of disclosure rules is whole and true: every rule has a line; what it names is there and is about it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "reference" / "rules.md").read_text("utf-8").splitlines()
    if re.match(r"\| R\d", line)
]


def test_every_rule_of_the_explanation_has_one_line() -> None:
    text = (ROOT / "docs" / "explanation" / "disclosure.md").read_text("utf-8")
    numbers = {int(n) for n in re.findall(r"\bR(\d+)\b", text)}
    for first, last in re.findall(r"\bR(\d+) to R(\d+)\b", text):
        numbers |= set(range(int(first), int(last) + 1))
    assert [row[0] for row in ROWS] == [f"R{n}" for n in sorted(numbers)]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_line_of_the_table(row: list[str]) -> None:
    rule, held, where, tests, lacks = row
    modules, files = (re.findall(r"`([^`]+)`", cell) for cell in (where, tests))
    assert held in {"yes", "partly", "no"}
    assert bool(modules) == bool(files) == (held != "no")
    assert lacks or held == "yes"
    assert [name for name in modules if not (ROOT / "src" / "counterfoil" / name).is_file()] == []
    marks = re.compile(rf"test_r{int(rule[1:]):02d}|\b{rule}\b")
    texts = {name: name + (ROOT / "tests" / name).read_text("utf-8") for name in files}
    assert [name for name, text in texts.items() if not marks.search(text)] == []
