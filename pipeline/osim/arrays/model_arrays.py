"""What is read of a model: its skeleton and its muscles, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.mechanics.arrays import Fibres, MarkerPlaces, Paths, Tree
from pipeline.session.recipe import MechanicsLaw


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Skeleton:
    """A model without its muscles, as arrays.

    bodies: in the tree's order. coordinates: in the model's. markers: the body's number and the place (3,) there.
    free (F,): the coordinates that neither the model holds nor a coupler ties. low and high (Q,): ranges of clamped
    coordinates, infinite for others. default (Q,).
    """

    bodies: tuple[str, ...]
    coordinates: tuple[str, ...]
    tree: Tree
    markers: dict[str, tuple[int, np.ndarray]]
    free: np.ndarray
    low: np.ndarray
    high: np.ndarray
    default: np.ndarray

    def marker_places(self, names: Sequence[str]) -> MarkerPlaces:
        """The markers of these names, in this order."""
        chosen = [self.markers[name] for name in names]
        return MarkerPlaces(
            body=np.array([body for body, _ in chosen], dtype=np.int64),
            place_m=np.array([place for _, place in chosen]).reshape(-1, 3),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MuscleArrays:
    """A model's muscles as arrays; None where arrays can't say them and OpenSim is asked, `asked` says why.

    paths: their geodesics. opensim_paths: as OpenSim lays them where that is something else than a geodesic. Both are
    there or neither is.
    """

    paths: Paths | None
    opensim_paths: Paths | None
    fibres: Fibres | None
    asked: tuple[str, ...]

    def paths_by(self, mechanics: MechanicsLaw) -> Paths | None:
        """The paths that the recipe's mechanics takes, None if OpenSim is asked for this model's muscles."""
        if self.fibres is None:
            return None
        return self.opensim_paths if mechanics == "opensim" else self.paths


NO_MUSCLES = MuscleArrays(paths=None, opensim_paths=None, fibres=None, asked=())
