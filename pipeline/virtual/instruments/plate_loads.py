"""Each plate's share of a foot's load: a patch of even pressure, divided where plates meet or end.

Shapes: S analog samples, P plates. Ground frame.
"""

from collections.abc import Iterable

import numpy as np

from pipeline.virtual.laboratory import GAP_M, PLATES, Heading, boxes_m, to_room
from pipeline.virtual.records import FootLoad

# A foot's pressure is spread over about the breadth of a heel or forefoot around its centre of pressure.
PATCH_LENGTH_M = 0.06
PATCH_WIDTH_M = 0.06


def plate_channels(loads: Iterable[FootLoad], heading: Heading) -> np.ndarray:
    """Fx, Fy, Fz, Mx, My, Mz of every plate in its own axes, about its transducers, N and N·m, (S, P, 6).

    By C3D's convention it is the action on the body: Fz is negative under a foot. On the row the plates' wrenches add
    up to the feet's; what is beside it isn't measured.
    """
    surfaces = _loaded_surfaces(heading)
    wrenches = np.sum([_shared(load, surfaces) for load in loads], axis=0)
    turn = to_room(heading)
    channels = np.empty_like(wrenches)
    for index, plate in enumerate(PLATES):
        force = wrenches[:, index, :3] @ turn.T
        moment = wrenches[:, index, 3:] @ turn.T - np.cross(plate.transducers_m, force)
        channels[:, index] = np.hstack([force @ plate.axes, moment @ plate.axes])
    return channels


def _loaded_surfaces(heading: Heading) -> np.ndarray:
    """The plates' boxes, (P, 2, 2), each up to the middle of the gaps, which a stiff sole bridges."""
    surfaces = boxes_m(heading)
    order = np.argsort(surfaces[:, 0, 0])
    surfaces[order[1:], 0, 0] -= GAP_M / 2
    surfaces[order[:-1], 0, 1] += GAP_M / 2
    return surfaces


def _shared(load: FootLoad, surfaces: np.ndarray) -> np.ndarray:
    """Each plate's share of a load, (S, P, 6): force and moment about the ground's origin.

    Pressure and shear are even over the patch, so that a part of its area carries that part of the force, at the part's
    own centre. The parts' moments add up to the whole.
    """
    along_share, along_m = _overlap(load.cop_m[:, 0], PATCH_LENGTH_M, surfaces[:, 0])
    across_share, across_m = _overlap(load.cop_m[:, 2], PATCH_WIDTH_M, surfaces[:, 1])
    share = (along_share * across_share)[:, :, None]
    place = np.stack([along_m, np.zeros_like(along_m), across_m], axis=2)
    force = share * load.force_n[:, None]
    moment = np.cross(place, force)
    moment[:, :, 1] += share[:, :, 0] * load.free_moment_nm[:, None]
    return np.concatenate([force, moment], axis=2)


def _overlap(centre_m: np.ndarray, length_m: float, ranges_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The share of a length around centre_m (S,) that lies in each range (P, 2), and the middle of that part.

    (S, P) each. Both are zero where the centre is NaN because the foot is in the air.
    """
    centre = centre_m[:, None]
    low = np.maximum(centre - length_m / 2, ranges_m[:, 0])
    high = np.minimum(centre + length_m / 2, ranges_m[:, 1])
    share = np.nan_to_num(np.clip(high - low, 0.0, None) / length_m)
    return share, np.where(share > 0, np.nan_to_num((low + high) / 2), 0.0)
