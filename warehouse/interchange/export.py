"""Releases exported for other programs: the published NPZ layout, CSV, and OpenSim's tables."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from warehouse.channels import INPUT_COORDINATES, MUSCLE_GROUPS, TargetKind
from warehouse.files import storage
from warehouse.identity import VIRTUAL_PREFIX
from warehouse.interchange.gait2hip60 import FILE_NAMES, OUT_COLUMNS, POINTS
from warehouse.interchange.opensim_table import format_table
from warehouse.layout import Warehouse, file_path, temporary_path
from warehouse.release.arrays import CycleArrays, load
from warehouse.release.manifest import CYCLES_FILE
from warehouse.release.publish import Release, open_release

Format = Literal["npz", "csv", "mot"]
# As OpenSim's analysis JointReaction names the forces on a right leg's femur in its own axes.
_LOAD_COLUMNS = tuple(f"hip_r_on_femur_r_in_femur_r_f{axis}" for axis in "xyz")
# How the file of each kind of target ends, and the names of its columns.
_TABLES: dict[TargetKind, tuple[str, tuple[str, ...]]] = {
    "moments": ("id.sto", OUT_COLUMNS["moments"]),
    "forces": ("so.sto", tuple(f"{group}_r" for group in MUSCLE_GROUPS)),
    "loads": ("jr.sto", _LOAD_COLUMNS),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """The files that were written, and each cycle that was left out of a file, or a file of it, with the reason."""

    files: tuple[Path, ...]
    left_out: tuple[str, ...] = ()


def parse_format(text: str) -> Format:
    """`npz`, `csv` or `mot`; ValueError for anything else."""
    known: dict[str, Format] = {name: name for name in EXPORTERS}
    if text not in known:
        raise ValueError(f"--format {text}: expected {', '.join(known)}.")
    return known[text]


def export_release(root: str, format_: Format, output: Path) -> Exported:
    """Export the release in a folder, local or `s3://…`, into the folder `output`; each file appears whole.

    MissingFile or WarehouseError if there is no such release, ValueError if it lacks what the format needs.
    """
    return EXPORTERS[format_](open_release(root), output)


def _npz(release: Release, output: Path) -> Exported:
    """One file for each kind of target that was published, as the published training scripts read them.

    Names, shapes and units are theirs; contact forces are in no such file.

    Cycles are sorted by subject and condition, so that an import followed by an export gives the same arrays.
    ValueError if the release's cycles have a different number of samples from the published ones.
    """
    if release.manifest.points != POINTS:
        raise ValueError(
            f"{release.root.root}: its cycles have {release.manifest.points} samples; the published layout has "
            f"{POINTS}. Cut a release with --points {POINTS}, or export it as csv or mot."
        )
    written, left_out = [], []
    for kind in (kind for kind in FILE_NAMES if kind in release.manifest.targets):
        cycles = load(release.root.root, (kind,))
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, **_published(cycles, kind))
        written.append(_write(output, FILE_NAMES[kind], content.getvalue()))
        left_out += [f"{FILE_NAMES[kind]}: {told}" for told in cycles.left_out]
    return Exported(files=tuple(written), left_out=tuple(left_out))


def _published(cycles: CycleArrays, kind: TargetKind) -> dict[str, np.ndarray]:
    codes = _subject_codes(cycles)
    order = np.lexsort([cycles.condition, codes])
    per_mass = cycles.forces_n_kg if kind == "forces" else cycles.moments_nm_kg
    return {
        "X": cycles.inputs_deg[order],
        # In double precision: divided by the mass, it gives the release's number to the last digit.
        "Y": per_mass[order] * cycles.mass_kg[order, None, None],
        "subject_id": codes[order],
        "height_m": cycles.height_m[order],
        "weight_kg": cycles.mass_kg[order],
        "speed_label": cycles.condition[order],
        "in_cols": np.array(cycles.input_names),
        "out_cols": np.array(OUT_COLUMNS[kind]),
    }


def _csv(release: Release, output: Path) -> Exported:
    """One table in long form with a release's columns and units."""
    target = output / "cycles.csv"
    with _replacing(target) as temporary:
        parquet = pq.ParquetFile(pa.BufferReader(release.buffer(CYCLES_FILE)))
        with pa.csv.CSVWriter(temporary, parquet.schema_arrow) as writer:
            for index in range(parquet.num_row_groups):
                writer.write_table(parquet.read_row_group(index))
    return Exported(files=(target,))


