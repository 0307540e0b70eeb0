"""A walk's static optimization once more, with something changed: strengths, passive fibres, effort, or what is asked.

Muscles and moments are the product's own; only arrays that go into its kernels are replaced. Shapes: T muscle frames,
Q coordinates, U muscles, R actuators.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linprog

from benchmarks.solved_walks import SolvedWalk
from benchmarks.walk_dynamics import DynamicWalk, hip_forces_n
from pipeline.ground.cycles import Stride
from pipeline.mechanics.arrays import Fibres, Paths
from pipeline.mechanics.bodies.poses import body_places
from pipeline.mechanics.muscles.blocks import entry_places
from pipeline.mechanics.muscles.effort import least_effort_in_blocks
from pipeline.mechanics.muscles.equations import Equations, equations_of_any, moved_coordinates
from pipeline.mechanics.muscles.pulls import muscle_pulls
from pipeline.mechanics.muscles.static_optimization import FrameEquations, MuscleLaw, frame_equations
from pipeline.osim.exact.inverse_dynamics import moments_of
from pipeline.osim.exact.static_optimization import actuators_of, control_bounds
from pipeline.osim.joint_loads import joint_loads
from pipeline.osim.laid_muscles import laid_muscles
from pipeline.osim.motion import differentiated
from pipeline.records import Coordinates, FootWrench, JointLoads, MuscleForces, Side
from pipeline.solving.solve import SPLINE_MARGIN_FRAMES, foot_bodies, without_jitter

# Frames after the first double support, in which the hip's flexion moment may be changed.
LATE = 0.25


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is otherwise than in the recipe.

    strength_n (U,): instead of the model's. stress: muscles give their strength at any length and speed, so that effort
    is a sum of stresses. by_volume: each muscle's effort counts by its volume. least_activation: instead of the
    model's. plates_earlier_s: the plates' forces are taken so much earlier. hip_forward_m: flexion moments are taken
    about points so much further forward in the pelvis, while muscles keep their arms. flexion_at_half_nm_kg: the hip's
    flexion moment late in stance is scaled down to this at half the stride; what is less already stays.
    """

    strength_n: np.ndarray | None = None
    passive: bool = False
    stress: bool = False
    exponent: float | None = None
    by_volume: bool = False
    least_activation: float | None = None
    plates_earlier_s: float = 0.0
    hip_forward_m: float = 0.0
    flexion_at_half_nm_kg: float | None = None


AS_IS = Change()


@dataclass(frozen=True, kw_only=True)
class Effort:
    """What came of it: muscles over the walk's muscle frames, the joints' contact forces, and the equations."""

    muscles: MuscleForces
    loads: JointLoads
    frames: FrameEquations
    asked: np.ndarray
    controls: np.ndarray


