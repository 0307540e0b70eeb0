"""Every laboratory of the shared recordings, as a newcomer tries it: `python -m benchmarks.laboratories FOLDER`.

Writes each person's session by `init_session`, with no profile named, ingests their walks in this process into
FOLDER/warehouse and prints how many labels are used, what became of the walks, and one row a laboratory: a person takes
two commands, `init-session` and `ingest`. `--virtual DIR` is a folder that `gait2hip virtual DIR` wrote.

Masses and heights are those that the recordings state, but: FMC's plates weigh 77 kg in walking where its files say 81;
gait2354 and Rajagopal's walk have their models' masses and a height that nobody states, 1.80 m; the treadmill's runner
is described with the data.
"""

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

# One core, as in a worker process: numpy reads it when it is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from benchmarks.people import Person, everybody, ingest
from pipeline.osim.log import quiet
from pipeline.session.init_session import init_session
from pipeline.session.load_profile import BY_LABELS
from pipeline.session.recipe import PACKAGED_RECIPE, read_settings
from pipeline.session.session import load_session
from pipeline.session.setup import open_session
from pipeline.session.stated_facts import SubjectFacts

# (line that is there, line that a newcomer writes in its place)
Edit = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """Somebody's recordings, and lines that are written by hand: in session.toml, and in a copy of the recipe."""

    laboratory: str
    person: Person
    session_edits: tuple[Edit, ...] = ()
    recipe_edits: tuple[Edit, ...] = ()


# Tendons are rigid in static optimization, and a runner's calves shorten too fast for their strength then.
_RUNNING = (("use_muscle_physiology = true", "use_muscle_physiology = false"),)
_FORCES = (
    (
        '"motion_capture_walk.trc" = "walk"',
        '"motion_capture_walk.trc" = {condition = "walk", forces = "grf_walk.mot"}',
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where session files and the warehouse are written")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("GAIT2HIP_TEST_DATA", "../shared/data")))
    parser.add_argument("--virtual", type=Path, metavar="DIR", help="virtual people too")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="these laboratories or people")
    arguments = parser.parse_args()
    quiet()
    walks: dict[str, list[bool]] = {}
    people: dict[str, list[Tried]] = {}
    for tried in everywhere(arguments.data, arguments.virtual):
        if not arguments.only or {tried.laboratory, tried.person.facts.id} & set(arguments.only):
            walks.setdefault(tried.laboratory, []).extend(_try(tried, arguments.folder))
            people.setdefault(tried.laboratory, []).append(tried)
    print("\n| recordings | people | commands each | lines by hand | walks accepted |\n|---|---|---|---|---|")
    for name, accepted in walks.items():
        by_hand = max(len(one.session_edits) + len(one.recipe_edits) for one in people[name])
        print(f"| {name} | {len(people[name])} | 2 | {by_hand} | {sum(accepted)} of {len(accepted)} |")


def everywhere(data: Path, virtual: Path | None) -> Iterator[Tried]:
    """Hospitals, OpenSim's examples, the treadmill, adults, children, and virtual people where they were made."""

    def person(name: str, folder: Path, mass_kg: float, height_m: float) -> Person:
        facts = SubjectFacts(id=name, mass_kg=mass_kg, height_m=height_m)
        return Person(facts, "laboratories", folder, (("*", "walk"),))

    examples = data / "opensim_reference"
    yield Tried(laboratory="FMC", person=person("FMC", data / "hospitals/FMC", 77.0, 1.79))
    yield Tried(laboratory="QCMAS", person=person("QCMAS", data / "hospitals/QCMAS", 70.23, 1.86))
    yield Tried(laboratory="RCH", person=person("RCH", data / "hospitals/RCH", 48.8, 1.629))
    yield Tried(laboratory="gait2354", person=person("gait2354", examples / "gait2354", 72.6, 1.8))
    yield Tried(
        laboratory="rajagopal2016",
        person=person("rajagopal2016", examples / "rajagopal2016/walk", 85.1, 1.8),
        session_edits=_FORCES,
    )
    runner = person("treadmill", data / "treadmill", 80.0, 1.83)
    yield Tried(laboratory="treadmill, as packaged", person=replace(runner, facts=replace(runner.facts, id="runner")))
    yield Tried(laboratory="treadmill", person=runner, recipe_edits=_RUNNING)
    for one in everybody(data):
        yield Tried(laboratory=one.cohort, person=one)
    for file in sorted(virtual.glob("*/*/session.toml")) if virtual else ():
        subject = load_session(file).subject
        made = person(subject.id, file.parent, subject.mass_kg, subject.height_m)
        yield Tried(laboratory="virtual", person=made)


def _try(tried: Tried, folder: Path) -> list[bool]:
    person = tried.person
    file = folder / "sessions" / f"{person.facts.id}.toml"
    if not file.exists():
        init_session(
            person.recordings, subject=person.facts, cohort=person.cohort, conditions=person.conditions, output=file
        )
        file.write_text(_edited(file.read_text("utf-8"), tried.session_edits), "utf-8")
    recipe = PACKAGED_RECIPE
    if tried.recipe_edits:
        recipe = str(folder / f"{person.facts.id}_recipe.toml")
        named = (f'name = "{PACKAGED_RECIPE}"', 'name = "by_hand"')
        packaged = read_settings("recipes", PACKAGED_RECIPE)[1]
        Path(recipe).write_text(_edited(packaged, (named, *tried.recipe_edits)), "utf-8")
    profile = open_session(str(file), recipe, None).profile
    over_bone = sum(1 for marker in profile.markers.values() if marker.landmark)
    by_labels = f"{over_bone} landmarks, {len(profile.markers) - over_bone} technical markers"
    print(
        f"{person.facts.id}: profile {profile.name}{f', {by_labels}' if profile.name == BY_LABELS else ''}", flush=True
    )
    return ingest(person, folder, recipe)


def _edited(text: str, edits: tuple[Edit, ...]) -> str:
    for found, wanted in edits:
        assert found in text, f"there is no line {found}"
        text = text.replace(found, wanted)
    return text


if __name__ == "__main__":
    main()
