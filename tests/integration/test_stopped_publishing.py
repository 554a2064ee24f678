"""`publish` killed at many moments (DISCLOSURE A12): the site is the old one or the new one, the ledger holds exactly
what is public or cleared, and the same command again finishes."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from counterfoil import publication
from counterfoil.clearance import read_record
from counterfoil.clearance.audit import AUDIT
from counterfoil.clearance.moves import State
from counterfoil.clearance.release import read_release
from counterfoil.disclosure.audited import Said, write_said
from counterfoil.lab.files import atomic_write, leftovers
from counterfoil.lab.keys import Role, encrypt
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.lab.paths import MEMBERS, SAID
from counterfoil.lab.signing import close_key
from counterfoil.linkage.ledger import keep_study_keys
from counterfoil.provenance import canonical_json
from counterfoil.publication.releasing import files_under
from counterfoil.study import ledger
from counterfoil.warehouse import write_table
from lib import reports
from lib.clearance import TODAY
from lib.site import DAY, V1, V2, Press, noon, press
from lib.small_lab import call, run_here
from lib.stopping import Stopper, moments

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="exchanges folders in one step")]

SPINE = "2026-01-01-001"
PASSPHRASE = "a long passphrase"
DUE = "2026-08-10"
DONE = 0


def add_people(lab: OpenLab, run: str, first: int, beside: tuple[str, ...] = ()) -> None:
    """What the roles keep of a run: who is behind it, what it says, and beside which reports it was audited."""
    keys = list(range(first, first + 40))
    keep_study_keys(lab.paths, run, keys, [f"person {key}" for key in keys], SPINE)
    sealed = canonical_json({"populations": {"people analysed": keys}})
    atomic_write(lab.paths.run(run) / MEMBERS, encrypt(lab.paths, sealed, to=Role.LINKER))
    said = Said("this report", tuple(map(str, keys)), {"people analysed": np.ones(40, np.bool_)}, {}, ())
    atomic_write(lab.paths.run(run) / SAID, write_said(said))
    audited = {"release": read_release(lab.paths, run).digest, "passed": True, "findings": [], "ledger": list(beside)}
    atomic_write(lab.paths.run(run) / AUDIT, json.dumps(audited).encode())


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Press:
    """One report is public and in the ledger; a second is cleared, due, and not yet in the ledger."""
    folder = tmp_path_factory.mktemp("waiting")
    made = press(folder / "lab")
    made.lab.paths.spine(SPINE).mkdir(parents=True)
    empty = pa.array([], pa.string())
    write_table(
        pa.table({"old_person_id": empty, "person_id": empty}), made.lab.paths.spine(SPINE) / "crosswalk.parquet"
    )
    made.add(V1, reports.fewer())
    add_people(made.lab, V1, 0)
    made.clear(V1).plan(V1, DAY)
    then = made.on(DAY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "run_role", run_here)
        ledger.enter(then.lab, V1)
    then.release(noon(DAY), V1)
    publication.build(then.lab, now=noon(DAY))
    made = then.on(TODAY.isoformat())
    made.add(V2, reports.amber())
    add_people(made.lab, V2, 100, (V1,))
    made.clear(V2).plan(V2, DUE)
    (folder / "passphrase").write_text(PASSPHRASE)
    (folder / "dan.key").write_bytes(close_key(made.office.keys["dan"], PASSPHRASE))
    return made


def key_of(made: Press) -> tuple[object, ...]:
    folder = made.lab.paths.root.parent
    return ("--as", "dan", "--key", folder / "dan.key", "--passphrase-file", folder / "passphrase")


def state(lab: OpenLab) -> tuple[set[str], set[str], set[str]]:
    """Runs that are public, that are cleared or public, and that are in the ledger."""
    cases = read_record(lab).cases
    public = {run for run, case in cases.items() if case.state is State.PUBLISHED}
    cleared = {run for run, case in cases.items() if case.state in (State.CLEARED, State.SCHEDULED)}
    return public, public | cleared, {one.run for one in ledger.entries(lab)}


def names(files: dict[str, bytes]) -> set[str]:
    """Reports that a site has pages of."""
    return {name.split("/")[1] for name in files if name.startswith("reports/")}


def test_a12_release_killed_before_any_change(waiting: Press, tmp_path: Path) -> None:
    due = waiting.on(DUE)
    root, stopper = due.lab.paths.root, Stopper(tmp_path)
    old = files_under(due.lab.paths.site)
    whole = shutil.copytree(root, tmp_path / "whole")
    changes = stopper.run(whole, "publish", whole, "release", *key_of(due))
    new = files_under(open_lab(whole).paths.site)
    assert (names(old), names(new)) == ({V1}, {V1, V2})
    assert any(change.endswith("/log") or change == "open log" for change in changes)
    after = set()
    for number, moment in enumerate(moments(changes)):
        copy = shutil.copytree(root, tmp_path / f"lab {number}")
        stopper.run(copy, "publish", copy, "release", *key_of(due), last=moment)
        lab = open_lab(copy)
        public, allowed, entered = state(lab)
        stands = files_under(lab.paths.site)
        differ = [name for name in new if stands.get(name) != new[name]]
        assert stands in (old, new), (changes[moment - 1], differ)
        assert names(stands) <= public <= entered <= allowed
        after.add((V2 in entered, V2 in public, stands == new))
        stopper.run(copy, "publish", copy, "release", *key_of(due))
        assert files_under(lab.paths.site) == new, changes[moment - 1]
        assert state(lab) == ({V1, V2}, {V1, V2}, {V1, V2})
        assert leftovers(copy) == [], changes[moment - 1]
        shutil.rmtree(copy)
    # every state on the way was seen: nothing done, in the ledger, public in the log, and the new site
    assert after == {(False, False, False), (True, False, False), (True, True, False), (True, True, True)}
    assert call("ledger", whole, "check").code == DONE
    assert call("log", whole, "verify").code == DONE


def test_a12_build_killed_before_any_change(waiting: Press, tmp_path: Path) -> None:
    due = waiting.on(DUE)
    whole, stopper = shutil.copytree(due.lab.paths.root, tmp_path / "whole"), Stopper(tmp_path)
    lab = open_lab(whole)
    stopper.run(whole, "publish", whole, "release", *key_of(due))
    old, new = files_under(due.lab.paths.site), files_under(lab.paths.site)
    shutil.rmtree(lab.paths.site)
    shutil.copytree(due.lab.paths.site, lab.paths.site)
    log_before = (whole / "log").read_bytes()
    changes = stopper.run(shutil.copytree(whole, tmp_path / "first"), "publish", tmp_path / "first", "build")
    seen = set()
    for number, moment in enumerate(moments(changes)):
        copy = shutil.copytree(whole, tmp_path / f"lab {number}")
        site = open_lab(copy).paths.site
        stopper.run(copy, "publish", copy, "build", last=moment)
        stands = files_under(site)
        assert stands in (old, new), changes[moment - 1]
        seen.add(stands == new)
        stopper.run(copy, "publish", copy, "build")
        assert files_under(site) == new
        assert leftovers(copy / "public") == []
        assert (copy / "log").read_bytes() == log_before
    assert seen == {False, True}


def test_a12_pre_release_killed_before_any_change(waiting: Press, tmp_path: Path) -> None:
    """Somebody is on the list once or not at all, and once when the command ran again."""
    root, stopper = waiting.on(TODAY.isoformat()).lab.paths.root, Stopper(tmp_path)
    said = ("pre-release", V2, "--name", "A minister", "--office", "Minister", "--reason", "To answer questions.")
    whole = shutil.copytree(root, tmp_path / "whole")
    changes = stopper.run(whole, "publish", whole, *said, *key_of(waiting))
    seen = set()
    for number, moment in enumerate([*range(1, len(changes) + 1), 0]):
        copy = shutil.copytree(root, tmp_path / f"lab {number}")
        lab = open_lab(copy)
        stopper.run(copy, "publish", copy, *said, *key_of(waiting), last=moment)
        seen.add(len(publication.grants_of(lab, read_record(lab), V2)))
        stopper.run(copy, "publish", copy, *said, *key_of(waiting))
        assert len(publication.grants_of(lab, read_record(lab), V2)) == 1
        assert files_under(lab.paths.site) == files_under(waiting.lab.paths.site)
    assert seen == {0, 1}