@dataclass(frozen=True, kw_only=True)
class WalkEffort:
    """A walk ready to be solved again. values, speeds (T, Q); low, high (U + R,)."""

    walk: SolvedWalk
    coordinates: Coordinates
    values: np.ndarray
    speeds: np.ndarray
    paths: Paths
    fibres: Fibres
    equations: Equations
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, walk: SolvedWalk) -> "WalkEffort":
        """ValueError if the model's muscles can't be said by arrays."""
        shared, recipe = walk.person.shared, walk.person.setup.recipe
        paths, fibres = shared.muscles.paths_by(recipe.model.mechanics_used), shared.muscles.fibres
        if paths is None or fibres is None:
            raise ValueError(f"{walk.trial.name}: the muscles of model {shared.summary.name} are not arrays.")
        coordinates = without_jitter(walk.solution.kinematics.coordinates, recipe.inverse_dynamics.coordinate_cutoff_hz)
        wide, inner = _margins(walk)
        motion = differentiated(shared, coordinates.cut(wide), None, walk.person.model.parent)
        actuators, (weakest, strongest) = actuators_of(shared, recipe.static_optimization), control_bounds(shared)
        skeleton, names = shared.skeleton, shared.names
        equations = equations_of_any(
            skeleton.tree,
            moved_coordinates(skeleton.tree, paths, len(names)),
            skeleton.free.tolist(),
            [names.index(name) for name in actuators.coordinates],
            actuators.optimal.tolist(),
        )
        return cls(
            walk=walk,
            coordinates=coordinates,
            values=motion.values[inner],
            speeds=motion.speeds[inner],
            paths=paths,
            fibres=fibres,
            equations=equations,
            low=np.r_[weakest, actuators.low],
            high=np.r_[strongest, actuators.high],
        )

    def solve(self, change: Change = AS_IS) -> Effort:
        """Least effort with this changed."""
        shared, recipe = self.walk.person.shared, self.walk.person.setup.recipe
        wrenches = [_earlier(wrench, change.plates_earlier_s) for wrench in self.walk.observed.wrenches.values()]
        asked = self._asked(wrenches, change)
        fibres = self.fibres if change.strength_n is None else self.fibres._replace(strength_n=change.strength_n)
        settings = recipe.static_optimization
        law = MuscleLaw(
            settings.use_muscle_physiology and not change.stress,
            settings.passive_fibre_force or change.passive,
            recipe.model.mechanics_used == "opensim",
        )
        frames = frame_equations(
            shared.skeleton.tree, self.paths, fibres, self.equations, self.values, self.speeds, asked, law
        )
        exponent = float(change.exponent or settings.activation_exponent)
        weight = self._weight(fibres, exponent) if change.by_volume else np.ones(len(self.low))
        low, n_muscles = self.low.copy(), len(fibres.strength_n)
        if change.least_activation is not None:
            low[:n_muscles] = change.least_activation
        # Effort Σ w |x|^p is that of controls w^(1/p) x, whose gains are as much smaller.
        _, control = entry_places(self.equations.blocks)
        found = least_effort_in_blocks(
            self.equations.blocks,
            frames.entry / weight[control],
            frames.target,
            low * weight,
            self.high * weight,
            exponent,
        )
        controls = found.control / weight
        activation = controls[:, :n_muscles]
        muscles = replace(
            self.walk.solution.muscles,
            activation=activation,
            force_n=activation * frames.full_n + frames.passive_n,
            converged=found.solved,
        )
        model, mechanics = self.walk.person.model, recipe.model.mechanics_used
        laid = laid_muscles(model, self.coordinates, muscles, mechanics=mechanics)
        loads = joint_loads(
            model, self.coordinates, wrenches, laid, foot_bodies=foot_bodies(recipe), mechanics=mechanics
        )
        return Effort(muscles=muscles, loads=loads, frames=frames, asked=asked, controls=controls)

    def flexion_moment_nm_kg(self, effort: Effort, stride: Stride) -> float:
        """The hip's flexion moment at half a stride."""
        return self._at_half(effort.asked, stride) / self.walk.person.mass_kg

    def muscle_pushes_n(self, effort: Effort, side: Side, frame: int) -> np.ndarray:
        """How much each muscle (U,) adds to the hip's contact force, along that force, in one frame."""
        direction, _ = self._contact(effort, side, frame)
        return self._pushes(effort.muscles.force_n[frame], side, frame) @ direction

    def least_contact_n(self, effort: Effort, side: Side, frame: int, least_activation: float | None = None) -> float:
        """A bound on the hip's contact force in a frame, whatever muscles do that make what is asked.

        Of all activations within their bounds that make the same moments with the same reserves, those with the least
        component along the contact force found: no sharing of effort can give a smaller contact force.
        """
        n_muscles = len(self.fibres.strength_n)
        equation, control = entry_places(self.equations.blocks)
        gain = np.zeros((len(self.equations.free), len(self.low)))
        gain[equation, control] = effort.frames.entry[frame]
        controls = effort.controls[frame]
        direction, contact_n = self._contact(effort, side, frame)
        cost = np.zeros(len(controls))
        cost[:n_muscles] = self._pushes(effort.frames.full_n[frame], side, frame) @ direction
        low, high = self.low.copy(), self.high.copy()
        low[:n_muscles] = low[:n_muscles] if least_activation is None else least_activation
        low[n_muscles:] = high[n_muscles:] = controls[n_muscles:]
        least = linprog(cost, A_eq=gain, b_eq=gain @ controls, bounds=np.stack([low, high], axis=1))
        return contact_n - float(cost @ controls) + float(least.fun) if least.status == 0 else float("nan")

    def _asked(self, wrenches: list[FootWrench], change: Change) -> np.ndarray:
        person = self.walk.person
        shared, recipe = person.shared, person.setup.recipe
        wide, inner = _margins(self.walk)
        coordinates = self.coordinates.cut(wide)
        motion = differentiated(shared, coordinates, None, person.model.parent)
        law = recipe.model.mechanics_used
        asked = moments_of(shared, motion, wrenches, foot_bodies(recipe), coordinates.time_s, law)[inner]
        if change.hip_forward_m:
            for side, force_n in hip_forces_n(self._as_dynamic()).items():
                asked[:, self._flexion(side)] -= change.hip_forward_m * force_n[self.walk.observed.frames, 1]
        if change.flexion_at_half_nm_kg is not None:
            for stride in self.walk.observed.strides:
                column = self._flexion(stride.side)
                wanted_nm = change.flexion_at_half_nm_kg * person.mass_kg
                late = self.walk.known(stride) & (self.walk.phase(stride) > LATE) & (asked[:, column] > 0)
                asked[late, column] *= lowering(self._at_half(asked, stride), wanted_nm)
        return asked

    def _as_dynamic(self) -> DynamicWalk:
        person = self.walk.person
        return DynamicWalk(
            setup=person.setup,
            trial=self.walk.trial,
            static=person.static,
            model=person.model,
            observed=self.walk.observed,
            coordinates=self.coordinates,
            accepted=True,
        )

    def _at_half(self, asked: np.ndarray, stride: Stride) -> float:
        known = self.walk.known(stride)
        return float(np.interp(0.5, self.walk.phase(stride)[known], asked[known, self._flexion(stride.side)]))

    def _flexion(self, side: Side) -> int:
        return self.walk.person.shared.names.index(f"hip_flexion_{side[0]}")

    def _weight(self, fibres: Fibres, exponent: float) -> np.ndarray:
        volume = fibres.strength_n * fibres.optimal_m
        weight = np.ones(len(self.low))
        weight[: len(volume)] = (volume / volume.mean()) ** (1 / exponent)
        return weight

    def _contact(self, effort: Effort, side: Side, frame: int) -> tuple[np.ndarray, float]:
        """The pelvis's force on the femur: its direction in the ground's frame, and its size."""
        skeleton, loads = self.walk.person.shared.skeleton, effort.loads
        rotation, _ = body_places(skeleton.tree, self.values[frame : frame + 1])
        femur = skeleton.bodies.index(f"femur_{side[0]}")
        force_n = rotation[0, femur] @ loads.in_distal_n[frame, loads.joints.index(f"hip_{side[0]}")]
        size_n = float(np.linalg.norm(force_n))
        return force_n / size_n, size_n

    def _pushes(self, force_n: np.ndarray, side: Side, frame: int) -> np.ndarray:
        """What each muscle (U, 3) of these forces adds to the contact force: the reverse of its pull on the leg."""
        skeleton = self.walk.person.shared.skeleton
        poses = np.repeat(self.values[frame : frame + 1], len(force_n), axis=0)
        wrenches, _ = muscle_pulls(skeleton.tree, self.paths, poses, np.diag(force_n))
        leg = beyond(skeleton.tree.parent, skeleton.bodies.index(f"femur_{side[0]}"))
        return -wrenches[:, leg, 3:].sum(axis=1)


