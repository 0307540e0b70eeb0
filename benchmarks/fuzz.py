"""Damaged files for every reader: `python -m benchmarks.fuzz --minutes 5 [--seed 1] [--keep DIR] [--data DIR]`.

Small files made here, and the small recordings below `--data`, are damaged at random: bits, cuts, blocks put in, taken
out and exchanged, lines repeated, numbers changed. Each is given to its reader in a process of its own. What may come
of it is a reading, or an error (ValueError, TrialRejected) that names the file. Any other exception, an error without
the name, a reader that doesn't return within ten seconds or takes more than 2 GiB is a failure, and its file is kept.

A C3D file that was changed in its statements (header and parameters) and is read with other numbers without a warning
is counted as `silent`: many statements are nobody's to check (a scale of EMG, a corner moved by a millimetre), so this
is no failure.
"""

import argparse
import hashlib
import io
import multiprocessing
import os
import random
import resource
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from pipeline.c3d.read_c3d import read_c3d
from pipeline.errors import TrialRejected
from pipeline.motion_only.motion_file import read_csv_motion
from pipeline.recordings.external_loads import read_external_loads
from pipeline.recordings.ground_forces import read_ground_forces
from pipeline.recordings.motion_table import read_motion_table
from pipeline.recordings.trc import read_trc
from pipeline.records import Recording
from pipeline.session.load_profile import load_profile
from pipeline.session.recipe import load_recipe, read_settings
from pipeline.session.session import load_session
from pipeline.virtual.files.c3d_file import C3DFile, float32s, int16s
from warehouse.channels import INPUT_COORDINATES
from warehouse.interchange.archive_files import UNITS, read_archive
from warehouse.interchange.gait2hip60 import OUT_COLUMNS
from warehouse.interchange.input_cycles import read_npz_inputs

TIME_LIMIT_S = 10.0
MEMORY_LIMIT_BYTES = 2 * 2**30
# Larger recordings take too long to be tried often.
LARGEST_SEED_BYTES = 2**20
C3D_BLOCK = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What became of one damaged file: `read`, `refused`, or how it failed; the numbers' digest, and what was said."""

    outcome: str
    said: str = ""
    digest: str = ""


Reader = Callable[[Path], object]

READERS: Mapping[str, Reader] = {
    "walk.c3d": read_c3d,
    "walk.trc": read_trc,
    "forces.mot": read_ground_forces,
    "motion.sto": read_motion_table,
    "loads.xml": read_external_loads,
    "session.toml": load_session,
    "profile.toml": lambda path: load_profile(str(path)),
    "recipe.toml": lambda path: load_recipe(str(path)),
    "cycles.npz": read_npz_inputs,
    "archive.zip": read_archive,
    "motion.csv": lambda path: read_csv_motion(path, load_recipe("gait2hip60")),
}


def made_seeds() -> dict[str, bytes]:
    """One whole file for each reader."""
    time_s = np.arange(200) / 100
    table = np.column_stack([time_s, np.sin(time_s), np.cos(time_s)])
    return {
        "walk.c3d": _c3d(),
        "walk.trc": _trc(time_s).encode(),
        "forces.mot": _forces(time_s).encode(),
        "motion.sto": _table("motion", ["hip_flexion_r", "knee_angle_r"], table).encode(),
        "loads.xml": _LOADS.encode(),
        "session.toml": _SESSION.encode(),
        "profile.toml": read_settings("profiles", "plug_in_gait")[1].encode(),
        "recipe.toml": read_settings("recipes", "gait2hip60")[1].encode(),
        "cycles.npz": _npz(),
        "archive.zip": _archive(time_s),
        "motion.csv": _csv(time_s).encode(),
    }


