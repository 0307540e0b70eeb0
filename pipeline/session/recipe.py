"""Recipes: the settings that can change a number. `docs/recipes.md` lists the figures that are in code, and why."""

import json
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from warehouse.settings_file import Checked, checked, not_toml, parse_toml

SettingsKind = Literal["recipes", "profiles"]
Positive = Annotated[float, Field(gt=0)]
Ratio = Annotated[float, Field(gt=0, lt=1)]
PositiveShare = Annotated[float, Field(gt=0, le=1)]
CutoffHz = Annotated[float, Field(gt=0, le=50)]
# Beyond it the effort is so flat at zero that Newton's method on its dual does not always reach balance.
MOST_EXACT_EXPONENT = 6
PACKAGED_RECIPE = "gait2hip60"


# Whether engine `exact` computes as OpenSim does where that is provably off, or by the laws.
MechanicsLaw = Literal["corrected", "opensim"]


class OsimSettings(Checked):
    """The musculoskeletal model and the engine that drives it."""

    file: str
    right_foot_body: str
    left_foot_body: str
    engine: Literal["exact", "tools"]
    mechanics: MechanicsLaw

    @property
    def mechanics_used(self) -> MechanicsLaw:
        """What the engine computes by: OpenSim's tools know one mechanics, whatever the recipe says."""
        return self.mechanics if self.engine == "exact" else "opensim"


class MarkerSettings(Checked):
    """Gap filling and low-pass filtering of marker trajectories, and how much of a walk they must show."""

    max_gap_s: Annotated[float, Field(ge=0, le=1)]
    max_marker_speed_m_s: Positive
    marker_cutoff_hz: CutoffHz
    min_segment_marker_ratio: PositiveShare
    min_window_s: Positive


class GroundReactionSettings(Checked):
    """Contacts, their assignment to feet, gait events, and the checks of plate physics."""

    force_cutoff_hz: CutoffHz
    contact_threshold_n: Positive
    debounce_s: Positive
    min_peak_body_weights: Positive
    max_scuff_body_weights: Ratio
    edge_margin_m: Annotated[float, Field(ge=0)]
    edge_load_body_weights: Positive
    max_cop_to_foot_m: Positive
    min_cop_under_foot_ratio: PositiveShare
    on_floor_height_m: Positive
    on_floor_speed_m_s: Positive
    min_belt_speed_m_s: Positive
    max_early_leave_s: Positive
    min_foot_seen_ratio: PositiveShare
    min_foot_travel_m: Positive
    min_strike_interval_s: Positive
    min_reach_prominence: PositiveShare
    max_event_pairing_s: Positive
    min_swing_s: Positive
    max_contact_delay_s: Positive
    min_seen_stance_s: Positive
    max_impulse_error: Ratio
    plates_mass_sd: Ratio
    stride_mass_sd: Ratio
    report_mass_difference: Ratio
    max_event_difference_s: Positive


class ScalingSettings(Checked):
    """The static trial: whose it is and how it is read; and how it and walks give the model its size."""

    method: Literal["posterior", "pairs"]
    standing_sd_m: Positive
    walking_frames: Annotated[int, Field(ge=2, le=1000)]
    worth_frames: Positive
    length_sd: Positive
    breadth_sd: Positive
    trunk_sd: Positive
    difference_sd: Positive
    height_sd: Positive
    mass_shares: Literal["published", "model"]
    hip_extension_deg: Annotated[float, Field(ge=0, le=90)]
    knee_hyperextension_deg: Annotated[float, Field(ge=0, le=30)]
    ankle_dorsiflexion_deg: Annotated[float, Field(ge=0, le=60)]
    max_spines_difference_deg: Positive
    max_standing_lumbar_deg: Positive
    max_hip_centre_difference_m: Positive
    max_proportion_sds: Positive
    max_place_sds: Positive
    max_sizing_rms_m: Positive
    max_zero_sd_deg: Positive
    max_standing_travel_m: Positive
    report_standing_knee_deg: Positive
    max_standing_knee_deg: Positive
    max_foot_lift_m: Positive
    max_standing_step_m: Positive
    report_malleolus_height_difference_m: Positive
    max_malleolus_height_difference_m: Positive
    min_sized_height_m: Positive
    max_sized_height_m: Positive
    max_height_difference_m: Positive
    max_exchange_ratio: Positive
    max_side_sds: Positive
    max_marker_sds: Positive
    max_frame_sds: Positive
    max_static_rms_m: Positive
    preserve_mass_distribution: bool
    static_window_s: Positive
    ik_accuracy: Ratio
    min_swap_misfit_m: Positive
    max_swap_remainder: Ratio
    min_foot_body_weights: Ratio
    max_standing_error: Ratio
    max_segment_difference: Ratio
    max_stated_height_difference: Ratio


