"""One process at a time for a path: who comes second waits, and who is killed holds nobody up."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from counterfoil.lab.alone import alone

WAITING = "Somebody is at work"
HOLDS = """
import sys, time
from pathlib import Path
from counterfoil.lab.alone import alone
with alone(Path(sys.argv[1]), waiting=""):
    print("in", flush=True)
    time.sleep(600)
"""


def test_a_second_waits_and_both_are_never_in_at_once(tmp_path: Path) -> None:
    inside, most, told, start = 0, 0, list[str](), threading.Barrier(4)

    def work() -> None:
        nonlocal inside, most
        start.wait()
        for _ in range(50):
            with alone(tmp_path / "runs" / "a", waiting=WAITING, progress=lambda text, _: told.append(text)):
                inside += 1
                most = max(most, inside)
                time.sleep(0.0005)  # another may run meanwhile
                inside -= 1

    workers = [threading.Thread(target=work) for _ in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert most == 1
    assert set(told) == {WAITING}
    assert list((tmp_path / "runs").iterdir()) == []


def test_another_path_waits_for_nobody_and_a_killed_process_holds_nobody_up(tmp_path: Path) -> None:
    told: list[str] = []
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path / "a")], stdout=-1) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"in\n"
        with alone(tmp_path / "b", waiting=WAITING, progress=lambda text, _: told.append(text)):
            assert told == []
        other.send_signal(signal.SIGKILL)
    with alone(tmp_path / "a", waiting=WAITING, progress=lambda text, _: told.append(text)):
        assert told == []
    assert list(tmp_path.iterdir()) == []
