"""Kept models: trained once for a slice, used until they no longer fit or a new one is asked for (METHODS 1).

How common values were is frozen with them, so that a pair of unchanged records weighs the same in every run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from counterfoil.errors import Fault
from counterfoil.lab.files import atomic_folder, write_json
from counterfoil.lab.make import OpenLab
from counterfoil.lab.versions import next_version
from counterfoil.linkage.model import Bound, Model, Trained, load_model, save_model
from counterfoil.linkage.specification import Slice, Specification
from counterfoil.provenance import key_of, sha256_of_file

TRAINING = "training.json"


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A model in use: `version` is its folder's name, `key` is of its parameters and frequencies.

    `why_new` says why it was trained in this run; empty when it was kept from an earlier one.
    """

    slice: str
    version: str
    key: str
    model: Model
    about: Mapping[str, Any]
    why_new: str

    @property
    def trained(self) -> Trained:
        """As training left it."""
        bounds = tuple(Bound(**bound) for bound in self.about["bounds"])
        return Trained(self.model, bounds, tuple(self.about["sessions"]), self.about.get("notes", {}))

    def line(self) -> str:
        """Which model, since when, as a sentence."""
        about = f"The {self.slice} model is {self.version}, trained on {self.about['trained']}"
        return f"{about}: {self.why_new}." if self.why_new else f"{about} and kept."


def kept_model(
    lab: OpenLab,
    part: Slice,
    specification: Specification,
    sources: Sequence[str],
    *,
    retrain: bool,
    train: Callable[[], Trained],
) -> KeptModel:
    """The newest model of a slice, or a new one: when asked for, or when the kept one does not fit (and it says why).

    `sources` are those that it will be used on. Its blocking rules are always those of the specification.
    """
    folder = lab.paths.latest_model(part.name)
    about = None if folder is None else _read(folder)
    why = _why_new(about, specification, sources, retrain)
    if why:
        folder = _keep(lab, part, specification, sources, train())
        about = _read(folder)
    if folder is None or about is None:
        raise Fault(f"The {part.name} model was not kept. Run `counterfoil link` again.")
    model = with_rules(load_model(folder), specification)
    return KeptModel(part.name, folder.name, about["key"], model, about, why)


def with_rules(model: Model, specification: Specification) -> Model:
    """The model with the specification's blocking rules."""
    rules = [rule.sql for rule in specification.rules]
    return replace(model, settings={**model.settings, "blocking_rules_to_generate_predictions": rules})


def _why_new(
    about: Mapping[str, Any] | None, specification: Specification, sources: Sequence[str], retrain: bool
) -> str:
    if about is None:
        return "the first of this lab"
    if retrain:
        return "asked for"
    if about["specification"] != specification.model_key:
        return "the rules of linking have changed since the one before"
    unseen = sorted(set(sources) - set(about["sources"]))
    return f"the one before never saw {', '.join(unseen)}" if unseen else ""


def _keep(lab: OpenLab, part: Slice, specification: Specification, sources: Sequence[str], trained: Trained) -> Path:
    version = next_version(lab.paths.models(part.name), lab.settings.date(), trained.model.key)
    target = lab.paths.models(part.name) / version
    with atomic_folder(target) as folder:
        save_model(trained.model, folder)
        columns = sorted(trained.model.frequencies)
        hashes = {column: sha256_of_file(folder / "frequencies" / f"{column}.parquet") for column in columns}
        about = {
            "key": key_of(model=trained.model.settings, frequencies=hashes),
            "trained": lab.settings.date().isoformat(),
            "specification": specification.model_key,
            "sources": sorted(sources),
            "bounds": [asdict(bound) for bound in trained.bounds],
            "sessions": [dict(session) for session in trained.sessions],
            "notes": dict(trained.notes),
        }
        write_json(folder / TRAINING, about)
    return target


def _read(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / TRAINING).read_bytes())
    except (OSError, ValueError) as error:
        raise Fault(
            f"The kept model {folder.name} is damaged: {TRAINING} cannot be read. Restore it from a backup, or remove "
            f"{folder} and run `counterfoil link` again."
        ) from error
    return found