class InverseKinematicsSettings(Checked):
    """The accuracy of engine `tools`; `exact` solves to its optimum."""

    ik_accuracy: Ratio


class InverseDynamicsSettings(Checked):
    """How coordinates are smoothed before differentiation, and how far plates may be from what the motion needs."""

    coordinate_cutoff_hz: CutoffHz
    min_fault_drop: Positive
    report_fault_drop: Positive
    min_free_moment_gain: Annotated[float, Field(ge=-1, le=1)]
    report_vertical_difference: Ratio
    max_vertical_difference: Ratio
    report_pressure_shift_m: Positive
    max_pressure_shift_m: Positive


class StaticOptimizationSettings(Checked):
    """Muscle redundancy: minimise the sum of activations to the exponent.

    `convergence_criterion` and `max_iterations` are engine `tools`' own; `exact` solves to its optimum.
    """

    activation_exponent: Annotated[float, Field(ge=1, le=10)]
    use_muscle_physiology: bool
    passive_fibre_force: bool
    reserve_optimal_nm: Positive
    residual_optimal_n: Positive
    residual_optimal_nm: Positive
    convergence_criterion: Ratio
    max_iterations: Annotated[int, Field(ge=1)]


class QualitySettings(Checked):
    """Gates between a stride that is kept and one that is lost, and what is worth a warning."""

    marker_percentile: Annotated[float, Field(ge=50, le=100)]
    max_marker_rms_m: Positive
    max_marker_error_m: Positive
    max_reserve_ratio: Ratio
    max_balance_ratio: Ratio
    saturated_activation: PositiveShare
    max_saturated_ratio: Ratio
    max_residual_force_ratio: Ratio
    max_residual_moment_ratio: Ratio
    max_speed_rad_s: Positive
    max_speed_m_s: Positive
    min_leap_ratio: Positive
    range_end_deg: Positive
    max_range_end_ratio: Ratio
    min_path_step_m: Positive


class CycleSettings(Checked):
    """Gait cycles and their resampling."""

    cycle_points: Annotated[int, Field(ge=10, le=1000)]
    min_stride_s: Positive
    max_stride_s: Positive

    @model_validator(mode="after")
    def _ordered(self) -> "CycleSettings":
        if self.min_stride_s >= self.max_stride_s:
            raise ValueError(f"min_stride_s={self.min_stride_s} must be below max_stride_s={self.max_stride_s}")
        return self


