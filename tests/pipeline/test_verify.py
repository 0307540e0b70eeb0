from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.session.recipe import StaticOptimizationSettings, load_recipe
from pipeline.solving.engine import MuscleSource
from tests.parity.conftest import read_tasks_file, read_trc_file
from tests.parity.walking_3d import smooth_markers, wrench

pytestmark = pytest.mark.osim
verify = pytest.importorskip("pipeline.verify")
read_muscles = pytest.importorskip("pipeline.osim.arrays.read_model").read_muscles
shared_models = pytest.importorskip("pipeline.osim.models.shared_model")

SECONDS = {(engine, solve): 0.001 for engine in ("exact", "tools") for solve in ("ik", "id", "so")}


def verdict(*found: float) -> verify.Verdict:
    """One figure with a limit of 1 for each value."""
    differences = [verify.Difference(what=f"figure {i}", unit="N", value=one, limit=1.0) for i, one in enumerate(found)]
    told = verify.Difference(what="told", unit="N", value=1e9, limit=None)
    return verify.Verdict(differences=(*differences, told), seconds=SECONDS)


def test_all_figures_must_agree_and_nan_never_does() -> None:
    assert verdict(0.5, 1.0).agrees
    assert not verdict(0.5, 1.1).agrees
    assert not verdict(float("nan")).agrees


def test_the_table_shows_what_is_beyond_its_limit() -> None:
    lines = verify.render(verdict(0.5, 2.0)).splitlines()
    assert [line for line in lines if "beyond the limit" in line] == [line for line in lines if "figure 1" in line]
    assert lines[-1] == "the engines DISAGREE on this trial"
    assert verify.render(verdict(0.5)).endswith("the engines agree")


def test_nothing_to_compare_is_said_and_is_no_agreement() -> None:
    found = verdict(0.5, float("nan"))
    lines = verify.render(found).splitlines()
    assert "nothing to compare" in next(line for line in lines if "figure 1" in line)
    assert lines[-1] == ("the engines CAN'T BE COMPARED on this trial: nothing was found to compare for figure 1")


def test_what_the_comparison_can_not_show_is_told_above_the_verdict() -> None:
    lines = verify.render(replace(verdict(0.5), notes=("OpenSim is asked for all muscles' paths",))).splitlines()
    assert lines[-2:] == ["OpenSim is asked for all muscles' paths", "the engines agree"]


def test_settings_that_one_engine_can_not_take_are_refused_before_anything_runs() -> None:
    recipe = load_recipe("gait2hip60")

    def with_settings(**changes: object) -> object:
        settings = recipe.static_optimization.model_copy(update=changes)
        return recipe.model_copy(update={"static_optimization": settings})

    verify._require_comparable(recipe, "mine.toml")
    with pytest.raises(ValueError, match=r"recipe mine\.toml asks for passive fibre force"):
        verify._require_comparable(with_settings(passive_fibre_force=True), "mine.toml")
    with pytest.raises(ValueError, match=r"recipe mine\.toml has activation_exponent=1.5"):
        verify._require_comparable(with_settings(activation_exponent=1.5), "mine.toml")


