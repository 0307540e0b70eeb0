"""Putting an initialised model into poses, frame by frame, and reading where its bodies are and how they move.

OpenSim computes; this only carries numbers across, as few calls a frame as there can be: a pose goes in as one vector.
Shapes: T frames, Q coordinates in the model's order, B bodies.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import opensim as osim

from pipeline.errors import TrialRejected

# Joints whose orientation Simbody keeps as a quaternion, or may: their speeds are no rates of their coordinates.
_QUATERNIONS = {"FreeJoint", "BallJoint", "EllipsoidJoint", "ScapulothoracicJoint"}


class Poses:
    """A model and its working state, driven in the order of the model's coordinates. One process, one thread."""

    def __init__(self, model: osim.Model) -> None:
        coordinates = model.getCoordinateSet()
        self.names = tuple(coordinates.get(i).getName() for i in range(coordinates.getSize()))
        self.model = model
        self.state = model.getWorkingState()
        model.realizePosition(self.state)
        self.matter = model.getMatterSubsystem()
        self.mobility = _mobilities(model, self.state)
        self.n_bodies = _n_bodies(self.matter, self.state)
        bodies, ground = model.getBodySet(), model.getGround()
        frames = [ground, *(bodies.get(i) for i in range(bodies.getSize()))]
        self._frame = {frame.getName(): frame for frame in frames}

    def at(self, values: np.ndarray) -> Iterator[int]:
        """Each frame's number, with the state at its pose of values (T, Q), bodies in place. Couplers aren't asked."""
        for t, pose in enumerate(self.tree_order(values)):
            self.state.setQ(osim.Vector.createFromMat(pose))
            self.model.realizePosition(self.state)
            yield t

    def moving(self, values: np.ndarray, speeds: np.ndarray) -> Iterator[int]:
        """Each frame's number, with the state at its pose and its speeds (T, Q)."""
        rows = zip(self.tree_order(values), self.tree_order(speeds), strict=True)
        for t, (pose, speed) in enumerate(rows):
            self.state.setQ(osim.Vector.createFromMat(pose))
            self.state.setU(osim.Vector.createFromMat(speed))
            self.model.realizeVelocity(self.state)
            yield t

    def transforms(self, values: np.ndarray, bodies: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Rotations (T, B, 3, 3) from body to ground, and body origins (T, B, 3), at poses (T, Q)."""
        frames = [self._frame[name] for name in bodies]
        placed: list[float] = []
        for _ in self.at(values):
            _place(frames, self.state, placed)
        return _rotations_and_origins(placed, len(values), len(frames))

    def tree_order(self, values: np.ndarray) -> np.ndarray:
        """Columns in the order of Simbody's tree, which is not the model's. ValueError for a wrong shape."""
        if values.ndim != 2 or values.shape[1] != len(self.names):
            raise ValueError(f"values have shape {values.shape}, expected frames of {len(self.names)} coordinates.")
        ordered = np.empty(values.shape)
        ordered[:, self.mobility] = values
        return ordered


def _place(frames: Sequence[osim.PhysicalFrame], state: osim.State, placed: list[float]) -> None:
    """Append every frame's rotation, as a quaternion, and origin: seven numbers, each a call of its own."""
    for frame in frames:
        transform = frame.getTransformInGround(state)
        turn, at = transform.R().convertRotationToQuaternion().get, transform.p().get
        placed += (turn(0), turn(1), turn(2), turn(3), at(0), at(1), at(2))


def _rotations_and_origins(placed: list[float], n_frames: int, n_bodies: int) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(placed).reshape(n_frames, n_bodies, 7)
    return _rotation(table[..., :4]), table[..., 4:]


def _rotation(quaternion: np.ndarray) -> np.ndarray:
    """Rotation matrices (…, 3, 3) of unit quaternions (…, 4), the scalar first."""
    w, x, y, z = np.moveaxis(quaternion, -1, 0)
    rotation = np.empty((*quaternion.shape[:-1], 3, 3))
    rotation[..., 0, 0], rotation[..., 1, 1] = 1 - 2 * (y * y + z * z), 1 - 2 * (x * x + z * z)
    rotation[..., 2, 2] = 1 - 2 * (x * x + y * y)
    rotation[..., 0, 1], rotation[..., 1, 0] = 2 * (x * y - w * z), 2 * (x * y + w * z)
    rotation[..., 0, 2], rotation[..., 2, 0] = 2 * (x * z + w * y), 2 * (x * z - w * y)
    rotation[..., 1, 2], rotation[..., 2, 1] = 2 * (y * z - w * x), 2 * (y * z + w * x)
    return rotation


def _n_bodies(matter: osim.SimbodyMatterSubsystem, state: osim.State) -> int:
    """How many bodies Simbody moves, the ground and any it added to cut loops included: six rows each."""
    jacobian = osim.Matrix()
    matter.calcSystemJacobian(state, jacobian)
    return int(jacobian.nrow()) // 6


def _mobilities(model: osim.Model, state: osim.State) -> np.ndarray:
    """Which of Simbody's speeds is each coordinate's own. TrialRejected if coordinates don't change at their speeds."""
    coordinates = model.getCoordinateSet()
    n_speeds = state.getNU()
    if not n_speeds == state.getNQ() == coordinates.getSize() or not _change_at_their_speeds(model, state):
        raise TrialRejected(
            "model",
            f"model {model.getName()} turns {_turned_by_quaternions(model)} otherwise than one coordinate after the "
            "other, which engine `exact` can't drive. Put CustomJoints in their place, or name engine `tools` in the "
            "recipe.",
        )
    places = []
    before = osim.Vector(state.getU())
    for i in range(n_speeds):
        state.setU(osim.Vector(n_speeds, 0.0))
        coordinates.get(i).setSpeedValue(state, 1.0)
        places.append(int(np.argmax(np.abs(state.getU().to_numpy()))))
    state.setU(before)
    return np.array(places, dtype=int)


def _change_at_their_speeds(model: osim.Model, state: osim.State) -> bool:
    before = osim.Vector(state.getU())
    state.setU(osim.Vector.createFromMat(np.arange(1.0, state.getNU() + 1)))
    model.realizeVelocity(state)
    same = np.array_equal(state.getQDot().to_numpy(), state.getU().to_numpy())
    state.setU(before)
    return same


def _turned_by_quaternions(model: osim.Model) -> str:
    joints = model.getJointSet()
    every = [joints.get(i) for i in range(joints.getSize())]
    named = [f"{j.getName()} ({j.getConcreteClassName()})" for j in every if j.getConcreteClassName() in _QUATERNIONS]
    return ", ".join(named) or "joints"
