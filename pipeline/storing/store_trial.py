"""A trial's outcome into the warehouse: its tables and, last, its `trials` row, which vouches for them."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.ground.plates.plate_faults import COMPONENTS, PlateAgreement
from pipeline.osim.version import opensim_version
from pipeline.records import SIDES, FootWrench, Side
from pipeline.solving.quality import RESIDUAL_FORCES, RESIDUAL_MOMENTS
from pipeline.solving.solution import Solution
from pipeline.solving.trial_result import TrialResult
from pipeline.storing.job import Job
from pipeline.storing.stages import StageAccount, common_facts, keys_of, table_keys, to_json
from pipeline.storing.store_rejected import description
from pipeline.storing.store_solved import cycle_columns, motion_figures, stride_columns
from pipeline.storing.stored_kinematics import columns_of
from warehouse.channels import LOADED_JOINTS
from warehouse.files.lock import one_writer
from warehouse.files.write import row_file, table_file, write_together
from warehouse.holdings.contents import is_trial_fresh, trial_paths
from warehouse.outcome import Outcome
from warehouse.provenance import file_sha256

Columns = dict[str, np.ndarray]


def store_accepted(job: Job, trial: str, accounts: Mapping[str, StageAccount], result: TrialResult) -> Outcome:
    """Write every table of an accepted trial."""
    session, recipe = job.setup.session, job.setup.recipe
    key, mass_kg = session.trial_key(trial), session.subject.mass_kg
    condition = session.trial(trial).condition
    known = {side: wrench.known for side, wrench in result.wrenches.items()}
    tables: dict[str, tuple[Columns, Mapping[str, str]]] = {
        "strides": (stride_columns(result.judged), {}),
        "kinematics": columns_of(result.solution.kinematics),
        "joint_angles": ({"time_s": result.angles.time_s, **result.angles.angles_deg}, {}),
        "grf": (_grf(result.wrenches), {}),
        "moments": _moments(result.solution, known),
        "forces": _forces(result),
        "activations": (_activations(result), {}),
        "joint_loads": (_joint_loads(result), {}),
        "cycles": (cycle_columns(result.cycles, result.wrenches["right"].time_s, condition, mass_kg=mass_kg), {}),
    }
    made_by = table_keys(keys_of(accounts))
    made_from = common_facts(recipe, opensim_version(), result.solution.muscle_source)
    files = [
        table_file(
            job.warehouse,
            table,
            key,
            columns,
            provenance_key=made_by[table],
            recipe=recipe.name,
            units=units,
            made_from=made_from,
        )
        for table, (columns, units) in tables.items()
    ]
    row = row_file(
        job.warehouse,
        "trials",
        key,
        {
            **description(job, trial),
            "outcome": "accepted",
            **_figures(result),
            "source_sha256": file_sha256(session.trial(trial).path),
            "warnings": list(result.warnings),
        },
        provenance_key=made_by["trials"],
        recipe=recipe.name,
        made_from={**made_from, "stages": to_json(accounts)},
    )
    with one_writer(job.warehouse, key):
        # Another process may have stored just this meanwhile: nobody reading it is to see it go and come back.
        if not is_trial_fresh(job.warehouse, key, made_by):
            obsolete = trial_paths(job.warehouse, key).obsolete("accepted")
            write_together(job.warehouse, files, row, obsolete=obsolete)
    return Outcome(key=key, n_cycles=len(result.cycles))


def _figures(result: TrialResult) -> dict[str, object]:
    strides = result.strides.values()
    return {
        **motion_figures(result.recording, result.solution.kinematics, result.cycles, result.speed_m_s),
        "heading_change_deg": _largest([stride.heading_change_deg for stride in result.strides]),
        "vertical_impulse_ratio": 1 + result.impulse_error,
        "residual_force_ratio": result.residuals.force_ratio,
        "residual_moment_ratio": result.residuals.moment_ratio,
        **_agreement(result.plates),
        "reserve_ratio_max": max(stride.reserve_ratio for stride in strides),
        "balance_ratio_max": max(stride.balance_ratio for stride in strides),
        "saturated_ratio_max": max(stride.saturated_ratio for stride in strides),
    }


def _agreement(plates: PlateAgreement | None) -> dict[str, float]:
    """How the plates agree with the motion; NaN where that could not be told."""
    unknown = float("nan")
    return {
        **{f"force_correlation_{way}": plates.correlation[way] if plates else unknown for way in COMPONENTS},
        **{f"force_gain_{way}": plates.gain[way] if plates else unknown for way in COMPONENTS},
        "free_moment_gain": plates.free_moment_gain if plates else unknown,
    }


def _largest(changes_deg: Sequence[float]) -> float:
    """The largest either way; NaN if none is known."""
    return max((change for change in changes_deg if np.isfinite(change)), key=abs, default=float("nan"))


def _unit(rotational: bool, turning: str, sliding: str) -> str:
    return turning if rotational else sliding


def _moments(solution: Solution, known: Mapping[Side, np.ndarray]) -> tuple[Columns, dict[str, str]]:
    moments = solution.moments
    columns: Columns = {"time_s": moments.time_s, "right_known": known["right"], "left_known": known["left"]}
    units = {}
    residuals = (*RESIDUAL_FORCES, *RESIDUAL_MOMENTS)
    for name, rotational, values in zip(moments.names, moments.rotational, moments.values.T, strict=True):
        column = f"residual_{name}" if name in residuals else name
        columns[column] = _where_known(values, solution.loading_feet[name], known)
        units[column] = _unit(rotational, "N·m", "N")
    return columns, units


def _forces(result: TrialResult) -> tuple[Columns, dict[str, str]]:
    muscles, moments, loading_feet = result.solution.muscles, result.solution.moments, result.solution.loading_feet
    known = _frames_explained(result)
    joints = [
        i for i, name in enumerate(result.solution.balance.names) if name not in (*RESIDUAL_FORCES, *RESIDUAL_MOMENTS)
    ]
    columns: Columns = {
        "time_s": muscles.time_s,
        "converged": muscles.converged,
        "balance_nm": np.abs(result.solution.balance.values[:, joints]).max(axis=1),
    }
    units = {}
    for name, values in zip(muscles.muscle_names, muscles.force_n.T, strict=True):
        columns[name], units[name] = _where_known(values, loading_feet[name], known), "N"
    for name, values in zip(muscles.actuator_coordinates, muscles.actuator_force.T, strict=True):
        rotational = bool(moments.rotational[moments.names.index(name)])
        column = f"reserve_{name}"
        columns[column] = _where_known(values, loading_feet[name], known)
        units[column] = _unit(rotational, "N·m", "N")
    return columns, units


def _activations(result: TrialResult) -> Columns:
    muscles, known = result.solution.muscles, _frames_explained(result)
    return {
        "time_s": muscles.time_s,
        **{
            name: _where_known(values, result.solution.loading_feet[name], known)
            for name, values in zip(muscles.muscle_names, muscles.activation.T, strict=True)
        },
    }


def _joint_loads(result: TrialResult) -> Columns:
    solution, known = result.solution, _frames_explained(result)
    loads = solution.loads
    columns: Columns = {"time_s": loads.time_s}
    for joint in LOADED_JOINTS:
        for which, forces in (("distal", loads.in_distal_n), ("proximal", loads.in_proximal_n)):
            for index, axis in enumerate("xyz"):
                columns[f"{joint}_{which}_{axis}"] = (
                    _where_known(forces[:, loads.joints.index(joint), index], solution.feet_pressing[joint], known)
                    if joint in loads.joints
                    else np.full(len(loads.time_s), np.nan)
                )
    return columns


def _frames_explained(result: TrialResult) -> dict[Side, np.ndarray]:
    """Which of the muscles' frames lie in a stride that muscles explain, by leg."""
    time_s = result.solution.muscles.time_s
    explained: dict[Side, np.ndarray] = {side: np.zeros(len(time_s), dtype=bool) for side in SIDES}
    for stride in result.strides:
        explained[stride.side] |= stride.frames(time_s)
    return explained


def _where_known(values: np.ndarray, feet: frozenset[Side], known: Mapping[Side, np.ndarray]) -> np.ndarray:
    """Values (T,) where the ground reactions of all these feet are known (T,), NaN elsewhere."""
    for side in feet:
        values = np.where(known[side], values, np.nan)
    return values


def _grf(wrenches: Mapping[Side, FootWrench]) -> Columns:
    columns: Columns = {"time_s": wrenches["right"].time_s}
    for side, wrench in wrenches.items():
        letter = side[0]
        vectors = {
            "force": wrench.force_n,
            "moment": wrench.moment_nm,
            "point": np.broadcast_to(wrench.point_m, wrench.force_n.shape),
            "cop": wrench.cop_m,
        }
        for name, values in vectors.items():
            for index, axis in enumerate("xyz"):
                columns[f"{name}_{axis}_{letter}"] = values[:, index]
        columns[f"free_moment_{letter}"] = wrench.free_moment_nm
        columns[f"known_{letter}"] = wrench.known
        columns[f"reason_{letter}"] = wrench.reason
    return columns
