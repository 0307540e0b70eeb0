"""A made-up trial that fits every schema, to be stored, spoilt and read back."""

from collections.abc import Mapping

import numpy as np

from warehouse.channels import (
    INPUT_COORDINATES,
    LABORATORY_ANGLES,
    LOAD_CHANNELS,
    LOADED_JOINTS,
    MOMENT_COORDINATES,
    MUSCLE_GROUPS,
    ipsilateral,
)
from warehouse.release.audit_record import AuditRecord, UnreleasedCycles

STRIDE_FIGURES = (
    *("marker_rms_m", "marker_error_m", "range_end_ratio", "residual_force_ratio"),
    *("residual_moment_ratio", "reserve_ratio", "balance_ratio", "saturated_ratio"),
)
N_FRAMES = 50
N_SAMPLES = 11
COORDINATES = {
    "pelvis_tx": "m",
    "pelvis_tilt": "degree",
    "hip_flexion_r": "degree",
    "hip_flexion_l": "degree",
}
MUSCLES = ("glmed1_r", "psoas_r", "soleus_l")
TIME_S = np.arange(N_FRAMES) / 100


SIZING = {
    "file": ["static.c3d", "walk 01.c3d", "walk_02.c3d"],
    "role": ["static", "walk", "walk"],
    "used": np.array([True, True, False]),
    "reason": ["", "", "markers: walk_02.c3d: no frame shows every segment"],
}
BODY_FIGURES = {
    "figure": ["pelvis_less_spines", "zero"],
    "of": ["standing", "hip_flexion_r"],
    "value": [1.5, 0.0],
    "sd": [np.nan, 4.4],
    "unit": ["degree", "degree"],
    "limit": [5.0, np.nan],
    "report_limit": [3.0, np.nan],
    "sd_limit": [np.nan, 4.0],
    "warning": ["", "the zero of hip_flexion_r is known to ± 4.4 degree, expected at most 4"],
}


def wave(seed: int, n: int = N_FRAMES) -> np.ndarray:
    return np.sin(np.arange(n) / 7 + seed) * 30


def grf_columns() -> dict[str, np.ndarray]:
    columns = {"time_s": TIME_S}
    for letter in "rl":
        for vector in ("force", "moment", "point", "cop"):
            for axis in "xyz":
                columns[f"{vector}_{axis}_{letter}"] = wave(len(columns))
        columns[f"free_moment_{letter}"] = np.full(N_FRAMES, np.nan)
        columns[f"known_{letter}"] = np.arange(N_FRAMES) > 10
        columns[f"reason_{letter}"] = np.where(np.arange(N_FRAMES) > 10, "", "two feet on plate 1")
    return columns


def load_columns(n_rows: int) -> dict[str, np.ndarray]:
    """The hip's contact force, which `cycles_columns` lack, as cycles that were stored before it did."""
    return {name: wave(number, n_rows) for number, name in enumerate(LOAD_CHANNELS)}


def cycles_columns(n_right: int = 2, n_left: int = 1, condition: str = "slow") -> dict[str, np.ndarray]:
    blocks = [("right", i) for i in range(n_right)] + [("left", i) for i in range(n_left)]
    n = len(blocks) * N_SAMPLES
    columns = {
        "condition": np.full(n, condition),
        "side": np.repeat(np.array([side for side, _ in blocks], dtype=str), N_SAMPLES),
        "cycle": np.repeat(np.array([number for _, number in blocks], dtype=int), N_SAMPLES),
        "start_s": np.repeat(np.arange(len(blocks)) * 0.6, N_SAMPLES),
        "duration_s": np.full(n, 1.1),
        "toe_off_phase": np.full(n, 0.62),
        "margin_s": np.full(n, 0.1),
        "mass_kg": np.full(n, 67.0),
        "sample": np.tile(np.arange(N_SAMPLES), len(blocks)),
        "phase": np.tile(np.linspace(0, 1, N_SAMPLES), len(blocks)),
    }
    targets = [*(f"force_{g}" for g in MUSCLE_GROUPS), *(f"moment_{m[:-2]}" for m in MOMENT_COORDINATES)]
    for name in [*(ipsilateral(name) for name in INPUT_COORDINATES), *targets]:
        columns[name] = wave(len(columns), n)
    return columns


