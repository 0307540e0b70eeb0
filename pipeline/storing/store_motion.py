"""A trial of kinematics only into the warehouse: its motion, its cycles of angles and, last, its row."""

from collections.abc import Mapping

import numpy as np

from pipeline.motion_only.process_motion import MotionResult
from pipeline.storing.job import Job
from pipeline.storing.stages import StageAccount, keys_of, table_keys, to_json
from pipeline.storing.store_rejected import description
from pipeline.storing.store_solved import cycle_columns, motion_figures, stride_columns
from pipeline.storing.stored_kinematics import columns_of
from warehouse.files.lock import one_writer
from warehouse.files.write import row_file, table_file, write_together
from warehouse.holdings.contents import is_trial_fresh, trial_paths
from warehouse.outcome import Outcome
from warehouse.provenance import file_sha256


def store_motion(job: Job, trial: str, accounts: Mapping[str, StageAccount], result: MotionResult) -> Outcome:
    """Write every table of a trial of kinematics only: none that a release or a training reads."""
    session, recipe = job.setup.session, job.setup.recipe
    key, condition = session.trial_key(trial), session.trial(trial).condition
    tables: dict[str, tuple[Mapping[str, np.ndarray], Mapping[str, str]]] = {
        "strides": (stride_columns(result.judged), {}),
        "kinematics": columns_of(result.kinematics),
        "joint_angles": ({"time_s": result.angles.time_s, **result.angles.angles_deg}, {}),
        "angle_cycles": (cycle_columns(result.cycles, result.angles.time_s, condition), {}),
    }
    made_by = table_keys(keys_of(accounts))
    files = [
        table_file(job.warehouse, table, key, columns, provenance_key=made_by[table], recipe=recipe.name, units=units)
        for table, (columns, units) in tables.items()
    ]
    row = row_file(
        job.warehouse,
        "trials",
        key,
        {
            **description(job, trial),
            "outcome": "kinematics",
            **motion_figures(result.recording, result.kinematics, result.cycles, result.speed_m_s),
            "source_sha256": file_sha256(session.trial(trial).path),
            "warnings": list(result.warnings),
        },
        provenance_key=made_by["trials"],
        recipe=recipe.name,
        made_from={"stages": to_json(accounts)},
    )
    with one_writer(job.warehouse, key):
        # Another process may have stored just this meanwhile: nobody reading it is to see it go and come back.
        if not is_trial_fresh(job.warehouse, key, made_by):
            obsolete = trial_paths(job.warehouse, key).obsolete("kinematics")
            write_together(job.warehouse, files, row, obsolete=obsolete)
    return Outcome(key=key, n_cycles=len(result.cycles), kinematics_only=True)