def real_seeds(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The small recordings and tables below a folder, by the reader they are for."""
    readers = {".c3d": "walk.c3d", ".trc": "walk.trc", ".mot": "forces.mot", ".sto": "motion.sto"}
    for path in sorted(folder.rglob("*")):
        reader = readers.get(path.suffix.lower())
        if reader and path.is_file() and path.stat().st_size <= LARGEST_SEED_BYTES:
            yield reader, path.read_bytes()


def _c3d() -> bytes:
    points = np.zeros((40, 4, 4))
    points[..., :3] = np.array([[0, 0, 900], [100, 50, 500], [100, 0, 80], [250, 0, 40]]) + 1.0
    points[..., 0] += 12.0 * np.arange(40)[:, None]
    push = np.array([10.0, 5.0, -700.0, 35e3, 70e3, -3e3])
    groups: dict = {
        "ANALOG": {"UNITS": ["N", "N", "N", "Nmm", "Nmm", "Nmm"], "LABELS": ["Fx", "Fy", "Fz", "Mx", "My", "Mz"]},
        "FORCE_PLATFORM": {
            "USED": int16s(1),
            "TYPE": int16s(2),
            "CORNERS": np.array([[400.0, 0, 0, 400], [0, 0, 600, 600], [0, 0, 0, 0]])[:, :, None].astype("<f4"),
            "ORIGIN": np.array([[0.0], [0], [-40]], dtype="<f4"),
            "CHANNEL": np.arange(1, 7, dtype="<i2")[:, None],
            "ZERO": int16s(1, 0),
        },
        "EVENT": {"USED": int16s(1), "LABELS": ["Foot Strike"], "CONTEXTS": ["Right"], "TIMES": float32s(0, 0.1)},
    }
    return C3DFile(points=points, analog=np.tile(push, (160, 1)), parameters=groups).content()


def _trc(time_s: np.ndarray) -> str:
    head = [
        "PathFileType\t4\t(X/Y/Z)\twalk.trc",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"100\t100\t{len(time_s)}\t2\tmm\t100\t1\t{len(time_s)}",
        "Frame#\tTime\tRASI\t\t\tLASI\t\t",
        "\t\tX1\tY1\tZ1\tX2\tY2\tZ2",
    ]
    rows = [f"{n + 1}\t{t:.3f}\t{900 * t:.3f}\t950\t100\t{900 * t:.3f}\t950\t-100" for n, t in enumerate(time_s)]
    return "\n".join([*head, *rows]) + "\n"


def _table(name: str, columns: Sequence[str], rows: np.ndarray) -> str:
    head = [name, "version=1", f"nRows={len(rows)}", f"nColumns={rows.shape[1]}", "inDegrees=yes", "endheader"]
    lines = ["\t".join(f"{value:.6f}" for value in row) for row in rows]
    return "\n".join([*head, "\t".join(["time", *columns]), *lines]) + "\n"


def _forces(time_s: np.ndarray) -> str:
    columns = [
        f"{what}_{letter}{axis}"
        for what, letter in (("ground_force_r", "v"), ("ground_force_r", "p"), ("ground_torque_r", ""))
        for axis in "xyz"
    ]
    one = np.array([10.0, 700.0, 5.0, 0.3, 0.0, 0.1, 0.0, 3.0, 0.0])
    return _table("forces", columns, np.column_stack([time_s, np.tile(one, (len(time_s), 1))]))


def _csv(time_s: np.ndarray) -> str:
    rows = [",".join(f"{value:.4f}" for value in (t, *(20 * np.sin(6 * t + np.arange(10))))) for t in time_s]
    return "\n".join([",".join(["time_s", *(f"{name}_deg" for name in INPUT_COORDINATES)]), *rows]) + "\n"


def _npz() -> bytes:
    file = io.BytesIO()
    angles_deg = np.broadcast_to(20 * np.sin(np.linspace(0, 2 * np.pi, 180))[:, None], (2, 180, 10))
    np.savez_compressed(file, X=angles_deg, in_cols=np.array(INPUT_COORDINATES))
    return file.getvalue()


def _archive(time_s: np.ndarray) -> bytes:
    """A zip of one published trial: angles, moments and muscle forces."""
    kinds = {"ik.mot": INPUT_COORDINATES, "id.sto": OUT_COLUMNS["moments"], "so_force.sto": UNITS}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, columns in kinds.items():
            table = np.column_stack([time_s, np.ones((len(time_s), len(columns)))])
            archive.writestr(f"H01/slow_1/H01_slow_1_{name}", _table(name, columns, table))
    return file.getvalue()


_SESSION = """format = 1
[subject]
id = "S1"
mass_kg = 70.0
height_m = 1.75
sex = "F"
age_y = 30.0

[session]
id = "V1"
cohort = "fuzz"
profile = "plug_in_gait"
static = "static.c3d"
recordings = "."

[trials]
"walk.c3d" = "preferred"
"""

_LOADS = """<?xml version="1.0" encoding="UTF-8" ?>
<OpenSimDocument Version="40000"><ExternalLoads name="loads"><objects><ExternalForce name="right">
<applied_to_body>calcn_r</applied_to_body><force_expressed_in_body>ground</force_expressed_in_body>
<point_expressed_in_body>ground</point_expressed_in_body><force_identifier>ground_force_r_v</force_identifier>
<point_identifier>ground_force_r_p</point_identifier><torque_identifier>ground_torque_r_</torque_identifier>
</ExternalForce></objects><datafile>forces.mot</datafile></ExternalLoads></OpenSimDocument>
"""


Span = tuple[int, int]


def _flipped(data: bytes, span: Span, chance: random.Random) -> bytes:
    return _replaced(data, (span[0], span[0] + 1), bytes([data[span[0]] ^ 1 << chance.randrange(8)]))


def _overwritten(data: bytes, span: Span, chance: random.Random) -> bytes:
    return _replaced(data, span, chance.randbytes(span[1] - span[0]))


def _filled(data: bytes, span: Span, chance: random.Random) -> bytes:
    return _replaced(data, span, bytes([chance.choice((0, 1, 127, 128, 255))]) * (span[1] - span[0]))


def _reworded(data: bytes, span: Span, chance: random.Random) -> bytes:
    word = chance.choice(
        (b"nan", b"inf", b"-1", b"1e308", b"0", b"\xff\xfe", b"[" * 2000, b"\n", b'"', b"mm", b"UNSIGNED")
    )
    return _replaced(data, (span[0], span[0] + len(word)), word)


def _cut(data: bytes, span: Span, _chance: random.Random) -> bytes:
    return data[: span[0]]


def _taken_out(data: bytes, span: Span, _chance: random.Random) -> bytes:
    return _replaced(data, span, b"")


def _put_in(data: bytes, span: Span, chance: random.Random) -> bytes:
    length = span[1] - span[0]
    return _replaced(data, (span[0], span[0]), chance.choice((b"\0" * length, chance.randbytes(length))))


def _repeated(data: bytes, span: Span, _chance: random.Random) -> bytes:
    return _replaced(data, (span[1], span[1]), data[slice(*span)])


def _exchanged(data: bytes, span: Span, chance: random.Random) -> bytes:
    length = span[1] - span[0]
    other = chance.randrange(len(data) - length + 1)
    here, there = data[slice(*span)], data[other : other + length]
    return _replaced(_replaced(data, span, there), (other, other + length), here)


def _replaced(data: bytes, span: Span, by: bytes) -> bytes:
    return data[: span[0]] + by + data[span[1] :]


DAMAGES = (_flipped, _overwritten, _filled, _reworded, _cut, _taken_out, _put_in, _repeated, _exchanged)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The bytes with one kind of damage, half of the time among the first 4096: statements come first."""
    start = chance.randrange(min(len(data), chance.choice((4096, len(data)))))
    length = min(chance.choice((1, 2, 4, 16, 64, C3D_BLOCK, 4096)), len(data) - start)
    return chance.choice(DAMAGES)(data, (start, start + length), chance)


def is_statement(data: bytes, content: bytes) -> bool:
    """Whether a C3D file's header or parameters were changed, and nothing else."""
    start = C3D_BLOCK * (data[16] - 1)
    return len(content) == len(data) and content[:start] != data[:start] and content[start:] == data[start:]


def digest_of(found: object) -> tuple[str, str]:
    """A digest of a recording's numbers, and its warnings; nothing for other readings."""
    if not isinstance(found, Recording):
        return "", ""
    parts = [found.time_s, found.markers_m, *(a for p in found.plates for a in (p.corners_m, p.force_n, p.moment_nm))]
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()
    return digest, "\n".join(found.warnings)


def tried(path: Path, reader: Reader) -> Tried:
    """One reading, whatever comes of it."""
    try:
        digest, warnings = digest_of(reader(path))
    except (ValueError, TrialRejected) as error:
        named = path.name in str(error)
        return Tried(outcome="refused" if named else "unnamed", said=f"{type(error).__name__}: {error}"[:300])
    except BaseException as error:  # a fuzz reports whatever a reader lets through
        return Tried(outcome=type(error).__name__, said=str(error)[:300])
    return Tried(outcome="read", said=warnings, digest=digest)


def _serve(connection: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_in_use_bytes() + MEMORY_LIMIT_BYTES,) * 2)
    while True:
        path = connection.recv()
        connection.send(tried(path, READERS[path.name]))


