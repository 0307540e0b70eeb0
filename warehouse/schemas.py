"""Every table: its columns, their units and their meaning. The data dictionary is generated from it."""

from dataclasses import replace

import pyarrow as pa

from warehouse.channels import (
    INPUT_COORDINATES,
    LABORATORY_ANGLES,
    LOADED_JOINTS,
    MOMENT_COORDINATES,
    MUSCLE_GROUPS,
    ipsilateral,
)
from warehouse.columns import Column, Family, TableSchema, count, flag, later, optional, real, text

# Raised when a table's columns change their names, types, units or meanings.
FORMAT_VERSION = 1

_TIME = real("time_s", "s", "Time in the recording's own time base, strictly increasing")

_SUBJECTS = TableSchema(
    name="subjects",
    level="subject",
    row="one row per subject",
    one_row=True,
    columns=(text("sex", "F or M, as the laboratory recorded it", missing="null", allowed=("F", "M")),),
)

_SESSIONS = TableSchema(
    name="sessions",
    level="session",
    row="one row per visit of a subject",
    one_row=True,
    columns=(
        text("profile", "The laboratory's profile: marker names, axes and plates; null if imported", missing="null"),
        text("recipe", "The name of the recipe, which holds the settings that made this"),
        text("model", "The generic musculoskeletal model's name; null if imported", missing="null"),
        text("model_sha256", "SHA-256 of the generic model's file; null if imported", missing="null"),
        text(
            "static_trial",
            "The standing trial that gave the model its size; null if imported, or if walks alone did",
            missing="null",
        ),
        real("mass_kg", "kg", "Body mass at this visit"),
        real("height_m", "m", "Body height at this visit"),
        real("age_y", "year", "Age at this visit", missing="null"),
        text("opensim_version", "The OpenSim version that scaled the model; null if imported", missing="null"),
        count("n_trials", "Trials recorded in this visit, without the standing one"),
    ),
)

_SCALING = TableSchema(
    name="scaling",
    level="session",
    row="one row per body of the scaled model",
    columns=(
        text("body", "The body's name in the model"),
        real("scale_x", "1", "Scale factor along the body's x axis; 1 where no measurement scales it"),
        real("scale_y", "1", "Scale factor along the body's y axis"),
        real("scale_z", "1", "Scale factor along the body's z axis"),
        real("mass_kg", "kg", "Mass of the scaled body"),
    ),
)

_STATIC_MARKERS = TableSchema(
    name="static_markers",
    level="session",
    row="one row per marker of the model",
    columns=(
        text("marker", "The marker's name"),
        real(
            "error_m",
            "m",
            "Distance from the scaled model's marker to the measured one in the standing pose, before the "
            "model's markers are moved; NaN if the standing trial lacks the marker",
            missing="nan",
        ),
    ),
)

_SIZING = TableSchema(
    name="sizing",
    level="session",
    row="one row per recording that was to size the subject's body",
    columns=(
        text("file", "The recording's file name"),
        text(
            "role",
            "The standing trial, or one of the walks that session.toml lists as `sizing`",
            allowed=("static", "walk"),
        ),
        flag("used", "Whether it told of the body"),
        text("reason", "Why it didn't, the stage that refused it first; empty if it did"),
    ),
)

_BODY_FIGURES = TableSchema(
    name="body_figures",
    level="session",
    row="one row per figure of the subject's sized body and of what it was sized by",
    columns=(
        text("figure", "What is told: docs/sizing.md explains each"),
        text("of", "The coordinate, joint, proportion, marker or frames that it is of"),
        real("value", "see `unit`", "Its value; NaN where only its uncertainty is told", missing="nan"),
        real("sd", "see `unit`", "Its standard deviation; NaN where that isn't estimated", missing="nan"),
        text("unit", "The unit of value, sd and limits"),
        real("limit", "see `unit`", "What the value's size may reach at most; NaN without a limit", missing="nan"),
        later(
            real(
                "report_limit",
                "see `unit`",
                "What is reported if the value is beyond it; NaN without one",
                missing="nan",
            )
        ),
        real("sd_limit", "see `unit`", "What is reported if sd is beyond it; NaN without one", missing="nan"),
        text("warning", "What each of the session's trials is told; empty if nothing"),
    ),
)