def strides_columns(kept: bool = True) -> dict[str, np.ndarray]:
    """Two strides of the right leg: one as told, and one that was lost before it was solved."""
    figures = {name: np.array([0.01, np.nan]) for name in STRIDE_FIGURES}
    return {
        "side": np.array(["right", "right"]),
        "number": np.array([1, 2], dtype=np.int32),
        "start_s": np.array([0.1, 1.2]),
        "stop_s": np.array([1.2, 2.3]),
        "kept": np.array([kept, False]),
        "stage": np.array(["" if kept else "inverse_kinematics", "cycles"]),
        "reason": np.array(["" if kept else "marker RASI is 61 mm off", "has 2 toe offs"]),
        **figures,
        "worst_marker": np.array(["RASI", ""]),
    }


def rejected_tables() -> dict[str, tuple[dict[str, np.ndarray], dict[str, str]]]:
    """Columns and units of what a rejected trial keeps."""
    return {"strides": (strides_columns(kept=False), {}), "rejected_kinematics": frame_tables()["kinematics"]}


def motion_tables() -> dict[str, tuple[dict[str, np.ndarray], dict[str, str]]]:
    """Columns and units of what a trial of kinematics only has."""
    of_frames, of_cycles = frame_tables(), cycles_columns()
    angles = {name: of_cycles[name] for name in of_cycles if not name.startswith(("force_", "moment_", "mass_"))}
    shared = {table: of_frames[table] for table in ("strides", "kinematics", "joint_angles")}
    return {**shared, "angle_cycles": (angles, {})}


def frame_tables() -> dict[str, tuple[dict[str, np.ndarray], dict[str, str]]]:
    """Columns and units of each table over time."""
    nm_or_n = {name: "N" if unit == "m" else "N·m" for name, unit in COORDINATES.items()}
    kinematics = {"time_s": TIME_S, "marker_rms_m": wave(1) ** 2, "marker_max_m": wave(2) ** 2}
    kinematics |= {"worst_marker": np.full(N_FRAMES, "RASI")}
    kinematics |= {name: wave(i) for i, name in enumerate(COORDINATES)} | {"error_RASI": wave(1) ** 2}
    moments = {"time_s": TIME_S, "right_known": TIME_S > 0.1, "left_known": TIME_S > 0.2}
    moments |= {"hip_flexion_r": np.where(TIME_S > 0.1, wave(3), np.nan), "residual_pelvis_tx": wave(4)}
    forces = {"time_s": TIME_S, "converged": TIME_S >= 0, "balance_nm": wave(5) * 1e-6}
    forces |= {name: np.abs(wave(i)) for i, name in enumerate(MUSCLES)} | {"reserve_hip_flexion_r": wave(6)}
    activations = {"time_s": TIME_S, **{name: np.abs(wave(i)) / 30 for i, name in enumerate(MUSCLES)}}
    joints = [
        f"{joint}_{which}_{axis}" for joint in LOADED_JOINTS for which in ("distal", "proximal") for axis in "xyz"
    ]
    joint_loads = {"time_s": TIME_S, **{name: wave(number) * 20 for number, name in enumerate(joints)}}
    return {
        "strides": (strides_columns(), {}),
        "kinematics": (kinematics, COORDINATES),
        "joint_angles": ({"time_s": TIME_S, **{name: wave(i) for i, name in enumerate(LABORATORY_ANGLES)}}, {}),
        "moments": (
            moments,
            {"hip_flexion_r": nm_or_n["hip_flexion_r"], "residual_pelvis_tx": nm_or_n["pelvis_tx"]},
        ),
        "forces": (forces, {"reserve_hip_flexion_r": "N·m"}),
        "activations": (activations, {}),
        "joint_loads": (joint_loads, {}),
        "grf": (grf_columns(), {}),
    }


def trial_row(**changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "condition": "slow",
        "outcome": "accepted",
        "source": "walk_slow_01.c3d",
        "n_cycles_right": 2,
        "n_cycles_left": 1,
        "marker_rms_max_m": 0.012,
        "warnings": ["plate 2 was not loaded"],
    }
    return row | changes


SESSION_ROW: Mapping[str, object] = {
    "profile": "isb_full_body",
    "recipe": "gait2hip60",
    "model": "Rajagopal2016",
    "model_sha256": "ab" * 32,
    "static_trial": "static",
    "mass_kg": 67.0,
    "height_m": 1.66,
    "age_y": None,
    "opensim_version": "4.6",
    "n_trials": 2,
}


def nothing_suspicious(cycles: UnreleasedCycles) -> AuditRecord:
    """Stands for an audit: this room knows what a release keeps of one, not how cycles are judged."""
    n_trials = len(cycles.trials)
    return AuditRecord(summary=f"nothing suspicious in {n_trials} trials", content={"n_trials": n_trials})


MADE = {"provenance_key": "0" * 32, "recipe": "gait2hip60"}
