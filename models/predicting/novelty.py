"""How far a motion's ten angles lie from those of the training subjects: whether a model has seen motion like it.

Each cycle is described by its angles' Fourier coefficients. Its distance is Mahalanobis's (1936), with the covariance
shrunk (Ledoit & Wolf 2004, J Multivar Anal 88:365), since there are more coefficients than subjects. The limit comes
from the training subjects: each is left out once, and the distances of its cycles from the others' are those of unseen
people of the same kind.

N cycles, P points of each, C = 10 angles, F coefficients of an angle.
"""

from dataclasses import dataclass, fields

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.data.channels import ANGLE_CHANNELS
from models.data.cycles import Cycles
from models.networks.baselines import harmonics
from models.predicting.conformal import quantile_by_subject

_HARMONICS = 5  # as many as the ridge regression reads
_LIMIT_QUANTILE = 0.95  # one in twenty cycles of left-out training subjects lies beyond the limit
_FEWEST_SUBJECTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Novelty:
    """How far N cycles lie from known motion, as a share of the limit: above 1 is outside.

    `ratio` is (N, 1 + C): of all angles together, then of each.
    """

    ratio: np.ndarray

    @property
    def together(self) -> np.ndarray:
        """(N,) the ratio of all angles together."""
        return self.ratio[:, 0]

    @property
    def outside(self) -> np.ndarray:
        """(N,) whether a cycle lies outside the motion that the model has seen."""
        return self.together > 1

    def angles_outside(self, cycle: int) -> tuple[str, ...]:
        """The angles that lie outside by themselves, farthest first, of a cycle that lies outside as a whole.

        Empty where each angle is usual and only their combination is not.
        """
        alone = self.ratio[cycle, 1:]
        farthest_first = np.argsort(-alone) if self.outside[cycle] else np.array([], dtype=int)
        return tuple(ANGLE_CHANNELS[index].name for index in farthest_first if alone[index] > 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMotion:
    """The training subjects' motion, and how far from it a cycle may lie.

    `mean` and `sd` (C, F) standardise coefficients; `whitening` (C F, C F) and, for one angle at a time,
    `angle_whitening` (C, F, F) turn these into vectors whose length is the distance. `limit` (1 + C,) is the largest
    usual distance, of all angles together and of each, over `n_subjects` (1,).
    """

    mean: np.ndarray
    sd: np.ndarray
    whitening: np.ndarray
    angle_whitening: np.ndarray
    limit: np.ndarray
    n_subjects: np.ndarray

    def __post_init__(self) -> None:
        c, f = len(ANGLE_CHANNELS), 1 + 2 * _HARMONICS
        expected = ((c, f), (c, f), (c * f, c * f), (c, f, f), (1 + c,), (1,))
        shapes = tuple(getattr(self, name).shape for name in _names())
        if shapes != expected:
            raise ValueError(f"{', '.join(_names())} have the shapes {shapes}, not {expected}")
        if wrong := [name for name in _names() if not np.isfinite(getattr(self, name)).all()]:
            raise ValueError(f"{', '.join(wrong)} hold NaN or infinity")

    def novelty(self, angles_deg: np.ndarray) -> Novelty:
        """How far cycles (N, P, C) lie from the training subjects'. Without NaN, as `Cycles` guarantees."""
        return Novelty(ratio=self.distances(_coefficients(angles_deg)) / self.limit)

    def distances(self, coefficients: np.ndarray) -> np.ndarray:
        """(N, C, F) -> (N, 1 + C): of all angles together, then of each."""
        standard = (coefficients - self.mean) / self.sd
        together = np.linalg.norm(standard.reshape(len(standard), -1) @ self.whitening.T, axis=1)
        alone = np.linalg.norm(np.einsum("ncf,cgf->ncg", standard, self.angle_whitening), axis=2)
        return np.concatenate([together[:, None], alone], axis=1)

    def to_bytes(self) -> bytes:
        """As safetensors."""
        return save({name: np.ascontiguousarray(getattr(self, name)) for name in _names()})


def known_motion_from_bytes(where: str, content: bytes) -> KnownMotion:
    """The inverse of `KnownMotion.to_bytes`. ValueError names the file (`where`) if it is damaged."""
    try:
        return KnownMotion(**load(content))
    except (SafetensorError, TypeError, ValueError) as error:
        raise ValueError(f"{where} is damaged ({error}): train the model again") from error


def fit_known_motion(train: Cycles) -> KnownMotion | None:
    """From the training subjects' cycles; None for fewer than three subjects.

    The limit is the 95 % conformal quantile of left-out subjects' distances, each subject weighted alike. With fewer
    than 19 subjects, for whom that quantile is infinite, it is the largest of these distances.
    """
    if len(train.subjects) < _FEWEST_SUBJECTS:
        return None
    coefficients = np.concatenate([_coefficients(part.angles_deg) for part in train.blocks()])
    left_out = np.empty((len(coefficients), 1 + len(ANGLE_CHANNELS)))
    for name in train.subjects:
        own = train.subject == name
        others = _fit(coefficients[~own], np.ones(1 + len(ANGLE_CHANNELS)), len(train.subjects) - 1)
        left_out[own] = others.distances(coefficients[own])
    limit = quantile_by_subject(left_out, train.subject, _LIMIT_QUANTILE)
    return _fit(coefficients, np.where(np.isfinite(limit), limit, left_out.max(axis=0)), len(train.subjects))


def _fit(coefficients: np.ndarray, limit: np.ndarray, n_subjects: int) -> KnownMotion:
    mean, sd = coefficients.mean(axis=0), coefficients.std(axis=0)
    # A coefficient that never varies in training stays unscaled.
    sd = np.where(sd > 0, sd, 1.0)
    standard = (coefficients - mean) / sd
    return KnownMotion(
        mean=mean,
        sd=sd,
        whitening=_whitening(standard.reshape(len(standard), -1)),
        angle_whitening=np.stack([_whitening(standard[:, angle]) for angle in range(len(ANGLE_CHANNELS))]),
        limit=limit,
        n_subjects=np.array([n_subjects]),
    )


def _whitening(standard: np.ndarray) -> np.ndarray:
    """(N, F) -> (F, F), W with Wᵀ W the inverse of the shrunk covariance."""
    from sklearn.covariance import ledoit_wolf

    covariance, _ = ledoit_wolf(standard, assume_centered=True)
    inverse: np.ndarray = np.linalg.inv(np.linalg.cholesky(covariance))
    return inverse


def _coefficients(angles_deg: np.ndarray) -> np.ndarray:
    """(N, P, C) -> (N, C, F)."""
    return harmonics(angles_deg, _HARMONICS).reshape(len(angles_deg), 1 + 2 * _HARMONICS, -1).swapaxes(1, 2)


def _names() -> tuple[str, ...]:
    return tuple(field.name for field in fields(KnownMotion))
