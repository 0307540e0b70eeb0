import subprocess
import sys
from pathlib import Path

import c3d
import numpy as np
import pytest

from pipeline.c3d.read_c3d import read_c3d
from pipeline.virtual.files.c3d_file import C3DFile, float32s, int16s

# In a process of its own: ezc3d and OpenSim can't both live in this one.
WITH_EZC3D = """
import sys, ezc3d, numpy as np
file = ezc3d.c3d(sys.argv[1])
np.savez(sys.argv[2], points=file["data"]["points"][:3], analog=file["data"]["analogs"][0])
"""


@pytest.fixture
def walk() -> C3DFile:
    """Two markers, one of them hidden for a while, and two channels with a calibration."""
    rng = np.random.default_rng(3)
    points = np.zeros((40, 2, 4))
    points[..., :3] = rng.uniform(-4000, 4000, (40, 2, 3))
    points[10:15, 1] = [0, 0, 0, -1]
    return C3DFile(
        points=points,
        analog=rng.uniform(-20000, 20000, (400, 2)),
        parameters={
            "POINT": {"LABELS": ["HEEL", "TOE"]},
            "ANALOG": {"SCALE": float32s(0.25, -3.0), "OFFSET": int16s(12, 7), "GEN_SCALE": float32s(0.5)},
        },
    )


def test_every_reader_gets_the_same_numbers(walk: C3DFile, tmp_path: Path) -> None:
    path = walk.write(tmp_path / "walk.c3d")
    stored = walk.points[..., :3].astype("<f4").astype(float)
    stored[10:15, 1] = np.nan
    analog = (walk.analog.astype("<f4") - [12.0, 7.0]) * [0.125, -1.5]

    ours = read_c3d(path)
    subprocess.run([sys.executable, "-c", WITH_EZC3D, str(path), str(tmp_path / "ezc3d.npz")], check=True)
    ezc3d = np.load(tmp_path / "ezc3d.npz")
    with path.open("rb") as file:
        frames = list(c3d.Reader(file).read_frames())
    py_c3d = np.concatenate([channels.T for _, _, channels in frames])

    np.testing.assert_allclose(ours.markers_m * 1e3, stored, rtol=1e-12)
    np.testing.assert_allclose(ezc3d["points"].transpose(2, 1, 0), stored, rtol=1e-6)
    np.testing.assert_allclose(ours.analog, analog, rtol=1e-6)
    np.testing.assert_allclose(ezc3d["analog"].T, analog, rtol=1e-6)
    np.testing.assert_allclose(py_c3d, analog, rtol=1e-5)
    assert ours.marker_labels == ("HEEL", "TOE")


def test_the_same_content_gives_the_same_bytes(walk: C3DFile) -> None:
    assert walk.content() == walk.content()
    assert len(walk.content()) % 512 == 0


def test_a_parameter_too_long_for_the_format_is_refused_by_name() -> None:
    file = C3DFile(points=np.zeros((2, 1, 4)), parameters={"SUBJECTS": {"NAMES": ["x" * 256]}})

    with pytest.raises(ValueError, match="SUBJECTS:NAMES has the dimensions"):
        file.content()


def test_too_many_parameters_are_refused() -> None:
    many = {f"P{number}": np.zeros((90, 90), dtype="<f4") for number in range(5)}

    with pytest.raises(ValueError, match="255 at most"):
        C3DFile(points=np.zeros((2, 1, 4)), parameters={"BIG": many}).content()
