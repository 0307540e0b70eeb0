"""Channels have the names and the order of a release's columns."""

from models.data.channels import ANGLE_CHANNELS, TARGET_CHANNELS
from warehouse.release.columns import FORCES, INPUT_COORDINATES, MOMENTS


def test_channels_are_a_release_s_columns_in_their_order() -> None:
    assert tuple(channel.name for channel in ANGLE_CHANNELS) == INPUT_COORDINATES
    assert tuple(channel.name for channel in TARGET_CHANNELS["both"]) == (*FORCES, *MOMENTS)