def _in_use_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Child:
    """A process that reads files, one at a time; another takes its place when it dies or hangs."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._connection, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def read(self, path: Path) -> Tried:
        """What the reader of a file's name made of it."""
        self._connection.send(path)
        try:
            if self._connection.poll(TIME_LIMIT_S):
                answer: Tried = self._connection.recv()
                return answer
            outcome = Tried(outcome="hang", said=f"no answer in {TIME_LIMIT_S:g} s")
        except EOFError:
            outcome = Tried(outcome="crash", said="the process died")
        self.close()
        self._start()
        return outcome

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self._connection.close()


def fuzz(seconds: float, seed: int, keep: Path, seeds: Sequence[tuple[str, bytes]]) -> dict[str, Counter[str]]:
    """Outcomes by reader; files that failed are kept below `keep`, with what was said beside them."""
    chance = random.Random(seed)
    counts: dict[str, Counter[str]] = {name: Counter() for name in READERS}
    child = Child()
    end_s = time.monotonic() + seconds
    by_reader = {name: [data for reader, data in seeds if reader == name] for name in READERS}
    originals: dict[tuple[str, int], Tried] = {}
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < end_s:
            name = chance.choice(list(by_reader))
            which = chance.randrange(len(by_reader[name]))
            data = by_reader[name][which]
            # Alone in its folder, since a file of loads says what its neighbour's columns are.
            path = Path(folder) / str(list(READERS).index(name)) / name
            path.parent.mkdir(exist_ok=True)
            if (name, which) not in originals:
                path.write_bytes(data)
                originals[name, which] = child.read(path)
            content = damaged(data, chance)
            path.write_bytes(content)
            outcome = child.read(path)
            counts[name]["tries"] += 1
            in_statements = name == "walk.c3d" and is_statement(data, content)
            counts[name][_judged(outcome, originals[name, which], in_statements=in_statements)] += 1
            if outcome.outcome not in ("read", "refused"):
                _keep(keep, path, content, outcome)
    child.close()
    return counts


