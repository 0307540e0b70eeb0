"""The titles of channels on a page."""

# Titles of the columns of `cycles_as_right` that are drawn.
ANGLE_TITLES = {
    "hip_flexion_r": "hip flexion",
    "hip_adduction_r": "hip adduction",
    "hip_rotation_r": "hip internal rotation",
    "knee_angle_r": "knee flexion",
    "ankle_angle_r": "ankle dorsiflexion",
}
# Titles of both legs' angles in a release, where the cycle's own leg is the right one.
INPUT_TITLES = {
    **ANGLE_TITLES,
    **{f"{name.removesuffix('_r')}_l": f"{title}, other leg" for name, title in ANGLE_TITLES.items()},
}
MOMENT_TITLES = {
    "moment_hip_flexion": "hip flexion",
    "moment_hip_adduction": "hip adduction",
    "moment_hip_rotation": "hip internal rotation",
}
FORCE_TITLES = {
    "force_glmax": "gluteus maximus",
    "force_glmed": "gluteus medius",
    "force_glmin": "gluteus minimus",
    "force_tfl": "tensor fasciae latae",
    "force_iliopsoas": "iliopsoas",
    "force_recfem": "rectus femoris",
    "force_sart": "sartorius",
    "force_hamstring": "medial hamstrings",
    "force_bflh": "biceps femoris, long head",
    "force_addmag": "adductor magnus",
    "force_addlong": "adductor longus",
    "force_addbrev": "adductor brevis",
    "force_grac": "gracilis",
    "force_piri": "piriformis",
}
# The pelvis's force on the femur, in the femur's axes.
LOAD_TITLES = {
    "load_hip": "size",
    "load_hip_x": "forward",
    "load_hip_y": "up",
    "load_hip_z": "to the outside",
}
SECTIONS = (
    ("Joint angles", ANGLE_TITLES),
    ("Hip moments", MOMENT_TITLES),
    ("Hip muscle forces", FORCE_TITLES),
    ("Hip contact force", LOAD_TITLES),
)
