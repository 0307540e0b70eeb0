"""`walking5.c3d` against what OpenSim's own C3D reader makes of it.

OpenSim wrote every tenth marker frame and every hundredth force sample; its forces act at the plates' centres
(`p1_*`, `p2_*`, on the surface), with moments in N·mm about them, so a centre of pressure follows from its
own numbers: x = -my / fz, y = mx / fz. Its marker file holds five significant digits.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.c3d.force_plates import centre_of_pressure
from pipeline.c3d.read_c3d import read_c3d
from pipeline.records import Recording

pytestmark = pytest.mark.data

METRES = 1e-3

RecordLargest = Callable[[str, float, str, str], None]


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "opensim_reference" / "c3d"


@pytest.fixture(scope="module")
def recording(folder: Path) -> Recording:
    return read_c3d(folder / "walking5.c3d")


def read_sto(path: Path) -> tuple[list[str], np.ndarray]:
    """Column names and rows of an OpenSim storage file, time first."""
    lines = path.read_text().splitlines()
    start = lines.index("endheader")
    rows = [[float(word) for word in line.split()] for line in lines[start + 2 :] if line.strip()]
    return lines[start + 1].split(), np.array(rows)


def read_trc(path: Path) -> tuple[list[str], np.ndarray]:
    """Marker names and rows of a TRC file: frame, time, then x, y, z of each marker."""
    lines = path.read_text().splitlines()
    rows = [[float(word) for word in line.split("\t") if word.strip()] for line in lines[5:] if line.strip()]
    return lines[3].split()[2:], np.array(rows)


def at(times_s: np.ndarray, rate_hz: float) -> np.ndarray:
    """The samples at these times, which must be sampling times."""
    samples = np.rint(times_s * rate_hz).astype(int)
    np.testing.assert_allclose(samples / rate_hz, times_s, rtol=0, atol=1e-9)
    return samples


def test_markers_within_a_micrometre(folder: Path, recording: Recording, record_largest: RecordLargest) -> None:
    names, rows = read_trc(folder / "std_walking5_markers.trc")
    assert tuple(names) == recording.marker_labels
    ours_mm = recording.markers_m[at(rows[:, 1], recording.point_rate_hz)] / METRES
    theirs_mm = rows[:, 2:].reshape(len(rows), -1, 3)
    np.testing.assert_array_equal(np.isnan(ours_mm), np.isnan(theirs_mm))
    # What a five-digit number can be off by: half a unit of its last digit.
    seen = np.isfinite(theirs_mm)
    printed = 0.5 * 10.0 ** (np.floor(np.log10(np.abs(theirs_mm[seen]))) - 4)
    beyond_mm = (np.abs(ours_mm[seen] - theirs_mm[seen]) - printed).max()
    record_largest("walking5: markers, beyond the printed digits", max(0.0, beyond_mm), "{:.1e} mm", "0.001 mm")
    assert seen.sum() > 7_000
    assert beyond_mm <= 0.001


def test_forces_moments_and_centres_of_pressure(
    folder: Path, recording: Recording, record_largest: RecordLargest
) -> None:
    names, rows = read_sto(folder / "std_walking5_grfs.sto")
    samples = at(rows[:, 0], recording.analog_rate_hz)
    for plate in recording.plates:
        column = names.index(f"f{plate.number}_1")
        force_n, point_mm, moment_nmm = rows[:, column : column + 9].reshape(-1, 3, 3).transpose(1, 0, 2)
        ours_n = plate.force_n[samples]
        ours_nmm = (plate.moment_nm[samples] + np.cross(plate.origin_m - point_mm * METRES, ours_n)) / METRES
        force_error_n, moment_error_nmm = np.abs(ours_n - force_n).max(), np.abs(ours_nmm - moment_nmm).max()
        loaded = force_n[:, 2] > 20
        theirs_mm = point_mm[loaded].copy()
        theirs_mm[:, 0] -= moment_nmm[loaded, 1] / force_n[loaded, 2]
        theirs_mm[:, 1] += moment_nmm[loaded, 0] / force_n[loaded, 2]
        cop_error_mm = np.abs(centre_of_pressure(plate)[0][samples][loaded] / METRES - theirs_mm).max()
        record_largest("walking5: forces", force_error_n, "{:.1e} N", "0.01 N")
        record_largest("walking5: moments", moment_error_nmm, "{:.1e} N·mm", "0.1 N·mm")
        record_largest("walking5: centre of pressure above 20 N", cop_error_mm, "{:.1e} mm", "0.1 mm")
        assert loaded.sum() >= 10
        assert force_error_n <= 0.01
        assert moment_error_nmm <= 0.1
        assert cop_error_mm <= 0.1


def test_analog_channels_are_equal(folder: Path, recording: Recording) -> None:
    names, rows = read_sto(folder / "std_walking5_analog.sto")
    assert tuple(names[1:]) == recording.analog_labels
    ours = recording.analog[at(rows[:, 0], recording.analog_rate_hz)]
    np.testing.assert_allclose(ours, rows[:, 1:], rtol=1e-12, atol=1e-9)