def _judged(outcome: Tried, original: Tried, *, in_statements: bool) -> str:
    if outcome.outcome not in ("read", "refused"):
        return f"FAILED {outcome.outcome}"
    if outcome.outcome == "refused" or not in_statements or outcome.digest == original.digest:
        return outcome.outcome
    return "silent" if outcome.said == original.said else "warned"


def _keep(keep: Path, path: Path, content: bytes, outcome: Tried) -> None:
    keep.mkdir(parents=True, exist_ok=True)
    stem = f"{path.stem}_{hashlib.sha256(content).hexdigest()[:10]}"
    (keep / f"{stem}{path.suffix}").write_bytes(content)
    (keep / f"{stem}.txt").write_text(f"{outcome.outcome}\n{outcome.said}\n", "utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print tries and failures by reader; exit status 1 if anything failed."""
    parser = argparse.ArgumentParser(description="Give damaged files to every reader.")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("fuzz_failures"), help="where failing files go")
    parser.add_argument("--data", type=Path, help="a folder of recordings to damage too")
    options = parser.parse_args(arguments)
    seeds = [*made_seeds().items(), *(real_seeds(options.data) if options.data else ())]
    counts = fuzz(60 * options.minutes, options.seed, options.keep, seeds)
    for name, found in counts.items():
        others = ", ".join(f"{count} {what}" for what, count in sorted(found.items()) if what != "tries")
        print(f"{name:13} {found['tries']:6d} tries: {others}")
    n_failed = sum(count for found in counts.values() for what, count in found.items() if what.startswith("FAILED"))
    print(f"{sum(found['tries'] for found in counts.values())} tries, {n_failed} failures")
    if n_failed:
        print(f"the files are in {options.keep}")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
