"""The rule of tests/conftest.py: where CI runs, a test of OpenSim or of the recordings is never skipped."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"

TESTS = """
import pytest

@pytest.mark.osim
def test_osim():
    pytest.skip("no OpenSim here")

@pytest.mark.data
def test_data(shared_data):
    assert shared_data.is_dir()

def test_other():
    pytest.skip("not on this system")

@pytest.mark.osim
@pytest.mark.xfail(strict=True)
def test_known_defect():
    assert False
"""
SKIPPED_AS_A_WHOLE = 'import pytest\npytest.importorskip("no_such_library")\n\ndef test_it():\n    pass\n'


def _pytest(folder: Path, *, ci: bool, data: Path, tests: str = TESTS) -> subprocess.CompletedProcess[str]:
    (folder / "tests").mkdir()
    shutil.copy(CONFTEST, folder / "tests" / "conftest.py")
    (folder / "tests" / "test_planted.py").write_text(tests)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    osim: x\n    data: x\n")
    inherited = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests"],
        cwd=folder,
        env={
            **inherited,
            "GAIT2HIP_TEST_DATA": str(data),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            **({"CI": "true"} if ci else {}),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_newcomer_is_told_what_was_skipped_and_why(tmp_path: Path) -> None:
    done = _pytest(tmp_path, ci=False, data=tmp_path / "absent")

    assert done.returncode == 0
    assert "3 skipped, 1 xfailed" in done.stdout
    assert "1 tests skipped: no OpenSim here" in done.stdout
    assert "1 tests skipped: the shared recordings are not at" in done.stdout
    assert "GAIT2HIP_TEST_DATA" in done.stdout


def test_ci_without_the_recordings_fails_before_any_test(tmp_path: Path) -> None:
    done = _pytest(tmp_path, ci=True, data=tmp_path / "absent")

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "the shared recordings are not at" in done.stderr


def test_ci_fails_a_skipped_osim_test_and_only_that(tmp_path: Path) -> None:
    done = _pytest(tmp_path, ci=True, data=tmp_path)

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 1 passed, 1 skipped, 1 xfailed" in done.stdout
    assert "CI may not skip it: no OpenSim here" in done.stdout


def test_ci_fails_a_file_skipped_as_a_whole(tmp_path: Path) -> None:
    done = _pytest(tmp_path, ci=True, data=tmp_path, tests=SKIPPED_AS_A_WHOLE)

    assert done.returncode != 0
    assert "was skipped as a whole" in done.stdout


def test_a_file_skipped_as_a_whole_is_told(tmp_path: Path) -> None:
    done = _pytest(tmp_path, ci=False, data=tmp_path, tests=SKIPPED_AS_A_WHOLE)

    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "INTERNALERROR" not in done.stdout + done.stderr
    assert "tests/test_planted.py skipped as a whole: could not import 'no_such_library'" in done.stdout
