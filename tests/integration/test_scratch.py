"""What outgrows memory lies on its own side of the lab, and nothing of it stays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from counterfoil.lab.scratch import keep_scratch_in

SPILL = """
import sys
from pathlib import Path
from counterfoil.lab.scratch import keep_scratch_in
from counterfoil.warehouse import connect
own = keep_scratch_in(Path(sys.argv[1]))
connection = connect(threads=1, memory_limit="60MB")
connection.execute("CREATE TABLE t AS SELECT range AS a, md5(range::VARCHAR) AS b FROM range(3000000)")
print(sum(path.stat().st_size for path in own.rglob("*") if path.is_file()))
"""


@pytest.mark.slow
def test_a_spill_lies_on_the_roles_side_and_goes_with_the_process(tmp_path: Path) -> None:
    side, elsewhere = tmp_path / "linker", tmp_path / "elsewhere"
    side.mkdir()
    elsewhere.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", SPILL, str(side)], cwd=elsewhere, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) > 0  # it did spill
    assert list(elsewhere.iterdir()) == []
    assert list((side / ".scratch").iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", None)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = tmp_path / ".scratch" / str(gone.pid)
    left.mkdir(parents=True)
    (left / "spill.tmp").write_text("a name")
    own = keep_scratch_in(tmp_path)
    assert not left.exists()
    assert own.stat().st_mode & 0o077 == 0
