"""`pool LAB RUN...`: several runs' released results together. Reads what disclosure has let out of each, never raw.

result.json and report.json of each run → checks → the analyst says whether anybody is in two → protect_pool → report
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterfoil import __version__
from counterfoil.clearance import State, read_record
from counterfoil.disclosure import Measure, Released, decimals_released, protect_pool
from counterfoil.errors import Fault, Refused, UsageError
from counterfoil.lab import log
from counterfoil.lab.files import atomic_write
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.lab.paths import LabPaths
from counterfoil.lab.progress import Progress, silent
from counterfoil.outcomes.catalogue import catalogue_of
from counterfoil.provenance import key_of
from counterfoil.report import POOL, POOL_PRINTINGS, SEVERAL, About, Beside, pool_json, render_pool
from counterfoil.report.signed import check_signed
from counterfoil.study.asked import asked_of
from counterfoil.study.evaluate import finished_result
from counterfoil.study.printing import versions
from counterfoil.study.roles import ProcessRole, run_role

RULE = "pooling"
FEWEST = 2
_TIMELESS = 9999  # a cohort of every year stands after those with years


@dataclass(frozen=True, slots=True)
class _Run:
    """A finished run: what its report says, and the plan it was made by (as its manifest keeps it)."""

    name: str
    result: dict[str, Any]  # the JSON of `evaluate`
    about: dict[str, Any]
    plan: dict[str, Any]

    def measures(self) -> dict[str, dict[str, Any]]:
        """Its released measures by name."""
        return {m["measure"]: m for m in self.result.get("measures", [])}

    def years(self) -> tuple[int | None, int | None]:
        """The first and the last calendar year of its index events, where the plan names them."""
        return self.plan["cohort"]["first_year"], self.plan["cohort"]["last_year"]

    def place(self) -> tuple[object, ...]:
        """Where it stands: by its years, then by the date of its report; never by its result."""
        first, last = self.years()
        return (first or last or _TIMELESS, last or _TIMELESS, self.about["date"], self.name)


def pool_runs(
    root: Path,
    runs: Sequence[str],
    *,
    measure: str | None = None,
    title: str | None = None,
    pdf: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Pool finished runs of the lab at `root` on one measure and give the JSON of `pool`.

    `measure`: by default the first that the first run has. `title`: by default the service's, where it is one.
    UsageError: fewer than two runs, one named twice, one that is not there. Refused: rule `pooling` where the runs do
    not measure the same thing or one has nothing released; rule `R18` where somebody is in two of them; rule
    `language` where the lab asks for a language with a draft in it.
    """
    lab = open_lab(root)
    for language in lab.settings.languages:
        check_signed(language, lab.paths.translation(language))
    found = sorted(_runs(lab, runs), key=_Run.place)
    chosen = measure or _first_measure(found)
    released = _released(lab, found, chosen)
    answer = run_role(
        ProcessRole.ANALYST, "share_people", {"lab": str(root), "runs": [r.name for r in found]}, progress
    )
    if run := answer["unknown"]:
        raise Fault(f"The people of run {run} are not known any more, so it cannot be pooled. Evaluate it again.")
    if answer["shared"]:
        raise Refused(
            "Somebody is in more than one of these runs, so they are not separate results. Pool runs that share "
            "nobody, or evaluate all the people as one cohort, in which each counts once.",
            rule="R18",
        )
    progress("Putting the results together", 0.6)
    return _write(lab, found, released, _measure(lab, chosen, _months(found)), title, pdf=pdf)


def _runs(lab: OpenLab, names: Sequence[str]) -> list[_Run]:
    problems = [f"Run {name} is named twice; name each once." for name in sorted(set(names)) if names.count(name) > 1]
    if len(set(names)) < FEWEST:
        problems.append("There is nothing to pool: name at least two finished runs of this lab.")
    found = []
    for name in dict.fromkeys(names):
        run = read_run(lab.paths, name)
        if run is None:
            problems.append(f"This lab has no finished run {name}. `counterfoil evaluate` prints a run's name.")
        else:
            found.append(run)
    if problems:
        raise UsageError(*problems)
    return found


def read_run(paths: LabPaths, name: str) -> _Run | None:
    """A finished run whose report has not been changed since, else None."""
    folder = paths.run(name)
    if not name.isalnum() or not folder.is_dir():
        return None
    result = finished_result(folder)
    if result is None:
        return None
    about = json.loads((folder / "report.json").read_bytes())["about"]
    return _Run(name, result, about, json.loads((folder / "manifest.json").read_bytes())["plan"]["values"])


def _first_measure(runs: Sequence[_Run]) -> str:
    for run in runs:
        if run.measures():
            return next(iter(run.measures()))
    raise Refused("None of these runs has a result: all were refused. There is nothing to pool.", rule=RULE)


