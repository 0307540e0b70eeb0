"""How much later a plate is loaded than the foot's motion says, for `pipeline/motion_only/kinematic_events.py`.

python -m benchmarks.kinematic_events SESSION…    sessions whose walks hit force plates
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.ground.gait_events import detect_events
from pipeline.ground.observe_walk import observe_walk
from pipeline.markers.static_trial import StaticTrial, read_static
from pipeline.records import SIDES
from pipeline.session.session import Trial, session_file_of
from pipeline.session.setup import SessionSetup, open_session

# A heel that is farthest forward longer before a contact belongs to another step.
SAME_STEP_S = 0.3


def delays_of(setup: SessionSetup, trial: Trial, static: StaticTrial) -> Iterator[tuple[float, float]]:
    """Each plate contact's delay after its heel was farthest forward, and its foot's stride duration, seconds."""
    walk = observe_walk(setup, trial, static)
    motion = detect_events(walk.recording, walk.tracks.recorded, setup.profile, (), setup.recipe.ground_reactions)
    for side in SIDES:
        strikes = motion.times("foot_strike", side)
        for event in walk.ground.events.events:
            if event.source == "force" and event.kind == "foot_strike" and event.side == side and len(strikes) > 1:
                delay_s = event.time_s - strikes[np.argmin(np.abs(strikes - event.time_s))]
                if abs(delay_s) < SAME_STEP_S:
                    yield delay_s, float(np.median(np.diff(strikes)))


def main(sessions: list[str]) -> None:
    found: dict[str, list[tuple[float, float]]] = {}
    for session in sessions:
        setup = open_session(str(session_file_of(Path(session))), "gait2hip60", None)
        static = read_static(setup)
        for trial in setup.session.trials:
            try:
                found.setdefault(trial.condition, []).extend(delays_of(setup, trial, static))
            except TrialRejected as rejected:
                print(f"left out: {rejected}")
    found["all"] = [pair for pairs in found.values() for pair in pairs]
    print(f"{'condition':<14}{'contacts':>9}{'delay, ms':>11}{'over stride: median':>21}{'quartiles':>17}")
    for condition, pairs in found.items():
        if pairs:
            delay_s, stride_s = np.array(pairs).T
            low, middle, high = np.quantile(delay_s / stride_s, [0.25, 0.5, 0.75])
            quartiles = f"{low:.3f} to {high:.3f}"
            print(f"{condition:<14}{len(pairs):>9}{1e3 * np.median(delay_s):>11.0f}{middle:>21.3f}{quartiles:>17}")


if __name__ == "__main__":
    main(sys.argv[1:])
