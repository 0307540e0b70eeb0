"""A model's skeleton along prescribed motions: places, Jacobians, inertia and inverse dynamics, without its muscles.

Shapes: T frames, B bodies, Q coordinates in the model's order, S stations (points fixed to bodies). Radians and metres;
the ground frame is OpenSim's (x forward, y up, z right).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.mechanics.bodies.inertia import mass_centre, mass_matrices
from pipeline.mechanics.bodies.newton_euler import generalized_forces
from pipeline.mechanics.bodies.poses import body_jacobians, body_places
from pipeline.osim.models.model import ModelCoordinate
from pipeline.osim.models.shared_model import shared_model


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A point fixed to a body, at location_m (3,) in its frame."""

    body: str
    location_m: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyKinematics:
    """Of some bodies at some poses: rotation (T, B, 3, 3) to ground, origin_m (T, B, 3), jacobian (T, B, 6, Q).

    The Jacobian's rows are the angular velocity and then the velocity of the body's origin, in ground, per unit of
    each coordinate's speed, every coordinate moving by itself.
    """

    rotation: np.ndarray
    origin_m: np.ndarray
    jacobian: np.ndarray


class Mechanics:
    """A model's skeleton with a prescribed motion: no muscles, actuators or other forces.

    `coordinates` are the model's, in its order. TrialRejected("model", …) if the file is no model, or one that arrays
    can't say.
    """

    def __init__(self, model_file: Path) -> None:
        shared = shared_model(model_file)
        self.coordinates: tuple[ModelCoordinate, ...] = shared.summary.coordinates
        self.names = shared.names
        self._skeleton = shared.skeleton
        self._tree = shared.skeleton.tree

    def marker_stations(self) -> dict[str, Station]:
        """The model's markers, each as a point of its body."""
        bodies = self._skeleton.bodies
        return {
            name: Station(body=bodies[body], location_m=(float(at[0]), float(at[1]), float(at[2])))
            for name, (body, at) in self._skeleton.markers.items()
        }

    def positions_m(self, values: np.ndarray, stations: Sequence[Station]) -> np.ndarray:
        """Stations in the ground frame, (T, S, 3), at poses (T, Q); coupled coordinates are taken as given."""
        rotation, origin = self.transforms(values, [station.body for station in stations])
        return np.einsum("tsij,sj->tsi", rotation, _places(stations)) + origin

    def transforms(self, values: np.ndarray, bodies: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Rotations (T, B, 3, 3) from body to ground, and body origins (T, B, 3), at poses (T, Q)."""
        rotation, origin = body_places(self._tree, self._frames(values))
        chosen = self._numbers(bodies)
        return rotation[:, chosen], origin[:, chosen]

    def kinematics(self, values: np.ndarray, bodies: Sequence[str]) -> BodyKinematics:
        """Bodies' places and Jacobians at poses (T, Q)."""
        rotation, origin = self.transforms(values, bodies)
        jacobian = body_jacobians(self._tree, self._frames(values), self._numbers(bodies))
        return BodyKinematics(rotation=rotation, origin_m=origin, jacobian=jacobian)

    def jacobian(self, values: np.ndarray, stations: Sequence[Station]) -> np.ndarray:
        """Stations' derivatives with respect to each coordinate by itself, (T, S, 3, Q): metres per radian or metre."""
        kinematics = self.kinematics(values, [station.body for station in stations])
        arm = np.einsum("tsij,sj->tsi", kinematics.rotation, _places(stations))
        return kinematics.jacobian[:, :, 3:] + np.cross(kinematics.jacobian[:, :, :3], arm[..., None], axis=2)

    def mass_centre_m(self, values: np.ndarray) -> np.ndarray:
        """The whole body's centre of mass in the ground frame, (T, 3), at poses (T, Q)."""
        return mass_centre(self._tree, self._frames(values))

    def generalized_forces(self, values: np.ndarray, speeds: np.ndarray, accelerations: np.ndarray) -> np.ndarray:
        """The generalized forces of a motion, (T, Q), N·m and N, with gravity and without external forces.

        values, speeds and accelerations (T, Q) are taken as given, coupled and locked coordinates too.
        """
        moved, moving, changing = (self._frames(each) for each in (values, speeds, accelerations))
        nobody, nothing = np.zeros(0, dtype=np.int64), np.zeros((len(values), 0, 6))
        return generalized_forces(self._tree, moved, moving, changing, nobody, nothing, False)

    def wrench_forces(
        self, values: np.ndarray, body: str, force_n: np.ndarray, moment_nm: np.ndarray, point_m: np.ndarray
    ) -> np.ndarray:
        """Generalized forces, (T, Q), of a force and a moment about `point_m` (T, 3) acting on a body; ground frame.

        Inverse dynamics with the wrench is `generalized_forces` less these.
        """
        kinematics = self.kinematics(values, [body])
        moment = moment_nm + np.cross(point_m - kinematics.origin_m[:, 0], force_n)
        return np.einsum("tij,ti->tj", kinematics.jacobian[:, 0], np.hstack([moment, force_n]))

    def mass_matrices(self, values: np.ndarray) -> np.ndarray:
        """Generalized inertia, (T, Q, Q), at poses (T, Q): generalized forces by unit accelerations."""
        return mass_matrices(self._tree, self._frames(values))

    def _numbers(self, bodies: Sequence[str]) -> np.ndarray:
        return np.array([self._skeleton.bodies.index(body) for body in bodies], dtype=np.int64)

    def _frames(self, values: np.ndarray) -> np.ndarray:
        if values.ndim != 2 or values.shape[1] != len(self.names):
            raise ValueError(f"values have shape {values.shape}, expected frames of {len(self.names)} coordinates.")
        return np.ascontiguousarray(values, dtype=float)


def _places(stations: Sequence[Station]) -> np.ndarray:
    return np.array([station.location_m for station in stations]).reshape(-1, 3)
