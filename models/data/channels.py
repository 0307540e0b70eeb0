"""What is predicted, by the name of the task: channels in the order and under the names a release stores them."""

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


ANGLES: tuple[Channel, ...] = tuple(Channel(name=name, unit="degree") for name in INPUT_COORDINATES)
FORCES: tuple[Channel, ...] = tuple(Channel(name=f"force_{group}", unit="N/kg") for group in MUSCLE_GROUPS)
MOMENTS: tuple[Channel, ...] = tuple(
    Channel(name=f"moment_{name.removesuffix('_r')}", unit="N·m/kg") for name in MOMENT_COORDINATES
)

TARGETS: Mapping[Task, tuple[Channel, ...]] = MappingProxyType(
    {"forces": FORCES, "moments": MOMENTS, "both": (*FORCES, *MOMENTS)}
)
