"""The shared recordings in which a laboratory's own Plug-in Gait stored its results."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from pipeline.c3d.read_c3d import read_c3d
from pipeline.records import Recording


@dataclass(frozen=True)
class RecordedWalk:
    """A recorded walk, the ending that its laboratory gives its labels, and its pelvis in Baker's order if any.

    static: the trial that measured the axes of knee and ankle; where none did, no tibial torsion is known.
    """

    file: str
    suffix: str = ""
    static: str = ""
    baker: str = ""


WALKS = (
    *(
        RecordedWalk(f"{folder}/{file}.c3d")
        for folder, file in (
            ("walking_children/HC002D", "HC002D06"),
            ("walking_children/HC030A", "HC030A05"),
            ("walking_children/HC031A", "HC031A06"),
            ("walking_children_more/HC033A", "HC033A10"),
            ("walking_children_more/HC038A", "HC038A11"),
            ("walking_children_more/HC044A", "HC044A15"),
            ("walking_children_more/HC044A/turn", "HC044A29"),
        )
    ),
    # Knee and ankle axes measured in a static trial, so that the shank is twisted.
    RecordedWalk("hospitals/FMC/MH0222_BP06.c3d", static="hospitals/FMC/MH0222_BP01.c3d"),
    RecordedWalk("hospitals/FMC/MH0222_BP15.c3d", static="hospitals/FMC/MH0222_BP08.c3d"),
    RecordedWalk("hospitals/RCH/RCH.08.c3d", static="hospitals/RCH/RCH.01.c3d", baker="{side}NewPelAngles"),
    RecordedWalk("hospitals/QCMAS/QCMAS.dynamic.c3d", suffix="_M", baker="{side}PelvisAngles_ROT"),
)
every_walk = pytest.mark.parametrize("walk", WALKS, ids=lambda walk: Path(walk.file).stem)


@cache
def read(path: Path) -> Recording:
    return read_c3d(path)