def lowering(found: float, wanted: float) -> float:
    """What brings a value down to the wanted one, which is positive; 1 for what is no larger, or negative."""
    return wanted / found if found > wanted else 1.0


def beyond(parent: np.ndarray, body: int) -> list[int]:
    """A body and all that it carries, numbered as in `Tree`, parents first."""
    carried = {body}
    for child in range(body + 1, len(parent)):
        if parent[child] in carried:
            carried.add(child)
    return sorted(carried)


def _margins(walk: SolvedWalk) -> tuple[slice, slice]:
    """The frames that the product differentiates for the muscles' sake, and the muscle frames among them."""
    frames = walk.observed.frames
    wide = slice(max(0, frames.start - SPLINE_MARGIN_FRAMES), frames.stop + SPLINE_MARGIN_FRAMES)
    return wide, slice(frames.start - wide.start, frames.stop - wide.start)


def _earlier(wrench: FootWrench, by_s: float) -> FootWrench:
    """The same forces, as if the plates had been read so much earlier."""
    if by_s == 0:
        return wrench

    def shifted(values: np.ndarray) -> np.ndarray:
        return np.stack([np.interp(wrench.time_s + by_s, wrench.time_s, column) for column in values.T], axis=1)

    return replace(wrench, force_n=shifted(wrench.force_n), moment_nm=shifted(wrench.moment_nm))
