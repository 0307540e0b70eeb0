"""Where a user's caches are kept: what can be computed again, and whoever wants the space back may delete."""

import os
import sys
from pathlib import Path

CACHE_VARIABLE = "GAIT2HIP_CACHE"


def cache_folder() -> Path:
    """$GAIT2HIP_CACHE, else a folder of ours where the operating system keeps a user's caches.

    ValueError for a user without a home folder.
    """
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    usual = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME")
    if usual:
        return Path(usual) / "gait2hip"
    try:
        return Path.home() / ".cache" / "gait2hip"
    except RuntimeError as error:
        raise ValueError(f"this user has no home folder for caches. Name a folder in {CACHE_VARIABLE}.") from error
