"""Whether a motion is one of those a model has learned from: how far its ten angles lie from the training subjects'.

Each cycle is described by its angles' Fourier coefficients. Its distance is Mahalanobis's (1936), with the covariance
shrunk (Ledoit & Wolf 2004, J Multivar Anal 88:365), since there are more coefficients than subjects. What counts as far
is told by the training subjects themselves: each is left out once, and how far its cycles lie from the others' is how
far people of the same kind lie who were never seen.

N cycles, P points of each, C = 10 angles, F coefficients of an angle.
"""

from dataclasses import dataclass, fields

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.data.channels import ANGLES
from models.data.cycles import Cycles
from models.networks.baselines import harmonics
from models.predicting.conformal import quantile_by_subject

# As many as the ridge regression reads.
HARMONICS = 5
# Of left-out training subjects' cycles, one in twenty lies farther than the limit.
LEVEL = 0.95
_FEWEST_SUBJECTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Distances over what counts as far: `ratio` (N, 1 + C), of all angles together, then of each. Above 1: outside."""

    ratio: np.ndarray

    @property
    def together(self) -> np.ndarray:
        """(N,) of all angles together."""
        return self.ratio[:, 0]

    @property
    def outside(self) -> np.ndarray:
        """(N,) whether a cycle lies outside what the model has seen."""
        return self.together > 1

    def angles_outside(self, cycle: int) -> tuple[str, ...]:
        """Of a cycle that lies outside, the angles that do so by themselves, the farthest first.

        None where each angle is usual and their combination is not.
        """
        alone = self.ratio[cycle, 1:]
        farthest_first = np.argsort(-alone) if self.outside[cycle] else np.array([], dtype=int)
        return tuple(ANGLES[index].name for index in farthest_first if alone[index] > 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Novelty:
    """What is known of the training subjects' motion.

    `mean` and `sd` (C, F) standardise coefficients; `whitening` (C F, C F) and, for one angle at a time,
    `angle_whitening` (C, F, F) turn these into vectors whose length is the distance. `limit` (1 + C,) is what counts as
    far, of all angles together and of each; `n_subjects` (1,) have told it.
    """

    mean: np.ndarray
    sd: np.ndarray
    whitening: np.ndarray
    angle_whitening: np.ndarray
    limit: np.ndarray
    n_subjects: np.ndarray

    def __post_init__(self) -> None:
        c, f = len(ANGLES), 1 + 2 * HARMONICS
        expected = ((c, f), (c, f), (c * f, c * f), (c, f, f), (1 + c,), (1,))
        found = tuple(getattr(self, name).shape for name in _names())
        if found != expected:
            raise ValueError(f"{', '.join(_names())} have the shapes {found}, not {expected}")

    def verdict(self, angles_deg: np.ndarray) -> Verdict:
        """How far cycles (N, P, C) lie from the training subjects'. NaN is refused where cycles are made."""
        return Verdict(ratio=self.distances(_coefficients(angles_deg)) / self.limit)

    def distances(self, coefficients: np.ndarray) -> np.ndarray:
        """(N, C, F) -> (N, 1 + C): of all angles together, then of each."""
        standard = (coefficients - self.mean) / self.sd
        together = np.linalg.norm(standard.reshape(len(standard), -1) @ self.whitening.T, axis=1)
        alone = np.linalg.norm(np.einsum("ncf,cgf->ncg", standard, self.angle_whitening), axis=2)
        return np.concatenate([together[:, None], alone], axis=1)

    def to_bytes(self) -> bytes:
        """As safetensors."""
        return save({name: np.ascontiguousarray(getattr(self, name)) for name in _names()})


def from_bytes(where: str, content: bytes) -> Novelty:
    """The inverse of `Novelty.to_bytes`. ValueError names the file if it is damaged."""
    try:
        return Novelty(**load(content))
    except (SafetensorError, TypeError, ValueError) as error:
        raise ValueError(f"{where} is damaged ({error}): train the model again") from error


def fit_novelty(train: Cycles) -> Novelty | None:
    """From the training subjects' cycles; None for fewer than three subjects.

    The limit is the conformal quantile, at 95 %, of left-out subjects' distances, every subject counting the same.
    Fewer than 19 subjects can't tell it: then it is the largest of these distances.
    """
    if len(train.subjects) < _FEWEST_SUBJECTS:
        return None
    coefficients = np.concatenate([_coefficients(part.angles_deg) for part in train.blocks()])
    left_out = np.empty((len(coefficients), 1 + len(ANGLES)))
    for name in train.subjects:
        own = train.subject == name
        others = _fit(coefficients[~own], np.ones(1 + len(ANGLES)), len(train.subjects) - 1)
        left_out[own] = others.distances(coefficients[own])
    limit = quantile_by_subject(left_out, train.subject, LEVEL)
    return _fit(coefficients, np.where(np.isfinite(limit), limit, left_out.max(axis=0)), len(train.subjects))


def _fit(coefficients: np.ndarray, limit: np.ndarray, n_subjects: int) -> Novelty:
    mean, sd = coefficients.mean(axis=0), coefficients.std(axis=0)
    # A coefficient that is always the same in training: what differs from it is as far as it is.
    sd = np.where(sd > 0, sd, 1.0)
    standard = (coefficients - mean) / sd
    return Novelty(
        mean=mean,
        sd=sd,
        whitening=_whitening(standard.reshape(len(standard), -1)),
        angle_whitening=np.stack([_whitening(standard[:, angle]) for angle in range(len(ANGLES))]),
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
    return harmonics(angles_deg, HARMONICS).reshape(len(angles_deg), 1 + 2 * HARMONICS, -1).swapaxes(1, 2)


def _names() -> tuple[str, ...]:
    return tuple(field.name for field in fields(Novelty))
