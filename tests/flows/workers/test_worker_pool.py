import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType, SimpleNamespace

import psutil
import pytest

from flows.workers import worker_call, worker_pool
from flows.workers.call_outcome import Crashed, Raised, Returned, Stopped, TimedOut
from flows.workers.worker_pool import WorkerPool
from warehouse.errors import WarehouseError

HERE = Path(__file__).parent
LIMIT_S = 60.0


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(2) as workers:
        yield workers


def _is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def _ends_soon(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while _is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not _is_running(pid)


def _read_when_written(file: Path) -> int:
    deadline = time.monotonic() + 20
    while not (file.is_file() and file.read_text()):
        assert time.monotonic() < deadline, f"{file} was never written"
        time.sleep(0.02)
    return int(file.read_text())


def test_gives_back_what_the_function_returned(stubs: ModuleType, pool: WorkerPool) -> None:
    assert pool.run(stubs.double, 21, time_limit_s=LIMIT_S) == Returned(value=42)


def test_works_in_a_directory_and_a_group_of_its_own_which_is_removed(stubs: ModuleType, pool: WorkerPool) -> None:
    outcome = pool.run(stubs.where_it_works, time_limit_s=LIMIT_S)

    assert isinstance(outcome, Returned)
    pid, directory, group = outcome.value
    assert pid != os.getpid()
    assert group == pid
    assert Path(directory) != Path.cwd()
    assert not Path(directory).exists()


@pytest.mark.parametrize(("signal_name", "number"), [("SIGSEGV", 11), ("SIGKILL", 9), ("SIGABRT", 6)])
def test_a_signal_is_a_crash_with_its_last_words(
    stubs: ModuleType, pool: WorkerPool, signal_name: str, number: int
) -> None:
    outcome = pool.run(stubs.die_by, signal_name, time_limit_s=LIMIT_S)

    assert isinstance(outcome, Crashed)
    assert outcome.exit_code == -number
    assert outcome.cause == f"signal {signal_name}"
    assert "the last words" in outcome.log_tail


def test_leaving_the_interpreter_is_a_crash(stubs: ModuleType, pool: WorkerPool) -> None:
    outcome = pool.run(stubs.exit_with, 7, time_limit_s=LIMIT_S)

    assert isinstance(outcome, Crashed)
    assert outcome.cause == "exit code 7"


def test_a_hang_is_killed_when_its_time_is_up(stubs: ModuleType, pool: WorkerPool, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    pool.run(stubs.double, 1, time_limit_s=LIMIT_S)  # the fork server starts with the first call
    start = time.monotonic()

    outcome = pool.run(stubs.hang, str(pid_file), time_limit_s=2.0)

    assert isinstance(outcome, TimedOut)
    assert outcome.limit_s == 2.0
    assert "about to hang" in outcome.log_tail
    assert time.monotonic() - start < 10
    assert not _is_running(_read_when_written(pid_file))


def test_an_exception_comes_back_as_text(stubs: ModuleType, pool: WorkerPool) -> None:
    outcome = pool.run(stubs.raise_refused, time_limit_s=LIMIT_S)

    assert isinstance(outcome, Raised)
    assert outcome.type_name == "Refused"
    assert "a marker is missing" in outcome.message
    assert "in raise_refused" in outcome.traceback
    assert "before the exception" in outcome.log_tail


def test_a_huge_result_comes_back_whole(stubs: ModuleType, pool: WorkerPool) -> None:
    outcome = pool.run(stubs.megabytes, 50, time_limit_s=LIMIT_S)

    assert isinstance(outcome, Returned)
    assert len(outcome.value) == 50 * 1024 * 1024


def test_a_result_that_cannot_be_pickled_is_said_so(stubs: ModuleType, pool: WorkerPool) -> None:
    outcome = pool.run(stubs.not_picklable, time_limit_s=LIMIT_S)

    assert isinstance(outcome, Raised)
    assert "pickle" in outcome.message.lower()


def test_a_function_the_worker_cannot_import_is_said_so(
    stubs: ModuleType, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(HERE)])

    outcome = pool.run(stubs.double, 21, time_limit_s=LIMIT_S)

    assert isinstance(outcome, Raised)
    assert outcome.type_name == "ModuleNotFoundError"


def test_output_larger_than_any_pipe_does_not_block_the_worker(stubs: ModuleType, pool: WorkerPool) -> None:
    assert pool.run(stubs.flood, time_limit_s=LIMIT_S) == Returned(value="done")


def test_only_the_end_of_a_flood_is_kept(stubs: ModuleType, pool: WorkerPool) -> None:
    outcome = pool.run(stubs.flood_and_die, time_limit_s=LIMIT_S)

    assert isinstance(outcome, Crashed)
    assert outcome.log_tail.endswith("the end")
    assert len(outcome.log_tail) < 2 * worker_call.LOG_TAIL_BYTES


def test_the_log_of_a_native_library_is_read_and_its_temporary_files_removed(
    stubs: ModuleType, pool: WorkerPool, tmp_path: Path
) -> None:
    note = tmp_path / "note"

    outcome = pool.run(stubs.leave_a_native_log, str(note), time_limit_s=LIMIT_S)

    assert isinstance(outcome, Crashed)
    assert "--- opensim.log\n[error] could not find marker R.Knee" in outcome.log_tail
    assert not Path(note.read_text()).exists()


def test_half_a_result_is_no_result(stubs: ModuleType, pool: WorkerPool) -> None:
    assert isinstance(pool.run(stubs.half_a_result_then_die, time_limit_s=LIMIT_S), Crashed)


def test_a_full_disk_of_temporary_files_is_named(stubs: ModuleType, pool: WorkerPool) -> None:
    outcome = pool.run(stubs.find_the_disk_full, time_limit_s=60)

    assert isinstance(outcome, Raised)
    assert outcome.type_name == "WarehouseError"
    assert f"temporary files ({tempfile.gettempdir()}) is full. Free some space, or name a folder" in outcome.message


def test_a_result_there_was_no_room_for_is_no_crash(
    stubs: ModuleType, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))

    with pytest.raises(WarehouseError, match="TMPDIR"):
        pool.run(stubs.exit_with, 1, time_limit_s=60)


