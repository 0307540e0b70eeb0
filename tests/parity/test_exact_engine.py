"""Engine `exact` against OpenSim's own tools, tightened as far as they go: walking_3d, and three of the adults.

gait2354, with Thelen's muscles, is in test_gait2354.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.records import (
    Coordinates,
    CoordinateTask,
    FootWrench,
    GeneralizedForces,
    KinematicsResult,
    Markers,
    MuscleForces,
    Side,
)
from pipeline.session.recipe import Recipe
from tests.parity.recorded_sessions import adult_sessions
from tests.parity.test_adults_reference_ik import LEGS, markers_in_their_frame
from tests.parity.tool_effort import controls, least_for_the_same, optimal_forces
from tests.parity.walking_3d import CUT_SHORT, FEET, Walk, plate_wrench, solved_walk
from tests.pipeline.osim.settings import effort_settings, ik_settings

pytestmark = [pytest.mark.osim, pytest.mark.data]
engines = pytest.importorskip("pipeline.osim.engines")
compared_paths = pytest.importorskip("pipeline.osim.compared_paths")
laid = pytest.importorskip("tests.pipeline.osim.laid")
files = pytest.importorskip("pipeline.osim.files")

TrcReader = Callable[[Path, float, float], Markers]
TaskReader = Callable[[Path], tuple[dict[str, float], list[CoordinateTask]]]
RecordLargest = Callable[[str, float, str, str], None]

GENERIC = Path("opensim_reference", "rajagopal2016", "Rajagopal2016.osim")
# The tool needs 0.4 s a frame at this accuracy.
TIGHT = 1e-9
SOME = slice(48, 56)
EFFORT = {
    "use_muscle_physiology": True,
    "reserve_optimal_nm": 1.0,
    "residual_optimal_n": 10.0,
    "residual_optimal_nm": 10.0,
    "convergence_criterion": 1e-8,
    "max_iterations": 1000,
}


@pytest.fixture(scope="module")
def walk(
    shared_data: Path, read_trc: TrcReader, read_tasks: TaskReader, tmp_path_factory: pytest.TempPathFactory
) -> Walk:
    folder = shared_data / "opensim_reference" / "walking_3d"
    weights, _ = read_tasks(folder / "ik_tasks_walk.xml")
    markers = read_trc(folder / "markers_walk.trc", 0.0, 10.0)
    return solved_walk(folder, markers, weights, tmp_path_factory.mktemp("exact"))


def cost_m2(found: KinematicsResult, weights: dict[str, float]) -> np.ndarray:
    """The objective of each frame, (T,)."""
    return np.nansum(found.marker_error_m**2 * [weights[name] for name in found.marker_names], axis=1)


def apart_deg(one: Coordinates, other: Coordinates) -> np.ndarray:
    return np.degrees(np.abs(np.column_stack([one.column(name) - other.column(name) for name in LEGS])))


def test_inverse_kinematics_on_walking_3d(walk: Walk, tmp_path: Path, record_largest: RecordLargest) -> None:
    theirs = engines.load_engine("tools").inverse_kinematics(
        walk.model, walk.markers.cut(SOME), marker_weights=walk.weights, settings=ik_settings(TIGHT), directory=tmp_path
    )
    excess = cost_m2(walk.found, walk.weights)[SOME] / cost_m2(theirs, walk.weights) - 1
    apart = apart_deg(walk.found.coordinates.cut(SOME), theirs.coordinates)
    record_largest("exact: walking_3d IK, objective above the tool's at 1e-9", excess.max(), "{:.1e}", "1e-6")
    record_largest("exact: walking_3d IK, leg angles from the tool's at 1e-9", apart.max(), "{:.4f} degrees", "0.05")
    assert excess.max() <= 1e-6  # the tool prints its markers with eight digits
    assert apart.max() <= 0.05


def test_no_pose_nearby_is_better(walk: Walk, tmp_path: Path) -> None:
    """Markers moved to where the pose has them are met exactly; measured ones are at least as near as any others."""
    from pipeline.osim.models.mechanics import Mechanics

    mechanics = Mechanics(walk.model)
    stations = [mechanics.marker_stations()[name] for name in walk.found.marker_names]
    weight = np.array([walk.weights[name] for name in walk.found.marker_names])
    measured = np.stack([walk.markers.marker(name) for name in walk.found.marker_names], axis=1)[::20]
    poses, best = walk.found.coordinates.values[::20], cost_m2(walk.found, walk.weights)[::20]
    legs = [walk.found.coordinates.names.index(name) for name in LEGS if not name.startswith("knee")]
    for column in legs:
        for step in (-1e-4, 1e-4):
            moved = poses.copy()
            moved[:, column] += step
            error = mechanics.positions_m(moved, stations) - measured
            assert ((error**2).sum(axis=2) @ weight >= best).all(), walk.found.coordinates.names[column]


def test_inverse_dynamics_on_walking_3d(walk: Walk, tmp_path: Path, record_largest: RecordLargest) -> None:
    theirs = engines.load_engine("tools").inverse_dynamics(
        walk.model, walk.motion, walk.wrenches, foot_bodies=FEET, mechanics="opensim", directory=tmp_path
    )
    apart = np.abs(walk.moments.values - theirs.values).max()
    record_largest("exact: walking_3d ID, from the tool's", apart, "{:.1e} N·m or N", "1e-3")
    assert apart <= 1e-3


# Cubed, residuals of 10 N cost a million times what muscles do, and the tool no longer sees these: from one run to the
# next, with coordinates 4e-9 rad apart, its forces of one frame moved by 17 N. Stronger ones leave muscles their say.
RESIDUAL = {2: EFFORT["residual_optimal_n"], 3: 1000.0}


def muscles_by(engine: str, walk: Walk, model: Path, exponent: int, directory: Path) -> MuscleForces:
    residual = {"residual_optimal_n": RESIDUAL[exponent], "residual_optimal_nm": RESIDUAL[exponent]}
    return engines.load_engine(engine).static_optimization(
        model,
        walk.motion.cut(SOME),
        walk.wrenches,
        foot_bodies=FEET,
        mechanics="opensim",
        settings=effort_settings(activation_exponent=exponent, **EFFORT | residual),
        directory=directory,
    )


@pytest.fixture(scope="module")
def one_surface(walk: Walk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model, all of whose paths OpenSim lays to the end."""
    file = tmp_path_factory.mktemp("one_surface") / "model.osim"
    return compared_paths.with_one_surface(walk.model, CUT_SHORT, file)


