"""`evaluate LAB FILE --plan PLAN`: the parent's part. It may encrypt the file and may read results; it holds no key.

file → encrypted submission → linker child → encrypted handover → analyst child → report
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from counterfoil import __version__
from counterfoil.cohort.register import RegisterPaths
from counterfoil.cohort.shares import share_columns
from counterfoil.cohort.suitability import check_suitable
from counterfoil.domains.shares import load_shares
from counterfoil.errors import FileNotTaken, Refused, UsageError
from counterfoil.lab import log
from counterfoil.lab.alone import alone
from counterfoil.lab.files import atomic_write, write_json
from counterfoil.lab.keys import Role, encrypt
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.lab.paths import LINK_QUALITY, PDF, REPORT, RESULT
from counterfoil.lab.progress import Progress, silent
from counterfoil.linkage.overrides import ENTRIES_RULED
from counterfoil.provenance import key_of, sha256_of_bytes, sha256_of_file
from counterfoil.report.about import ProviderWords
from counterfoil.report.signed import check_signed
from counterfoil.report.words import file_in
from counterfoil.study.comparison_plan import RISK_SCORE
from counterfoil.study.deciding import decided, held_for
from counterfoil.study.handover import HANDOVER
from counterfoil.study.ledger import beside, in_flight, is_current
from counterfoil.study.origin import is_outdated
from counterfoil.study.outcomes import check_gateways, find_unmeasurable
from counterfoil.study.plan import Plan, read_plan, unknown_covariates
from counterfoil.study.provider_words import hash_of, read_words, to_json
from counterfoil.study.requests import is_withdrawn, list_of, note_request, reports_withdrawn, request_of
from counterfoil.study.starting import EvaluationRoles
from counterfoil.study.sub_plan import UPLOADED, YEAR, find_unknown, uploaded_columns

MAX_BYTES = 20_000_000  # DISCLOSURE A6
WAITING = "Waiting for the same evaluation, which another command is at work on"
BESIDE = "beside.json"  # of a run: the reports of the ledger that its atoms are by
KEEP_SUBMISSION_DAYS = 365  # EVALUATION A2: destroyed after analysis unless agreed otherwise


@dataclass(frozen=True, slots=True)
class _Request:
    lab: OpenLab
    plan: Plan
    digest: str  # SHA-256 of the file
    run: str
    pdf: bool
    words: ProviderWords

    @property
    def submission(self) -> str:
        """ID of the encrypted file."""
        return self.digest[:16]

    def others(self) -> tuple[str, ...]:
        """Runs whose people are compared with this one's: of the ledger, and before the checkers (R18)."""
        return (*beside(self.lab, self.run), *in_flight(self.lab, self.run))

    def inside(self) -> dict[str, str]:
        """What the manifest says of what was asked; a list's hash is for nobody outside the lab."""
        spine = self.lab.paths.latest_spine()
        return {"file": self.digest, "spine": spine.name if spine else ""}


