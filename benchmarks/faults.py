"""What a warehouse is worth after kills and crowds: `python -m benchmarks.faults [--kills 200] [--writers 10]`.

Half of the kills hit `gait2hip ingest`, half `gait2hip regenerate`, each with two workers, on a virtual session of two
walks: every process at once, as when the plug is pulled. After each kill every file of the warehouse must be, byte for
byte, one of an undisturbed run's, and every row of a trial must find what it vouches for; when a run gets through, the
warehouse must be an undisturbed run's. Then `--writers` processes ingest at once: sessions of their own, and all the
same one, while a reader reads.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from subprocess import PIPE

from benchmarks.killing import (
    Ended,
    Moment,
    Program,
    Snapshot,
    check,
    gait2hip,
    leftovers,
    random_moment,
    run_until,
    snapshot,
)
from pipeline.session.recipe import read_settings
from warehouse.layout import temporary_files
from warehouse.settings_file import parse_toml

WORKERS = "2"
REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Kills:
    """What the kills of one command found. `n_mid_write`: kills that left an unfinished file behind."""

    command: str
    n_kills: int
    n_mid_write: int
    n_runs_that_got_through: int
    n_files_checked: int
    undisturbed_seconds: float
    slowest_end_of_all_processes_s: float


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Processes that ingested at once, and how often a reader looked meanwhile."""

    what: str
    n_processes: int
    n_reads: int
    n_files: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A virtual laboratory, two recipes that differ in what the last stages read, and where it all happens."""

    folder: Path
    sessions: tuple[Path, ...]
    recipes: tuple[Path, Path]
    environment: dict[str, str]

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse"

    def ingest(self, *sessions: Path, recipe: int = 0) -> list[str]:
        options = ("--recipe", self.recipes[recipe], "--warehouse", self.warehouse, "--workers", WORKERS)
        return gait2hip("ingest", *(sessions or self.sessions), *options)

    def regenerate(self, recipe: int) -> list[str]:
        options = ("--recipe", self.recipes[recipe], "--warehouse", self.warehouse, "--workers", WORKERS)
        return gait2hip("regenerate", *options)

    def finish(self, command: Sequence[str]) -> Ended:
        """Run a command undisturbed."""
        ended = run_until(command, self.environment, self.warehouse, None)
        assert ended.exit_code == 0, ended.output
        return ended


def main() -> None:
    arguments = _arguments()
    figures: list[dict[str, object]] = []

    def show(found: Kills | Crowd) -> None:
        figures.append(asdict(found))
        print("; ".join(f"{name.replace('_', ' ')} {value}" for name, value in asdict(found).items()), flush=True)
        if arguments.json:
            arguments.json.write_text(json.dumps(figures, indent=1))

    with tempfile.TemporaryDirectory(prefix="gait2hip-") as name, one_prefect(Path(name)) as prefect:
        scene = make_scene(Path(name), prefect, subjects=1, trials=2)
        rng = random.Random(arguments.seed)
        if arguments.kills:
            show(kill_ingests(scene, arguments.kills // 2, rng))
            show(kill_regenerations(scene, arguments.kills - arguments.kills // 2, rng))
    if arguments.writers:
        with tempfile.TemporaryDirectory(prefix="gait2hip-") as name:
            scene = make_scene(Path(name), {}, subjects=arguments.writers, trials=1)
            show(crowd("sessions of their own", scene, scene.sessions))
            shutil.rmtree(scene.warehouse)
            show(crowd("the same session", scene, scene.sessions[:1] * arguments.writers))


@contextmanager
def one_prefect(folder: Path) -> Iterator[dict[str, str]]:
    """A Prefect server for all runs, as the variable that names it: starting one takes longer than a small run."""
    (folder / "server").mkdir()
    environment = {
        **_without_prefect(),
        "PREFECT_HOME": str(folder / "prefect"),
        "TMPDIR": str(folder / "server"),
        "PYTHONPATH": str(REPOSITORY),
    }
    serve = "import os, sys; from flows.prefect_server.local_prefect import start_prefect; start_prefect()\n"
    serve += "print(os.environ['PREFECT_API_URL'], os.environ['PREFECT_API_AUTH_STRING'], flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", serve]
    with subprocess.Popen(command, env=environment, stdin=PIPE, stdout=PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield dict(zip(("PREFECT_API_URL", "PREFECT_API_AUTH_STRING"), server.stdout.readline().split(), strict=True))
        server.stdin.close()


def make_scene(folder: Path, prefect: dict[str, str], subjects: int, trials: int) -> Scene:
    """The cheapest laboratory there is: fast walks, and nothing wrong with them."""
    environment = {
        **_without_prefect(),
        **prefect,
        "GAIT2HIP_CACHE": str(folder / "cache"),
        "PREFECT_HOME": str(folder / "prefect"),
        "TMPDIR": str(folder / "tmp"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": str(REPOSITORY),
    }
    (folder / "tmp").mkdir()
    laboratory = folder / "laboratory"
    options = ("--subjects", str(subjects), "--conditions", "fast", "--trials", str(trials))
    made = run_until(gait2hip("virtual", laboratory, *options, "--blemishes", "none"), environment, laboratory, None)
    assert made.exit_code == 0, made.output
    return Scene(
        folder=folder,
        sessions=tuple(sorted(file.parent for file in laboratory.glob("*/*/session.toml"))),
        recipes=(_recipe(folder, 180), _recipe(folder, 181)),
        environment=environment,
    )


def kill_ingests(scene: Scene, n_kills: int, rng: random.Random) -> Kills:
    """Ingest, killed again and again, until it gets through; then from an empty warehouse once more."""
    scene.finish(scene.ingest())  # Makes the built-in model and Prefect's database, which is done once.
    shutil.rmtree(scene.warehouse)
    undisturbed = scene.finish(scene.ingest())
    expected = snapshot(scene.warehouse)
    shutil.rmtree(scene.warehouse)
    tally = _Tally("ingest", undisturbed, [expected])
    while tally.n_kills < n_kills:
        if tally.run(scene, scene.ingest(), random_moment(rng, undisturbed)):
            _check_finished(scene, expected)
            shutil.rmtree(scene.warehouse)
    scene.finish(scene.ingest())
    _check_finished(scene, expected)
    _check_tidy(scene)
    return tally.kills()


def kill_regenerations(scene: Scene, n_kills: int, rng: random.Random) -> Kills:
    """Regenerate by one recipe and the other in turn, each killed until it gets through."""
    shutil.rmtree(scene.warehouse, ignore_errors=True)
    scene.finish(scene.ingest())
    results = [snapshot(scene.warehouse)]
    undisturbed = scene.finish(scene.regenerate(1))
    results.append(snapshot(scene.warehouse))
    assert results[0] != results[1], "the second recipe is to change results"
    tally, recipe = _Tally("regenerate", undisturbed, results), 0
    while tally.n_kills < n_kills:
        if tally.run(scene, scene.regenerate(recipe), random_moment(rng, undisturbed)):
            _check_finished(scene, results[recipe])
            recipe = 1 - recipe
    # What was killed last may have left nothing to do: an ingest looks, and tidies up.
    scene.finish(scene.ingest(recipe=recipe))
    _check_finished(scene, results[recipe])
    _check_tidy(scene)
    return tally.kills()


class _Tally:
    """Runs that were to be killed, and what was found after each."""

    def __init__(self, command: str, undisturbed: Ended, possible: Sequence[Snapshot]) -> None:
        self._command, self._undisturbed, self._possible = command, undisturbed, possible
        self.n_kills = self._n_mid_write = self._n_through = self._n_files = 0
        self._slowest_end_s = 0.0

    def run(self, scene: Scene, command: Sequence[str], moment: Moment) -> bool:
        """Run, kill, check. Whether the run got through before it was to be killed."""
        ended = run_until(command, scene.environment, scene.warehouse, moment)
        self._n_files += check(scene.warehouse, self._possible)
        if ended.killed:
            self.n_kills += 1
            self._n_mid_write += ended.mid_write
            self._slowest_end_s = max(self._slowest_end_s, ended.ending_s)
            if self.n_kills % 10 == 0:
                print(self.kills(), flush=True)
            return False
        assert ended.exit_code == 0, ended.output
        self._n_through += 1
        return True

    def kills(self) -> Kills:
        return Kills(
            command=self._command,
            n_kills=self.n_kills,
            n_mid_write=self._n_mid_write,
            n_runs_that_got_through=self._n_through,
            n_files_checked=self._n_files,
            undisturbed_seconds=round(self._undisturbed.seconds, 1),
            slowest_end_of_all_processes_s=round(self._slowest_end_s, 2),
        )


def crowd(what: str, scene: Scene, sessions: Sequence[Path]) -> Crowd:
    """One process for each of the sessions named, all at once, and a reader that must never see half of anything."""
    distinct = tuple(dict.fromkeys(sessions))
    scene.finish(scene.ingest(*distinct))
    expected = snapshot(scene.warehouse)
    shutil.rmtree(scene.warehouse)
    began, n_reads = time.monotonic(), 0
    programs = [Program(scene.ingest(session), scene.environment) for session in sessions]
    while any(program.process.poll() is None for program in programs):
        check(scene.warehouse, [expected])
        n_reads += 1
    for program in programs:
        said = program.said()
        assert program.process.returncode == 0, said
    _check_finished(scene, expected)
    return Crowd(
        what=what,
        n_processes=len(programs),
        n_reads=n_reads,
        n_files=len(expected),
        seconds=round(time.monotonic() - began, 1),
    )


def _check_finished(scene: Scene, expected: Snapshot) -> None:
    assert snapshot(scene.warehouse) == expected, "not what an undisturbed run gives"
    assert not leftovers(scene.warehouse), leftovers(scene.warehouse)


def _check_tidy(scene: Scene) -> None:
    left = temporary_files(Path(scene.environment["TMPDIR"]))
    assert not left, left


def _without_prefect() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}


def _recipe(folder: Path, points: int) -> Path:
    """The packaged recipe with another number of samples a cycle: kinematics are kept, cycles are not."""
    content = parse_toml(*read_settings("recipes", "gait2hip60"))
    content["cycles"]["cycle_points"] = points  # type: ignore[index]
    lines = [f"name = {json.dumps(content['name'])}"]
    for section, values in content.items():
        if isinstance(values, dict):
            lines += [f"[{section}]", *(f"{name} = {json.dumps(value)}" for name, value in values.items())]
    path = folder / f"points_{points}.toml"
    path.write_text("\n".join(lines))
    return path


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200, help="half of ingest, half of regenerate; 0 for none")
    parser.add_argument("--writers", type=int, default=10, help="processes that ingest at once; 0 for none")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
