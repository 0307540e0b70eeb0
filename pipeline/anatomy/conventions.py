"""Which rotation between which segments a laboratory calls what, and with which sign.

Plug-in Gait: Kadaba et al. 1990 (J Orthop Res 8:383), Davis et al. 1991 (Hum Mov Sci 10:575). Pelvis and hip tilt or
flex first, then tip sideways, then rotate. Ankle and foot are told from the foot's long axis alone, which rotates
second. Baker 2001 (Hum Mov Sci 20:155): the pelvis' rotation first, then obliquity, then tilt. ISB: Wu et al. 2002 (J
Biomech 35:543) for hip and ankle, Grood & Suntay 1983 (J Biomech Eng 105:136) for the knee, whose external rotation is
positive there and internal here, as it is everywhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.anatomy.segment_frames import Axis, Order, angles_between
from pipeline.records import SIDES, Side

# What Plug-in Gait takes a pelvis' and a foot's angles to: forward is the direction of walking, up is vertical.
WALKING = "walking direction"


@dataclass(frozen=True, slots=True, kw_only=True)
class JointConvention:
    """The rotation from one segment to another, and what the angle about each axis is called.

    A segment with a side is named without it. order: of the rotations. called: by axis, the angle's name and the sign
    that makes it what the name says for the right leg; an axis that is left out isn't reported. Seen from the left leg,
    what turns about x and y has the other sign, what turns about z the same.
    """

    name: str
    proximal: str
    distal: str
    order: Order
    called: Mapping[Axis, tuple[str, float]]


_PELVIS: Mapping[Axis, tuple[str, float]] = {"z": ("tilt", -1.0), "x": ("obliquity", -1.0), "y": ("rotation", 1.0)}
_HIP: Mapping[Axis, tuple[str, float]] = {"z": ("flexion", 1.0), "x": ("adduction", 1.0), "y": ("rotation", 1.0)}
_KNEE: Mapping[Axis, tuple[str, float]] = {"z": ("flexion", -1.0), "x": ("adduction", 1.0), "y": ("rotation", 1.0)}
# Plug-in Gait's foot is a line: it has no inversion of its own.
_LINE: Mapping[Axis, tuple[str, float]] = {"z": ("dorsiflexion", 1.0), "y": ("rotation", 1.0)}
_ANKLE: Mapping[Axis, tuple[str, float]] = {**_LINE, "x": ("inversion", 1.0)}

CONVENTIONS: tuple[JointConvention, ...] = (
    JointConvention(name="pig_pelvis", proximal=WALKING, distal="pelvis", order="ZXY", called=_PELVIS),
    JointConvention(name="baker_pelvis", proximal=WALKING, distal="pelvis", order="YXZ", called=_PELVIS),
    JointConvention(name="pig_hip", proximal="pelvis", distal="thigh", order="ZXY", called=_HIP),
    JointConvention(name="pig_knee", proximal="thigh", distal="shank", order="ZXY", called=_KNEE),
    JointConvention(name="pig_ankle", proximal="twisted shank", distal="foot", order="ZYX", called=_LINE),
    JointConvention(name="pig_foot", proximal=WALKING, distal="foot", order="ZYX", called={"y": ("progression", 1.0)}),
    JointConvention(name="isb_hip", proximal="pelvis", distal="thigh", order="ZXY", called=_HIP),
    JointConvention(name="isb_knee", proximal="thigh", distal="tibia", order="ZXY", called=_KNEE),
    JointConvention(name="isb_ankle", proximal="tibia and fibula", distal="foot", order="ZXY", called=_ANKLE),
)


def named_angles(frames: Mapping[tuple[str, Side], np.ndarray], convention: JointConvention) -> dict[str, np.ndarray]:
    """A convention's angles (T,) in degrees by their names, of each side whose two segments have frames (T, 3, 3).

    An angle that is the same seen from either side has one name without a letter.
    """
    found = {}
    for side in SIDES:
        proximal, distal = (convention.proximal, side), (convention.distal, side)
        if proximal in frames and distal in frames:
            angles = angles_between(frames[proximal], frames[distal], convention.order)
            for axis, (name, sign) in convention.called.items():
                mirrored = -1.0 if side == "left" and axis != "z" else 1.0
                found[angle_name(convention, name, side)] = mirrored * sign * np.degrees(angles[axis])
    return found


def angle_name(convention: JointConvention, name: str, side: Side) -> str:
    """`pig_hip_flexion_r`; the pelvis' tilt, which has no side, is `pig_pelvis_tilt`."""
    whole = f"{convention.name}_{name}"
    return whole if name == "tilt" else f"{whole}_{side[0]}"


def names_of_all() -> tuple[str, ...]:
    """Every angle that there is, convention by convention, the right leg's first."""
    names = [
        angle_name(convention, name, side)
        for convention in CONVENTIONS
        for side in SIDES
        for name, _ in convention.called.values()
    ]
    return tuple(dict.fromkeys(names))
