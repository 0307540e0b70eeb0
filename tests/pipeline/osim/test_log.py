import errno
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.errors import TrialRejected

pytestmark = pytest.mark.osim
osim_log = pytest.importorskip("pipeline.osim.log")


def fail_in_opensim() -> None:
    osim_log.osim.Model("there is no such file.osim")


def fail_to_finish() -> None:
    raise TrialRejected("scaling", "finished without a file")


FAILURES = [fail_in_opensim, fail_to_finish]


@pytest.mark.parametrize("failure", FAILURES)
def test_what_opensim_throws_rejects_the_trial(tmp_path: Path, failure: Callable[[], None]) -> None:
    with pytest.raises(TrialRejected) as rejected, osim_log.tool_log(tmp_path, "scaling"):
        failure()
    assert rejected.value.stage == "scaling"


def test_opensims_own_words_are_kept(tmp_path: Path) -> None:
    with pytest.raises(TrialRejected, match=r"OpenSim stopped: .*no such file"), osim_log.tool_log(tmp_path, "scaling"):
        fail_in_opensim()


@pytest.mark.parametrize("error", [RuntimeError("ours"), NotImplementedError("ours"), RecursionError("ours")])
def test_an_error_of_our_own_is_not_told_as_opensims(tmp_path: Path, error: RuntimeError) -> None:
    with pytest.raises(RuntimeError, match=r"^ours$") as raised, osim_log.tool_log(tmp_path, "scaling"):
        raise error
    assert raised.value is error


@pytest.mark.parametrize("failure", FAILURES)
def test_where_the_disk_is_full_the_recording_is_not_to_blame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Callable[[], None]
) -> None:
    monkeypatch.setattr(osim_log.shutil, "disk_usage", lambda _: SimpleNamespace(free=4096))

    with pytest.raises(OSError, match="No space left") as full, osim_log.tool_log(tmp_path, "scaling"):
        failure()
    assert (full.value.errno, full.value.filename) == (errno.ENOSPC, str(tmp_path))
