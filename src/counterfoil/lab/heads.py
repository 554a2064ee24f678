"""Signed heads of the log (A4): what the last line was at a time, kept elsewhere, so that a cut tail shows.

A chain without its tail is still a chain. So every day `counterfoil log LAB head` signs how many lines there are and
the hash of the last one; a copy of that file outside the lab's reach proves later that those lines were there.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from counterfoil.errors import Fault, FileNotTaken, Refused, UsageError
from counterfoil.lab import log
from counterfoil.lab.files import PRIVATE, atomic_write, write_json
from counterfoil.lab.log import Entry
from counterfoil.lab.paths import LabPaths
from counterfoil.lab.signing import SigningKey, is_signed, key_from, new_key
from counterfoil.provenance import canonical_json

KEY_MADE = "log key made"


@dataclass(frozen=True, slots=True)
class Head:
    """The log's last line at a time."""

    lab: str  # hash of the log's first line, which names the lab
    lines: int
    head: str  # hash of the last line
    at: str  # ISO date and time, UTC
    public: str
    signature: str

    def message(self) -> bytes:
        """The bytes that are signed."""
        return canonical_json({key: value for key, value in asdict(self).items() if key != "signature"})


def sign_head(paths: LabPaths, *, out: Path | None = None) -> tuple[Head, Path]:
    """Sign the log's head; keep it under `public/heads` and in `out`. Refused when the log does not verify."""
    verify(paths)
    key = _log_key(paths)
    there = log.entries(paths)
    at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    unsigned = Head(there[0].name, len(there), there[-1].name, at, key.public, "")
    head = Head(there[0].name, len(there), there[-1].name, at, key.public, key.sign(unsigned.message()))
    kept = paths.heads / f"{at[:10]}-{len(there):08d}.json"
    write_json(kept, asdict(head))
    if out is not None:
        write_json(out, asdict(head))
    return head, out or kept


def verify(paths: LabPaths, anchors: Sequence[Path] = ()) -> tuple[Entry, ...]:
    """Every entry of a log that holds. Refused when a line was changed, dropped or moved, or when a signed head (those
    under `public/heads`, and `anchors` kept elsewhere) says of a line that it was there and it is not."""
    there = checked_entries(paths)
    for file in (*sorted(paths.heads.glob("*.json")), *anchors):
        check_head(there, read_head(file), file.name)
    return there


def checked_entries(paths: LabPaths) -> tuple[Entry, ...]:
    """Every entry; Refused, where the log's own reading says Fault, when the chain does not hold."""
    try:
        there = log.entries(paths)
    except Fault as fault:
        raise Refused(fault.problems[0], rule="log") from fault
    if not there:
        raise Refused("The lab's log is empty: it was cut. Restore it from the lab's backup.", rule="log")
    return there


def check_head(there: Sequence[Entry], head: Head, what: str) -> None:
    """Refused when the log is not one that `head` was signed for."""
    keys = {entry.facts.get("public") for entry in there[: head.lines] if entry.event == KEY_MADE}
    if head.lab != there[0].name:
        raise Refused(f"The signed head {what} is of another log: this one was replaced, or made anew.", rule="log")
    if head.lines > len(there):
        raise Refused(f"The log's tail is cut: the signed head {what} knows of more lines than there are.", rule="log")
    if there[head.lines - 1].name != head.head:
        raise Refused(
            f"The log was written anew: its line {head.lines} is not that of the signed head {what}.", rule="log"
        )
    if head.public not in keys or not is_signed(head.public, head.signature, head.message()):
        raise Refused(f"The signed head {what} was not signed by this lab's log key.", rule="log")


def read_head(file: Path) -> Head:
    """A signed head. UsageError when there is no such file, FileNotTaken when it holds something else."""
    try:
        said = json.loads(file.read_bytes())
        return _head(said)
    except FileNotFoundError as error:
        raise UsageError(
            "There is no file with that name. Give the file that `counterfoil log LAB head` wrote."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise FileNotTaken(
            f"{file.name} is no signed head. Give the file that `counterfoil log LAB head` wrote."
        ) from error


def _head(said: Mapping[str, Any]) -> Head:
    lines = said["lines"]
    if not isinstance(lines, int) or lines < 1:
        raise ValueError
    texts = (str(said[key]) for key in ("head", "at", "public", "signature"))
    return Head(str(said["lab"]), lines, *texts)


def _log_key(paths: LabPaths) -> SigningKey:
    """The lab's log key, made at its first use. Fault when the log knows of one that is not there."""
    if paths.log_key.is_file():
        key = key_from(paths.log_key.read_bytes())
    elif any(entry.event == KEY_MADE for entry in log.entries(paths)):
        raise Fault(
            "The log's key log.key is missing. Restore it from the lab's backup; it is never replaced in silence."
        )
    else:
        key = new_key()
        atomic_write(paths.log_key, key.raw(), mode=PRIVATE)
    if not _knows(log.entries(paths), key):
        log.append(paths, KEY_MADE, {"public": key.public})
    return key


def _knows(there: Iterable[Entry], key: SigningKey) -> bool:
    return any(entry.event == KEY_MADE and entry.facts.get("public") == key.public for entry in there)
