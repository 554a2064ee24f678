"""`evaluate LAB FILE --plan PLAN`: the parent's part. It may encrypt the file and may read results; it holds no key.

file → encrypted submission → linker child → encrypted handover → analyst child → report
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterfoil import __version__
from counterfoil.cohort.suitability import check_suitable
from counterfoil.domains import load
from counterfoil.errors import FileNotTaken, Refused, UsageError
from counterfoil.lab import log
from counterfoil.lab.files import atomic_write, write_json
from counterfoil.lab.keys import Role, encrypt
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.lab.paths import LabPaths
from counterfoil.lab.progress import Progress, silent
from counterfoil.provenance import key_of, sha256_of_bytes, sha256_of_file
from counterfoil.study.plan import Plan, read_plan
from counterfoil.study.refusal import refused_before_linking
from counterfoil.study.roles import ProcessRole, run_role

MAX_BYTES = 20_000_000  # DISCLOSURE A6
KEEP_SUBMISSION_DAYS = 365  # EVALUATION A2: destroyed after analysis unless agreed otherwise
RESULT = "result.json"


@dataclass(frozen=True, slots=True)
class _Request:
    lab: OpenLab
    plan: Plan
    submission: str  # ID of the encrypted file
    run: str


def evaluate_lab(root: Path, file: Path, plan_path: Path, *, progress: Progress = silent) -> dict[str, Any]:
    """Evaluate the people in `file` and give the JSON of `evaluate` (DESIGN 4). A finished run is not run again.

    Errors: UsageError (no lab, no file, mistakes in the plan, a lab that is not linked yet), FileNotTaken (the file
    cannot be taken). A refusal by a rule is a result.
    """
    lab = open_lab(root)
    if not file.is_file():
        raise UsageError(f"There is no file {file}. Give the path of the provider's file.")
    plan = _checked_plan(lab, plan_path)
    request = _submit(lab, plan, file)
    folder = lab.paths.run(request.run)
    finished = finished_result(folder)
    if finished is not None:
        return finished
    try:
        check_suitable(plan.service.unsuitable, lab.settings.domain)
    except Refused as refusal:
        return refused_before_linking(request.lab, plan, request.run, refusal)
    _link(request, file.name, progress)
    arguments = {"lab": str(root), "run": request.run, "plan": plan.model_dump(mode="json")}
    result = run_role(ProcessRole.ANALYST, "evaluate", arguments, progress)
    log.append(lab.paths, "evaluated", {"run": request.run, "plan": plan.sha256()})
    return result


def _checked_plan(lab: OpenLab, plan_path: Path) -> Plan:
    plan = read_plan(plan_path, for_table=False)
    known = {str(measure["name"]) for measure in load(lab.settings.domain).measures}
    problems = [
        f"`outcomes.measures` names `{name}`, which this lab does not measure. It measures: {', '.join(sorted(known))}."
        for name in plan.outcomes.measures
        if name not in known
    ]
    for what, made, verb in (
        ("linked", lab.paths.latest_spine, "link"),
        ("registered", lab.paths.latest_register, "register"),
    ):
        if made() is None:
            problems.append(f"Nothing is {what} in this lab yet. Run counterfoil {verb} {lab.paths.root} first.")
    if problems:
        raise UsageError(*problems)
    return plan


def _submit(lab: OpenLab, plan: Plan, file: Path) -> _Request:
    """Encrypt the file to the linker. What is kept in clear is its hash, its kind and when it must be destroyed."""
    if file.stat().st_size > MAX_BYTES:
        raise FileNotTaken(f"{file.name} is over 20 MB. A list of people is far smaller: remove sheets and pictures.")
    data = file.read_bytes()
    digest = sha256_of_bytes(data)
    submission, folder = digest[:16], lab.paths.submission(digest[:16])
    if not (folder / "about.json").is_file():
        destroy = lab.settings.date() + dt.timedelta(days=KEEP_SUBMISSION_DAYS)
        atomic_write(folder / "file.age", encrypt(lab.paths, data, to=Role.LINKER))
        about = {"sha256": digest, "suffix": file.suffix.lower(), "destroy_after": destroy.isoformat()}
        write_json(folder / "about.json", about)
    return _Request(lab, plan, submission, _run_id(lab, plan, digest))


def _run_id(lab: OpenLab, plan: Plan, digest: str) -> str:
    spine, register = lab.paths.latest_spine(), lab.paths.latest_register()
    return key_of(
        plan=plan.sha256(),
        file=digest,
        spine=spine.name if spine else None,
        register=register.name if register else None,
        settings=lab.settings.model_dump(mode="json"),
        version=__version__,
    )[:12]


def finished_result(folder: Path) -> dict[str, Any] | None:
    """The result of a run that is finished and whose report has not been changed since, else None."""
    try:
        kept: dict[str, Any] = json.loads((folder / RESULT).read_bytes())
        reports = kept["files"]
        unchanged = all(sha256_of_file(folder / name) == digest for name, digest in reports.items())
    except (FileNotFoundError, json.JSONDecodeError, KeyError):
        return None
    return dict(kept["result"]) if unchanged else None


def _link(request: _Request, name: str, progress: Progress) -> None:
    paths: LabPaths = request.lab.paths
    if (paths.run(request.run) / "handover.age").is_file():
        return
    arguments = {
        "lab": str(paths.root),
        "run": request.run,
        "submission": request.submission,
        "name": name,
    }
    run_role(ProcessRole.LINKER, "link_cohort", arguments, progress)