def _mot(release: Release, output: Path) -> Exported:
    """For each cycle a motion file, and a file in N or N·m for each kind of target that is known of it.

    OpenSim's older readers stop at `nan`: a cycle without, say, a known contact force has no file of these, and its
    other files stand.
    """
    cycles = load(release.root.root, ())
    unknown = int((~np.isfinite(cycles.duration_s)).sum())
    if unknown:
        raise ValueError(
            f"{release.root.root}: the duration of {unknown} of {len(cycles)} cycles is not known (their source tells "
            "none), and OpenSim's tables need time. Export them as npz or csv."
        )
    known = {kind: load(release.root.root, (kind,)) for kind in _TABLES if kind in release.manifest.targets}
    return Exported(
        files=tuple(_write_cycles(cycles, known, output)),
        left_out=tuple(f"{_TABLES[kind][0]}: {told}" for kind, of_kind in known.items() for told in of_kind.left_out),
    )


EXPORTERS: dict[Format, Callable[[Release, Path], Exported]] = {"npz": _npz, "csv": _csv, "mot": _mot}


def _write_cycles(cycles: CycleArrays, known: Mapping[TargetKind, CycleArrays], output: Path) -> Iterator[Path]:
    """Each cycle's motion, and its targets of each kind that are known."""
    rows = {kind: {_identity(of_kind, row): row for row in range(len(of_kind))} for kind, of_kind in known.items()}
    for index in range(len(cycles)):
        who = _identity(cycles, index)
        name = "_".join(who).replace("/", "_")
        time_s = np.linspace(0, cycles.duration_s[index], cycles.inputs_deg.shape[1])
        tables = [("ik.mot", INPUT_COORDINATES, cycles.inputs_deg[index])]
        for kind, of_kind in known.items():
            if who in rows[kind]:
                ending, columns = _TABLES[kind]
                values = _per_kg(of_kind, kind)[rows[kind][who], :, : len(columns)]
                tables.append((ending, columns, values * cycles.mass_kg[index]))
        for ending, columns, values in tables:
            file = f"{name}_{ending}"
            yield _write(output, file, format_table(file, columns, time_s, values).encode())


def _identity(cycles: CycleArrays, index: int) -> tuple[str, ...]:
    row = cycles.subject[index], cycles.session[index], cycles.trial[index], cycles.side[index], cycles.cycle[index]
    return tuple(str(part) for part in row)


def _per_kg(cycles: CycleArrays, kind: TargetKind) -> np.ndarray:
    return {"moments": cycles.moments_nm_kg, "forces": cycles.forces_n_kg, "loads": cycles.loads_n_kg}[kind]


def _subject_codes(cycles: CycleArrays) -> np.ndarray:
    """Each cycle's subject (N,): its code, or `cohort.code` where codes recur or subjects are virtual."""
    codes = np.array([subject.partition("/")[2] for subject in cycles.subject], dtype=str)
    alone = len(set(codes)) == len(set(cycles.subject))
    # A virtual subject must not pass for one of the published subjects.
    virtual = any(subject.startswith(VIRTUAL_PREFIX) for subject in cycles.subject)
    return codes if alone and not virtual else np.char.replace(cycles.subject, "/", ".")


def _write(output: Path, name: str, content: bytes) -> Path:
    folder = Warehouse(str(output))
    storage.write_bytes(folder, file_path(folder, name), content)
    return output / name


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A temporary path beside `target`, renamed to `target` if no error is raised."""
    with storage.describe_os_errors("write", str(target)):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_path(target)
        try:
            yield temporary
            storage.flush(temporary)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
