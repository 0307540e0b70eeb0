"""How strong a person's muscles are by their volumes, which follow from mass and height.

Handsfield et al. (2014, J Biomech 47:631) measured 35 muscles of a leg in 24 healthy people by magnetic resonance: all
of them together have 47 cm³ per kg·m of mass × height, and 1285 cm³ more, and each one's volume is a straight line in
that total. A muscle's strength is its physiological cross-section, volume over optimal fibre length, times a specific
tension. The model of Rajagopal et al. (2016) took its strengths from the same regressions for a man of 75 kg and
1.70 m, with 60 N/cm²: `tests/benchmarks/test_muscle_volumes.py` finds them again.
"""

from collections.abc import Mapping, Sequence

import numpy as np

TOTAL_CM3_PER_KG_M, TOTAL_CM3 = 47.0, 1285.0
# Rajagopal et al. (2016), N/cm².
SPECIFIC_TENSION_N_CM2 = 60.0
# Slope and intercept, cm³, of each muscle's volume in the leg's total. The model's short peroneal and toe muscles are
# measured together.
VOLUME_LINES: dict[str, tuple[float, float]] = {
    "glmax": (0.123, -25.4),
    "addmag": (0.0793, -4.7),
    "glmed": (0.0478, -16.9),
    "psoas": (0.055, -117.0),
    "iliacus": (0.0248, 0.383),
    "sart": (0.0256, -18.2),
    "addlong": (0.0259, -21.9),
    "glmin": (0.0129, 12.6),
    "addbrev": (0.0137, 6.2),
    "grac": (0.0138, 6.07),
    "tfl": (0.0136, -31.5),
    "piri": (0.00372, 16.2),
    "vaslat": (0.125, -55.7),
    "vasmed": (0.0631, -16.3),
    "vasint": (0.0273, 76.5),
    "recfem": (0.0371, 4.97),
    "semimem": (0.0319, 18.2),
    "bflh": (0.0256, 24.3),
    "semiten": (0.0285, -16.8),
    "bfsh": (0.016, -13.8),
    "soleus": (0.0507, 78.2),
    "gasmed": (0.0348, 9.42),
    "gaslat": (0.0199, 8.21),
    "tibant": (0.0161, 20.3),
    "peroneals": (0.0194, -7.43),
    "tibpost": (0.0104, 30.8),
    "extensors": (0.0132, 8.7),
    "fhl": (0.0137, -18.9),
    "fdl": (0.00259, 11.6),
}
_PARTS = {"perbrev": "peroneals", "perlong": "peroneals", "edl": "extensors", "ehl": "extensors"}
_IN_PARTS = ("glmax", "glmed", "glmin", "addmag")


def measured_muscle(name: str) -> str:
    """The muscle of `VOLUME_LINES` that a unit of the Rajagopal model is part of: `glmed2_r` -> `glmed`.

    ValueError for a unit of another model.
    """
    stem = name[:-2]
    whole = next((muscle for muscle in _IN_PARTS if stem.startswith(muscle)), _PARTS.get(stem, stem))
    if whole not in VOLUME_LINES or name[-2:] not in ("_r", "_l"):
        raise ValueError(f"{name!r} is no muscle of the Rajagopal model's, whose volumes were measured.")
    return whole


def volumes_cm3(mass_kg: float, height_m: float) -> dict[str, float]:
    """One leg's muscles. ValueError where a person is so small that a line falls to zero."""
    total = TOTAL_CM3_PER_KG_M * mass_kg * height_m + TOTAL_CM3
    volumes = {muscle: slope * total + intercept for muscle, (slope, intercept) in VOLUME_LINES.items()}
    without = [muscle for muscle, volume in volumes.items() if volume <= 0]
    if without:
        raise ValueError(
            f"for {mass_kg:g} kg and {height_m:g} m the regressions leave {', '.join(without)} no volume: they were "
            "made on bigger people."
        )
    return volumes


def strengths_by_volume(
    names: Sequence[str],
    generic_strength_n: np.ndarray,
    generic_optimal_m: np.ndarray,
    optimal_m: np.ndarray,
    *,
    mass_kg: float,
    height_m: float,
) -> np.ndarray:
    """Maximum isometric forces (U,), N, of a scaled model's units with optimal fibre lengths `optimal_m` (U,).

    A muscle that the model has in parts shares its volume out as the generic model's parts do: by strength times
    optimal fibre length. ValueError for units of another model, or a person beyond the regressions.
    """
    volumes = volumes_cm3(mass_kg, height_m)
    groups = [(measured_muscle(name), name[-1]) for name in names]
    generic = generic_strength_n * generic_optimal_m
    of_group: Mapping[tuple[str, str], float] = {
        group: sum(part for part, other in zip(generic, groups, strict=True) if other == group) for group in set(groups)
    }
    share = np.array([part / of_group[group] for part, group in zip(generic, groups, strict=True)])
    volume_cm3 = np.array([volumes[muscle] for muscle, _ in groups]) * share
    return SPECIFIC_TENSION_N_CM2 * volume_cm3 / (100 * optimal_m)
