"""Bodies, angles, moments and forces that no walking person has, whatever the others in the cohort do.

Where most people are wrong in the same way, the majority is not the standard. The limits lie well beyond what
publications report of walking at any speed, so that they catch faults and not unusual people.
N cycles, C channels, P samples.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from reports.audit.curves import AuditCycles
from reports.audit.group import AuditGroup, verdicts_on
from reports.audit.verdict import AuditVerdict
from warehouse.channels import ALL_CHANNELS, FORCE_CHANNELS, INPUT_COORDINATES

# Body mass index, kg/m²: half of the third centile of healthy children, and more than any gait laboratory sees. These
# limits catch typing errors, not unusual bodies.
LEAST, MOST = 8.0, 70.0

# Degrees. Healthy walking stays within 10 of extension and 40 of flexion at the hip, 10 to either side, 15 of rotation,
# 0-70 at the knee, 20 of plantar- and 15 of dorsiflexion (Kadaba et al. 1990, J Orthop Res 8:383); crouched, stiff and
# equinus gait go 30-40 farther.
_ANGLES_DEG: Mapping[str, tuple[float, float]] = {
    "hip_flexion": (-50.0, 90.0),
    "hip_adduction": (-40.0, 40.0),
    "hip_rotation": (-60.0, 60.0),
    "knee_angle": (-30.0, 120.0),
    "ankle_angle": (-65.0, 50.0),
}
# N·m/kg. Healthy adults walking fast have 0.8 ± 0.2 of hip extension and of flexion moment, and 0.7 ± 0.1 of abduction
# moment at any speed (Fukuchi et al. 2018, PeerJ 6:e4640); rotation moments are a quarter of that. Fast adults whose
# plates lag the cameras have 1.9 here, a fault of another kind.
_MOMENTS_NM_KG: Mapping[str, tuple[float, float]] = {
    "moment_hip_flexion": (-2.2, 2.2),
    "moment_hip_adduction": (-2.0, 1.5),
    "moment_hip_rotation": (-0.8, 0.8),
}
# The body above the hip falls forward and inward at each step: where moments hardly change, they are in another unit.
LEAST_SWINGS_NM_KG: Mapping[str, float] = {"moment_hip_flexion": 0.15, "moment_hip_adduction": 0.1}
LIMITS: Mapping[str, tuple[float, float]] = {
    **{name: _ANGLES_DEG[name[:-2]] for name in INPUT_COORDINATES},
    **_MOMENTS_NM_KG,
}
# Newtons, the muscles' largest isometric forces, summed by group (Rajagopal et al. 2016, IEEE Trans Biomed Eng 63:2068,
# an adult of 75 kg).
ISOMETRIC_N: Mapping[str, float] = {
    "force_addbrev": 626,
    "force_addlong": 917,
    "force_addmag": 2389,
    "force_grac": 281,
    "force_iliopsoas": 2448,
    "force_recfem": 2192,
    "force_sart": 249,
    "force_glmax": 3338,
    "force_bflh": 1313,
    "force_hamstring": 2792,
    "force_glmed": 2730,
    "force_glmin": 1216,
    "force_tfl": 411,
    "force_piri": 1030,
}
_MODEL_KG = 75.0
# A lengthening muscle gives 1.4 times its isometric force (Thelen 2003, J Biomech Eng 125:70), a stretched one more.
_STRETCHED = 2.0
# Muscles only pull. What lies this little below zero is an interpolation's overshoot, N/kg.
_PUSH_N_KG = 0.1


def implausible_bodies(cycles: AuditCycles) -> Iterator[AuditVerdict]:
    """Subjects whose mass and height can't be those of one person."""
    bodies = zip(cycles.subject.tolist(), cycles.mass_kg.tolist(), cycles.height_m.tolist(), strict=True)
    for subject, mass_kg, height_m in sorted(set(bodies)):
        index = mass_kg / height_m**2
        if not LEAST <= index <= MOST:
            yield AuditVerdict(
                kind="body",
                subject=subject,
                condition=None,
                channel="targets",
                score=float(index),
                limit=LEAST if index < LEAST else MOST,
                found=f"{mass_kg:g} kg at {height_m:g} m, a body mass index of {index:.3g} kg/m²",
            )


def beyond_physiology(group: AuditGroup) -> Iterator[AuditVerdict]:
    """Angles, moments and muscle forces that nobody has in walking, and hip moments that hardly change."""
    for name, (least, most) in LIMITS.items():
        yield from _outside(group, name, least, most)
    for name, least_swing in LEAST_SWINGS_NM_KG.items():
        swings = np.ptp(_curves(group, name), axis=1)
        # What stands still altogether is told as flat.
        wrong = (swings > 0) & (swings < least_swing)
        text = "it changes by {score} N·m/kg over the cycle, and a leg that carries its body by more"
        yield from verdicts_on(group, "physiology", name, wrong, swings, least_swing, text)
    for name in FORCE_CHANNELS:
        yield from _beyond_strength(group, name)


def _outside(group: AuditGroup, name: str, least: float, most: float) -> Iterator[AuditVerdict]:
    curves = _curves(group, name)
    unit = "degrees" if name in INPUT_COORDINATES else "N·m/kg"
    with np.errstate(invalid="ignore"):
        low, high = curves.min(axis=1), curves.max(axis=1)
        for wrong, scores, limit in ((low < least, low, least), (high > most, high, most)):
            text = f"it reaches {{score}} {unit}, and no walk is known beyond {limit:g}"
            yield from verdicts_on(group, "physiology", name, wrong, scores, limit, text)


def _beyond_strength(group: AuditGroup, name: str) -> Iterator[AuditVerdict]:
    curves = _curves(group, name)
    with np.errstate(invalid="ignore"):
        pushes = curves.min(axis=1)
        # A child's muscles are no stronger than an adult's; a heavier person's may be, as the body is larger.
        shares = curves.max(axis=1) * np.minimum(group.cycles.mass_kg, _MODEL_KG) / ISOMETRIC_N[name]
        text = "it pushes: {score} N/kg, and muscles only pull"
        yield from verdicts_on(group, "physiology", name, pushes < -_PUSH_N_KG, pushes, -_PUSH_N_KG, text)
        text = "it pulls {score} times as hard as these muscles can at their best length"
        yield from verdicts_on(group, "physiology", name, shares > _STRETCHED, shares, _STRETCHED, text)


def _curves(group: AuditGroup, name: str) -> np.ndarray:
    """One channel's curves (N, P)."""
    return group.cycles.curves[:, ALL_CHANNELS.index(name)]
