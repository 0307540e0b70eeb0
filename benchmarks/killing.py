"""Killing programs at chosen moments, and what a warehouse must look like afterwards, whatever was killed when."""

import contextlib
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pyarrow.parquet as pq

from pipeline.storing.stages import table_keys
from warehouse.files import read
from warehouse.holdings.contents import trial_paths
from warehouse.holdings.runs import last_run
from warehouse.holdings.sources import read_sources
from warehouse.identity import TrialKey
from warehouse.layout import RUNS, SOURCES, Warehouse, table_path, temporary_files
from warehouse.metadata import Stored
from warehouse.schemas import PER_TRIAL, SCHEMAS

_MARK = "GAIT2HIP_FAULT"
_POLL_S = 0.005
# A child that notices its parent's death ends at once; this is for a machine that is busy with other things.
ENDS_WITHIN_S = 30.0

Snapshot = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When to kill: so long after the start, or so long after the n-th change of any file in the warehouse."""

    after_s: float
    after_changes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended: killed or by itself. `mid_write`: it left a file that it had not finished.

    `ending_s`: from its end to that of the last process it had started.
    """

    killed: bool
    exit_code: int
    seconds: float
    ending_s: float
    n_changes: int
    mid_write: bool
    output: str


@dataclass(slots=True)
class Program:
    """A running program; every process that comes from it, orphans included, is known by a mark in its environment."""

    command: Sequence[str]
    environment: Mapping[str, str]
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    process: subprocess.Popen[bytes] = field(init=False)
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = Path(self.environment["TMPDIR"]) / f"{self.mark}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command,
                env={**self.environment, _MARK: self.mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def descendants(self) -> list[psutil.Process]:
        """The program's process and all below it."""
        try:
            main = psutil.Process(self.process.pid)
            return [main, *main.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def left(self) -> list[psutil.Process]:
        """Every living process that comes from this program."""
        return [process for process in psutil.process_iter() if _has_mark(process, self.mark)]

    def kill_all(self) -> None:
        """What pulling the plug does: the program and all that it started, at once."""
        for process in self.descendants():
            _kill(process)
        self.process.wait()

    def wait_until_gone(self) -> None:
        """AssertionError if a process of this program outlives it."""
        deadline = time.monotonic() + ENDS_WITHIN_S
        while left := self.left():
            assert time.monotonic() < deadline, f"left behind: {[' '.join(p.cmdline()) for p in left]}"
            time.sleep(0.05)

    def said(self) -> str:
        """What it has printed; its log is removed."""
        text = self.log.read_text("utf-8", "replace")
        self.log.unlink()
        return text


def run_until(command: Sequence[str], environment: Mapping[str, str], root: Path, moment: Moment | None) -> Ended:
    """Run a program and kill it, and all that it started, at a moment; None lets it end by itself."""
    began = time.monotonic()
    program = Program(command, environment)
    n_changes = _watch(program, root, moment)
    killed = program.process.poll() is None
    if killed:
        program.kill_all()
    ended = time.monotonic()
    program.wait_until_gone()
    return Ended(
        killed=killed,
        exit_code=program.process.returncode,
        seconds=ended - began,
        ending_s=time.monotonic() - ended,
        n_changes=n_changes,
        mid_write=bool(leftovers(root)),
        output=program.said(),
    )


def random_moment(rng: random.Random, undisturbed: Ended) -> Moment:
    """Every other time anywhere in a run; else just after one of its changes to the warehouse, where it is writing."""
    if rng.random() < 0.5:
        return Moment(after_s=rng.uniform(0, undisturbed.seconds))
    # The next run goes on where this one is killed: few changes at a time lead through all of them.
    return Moment(after_s=rng.uniform(0, 0.02), after_changes=rng.randint(1, max(1, undisturbed.n_changes // 3)))


def snapshot(root: Path) -> Snapshot:
    """SHA-256 of every result in a warehouse by its path below it: not of times and of this machine's paths."""
    found = {}
    for path in sorted(root.rglob("*")):
        below = path.relative_to(root)
        if path.is_file() and below.parts[0] not in (RUNS, SOURCES) and not path.name.startswith("."):
            found[below.as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def check(root: Path, possible: Sequence[Snapshot]) -> int:
    """How many files were checked. AssertionError if one is not whole, or a row vouches for what isn't there.

    Every file must be, byte for byte, one of an undisturbed run's; `possible` holds the undisturbed runs' results.
    """
    warehouse = Warehouse(str(root))
    found = snapshot(root)
    for path, digest in found.items():
        assert any(known.get(path) == digest for known in possible), f"{path} is of no undisturbed run"
    for table in SCHEMAS:
        accounts, problems = read.read_accounts(warehouse, table)
        assert not problems, problems
        for account in accounts:
            _check_opens(warehouse, table, account)
    for row in read.trials(warehouse):
        _check_row(warehouse, row)
    read.cycles(warehouse)
    read_sources(warehouse)
    last_run(warehouse)
    return len(found)


def leftovers(root: Path) -> list[Path]:
    """Unfinished files of a warehouse, in whatever folder."""
    if not root.is_dir():
        return []
    return [file for folder in (root, *root.rglob("*")) if folder.is_dir() for file in temporary_files(folder)]


def _check_opens(warehouse: Warehouse, table: str, account: Stored) -> None:
    # A session's or a subject's path takes of a key what it needs.
    key = TrialKey(**{"session": "any", "trial": "any", **account.identity})
    path = table_path(warehouse, table, SCHEMAS[table].level, key)
    columns = pq.ParquetFile(path, page_checksum_verification=True).read().column_names
    assert {column.name for column in SCHEMAS[table].fixed if not column.later} <= set(columns), path


def _check_row(warehouse: Warehouse, row: Stored) -> None:
    key = read.trial_key(row)
    for path in trial_paths(warehouse, key).needed(row):
        assert Path(path).is_file(), f"{row.owner} is vouched for, but {path} is missing"
    if row.summary["outcome"] != "accepted" or "stages" not in row.made_from:
        return
    made_by = table_keys({name: account["key"] for name, account in row.made_from["stages"].items()})
    for table in (*PER_TRIAL, "cycles"):
        assert read.stored(warehouse, table, key).key == made_by[table], f"{table} of {row.owner} is of another run"


def _watch(program: Program, root: Path, moment: Moment | None) -> int:
    """Wait for the moment, or the program's end; gives how many changes of the warehouse were seen."""
    if moment is not None and not moment.after_changes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.process.wait(moment.after_s)
        return 0
    seen, n_changes = _state(root), 0
    while program.process.poll() is None:
        time.sleep(_POLL_S)
        now = _state(root)
        n_changes += now != seen
        seen = now
        if moment is not None and n_changes >= moment.after_changes:
            time.sleep(moment.after_s)
            break
    return n_changes


def _state(root: Path) -> frozenset[tuple[str, int]]:
    return frozenset(_files(root))


def _files(folder: Path | str) -> Iterator[tuple[str, int]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _files(entry.path)
                else:
                    yield entry.path, entry.stat(follow_symlinks=False).st_mtime_ns
    except FileNotFoundError:
        return


def _has_mark(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(_MARK) == mark and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _kill(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return


def gait2hip(*arguments: str | Path) -> list[str]:
    """The command line of `gait2hip`, as a new process runs it."""
    return [sys.executable, "-c", "from flows.cli import main; main()", *(str(argument) for argument in arguments)]
