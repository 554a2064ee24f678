"""A command, setting or error that nobody has written about fails here (CONTRIBUTING)."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from typer.main import get_command

import counterfoil
from counterfoil.cli.commands import command_line
from counterfoil.errors import CounterfoilError
from counterfoil.lab.settings import LabSettings
from counterfoil.study.plan import Plan, read_plan
from scripts import generate_docs

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def models_of(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        inner, _ = generate_docs.nested_model(field.annotation)
        if inner is not None:
            yield from models_of(inner)


def error_classes() -> list[type[CounterfoilError]]:
    """Every error class of the engine, wherever it is defined."""
    for module in pkgutil.walk_packages(counterfoil.__path__, "counterfoil."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = [CounterfoilError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return found


def commands() -> dict[str, Any]:
    return dict(get_command(command_line()).commands)  # type: ignore[attr-defined]


def test_the_generated_pages_are_what_the_code_says() -> None:
    assert generate_docs.main(["--check"]) == 0


@pytest.mark.parametrize("name", commands())
def test_every_command_says_what_it_and_each_option_does(name: str) -> None:
    for command in (commands()[name], *getattr(commands()[name], "commands", {}).values()):
        assert command.help
        silent = [p.name for p in command.params if p.name != "help" and not p.help]
        assert silent == []


def test_every_error_class_has_an_entry() -> None:
    entries = set(re.findall(r"^## .*\(`(\w+)`", (DOCS / "how-to" / "errors.md").read_text("utf-8"), re.MULTILINE))
    assert entries == {kind.__name__ for kind in error_classes()}


@pytest.mark.parametrize("model", [*models_of(Plan), *models_of(LabSettings)], ids=lambda model: model.__name__)
def test_every_key_of_a_plan_and_of_the_settings_says_what_it_is(model: type[BaseModel]) -> None:
    notes = generate_docs.field_notes(model)
    plain = [
        name for name, field in model.model_fields.items() if generate_docs.nested_model(field.annotation)[0] is None
    ]
    assert [name for name in plain if not notes.get(name)] == []


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.toml")), ids=lambda path: path.stem)
def test_every_example_is_a_plan_and_is_listed(path: Path) -> None:
    read_plan(path, for_table=True)
    assert path.name in (ROOT / "examples" / "README.md").read_text("utf-8")


def test_every_link_between_pages_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "examples").glob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)} -> {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)\s]*)?\)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def anchors_of(page: Path) -> set[str]:
    """The anchors that a forge makes of a page's headings: small letters, blanks to hyphens, other signs dropped."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_link_to_a_heading_finds_it() -> None:
    pages = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "examples").glob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)} -> {target}#{anchor}"
        for page in pages
        for target, anchor in re.findall(r"\]\(([^)#:\s]*)#([^)\s]+)\)", page.read_text("utf-8"))
        if anchor not in anchors_of((page.parent / target) if target else page)
    ]
    assert broken == []


def pages_for_readers() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "examples" / "README.md", *sorted(DOCS.rglob("*.md"))]


def test_every_command_in_the_pages_exists_with_its_options() -> None:
    known = {name: flags_of(command) for name, command in commands().items()}
    known |= {"--help": set(), "COMMAND": {"--help"}}
    broken = [
        f"{page.relative_to(ROOT)}: {verb} {flag}"
        for page in pages_for_readers()
        for verb, rest in re.findall(r"(?:^|[\s`/])counterfoil ([a-z-]+|COMMAND)\b([^`\n]*)", code_of(page))
        for flag in ["", *re.findall(r"--[a-z-]+", rest)]
        if verb not in known or (flag and flag not in known[verb])
    ]
    assert broken == []


def flags_of(command: Any) -> set[str]:
    """Options of a command, and of each verb that it holds."""
    verbs = (command, *getattr(command, "commands", {}).values())
    return {flag for verb in verbs for p in verb.params for flag in p.opts}


def test_every_verb_in_the_pages_exists_with_its_options() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {name} {verb} {flag}"
        for name, command in commands().items()
        if (verbs := getattr(command, "commands", {}))
        for page in pages_for_readers()
        for verb, rest in re.findall(rf"counterfoil {name} LAB ([a-z-]+)\b([^`\n]*)", code_of(page))
        for flag in ["", *re.findall(r"--[a-z-]+", rest)]
        if verb not in verbs or (flag and flag not in {o for p in verbs[verb].params for o in p.opts})
    ]
    assert broken == []


def code_of(page: Path) -> str:
    """Fenced and indented code, and code inside sentences, one piece a line."""
    text = page.read_text("utf-8")
    fenced = re.findall(r"^ *```\w*\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL))
    return "\n".join([*fenced, *inline])


@pytest.mark.parametrize("page", sorted((DOCS / "how-to").glob("*.md")), ids=lambda page: page.stem)
def test_every_plan_in_the_pages_is_a_plan(page: Path, tmp_path: Path) -> None:
    for block in re.findall(r"^ *```toml\n(.*?)^ *```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        plan = tmp_path / "plan.toml"
        plan.write_text(block, "utf-8")
        read_plan(plan, for_table=False)


def test_every_recipe_in_the_pages_exists() -> None:
    recipes = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {name for page in pages_for_readers() for name in re.findall(r"(?:^|\W)make ([a-z-]+)", code_of(page))}
    assert sorted(named - recipes) == []
