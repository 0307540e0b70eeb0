"""What was solved of a trial: each stride's fate, and of a rejected trial its motion, in a table of its own."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.solving.judged_strides import JudgedStride, SolvedButRejected
from pipeline.storing.job import Job
from pipeline.storing.stages import StageAccount, keys_of, table_keys
from pipeline.storing.stored_kinematics import columns_of
from warehouse.files.write import NewFile, table_file


def solved_files(
    job: Job, trial: str, accounts: Mapping[str, StageAccount], solved: SolvedButRejected
) -> list[NewFile]:
    """The tables of a rejected trial whose motion was solved: no accepted trial's readers look there."""
    key, made_by = job.setup.session.trial_key(trial), table_keys(keys_of(accounts))
    motion, units = columns_of(solved.kinematics)
    tables = {"rejected_kinematics": (motion, units), "strides": (stride_columns(solved.judged), {})}
    return [
        table_file(
            job.warehouse,
            table,
            key,
            columns,
            provenance_key=made_by[table],
            recipe=job.setup.recipe.name,
            units=units,
        )
        for table, (columns, units) in tables.items()
    ]


def stride_columns(judged: Sequence[JudgedStride]) -> dict[str, np.ndarray]:
    """The columns of table `strides`."""
    rows = [_stride_row(one) for one in judged]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _stride_row(one: JudgedStride) -> dict[str, object]:
    motion, forces, unknown = one.motion, one.forces, float("nan")
    return {
        "side": one.stride.side,
        "number": one.number,
        "start_s": one.stride.start_s,
        "stop_s": one.stride.stop_s,
        "kept": one.kept,
        "stage": one.stage,
        "reason": one.why,
        "marker_rms_m": motion.marker_rms_m if motion else unknown,
        "marker_error_m": motion.marker_error_m if motion else unknown,
        "range_end_ratio": motion.range_end_ratio if motion else unknown,
        "residual_force_ratio": forces.residuals.force_ratio if forces else unknown,
        "residual_moment_ratio": forces.residuals.moment_ratio if forces else unknown,
        "reserve_ratio": forces.reserve_ratio if forces else unknown,
        "balance_ratio": forces.balance_ratio if forces else unknown,
        "saturated_ratio": forces.saturated_ratio if forces else unknown,
        "worst_marker": motion.worst_marker if motion else "",
    }
