"""Calibrates a trained run: the width of its prediction intervals, how much they cover, and the motion it knows.

N cycles, P points of each, K targets.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from models.data.channels import TASK_TARGETS
from models.data.cycles import Cycles
from models.predicting.conformal import (
    INTERVAL_LEVEL,
    calibration_from_errors,
    fewest_subjects,
    interval_limits,
    quantile_by_subject,
    shares_inside,
)
from models.predicting.novelty import fit_known_motion
from models.predicting.predict import predict
from models.predicting.trained_run import TrainedRun
from models.scoring.report import Coverage
from models.scoring.scorecard import TARGET_KINDS


def calibrate_run(run: TrainedRun, cycles: Cycles, device: torch.device) -> TrainedRun:
    """The run with its prediction intervals and its known motion, both from its training subjects' cycles.

    The intervals come from the errors of the run's fold runs on the subjects held out of each. A fold run is trained on
    fewer subjects than the run itself, so its errors tend to be a little larger (cross-validation for prediction
    intervals: Barber et al. 2021, Ann Stat 49:486). With too few held-out subjects there are no intervals.
    """
    held_out, predicted = predict_held_out(run, cycles, device)
    absolute_error = np.abs(predicted - held_out.measured())
    return replace(
        run,
        calibration=calibration_from_errors(absolute_error, held_out.subject, INTERVAL_LEVEL),
        known_motion=fit_known_motion(cycles.of(run.split.train or ())),
    )


def predict_held_out(run: TrainedRun, cycles: Cycles, device: torch.device) -> tuple[Cycles, np.ndarray]:
    """The cycles of the subjects held out of each fold run, and that fold run's predictions of them, (N, P, K)."""
    rows = [np.flatnonzero(np.isin(cycles.subject, fold_run.split.test)) for fold_run in run.fold_runs]
    predicted = [predict(fold_run, cycles.take(own), device) for fold_run, own in zip(run.fold_runs, rows, strict=True)]
    none = np.empty((0, *cycles.measured().shape[1:]), dtype=np.float32)
    return cycles.take(np.concatenate([np.array([], dtype=int), *rows])), np.concatenate([none, *predicted])


def coverage_on_unseen(run: TrainedRun, cycles: Cycles, device: torch.device) -> tuple[Coverage, ...]:
    """The share of measured values inside the run's intervals. Empty if the run has no intervals.

    The cycles must be of subjects that the run was not trained on.
    """
    if run.calibration is None:
        return ()
    predicted = predict(run, cycles, device)
    return tuple(_coverages(cycles, predicted, np.array(run.calibration.half_width), run.calibration.level))


def coverage_across_folds(run: TrainedRun, cycles: Cycles, device: torch.device) -> tuple[Coverage, ...]:
    """The same where no subjects are left for a test: each held-out subject inside intervals from the others' errors.

    The other fold runs were trained on that subject, so it is not wholly unseen. Empty for too few subjects.
    """
    held_out, predicted = predict_held_out(run, cycles, device)
    if len(held_out.subjects) - 1 < fewest_subjects(INTERVAL_LEVEL):
        return ()
    error = np.abs(predicted - held_out.measured())
    half_width = np.empty_like(error)
    for name in held_out.subjects:
        own = held_out.subject == name
        half_width[own] = quantile_by_subject(error[~own], held_out.subject[~own], INTERVAL_LEVEL)
    return tuple(_coverages(held_out, predicted, half_width, INTERVAL_LEVEL))


def _coverages(cycles: Cycles, predicted: np.ndarray, half_width: np.ndarray, level: float) -> Iterator[Coverage]:
    low, high = interval_limits(predicted, half_width, cycles.target_channels)
    for kind in TARGET_KINDS:
        channels = TASK_TARGETS[kind]
        columns = [index for index, channel in enumerate(cycles.target_channels) if channel in channels]
        if columns:
            lowest, highest = low[..., columns], high[..., columns]
            shares = shares_inside(cycles.measured()[..., columns], lowest, highest, cycles.subject)
            yield Coverage(
                kind=kind,
                unit=channels[0].unit,
                level=level,
                n_subjects=len(shares),
                mean_share=float(np.mean(list(shares.values()))),
                lowest_share=min(shares.values()),
                highest_share=max(shares.values()),
                mean_width=float((highest - lowest).mean()),
            )
