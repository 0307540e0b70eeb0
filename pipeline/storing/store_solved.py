"""What was solved of a trial: each stride's fate, and of a rejected trial its motion, in a table of its own."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.ground.cycles import Cycle
from pipeline.records import Kinematics, Recording, Side
from pipeline.solving.judged_strides import JudgedStride, SolvedButRejected
from pipeline.solving.trial_result import frames_in
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


def motion_figures(
    recording: Recording, kinematics: Kinematics, cycles: Sequence[Cycle], speed_m_s: float
) -> dict[str, object]:
    """What a trial's row says of its recording, its cycles and how their motion follows the markers."""
    strides = [cycle.stride for cycle in cycles]
    in_cycles = frames_in(strides, kinematics.coordinates.time_s)
    return {
        **{f"n_cycles_{side}": sum(stride.side == side for stride in strides) for side in ("right", "left")},
        "point_rate_hz": recording.point_rate_hz,
        "analog_rate_hz": recording.analog_rate_hz,
        "n_frames": len(recording.time_s),
        "duration_s": len(recording.time_s) / recording.point_rate_hz,
        "walking_speed_m_s": speed_m_s,
        # A stride is two steps.
        "cadence_steps_per_min": 120 / float(np.mean([stride.duration_s for stride in strides])),
        "marker_rms_max_m": float(kinematics.marker_rms_m[in_cycles].max()),
        "marker_error_max_m": float(kinematics.marker_max_m[in_cycles].max()),
    }


def cycle_columns(
    cycles: Sequence[Cycle], observed_s: np.ndarray, condition: str, **constants: float
) -> dict[str, np.ndarray]:
    """The columns of tables `cycles` and `angle_cycles`; `constants` are the same in every row."""
    parts = []
    seen: dict[Side, int] = {"right": 0, "left": 0}
    for cycle in cycles:
        points, stride = len(cycle.phase), cycle.stride
        of_cycle = {
            "condition": condition,
            "side": stride.side,
            "cycle": seen[stride.side],
            "start_s": stride.start_s,
            "duration_s": stride.duration_s,
            "toe_off_phase": stride.toe_off_phase,
            "margin_s": stride.margin_s(observed_s),
            "heading_change_deg": stride.heading_change_deg,
            **constants,
        }
        seen[stride.side] += 1
        repeated: dict[str, np.ndarray] = {
            name: np.array([value] * points, dtype=_dtype(value)) for name, value in of_cycle.items()
        }
        parts.append({**repeated, "sample": np.arange(points), "phase": cycle.phase, **cycle.channels})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _dtype(value: object) -> type:
    return object if isinstance(value, str) else type(value)
