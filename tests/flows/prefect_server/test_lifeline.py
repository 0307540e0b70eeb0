"""Who holds a lifeline takes along those who hang on it, however it ends; nobody else notices."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flows.prefect_server.lifeline import end_with_starter, lifeline

ROOT = Path(__file__).parents[3]
ENDS_WITHIN_S = 60

CHILD = """
import time
from flows.prefect_server.lifeline import end_with_starter
end_with_starter()
print("up", flush=True)
time.sleep(600)
"""
# The child's end closes its standard output, which is the test's own pipe. What is started in a shell's background
# ignores Ctrl-C.
STARTER = f"""
import signal, subprocess, sys, time
from pathlib import Path
from flows.prefect_server.lifeline import lifeline
signal.signal(signal.SIGINT, signal.default_int_handler)
with lifeline(Path(sys.argv[1])):
    subprocess.Popen([sys.executable, "-c", {CHILD!r}], start_new_session=True)
    time.sleep(600)
"""


def start(*words: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_a_process_ends_with_the_one_that_started_it(tmp_path: Path, how: str) -> None:
    starter = start("-c", STARTER, str(tmp_path / "pipe"))
    assert starter.stdout is not None and starter.stdout.readline() == "up\n"
    starter.send_signal(getattr(signal, how))
    # To the end of what the child may still say: to its own end, that is.
    assert starter.communicate(timeout=ENDS_WITHIN_S)[0] == ""


def test_who_comes_too_late_ends_too(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for pipe in ("pipe", "gone"):
        child = start("-c", CHILD, GAIT2HIP_LIFELINE=str(tmp_path / pipe))
        assert child.wait(timeout=ENDS_WITHIN_S) == 1


def test_without_a_lifeline_nothing_ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GAIT2HIP_LIFELINE", raising=False)
    end_with_starter()
    with lifeline(tmp_path / "pipe"):
        assert "GAIT2HIP_LIFELINE" in os.environ
    assert "GAIT2HIP_LIFELINE" not in os.environ and not (tmp_path / "pipe").exists()