_TRIALS = TableSchema(
    name="trials",
    level="trial",
    row="one row per recorded trial, accepted or rejected",
    one_row=True,
    summary=("condition", "outcome", "stage", "reason", "n_cycles_right", "n_cycles_left"),
    columns=(
        text("condition", "Walking condition: slow, med, fast, or the laboratory's own word"),
        text(
            "outcome",
            "Whether the trial gives targets; `kinematics`: it gives joint angles, and its session asks for no more",
            allowed=("accepted", "rejected", "kinematics"),
        ),
        text("stage", "The step that rejected the trial; null if accepted", missing="null"),
        text("reason", "Why it was rejected; null if accepted", missing="null"),
        text("log", "Last lines of the rejected trial's error output and OpenSim log", missing="null"),
        text("source", "The recording's file name"),
        text("source_sha256", "SHA-256 of the recording; null if the trial was rejected", missing="null"),
        real("point_rate_hz", "Hz", "Marker frames per second", missing="null"),
        real("analog_rate_hz", "Hz", "Analog samples per second", missing="null"),
        count("n_frames", "Marker frames of the recording", missing="null"),
        real("duration_s", "s", "Duration of the recording", missing="null"),
        count("n_cycles_right", "Gait cycles stored of the right leg, in `angle_cycles` if of kinematics only"),
        count("n_cycles_left", "Gait cycles stored of the left leg, likewise"),
        *(
            optional(column)
            for column in (
                real("marker_rms_max_m", "m", "Largest root mean square marker error of any frame of a gait cycle"),
                real("marker_error_max_m", "m", "Largest error of any marker in any frame of a gait cycle"),
                real(
                    "residual_force_ratio",
                    "1",
                    "Root mean square residual force over the peak ground reaction, in cycles, both feet known",
                ),
                real(
                    "residual_moment_ratio",
                    "1",
                    "Root mean square residual moment over that peak × height, in cycles, both feet known",
                ),
                real("reserve_ratio_max", "1", "Largest reserve actuator's share of its joint's peak moment"),
                real(
                    "balance_ratio_max",
                    "1",
                    "Largest difference between what muscles and actuators give and inverse dynamics asks, "
                    "over the joint's peak moment",
                ),
                real("saturated_ratio_max", "1", "Largest share of a leg's muscles and frames at full activation"),
                real(
                    "vertical_impulse_ratio",
                    "1",
                    "Vertical ground reaction impulse of a stride over body weight times its duration",
                ),
                real(
                    "walking_speed_m_s",
                    "m/s",
                    "Mean speed of the pelvis along its path, on a treadmill against the belt",
                ),
                real("cadence_steps_per_min", "1/min", "Steps per minute"),
            )
        ),
        later(
            real(
                "heading_change_deg",
                "degree",
                "How far the pelvis turns to the left over a stride, to the right where negative: the largest of the "
                "stored ones",
                missing="nan",
            )
        ),
        *(
            later(
                real(
                    f"force_{figure}_{way}", "1", f"{what} of the plates' {way} force, and the motion's", missing="nan"
                )
            )
            for way in ("forward", "up", "sideways")
            for figure, what in (("correlation", "Correlation"), ("gain", "Gain, measured over needed,"))
        ),
        later(
            real(
                "free_moment_gain",
                "1",
                "What the motion needs about the vertical over the plates' free moments",
                missing="nan",
            )
        ),
        Column(
            name="warnings",
            type=pa.list_(pa.string()),
            unit="-",
            meaning="What a person should know about the trial; empty if nothing",
        ),
    ),
)

_KINEMATICS = TableSchema(
    name="kinematics",
    level="trial",
    row="one row per marker frame",
    columns=(
        _TIME,
        real("marker_rms_m", "m", "Root mean square marker error of inverse kinematics", missing="nan"),
        real("marker_max_m", "m", "Largest marker error of inverse kinematics", missing="nan"),
        text("worst_marker", "The marker whose error is the largest"),
    ),
    families=(
        Family(
            prefix="error_",
            members="marker",
            units=("m",),
            meaning="Inverse kinematics: distance from where the model has it to where it was measured, of the marker",
            missing="nan",
        ),
        Family(
            prefix="",
            members="coordinate",
            units=("degree", "m"),
            meaning="Inverse kinematics: the model's coordinate",
            missing="never",
        ),
    ),
)

