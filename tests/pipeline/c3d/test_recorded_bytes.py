import os
from pathlib import Path

import pytest

from pipeline.c3d import recorded_bytes as module
from pipeline.c3d.read_c3d import read_c3d
from pipeline.errors import TrialRejected
from pipeline.recordings.external_loads import naming_files, read_external_loads
from pipeline.recordings.ground_forces import read_ground_forces
from pipeline.recordings.motion_table import read_motion_table
from pipeline.recordings.trc import read_trc

READERS = {
    "walk.c3d": read_c3d,
    "walk.trc": read_trc,
    "forces.mot": read_ground_forces,
    "motion.sto": read_motion_table,
    "loads.xml": read_external_loads,
}


@pytest.mark.parametrize("name", READERS)
def test_a_named_pipe_is_refused_at_once(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(TrialRejected, match=f"{name}: this is a named pipe, expected a file"):
        READERS[name](tmp_path / name)


@pytest.mark.parametrize("name", READERS)
def test_a_folder_and_a_missing_file_are_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(TrialRejected, match=f"{name}: the file can't be read"):
        READERS[name](tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(TrialRejected, match=f"{name}: this is a folder"):
        READERS[name](tmp_path / name)


@pytest.mark.parametrize("name", READERS)
def test_an_empty_file_is_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(TrialRejected, match=name):
        READERS[name](tmp_path / name)


@pytest.mark.parametrize("name", READERS)
def test_a_file_that_may_not_be_read_is_refused_by_name(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The owner of every file, root, may read it whatever its rights say.
    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    (tmp_path / name).write_bytes(b"x")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(TrialRejected, match=rf"{name}: the file can't be read \(Permission denied\)"):
        READERS[name](tmp_path / name)


def test_a_file_beyond_any_recording_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "walk.c3d"
    with path.open("wb") as file:
        file.truncate(module.LARGEST_BYTES + 1)  # takes no room on the disk
    with pytest.raises(TrialRejected, match=r"walk\.c3d: the file has 4\.0 GiB, expected 4 at most"):
        read_c3d(path)


def test_a_pipe_beside_a_file_of_forces_is_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "loads.xml")
    assert naming_files(tmp_path / "forces.mot") == ()