def test_no_room_for_the_call_itself_is_named(
    stubs: ModuleType, pool: WorkerPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))

    with pytest.raises(WarehouseError, match=r"can't make a temporary folder at .*absent/\.gait2hip\."):
        pool.run(stubs.double, 1.0, time_limit_s=60)


def test_a_grandchild_neither_delays_the_answer_nor_outlives_the_worker(
    stubs: ModuleType, pool: WorkerPool, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pid"
    start = time.monotonic()

    assert pool.run(stubs.leave_a_grandchild, str(pid_file), time_limit_s=LIMIT_S) == Returned(value="done")

    assert time.monotonic() - start < 20
    assert _ends_soon(_read_when_written(pid_file))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits an address space")
def test_too_much_memory_costs_the_call_only(stubs: ModuleType, pool: WorkerPool) -> None:
    outcome = pool.run(stubs.hold_memory, 4000, time_limit_s=LIMIT_S, memory_limit_mb=2000)

    assert isinstance(outcome, Raised)
    assert outcome.type_name == "MemoryError"
    assert isinstance(pool.run(stubs.hold_memory, 10, time_limit_s=LIMIT_S, memory_limit_mb=2000), Returned)


def test_several_threads_at_once_keep_their_results_and_exit_codes_apart(stubs: ModuleType) -> None:
    def call(number: int) -> object:
        if number % 3 == 0:
            return pool.run(stubs.die_by, "SIGSEGV", time_limit_s=LIMIT_S)
        return pool.run(stubs.sleep_then_double, number, time_limit_s=LIMIT_S)

    with WorkerPool(6) as pool, ThreadPoolExecutor(max_workers=6) as threads:
        outcomes = list(threads.map(call, range(30)))

    for number, outcome in enumerate(outcomes):
        if number % 3 == 0:
            assert isinstance(outcome, Crashed)
            assert outcome.exit_code == -11
        else:
            assert outcome == Returned(value=2 * number)


def test_no_more_calls_run_at_once_than_there_are_slots(stubs: ModuleType) -> None:
    with WorkerPool(1) as pool, ThreadPoolExecutor(4) as threads:
        began = time.monotonic()
        calls = [threads.submit(pool.run, stubs.sleep_then_double, 1, time_limit_s=LIMIT_S) for _ in range(4)]
        assert {call.result() for call in calls} == {Returned(value=2)}

        assert time.monotonic() - began > 4 * 0.3


def test_nothing_is_left_behind(stubs: ModuleType) -> None:
    with WorkerPool(1) as pool:
        pool.run(stubs.double, 1, time_limit_s=LIMIT_S)  # the fork server and its helpers start with the first call
    me = psutil.Process()
    before = {child.pid for child in me.children(recursive=True)}
    open_before = me.num_fds()

    for _ in range(3):
        with WorkerPool(2) as pool:
            pool.run(stubs.double, 1, time_limit_s=LIMIT_S)
            pool.run(stubs.die_by, "SIGKILL", time_limit_s=LIMIT_S)
            pool.run(stubs.double, 1, time_limit_s=LIMIT_S)

    assert {child.pid for child in me.children(recursive=True)} == before
    assert me.num_fds() <= open_before


def test_stopping_kills_what_runs_and_lets_nothing_start(stubs: ModuleType, pool: WorkerPool, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    idle = _pid(pool, stubs)
    with ThreadPoolExecutor(max_workers=1) as threads:
        future = threads.submit(pool.run, stubs.hang, str(pid_file), time_limit_s=LIMIT_S)
        pid = _read_when_written(pid_file)
        pool.stop_all()
        assert future.result(timeout=10) == Stopped()

    assert _ends_soon(pid) and _ends_soon(idle)
    assert pool.run(stubs.double, 1, time_limit_s=LIMIT_S) == Stopped()


def _pid(pool: WorkerPool, stubs: ModuleType, **limits: bool) -> int:
    outcome = pool.run(stubs.where_it_works, time_limit_s=LIMIT_S, **limits)
    assert isinstance(outcome, Returned)
    pid: int = outcome.value[0]
    return pid


def test_a_process_takes_one_call_after_another_up_to_a_number(
    stubs: ModuleType, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_pool, "CALLS_A_PROCESS", 3)

    pids = [_pid(pool, stubs) for _ in range(6)]

    assert len(set(pids[:3])) == len(set(pids[3:])) == 1
    assert pids[0] != pids[3]


def test_a_process_s_last_call_is_its_last(stubs: ModuleType, pool: WorkerPool) -> None:
    pids = [_pid(pool, stubs, is_last=True), _pid(pool, stubs, is_last=True), _pid(pool, stubs)]

    assert len(set(pids)) == 3
    assert all(_ends_soon(pid) for pid in pids[:2])


def test_one_call_leaves_nothing_to_the_next(stubs: ModuleType, pool: WorkerPool) -> None:
    first, second = (pool.run(stubs.surroundings, time_limit_s=LIMIT_S) for _ in range(2))

    assert isinstance(first, Returned) and isinstance(second, Returned)
    assert first.value["pid"] == second.value["pid"]
    assert first.value["folder"] == first.value["temporary"] != second.value["folder"] == second.value["temporary"]
    outcome = pool.run(stubs.raise_refused, time_limit_s=LIMIT_S)
    assert isinstance(outcome, Raised)
    assert outcome.log_tail == "--- worker.log\nbefore the exception"


def test_a_process_killed_between_two_calls_costs_none(stubs: ModuleType, pool: WorkerPool) -> None:
    pid = _pid(pool, stubs)
    os.kill(pid, signal.SIGKILL)
    assert _ends_soon(pid)

    assert pool.run(stubs.double, 1, time_limit_s=LIMIT_S) == Returned(value=2)


def test_leaving_with_exit_code_0_is_a_crash_at_once(stubs: ModuleType, pool: WorkerPool) -> None:
    outcome = pool.run(stubs.leave, time_limit_s=LIMIT_S)

    assert isinstance(outcome, Crashed)
    assert outcome.cause == "exit code 0"


def test_a_worker_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; sys.path.insert(0, sys.argv[1])\n"
            "import worker_stubs; from flows.workers.worker_pool import WorkerPool\n"
            "WorkerPool(1).run(worker_stubs.hang, sys.argv[2], time_limit_s=600)",
            str(HERE),
            str(pid_file),
        ]
    )
    worker = _read_when_written(pid_file)

    parent.kill()
    parent.wait()

    assert _ends_soon(worker)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt orphans")