# A table of its own, so that nobody who reads `kinematics` takes these for an accepted trial's.
_REJECTED_KINEMATICS = replace(
    _KINEMATICS,
    name="rejected_kinematics",
    row=(
        "one row per marker frame of a rejected trial whose motion was solved: for a person to look at, never to be "
        "learnt from"
    ),
)

_STRIDES = TableSchema(
    name="strides",
    level="trial",
    row="one row per stride that was seen, kept or lost, of accepted trials and of rejected ones that were solved",
    columns=(
        text("side", "Whose foot strikes begin and end the stride", allowed=("right", "left")),
        count("number", "Number of the stride among its foot's in the recording, from 1"),
        real("start_s", "s", "When its first foot strike happens in the recording"),
        real("stop_s", "s", "When its second foot strike happens"),
        flag("kept", "Whether it gives a gait cycle; never in a rejected trial"),
        text("stage", "The step at which it was lost; empty if kept"),
        text("reason", "Why it was lost; empty if kept"),
        *(
            real(name, unit, f"{meaning}; NaN if lost before", missing="nan")
            for name, unit, meaning in (
                ("marker_rms_m", "m", "Root mean square marker error, at the recipe's percentile over its frames"),
                ("marker_error_m", "m", "The worst marker's error, at the recipe's percentile over its frames"),
                ("range_end_ratio", "1", "Largest share of frames in which a joint of the leg lies on its range's end"),
                (
                    "residual_force_ratio",
                    "1",
                    "Root mean square residual force over the peak ground reaction, both feet known",
                ),
                (
                    "residual_moment_ratio",
                    "1",
                    "Root mean square residual moment over that peak and height, both feet known",
                ),
                ("reserve_ratio", "1", "Largest reserve actuator's share of its joint's peak moment"),
                ("balance_ratio", "1", "Largest unexplained moment's share of its joint's peak moment"),
                ("saturated_ratio", "1", "Share of the leg's muscles and frames at full activation"),
            )
        ),
        text("worst_marker", "The marker whose error `marker_error_m` is; empty if its motion was not solved"),
    ),
)

_JOINT_ANGLES = TableSchema(
    name="joint_angles",
    level="trial",
    row=(
        "one row per marker frame; angles as laboratories report them, from landmarks of the model's bones, NaN if the "
        "generic model is not the built-in one"
    ),
    note=(
        "How right they are: six children's against Vicon's own Plug-in Gait differ by 0.0° on average in pelvis tilt, "
        "2.2° in hip flexion, 3.5° in knee flexion, 0.8° in hip adduction and 2.4° in ankle dorsiflexion (4.7° at most "
        "of a person), and by 0.3 to 1.7° (root mean square) once that is removed. Hip rotation differs by up to 11° "
        "between people and by 5.3° within a stride. Foot progression is some 18° off, since the model's shank has no "
        "twist: compare it within a person only. docs/sizing.md has the table. Angles by the ISB and by Baker 2001 are "
        "of the same bones, and were compared with no laboratory's own. Table `body_figures` says how sure each "
        "person's zeros are."
    ),
    columns=(
        _TIME,
        *(real(name, "degree", meaning, missing="nan") for name, meaning in LABORATORY_ANGLES.items()),
    ),
)

_MOMENTS = TableSchema(
    name="moments",
    level="trial",
    row="one row per marker frame",
    columns=(
        _TIME,
        flag("right_known", "Whether everything that acts on the right foot was measured"),
        flag("left_known", "Whether everything that acts on the left foot was measured"),
    ),
    families=(
        Family(
            prefix="residual_",
            members="coordinate",
            units=("N·m", "N"),
            meaning="Inverse dynamics: the residual at the pelvis, which no muscle explains, of",
            missing="nan",
        ),
        Family(
            prefix="",
            members="coordinate",
            units=("N·m", "N"),
            meaning="Inverse dynamics: the net generalized force of the coordinate",
            missing="nan",
        ),
    ),
)

