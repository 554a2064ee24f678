"""Whoever follows a citation in a comment finds the section: METHODS 4, DESIGN 3, EVALUATION A12, INPUTS 19, R3, A6."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXPLANATION = ROOT / "docs" / "explanation"
# METHODS is methods.md, and so on. Those without a page are notes that the code must not lean on.
WITH_PAGE = ("METHODS", "DESIGN", "EVALUATION", "INPUTS", "DISCLOSURE")
PAGES = {name: EXPLANATION / f"{name.lower()}.md" for name in WITH_PAGE}
WITHOUT_PAGE = ("MATCHING", "LINKAGE", "LINKED_DATA", "PLATFORM", "STYLE")
NUMBER = r"[A-Z]?\d+"
CITED = re.compile(rf"\b({'|'.join((*PAGES, *WITHOUT_PAGE))})\b((?:(?:,? | and | to ){NUMBER}(?:\.\d+)?\b)*)(\.md)?")
RULE_OR_THREAT = re.compile(r"\b([RA]\d{1,2})\b")
SEARCHED = ("src", "tests", "benchmarks", "scripts", "simulations")
TESTED_RULE = re.compile(r"def test_\w*?_?r(\d{1,2})_")


def sections(page: Path) -> set[str]:
    """What a citation may name on a page: the number of a heading, or the first cell of a row of a table."""
    text = page.read_text("utf-8")
    return set(re.findall(rf"^(?:#+ |\| )({NUMBER})(?:\.| \|)", text, re.MULTILINE))


def comments_of(path: Path) -> Iterator[str]:
    """Comments and docstrings of a Python file; comments of TOML and SQL."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        yield from (token.string for token in tokens if token.type == tokenize.COMMENT)
        owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        found = (ast.get_docstring(node) for node in ast.walk(ast.parse(text)) if isinstance(node, owners))
        yield from (docstring for docstring in found if docstring)
    else:
        mark = {".toml": "#", ".sql": "--"}[path.suffix]
        yield from (line.partition(mark)[2] for line in text.splitlines() if mark in line)


def files() -> list[Path]:
    kinds = {".py", ".toml", ".sql"}
    found = (path for folder in SEARCHED for path in (ROOT / folder).rglob("*") if path.suffix in kinds)
    return sorted(path for path in found if path != Path(__file__).resolve())


def unresolved(comment: str) -> Iterator[str]:
    """Citations of a comment that lead nowhere."""
    for name, numbers, ending in CITED.findall(comment):
        page = PAGES.get(name)
        cited = re.findall(NUMBER, numbers)
        if page is None or ending:
            yield f"{name}{ending}"
        else:
            yield from (f"{name} {number}" for number in cited if number not in sections(page))
    rest = CITED.sub("", comment)
    yield from (number for number in RULE_OR_THREAT.findall(rest) if number not in sections(PAGES["DISCLOSURE"]))


def test_every_citation_leads_to_a_section() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {citation}"
        for path in files()
        for comment in comments_of(path)
        for citation in unresolved(comment)
    ]
    assert broken == []


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("as METHODS 4 has it", []),
        ("METHODS 2, 4; EVALUATION A5, A16", []),
        ("INPUTS 13 to 19; R3 and A6", []),
        ("METHODS 99", ["METHODS 99"]),
        ("EVALUATION A5, A99", ["EVALUATION A99"]),
        ("INPUTS.md has them", ["INPUTS.md"]),
        ("LINKAGE 6", ["LINKAGE"]),
        ("R31 and A15", ["R31", "A15"]),
    ],
)
def test_a_citation_that_leads_nowhere_is_seen(comment: str, found: list[str]) -> None:
    assert list(unresolved(comment)) == found


def rows_of_rules() -> dict[int, tuple[str, list[Path]]]:
    """Rule -> what the page says of its building, and the test files it names."""
    rows = re.findall(r"^\| R(\d+) \|.*\| ([^|]*) \|([^|]*)\|$", PAGES["DISCLOSURE"].read_text("utf-8"), re.MULTILINE)
    return {
        int(number): (built, [(EXPLANATION / link).resolve() for link in re.findall(r"\]\(([^)#]+)\)", held)])
        for number, built, held in rows
    }


def test_all_rules_and_threats_are_on_the_page() -> None:
    assert sorted(rows_of_rules()) == list(range(1, 31))
    assert {f"A{number}" for number in range(1, 15)} <= sections(PAGES["DISCLOSURE"])


@pytest.mark.parametrize("rule", rows_of_rules())
def test_a_rule_that_is_built_names_files_that_test_it(rule: int) -> None:
    built, named = rows_of_rules()[rule]
    if built.startswith("later"):
        assert named == []
        return
    assert named
    tested = [{int(number) for number in TESTED_RULE.findall(path.read_text("utf-8"))} for path in named]
    assert [path.name for path, numbers in zip(named, tested, strict=True) if rule not in numbers] == []
