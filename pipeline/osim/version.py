"""Which OpenSim is installed, without loading it: half a second that a parent process need not pay."""

from functools import cache
from importlib.metadata import version


@cache
def opensim_version() -> str:
    """The installed OpenSim release, such as "4.6": part of every output's provenance."""
    return version("opensim")
