"""Blemishes of a virtual laboratory's recordings: their settings, and records of those that a trial has."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from warehouse.settings_file import Checked, checked, parse_toml, read_toml

Amount = Annotated[float, Field(ge=0)]
Millimetres = Annotated[float, Field(ge=0, le=100)]
Chance = Annotated[float, Field(ge=0, le=1)]

DEFAULT, NONE = "default", "none"


class Blemishes(Checked):
    """Settings of all blemishes of a laboratory; laboratory.toml says what each means. 0 is off."""

    marker_placement_mm: Millimetres
    marker_white_noise_mm: Millimetres
    marker_slow_noise_mm: Millimetres
    marker_slow_noise_hz: Annotated[float, Field(ge=0, le=20)]
    pelvis_skin_mm: Millimetres
    thigh_skin_mm: Millimetres
    shank_skin_mm: Millimetres
    foot_skin_mm: Millimetres
    trunk_skin_mm: Millimetres
    arm_skin_mm: Millimetres
    gaps_per_trial: Annotated[float, Field(ge=0, le=1000)]
    gap_s: Amount
    swapped_labels_ratio: Chance
    half_off_plate_ratio: Chance
    stumble_ratio: Chance
    stumble_n: Amount
    stumble_s: Amount
    plate_offset_n: Amount
    plate_offset_nm: Amount
    plate_drift_n_per_s: Amount
    plate_drift_nm_per_s: Amount
    plate_noise_n: Amount
    plate_noise_nm: Amount

    @model_validator(mode="after")
    def _complete(self) -> "Blemishes":
        """A blemish that is on must have a size: without one a setting was forgotten."""
        needed = (
            ("marker_slow_noise_mm", "marker_slow_noise_hz"),
            ("gaps_per_trial", "gap_s"),
            ("stumble_ratio", "stumble_n"),
            ("stumble_ratio", "stumble_s"),
        )
        for what, size in needed:
            if getattr(self, what) > 0 and getattr(self, size) == 0:
                raise ValueError(f"{what} is {getattr(self, what):g} and {size} is 0: give {size}, or set {what} to 0")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One figure of one blemish of a trial: what it affects (a marker, a foot, a channel), its value and unit."""

    blemish: str
    of: str
    figure: str
    value: float
    unit: str


def load_blemishes(name_or_path: str) -> Blemishes:
    """`default`, `none`, or a TOML file. ValueError names the file, the setting, what was found and expected."""
    if name_or_path == NONE:
        return Blemishes(**dict.fromkeys(Blemishes.model_fields, 0.0))
    if name_or_path == DEFAULT:
        text = (files("pipeline.virtual") / "laboratory.toml").read_text("utf-8")
        return checked(Blemishes, "laboratory.toml", parse_toml("laboratory.toml", text))
    if not Path(name_or_path).is_file():
        raise ValueError(
            f"blemishes {name_or_path!r}: expected {DEFAULT!r}, {NONE!r} or a TOML file, and there is none."
        )
    return checked(Blemishes, name_or_path, read_toml(Path(name_or_path)))