@pytest.fixture(scope="module")
def de_groote(one_surface: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model with the muscles of De Groote et al. (2016)."""
    import opensim as osim

    model = osim.Model(str(one_surface))
    osim.DeGrooteFregly2016Muscle.replaceMuscles(model)
    file = tmp_path_factory.mktemp("de_groote") / "model.osim"
    model.printToXML(str(file))
    return file


@pytest.mark.parametrize(("muscles", "exponent"), [("Millard's", 2), ("Millard's", 3), ("De Groote's", 2)])
def test_static_optimization_on_walking_3d(
    walk: Walk,
    one_surface: Path,
    de_groote: Path,
    muscles: str,
    exponent: int,
    tmp_path: Path,
    record_largest: RecordLargest,
) -> None:
    """Where the paths agree: without the second surface of the one muscle whose path OpenSim cuts short."""
    model = {"Millard's": one_surface, "De Groote's": de_groote}[muscles]
    ours, theirs = (muscles_by(engine, walk, model, exponent, tmp_path / engine) for engine in ("exact", "tools"))
    apart = np.sqrt(((ours.force_n - theirs.force_n) ** 2).mean())
    some = walk.motion.cut(SOME)
    asked = engines.load_engine("exact").inverse_dynamics(
        model, some, walk.wrenches, foot_bodies=FEET, mechanics="opensim", directory=tmp_path
    )
    surplus = np.abs(laid.balance_by(model, some, asked, ours, "opensim").values).max()
    optimal = optimal_forces(theirs, EFFORT["reserve_optimal_nm"], RESIDUAL[exponent])
    least = least_for_the_same(model, some, theirs, exponent, optimal)
    effort, their_effort = (
        (np.abs(one) ** exponent).sum(axis=1) for one in (controls(ours, optimal), controls(theirs, optimal))
    )
    above = ((np.abs(least) ** exponent).sum(axis=1) / their_effort - 1).max()
    what = f"exact: walking_3d SO, {muscles} muscles, exponent {exponent}"
    record_largest(f"{what}, muscle forces from the tool's, root mean square", apart, "{:.3f} N", "0.1 N")
    record_largest(f"{what}, effort above the tool's", (effort / their_effort - 1).max(), "{:.1e}", "1e-3")
    record_largest(f"{what}, effort above the tool's for what it makes", above, "{:.1e}", "1e-9")
    record_largest(f"{what}, muscles less ID", surplus, "{:.1e} N·m or N", "1e-8")
    assert ours.converged.all()
    assert apart <= 0.1
    assert (effort <= their_effort * (1 + 1e-3)).all()  # what the tool's slack in its equations saves it
    assert above <= 1e-9
    assert surplus <= 1e-8


@pytest.mark.long
def test_a_path_that_opensim_cuts_short_moves_forces(walk: Walk, tmp_path: Path, record_largest: RecordLargest) -> None:
    ours, theirs = (muscles_by(engine, walk, walk.model, 2, tmp_path / engine) for engine in ("exact", "tools"))
    apart = ours.force_n - theirs.force_n
    whole, others = (
        np.sqrt((each**2).mean()) for each in (apart, apart[:, [name not in CUT_SHORT for name in ours.muscle_names]])
    )
    what = "exact: walking_3d SO with gaslat's two surfaces, from the tool's, root mean square"
    record_largest(f"{what}, all muscles", whole, "{:.3f} N", "")
    record_largest(f"{what}, all but gaslat", others, "{:.3f} N", "")
    assert ours.converged.all()


@pytest.mark.parametrize(("subject", "walk_name"), [("2014001", "C4_05"), ("2014014", "C4_05"), ("2014019", "C5_03")])
def test_three_adults(
    shared_data: Path,
    subject: str,
    walk_name: str,
    read_tasks: TaskReader,
    tmp_path: Path,
    record_largest: RecordLargest,
) -> None:
    """Another group's models, set-ups and markers: inverse kinematics, and dynamics with the ground's force."""
    reference = shared_data / "walking_adults" / "reference" / subject
    weights, tasks = read_tasks(reference / f"{walk_name}_ikSetup.xml")
    _, time_s, _, _ = files.read_storage(reference / f"{walk_name}_ik.mot")
    recording = shared_data / "walking_adults" / subject / f"{subject}_{walk_name}.c3d"
    markers = markers_in_their_frame(recording, time_s[0], len(time_s)).cut(slice(40, 48))
    ours, theirs = (
        engines.load_engine(engine).inverse_kinematics(
            reference / "scaled.osim",
            markers,
            marker_weights=weights,
            coordinate_tasks=tasks,
            settings=ik_settings(TIGHT),
            directory=tmp_path / engine,
        )
        for engine in ("exact", "tools")
    )
    excess = (cost_m2(ours, weights) / cost_m2(theirs, weights) - 1).max()
    apart = apart_deg(ours.coordinates, theirs.coordinates).max()
    record_largest("exact: adults' IK, objective above the tool's at 1e-9", excess, "{:.1e}", "1e-6")
    record_largest("exact: adults' IK, leg angles from the tool's at 1e-9", apart, "{:.4f} degrees", "0.05 degrees")
    assert excess <= 1e-6
    assert apart <= 0.05
    grf = reference / f"{subject}_{walk_name}_grf.mot"
    wrenches = [plate_wrench(grf, 1, "right"), plate_wrench(grf, 2, "left")]
    pushed_n = max(np.interp(ours.coordinates.time_s, one.time_s, one.force_n[:, 1]).max() for one in wrenches)
    assert pushed_n > 300, "the ground carries the body in these frames"
    moments = [
        engines.load_engine(engine)
        .inverse_dynamics(
            reference / "scaled.osim",
            ours.coordinates,
            wrenches,
            foot_bodies=FEET,
            mechanics="opensim",
            directory=tmp_path / engine,
        )
        .values
        for engine in ("exact", "tools")
    ]
    record_largest("exact: adults' ID, from the tool's", np.abs(moments[0] - moments[1]).max(), "{:.1e}", "1e-3")
    assert np.abs(moments[0] - moments[1]).max() <= 1e-3


@pytest.fixture(scope="module")
def adults(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the adults' session files."""
    folder = tmp_path_factory.mktemp("adults")
    adult_sessions(shared_data, folder)
    return folder


@pytest.mark.long
@pytest.mark.parametrize("subject", ["2014001", "2014014", "2014019"])
def test_whole_trials_agree(adults: Path, shared_data: Path, subject: str) -> None:
    """`gait2hip verify` on three adults: scaling, both engines, the whole walk."""
    from pipeline.verify import render, verify_session

    verdict = verify_session(str(adults / f"{subject}.toml"), None, "gait2hip60", str(shared_data / GENERIC))
    print(f"\n{subject}\n{render(verdict)}")
    assert verdict.agrees


@dataclass(frozen=True)
class Stride:
    """Sixteen frames of an adult's walk, and settings that make the tool as tight as it goes."""

    model: Path
    motion: Coordinates
    wrenches: dict[Side, FootWrench]
    frames: slice
    recipe: Recipe

    def forces(self, engine: str, model: Path, directory: Path) -> MuscleForces:
        from pipeline.solving.solve import muscle_forces

        solver = engines.load_engine(engine)
        return muscle_forces(solver, model, self.motion, self.wrenches, self.frames, self.recipe, directory)

    def moments(self, engine: str, directory: Path) -> GeneralizedForces:
        from pipeline.solving.solve import SPLINE_MARGIN_FRAMES, foot_bodies

        # Splines end where static optimization's frames do.
        wide = slice(self.frames.start - SPLINE_MARGIN_FRAMES, self.frames.stop + SPLINE_MARGIN_FRAMES)
        found: GeneralizedForces = engines.load_engine(engine).inverse_dynamics(
            self.model,
            self.motion.cut(wide),
            list(self.wrenches.values()),
            foot_bodies=foot_bodies(self.recipe),
            mechanics="opensim",
            directory=directory,
        )
        return found.cut(slice(SPLINE_MARGIN_FRAMES, -SPLINE_MARGIN_FRAMES))


def stride_of(session: Path, generic: Path, directory: Path) -> Stride:
    from pipeline.ground.observe_walk import observe_walk
    from pipeline.markers.static_trial import read_static
    from pipeline.session.setup import open_session
    from pipeline.sizing.size_subject import size_subject
    from pipeline.solving.solve import joint_kinematics, without_jitter

    setup = open_session(str(session), "gait2hip60", str(generic))
    recipe = setup.recipe
    changed = {"convergence_criterion": 1e-8, "max_iterations": 1000}
    recipe = recipe.model_copy(
        update={
            "model": recipe.model.model_copy(update={"mechanics": "opensim"}),
            "static_optimization": recipe.static_optimization.model_copy(update=changed),
        }
    )
    setup = replace(setup, recipe=recipe)
    static = read_static(setup)
    walk = observe_walk(setup, setup.session.trials[0], static)
    model = directory / "scaled.osim"
    model.write_text(size_subject(setup, static).osim_xml, "utf-8")
    middle = (walk.frames.start + walk.frames.stop) // 2
    exact = engines.load_engine("exact")
    followed = joint_kinematics(exact, model, walk.markers, setup.profile, recipe, directory / "ik")
    motion = without_jitter(followed.coordinates, recipe.inverse_dynamics.coordinate_cutoff_hz)
    return Stride(
        model=model,
        motion=motion,
        wrenches=dict(walk.wrenches),
        frames=slice(middle - 8, middle + 8),
        recipe=recipe,
    )


def root_mean_square_apart(one: MuscleForces, other: MuscleForces) -> float:
    return float(np.sqrt(((one.force_n - other.force_n) ** 2).mean()))


@pytest.mark.long
@pytest.mark.parametrize("subject", ["2014001", "2014014", "2014019"])
def test_adults_muscles(
    adults: Path, shared_data: Path, subject: str, tmp_path: Path, record_largest: RecordLargest
) -> None:
    """The tool as tight as it goes; paths that it cuts short are compared through their points, not by forces."""
    stride = stride_of(adults / f"{subject}.toml", shared_data / GENERIC, tmp_path)
    some = stride.motion.cut(stride.frames)
    paths = compared_paths.compared_paths(stride.model, some)
    lengths_apart = np.abs(paths.length_m - paths.through_points_m).max()
    model = compared_paths.with_one_surface(stride.model, paths.muscles_cut_short, tmp_path / "one_surface.osim")
    ours, theirs = (stride.forces(engine, model, tmp_path / f"{engine}_so") for engine in ("exact", "tools"))
    asked, tools_asked = (stride.moments(engine, tmp_path / f"{engine}_id") for engine in ("exact", "tools"))
    apart = root_mean_square_apart(ours, theirs)
    settings = stride.recipe.static_optimization
    optimal = optimal_forces(theirs, settings.reserve_optimal_nm, settings.residual_optimal_n)
    least = least_for_the_same(model, some, theirs, 2, optimal)
    above = ((least**2).sum(axis=1) / (controls(theirs, optimal) ** 2).sum(axis=1) - 1).max()
    surplus, their_surplus = (
        np.abs(laid.balance_by(model, some, asked, found, "opensim").values).max() for found in (ours, theirs)
    )
    moments_apart = np.abs(asked.values - tools_asked.values).max()
    record_largest("exact: adults' paths, from OpenSim's own points", 1e3 * lengths_apart, "{:.1e} mm", "1e-3 mm")
    record_largest("tools: adults' paths cut short, share", paths.cut_short.mean(), "{:.3f}", "0.05")
    record_largest("exact: adults' SO, muscle forces from the tool's, root mean square", apart, "{:.3f} N", "0.1 N")
    record_largest("exact: adults' SO, effort above the tool's for what it makes", above, "{:.1e}", "1e-9")
    record_largest("exact: adults' ID of a stride on plates, from the tool's", moments_apart, "{:.1e} N·m or N", "1e-3")
    record_largest("exact: adults' SO, muscles less ID", surplus, "{:.1e} N·m or N", "1e-8")
    record_largest("tools: adults' SO, muscles less ID", their_surplus, "{:.1e} N·m or N", "")
    assert lengths_apart <= 1e-6
    assert paths.cut_short.mean() <= 0.05
    assert ours.converged.all()
    assert moments_apart <= 1e-3
    assert surplus <= 1e-8
    assert apart <= 0.1
    assert above <= 1e-9


@pytest.mark.long
def test_the_tool_s_forces_follow_from_its_paths(
    adults: Path, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_largest: RecordLargest
) -> None:
    """With all surfaces: given OpenSim's own paths, `exact` finds the tool's forces; with right ones, others."""
    from pipeline.osim.exact import engine as exact_engine

    stride = stride_of(adults / "2014001.toml", shared_data / GENERIC, tmp_path)
    own, theirs = (stride.forces(engine, stride.model, tmp_path / engine) for engine in ("exact", "tools"))
    shared = exact_engine.shared_model(stride.model)
    asking = replace(shared, muscles=replace(shared.muscles, fibres=None), found={})
    monkeypatch.setattr(exact_engine, "shared_model", lambda _: asking)
    by_their_paths = stride.forces("exact", stride.model, tmp_path / "asking")
    what = "2014001's SO with paths that OpenSim cuts short, from the tool's, root mean square"
    apart, explained = (root_mean_square_apart(found, theirs) for found in (own, by_their_paths))
    record_largest(f"exact: {what}", apart, "{:.3f} N", "")
    record_largest(f"exact: {what}, on OpenSim's own paths", explained, "{:.3f} N", "0.1 N")
    assert explained <= 0.1
