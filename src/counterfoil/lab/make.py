"""Make a lab, open a lab."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from pathlib import Path

from counterfoil.errors import UsageError
from counterfoil.lab.files import atomic_folder
from counterfoil.lab.keys import make_keys
from counterfoil.lab.log import append
from counterfoil.lab.paths import LabPaths
from counterfoil.lab.settings import LabSettings, read_settings, write_settings

_PRIVATE_FOLDER = 0o700


@dataclass(frozen=True, slots=True)
class OpenLab:
    """A lab's folders and its checked settings."""

    paths: LabPaths
    settings: LabSettings

    @property
    def truth(self) -> Path | None:
        """The truth folder of a synthetic lab."""
        return None if self.settings.truth is None else self.paths.root / self.settings.truth


def make_lab(root: Path, *, name: str | None = None, today: dt.date | None = None, truth: str | None = None) -> OpenLab:
    """Make a lab at `root`, whole or not at all. UsageError when something is there already.

    `truth`: for a synthetic lab, its population's folder of that name, relative to `root`.
    """
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is a file. Give a folder that does not exist yet, or an empty one.")
    if root.exists() and any(root.iterdir()):
        raise UsageError(f"{root} is not empty. Give a folder that does not exist yet, or an empty one.")
    if root.is_dir():
        root.rmdir()
    with atomic_folder(root) as temporary:
        paths = LabPaths(temporary)
        for folder in (paths.linker, paths.analyst, paths.public / "published"):
            folder.mkdir(parents=True)
        for folder in (temporary, paths.linker, paths.analyst):
            folder.chmod(_PRIVATE_FOLDER)
        write_settings(paths, name=name or root.name, today=today, truth=truth)
        make_keys(paths)
        append(paths, "lab made", {"lab": secrets.token_hex(8)})  # tells its log from that of another
    return open_lab(root)


def open_lab(root: Path) -> OpenLab:
    """Open the lab at `root`. UsageError when it is no lab or its settings hold mistakes."""
    if not root.exists():
        raise UsageError(f"There is no folder {root}. Make a lab with `counterfoil new {root}`.")
    paths = LabPaths(root)
    return OpenLab(paths, read_settings(paths))