_FORCES = TableSchema(
    name="forces",
    level="trial",
    row="one row per marker frame of a stride that gives targets",
    columns=(
        _TIME,
        flag("converged", "Whether the optimizer reached its optimum"),
        real(
            "balance_nm",
            "N·m",
            "Largest unexplained share of any joint's moment in this frame",
            missing="nan",
        ),
    ),
    families=(
        Family(
            prefix="reserve_",
            members="coordinate",
            units=("N·m", "N"),
            meaning="Static optimization: what the reserve actuator adds to the coordinate",
            missing="nan",
        ),
        Family(
            prefix="",
            members="muscle",
            units=("N",),
            meaning="Static optimization: the tendon force, in strides that muscles explain, of the muscle",
            missing="nan",
        ),
    ),
)

_ACTIVATIONS = TableSchema(
    name="activations",
    level="trial",
    row="one row per marker frame of a stride that gives targets",
    columns=(_TIME,),
    families=(
        Family(
            prefix="",
            members="muscle",
            units=("1",),
            meaning="Static optimization: the activation, 0 to 1, of the muscle",
            missing="nan",
        ),
    ),
)

# The segments that meet at a joint: the proximal and the distal one.
_SEGMENTS_AT: dict[str, tuple[str, str]] = {
    "hip": ("pelvis", "femur"),
    "knee": ("femur", "tibia"),
    "ankle": ("tibia", "talus"),
}
_AXES = {"x": "forward", "y": "up", "z": "to the right"}


def _load_columns(joint: str) -> tuple[Column, ...]:
    name, _, letter = joint.partition("_")
    proximal, distal = _SEGMENTS_AT[name]
    what = f"Contact force of the {proximal} on the {'right' if letter == 'r' else 'left'} {distal} at the {name}"
    return tuple(
        real(
            f"{joint}_{which}_{axis}",
            "N",
            f"{what}, along the {segment}'s axis {axis} ({way} in standing)",
            missing="nan",
        )
        for which, segment in (("distal", distal), ("proximal", proximal))
        for axis, way in _AXES.items()
    )


_JOINT_LOADS = TableSchema(
    name="joint_loads",
    level="trial",
    row="one row per marker frame of a stride that gives targets",
    columns=(_TIME, *(column for joint in LOADED_JOINTS for column in _load_columns(joint))),
)


def _foot_columns(side: str, letter: str) -> tuple[Column, ...]:
    def vector(name: str, unit: str, meaning: str) -> tuple[Column, ...]:
        return tuple(real(f"{name}_{axis}_{letter}", unit, f"{meaning}, {way}") for axis, way in _AXES.items())

    places = tuple(
        real(column.name, column.unit, f"{column.meaning}; NaN under the contact threshold", missing="nan")
        for column in (
            *vector("cop", "m", f"Centre of pressure under the {side} foot"),
            real(
                f"free_moment_{letter}",
                "N·m",
                f"Moment about the vertical through the {side} foot's centre of pressure",
            ),
        )
    )
    return (
        *vector("force", "N", f"Ground reaction force on the {side} foot"),
        *vector("moment", "N·m", f"Ground reaction moment on the {side} foot about its reference point"),
        *vector("point", "m", f"Reference point of the {side} foot's moment, fixed on the floor"),
        *places,
        flag(f"known_{letter}", f"Whether this is all that acts on the {side} foot in this frame"),
        text(f"reason_{letter}", f"Why the {side} foot's ground reaction is not known; empty where it is"),
    )


_GRF = TableSchema(
    name="grf",
    level="trial",
    row="one row per marker frame",
    columns=(_TIME, *_foot_columns("right", "r"), *_foot_columns("left", "l")),
)


def _input_column(name: str) -> Column:
    leg = "cycle's own leg" if name.endswith("_r") else "other leg"
    return real(ipsilateral(name), "degree", f"Joint angle `{name[:-2]}` of the {leg}")


