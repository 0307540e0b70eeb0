"""Disks that fill up: a small one that is really full, or any where what is written can't be brought to the disk."""

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

BALLAST = "ballast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A folder on a disk that can be filled and freed."""

    folder: Path
    fill: Callable[[], None]
    free: Callable[[], None]

    def content(self) -> dict[str, bytes]:
        """Every file by its path, locks apart: they are there or not, and hold nothing."""
        files = (path for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".lock")
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files if path.name != BALLAST}


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    """A file system of this size, held in memory; skips the test, saying why, where nobody may mount one."""
    folder.mkdir()
    if shutil.which("mount") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("a small disk is mounted by the superuser only: the injected form of this test has run")
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "gait2hip-test", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"a small disk can't be mounted here ({mounted.stderr.strip()}): the injected form has run")

    def fill() -> None:
        with pytest.raises(OSError, match="No space left"), (folder / BALLAST).open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(1 << 12))

    try:
        yield Disk(folder=folder, fill=fill, free=(folder / BALLAST).unlink)
    finally:
        # Lazily: a writer that failed may hold its file until it is collected.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def injected_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A folder whose disk says that it is full when what was written is to be brought to it."""
    folder.mkdir()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return Disk(folder=folder, fill=lambda: monkeypatch.setattr(os, "fsync", full), free=monkeypatch.undo)
