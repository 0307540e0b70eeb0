"""Laboratories that no packaged profile knows, as a newcomer tries them: `python -m benchmarks.laboratories FOLDER`.

Writes a session for each by `init_session`, with no profile named, ingests its walks in this process into
FOLDER/warehouse and prints how many labels are used, and what became of the walks. Masses and heights are those that
the recordings state, but: FMC's plates weigh 77 kg in walking where its files say 81; gait2354 and Rajagopal's walk
have their models' masses and a height that nobody states, 1.80 m; the treadmill's runner is described with the data.
"""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

# One core, as in a worker process: numpy reads it when it is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from benchmarks.people import Person, ingest
from pipeline.osim.log import quiet
from pipeline.session.init_session import init_session
from pipeline.session.recipe import PACKAGED_RECIPE
from pipeline.session.setup import open_session
from pipeline.session.stated_facts import SubjectFacts


@dataclass(frozen=True)
class Laboratory:
    """A folder below the recordings' folder, whose person, and lines that a newcomer changes in session.toml."""

    folder: str
    id: str
    mass_kg: float
    height_m: float
    edits: tuple[tuple[str, str], ...] = ()


LABORATORIES = (
    Laboratory("hospitals/FMC", "FMC", 77.0, 1.79),
    Laboratory("hospitals/QCMAS", "QCMAS", 70.23, 1.86),
    Laboratory("hospitals/RCH", "RCH", 48.8, 1.629),
    Laboratory("opensim_reference/gait2354", "gait2354", 72.6, 1.8),
    Laboratory(
        "opensim_reference/rajagopal2016/walk",
        "rajagopal2016",
        85.1,
        1.8,
        (
            (
                '"motion_capture_walk.trc" = "walk"',
                '"motion_capture_walk.trc" = {condition = "walk", forces = "grf_walk.mot"}',
            ),
        ),
    ),
    Laboratory("treadmill", "treadmill", 80.0, 1.83),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where session files and the warehouse are written")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("GAIT2HIP_TEST_DATA", "../shared/data")))
    arguments = parser.parse_args()
    quiet()
    for laboratory in LABORATORIES:
        _try(laboratory, arguments.data, arguments.folder)


def _try(laboratory: Laboratory, data: Path, folder: Path) -> None:
    facts = SubjectFacts(id=laboratory.id, mass_kg=laboratory.mass_kg, height_m=laboratory.height_m)
    person = Person(facts, "laboratories", data / laboratory.folder, (("*", "walk"),))
    file = folder / "sessions" / f"{laboratory.id}.toml"
    if not file.exists():
        init_session(person.recordings, subject=facts, cohort=person.cohort, conditions=person.conditions, output=file)
        text = file.read_text("utf-8")
        for found, wanted in laboratory.edits:
            assert found in text, f"{file} has no line {found}"
            text = text.replace(found, wanted)
        file.write_text(text, "utf-8")
    profile = open_session(str(file), PACKAGED_RECIPE, None).profile
    over_bone = sum(1 for marker in profile.markers.values() if marker.landmark)
    print(
        f"{laboratory.id}: profile {profile.name}, {over_bone} landmarks, {len(profile.markers) - over_bone} technical "
        f"markers, {len(laboratory.edits)} lines by hand",
        flush=True,
    )
    ingest(person, folder, PACKAGED_RECIPE)


if __name__ == "__main__":
    main()
