"""A program: change one thing in a C3D file. `python edit_c3d.py FILE CHANGE [ARGUMENT …]`.

Run as a process of its own: once ezc3d has written a file, OpenSim takes no more StdVectorInt in that process.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import ezc3d
import numpy as np


def nothing(content: ezc3d.c3d) -> None:
    """Only written anew."""


def without_plates(content: ezc3d.c3d) -> None:
    content["parameters"]["FORCE_PLATFORM"]["USED"]["value"] = np.array([0])


def with_plates_under_both_feet(content: ezc3d.c3d) -> None:
    """Plates four times as long and as wide."""
    corners = content["parameters"]["FORCE_PLATFORM"]["CORNERS"]["value"]
    centre = corners.mean(axis=1, keepdims=True)
    content["parameters"]["FORCE_PLATFORM"]["CORNERS"]["value"] = centre + 4 * (corners - centre)


def without_subject(content: ezc3d.c3d) -> None:
    stated = content["parameters"]["SUBJECT"]["LABELS"]
    stated["value"] = [f"UNKNOWN_{index}" for index in range(len(stated["value"]))]


def without_label(content: ezc3d.c3d, label: str) -> None:
    labels = content["parameters"]["POINT"]["LABELS"]["value"]
    labels[labels.index(label)] = "UNKNOWN"


def unseen(content: ezc3d.c3d, first: str, stop: str, *labels: str) -> None:
    """Markers vanish from frame `first` up to `stop`; all of them if none is named."""
    stated = content["parameters"]["POINT"]["LABELS"]["value"]
    for label in labels or stated:
        content["data"]["points"][:3, stated.index(label), int(first) : int(stop)] = np.nan


CHANGES: dict[str, Callable[..., None]] = {
    change.__name__: change
    for change in (
        nothing,
        without_plates,
        with_plates_under_both_feet,
        without_subject,
        without_label,
        unseen,
    )
}


def main() -> None:
    recording, change, *arguments = sys.argv[1:]
    content = ezc3d.c3d(recording)
    CHANGES[change](content, *arguments)
    del content["data"]["meta_points"]
    Path(recording).unlink()
    content.write(recording)


if __name__ == "__main__":
    main()
