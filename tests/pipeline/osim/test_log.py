import errno
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.errors import TrialRejected

pytestmark = pytest.mark.osim
osim_log = pytest.importorskip("pipeline.osim.log")

FAILURES = [RuntimeError("Failed to write to the Xml file"), TrialRejected("scaling", "finished without a file")]


@pytest.mark.parametrize("failure", FAILURES)
def test_what_opensim_throws_rejects_the_trial(tmp_path: Path, failure: Exception) -> None:
    with pytest.raises(TrialRejected) as rejected, osim_log.tool_log(tmp_path, "scaling"):
        raise failure
    assert rejected.value.stage == "scaling"


@pytest.mark.parametrize("failure", FAILURES)
def test_where_the_disk_is_full_the_recording_is_not_to_blame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    monkeypatch.setattr(osim_log.shutil, "disk_usage", lambda _: SimpleNamespace(free=4096))

    with pytest.raises(OSError, match="No space left") as full, osim_log.tool_log(tmp_path, "scaling"):
        raise failure
    assert (full.value.errno, full.value.filename) == (errno.ENOSPC, str(tmp_path))
