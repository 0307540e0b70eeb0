"""A model's kinematics and dynamics as arrays: OpenSim's own numbers, without its tools and files.

One `Mechanics` belongs to one process and one thread. Shapes: T frames, Q coordinates in the model's order, S stations
(points fixed to bodies). Radians and metres; the ground frame is OpenSim's (x forward, y up, z right).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import opensim as osim

from pipeline.osim.model import ModelCoordinate, load_model, summarise


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A point fixed to a body, at location_m (3,) in its frame."""

    body: str
    location_m: tuple[float, float, float]


class Mechanics:
    """An OpenSim model that moves as it is told: no muscles, no actuators, no controllers.

    `coordinates` are the model's, in its order. TrialRejected("model", …) if the file is no model.
    """

    def __init__(self, model_file: Path) -> None:
        source = load_model(model_file)
        self.coordinates: tuple[ModelCoordinate, ...] = summarise(source).coordinates
        self.names = tuple(coordinate.name for coordinate in self.coordinates)
        # Forces play no part in where bodies are and what moves them, and without them poses are cheaper.
        source.updForceSet().clearAndDestroy()
        source.updControllerSet().clearAndDestroy()
        source.finalizeConnections()
        self._model = source
        self._state = source.initSystem()
        self._matter = source.getMatterSubsystem()
        self._bodies = source.getBodySet()
        self._dynamics = osim.InverseDynamicsSolver(source)
        self._mobility = self._mobilities()
        self._speeds = osim.Vector(len(self.names), 0.0)

    def marker_stations(self) -> dict[str, Station]:
        """The model's own markers, each as a point of the body that carries it."""
        markers = self._model.getMarkerSet()
        found = {}
        for i in range(markers.getSize()):
            marker = markers.get(i)
            frame = marker.getParentFrame()
            base = frame.findBaseFrame()
            at = frame.findTransformInBaseFrame().shiftFrameStationToBase(marker.get_location()).to_numpy()
            found[marker.getName()] = Station(body=base.getName(), location_m=(at[0], at[1], at[2]))
        return found

    def positions_m(self, values: np.ndarray, stations: Sequence[Station]) -> np.ndarray:
        """Where stations are in the ground frame, (T, S, 3), at poses (T, Q). Coupled ones are taken as given."""
        bodies = sorted({station.body for station in stations})
        of = np.array([bodies.index(station.body) for station in stations])
        local = np.array([station.location_m for station in stations])
        rotation, origin = self.transforms(values, bodies)
        return np.einsum("tsij,sj->tsi", rotation[:, of], local) + origin[:, of]

    def transforms(self, values: np.ndarray, bodies: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Rotations (T, B, 3, 3) from body to ground, and body origins (T, B, 3), at poses (T, Q)."""
        frames = [self._bodies.get(name) for name in bodies]
        rotation, origin = np.empty((len(values), len(frames), 3, 3)), np.empty((len(values), len(frames), 3))
        for t, pose in enumerate(self._tree_order(values)):
            self._state.setQ(osim.Vector.createFromMat(pose))
            self._model.realizePosition(self._state)
            for b, frame in enumerate(frames):
                transform = frame.getTransformInGround(self._state)
                axes = transform.R().asMat33()
                rotation[t, b] = [[axes.get(i, j) for j in range(3)] for i in range(3)]
                origin[t, b] = transform.p().to_numpy()
        return rotation, origin

    def mass_centre_m(self, values: np.ndarray) -> np.ndarray:
        """The whole body's centre of mass in the ground frame, (T, 3), at poses (T, Q)."""
        found = np.empty((len(values), 3))
        for t, pose in enumerate(self._tree_order(values)):
            self._state.setQ(osim.Vector.createFromMat(pose))
            self._model.realizePosition(self._state)
            found[t] = self._matter.calcSystemMassCenterLocationInGround(self._state).to_numpy()
        return found

    def generalized_forces(self, values: np.ndarray, speeds: np.ndarray, accelerations: np.ndarray) -> np.ndarray:
        """What moves the model so, (T, Q), in N·m and N, with gravity and without any external force.

        values, speeds and accelerations (T, Q) are taken as given, coupled and locked coordinates too.
        """
        found = np.empty(values.shape)
        triples = zip(*(self._tree_order(x) for x in (values, speeds, accelerations)), strict=True)
        for t, (q, u, udot) in enumerate(triples):
            self._state.setQ(osim.Vector.createFromMat(q))
            self._state.setU(osim.Vector.createFromMat(u))
            # With the model's force set empty, what the solver takes from the model is gravity.
            forces = self._dynamics.solve(self._state, osim.Vector.createFromMat(udot))
            found[t] = forces.to_numpy()[self._mobility]
        return found

    def wrench_forces(
        self, values: np.ndarray, body: str, force_n: np.ndarray, moment_nm: np.ndarray, point_m: np.ndarray
    ) -> np.ndarray:
        """Generalized forces, (T, Q), of a force and a moment about `point_m` (T, 3) acting on a body; ground frame.

        Inverse dynamics with the wrench is `generalized_forces` less these.
        """
        frame = self._bodies.get(body)
        index, origin = frame.getMobilizedBodyIndex(), osim.Vec3(0)
        jacobian = osim.Matrix()
        found = np.empty(values.shape)
        for t, pose in enumerate(self._tree_order(values)):
            self._state.setQ(osim.Vector.createFromMat(pose))
            self._model.realizePosition(self._state)
            self._matter.calcFrameJacobian(self._state, index, origin, jacobian)
            at = frame.getPositionInGround(self._state).to_numpy()
            wrench = np.concatenate([moment_nm[t] + np.cross(point_m[t] - at, force_n[t]), force_n[t]])
            found[t] = (jacobian.to_numpy().T @ wrench)[self._mobility]
        return found

    def frame_jacobians(self, values: np.ndarray, bodies: Sequence[str]) -> np.ndarray:
        """Velocities of bodies by unit speeds, (T, B, 6, Q): angular, then of the body's origin; ground frame."""
        frames = [self._bodies.get(name) for name in bodies]
        origin, jacobian = osim.Vec3(0), osim.Matrix()
        found = np.empty((len(values), len(frames), 6, len(self.names)))
        for t, pose in enumerate(self._tree_order(values)):
            self._state.setQ(osim.Vector.createFromMat(pose))
            self._model.realizePosition(self._state)
            for b, frame in enumerate(frames):
                self._matter.calcFrameJacobian(self._state, frame.getMobilizedBodyIndex(), origin, jacobian)
                found[t, b] = jacobian.to_numpy()[:, self._mobility]
        return found

    def mass_matrices(self, values: np.ndarray) -> np.ndarray:
        """Generalized inertia, (T, Q, Q), at poses (T, Q): generalized forces by unit accelerations."""
        mass = osim.Matrix()
        found = np.empty((len(values), len(self.names), len(self.names)))
        for t, pose in enumerate(self._tree_order(values)):
            self._state.setQ(osim.Vector.createFromMat(pose))
            self._model.realizePosition(self._state)
            self._matter.calcM(self._state, mass)
            found[t] = mass.to_numpy()[np.ix_(self._mobility, self._mobility)]
        return found

    def _tree_order(self, values: np.ndarray) -> np.ndarray:
        """Columns in the order of Simbody's tree, which is not the model's."""
        if values.ndim != 2 or values.shape[1] != len(self.names):
            raise ValueError(f"values have shape {values.shape}, expected frames of {len(self.names)} coordinates.")
        ordered = np.empty(values.shape)
        ordered[:, self._mobility] = values
        return ordered

    def _mobilities(self) -> np.ndarray:
        """Which of Simbody's speeds is each coordinate's own."""
        coordinates = self._model.getCoordinateSet()
        n_speeds = self._state.getNU()
        if not n_speeds == self._state.getNQ() == len(self.names):
            raise ValueError(
                f"model {self._model.getName()} has {len(self.names)} coordinates for {self._state.getNQ()} positions "
                f"and {n_speeds} speeds; joints of quaternions can't be driven by coordinates."
            )
        found = []
        for i in range(n_speeds):
            self._state.setU(osim.Vector(n_speeds, 0.0))
            coordinates.get(i).setSpeedValue(self._state, 1.0)
            found.append(int(np.argmax(np.abs(self._state.getU().to_numpy()))))
        return np.array(found)
