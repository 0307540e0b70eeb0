from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.session.recipe import Recipe
from pipeline.solving.solve import solve_forces
from tests.pipeline.solutions import (
    COMPUTED,
    FEET_PRESSING,
    FRAMES,
    LOADING_FEET,
    TIME_S,
    a_solution,
    joint_loads,
    still_muscles,
    wrenches_known,
)

SOME = slice(20, 60)


@pytest.mark.parametrize(("engine", "law"), [("exact", "corrected"), ("tools", "opensim")])
def test_loads_are_asked_with_the_whole_motion_and_the_forces_of_the_frames(
    recipe: Recipe, tmp_path: Path, engine: str, law: str
) -> None:
    made, asked = a_solution(), {}

    def lay(_model, coordinates, forces, *, mechanics):
        asked.update(laid=[*asked.get("laid", []), (coordinates, mechanics)])
        return still_muscles(forces.time_s)

    def balance_of(_model, _coordinates, moments, _forces, laid):
        asked.update(balanced=laid)
        return moments

    def loads_of(_model, coordinates, wrenches, laid, *, foot_bodies, mechanics):
        asked.update(coordinates=coordinates, wrenches=wrenches, feet=set(foot_bodies), mechanics=mechanics, loads=laid)
        return joint_loads(laid.time_s)

    stub = SimpleNamespace(
        inverse_dynamics=lambda *_, **__: made.moments,
        static_optimization=lambda _model, coordinates, *_, **__: made.muscles.cut(
            slice(*np.searchsorted(TIME_S, [coordinates.time_s[0] - 1e-9, coordinates.time_s[-1] + 1e-9]))
        ),
        laid_muscles=lay,
        muscle_source=lambda _: COMPUTED,
        muscle_balance=balance_of,
        joint_loads=loads_of,
        loading_feet=lambda *_: LOADING_FEET,
        feet_pressing=lambda *_: FEET_PRESSING,
    )
    model = recipe.model.model_copy(update={"engine": engine, "mechanics": "corrected"})
    of_engine = recipe.model_copy(update={"model": model})
    wrenches = wrenches_known(slice(None), slice(None))

    found = solve_forces(stub, tmp_path, made.kinematics, wrenches, SOME, of_engine, tmp_path)

    np.testing.assert_array_equal(found.loads.time_s, TIME_S[SOME])
    np.testing.assert_array_equal(found.muscles.time_s, TIME_S[SOME])
    assert (asked["mechanics"], asked["feet"]) == (law, {"right", "left"})
    assert len(asked["coordinates"].time_s) == FRAMES
    # Muscles are laid once, for both.
    ((laid_along, laid_by),) = asked["laid"]
    assert (len(laid_along.time_s), laid_by) == (FRAMES, law)
    assert asked["balanced"] is asked["loads"] is found.laid
    assert asked["wrenches"] == list(wrenches.values())