def test_a_process_that_its_parent_left_behind_ends_with_the_call(
    stubs: ModuleType, pool: WorkerPool, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pid"
    assert isinstance(pool.run(stubs.leave_an_orphan, str(pid_file), time_limit_s=LIMIT_S), Returned)

    assert _ends_soon(_read_when_written(pid_file))


def test_a_variable_that_one_call_sets_is_not_the_next_one_s(stubs: ModuleType, pool: WorkerPool) -> None:
    outcomes = [pool.run(stubs.set_a_variable, "GAIT2HIP_ANY", time_limit_s=LIMIT_S) for _ in range(2)]

    assert outcomes == [Returned(value=None), Returned(value=None)]


def test_a_hang_on_a_full_disk_is_a_hang(
    stubs: ModuleType, pool: WorkerPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.run(stubs.double, 1.0, time_limit_s=LIMIT_S)
    monkeypatch.setattr(worker_call.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))

    assert isinstance(pool.run(stubs.hang, str(tmp_path / "pid"), time_limit_s=1.0), TimedOut)


def test_ending_idle_workers_costs_no_call(stubs: ModuleType, pool: WorkerPool) -> None:
    first = pool.run(stubs.surroundings, time_limit_s=LIMIT_S)
    pool.end_idle()
    second = pool.run(stubs.surroundings, time_limit_s=LIMIT_S)

    assert isinstance(first, Returned) and isinstance(second, Returned)
    assert first.value["pid"] != second.value["pid"]


def test_a_worker_starts_as_it_is_told_and_says_so_to_the_user() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import worker_stubs as stubs; from flows.workers.worker_pool import WorkerPool\n"
        "with WorkerPool(1, start=stubs.say_that_it_starts) as pool:\n"
        "    print([pool.run(stubs.has_started, time_limit_s=60).value for _ in range(2)])"
    )

    done = subprocess.run([sys.executable, "-c", program, str(HERE)], capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == ("['yes', 'yes']\n", "ready to work\n")


def test_what_fails_at_a_start_is_left_to_the_call_that_needs_it(stubs: ModuleType) -> None:
    with WorkerPool(1, start=stubs.fail_to_start) as pool:
        assert pool.run(stubs.double, 21, time_limit_s=LIMIT_S) == Returned(value=42)
