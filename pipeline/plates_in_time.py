"""How late a session's plates are, by its own walks: the estimate of `ground/plate_lag.py` on a sized body.

`init-session` writes what this finds as a comment, which somebody may then make a setting. Nothing is shifted here.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import TrialRejected
from pipeline.ground.observe_walk import ObservedWalk, observe_walk
from pipeline.ground.plate_lag import PlateLag, plate_lag, weighted_mean, whole_body
from pipeline.markers.static_trial import read_static
from pipeline.osim.engines import load_engine
from pipeline.osim.models.mechanics import Mechanics
from pipeline.records import Coordinates, FootWrench, GeneralizedForces, Side
from pipeline.session.recipe import PACKAGED_RECIPE, Recipe
from pipeline.session.setup import SessionSetup, open_session
from pipeline.sizing.size_subject import size_subject
from pipeline.solving.solve import foot_bodies, joint_kinematics, without_jitter


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLag:
    """The lag of a session's plates: each walk's, by its name, and of those that tell nothing why; all together.

    Lags are what is left once `stated_s` is taken off.
    """

    walks: Mapping[str, PlateLag]
    untold: Mapping[str, str]
    together: PlateLag | None
    stated_s: float = 0.0


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
        static = read_static(setup)
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
        walks=walks, untold=untold, together=together(list(walks.values())), stated_s=setup.plates_lag_s or 0.0
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


def proposal(found: SessionLag) -> str:
    """A line for session.toml, a comment: what the walks say, and the setting that it would be."""
    walks = ", ".join(f"{name} {_ms(lag)}" for name, lag in found.walks.items())
    untold = "; ".join(f"{name} {why}" for name, why in found.untold.items())
    if found.together is None:
        return f"# plates_lag_s: the walks don't tell how late the plates are ({untold})"
    on_top = f" on top of the stated {found.stated_s * 1e3:.0f} ms" if found.stated_s else ""
    evidence = f"by Newton's laws {_ms(found.together)} ms late{on_top} ({walks}{'; ' if untold else ''}{untold})"
    if not found.together.notable:
        return f"# plates_lag_s: {evidence}: nothing to state"
    whole_s = found.stated_s + found.together.lag_s
    return (
        f"# plates_lag_s = {whole_s:.3f}  # PROPOSED, not applied: the plates are {evidence}. Ask the laboratory; "
        "remove the '#' to apply it, or state 0"
    )


def propose_plates_lag(session_file: Path, recipe: str = PACKAGED_RECIPE) -> str:
    """Estimate the lag, write what was found into the session's file as a comment, and return that line.

    ValueError for a session that can't be opened. One whose static trial gives no body is told in the line.
    """
    try:
        line = proposal(lag_of_session(session_file, recipe))
    except TrialRejected as rejected:
        line = f"# plates_lag_s: the walks don't tell how late the plates are (no body: rejected at {rejected.stage})"
    write_comment(session_file, line)
    return line


def write_comment(session_file: Path, line: str) -> None:
    """Put a comment below `recordings`, the last entry of `[session]`. ValueError if the file has no such entry."""
    lines = session_file.read_text("utf-8").splitlines()
    at = next((n for n, text in enumerate(lines) if text.startswith("recordings")), None)
    if at is None:
        raise ValueError(f"{session_file} has no line `recordings = ...`, which `init-session` writes. Write it again.")
    session_file.write_text("\n".join([*lines[: at + 1], line, *lines[at + 1 :]]) + "\n", "utf-8")


def _ms(lag: PlateLag) -> str:
    return f"{lag.lag_s * 1e3:.0f} ± {lag.se_s * 1e3:.0f}"
