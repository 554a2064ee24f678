"""What a stage of linking leaves: a folder `linker/links/STAGE/KEY`, whole or not there, named by all it depends on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterfoil.errors import Fault
from counterfoil.lab.files import atomic_folder, write_json
from counterfoil.lab.paths import LabPaths

ABOUT = "about.json"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of one run. `key` is of everything that decides what it makes."""

    name: str
    key: str

    def folder(self, paths: LabPaths) -> Path:
        """Where it lies."""
        return paths.linking_stage(self.name) / self.key

    def is_made(self, paths: LabPaths) -> bool:
        """Whether it is there."""
        return (self.folder(paths) / ABOUT).is_file()

    def about(self, paths: LabPaths) -> dict[str, Any]:
        """Its counts, and the parts of its key."""
        file = self.folder(paths) / ABOUT
        try:
            found: dict[str, Any] = json.loads(file.read_bytes())
        except (OSError, ValueError) as error:
            raise Fault(
                f"What the linking stage {self.name} left cannot be read. Remove {file.parent} and run "
                "`counterfoil link` again; nothing else is lost."
            ) from error
        return found


def make_stage(stage: Stage, paths: LabPaths, make: Callable[[Path], Mapping[str, Any]], *, anew: bool = False) -> bool:
    """Run a stage unless it is there; gives whether it ran. `make` fills a folder and says what is worth keeping."""
    if stage.is_made(paths) and not anew:
        return False
    with atomic_folder(stage.folder(paths)) as folder:
        write_json(folder / ABOUT, {"stage": stage.name, "key": stage.key, **make(folder)})
    return True


def remove_old_stages(paths: LabPaths, kept: Iterable[Stage]) -> None:
    """Remove what no kept spine was made from. It can be made again from the extracts and the model."""
    wanted = {(stage.name, stage.key) for stage in kept}
    root = paths.linking_stage("any").parent
    for folder in sorted(root.glob("*/*")) if root.is_dir() else ():
        if (folder.parent.name, folder.name) not in wanted and not folder.name.startswith("."):
            shutil.rmtree(folder)
