"""What one prediction from a C3D file takes, step by step, and what importing takes: processor seconds.

python -m benchmarks.prediction SESSION TRIAL RUN
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MODULES = {
    "pipeline": "pipeline.motion_only.recorded_angles, pipeline.osim.exact.engine",
    # pyarrow loads pandas, where that is installed, when it makes its first array.
    "models": "models.predicting.predict, models.predicting.trained_run, pandas",
}


@contextmanager
def timed(what: str) -> Iterator[None]:
    began = time.process_time()
    yield
    print(f"{what:<44}{time.process_time() - began:>7.2f} s")


def import_s(modules: str) -> float:
    """Processor seconds of a fresh interpreter that imports them, less those of one that imports nothing."""

    def spent(statement: str) -> float:
        program = f"import time\n{statement}\nprint(time.process_time())"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        return float(done.stdout.splitlines()[-1])

    return spent(f"import {modules}") - spent("pass")


def main(session: str, trial: str, run_folder: str) -> None:
    for room, modules in MODULES.items():
        print(f"{'importing ' + room:<44}{import_s(modules):>7.2f} s")
    import pandas  # noqa: F401
    import torch

    from flows.learning.prediction import cycles_of
    from flows.learning.prediction_input import NamedWalk, Walks
    from models.predicting.predict import predict_unmeasured
    from models.predicting.trained_run import read_run
    from pipeline.motion_only.recorded_angles import recorded_angles, scaled_model
    from pipeline.osim.log import quiet
    from pipeline.session.session import load_session, session_file_of
    from warehouse.interchange.predictions import cycle_rows, encoded
    from warehouse.outcome import Rejection

    quiet()
    loaded = load_session(session_file_of(Path(session)))
    file = loaded.trial(trial).path
    began = time.process_time()
    with timed("scaling the model (once a session)"):
        model = scaled_model(str(loaded.file), "gait2hip60", None)
    assert not isinstance(model, Rejection), model
    with timed("reading, events, inverse kinematics"):
        walk = recorded_angles(str(loaded.file), str(file), "gait2hip60", model)
    assert not isinstance(walk, Rejection), walk
    with timed("loading the run"):
        run = read_run(Path(run_folder))
    with timed("predicting"):
        named = NamedWalk(trial=trial, condition="unspecified", walk=walk)
        walks = Walks(subject=trial, mass_kg=70.0, height_m=1.7, walks=(named,), refused=())
        cycles = cycles_of(walks, run.config.points)
        predicted = predict_unmeasured(run, cycles, torch.device("cpu"))
    with timed("writing"), tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "out.parquet").write_bytes(encoded(".parquet", cycle_rows({}, predicted, cycles.mass_kg)))
    print(f"{'all but imports':<44}{time.process_time() - began:>7.2f} s")
    print(f"{len(walk.time_s)} frames, {len(walk.strides)} cycles, {run.config.model.name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
