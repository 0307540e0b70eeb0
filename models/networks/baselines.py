"""The baselines: the mean curve, and a linear regression on the motion's harmonics.

N cycles, P points of each, C input channels, K targets, F features, Q conditions.
Both keep their weights as named tensors, as networks do, and predict without scikit-learn.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field

from warehouse.settings_file import Checked

_EVERY_CONDITION = "mean"
_CONDITION = "mean of "

# Penalties to choose from, in units of (standardised harmonic)² summed over cycles.
_PENALTIES = tuple(float(penalty) for penalty in np.logspace(-3, 4, 15))
_MOST_FOLDS = 5


class MeanCurveSettings(Checked):
    """The mean of the training cycles of the same condition; of all of them for a condition never seen."""

    name: Literal["mean_curve"] = "mean_curve"


class RidgeSettings(Checked):
    """Ridge regression of the target curves on the inputs' first harmonics; the penalty is cross-validated."""

    name: Literal["ridge"] = "ridge"
    harmonics: Annotated[int, Field(ge=0)] = 5


def fit_mean_curve(targets: np.ndarray, condition: np.ndarray) -> dict[str, torch.Tensor]:
    """(P, K) for each condition and for all together, from targets (N, P, K)."""
    curves = {_EVERY_CONDITION: targets.mean(axis=0)}
    for name in sorted(set(condition.tolist())):
        curves[_CONDITION + name] = targets[condition == name].mean(axis=0)
    return {name: torch.tensor(curve, dtype=torch.float32) for name, curve in curves.items()}


def predict_mean_curve(weights: Mapping[str, torch.Tensor], condition: np.ndarray) -> np.ndarray:
    """(N, P, K) for N cycles' conditions."""
    curves = [weights.get(_CONDITION + name, weights[_EVERY_CONDITION]) for name in condition.tolist()]
    return torch.stack(curves).numpy()


def fit_ridge(
    settings: RidgeSettings, inputs: np.ndarray, targets: np.ndarray, subject: np.ndarray
) -> dict[str, torch.Tensor]:
    """Weights from standardised inputs (N, P, C) and targets (N, P, K); the penalty is chosen across subjects.

    ValueError for fewer than two subjects.
    """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GridSearchCV, GroupKFold

    n_subjects = len(set(subject.tolist()))
    if n_subjects < 2:
        raise ValueError(
            f"ridge regression chooses its penalty across subjects and needs two or more: got {n_subjects}"
        )
    search = GridSearchCV(
        Ridge(),
        {"alpha": _PENALTIES},
        scoring="neg_mean_squared_error",
        cv=GroupKFold(n_splits=min(_MOST_FOLDS, n_subjects)),
    )
    curves = targets.reshape(len(targets), -1).astype(np.float64)
    search.fit(harmonics(inputs, settings.harmonics), curves, groups=subject)
    best = search.best_estimator_
    n_points, n_targets = targets.shape[1:]
    return {
        "coefficients": torch.tensor(best.coef_.reshape(n_points, n_targets, -1), dtype=torch.float32),
        "intercept": torch.tensor(best.intercept_.reshape(n_points, n_targets), dtype=torch.float32),
        "penalty": torch.tensor(search.best_params_["alpha"], dtype=torch.float64),
    }


def predict_ridge(settings: RidgeSettings, weights: Mapping[str, torch.Tensor], inputs: np.ndarray) -> np.ndarray:
    """(N, P, K) from standardised inputs (N, P, C)."""
    features = harmonics(inputs, settings.harmonics)
    coefficients, intercept = weights["coefficients"].numpy(), weights["intercept"].numpy()
    return (np.einsum("nf,pkf->npk", features, coefficients) + intercept).astype(np.float32)


def harmonics(inputs: np.ndarray, highest: int) -> np.ndarray:
    """Fourier coefficients 0 to `highest` of each channel over the cycle, (N, P, C) -> (N, F).

    F is C (1 + 2 `highest`): a mean, then a cosine and a sine amplitude of each harmonic.
    """
    # The last sample is the next foot strike, which is the first sample again.
    spectrum = np.fft.rfft(inputs[:, :-1].astype(np.float64), axis=1) / (inputs.shape[1] - 1)
    chosen = spectrum[:, : highest + 1]
    if chosen.shape[1] <= highest:
        raise ValueError(f"a cycle of {inputs.shape[1]} points has no harmonic {highest}")
    amplitudes = np.concatenate([chosen[:, :1].real, 2 * chosen[:, 1:].real, -2 * chosen[:, 1:].imag], axis=1)
    return amplitudes.reshape(len(inputs), -1)
