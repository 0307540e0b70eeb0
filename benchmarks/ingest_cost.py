"""What an ingest costs in processor seconds, all its processes included, and where they go.

`python -m benchmarks.ingest_cost SESSION.toml`: the session's own recordings are read; everything else happens in a
temporary folder. Three ingests: of a session that is up to date; of one whose model is sized and whose first trial is
new, without Prefect and with it.
"""

import argparse
import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_TICKS = os.sysconf("SC_CLK_TCK")
# How often processes are looked at, to tell what each took: the total does not depend on it.
_LOOK_EVERY_S = 0.05
PARTS = ("main", "fork server", "workers", "server", "others")


def cost(command: Sequence[str]) -> tuple[float, dict[str, float]]:
    """Processor seconds of a command and of all that it started, and by part. Linux only.

    This process becomes the parent of what is left behind, and waits for it: no process's time is lost.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before = os.times()
    main = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    seen: dict[int, tuple[str, float]] = {}
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(main.pid, seen, over))
    watcher.start()
    if main.wait() not in (0, 3):
        raise SystemExit(f"{' '.join(command)} gave exit code {main.returncode}")
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    over.set()
    watcher.join()
    after = os.times()
    total = after.children_user + after.children_system - before.children_user - before.children_system
    by_part: dict[str, float] = defaultdict(float)
    for part, seconds in seen.values():
        by_part[part] += seconds
    return total, dict(by_part)


def _watch(main: int, seen: dict[int, tuple[str, float]], over: threading.Event) -> None:
    while not over.is_set():
        for process, parent in _descendants():
            with contextlib.suppress(OSError, ValueError, IndexError):
                seen[process] = _part(process, parent, main, seen), _seconds(process)
        time.sleep(_LOOK_EVERY_S)


def _descendants() -> list[tuple[int, int]]:
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError, IndexError, ValueError):
                parents[int(folder.name)] = int(_stat(int(folder.name))[1])
    below = {os.getpid()}
    found = []
    # A child's number may be smaller than its parent's: as often as the tree is deep.
    for _ in range(8):
        for process, parent in parents.items():
            if parent in below and process not in below:
                below.add(process)
                found.append((process, parent))
    return found


def _part(process: int, parent: int, main: int, seen: dict[int, tuple[str, float]]) -> str:
    if process == main:
        return "main"
    words = Path(f"/proc/{process}/cmdline").read_bytes()
    if not words:
        # It has ended, and is still to be counted.
        return seen.get(process, ("others", 0.0))[0]
    if b"temporary_server" in words:
        return "server"
    if b"forkserver" in words:
        # What a fork server makes has its command line.
        return "workers" if seen.get(parent, ("", 0.0))[0] == "fork server" else "fork server"
    return "others"


def _stat(process: int) -> list[str]:
    """The fields of /proc/N/stat after the command's name: state, parent, …"""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def _seconds(process: int) -> float:
    fields = _stat(process)
    return (int(fields[11]) + int(fields[12])) / _TICKS


def forget_a_trial(warehouse: Path) -> None:
    """Remove the first trial's files, so that it is new."""
    row = sorted((warehouse / "trials").rglob("*.parquet"))[0]
    for file in warehouse.rglob(row.name):
        file.unlink()


def main() -> None:
    """Print the three ingests' costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("session", type=Path)
    parser.add_argument("--old", action="store_true", help="a gait2hip that has no --no-prefect")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        full, warehouse = Path(name) / "full", Path(name) / "warehouse"
        ingest = [sys.executable, "-c", "from flows.cli import main; main()", "ingest", str(arguments.session)]
        cost([*ingest, "--warehouse", str(full)])
        print("processor seconds", *PARTS, sep="\t")
        for what, new, words in (
            ("up to date", False, []),
            ("one new trial, no Prefect", True, ["--no-prefect"]),
            ("one new trial, Prefect", True, []),
        ):
            if arguments.old and words:
                continue
            shutil.copytree(full, warehouse)
            if new:
                forget_a_trial(warehouse)
            total, by_part = cost([*ingest, "--warehouse", str(warehouse), *words])
            shutil.rmtree(warehouse)
            print(f"{what}: {total:.1f}", *(f"{by_part.get(part, 0.0):.1f}" for part in PARTS), sep="\t", flush=True)


if __name__ == "__main__":
    main()
