"""An OpenSim model's markers along measured frames, as arrays."""

import numpy as np
import pytest

from pipeline.mechanics.markers.objective import TrackedFrames
from pipeline.records import Markers

exact_ik = pytest.importorskip("pipeline.osim.exact.inverse_kinematics")


def frames_of(shared: object, markers: Markers) -> TrackedFrames:
    seen = np.isfinite(markers.positions_m).all(axis=2)
    measured = np.where(seen[..., None], markers.positions_m, 0.0)
    return TrackedFrames(measured_m=measured, seen=seen, held=exact_ik.held_poses(shared, markers.time_s))
