"""A protected result as the files of a run: the report, the result, the manifest. Inside the lab until cleared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from counterfoil import __version__
from counterfoil.disclosure import Protected, ProtectedRefusal
from counterfoil.lab.files import atomic_write, write_json
from counterfoil.lab.paths import REPORT, RESULT
from counterfoil.provenance import sha256_of_bytes, sha256_of_file
from counterfoil.report import PRINTINGS, About, render, to_json
from counterfoil.study.asked import asked_of
from counterfoil.study.audit import Checked, keep_audit
from counterfoil.study.inputs import Inputs
from counterfoil.study.method_words import method_facts
from counterfoil.study.provider_words import hash_of
from counterfoil.study.risk_score import PICTURE, calibration_picture

SENSITIVITY = "sensitivity.json"  # exact; inside the lab


def publish_inside(
    inputs: Inputs,
    result: Protected | ProtectedRefusal,
    checked: Checked | None = None,
    held: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Write the report's files, the result and the manifest into the run's folder. Inside the lab until cleared.

    `held`: runs that a person must decide about first (R18).
    """
    rendered = render(result, _about(inputs), pdf=inputs.pdf)
    report = inputs.folder / REPORT
    answer = to_json(result, run=inputs.run, report_path=str(report))
    for earlier in PRINTINGS - rendered.files.keys():  # with a PDF, or in a language, that this printing has not
        (inputs.folder / earlier).unlink(missing_ok=True)
    for name, data in rendered.files.items():
        atomic_write(inputs.folder / name, data)
    if inputs.score is not None:
        atomic_write(inputs.folder / PICTURE, calibration_picture(inputs.score))
    hashes = {name: sha256_of_bytes(data) for name, data in rendered.files.items()}
    inside = inputs.folder / SENSITIVITY
    kept = {SENSITIVITY: sha256_of_file(inside)} if inside.is_file() else {}
    write_json(inputs.folder / "manifest.json", _manifest(inputs, {**hashes, **kept}))
    why = result.reason if isinstance(result, ProtectedRefusal) else ""
    keep_audit(inputs.folder, inputs.run, hashes, checked, inputs.behind, why, held)
    write_json(inputs.folder / RESULT, {"result": answer, "files": hashes, "words": hash_of(inputs.words)})
    return answer


def _manifest(inputs: Inputs, outputs: Mapping[str, str]) -> dict[str, Any]:
    return {
        "run": inputs.run,
        "version": __version__,
        "plan": {"sha256": inputs.plan.sha256(), "values": inputs.plan.model_dump(mode="json")},
        "seed": inputs.plan.seed,
        "inputs": {**inputs.inputs, **inputs.inside},
        "outputs": dict(outputs),
        **({"risk_score": inputs.score.facts()} if inputs.score else {}),
    }


def _about(inputs: Inputs) -> About:
    plan, facts = inputs.plan, inputs.facts
    frozen = inputs.folder / "frozen.json"
    design = str(json.loads(frozen.read_bytes())["design"]) if frozen.is_file() else "not made"
    return About(
        title=plan.title,
        provider=plan.provider,
        description=plan.description,
        run=inputs.run,
        today=facts.today,
        plan_hash=plan.sha256(),
        design_hash=design,
        versions=versions(),
        seeds=(plan.seed,),
        inputs=tuple(sorted(inputs.inputs.items())),
        method=method_facts(inputs),
        asked=asked_of(plan.model_dump(mode="json")),
        data_window=facts.data_window,
        lab=facts.lab,
        words=inputs.words,
        languages=inputs.languages,
    )


def versions() -> tuple[tuple[str, str], ...]:
    """The program and the libraries that its numbers pass through."""
    libraries = ("duckdb", "numpy", "scipy", "splink")
    return (("counterfoil", __version__), *((name, metadata.version(name)) for name in libraries))
