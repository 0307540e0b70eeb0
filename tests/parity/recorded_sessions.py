"""The nine recorded sessions, as a person would bring them to the command line."""

import csv
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from flows.cli import app
from warehouse.layout import Warehouse

# Mass and height as the children's C3D files have them (PROCESSING:Bodymass, Height); their age and sex are unknown.
CHILDREN = {"HC002D": ("32.1", "1.45"), "HC030A": ("45.8", "1.48"), "HC031A": ("27.7", "1.33")}
SEX = {"M": "M", "W": "F"}


@dataclass(frozen=True)
class Ingested:
    """A warehouse of all recordings, what `ingest` printed, and how to run the same command again."""

    warehouse: Warehouse
    root: Path
    printed: str
    command: tuple[str, ...]


def ingest_all(shared_data: Path, directory: Path) -> Ingested:
    """Write nine session files, ingest fifteen walks with two workers."""
    sessions = [*adult_sessions(shared_data, directory), *_children(shared_data, directory)]
    program = shutil.which("gait2hip", path=str(Path(sys.executable).parent))
    assert program is not None
    root = directory / "warehouse"
    model = shared_data / "opensim_reference" / "rajagopal2016" / "Rajagopal2016.osim"
    options = ("--model", str(model), "--warehouse", str(root), "--workers", "2")
    command = (program, "ingest", *map(str, sessions), *options)
    return Ingested(warehouse=Warehouse(str(root)), root=root, printed=run(command), command=command)


def run(command: tuple[str, ...]) -> str:
    """What the command prints; it must end with 0."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def adult_sessions(shared_data: Path, directory: Path) -> list[Path]:
    """Write the adults' session files, each named after its subject."""
    adults = shared_data / "walking_adults"
    with (adults / "anthropometrics.csv").open(newline="") as file:
        return [
            _session(
                adults / person["subjectID"], directory, "adults", person["mass"], person["height"],
                "--sex", SEX[person["gender"]], "--age-y", person["age"],
                "--condition", "*_C4_*=preferred", "--condition", "*_C5_*=fast",
            )
            for person in csv.DictReader(file)
        ]  # fmt: skip


def _children(shared_data: Path, directory: Path) -> list[Path]:
    children = shared_data / "walking_children"
    return [
        _session(children / subject, directory, "children", mass_kg, height_m, "--condition", "*=free")
        for subject, (mass_kg, height_m) in CHILDREN.items()
    ]


def _session(recordings: Path, directory: Path, cohort: str, mass_kg: str, height_m: str, *others: str) -> Path:
    file = directory / f"{recordings.name}.toml"
    result = CliRunner().invoke(
        app,
        [
            "init-session", str(recordings), "--subject", recordings.name, "--cohort", cohort,
            "--mass-kg", mass_kg, "--height-m", height_m, *others, "-o", str(file),
        ],
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    return file
