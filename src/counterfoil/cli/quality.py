"""`counterfoil quality`: how good the people of a lab's newest spine are."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from counterfoil.cli.screen import progress, say, say_json
from counterfoil.lab.make import open_lab
from counterfoil.study.roles import ProcessRole, run_role

DONE, FINDINGS = 0, 1


def quality(
    lab: Annotated[Path, typer.Argument(help="The folder of a lab.", show_default=False)],
    show_page: Annotated[bool, typer.Option("--open", help="Open the page when it is written.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Say how good the newest spine is: error rates, groups, bias, what changed. Exit 1 when it has findings."""
    open_lab(lab)
    with progress() as show:
        result = run_role(ProcessRole.LINKER, "quality", {"lab": str(lab)}, show)
    if as_json:
        say_json(result["report"] | {"page": result["page"]})
    else:
        for finding in result["findings"]:
            say(f"  {finding['concern']}: {finding['text']}")
        said = f"{len(result['findings'])} things to look at" if result["findings"] else "Nothing to look at"
        say(f"{said} in spine {result['spine']}. The page is for inside the lab: {result['page']}")
    if show_page:
        webbrowser.open(Path(result["page"]).resolve().as_uri())
    raise typer.Exit(FINDINGS if result["findings"] else DONE)
