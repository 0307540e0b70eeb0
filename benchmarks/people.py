"""Everybody in the shared recordings, ingested: `python -m benchmarks.people FOLDER [--data DIR] [--only ID]`.

Writes a session file for each of twelve adults and six children, ingests their walks in this process into
FOLDER/warehouse, and prints what became of each. Other benchmarks read that warehouse.
"""

import argparse
import csv
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# One core, as in a worker process: numpy reads it when it is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from pipeline.osim.log import quiet
from pipeline.session.init_session import init_session
from pipeline.session.recipe import PACKAGED_RECIPE
from pipeline.session.session import load_session
from pipeline.session.stated_facts import SubjectFacts
from pipeline.storing.ingest_trial import ingest_trial
from pipeline.storing.prepare_session import prepare_session
from pipeline.storing.request import SessionRequest
from pipeline.storing.store_rejected import record_rejection
from warehouse.outcome import Rejection

ADULTS = ("walking_adults", "walking_adults_more")
# Mass (kg) and height (m) as the children's C3D files have them (PROCESSING:Bodymass, Height).
CHILDREN = {
    "walking_children": {"HC002D": (32.1, 1.45), "HC030A": (45.8, 1.48), "HC031A": (27.7, 1.33)},
    "walking_children_more": {"HC033A": (51.5, 1.605), "HC038A": (56.8, 1.74), "HC044A": (39.4, 1.45)},
}
SEX = {"M": "M", "W": "F"}
SPEEDS = (("*_C4_*", "preferred"), ("*_C5_*", "fast"))


@dataclass(frozen=True)
class Person:
    """Somebody recorded, and the folder of their C3D files."""

    facts: SubjectFacts
    cohort: str
    recordings: Path
    conditions: tuple[tuple[str, str], ...]


def main() -> None:
    arguments = _arguments()
    quiet()
    for person in everybody(arguments.data):
        if not arguments.only or person.facts.id in arguments.only:
            ingest(person, arguments.folder, arguments.recipe)


def everybody(data: Path) -> Iterator[Person]:
    """Twelve adults, then six children."""
    for folder in ADULTS:
        with (data / folder / "anthropometrics.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                facts = SubjectFacts(
                    id=row["subjectID"],
                    mass_kg=float(row["mass"]),
                    height_m=float(row["height"]),
                    sex=SEX[row["gender"]],
                    age_y=float(row["age"]),
                )
                yield Person(facts, "adults", data / folder / facts.id, SPEEDS)
    for folder, children in CHILDREN.items():
        for name, (mass_kg, height_m) in children.items():
            facts = SubjectFacts(id=name, mass_kg=mass_kg, height_m=height_m)
            yield Person(facts, "children", data / folder / name, (("*", "free"),))


def session_of(person: Person, folder: Path) -> Path:
    """The person's session file, written unless it is there."""
    file = folder / "sessions" / f"{person.facts.id}.toml"
    if not file.exists():
        init_session(
            person.recordings, subject=person.facts, cohort=person.cohort, conditions=person.conditions, output=file
        )
    return file


def ingest(person: Person, folder: Path, recipe: str) -> list[bool]:
    """Size the person, solve their walks, print what became of them, and say of each whether it was accepted."""
    file = session_of(person, folder)
    request = SessionRequest(
        session_file=str(file.absolute()),
        recipe=recipe,
        model=None,
        warehouse=str((folder / "warehouse").absolute()),
    )
    start = time.process_time()
    prepared = prepare_session(request)
    print(f"{person.facts.id:8} sized in {time.process_time() - start:.2f} s {_reason(prepared.rejection)}", flush=True)
    accepted = []
    for trial in load_session(file).trials:
        start = time.process_time()
        if prepared.rejection:
            outcome = record_rejection(request, trial.name, prepared.rejection)
        else:
            outcome = ingest_trial(request, trial.name)
        print(f"  {trial.name:14} {time.process_time() - start:.2f} s {_reason(outcome.rejection)}", flush=True)
        accepted.append(outcome.rejection is None)
    return accepted


def _reason(rejection: Rejection | None) -> str:
    return f"rejected at {rejection}" if rejection else "accepted"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where session files and the warehouse are written")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("GAIT2HIP_TEST_DATA", "../shared/data")))
    parser.add_argument("--recipe", default=PACKAGED_RECIPE)
    parser.add_argument("--only", nargs="*", metavar="ID", help="these people")
    return parser.parse_args()


if __name__ == "__main__":
    main()
