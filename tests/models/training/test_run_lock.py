"""A run folder is locked by one training at a time."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from models.training.run_lock import RunLock
from warehouse.errors import WarehouseError

_HOLDS = (
    "import sys, time, pathlib; from models.training.run_lock import RunLock; "
    "lock = RunLock(pathlib.Path(sys.argv[1])); "
)
_SAYS_SO = "print('held', flush=True); time.sleep(60)"


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDS + _SAYS_SO, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match="is running: wait for its end"):
            RunLock(tmp_path / "run")
        holder.send_signal(signal.SIGKILL)

    lock = RunLock(tmp_path / "run")
    lock.release()
    lock.release()

    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_nothing_is_held(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(WarehouseError, match="can't lock"):
        RunLock(tmp_path / "file" / "run")
