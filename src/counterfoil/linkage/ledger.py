"""The linker's part of the ledger: who is behind each number that was published, and whose numbers a new list touches.

A population of a report is a set of keyed hashes (HMAC-SHA-256 of the person key under a secret of its own), with the
spine in which those keys were given. Crosswalks carry them to the newest spine. No outcome, no count of one and no
cell's value is ever here: the linker knows who is in what and nothing of what became of them.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from counterfoil.errors import Fault
from counterfoil.lab.files import PRIVATE, atomic_write
from counterfoil.lab.paths import LabPaths
from counterfoil.linkage.crosswalk import BEFORE, CROSSWALK
from counterfoil.warehouse import read_table, write_table

SECRET_BYTES = 32
HASH_LENGTH = 32  # hex characters: 128 bits
GONE = ""  # where a retired key leads


@dataclass(frozen=True, slots=True)
class Overlap:
    """Which published populations each person is in, as atoms. Atom 0: in none.

    `of_person`: atom of each person asked about. `populations`: of each atom, (run, population) in order. `runs`: the
    reports that share somebody with them, or with a report that does. `merged`: runs whose people are told apart
    otherwise since.
    """

    of_person: Mapping[str, int]
    populations: Mapping[int, tuple[tuple[str, str], ...]]
    runs: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()


def keep_study_keys(paths: LabPaths, run: str, study_keys: Sequence[int], people: Sequence[str], spine: str) -> None:
    """Whose each study key of a run is, so that the ledger can name people when its report becomes public."""
    table = pa.table({"study_key": pa.array(study_keys, pa.int64()), "person_id": pa.array(people, pa.string())})
    file = paths.study_keys(run)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_table(table.replace_schema_metadata({"spine": spine}), file)


def enter_members(paths: LabPaths, run: str, populations: Mapping[str, Sequence[int]]) -> Path:
    """Write who is behind each population of a run, by their study keys; gives the file. Twice is once."""
    file = paths.ledger_members(run)
    if file.is_file():
        return file
    kept = paths.study_keys(run)
    if not kept.is_file():
        raise Fault("The linker no longer knows whose study keys a run has. Evaluate its list again, then publish.")
    table = read_table(kept)
    spine = _said(table.schema, "spine")
    person_of = dict(zip(table["study_key"].to_pylist(), table["person_id"].to_pylist(), strict=True))
    secret = _secret(paths)
    held = {name: sorted({_hash(secret, person_of[key]) for key in keys}) for name, keys in sorted(populations.items())}
    text = json.dumps({"run": run, "spine": spine, "populations": held}, indent=1) + "\n"
    atomic_write(file, text.encode(), mode=PRIVATE)
    return file


def find_overlap(paths: LabPaths, people: Iterable[str], runs: Sequence[str]) -> Overlap:
    """Atoms of `people`, keys of the newest spine, by the populations of `runs` that they are in.

    A report that shares nobody with `people` can still tell of them: it may be a part of one that does, and give away
    the rest of it.
    """
    secret = _secret(paths)
    asked = sorted(set(people))
    hashes = {person: _hash(secret, person) for person in asked}
    of_hash: dict[str, set[tuple[str, str]]] = {}
    held = {run: members_now(paths, run) for run in runs}
    for run, named in held.items():
        for name, members in named.items():
            for member in members:
                of_hash.setdefault(member, set()).add((run, name))
    patterns = {person: tuple(sorted(of_hash.get(hashes[person], ()))) for person in asked}
    numbers = {pattern: n for n, pattern in enumerate(sorted({*patterns.values(), ()}))}
    populations = {number: pattern for pattern, number in numbers.items()}
    reached = _reached(
        frozenset(hashes.values()), {run: frozenset().union(*named.values()) for run, named in held.items()}
    )
    of_person = {person: numbers[patterns[person]] for person in asked}
    return Overlap(of_person, populations, reached, find_merged(paths, runs))


def _reached(people: frozenset[str], members: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """The runs that share somebody with `people`, then with those runs, and so on; in the order given."""
    left = dict(members)
    while joining := [run for run, own in left.items() if own & people]:
        people = people.union(*(left.pop(run) for run in joining))
    return tuple(run for run in members if run not in left)


def members_now(paths: LabPaths, run: str) -> dict[str, frozenset[str]]:
    """The members of each population of a run, by the keys of the newest spine. A split key counts as every person
    who has a record of it: each of them may have been meant."""
    held = _read(paths, run)
    leads = _leads(paths, str(held["spine"]))
    found = {}
    for name, members in held["populations"].items():
        now = {new for member in members for new in leads.get(member, (member,))}
        found[name] = frozenset(now - {GONE})
    return found


def find_merged(paths: LabPaths, runs: Sequence[str]) -> tuple[str, ...]:
    """Runs in which people who were told apart when they were published are one person now, or one is two now.

    What was audited as different people is not: every audit that held such a run is to be looked at again.
    """
    found = []
    for run in runs:
        held = _read(paths, run)
        then = {member for members in held["populations"].values() for member in members}
        leads = _leads(paths, str(held["spine"]))
        now = [new for member in then for new in leads.get(member, (member,)) if new != GONE]
        if len(set(now)) < len(now) or any(len(leads.get(member, (member,))) > 1 for member in then):
            found.append(run)
    return tuple(found)


def find_new_overlaps(paths: LabPaths, runs: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of runs whose shared people are others now than by the keys that they were entered with."""
    held = {run: _read(paths, run) for run in runs}
    then = {run: {m for members in held[run]["populations"].values() for m in members} for run in runs}
    now = {run: {m for members in members_now(paths, run).values() for m in members} for run in runs}
    pairs = [(a, b) for place, a in enumerate(runs) for b in runs[place + 1 :]]
    return tuple((a, b) for a, b in pairs if len(then[a] & then[b]) != len(now[a] & now[b]))


