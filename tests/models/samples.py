"""Made-up gait cycles whose targets are a known function of the angles, and small models to learn it."""

from typing import Any

import numpy as np
import torch

from models.data.channels import ANGLE_CHANNELS, TASK_TARGETS, Task
from models.data.cycles import Cycles, SubjectSplit
from models.training.recipe import TrainingRecipe
from models.training.train_on_split import TrainingSetup

CONDITIONS = ("slow", "fast")
OPTIMIZER = {
    "learning_rate": 1e-2,
    "weight_decay": 1e-5,
    "batch_cycles": 8,
    "gradient_clip": 0.5,
    "average_decay": 0.0,
    "precision": "single",
}


def made_cycles(
    *, n_subjects: int = 6, repeats: int = 2, n_points: int = 24, task: Task = "moments", seed: int = 0
) -> Cycles:
    """`repeats` cycles of each condition of each subject; targets are a fixed linear mixture of the angles."""
    rng = np.random.default_rng(seed)
    n_cycles = n_subjects * len(CONDITIONS) * repeats
    phase = np.linspace(0, 2 * np.pi, n_points)
    angles = np.zeros((n_cycles, n_points, len(ANGLE_CHANNELS)))
    for harmonic in (1, 2):
        amplitude = rng.normal(scale=6 / harmonic, size=(2, n_cycles, 1, len(ANGLE_CHANNELS)))
        angles += amplitude[0] * np.cos(harmonic * phase)[:, None] + amplitude[1] * np.sin(harmonic * phase)[:, None]
    mixture = np.random.default_rng(7).normal(size=(len(ANGLE_CHANNELS), len(TASK_TARGETS[task]))) / 100
    return Cycles(
        angles_deg=angles.astype(np.float32),
        targets=(angles @ mixture + 0.5).astype(np.float32),
        target_channels=TASK_TARGETS[task],
        subject=np.repeat([f"made/S{number:02d}" for number in range(n_subjects)], len(CONDITIONS) * repeats),
        condition=np.tile(np.repeat(CONDITIONS, repeats), n_subjects),
        mass_kg=np.full(n_cycles, 70.0),
        height_m=np.full(n_cycles, 1.75),
        duration_s=np.full(n_cycles, 1.1),
    )


def small_recipe(**changes: Any) -> TrainingRecipe:
    """Networks and steps small enough for a test of seconds."""
    entries: dict[str, Any] = {
        "inputs": ("angles",),
        "standardise_targets": False,
        "mirrored_left": True,
        "seed": 2025,
        "optimizer": OPTIMIZER,
        "schedule": {"shape": "constant", "warm_up_epochs": 0, "final_share": 0.0},
        "stopping": {"max_epochs": 3, "patience_epochs": 2, "min_improvement": 1e-8},
        "folds": {"count": 2},
        "lstm": {"hidden": 6},
        "transformer": {"d_model": 8, "heads": 2, "feed_forward": 8, "max_points": 30},
        "mamba": {"d_model": 8, "d_state": 2},
    }
    return TrainingRecipe.model_validate({**entries, **changes})


def small_setup(name: str, task: Task = "moments", **changes: Any) -> TrainingSetup:
    """One small model and recipe, on the CPU."""
    recipe = small_recipe(**changes)
    return TrainingSetup(model=recipe.model(name), task=task, recipe=recipe, device=torch.device("cpu"))


def halves(cycles: Cycles) -> SubjectSplit:
    """The last two subjects for the test, the others for training."""
    return SubjectSplit(train=cycles.subjects[:-2], test=cycles.subjects[-2:])
