"""Channels have the names and the order of a release's columns."""

from models.data.channels import ANGLE_CHANNELS, TASK_TARGETS
from warehouse.channels import FORCE_CHANNELS, INPUT_COORDINATES, MOMENT_CHANNELS


def test_channels_are_a_release_s_columns_in_their_order() -> None:
    assert tuple(channel.name for channel in ANGLE_CHANNELS) == INPUT_COORDINATES
    assert tuple(channel.name for channel in TASK_TARGETS["both"]) == (*FORCE_CHANNELS, *MOMENT_CHANNELS)
