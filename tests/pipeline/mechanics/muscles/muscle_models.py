"""Public models with their muscle paths as arrays, and poses for them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import opensim as osim

from pipeline.mechanics.arrays import Paths, Tree
from pipeline.mechanics.bodies.functions import evaluate_at
from pipeline.osim.arrays.functions import FunctionTable
from pipeline.osim.arrays.paths import read_paths
from pipeline.osim.arrays.tree import coordinate_names, read_tree

REFERENCE = Path("opensim_reference")
FILES = {
    "walking_3d": REFERENCE / "walking_3d" / "subject_walk_scaled.osim",
    "gait2354": REFERENCE / "gait2354" / "gait2354_simbody.osim",
    "gait2392_thelen": REFERENCE / "gait2392" / "gait2392_thelen2003muscle.osim",
    "gait2392_millard": REFERENCE / "gait2392" / "gait2392_millard2012muscle.osim",
}
WIDEST_RAD = 3.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MuscleModel:
    """An OpenSim model, its working state and what was read of it."""

    model: osim.Model
    tree: Tree
    paths: Paths
    coordinates: tuple[str, ...]
    muscles: tuple[str, ...]

    def poses(self, n: int, seed: int = 0) -> np.ndarray:
        """Coordinates drawn from their ranges (n, Q), coupled ones following."""
        rng, every = np.random.default_rng(seed), self.model.getCoordinateSet()
        low = np.array([max(every.get(name).getRangeMin(), -WIDEST_RAD) for name in self.coordinates])
        high = np.array([min(every.get(name).getRangeMax(), WIDEST_RAD) for name in self.coordinates])
        return self.coupled(rng.uniform(low, high, (n, len(low))))

    def coupled(self, values: np.ndarray) -> np.ndarray:
        """The same with coupled coordinates as their drivers have them."""
        values, tree = values.copy(), self.tree
        values[:, tree.dependent] = 0.0
        for dependent, driver, function in zip(tree.dependent, tree.driver, tree.coupling, strict=True):
            values[:, dependent] += [evaluate_at.py_func(tree.functions, function, x)[0] for x in values[:, driver]]
        return values


def read_muscle_model(file: Path, *, as_opensim: bool = False) -> MuscleModel:
    """A model read into arrays."""
    return as_arrays(osim.Model(str(file)), as_opensim=as_opensim)


def as_arrays(model: osim.Model, *, as_opensim: bool = False) -> MuscleModel:
    """The same of a model at hand."""
    model.finalizeConnections()
    model.initSystem()
    table = FunctionTable()
    tree, bodies = read_tree(model, table)
    names, muscles = coordinate_names(model), model.getMuscles()
    paths = read_paths(model, bodies, names, table, tree, as_opensim=as_opensim)
    return MuscleModel(
        model=model,
        tree=tree._replace(functions=table.arrays()),
        paths=paths,
        coordinates=names,
        muscles=tuple(muscles.get(i).getName() for i in range(muscles.getSize())),
    )
