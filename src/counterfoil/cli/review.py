"""`counterfoil review`: people look at pairs of records and say whether they are one person."""

from __future__ import annotations

import getpass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from counterfoil.cli.review_desk import Desk
from counterfoil.cli.review_terminal import work
from counterfoil.cli.screen import progress, say, say_json
from counterfoil.errors import UsageError
from counterfoil.lab import log
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.lab.scratch import keep_scratch_in
from counterfoil.linkage.quality_report.judged import SPINE
from counterfoil.linkage.review import session
from counterfoil.linkage.review.values import Queue
from counterfoil.study.linker import submitted_entries
from counterfoil.study.roles import ProcessRole, guard, run_role


class Pairs(Enum):
    """Which pairs to look at."""

    ALL = "all"
    GUARDS = "guards"
    THRESHOLDS = "thresholds"
    SAMPLE = "sample"


def review(
    lab: Annotated[Path, typer.Argument(help="The folder of a lab.", show_default=False)],
    reviewer: Annotated[str | None, typer.Option(help="Who answers; the name of the account by default.")] = None,
    queue: Annotated[Pairs, typer.Option(help="Which pairs to look at.")] = Pairs.ALL,
    product: Annotated[
        str, typer.Option(help="Which product of linkage is judged: the spine, another of linkage.toml, or a share.")
    ] = SPINE,
    submission: Annotated[
        str | None, typer.Option(help="Look at the doubtful entries of this provider's list instead.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many pairs.")] = None,
    twice: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of pairs that two reviewers see; 0.2, or 1 with --simulate."),
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Plain lines: for screen readers and simple terminals.")
    ] = False,
    simulate: Annotated[bool, typer.Option("--simulate", help="Answer from the truth of a synthetic lab.")] = False,
    error_rate: Annotated[float, typer.Option(min=0, max=1, help="With --simulate: chance of a wrong answer.")] = 0.02,
    reviewers: Annotated[int, typer.Option(min=1, max=9, help="With --simulate: how many reviewers.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="With --simulate: seed of the mistakes.")] = 1,
    truth: Annotated[
        Path | None, typer.Option(help="With --simulate: folder of the truth; the lab's by default.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print counts and agreement as JSON, and ask nothing.")
    ] = False,
) -> None:
    """Look at doubtful pairs of records and say whether they are one person. Keys: y n ? u w h q. Linker only."""
    opened = open_lab(lab)
    arguments: dict[str, Any] = {"lab": str(lab), "queue": queue.value, "limit": limit, "twice": twice}
    arguments["product"] = product
    if submission is not None and (simulate or queue is not Pairs.ALL or product != SPINE):
        raise UsageError("--submission is a queue of its own: leave out --queue, --product and --simulate.")
    if simulate:
        about = {"error_rate": error_rate, "reviewers": reviewers, "seed": seed, "truth": truth and str(truth)}
        with progress() as show:
            result = run_role(ProcessRole.LINKER, "review_simulate", arguments | about, show)
        say_json(result) if as_json else _say_simulated(result)
    elif as_json:
        with progress() as show:
            if submission is None:
                result = run_role(ProcessRole.LINKER, "review_summary", arguments, show)
            else:
                asked = {"lab": str(lab), "submission": submission}
                result = run_role(ProcessRole.LINKER, "review_entries", asked, show)
        say_json(result)
    else:
        wanted = Queue(queue.value) if submission is None else submission
        _sit_down(opened, reviewer or getpass.getuser(), wanted, limit, twice, product=product, plain=plain)


def _sit_down(
    lab: OpenLab,
    reviewer: str,
    queue: Queue | str,
    limit: int | None,
    twice: float | None,
    *,
    product: str,
    plain: bool,
) -> None:
    """A sitting. This process becomes the linker's: from here on it opens nothing of the analyst's.

    `queue`: pairs of the product, or a submission, whose doubtful entries are looked at.
    """
    if not reviewer.strip():
        raise UsageError("A review needs a reviewer. Give a name with --reviewer.")
    guard(ProcessRole.LINKER, lab.paths)
    keep_scratch_in(lab.paths.linker)
    with progress() as show:
        if isinstance(queue, Queue):
            share = session.TWICE if twice is None else twice
            opened = session.open_review(lab, queue, product=product, twice=share, progress=show)
        else:
            entries = submitted_entries(lab, queue, show)
            opened = session.open_entries(lab, entries, twice=1.0 if twice is None else twice, progress=show)
        said = queue.value if isinstance(queue, Queue) else "entries"
        about = {"spine": opened.spine.version, "product": opened.product, "queue": said}
        log.append(lab.paths, "clerical review", about)
        desk = Desk(opened, reviewer.strip(), limit=limit)
    try:
        work(desk, plain=plain)
    finally:
        left = session.progress_of(opened, desk.reviewer).open
        say(f"Answers of this sitting that are kept: {desk.done:,}. Pairs still open to {desk.reviewer}: {left:,}.")


def _say_simulated(result: dict[str, Any]) -> None:
    for each in result["simulated"]:
        say(f"  {each['reviewer']}: {each['answers']:,} answers, {each['wrong']:,} of them wrong.")
    found = result["agreement"]
    if found["kappa"]["estimate"] is not None:
        kappa = found["kappa"]
        interval = f"{kappa['low']:.3f} to {kappa['high']:.3f}"
        said = f"{found['agreed']:.1%} agree, kappa {kappa['estimate']:.3f} (95% interval {interval})"
        say(f"Of {found['pairs']:,} pairs that two looked at, {said}.")
    say(f"Labels: {result['labels']:,}. Overrides in force: {result['overrides']:,}.")
