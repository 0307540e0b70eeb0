import os
import subprocess
import sys
from pathlib import Path

import pytest

# A flow with tasks, as a program: every start is that of a fresh process.
PROGRAM = """
from flows.local_prefect import PrefectNotStarted, start_prefect
try:
    start_prefect()
except PrefectNotStarted as error:
    raise SystemExit(f"said plainly: {error}")
from prefect import flow, task

@task
def double(number):
    return 2 * number

@flow
def doubles():
    return [future.result() for future in [double.submit(number) for number in range(5)]]

print(doubles())
"""


def _start(home: Path, **environment: str) -> subprocess.Popen[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env={**inherited, "PREFECT_HOME": str(home), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_several_processes_start_at_once_on_an_empty_home(tmp_path: Path) -> None:
    processes = [_start(tmp_path / "home") for _ in range(3)]
    ends = [process.communicate(timeout=240) for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0], ends
    for output, complaints in ends:
        assert output.strip() == "[0, 2, 4, 6, 8]"
        assert complaints == ""
    assert len(list((tmp_path / "home" / "gait2hip").glob("empty-*.db"))) == 1


@pytest.mark.parametrize("obstacle", ["home is a file", "server does not answer"])
def test_a_prefect_that_does_not_start_says_why_and_what_to_do(tmp_path: Path, obstacle: str) -> None:
    if obstacle == "home is a file":
        (tmp_path / "home").touch()
        process = _start(tmp_path / "home")
        expected = "Set PREFECT_HOME to a writable folder"
    else:
        # Port 9 (discard) is where nothing answers.
        process = _start(tmp_path / "home", PREFECT_API_URL="http://127.0.0.1:9/api")
        expected = "PREFECT_API_URL"
    _, complaints = process.communicate(timeout=120)

    assert process.returncode == 1
    assert "said plainly:" in complaints
    assert expected in complaints
    assert "Traceback" not in complaints
