"""Plates put right as a session or a profile says: channels exchanged, scaled, reversed. The same tries what is wrong.

Channels are the plate's own, as a C3D names them: fx, fy, fz and mx, my, mz along the axes that its corners give. A
file of ground reactions has no corners: its columns' axes are meant.

Shapes: S samples.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pipeline.c3d.force_plates import plate_axes
from pipeline.errors import TrialRejected
from pipeline.records import ForcePlate, Recording
from pipeline.session.profile import CHANNELS, PlateCorrection

# Of these types a file holds where the force acts, which stays where it is whatever is done to the force.
_PRESSURE_TYPES = (0, 1)
# Below this force along the normal there is no centre of pressure.
_LEAST_N = 20.0


def with_corrected_plates(recording: Recording, corrections: Mapping[int, PlateCorrection]) -> Recording:
    """The recording with its plates corrected, and a warning for each. TrialRejected if it has no such plate."""
    if not corrections or not recording.plates:
        return recording
    numbers = {plate.number for plate in recording.plates}
    # What the reader had to leave out can't be put right after it.
    unread = {
        number: why
        for number in set(corrections) - numbers
        for why in recording.warnings
        if why.startswith(f"force plate {number} is left out")
    }
    unknown = sorted(set(corrections) - numbers - set(unread))
    if unknown:
        raise TrialRejected(
            "read_c3d",
            f"{recording.path.name}: holds the plates {', '.join(map(str, sorted(numbers)))}, and "
            f"[plates.{unknown[0]}] corrects another. Correct its number in the session or the profile.",
        )
    return replace(
        recording,
        plates=tuple(
            corrected(plate, corrections[plate.number]) if plate.number in corrections else plate
            for plate in recording.plates
        ),
        warnings=(
            *recording.warnings,
            *(
                f"plate {number} is put right as [plates.{number}] says: {how}"
                for number, how in corrections.items()
                if number not in unread
            ),
            *(f"[plates.{number}] corrects nothing here: {why}" for number, why in sorted(unread.items())),
        ),
    )


def axes_of(plate: ForcePlate) -> np.ndarray:
    """The axes of a plate's channels as columns (3, 3), in the frame that it is in."""
    return plate_axes(plate.corners_m) if plate.has_edges else np.eye(3)


def corrected(plate: ForcePlate, correction: PlateCorrection, axes: np.ndarray | None = None) -> ForcePlate:
    """The plate with its channels exchanged first, then scaled, then reversed. `axes`: its own, if known."""
    axes = axes_of(plate) if axes is None else axes
    before = np.hstack([plate.force_n @ axes, plate.moment_nm @ axes])
    order = list(range(len(CHANNELS)))
    for first, second in correction.exchange:
        one, other = CHANNELS.index(first), CHANNELS.index(second)
        order[one], order[other] = order[other], order[one]
    factors = [correction.factor(name) for name in CHANNELS]
    wrench = before[:, order] * factors
    # About the surface, so that levers to the centre of pressure lie in it.
    up = plate.normal @ axes
    to_origin = (plate.origin_m - plate.surface_m) @ axes
    if plate.type in _PRESSURE_TYPES and not np.array_equal(wrench[:, :3], before[:, :3]):
        at = _pressure(before, to_origin, up)
        wrench[:, 3:] += np.cross(at - to_origin, wrench[:, :3] - before[:, :3])
    if "free_moment" in correction.reverse:
        at = _pressure(wrench, to_origin, up)
        about = wrench[:, 3:] - np.cross(at - to_origin, wrench[:, :3])
        wrench[:, 3:] -= 2 * (about @ up)[:, None] * up
    return replace(plate, force_n=wrench[:, :3] @ axes.T, moment_nm=wrench[:, 3:] @ axes.T)


def _pressure(wrench: np.ndarray, to_origin: np.ndarray, up: np.ndarray) -> np.ndarray:
    """The centre of pressure (S, 3) from the surface's middle, in the plate's axes; zero without a force."""
    along = wrench[:, :3] @ up
    loaded = np.abs(along) >= _LEAST_N
    moment = wrench[:, 3:] + np.cross(to_origin, wrench[:, :3])
    return np.where(loaded[:, None], np.cross(up, moment) / np.where(loaded, along, 1.0)[:, None], 0.0)
