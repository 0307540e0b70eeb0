"""How late a laboratory's plates are, by its sessions' walks: the estimate of `ground/plate_lag.py` on sized bodies.

`gait2hip plates-lag` prints what this finds, which somebody may then make a setting. Nothing is shifted here.
"""

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import TrialRejected
from pipeline.ground.observe_walk import ObservedWalk, observe_walk
from pipeline.ground.plate_lag import PlateLag, plate_lag, weighted_mean, whole_body
from pipeline.osim.engines import load_engine
from pipeline.osim.models.mechanics import Mechanics
from pipeline.own_model.standing import standing_subject
from pipeline.records import Coordinates, FootWrench, GeneralizedForces, Side
from pipeline.session.recipe import Recipe
from pipeline.session.setup import SessionSetup, open_session
from pipeline.sizing.size_subject import size_subject
from pipeline.solving.solve import foot_bodies, joint_kinematics, without_jitter


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLag:
    """The lag of a session's plates: each walk's, by its name, and of those that tell nothing why; all together.

    Lags are what is left once `stated_s` is taken off. `n_walks` are together.
    """

    walks: Mapping[str, PlateLag]
    untold: Mapping[str, str]
    together: PlateLag | None
    stated_s: float = 0.0
    n_walks: int = 0


def lag_of_walk(
    model: Path,
    solved: Coordinates,
    moments: GeneralizedForces,
    wrenches: Mapping[Side, FootWrench],
    recipe: Recipe,
) -> PlateLag | None:
    """The lag that a walk shows by its coordinates as they were solved and the moments that follow from them.

    None if it shows none, or if arrays can't say the model's mass centre.
    """
    try:
        mechanics = Mechanics(model)
    except TrialRejected:
        return None
    # The mass centre is that of the motion that the moments are of.
    moved = without_jitter(solved, recipe.inverse_dynamics.coordinate_cutoff_hz)
    columns = [moved.names.index(name) for name in mechanics.names]
    body = whole_body(moments, moved, mechanics.mass_centre_m(moved.values[:, columns]), wrenches)
    return plate_lag(body, recipe.ground_reactions.force_cutoff_hz) if body else None


def lag_of_session(session_file: Path, recipe: str) -> SessionLag:
    """Size the subject, solve each walk's inverse dynamics, and estimate; a stated lag is taken off first.

    ValueError for a session that can't be opened; TrialRejected if its static trial gives no body.
    """
    setup = open_session(str(session_file), recipe, None)
    walks, untold = {}, {}
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as name:
        directory = Path(name)
        static = standing_subject(setup)
        model = directory / "scaled.osim"
        model.write_text(size_subject(setup, static).osim_xml, "utf-8")
        for trial in setup.session.trials:
            try:
                walk = observe_walk(setup, trial, static)
                lag = _lag_of_observed(setup, model, walk, directory)
            except TrialRejected as rejected:
                untold[trial.name] = f"rejected at {rejected.stage}"
            else:
                if lag:
                    walks[trial.name] = lag
                else:
                    untold[trial.name] = "too little on the plates, or too far from Newton's laws"
    return SessionLag(
        walks=walks,
        untold=untold,
        together=together(list(walks.values())),
        stated_s=setup.plates_lag_s or 0.0,
        n_walks=len(walks),
    )


def _lag_of_observed(setup: SessionSetup, model: Path, walk: ObservedWalk, directory: Path) -> PlateLag | None:
    recipe = setup.recipe
    engine = load_engine(recipe.model.engine)
    solved = joint_kinematics(engine, model, walk.markers, setup.profile, recipe, directory / "ik").coordinates
    moments = engine.inverse_dynamics(
        model,
        without_jitter(solved, recipe.inverse_dynamics.coordinate_cutoff_hz),
        list(walk.wrenches.values()),
        foot_bodies=foot_bodies(recipe),
        mechanics=recipe.model.mechanics_used,
        directory=directory / "id",
    )
    return lag_of_walk(model, solved, moments, walk.wrenches, recipe)


def together(lags: Sequence[PlateLag]) -> PlateLag | None:
    """The mean of several walks' lags by their weights, of all measures and of each; None without any.

    Walks that differ by more than is random in each widen its standard error. What the measures disagree by in all
    walks alike is no smaller in the mean of many.
    """
    if not lags:
        return None
    lag_s, random_s = weighted_mean([(lag.lag_s, lag.random_s) for lag in lags])
    measures = dict.fromkeys(name for lag in lags for name in lag.by_measure)
    return PlateLag(
        lag_s=lag_s,
        random_s=random_s,
        by_measure={name: weighted_mean([lag.by_measure[name] for lag in lags]) for name in measures},
    )


def lag_of_sessions(found: Sequence[SessionLag]) -> SessionLag | None:
    """All walks of several sessions; None unless all have the same lag stated, since it is one laboratory's then."""
    if len({each.stated_s for each in found}) != 1:
        return None
    walks = [lag for each in found for lag in each.walks.values()]
    return SessionLag(walks={}, untold={}, together=together(walks), stated_s=found[0].stated_s, n_walks=len(walks))


def lag_in_words(found: SessionLag) -> str:
    """What the walks say, by which measures, and the setting that it would be."""
    walks = ", ".join(f"{name} {_ms(lag.lag_s, lag.se_s)}" for name, lag in found.walks.items())
    untold = "; ".join(f"{name} {why}" for name, why in found.untold.items())
    if found.together is None:
        return f"nothing tells how late the plates are ({untold or 'no walk'})"
    lag = found.together
    each = ", ".join(f"{name} {_ms(*lag.by_measure[name])}" for name in lag.by_measure)
    told = "; ".join(filter(None, [each, walks or f"{found.n_walks} walks", untold]))
    on_top = f" on top of the stated {found.stated_s * 1e3:g} ms" if found.stated_s else ""
    evidence = f"by Newton's laws {_ms(lag.lag_s, lag.se_s)} ms late{on_top} ({told})"
    if not lag.notable:
        return f"{evidence}: nothing to state"
    return (
        f"{evidence}. Ask the laboratory; if so, write plates_lag_s = {found.stated_s + lag.lag_s:.3f} below [session] "
        "in session.toml, or at the top of its profile. Nothing was shifted"
    )


def _ms(lag_s: float, se_s: float) -> str:
    return "-" if math.isnan(lag_s) else f"{lag_s * 1e3:.0f} ± {se_s * 1e3:.0f}"