_CYCLES = TableSchema(
    name="cycles",
    level="trial",
    row="one row per sample of a gait cycle, cycle after cycle",
    columns=(
        text("condition", "Walking condition"),
        text("side", "The cycle's own leg, whose foot strikes begin and end it", allowed=("right", "left")),
        count("cycle", "Number of the cycle within its trial and side, from 0"),
        # Imported cycles have only some of these four.
        real("start_s", "s", "When the cycle's first foot strike happens in the recording", missing="nan"),
        real("duration_s", "s", "From the foot strike to the next of the same foot", missing="nan"),
        real(
            "toe_off_phase", "1", "When the cycle's own foot leaves the floor, as a share of the cycle", missing="nan"
        ),
        real(
            "margin_s",
            "s",
            "Time between the cycle and the nearer end of the observed frames; below 0.05 s the samples at that end "
            "rest on accelerations that the filter extrapolated",
            missing="nan",
        ),
        later(
            real(
                "heading_change_deg",
                "degree",
                "How far the pelvis turns to the left from the first foot strike to the last, to the right where "
                "negative",
                missing="nan",
            )
        ),
        real("mass_kg", "kg", "Body mass that forces and moments are divided by"),
        count("sample", "Number of the sample within its cycle, from 0"),
        real("phase", "1", "Time since the first foot strike as a share of the cycle: 0 to 1"),
        *(_input_column(name) for name in INPUT_COORDINATES),
        *(
            real(
                f"force_{group}",
                "N/kg",
                f"Tendon force of the own leg's {', '.join(unit[:-2] for unit in units)} per body mass",
                missing="nan",
            )
            for group, units in MUSCLE_GROUPS.items()
        ),
        *(
            real(
                f"moment_{name.removesuffix('_r')}",
                "N·m/kg",
                f"Net moment of the own leg's `{name.removesuffix('_r')}` per body mass",
                missing="nan",
            )
            for name in MOMENT_COORDINATES
        ),
        *(
            later(
                real(
                    f"load_hip{component}",
                    "N/kg",
                    f"{which} of the pelvis's contact force on the own leg's femur per body mass",
                    missing="nan",
                )
            )
            for component, which in {
                "_x": "Component along the femur's axis x (forward in standing)",
                "_y": "Component along the femur's axis y (up in standing)",
                "_z": "Component along the femur's lateral axis (away from the other leg in standing)",
                "": "Size",
            }.items()
        ),
    ),
)

_OF_ANGLES = (
    *("side", "cycle", "start_s", "duration_s", "toe_off_phase"),
    *("margin_s", "heading_change_deg", "sample", "phase"),
)
# A table of its own: nothing is known of these cycles' moments and forces, and no release reads it.
_ANGLE_CYCLES = TableSchema(
    name="angle_cycles",
    level="trial",
    row="one row per sample of a gait cycle, cycle after cycle, of trials of kinematics only",
    columns=tuple(
        column
        for column in _CYCLES.columns
        if column.name in ("condition", *_OF_ANGLES, *(ipsilateral(name) for name in INPUT_COORDINATES))
    ),
)

SCHEMAS: dict[str, TableSchema] = {
    schema.name: schema
    for schema in (
        _SUBJECTS,
        _SESSIONS,
        _SCALING,
        _STATIC_MARKERS,
        _SIZING,
        _BODY_FIGURES,
        _TRIALS,
        _KINEMATICS,
        _REJECTED_KINEMATICS,
        _STRIDES,
        _JOINT_ANGLES,
        _MOMENTS,
        _FORCES,
        _ACTIVATIONS,
        _JOINT_LOADS,
        _GRF,
        _CYCLES,
        _ANGLE_CYCLES,
    )
}

# An accepted trial has one file in each of these tables, and one in `cycles` if it has any cycle.
PER_TRIAL: tuple[str, ...] = (
    "strides",
    "kinematics",
    "joint_angles",
    "moments",
    "forces",
    "activations",
    "joint_loads",
    "grf",
)
# What a trial of kinematics only has.
PER_MOTION: tuple[str, ...] = ("strides", "kinematics", "joint_angles", "angle_cycles")
# What a rejected trial may have besides its row: the motion if it was solved, and each stride's fate.
PER_REJECTED: tuple[str, ...] = ("strides", "rejected_kinematics")
PER_SESSION: tuple[str, ...] = ("sessions", "scaling", "static_markers", "sizing", "body_figures")


def schema_of(table: str) -> TableSchema:
    """The schema of a table by its name. ValueError if there is none."""
    try:
        return SCHEMAS[table]
    except KeyError:
        raise ValueError(f"there is no table {table!r}; the tables are: {', '.join(SCHEMAS)}.") from None