def _released(lab: OpenLab, runs: Sequence[_Run], name: str) -> list[Released]:
    """What each run released on the measure; every reason why it cannot be pooled at once."""
    measure = _measure(lab, name, _months(runs))
    problems = [reason for run in runs if (reason := _why_not(run, name))]
    if not problems and len({asked_of(run.plan) for run in runs}) > 1:
        problems.append(
            "These runs do not measure the same thing: follow-up, waiting period, where follow-up starts, kinds of "
            "index event and design must be the same in every plan. Pool those that agree."
        )
    if problems:
        raise Refused(" ".join(problems), rule=RULE)
    return [_release(run, measure) for run in runs]


def _why_not(run: _Run, name: str) -> str:
    if "refused" in run.result:
        return f"Run {run.name} was refused ({run.result['refused']['rule']}) and has no result; leave it out."
    found = run.measures().get(name)
    if found is None:
        return f"Run {run.name} does not measure {name}; it measures {', '.join(run.measures())}."
    if any(found[part] is None for part in ("difference", "low", "high")):
        why = found["hidden"] or "no interval"
        return f"Run {run.name} shows no {name} ({why}), so it cannot be weighed; leave it out."
    if not found["low"] < found["high"]:
        return f"The range of {name} in run {run.name} was rounded to nothing, so it cannot be weighed; leave it out."
    return ""


def _release(run: _Run, measure: Measure) -> Released:
    found = run.measures()[measure.name]
    return Released(
        run=run.name,
        title=run.about["title"],
        years=run.years(),
        date=dt.date.fromisoformat(run.about["date"]),
        reliable=run.result["reliable"],
        difference=found["difference"],
        low=found["low"],
        high=found["high"],
        decimals=decimals_released(found["difference"], measure),
        plan=run.about["plan"],
    )


def _months(runs: Sequence[_Run]) -> int:
    months: int = runs[0].plan["outcomes"]["follow_up_months"]
    return months


def _measure(lab: OpenLab, name: str, follow_up_months: int) -> Measure:
    definitions = catalogue_of(lab.settings.domain).definitions
    if name not in definitions:
        raise UsageError(f"This lab does not measure {name}. It measures: {', '.join(sorted(definitions))}.")
    return definitions[name].labelled(follow_up_months)


def _write(
    lab: OpenLab, runs: Sequence[_Run], released: Sequence[Released], measure: Measure, title: str | None, *, pdf: bool
) -> dict[str, Any]:
    pooled = protect_pool(released, measure)
    titles = list(dict.fromkeys(run.about["title"] for run in runs))
    left_out = _left_out(lab.paths, runs, measure.name)
    called = title or (titles[0] if len(titles) == 1 else SEVERAL)
    digests = [key_of(result=run.result) for run in runs]
    name = key_of(runs=digests, measure=measure.name, title=called, left_out=left_out, version=__version__)[:12]
    about = About(
        title=called,
        provider=", ".join(dict.fromkeys(run.about["provider"] for run in runs)),
        description="",
        run=name,
        today=lab.settings.date(),
        plan_hash="",
        design_hash="",
        versions=versions(),
        lab=lab.settings.name,
        languages=lab.settings.languages,
    )
    folder = lab.paths.pool(name)
    beside = Beside(left_out, all_public=_are_public(lab, [run.name for run in runs]))
    files = render_pool(pooled, about, beside, pdf=pdf).files
    for earlier in POOL_PRINTINGS - files.keys():  # with a PDF, or in a language, that this printing has not
        (folder / earlier).unlink(missing_ok=True)
    for file, data in files.items():
        atomic_write(folder / file, data)
    log.append(lab.paths, "pooled", {"pool": name, "runs": [run.name for run in runs], "measure": measure.name})
    return pool_json(pooled, about, str(folder / POOL), beside)


def _are_public(lab: OpenLab, runs: Sequence[str]) -> bool:
    """Whether each of these reports is public, as it was printed or with a correction since."""
    cases = read_record(lab).cases
    return all(run in cases and cases[run].state in (State.PUBLISHED, State.CORRECTED) for run in runs)


def _left_out(paths: LabPaths, runs: Sequence[_Run], measure: str) -> tuple[str, ...]:
    """Other finished runs of the same services that have this measure: a reader must know that there was a choice."""
    pooled, titles = {run.name for run in runs}, {run.about["title"] for run in runs}
    folders = sorted(folder.name for folder in paths.run("x").parent.iterdir() if folder.name not in pooled)
    others = [run for name in folders if (run := read_run(paths, name)) is not None]
    return tuple(run.name for run in others if run.about["title"] in titles and measure in run.measures())
