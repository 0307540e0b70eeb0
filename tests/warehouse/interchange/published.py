"""Files of the published layout, made up: four subjects, three conditions, one cycle of each."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from warehouse.channels import INPUT_COORDINATES, TargetKind
from warehouse.interchange.gait2hip60 import FILE_NAMES, OUT_COLUMNS

N_CYCLES = 12
SUBJECTS = np.repeat([f"H{number:02d}" for number in range(1, 5)], 3)
CONDITIONS = np.tile(["slow", "med", "fast"], 4)
MASS_KG = np.repeat(np.linspace(55, 90, 4), 3)
HEIGHT_M = np.repeat(np.linspace(1.55, 1.90, 4), 3)


def arrays(kind: TargetKind) -> dict[str, np.ndarray]:
    """One file's arrays, text in object arrays as the published files have it."""
    rng = np.random.default_rng(60)
    phase = np.linspace(0, 2 * np.pi, 180)
    angles = 30 * np.sin(phase[None, :, None] + rng.normal(size=(N_CYCLES, 1, 10)))
    n_targets = len(OUT_COLUMNS[kind])
    targets = 400 + 300 * np.cos(phase[None, :, None] + rng.normal(size=(N_CYCLES, 1, n_targets)))
    return {
        "X": angles.astype(np.float32),
        "Y": targets.astype(np.float32),
        "subject_id": SUBJECTS.astype(object),
        "height_m": HEIGHT_M,
        "weight_kg": MASS_KG,
        "speed_label": CONDITIONS.astype(object),
        "in_cols": np.array(INPUT_COORDINATES, dtype=object),
        "out_cols": np.array(OUT_COLUMNS[kind], dtype=object),
    }


def write(folder: Path, kind: TargetKind, changes: Mapping[str, np.ndarray | None] | None = None) -> Path:
    """Writes one file; `changes` replaces arrays, None leaves one out."""
    content = {name: values for name, values in {**arrays(kind), **(changes or {})}.items() if values is not None}
    file = folder / FILE_NAMES[kind]
    np.savez(file, **content)  # type: ignore[arg-type]
    return file
