"""Made-up gait cycles whose targets are a known function of the angles."""

import numpy as np

from models.channels import ANGLES, TARGETS, Task
from models.data import Cycles

CONDITIONS = ("slow", "fast")


def made_cycles(
    *, n_subjects: int = 6, repeats: int = 2, n_points: int = 24, task: Task = "moments", seed: int = 0
) -> Cycles:
    """`repeats` cycles of each condition of each subject; targets are a fixed linear mixture of the angles."""
    rng = np.random.default_rng(seed)
    n_cycles = n_subjects * len(CONDITIONS) * repeats
    phase = np.linspace(0, 2 * np.pi, n_points)
    angles = np.zeros((n_cycles, n_points, len(ANGLES)))
    for harmonic in (1, 2):
        amplitude = rng.normal(scale=20 / harmonic, size=(2, n_cycles, 1, len(ANGLES)))
        angles += amplitude[0] * np.cos(harmonic * phase)[:, None] + amplitude[1] * np.sin(harmonic * phase)[:, None]
    mixture = np.random.default_rng(7).normal(size=(len(ANGLES), len(TARGETS[task]))) / 100
    return Cycles(
        angles_deg=angles.astype(np.float32),
        targets=(angles @ mixture + 0.5).astype(np.float32),
        target_channels=TARGETS[task],
        subject=np.repeat([f"made/S{number:02d}" for number in range(n_subjects)], len(CONDITIONS) * repeats),
        condition=np.tile(np.repeat(CONDITIONS, repeats), n_subjects),
        mass_kg=np.full(n_cycles, 70.0),
        height_m=np.full(n_cycles, 1.75),
        duration_s=np.full(n_cycles, 1.1),
    )
