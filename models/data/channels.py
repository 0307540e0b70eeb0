"""Input and target channels, in the order and under the names in which a release stores them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from warehouse.channels import INPUT_COORDINATES, MOMENT_COORDINATES, MUSCLE_GROUPS
from warehouse.settings_file import Checked

Task = Literal["forces", "moments", "both"]


class Channel(Checked):
    """One input or target."""

    name: str
    unit: str


ANGLE_CHANNELS: tuple[Channel, ...] = tuple(Channel(name=name, unit="degree") for name in INPUT_COORDINATES)
FORCE_TARGETS: tuple[Channel, ...] = tuple(Channel(name=f"force_{group}", unit="N/kg") for group in MUSCLE_GROUPS)
MOMENT_TARGETS: tuple[Channel, ...] = tuple(
    Channel(name=f"moment_{name.removesuffix('_r')}", unit="N·m/kg") for name in MOMENT_COORDINATES
)

TASK_TARGETS: Mapping[Task, tuple[Channel, ...]] = MappingProxyType(
    {"forces": FORCE_TARGETS, "moments": MOMENT_TARGETS, "both": (*FORCE_TARGETS, *MOMENT_TARGETS)}
)
