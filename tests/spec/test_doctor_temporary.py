"""Doctor on the temporary folder: where it lies, and whether it has room."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from counterfoil.study import doctor

MOUNTS = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb /tmp/disk ext4 rw 0 0\n"
Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    ("folder", "in_memory"), [("/tmp", True), ("/tmp/some/one", True), ("/tmp/disk/one", False), ("/var/tmp", False)]
)
def test_the_nearest_mount_says_where_a_folder_lies(folder: str, in_memory: bool, tmp_path: Path) -> None:
    (tmp_path / "mounts").write_text(MOUNTS)
    assert doctor._is_in_memory(Path(folder), tmp_path / "mounts") is in_memory
    assert doctor._is_in_memory(Path(folder), tmp_path / "absent") is False


@pytest.mark.parametrize(("free", "well"), [(1 << 30, False), (3 << 30, True)])
def test_room_to_spill(free: int, well: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, free))
    found = doctor._temporary()
    assert found.well is well
    assert ("TMPDIR" in found.advice) is not well
