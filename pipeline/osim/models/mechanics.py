"""A model's kinematics and dynamics as arrays: computed by OpenSim, without its tools and files.

One `Mechanics` belongs to one process and one thread. Shapes: T frames, Q coordinates in the model's order, S stations
(points fixed to bodies). Radians and metres; the ground frame is OpenSim's (x forward, y up, z right).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import opensim as osim

from pipeline.osim.models.model import ModelCoordinate, load_model, summarise
from pipeline.osim.models.poses import BodyKinematics, Poses


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A point fixed to a body, at location_m (3,) in its frame."""

    body: str
    location_m: tuple[float, float, float]


class Mechanics:
    """An OpenSim model with a prescribed motion: no muscles, actuators or controllers.

    `coordinates` are the model's, in its order. TrialRejected("model", …) if the file is no model.
    """

    def __init__(self, model_file: Path) -> None:
        source = load_model(model_file)
        self.coordinates: tuple[ModelCoordinate, ...] = summarise(source).coordinates
        self.names = tuple(coordinate.name for coordinate in self.coordinates)
        # Forces don't affect kinematics and inverse dynamics, and without them poses take less time.
        source.updForceSet().clearAndDestroy()
        source.updControllerSet().clearAndDestroy()
        source.finalizeConnections()
        source.initSystem()
        self._model = source
        self._poses = Poses(source)
        self._dynamics = osim.InverseDynamicsSolver(source)

    def marker_stations(self) -> dict[str, Station]:
        """The model's markers, each as a point of its body."""
        return marker_stations(self._model)

    def positions_m(self, values: np.ndarray, stations: Sequence[Station]) -> np.ndarray:
        """Stations in the ground frame, (T, S, 3), at poses (T, Q); coupled coordinates are taken as given."""
        bodies = sorted({station.body for station in stations})
        of = np.array([bodies.index(station.body) for station in stations])
        local = np.array([station.location_m for station in stations])
        rotation, origin = self.transforms(values, bodies)
        return np.einsum("tsij,sj->tsi", rotation[:, of], local) + origin[:, of]

    def transforms(self, values: np.ndarray, bodies: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Rotations (T, B, 3, 3) from body to ground, and body origins (T, B, 3), at poses (T, Q)."""
        return self._poses.transforms(values, bodies)

    def kinematics(self, values: np.ndarray, bodies: Sequence[str]) -> BodyKinematics:
        """Bodies' places and Jacobians at poses (T, Q)."""
        return self._poses.kinematics(values, bodies)

    def jacobian(self, values: np.ndarray, stations: Sequence[Station]) -> np.ndarray:
        """Stations' derivatives with respect to each coordinate by itself, (T, S, 3, Q): metres per radian or metre."""
        bodies = sorted({station.body for station in stations})
        of = np.array([bodies.index(station.body) for station in stations])
        local = np.array([station.location_m for station in stations])
        kinematics = self._poses.kinematics(values, bodies)
        arm = np.einsum("tsij,sj->tsi", kinematics.rotation[:, of], local)
        turning, moving = kinematics.jacobian[:, of, :3], kinematics.jacobian[:, of, 3:]
        return moving + np.cross(turning, arm[..., None], axis=2)

    def mass_centre_m(self, values: np.ndarray) -> np.ndarray:
        """The whole body's centre of mass in the ground frame, (T, 3), at poses (T, Q)."""
        poses, centre_m = self._poses, np.empty((len(values), 3))
        for t in poses.at(values):
            centre_m[t] = poses.matter.calcSystemMassCenterLocationInGround(poses.state).to_numpy()
        return centre_m

    def generalized_forces(self, values: np.ndarray, speeds: np.ndarray, accelerations: np.ndarray) -> np.ndarray:
        """The generalized forces of a motion, (T, Q), N·m and N, with gravity and without external forces.

        values, speeds and accelerations (T, Q) are taken as given, coupled and locked coordinates too.
        """
        return generalized_forces(self._poses, self._dynamics, values, speeds, accelerations)

    def wrench_forces(
        self, values: np.ndarray, body: str, force_n: np.ndarray, moment_nm: np.ndarray, point_m: np.ndarray
    ) -> np.ndarray:
        """Generalized forces, (T, Q), of a force and a moment about `point_m` (T, 3) acting on a body; ground frame.

        Inverse dynamics with the wrench is `generalized_forces` less these.
        """
        kinematics = self._poses.kinematics(values, [body])
        moment = moment_nm + np.cross(point_m - kinematics.origin_m[:, 0], force_n)
        return np.einsum("tij,ti->tj", kinematics.jacobian[:, 0], np.hstack([moment, force_n]))

    def mass_matrices(self, values: np.ndarray) -> np.ndarray:
        """Generalized inertia, (T, Q, Q), at poses (T, Q): generalized forces by unit accelerations."""
        poses, mass = self._poses, osim.Matrix()
        order = np.ix_(poses.mobility, poses.mobility)
        matrices = np.empty((len(values), len(self.names), len(self.names)))
        for t in poses.at(values):
            poses.matter.calcM(poses.state, mass)
            matrices[t] = mass.to_numpy()[order]
        return matrices


def marker_stations(model: osim.Model) -> dict[str, Station]:
    """An initialised model's markers, each as a point of its body."""
    markers = model.getMarkerSet()
    stations = {}
    for i in range(markers.getSize()):
        marker = markers.get(i)
        frame = marker.getParentFrame()
        base = frame.findBaseFrame()
        at = frame.findTransformInBaseFrame().shiftFrameStationToBase(marker.get_location()).to_numpy()
        stations[marker.getName()] = Station(body=base.getName(), location_m=(at[0], at[1], at[2]))
    return stations


def generalized_forces(
    poses: Poses,
    dynamics: osim.InverseDynamicsSolver,
    values: np.ndarray,
    speeds: np.ndarray,
    accelerations: np.ndarray,
    meanwhile: Callable[[int], None] = lambda _: None,
) -> np.ndarray:
    """The generalized forces of a motion, (T, Q), less gravity and the forces that are switched on in the state.

    `meanwhile` is called with each frame's number while the state is at that frame.
    """
    needed = np.empty(values.shape)
    rows = poses.tree_order(accelerations)
    for t in poses.moving(values, speeds):
        forces = dynamics.solve(poses.state, osim.Vector.createFromMat(rows[t]))
        needed[t] = forces.to_numpy()[poses.mobility]
        meanwhile(t)
    return needed
