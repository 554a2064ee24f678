"""The bytes that a report would publish: all files of its run that `evaluate` named, and one hash of them all."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from counterfoil.errors import Refused, UsageError
from counterfoil.lab.paths import RESULT, LabPaths
from counterfoil.provenance import canonical_json, sha256_of_bytes

ABSENT = "absent"
_RUN = re.compile(r"[0-9a-f]{12}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


@dataclass(frozen=True, slots=True)
class Release:
    """What would be published, in memory: the bytes here are those that were hashed. `date` once it is scheduled."""

    run: str
    digest: str  # SHA-256 over the run and the name and SHA-256 of each file
    hashes: Mapping[str, str]  # file -> SHA-256, or "absent"
    files: Mapping[str, bytes] = field(repr=False, compare=False)
    date: str = ""


def read_release(paths: LabPaths, run: str) -> Release:
    """The files of a finished run as they are now. UsageError when there is no such run."""
    names = _named(paths, run)
    files = {name: data for name in names if (data := _read(paths.run(run), name)) is not None}
    hashes = {name: sha256_of_bytes(files[name]) if name in files else ABSENT for name in sorted(names)}
    return Release(run, digest_of(run, hashes), hashes, files)


def release_of(run: str, files: Mapping[str, bytes]) -> Release:
    """The release that these files are, all of them present."""
    hashes = {name: sha256_of_bytes(files[name]) for name in sorted(files)}
    return Release(run, digest_of(run, hashes), hashes, files)


def digest_of(run: str, hashes: Mapping[str, str]) -> str:
    """The one hash of all files of a run: name -> SHA-256."""
    return sha256_of_bytes(canonical_json({"run": run, "files": dict(sorted(hashes.items()))}))


def check_made(paths: LabPaths, release: Release) -> None:
    """Refused unless every byte is as `evaluate` wrote it."""
    if dict(_named(paths, release.run)) != dict(release.hashes):
        raise Refused(
            "The files of this run are not as evaluate wrote them. Run the same evaluate command again; it writes them "
            "anew. A report is never changed by hand.",
            rule="R29",
        )


def runs_of(paths: LabPaths) -> tuple[str, ...]:
    """Every finished run."""
    return tuple(sorted(file.parent.name for file in (paths.analyst / "runs").glob(f"*/{RESULT}")))


def _named(paths: LabPaths, run: str) -> Mapping[str, str]:
    if not _RUN.fullmatch(run):
        raise UsageError("A run is named by 12 characters, as evaluate printed it. Give one that clear LAB list shows.")
    try:
        named = json.loads((paths.run(run) / RESULT).read_bytes())["files"]
    except FileNotFoundError as error:
        raise UsageError(
            "There is no finished run of that name. counterfoil clear LAB list shows those there are."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise Refused("The result of this run is damaged. Run the same evaluate command again.", rule="R29") from error
    if not all(_NAME.fullmatch(name) for name in named):
        raise Refused(
            "The result of this run names a file outside it. Run the same evaluate command again.", rule="R29"
        )
    return dict(named)


def _read(folder: Path, name: str) -> bytes | None:
    """A file's bytes; None when it is missing, or leads out of the run's folder."""
    path = folder / name
    if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
        return None
    return path.read_bytes()
