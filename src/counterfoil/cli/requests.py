"""`counterfoil requests` and `counterfoil withdraw`: what was asked of the lab, and how it ended (A1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from counterfoil.cli.screen import say, say_json
from counterfoil.lab.make import open_lab
from counterfoil.study.request_counts import Ending, YearCount, lab_counts
from counterfoil.study.requests import Reason
from counterfoil.study.requests import withdraw as withdraw_request

Lab = Annotated[Path, typer.Argument(help="The folder of a lab.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

INSIDE = "Inside the lab: beside few requests these counts tell how reports end that are not published yet."
ENDINGS = {
    Ending.FEWER: "fewer (or lower), significant",
    Ending.MORE: "more (or higher), significant",
    Ending.NOT_ENOUGH_EVIDENCE: "not enough evidence",
    Ending.HIDDEN: "result hidden to protect people",
    Ending.REFUSED: "refused by a rule",
    Ending.NOT_SUITABLE: "method not suitable",
    Ending.WITHDRAWN: "withdrawn",
    Ending.NOT_FINISHED: "not finished",
}


def requests(lab: Lab, as_json: Json = False) -> None:
    """Count the requests of each year by how they ended: verdict of the headline measure, refused, withdrawn."""
    counts = lab_counts(open_lab(lab))
    if as_json:
        say_json({"lab": str(lab), "years": [count.to_json() for count in counts]})
        return
    for line in lines_of(counts):
        say(line)


def lines_of(counts: Sequence[YearCount]) -> Iterator[str]:
    """What `requests` prints: a block a year, only endings that there are, and the warning."""
    if not counts:
        yield "Nobody has asked for an evaluation yet: no list was taken."
        return
    for count in counts:
        yield f"{count.year}: requests {count.requests}, from organisations {count.organisations}"
        yield from (f"  {ENDINGS[ending]}: {count.endings[ending]}" for ending in Ending if count.endings.get(ending))
    yield INSIDE


def withdraw(
    lab: Lab,
    run: Annotated[
        str, typer.Argument(help="A run of the request, as `evaluate --json` names it.", show_default=False)
    ],
    reason: Annotated[Reason, typer.Option(help="Why.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Note that a request is withdrawn. That it was asked stays in the log and in the counts; nothing is removed."""
    new = withdraw_request(open_lab(lab), run, reason)
    if as_json:
        say_json({"run": run, "withdrawn": True, "new": new})
        return
    say(
        "The request is withdrawn; the log and the counts of `requests` keep it." if new else "It was withdrawn before."
    )