@pytest.mark.data
def test_engines_agree_on_a_walk_and_a_wrong_one_is_found(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shared_data / "opensim_reference" / "walking_3d"
    weights, _ = read_tasks_file(folder / "ik_tasks_walk.xml")
    markers = smooth_markers(read_trc_file(folder / "markers_walk.trc", 0.0, 10.0)).cut(slice(40, 58))
    wrenches = {side: wrench(folder, side) for side in ("right", "left")}

    def compare(directory: Path) -> verify.Verdict:
        return verify.compare_engines(
            folder / "subject_walk_scaled.osim",
            markers,
            weights,
            (),
            wrenches,
            slice(8, 11),
            load_recipe("gait2hip60"),
            directory,
        )

    tools = Remembered(verify.load_engine("tools"))
    engines = {"exact": verify.load_engine("exact"), "tools": tools}
    monkeypatch.setattr(verify, "load_engine", engines.__getitem__)
    found = compare(tmp_path / "right")
    assert found.agrees, verify.render(found)
    assert found.seconds["exact", "so"] < found.seconds["tools", "so"]
    (cut_short,) = found.notes
    assert "gaslat_r, gaslat_l: 3 of 3 frames" in cut_short
    # The recipe computes by the laws: engines are compared by OpenSim's mechanics, and what lies between is told.
    moved = {one.what: one for one in found.differences if one.what.startswith("corrections move")}
    assert {one.limit for one in moved.values()} == {None}
    assert 0.01 < moved["corrections move moments, largest"].value < 20
    assert 0.1 < moved["corrections move muscle forces, largest"].value < 300

    right = vars(verify.load_engine("exact"))

    def heavier(*args: object, **options: object) -> object:
        moments = right["inverse_dynamics"](*args, **options)
        return replace(moments, values=1.01 * moments.values)

    def stronger(*args: object, **options: object) -> object:
        forces = right["static_optimization"](*args, **options)
        return replace(forces, force_n=1.05 * forces.force_n)

    def costlier(*args: object, settings: StaticOptimizationSettings, **options: object) -> object:
        cubed = settings.model_copy(update={"activation_exponent": 3})
        return right["static_optimization"](*args, settings=cubed, **options)

    def beyond(**wrong: object) -> list[str]:
        engines = {"exact": SimpleNamespace(**right | wrong), "tools": tools}
        monkeypatch.setattr(verify, "load_engine", engines.__getitem__)
        compared = compare(tmp_path / "_".join(wrong))
        return [one.what for one in compared.differences if not one.agrees]

    balance, force = "SO: exact's muscles less ID, largest", "SO: muscle forces, root mean square"
    effort = [f"SO: effort, exact over tools, {frames}" for frames in ("all frames", "worst frame")]
    assert beyond(inverse_dynamics=heavier) == ["ID: moments and forces, largest", balance]
    assert beyond(static_optimization=stronger) == [force, balance]
    assert beyond(static_optimization=costlier) == [*effort, force]
    monkeypatch.setattr(shared_models, "read_muscles", with_wider_surfaces)
    shared_models.forget()
    assert "paths: lengths through their points, largest" in beyond()
    shared_models.forget()


def with_wider_surfaces(*args: object) -> object:
    muscles = read_muscles(*args)
    assert muscles.opensim_paths is not None
    wider = muscles.opensim_paths._replace(surface_size=1.01 * muscles.opensim_paths.surface_size)
    return replace(muscles, opensim_paths=wider)


class Remembered:
    """An engine that solves each question once: OpenSim takes seconds, and is asked the same by every comparison."""

    def __init__(self, engine: object) -> None:
        self.engine = engine
        self.found: dict[str, object] = {}

    def __getattr__(self, solve: str) -> object:
        def run(*args: object, **options: object) -> object:
            if solve not in self.found:
                self.found[solve] = getattr(self.engine, solve)(*args, **options)
            return self.found[solve]

        return run


@pytest.mark.data
@pytest.mark.parametrize("mechanics", ["corrected", "opensim"])
def test_engines_are_compared_by_opensims_mechanics_whatever_the_recipe_says(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mechanics: str
) -> None:
    folder = shared_data / "opensim_reference" / "walking_3d"
    weights, _ = read_tasks_file(folder / "ik_tasks_walk.xml")
    markers = smooth_markers(read_trc_file(folder / "markers_walk.trc", 0.0, 10.0)).cut(slice(40, 58))
    exact, asked = verify.load_engine("exact"), []

    def noting(solve: str) -> object:
        def run(*args: object, **options: object) -> object:
            asked.append((solve, options["mechanics"]))
            return getattr(exact, solve)(*args, **options)

        return run

    # Both engines are `exact` here: what they are asked is looked at.
    some_asked = MuscleSource(asked=("paths",), why=("muscle psoas_r: a knot",))
    monkeypatch.setattr(verify, "muscle_source", lambda _: some_asked)
    told = SimpleNamespace(
        inverse_kinematics=exact.inverse_kinematics,
        inverse_dynamics=noting("inverse_dynamics"),
        static_optimization=noting("static_optimization"),
    )
    monkeypatch.setattr(verify, "load_engine", lambda _: told)
    recipe = load_recipe("gait2hip60")
    model = recipe.model.model_copy(update={"mechanics": mechanics})
    found = verify.compare_engines(
        folder / "subject_walk_scaled.osim",
        markers,
        weights,
        (),
        {side: wrench(folder, side) for side in ("right", "left")},
        slice(8, 11),
        recipe.model_copy(update={"model": model}),
        tmp_path,
    )
    assert found.notes[:1] == some_asked.warnings() != ()
    solves = ("inverse_dynamics", "static_optimization")
    by_law = [(solve, law) for law in ("opensim", "corrected") for solve in solves]
    assert asked == [("inverse_dynamics", "opensim")] * 2 + by_law + [("static_optimization", "opensim")] * 2
    assert found.agrees, verify.render(found)
