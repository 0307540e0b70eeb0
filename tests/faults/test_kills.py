"""Killed at any moment, a warehouse holds whole results or none, and the next run finishes what was begun."""

import contextlib
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from benchmarks.killing import Program, check, leftovers, snapshot
from tests.faults.made_up_ingest import start
from warehouse.files.storage import remove_leftovers
from warehouse.layout import temporary_files

REPOSITORY = Path(__file__).parents[2]
N_KILLS = 20

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    # A fork server's socket lies in it, and its whole path may have 107 characters.
    (tmp_path / "t").mkdir()
    return {**os.environ, "TMPDIR": str(tmp_path / "t"), "PYTHONPATH": str(REPOSITORY), "OPENBLAS_NUM_THREADS": "1"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "warehouse"


@pytest.fixture
def program(root: Path, environment: dict[str, str]) -> Program:
    """The made-up ingest as a program, running, whose workers last long enough to be seen on a busy machine."""
    return Program([sys.executable, "-m", "tests.faults.made_up_ingest", str(root), "a", "2"], environment)


def test_twenty_kills_leave_whole_files_and_the_next_run_an_undisturbed_ones_bytes(root: Path) -> None:
    results, seconds = {}, 0.0
    for recipe in ("a", "bb"):
        began = time.monotonic()
        _finish(root, recipe)
        results[recipe], seconds = snapshot(root), time.monotonic() - began
    assert results["a"] != results["bb"]

    rng, kills, in_mid_write, through = random.Random(5), 0, 0, 0
    recipe = "a"
    while kills < N_KILLS:
        if rng.random() < 0.2:
            shutil.rmtree(root, ignore_errors=True)
        leader = start(str(root), recipe)
        leader.join(rng.uniform(0, seconds))
        if leader.is_alive():
            _kill_group(leader)
            kills, in_mid_write = kills + 1, in_mid_write + bool(leftovers(root))
        else:
            assert (leader.exitcode, snapshot(root)) == (0, results[recipe])
            through, recipe = through + 1, "bb" if recipe == "a" else "a"
        assert check(root, list(results.values())) == len(snapshot(root))

    _finish(root, recipe)
    assert snapshot(root) == results[recipe]
    assert leftovers(root) == []
    print(f"{kills} kills, {in_mid_write} of them in mid-write, {through} runs got through")


def test_a_killed_worker_costs_its_own_call_and_a_second_run_completes_it(root: Path, program: Program) -> None:
    _when(lambda: len(_workers(program)) > 0)
    _workers(program)[0].kill()
    program.process.wait(60)
    program.wait_until_gone()

    assert "crashed (signal SIGKILL)" in program.said()
    stored = snapshot(root)
    _finish(root, "a")
    assert check(root, [snapshot(root)]) > len(stored) > 0
    assert {path: snapshot(root)[path] for path in stored} == stored


def test_no_worker_outlives_a_killed_parent_and_its_folders_are_swept_up(
    program: Program, environment: dict[str, str]
) -> None:
    temporary = Path(environment["TMPDIR"])
    _when(lambda: len(temporary_files(temporary)) > 0)
    program.process.kill()
    program.process.wait()
    program.wait_until_gone()
    program.said()

    remove_leftovers(temporary)

    assert temporary_files(temporary) == []


def _finish(root: Path, recipe: str) -> None:
    leader = start(str(root), recipe)
    leader.join()
    assert leader.exitcode == 0


def _kill_group(leader: BaseProcess) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGKILL)
    # It may not have made its group yet.
    leader.kill()
    leader.join()


def _workers(program: Program) -> list:
    """The processes below the fork server, which is below the program."""
    below = [(process, process.parent()) for process in program.descendants()[1:]]
    return [process for process, parent in below if parent is not None and parent.pid != program.process.pid]


def _when(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.002)