def evaluate_lab(
    root: Path,
    file: Path,
    plan_path: Path,
    *,
    pdf: bool = False,
    words_file: Path | None = None,
    roles: EvaluationRoles | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Evaluate the people in `file` and give the JSON of `evaluate` (DESIGN 4). A finished run is not run again.

    Of the same list with the same plan one is evaluated at a time: keys that one gave its people are not those that
    another's analyst works with.
    `roles`: those of the lab, where they were started before; they are ended here if they are asked.
    Errors: UsageError (no lab, no file, mistakes in the plan, a lab that is not linked yet), FileNotTaken (the file
    cannot be taken), Refused (the lab asks for a language that no translator has signed). A refusal of the request by a
    rule is a result.
    """
    lab = open_lab(root)
    for language in lab.settings.languages:
        check_signed(language, lab.paths.translation(language))
    said = ProviderWords() if words_file is None else read_words(words_file)
    if not file.is_file():
        raise UsageError("There is no file with that name. Give the path of the provider's file.")
    plan = _checked_plan(lab, plan_path)
    data = _read(file)
    digest = sha256_of_bytes(data)
    request = _Request(lab, plan, digest, _run_id(lab, plan, digest), pdf, said)
    key = request_of(plan, digest)
    if is_withdrawn(log.read(lab.paths), key):
        raise UsageError(
            "This request, the same list with the same plan, was withdrawn, and the lab's log says so. To ask again, "
            "say in the plan what is different now: that is a new request, and is counted as one."
        )
    if request.run in reports_withdrawn(log.read(lab.paths)):
        raise UsageError(
            "The report of this very run was withdrawn in clearance, and the lab's log says so. To ask again, say in "
            "the plan what is different now: that is a new request, and is counted as one."
        )
    with alone(lab.paths.run(request.run), waiting=WAITING, progress=progress):
        finished = finished_result(lab.paths.run(request.run), pdf=pdf, languages=lab.settings.languages, words=said)
        if finished is not None and is_current(lab, request.run) and _is_judged(request) and not _goes_on(request):
            return finished
        unsuitable = _why_unsuitable(request)
        if unsuitable is not None:
            note_request(lab, plan, digest, request.run)
            from counterfoil.study.refusal import refused_before_linking  # stands on all that makes a report

            result = refused_before_linking(
                lab, plan, request.run, unsuitable, request.inside(), pdf=pdf, words=request.words
            )
        else:
            _submit(request, data, file.suffix.lower())
            result = _link_and_analyse(request, roles, progress)
        done = {"request": key, "run": request.run, "plan": plan.sha256(), "list": list_of(digest)}
        log.append(lab.paths, log.EVALUATED, done)
    return result


def _goes_on(request: _Request) -> bool:
    """Whether the run was held for reports of nearly the same people (R18), and nothing holds it any more: each was
    decided about, or is gone."""
    held = held_for(request.lab.paths, request.run)
    there = [run for run in request.others() if run in held]
    return bool(held) and not set(there) - set(decided(request.lab, request.run, there))


def _why_unsuitable(request: _Request) -> Refused | None:
    """The refusal of a service that the method cannot answer for, or of measures from a share that may not be read.

    UsageError when the plan gives no known reason.
    """
    try:
        check_suitable(request.plan.service.unsuitable, request.lab.settings.domain)
        check_gateways(request.lab, request.plan)
    except Refused as refusal:
        return refusal
    return None


def _checked_plan(lab: OpenLab, plan_path: Path) -> Plan:
    plan = read_plan(plan_path, for_table=False)
    problems = find_unmeasurable(lab, plan)
    for what, made, verb in (
        ("linked", lab.paths.latest_spine, "link"),
        ("registered", lab.paths.latest_register, "register"),
    ):
        if made() is None:
            problems.append(f"Nothing is {what} in this lab yet. Run counterfoil {verb} {lab.paths.root} first.")
    shares = _shares(lab, plan, problems)
    if register := lab.paths.latest_register():
        names = set(pq.read_schema(RegisterPaths(register).covariates).names) - {"index_event_id"}
        problems += unknown_covariates(plan, {*names, *shares, RISK_SCORE})
        problems += find_unknown(plan.sub_analyses, {*names, *shares, RISK_SCORE, YEAR, *UPLOADED})
    if is_outdated(lab.paths):
        problems.append(f"The register is of an older spine. Run counterfoil register {lab.paths.root} first.")
    if problems:
        raise UsageError(*problems)
    return plan


def _shares(lab: OpenLab, plan: Plan, problems: list[str]) -> list[str]:
    """The covariates of the plan's shares; a sentence for each share that is unknown or not linked."""
    known = load_shares(lab.settings.domain)
    found: list[str] = []
    for name in plan.comparison.shares:
        if name not in known:
            problems.append(f"`shares` names `{name}`. The shares of this lab are: {', '.join(known)}.")
        elif lab.paths.latest_share_keys(name) is None:
            problems.append(
                f"The share {name} is not linked. Run counterfoil link {lab.paths.root} --share {name} first."
            )
        else:
            found += share_columns(name, lab.settings.domain)
    return found


def _read(file: Path) -> bytes:
    if file.stat().st_size > MAX_BYTES:
        raise FileNotTaken("The file is over 20 MB. A list of people is far smaller: remove sheets and pictures.")
    return file.read_bytes()


def _submit(request: _Request, data: bytes, suffix: str) -> None:
    """Encrypt the file to the linker. What is kept in clear is its hash, its kind and when it must be destroyed."""
    lab = request.lab
    folder = lab.paths.submission(request.submission)
    if (folder / "about.json").is_file():
        return
    destroy = lab.settings.date() + dt.timedelta(days=KEEP_SUBMISSION_DAYS)
    atomic_write(folder / "file.age", encrypt(lab.paths, data, to=Role.LINKER))
    about = {"sha256": request.digest, "suffix": suffix, "destroy_after": destroy.isoformat()}
    write_json(folder / "about.json", about)


def _run_id(lab: OpenLab, plan: Plan, digest: str) -> str:
    spine, register = lab.paths.latest_spine(), lab.paths.latest_register()
    shares = {name: keys.stem for name in plan.comparison.shares if (keys := lab.paths.latest_share_keys(name))}
    ruled = [event["facts"]["head"] for event in log.read(lab.paths) if event["event"] == ENTRIES_RULED]
    return key_of(
        **({"ruled": ruled[-1]} if ruled else {}),
        **({"shares": shares} if shares else {}),
        plan=plan.sha256(),
        file=digest,
        spine=spine.name if spine else None,
        register=register.name if register else None,
        # who may clear a report, its languages, and where it is published decide none of its numbers
        settings=lab.settings.model_dump(mode="json", exclude={"people", "clearance", "languages", "publication"}),
        version=__version__,
    )[:12]


def finished_result(
    folder: Path, *, pdf: bool = False, languages: tuple[str, ...] = ("en",), words: ProviderWords | None = None
) -> dict[str, Any] | None:
    """The result of a run that is finished and whose report has not been changed since, else None.

    `pdf`: a run without its copy as PDF is not finished; nor is one without a page in one of `languages`, or that was
    printed with other `words` of the organisation (None: whatever it said).
    """
    try:
        kept: dict[str, Any] = json.loads((folder / RESULT).read_bytes())
        reports = kept["files"]
        unchanged = all(sha256_of_file(folder / name) == digest for name, digest in reports.items())
    except (FileNotFoundError, json.JSONDecodeError, KeyError):
        return None
    wanted = (REPORT, PDF) if pdf else (REPORT,)
    is_whole = unchanged and all(file_in(name, language) in reports for name in wanted for language in languages)
    is_whole &= words is None or kept.get("words", "") == hash_of(words)
    return {**kept["result"], "report": str(folder / REPORT)} if is_whole else None


def _is_linked_beside(folder: Path, published: Sequence[str]) -> bool:
    """Whether the list was linked, and its atoms are by all that is in the ledger now."""
    try:
        beside = json.loads((folder / BESIDE).read_bytes())["published"]
    except (FileNotFoundError, ValueError, KeyError):
        return False
    return (folder / HANDOVER).is_file() and list(beside) == list(published)


def _is_judged(request: _Request) -> bool:
    """Whether the linker has done what it does after its handover; nothing of it is asked where no list is kept."""
    folder = request.lab.paths.submission(request.submission)
    return (folder / LINK_QUALITY).is_file() or not (folder / "file.age").is_file()


def _link_and_analyse(request: _Request, roles: EvaluationRoles | None, progress: Progress) -> dict[str, Any]:
    """The analyst gets ready while the linker works; the linker looks at its links' quality while the analyst works."""
    paths = request.lab.paths
    asked = {"lab": str(paths.root), "run": request.run}
    published = list(beside(request.lab, request.run))
    with EvaluationRoles(paths.root) if roles is None else roles as children:
        children.analyst.get_ready({"plan": _given(request.plan)})
        if not (_is_linked_beside(paths.run(request.run), published) and _is_judged(request)):
            columns = uploaded_columns(request.plan.sub_analyses)
            sent: dict[str, Any] = {**asked, "submission": request.submission, "columns": columns}
            children.linker({**sent, "published": published}, progress)
            write_json(paths.run(request.run) / BESIDE, {"published": published})
        return children.analyst(_analysis_of(request, asked) | {"published": published, **_nearly(request)}, progress)


def _nearly(request: _Request) -> dict[str, Any]:
    """What R18 compares with, beside what is published; and what was decided about."""
    lab, run = request.lab, request.run
    return {"in_flight": list(in_flight(lab, run)), "decided": list(decided(lab, run, request.others()))}


def _given(plan: Plan) -> dict[str, Any]:
    """What the plan says; a default written out would count as chosen."""
    return plan.model_dump(mode="json", exclude_unset=True)


def _analysis_of(request: _Request, asked: Mapping[str, str]) -> dict[str, Any]:
    """What the analyst is asked. The request is noted in the log.

    A file that cannot be taken is no request. One whose people are known is, whether or not it gets an answer.
    """
    before = note_request(request.lab, request.plan, request.digest, request.run)
    given: dict[str, Any] = {**asked, "plan": _given(request.plan), "inputs": request.inside(), "asked": asdict(before)}
    given["pdf"] = request.pdf
    given["words"] = to_json(request.words)
    return given
