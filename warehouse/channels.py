"""The channels that models read and predict: names, order, units, and the muscles of each group.

Names are the right-hand side's, as OpenSim has them. A left cycle is the same data with r and l
exchanged; no sign changes, since the model's leg coordinates are mirrored.
"""

from typing import Literal

INPUT_COORDINATES: tuple[str, ...] = (
    "hip_flexion_r",
    "hip_adduction_r",
    "hip_rotation_r",
    "hip_flexion_l",
    "hip_adduction_l",
    "hip_rotation_l",
    "knee_angle_r",
    "ankle_angle_r",
    "knee_angle_l",
    "ankle_angle_l",
)

MOMENT_COORDINATES: tuple[str, ...] = ("hip_flexion_r", "hip_adduction_r", "hip_rotation_r")

# A stride over which the pelvis's heading changes by more is a turn. It changed by 10 at most in 70 strides of straight
# walks, by 58 and 62 in those of a turn.
TURN_DEG = 20.0

# The legs' joints whose contact force is stored, and the coordinates of each.
LOADED_JOINTS: dict[str, tuple[str, ...]] = {
    f"{joint}_{letter}": tuple(f"{coordinate}_{letter}" for coordinate in coordinates)
    for letter in "rl"
    for joint, coordinates in {
        "hip": ("hip_flexion", "hip_adduction", "hip_rotation"),
        "knee": ("knee_angle",),
        "ankle": ("ankle_angle",),
    }.items()
}

# A laboratory's angles: of what, by which convention and in which order, and each angle's positive way.
_LABORATORY_ANGLES: dict[str, tuple[str, dict[str, str]]] = {
    "pig_pelvis": (
        "Pelvis against the direction of walking, by Plug-in Gait: tilt first, then obliquity, then rotation",
        {"tilt": "anterior tilt", "obliquity": "own side up", "rotation": "own side forward"},
    ),
    "baker_pelvis": (
        "Pelvis against the direction of walking, by Baker 2001: rotation first, then obliquity, then tilt",
        {"tilt": "anterior tilt", "obliquity": "own side up", "rotation": "own side forward"},
    ),
    "pig_hip": (
        "Thigh against pelvis, by Plug-in Gait: flexion first, then adduction, then rotation",
        {"flexion": "flexion", "adduction": "adduction", "rotation": "internal rotation"},
    ),
    "pig_knee": (
        "Shank, turned back by the tibial torsion, against thigh, by Plug-in Gait: flexion first, then adduction, then "
        "rotation",
        {"flexion": "flexion", "adduction": "adduction (varus)", "rotation": "internal rotation"},
    ),
    "pig_ankle": (
        "The foot's long axis against the shank along the malleoli, by Plug-in Gait: dorsiflexion first, then rotation",
        {"dorsiflexion": "dorsiflexion", "rotation": "internal rotation"},
    ),
    "pig_foot": (
        "The foot's long axis against the direction of walking, by Plug-in Gait",
        {"progression": "toes turned in"},
    ),
    "isb_hip": (
        "Thigh against pelvis, by the ISB (Wu et al. 2002): flexion first, then adduction, then rotation",
        {"flexion": "flexion", "adduction": "adduction", "rotation": "internal rotation"},
    ),
    "isb_knee": (
        "Tibia against thigh, by Grood & Suntay 1983: flexion first, then adduction, then rotation, zero in the "
        "model's neutral pose",
        {"flexion": "flexion", "adduction": "adduction (varus)", "rotation": "internal rotation"},
    ),
    "isb_ankle": (
        "Foot against tibia and fibula, by the ISB (Wu et al. 2002): dorsiflexion first, then inversion, then rotation",
        {"dorsiflexion": "dorsiflexion", "inversion": "inversion", "rotation": "internal rotation"},
    ),
}
# What each of them is, by name: `pig_hip_flexion_r`. The pelvis' tilt is the same for either side.
LABORATORY_ANGLES: dict[str, str] = {
    f"{joint}_{angle}{letter}": f"{what}. {positive.capitalize()} is positive"
    for joint, (what, angles) in _LABORATORY_ANGLES.items()
    for side in ("_r", "_l")
    for angle, positive in angles.items()
    for letter in ([""] if angle == "tilt" else [side])
}

# The 25 hip-crossing muscle-tendon units of a leg of Rajagopal et al. (2016), in 14 groups.
MUSCLE_GROUPS: dict[str, tuple[str, ...]] = {
    "addbrev": ("addbrev_r",),
    "addlong": ("addlong_r",),
    "addmag": ("addmagDist_r", "addmagIsch_r", "addmagMid_r", "addmagProx_r"),
    "grac": ("grac_r",),
    "iliopsoas": ("iliacus_r", "psoas_r"),
    "recfem": ("recfem_r",),
    "sart": ("sart_r",),
    "glmax": ("glmax1_r", "glmax2_r", "glmax3_r"),
    "bflh": ("bflh_r",),
    "hamstring": ("semimem_r", "semiten_r"),
    "glmed": ("glmed1_r", "glmed2_r", "glmed3_r"),
    "glmin": ("glmin1_r", "glmin2_r", "glmin3_r"),
    "tfl": ("tfl_r",),
    "piri": ("piri_r",),
}

# Targets by kind: muscle forces in N/kg, moments in N·m/kg, the hip's contact force in N/kg. Models predict the first
# two, which are the published ones.
TargetKind = Literal["forces", "moments", "loads"]
PredictedKind = Literal["forces", "moments"]
FORCE_CHANNELS: tuple[str, ...] = tuple(f"force_{group}" for group in MUSCLE_GROUPS)
MOMENT_CHANNELS: tuple[str, ...] = tuple(f"moment_{name.removesuffix('_r')}" for name in MOMENT_COORDINATES)
# The hip's contact force: three components, and its size.
LOAD_CHANNELS: tuple[str, ...] = ("load_hip_x", "load_hip_y", "load_hip_z", "load_hip")
TARGET_CHANNELS: dict[TargetKind, tuple[str, ...]] = {
    "forces": FORCE_CHANNELS,
    "moments": MOMENT_CHANNELS,
    "loads": LOAD_CHANNELS,
}
# What every cycle has; cycles stored by an earlier version, and imported ones, lack the contact force.
ALL_CHANNELS: tuple[str, ...] = (*INPUT_COORDINATES, *FORCE_CHANNELS, *MOMENT_CHANNELS)


def mirrored(name: str) -> str:
    """The other leg's name: `hip_flexion_l` -> `hip_flexion_r`; a name without a side stays as it is."""
    if name.endswith("_r"):
        return name.removesuffix("_r") + "_l"
    if name.endswith("_l"):
        return name.removesuffix("_l") + "_r"
    return name


def ipsilateral(name: str) -> str:
    """The side-free name under which a right-hand channel is stored: `hip_flexion_l` -> `hip_flexion_contra`."""
    if name.endswith("_r"):
        return name.removesuffix("_r") + "_ipsi"
    if name.endswith("_l"):
        return name.removesuffix("_l") + "_contra"
    return name
