"""Look a lab over and say what is well and what to mend."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from counterfoil.cohort.register import sources_needed
from counterfoil.domains import load
from counterfoil.errors import CounterfoilError, Fault
from counterfoil.lab.files import leftovers
from counterfoil.lab.heads import verify
from counterfoil.lab.keys import Role, decrypt, encrypt
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.lab.paths import LabPaths
from counterfoil.linkage import read_spine
from counterfoil.linkage.kept import FOLDER, check_kept
from counterfoil.records.load import RECEIPT
from counterfoil.records.receipt import read_receipt
from counterfoil.report import why_no_pdf
from counterfoil.study.origin import is_outdated

MIN_FREE_BYTES = 2 << 30  # one link of a million people spills less than this
_PRIVATE_BITS = 0o077
_LEFTOVERS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was looked at. `advice` is empty when it is well."""

    what: str
    well: bool
    advice: str = ""

    def line(self) -> str:
        """As a line of text."""
        return f"{'ok  ' if self.well else 'MEND'}  {self.what}{': ' + self.advice if self.advice else ''}"

    def to_json(self) -> dict[str, object]:
        """As JSON."""
        return {"what": self.what, "well": self.well, "advice": self.advice}


def examine(root: Path) -> list[Checked]:
    """Everything worth knowing before work starts. UsageError when `root` is no lab or its settings hold mistakes."""
    lab = open_lab(root)
    return [
        Checked("settings", True),
        *_keys(lab.paths),
        _log(lab.paths),
        *_privacy(lab.paths),
        *_data(lab),
        *_both_sides(lab),
        _leftovers(root),
        _disk(root),
        _temporary(),
        _pdf(),
    ]


def _pdf() -> Checked:
    """A lab without it is well: only the copy as PDF is not made."""
    missing = why_no_pdf()
    return Checked(f"copies of reports as PDF: {missing or 'they can be made here'}", True)


def _keys(paths: LabPaths) -> Iterator[Checked]:
    for role in Role:
        what = f"{role.value} key"
        try:
            decrypt(paths, encrypt(paths, b"probe", to=role), by=role)
        except CounterfoilError as error:
            yield Checked(what, False, error.problems[0])
        else:
            yield Checked(what, True)


def _log(paths: LabPaths) -> Checked:
    try:
        verify(paths)
    except CounterfoilError as error:
        return Checked("log", False, error.problems[0])
    return Checked("log", True)


def _privacy(paths: LabPaths) -> Iterator[Checked]:
    for folder in (paths.linker, paths.analyst):
        open_to_others = folder.stat().st_mode & _PRIVATE_BITS
        advice = f"other accounts can open it; run chmod 700 on {folder}." if open_to_others else ""
        yield Checked(f"{folder.name} folder is private", not open_to_others, advice)


def _data(lab: OpenLab) -> Iterator[Checked]:
    loaded = lab.paths.latest_extracts(lab.paths.analyst)
    needed = sources_needed(lab.settings.domain)
    for source in (name for name in load(lab.settings.domain).sources if name in needed or name in loaded):
        advice = (
            "" if source in loaded else f"nothing is loaded; run counterfoil load {lab.paths.root} {source} FILE..."
        )
        yield Checked(f"source {source}", not advice, advice)
    spine = lab.paths.latest_spine()
    yield Checked("spine", spine is not None, "" if spine else f"run counterfoil link {lab.paths.root}.")
    yield from _encoded(lab)
    yield _register(lab.paths)


def _encoded(lab: OpenLab) -> Iterator[Checked]:
    """The newest spine's encoded table; a spine that cannot be read is told of by whoever uses it."""
    try:
        spine = read_spine(lab)
    except CounterfoilError:
        return
    why = check_kept(spine.folder, spine.model, spine.specification)
    advice = (
        f"it {why}; the next list or search makes it again, and so does removing {spine.folder / FOLDER} and linking."
    )
    yield Checked("encoded table of the spine", not why, advice if why else "")


def _register(paths: LabPaths) -> Checked:
    try:
        well = paths.latest_register() is not None and not is_outdated(paths)
    except Fault as fault:
        return Checked("register", False, fault.problems[0])
    return Checked("register", well, "" if well else f"run counterfoil register {paths.root}.")


def _both_sides(lab: OpenLab) -> Iterator[Checked]:
    """A load that was killed between its two sides leaves one of them a delivery behind."""
    linker, analyst = (lab.paths.latest_extracts(side) for side in (lab.paths.linker, lab.paths.analyst))
    for source in sorted(linker.keys() | analyst.keys()):
        well = len({_delivery_key(side.get(source)) for side in (linker, analyst)}) == 1
        advice = "" if well else "names and facts are of different deliveries; load the newest delivery again."
        yield Checked(f"both sides of {source}", well, advice)


def _delivery_key(folder: Path | None) -> str | None:
    if folder is None:
        return None
    try:
        return read_receipt(folder / RECEIPT).key
    except Fault:
        return f"{folder} cannot be read"


def _leftovers(root: Path) -> Checked:
    found = leftovers(root)
    commands = "; ".join(f"rm -r '{path}'" for path in found[:_LEFTOVERS_SHOWN])
    advice = f"work that was killed left parts behind, which nothing reads. While nothing runs: {commands}"
    return Checked("no leftovers", not found, advice if found else "")


def _disk(root: Path) -> Checked:
    well = shutil.disk_usage(root).free >= MIN_FREE_BYTES
    return Checked("free disk", well, "" if well else "less than 2 GB is free; make room before linking.")


def _temporary() -> Checked:
    """Where pairs and sorts spill to when memory is short."""
    folder = Path(tempfile.gettempdir()).resolve()
    what = "temporary folder" + (" (in memory, so what spills takes memory)" if _is_in_memory(folder) else "")
    well = shutil.disk_usage(folder).free >= MIN_FREE_BYTES
    advice = "less than 2 GB is free; make room, or set TMPDIR to a folder on a disk with more."
    return Checked(what, well, "" if well else advice)


def _is_in_memory(folder: Path, mounts: Path = Path("/proc/mounts")) -> bool:
    """Whether a folder lies on a file system that is kept in memory; False where the system does not say."""
    if not mounts.is_file():
        return False
    kinds = {Path(line.split()[1]): line.split()[2] for line in mounts.read_text().splitlines()}
    nearest = next((place for place in (folder, *folder.parents) if place in kinds), None)
    return nearest is not None and kinds[nearest] in {"tmpfs", "ramfs"}
