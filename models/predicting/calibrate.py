"""What a trained run learns about itself: how wide its intervals are, whether they hold, and which motion it knows.

N cycles, P points of each, K targets.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from models.data.channels import TARGETS
from models.data.cycles import Cycles
from models.predicting.conformal import LEVEL, calibrate, fewest_subjects, limits, quantile_by_subject, shares_inside
from models.predicting.novelty import fit_novelty
from models.predicting.predict import predict
from models.predicting.run import Run
from models.scoring.report import Coverage
from models.scoring.scorecard import KINDS


def calibrated(run: Run, cycles: Cycles, device: torch.device) -> Run:
    """The run with its intervals and the motion it knows, both told by its own training subjects' cycles.

    The intervals rest on its siblings' errors on the subjects they left out. Siblings learned from fewer subjects than
    the run did, so that their errors are rather larger than its own on strangers (cross-validation for predictive
    intervals: Barber et al. 2021, Ann Stat 49:486). There are none where too few subjects were left out.
    """
    left_out, predicted = predicted_left_out(run, cycles, device)
    return replace(
        run,
        calibration=calibrate(np.abs(predicted - left_out.measured()), left_out.subject, LEVEL),
        novelty=fit_novelty(cycles.of(run.split.train or ())),
    )


def predicted_left_out(run: Run, cycles: Cycles, device: torch.device) -> tuple[Cycles, np.ndarray]:
    """The cycles of subjects whom siblings left out, and what those siblings predict of them, (N, P, K)."""
    rows = [np.flatnonzero(np.isin(cycles.subject, sibling.split.test)) for sibling in run.siblings]
    predicted = [predict(sibling, cycles.take(own), device) for sibling, own in zip(run.siblings, rows, strict=True)]
    none = np.empty((0, *cycles.measured().shape[1:]), dtype=np.float32)
    return cycles.take(np.concatenate([np.array([], dtype=int), *rows])), np.concatenate([none, *predicted])


def coverage_on_strangers(run: Run, cycles: Cycles, device: torch.device) -> tuple[Coverage, ...]:
    """How much of what was measured the run's intervals hold, on subjects it must not know; empty if it has none."""
    if run.calibration is None:
        return ()
    predicted = predict(run, cycles, device)
    return tuple(_coverages(cycles, predicted, np.array(run.calibration.half_width), run.calibration.level))


def coverage_among_left_out(run: Run, cycles: Cycles, device: torch.device) -> tuple[Coverage, ...]:
    """The same where nobody else is left to test: each left-out subject by the intervals that the others tell.

    The others' errors are of models that have seen the subject: it is not a stranger to all of them.
    Empty where the others are too few.
    """
    left_out, predicted = predicted_left_out(run, cycles, device)
    if len(left_out.subjects) - 1 < fewest_subjects(LEVEL):
        return ()
    error = np.abs(predicted - left_out.measured())
    half_width = np.empty_like(error)
    for name in left_out.subjects:
        own = left_out.subject == name
        half_width[own] = quantile_by_subject(error[~own], left_out.subject[~own], LEVEL)
    return tuple(_coverages(left_out, predicted, half_width, LEVEL))


def _coverages(cycles: Cycles, predicted: np.ndarray, half_width: np.ndarray, level: float) -> Iterator[Coverage]:
    low, high = limits(predicted, half_width, cycles.target_channels)
    for kind in KINDS:
        columns = [index for index, channel in enumerate(cycles.target_channels) if channel in TARGETS[kind]]
        if columns:
            lowest, highest = low[..., columns], high[..., columns]
            shares = shares_inside(cycles.measured()[..., columns], lowest, highest, cycles.subject)
            yield Coverage(
                kind=kind,
                unit=TARGETS[kind][0].unit,
                level=level,
                n_subjects=len(shares),
                mean_share=float(np.mean(list(shares.values()))),
                lowest_share=min(shares.values()),
                highest_share=max(shares.values()),
                mean_width=float((highest - lowest).mean()),
            )
