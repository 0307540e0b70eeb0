"""What the tests of `flows.workers.worker_pool` run in a worker process."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path


class Refused(Exception):
    """An exception that takes two arguments, as TrialRejected does."""

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(stage, reason)


def double(number: float) -> float:
    return 2 * number


def where_it_works() -> tuple[int, str, int]:
    return os.getpid(), str(Path.cwd()), os.getpgid(0)


def die_by(signal_name: str) -> None:
    print("the last words", file=sys.stderr, flush=True)
    os.kill(os.getpid(), getattr(signal, signal_name))


def exit_with(code: int) -> None:
    sys.exit(code)


def hang(pid_file: str) -> None:
    Path(pid_file).write_text(str(os.getpid()))
    print("about to hang", flush=True)
    time.sleep(600)


def raise_refused() -> None:
    print("before the exception")
    raise Refused("scale", "a marker is missing")


def megabytes(count: int) -> bytes:
    return b"x" * (count * 1024 * 1024)


def not_picklable() -> object:
    return lambda: None


def flood() -> str:
    line = "x" * 1023
    for _ in range(4096):
        print(line, file=sys.stderr)
    print("the end", file=sys.stderr)
    return "done"


def flood_and_die() -> None:
    flood()
    sys.stderr.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def leave_a_grandchild(pid_file: str) -> str:
    # It inherits every open file and pipe of the worker, and outlives it if nobody ends it.
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], close_fds=False)
    Path(pid_file).write_text(str(child.pid))
    return "done"


def leave_a_native_log(note: str) -> None:
    directory = Path(tempfile.mkdtemp())
    (directory / "opensim.log").write_text("[error] could not find marker R.Knee\n")
    Path(note).write_text(str(directory))
    os.kill(os.getpid(), signal.SIGSEGV)


def half_a_result_then_die() -> None:
    Path("result.partial").write_bytes(b"\x80\x04half")
    os.kill(os.getpid(), signal.SIGKILL)


def find_the_disk_full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def hold_memory(count_mb: int) -> int:
    return len(bytearray(count_mb * 1024 * 1024))


def sleep_then_double(number: float) -> float:
    time.sleep(0.3)
    return 2 * number


def surroundings() -> dict[str, object]:
    print("words of an earlier call")
    return {"pid": os.getpid(), "folder": str(Path.cwd()), "temporary": tempfile.gettempdir()}


def leave() -> None:
    os._exit(0)


def leave_an_orphan(pid_file: str) -> int:
    subprocess.run(["/bin/sh", "-c", f"sleep 600 & echo $! > {pid_file}"], check=True)
    return os.getpid()


def set_a_variable(name: str) -> str | None:
    before = os.environ.get(name)
    os.environ[name] = "set"
    return before


def say_that_it_starts() -> None:
    print("ready to work", file=sys.stderr, flush=True)
    os.environ["STARTED"] = "yes"


def has_started() -> str | None:
    return os.environ.get("STARTED")


def fail_to_start() -> None:
    raise RuntimeError("nothing is installed")


def compiled_when_made_ready() -> tuple[bool, int]:
    """Whether the mechanics are loaded already, and how many kernels are compiled when they are made ready again."""
    was_loaded = "pipeline.mechanics.warm_up" in sys.modules
    from pipeline.mechanics.kernel_cache import n_compiled
    from pipeline.mechanics.warm_up import ready

    before = n_compiled()
    ready()
    return was_loaded, n_compiled() - before