def names_given(paths: LabPaths) -> tuple[str, ...]:
    """Names of spines that something in the lab still goes by, whether or not they are there. Where all were taken
    away a new one has other keys, and so must have another name."""
    ledger, studies = paths.ledger_members("x").parent, paths.study_keys("x").parent
    named = [str(_read(paths, file.stem)["spine"]) for file in ledger.glob("*.json")]
    named += [_said(pq.read_schema(file), "spine") for file in studies.glob("*.parquet")]
    return (*named, *(file.stem for file in paths.register_keys("x").parent.glob("*.parquet")))


def _said(schema: pa.Schema, name: str) -> str:
    """What the metadata of a file says; nothing where it does not."""
    return str((schema.metadata or {}).get(name.encode(), b"").decode())


def _leads(paths: LabPaths, since: str) -> dict[str, tuple[str, ...]]:
    """Of each keyed hash that a crosswalk after the spine `since` changed: those it is now.

    A fault where that spine, or one after it, is gone: nothing would say who its people are now, and nobody would be
    found in a report.
    """
    folder, secret = paths.linker / "spine", _secret(paths)
    spines = sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []
    _check_there(since, spines)
    leads: dict[str, tuple[str, ...]] = {}
    for spine in spines:
        if spine <= since:
            continue
        step = _step(folder / spine / CROSSWALK, secret, spines)
        for old, now in list(leads.items()):
            leads[old] = tuple(sorted({new for each in now for new in step.get(each, (each,))}))
        for old, new in step.items():
            leads.setdefault(old, new)
    return leads


def _check_there(spine: str, spines: Sequence[str]) -> None:
    if spine not in spines:
        raise Fault(
            f"The spine {spine} is gone, by whose keys the people behind a cleared report are known. Restore "
            "linker/spine from the lab's backup: without it no list can be compared with what was cleared."
        )


def _step(file: Path, secret: bytes, spines: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The keys that one crosswalk changed, hashed. `spines`: those that are there."""
    if not file.is_file():
        raise Fault("A spine has no crosswalk. Restore it from a backup: the ledger cannot be led past it.")
    _check_there(_said(pq.read_schema(file), BEFORE) or spines[0], spines)
    table = read_table(file)
    olds, news = (table[name].to_pylist() for name in ("old_person_id", "person_id"))
    if not any(olds):
        raise Fault(
            f"The spine {file.parent.name} was made without the one before it, so its people have other keys. Take it "
            "away, restore linker/spine from the lab's backup, and run `counterfoil link` and `register` again."
        )
    moved: dict[str, set[str]] = {}
    for old, new in zip(olds, news, strict=True):
        if old is not None:
            moved.setdefault(old, set()).add(new or GONE)
    return {
        _hash(secret, old): tuple(sorted(_hash(secret, new) if new else GONE for new in now))
        for old, now in moved.items()
        if now != {old}
    }


def _read(paths: LabPaths, run: str) -> Mapping[str, Mapping[str, Sequence[str]]]:
    try:
        held: Mapping[str, Mapping[str, Sequence[str]]] = json.loads(paths.ledger_members(run).read_bytes())
    except (FileNotFoundError, ValueError) as error:
        raise Fault(
            f"The people behind the published run {run} cannot be read. Restore linker/ledger from the lab's backup: "
            "without them no list can be compared with what is public."
        ) from error
    return held


def _secret(paths: LabPaths) -> bytes:
    file = paths.ledger_secret
    if not file.is_file():
        atomic_write(file, secrets.token_bytes(SECRET_BYTES), mode=PRIVATE)
    return file.read_bytes()


def _hash(secret: bytes, person: str) -> str:
    return hmac.digest(secret, person.encode(), "sha256").hex()[:HASH_LENGTH]