class Recipe(Checked):
    """All sections together; frozen, and hashed section by section into what each stage made."""

    name: str
    model: OsimSettings
    markers: MarkerSettings
    ground_reactions: GroundReactionSettings
    scaling: ScalingSettings
    inverse_kinematics: InverseKinematicsSettings
    inverse_dynamics: InverseDynamicsSettings
    static_optimization: StaticOptimizationSettings
    quality: QualitySettings
    cycles: CycleSettings

    @model_validator(mode="after")
    def _solvable(self) -> "Recipe":
        exponent = self.static_optimization.activation_exponent
        if self.model.engine == "exact" and not 2 <= exponent <= MOST_EXACT_EXPONENT:
            raise ValueError(
                f"activation_exponent={exponent:g} with engine 'exact', which solves exponents from 2 to "
                f"{MOST_EXACT_EXPONENT}. Give one of those, or name engine 'tools'."
            )
        return self

    @model_validator(mode="after")
    def _passive(self) -> "Recipe":
        settings = self.static_optimization
        if settings.passive_fibre_force and self.model.engine == "tools":
            raise ValueError(
                "passive_fibre_force=true with engine 'tools', whose static optimization knows active force only. "
                "Set it to false, or name engine 'exact'."
            )
        if settings.passive_fibre_force and not settings.use_muscle_physiology:
            raise ValueError(
                "passive_fibre_force=true with use_muscle_physiology=false: without fibre lengths there is no passive "
                "force. Set the one to false, or the other to true."
            )
        return self

    @model_validator(mode="after")
    def _one_cutoff(self) -> "Recipe":
        markers, forces = self.markers.marker_cutoff_hz, self.ground_reactions.force_cutoff_hz
        if markers != forces:
            raise ValueError(
                f"marker_cutoff_hz={markers} and force_cutoff_hz={forces} differ: unequal cut-offs make "
                "artefacts at foot contact (Kristianslund et al. 2012). Give both the same value."
            )
        return self


@cache
def packaged_names(kind: SettingsKind) -> tuple[str, ...]:
    """Names of the packaged recipes or profiles."""
    folder = files("pipeline") / kind
    return tuple(sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml")))


def read_settings(kind: SettingsKind, name_or_path: str) -> tuple[str, str]:
    """Where the settings came from, and their text: a packaged name, or any TOML file. ValueError if neither."""
    path = Path(name_or_path)
    if name_or_path in packaged_names(kind):
        return name_or_path, (files("pipeline") / kind / f"{name_or_path}.toml").read_text("utf-8")
    if not path.is_file():
        raise ValueError(
            f"{kind[:-1]} {name_or_path!r} is neither a file nor one of the packaged {kind}: "
            f"{', '.join(packaged_names(kind))}."
        )
    try:
        return path.name, path.read_text("utf-8-sig")
    except OSError as error:
        raise ValueError(f"{path.name} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise not_toml(path.name, error) from error


def load_recipe(name_or_path: str) -> Recipe:
    """A packaged recipe by name, or a TOML file. ValueError names the file, the setting and what it may be."""
    recipe = _recipe(*read_settings("recipes", name_or_path))
    if not recipe.model.file:
        return recipe
    # From the recipe's own folder, wherever the reader stands.
    model = str((Path(name_or_path).absolute().parent / recipe.model.file).resolve())
    return recipe.model_copy(update={"model": recipe.model.model_copy(update={"file": model})})


# Thousands of sessions share a few recipes, and reading TOML is what planning them would mostly be.
@lru_cache(maxsize=32)
def _recipe(where: str, text: str) -> Recipe:
    content = parse_toml(where, text)
    try:
        return checked(Recipe, where, content)
    except ValueError as error:
        lacking = _lacking(content)
        if not lacking:
            raise
        raise ValueError(
            f"{error}. An older gait2hip knew fewer settings: add what is missing; recipe {PACKAGED_RECIPE} has "
            f"{lacking}."
        ) from error


def _lacking(content: dict[str, object]) -> str:
    """The lines that a recipe lacks, section by section, as the packaged recipe has them; "" if there are none."""
    lacking = []
    for section, packaged in parse_toml(*read_settings("recipes", PACKAGED_RECIPE)).items():
        given = content.get(section, {})
        if isinstance(packaged, dict) and isinstance(given, dict):
            lines = [f"{name} = {_as_toml(value)}" for name, value in packaged.items() if name not in given]
            lacking += [f"[{section}] {'; '.join(lines)}"] if lines else []
    return ", ".join(lacking)


def _as_toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
