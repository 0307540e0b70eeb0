"""A release's cycles and split, read from the warehouse."""

from dataclasses import dataclass

from models.data.channels import ANGLE_CHANNELS, TASK_TARGETS, Task
from models.data.cycles import Cycles, SubjectSplit
from warehouse.channels import TargetKind
from warehouse.files.on_disk import Allocate, in_memory, joined
from warehouse.release.arrays import load, read_split
from warehouse.release.manifest import release_folder
from warehouse.release.publish import open_release

_KINDS_OF: dict[Task, tuple[TargetKind, ...]] = {
    "forces": ("forces",),
    "moments": ("moments",),
    "both": ("forces", "moments"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedCycles:
    """A release's cycles for one task, and its split. `identity` names the release with all its files.

    `n_left_out` counts the cycles left out because a target of the task was not measured throughout.
    """

    identity: str
    cycles: Cycles
    split: SubjectSplit
    n_left_out: int


def load_released_cycles(root: str, task: Task, allocate: Allocate = in_memory) -> ReleasedCycles:
    """The cycles of the release in a folder whose targets were measured throughout, and the split of their subjects.

    `allocate` says where angles and targets are kept (`warehouse/files/on_disk.py`). ValueError if the release lacks
    the task's targets, WarehouseError if it can't be read.
    """
    release = open_release(root)
    arrays = load(root, _KINDS_OF[task], allocate)
    if not len(arrays):
        raise ValueError(f"{root} has no cycle with all of its {task} known")
    cycles = Cycles(
        angles_deg=arrays.inputs_deg,
        targets=joined(arrays.forces_n_kg, arrays.moments_nm_kg),
        target_channels=TASK_TARGETS[task],
        subject=arrays.subject,
        condition=arrays.condition,
        mass_kg=arrays.mass_kg,
        height_m=arrays.height_m,
        duration_s=arrays.duration_s,
        side=arrays.side,
    )
    split, present = read_split(release), set(cycles.subjects)
    return ReleasedCycles(
        identity=release_folder(release.manifest),
        cycles=cycles,
        split=SubjectSplit(
            train=tuple(name for name in split.train if name in present),
            test=tuple(name for name in split.test if name in present),
        ),
        n_left_out=arrays.n_left_out,
    )


def cycles_bytes(root: str, task: Task) -> int:
    """The size in memory of a release's angles and targets. WarehouseError if it can't be read."""
    manifest = open_release(root).manifest
    return 4 * manifest.n_cycles * manifest.points * (len(ANGLE_CHANNELS) + len(TASK_TARGETS[task]))
