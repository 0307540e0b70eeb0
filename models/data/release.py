"""The seam to the warehouse: a release's cycles, as this room knows them."""

from dataclasses import dataclass

from models.data.channels import ANGLES, TARGETS, Task
from models.data.cycles import Cycles, Split
from warehouse.channels import TargetKind
from warehouse.files.on_disk import Allocate, in_memory, joined
from warehouse.release.arrays import load, read_split
from warehouse.release.manifest import release_folder
from warehouse.release.publish import open_release

_KINDS: dict[Task, tuple[TargetKind, ...]] = {
    "forces": ("forces",),
    "moments": ("moments",),
    "both": ("forces", "moments"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What a release holds for one task. `identity` names it and all its files, its split too.

    `n_left_out` counts its cycles that aren't here, since not all of the task's targets are known throughout.
    """

    identity: str
    cycles: Cycles
    split: Split
    n_left_out: int


def open_cycles(root: str, task: Task, allocate: Allocate = in_memory) -> Released:
    """The release in a folder. ValueError if it lacks the task's targets, WarehouseError if it can't be read.

    `allocate` says where angles and targets are kept (`warehouse/files/on_disk.py`).
    Cycles whose targets were not measured throughout are left out, and so are subjects who have no others.
    """
    release = open_release(root)
    arrays = load(root, _KINDS[task], allocate)
    if not len(arrays):
        raise ValueError(f"{root} has no cycle with all of its {task} known")
    cycles = Cycles(
        angles_deg=arrays.inputs_deg,
        targets=joined(arrays.forces_n_kg, arrays.moments_nm_kg),
        target_channels=TARGETS[task],
        subject=arrays.subject,
        condition=arrays.condition,
        mass_kg=arrays.mass_kg,
        height_m=arrays.height_m,
        duration_s=arrays.duration_s,
        side=arrays.side,
    )
    split, present = read_split(release), set(cycles.subjects)
    return Released(
        identity=release_folder(release.manifest),
        cycles=cycles,
        split=Split(
            train=tuple(name for name in split.train if name in present),
            test=tuple(name for name in split.test if name in present),
        ),
        n_left_out=arrays.n_left_out,
    )


def cycles_bytes(root: str, task: Task) -> int:
    """What angles and targets of a release's cycles take, once. WarehouseError if it can't be read."""
    manifest = open_release(root).manifest
    return 4 * manifest.n_cycles * manifest.points * (len(ANGLES) + len(TARGETS[task]))
