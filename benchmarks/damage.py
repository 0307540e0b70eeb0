"""Whether damage to a warehouse is noticed: `python -m benchmarks.damage [--seed 1] [--json FILE]`.

A virtual laboratory of two people is ingested and two releases are cut. Every table, scaled model, source, run and
released file is damaged in six ways: a bit flipped (twice, elsewhere), a byte inserted, cut short, emptied, exchanged
with another of its kind. After each damage everything of its kind is read; what differs from what was stored and raises
no error was used. Then `verify_warehouse`, as `gait2hip status --verify` does, must name the file. At last all files
but the releases' are damaged in one way at once, and `gait2hip regenerate` must restore every byte.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pyarrow as pa

from benchmarks.killing import gait2hip, run_until, snapshot
from warehouse.errors import WarehouseError
from warehouse.files import read
from warehouse.holdings.damage import verify_warehouse
from warehouse.holdings.runs import IngestRun, last_run
from warehouse.holdings.sources import read_sources
from warehouse.identity import SessionKey, TrialKey
from warehouse.layout import RELEASES, RUNS, SCALED_MODELS, SOURCES, Warehouse
from warehouse.release.arrays import cycle_tables
from warehouse.release.manifest import CYCLES_FILE, MANIFEST_FILE
from warehouse.release.publish import damaged_releases, open_release
from warehouse.schemas import SCHEMAS

KINDS = ("bit", "another bit", "inserted", "cut", "emptied", "exchanged")
_GROUPS = {SCALED_MODELS: "scaled models", SOURCES: "sources", RUNS: "runs", RELEASES: "releases"}

# What a reader got by the name of what it asked for; what raised an error is not in it.
Seen = dict[str, object]


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as name:
        root = make_warehouse(Path(name))
        counts = Counter[tuple[str, str]]()
        for kind in KINDS:
            damage_each(root, kind, random.Random(f"{arguments.seed} {kind}"), counts)
            damage_all(root, kind, random.Random(f"{arguments.seed} {kind}"), counts, Path(name))
    columns = ("damages", "used", "found", "mended")
    figures = {what: [counts[what, column] for column in columns] for what in ("tables", *_GROUPS.values())}
    figures["all"] = [sum(of_column) for of_column in zip(*figures.values(), strict=True)]
    print("| what | damages | used | found by `--verify` | mended by `regenerate` |\n|---|---|---|---|---|")
    for what, row in figures.items():
        print(f"| {what} | {' | '.join(map(str, row))} |")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


def make_warehouse(folder: Path) -> Path:
    """Two people of two walks each, ingested one after the other, and two releases of them."""
    root = folder / "warehouse"
    _run(folder, "virtual", folder / "lab", "--subjects", "2", "--conditions", "slow", "--trials", "2")
    for session in sorted((folder / "lab").glob("*/*")):
        _run(folder, "ingest", session, "--warehouse", root, "--workers", "2", "--no-prefect")
    for sides in ("right", "both"):
        _run(folder, "release", "--warehouse", root, "--name", sides, "--sides", sides)
    return root


def damage_each(root: Path, kind: str, rng: random.Random, counts: Counter[tuple[str, str]]) -> None:
    """Damage one file at a time, look whether that is used and found, and put things right again."""
    whole = {folder.name: everything(root, folder.name) for folder in root.iterdir() if folder.is_dir()}
    # The newest run that is whole: any of them.
    whole[RUNS] = {name: run for file in (root / RUNS).iterdir() for name, run in _run_in(file).items()}
    for path in files(root):
        before = path.read_bytes()
        with damaged(root, path, kind, rng) as is_damaged:
            if not is_damaged:
                continue
            group = _group(root, path)
            counts[group, "damages"] += 1
            kept = path.relative_to(root).parts[0]
            found = everything(root, kept)
            counts[group, "used"] += any(whole[kept][name] != value for name, value in found.items())
            counts[group, "found"] += is_found(root, path)
        assert path.read_bytes() == before


def damage_all(root: Path, kind: str, rng: random.Random, counts: Counter[tuple[str, str]], folder: Path) -> None:
    """Damage all that can be made again in one way at once, and have it made again."""
    before, sources = snapshot(root), read_sources(Warehouse(str(root)))
    copies = {path: path.read_bytes() for path in files(root)}
    hit = []
    for path in files(root):
        group = _group(root, path)
        # Of a source and its copy, one at a time.
        if group == "releases" or (group == "sources" and path.name.startswith(".") != (kind in ("cut", "exchanged"))):
            continue
        other = _partner(root, path)
        content = _damaged(copies[path], copies[other] if other else None, kind, rng)
        if content is not None and content != copies[path]:
            path.write_bytes(content)
            hit.append(path)
    _run(folder, "regenerate", "--warehouse", root, "--workers", "2", "--no-prefect")
    after = snapshot(root)
    for path in hit:
        group, name = _group(root, path), path.relative_to(root).as_posix()
        if group == "runs":
            is_mended = not path.exists()
        elif group == "sources":
            is_mended = path.read_bytes() == copies[path] and read_sources(Warehouse(str(root))) == sources
        else:
            is_mended = after[name] == before[name]
        counts[group, "mended"] += is_mended
    for path, content in copies.items():
        path.write_bytes(content)


class damaged:
    """A context in which one file is damaged; false if there is nothing to exchange it with."""

    def __init__(self, root: Path, path: Path, kind: str, rng: random.Random) -> None:
        self._path, self._before = path, path.read_bytes()
        other = _partner(root, path)
        self._after = _damaged(self._before, other.read_bytes() if other else None, kind, rng)

    def __enter__(self) -> bool:
        if self._after is None or self._after == self._before:
            return False
        self._path.write_bytes(self._after)
        return True

    def __exit__(self, *_: object) -> None:
        self._path.write_bytes(self._before)


def _damaged(content: bytes, other: bytes | None, kind: str, rng: random.Random) -> bytes | None:
    if kind == "exchanged":
        return other
    if kind == "emptied":
        return b""
    if kind == "cut":
        return content[: rng.randrange(len(content))]
    at = rng.randrange(len(content))
    if kind == "inserted":
        return content[:at] + bytes([rng.randrange(256)]) + content[at:]
    return content[:at] + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1 :]


def _partner(root: Path, path: Path) -> Path | None:
    """Another file of the same table, or of the same name in another release."""
    kind = path.relative_to(root).parts[0]
    others = [
        other
        for other in files(root)
        if other != path
        and other.relative_to(root).parts[0] == kind
        and (kind != RELEASES or other.name == path.name)
        and (kind != SOURCES or other.name.startswith(".") == path.name.startswith("."))
    ]
    return others[files(root).index(path) % len(others)] if others else None


def files(root: Path) -> list[Path]:
    """All that is stored, the copies of sources with it."""
    every = sorted(path for path in root.rglob("*") if path.is_file())
    return [path for path in every if not path.name.startswith(".") or path.name.endswith(".copy")]


def everything(root: Path, kind: str) -> Seen:
    """All that readers of a warehouse give of what is stored in this one of its folders."""
    warehouse = Warehouse(str(root))
    seen: Seen = {}
    if kind in SCHEMAS:
        _of_table(seen, warehouse, kind)
    elif kind == SCALED_MODELS:
        for key in _sessions():
            _look(seen, f"model of {key}", partial(read.read_scaled_model, warehouse, key))
    elif kind == SOURCES:
        _look(seen, "sources", partial(read_sources, warehouse))
    elif kind == RUNS:
        run = last_run(warehouse)
        seen |= {f"run {run.began}": run} if run else {}
    else:
        for folder in sorted((root / RELEASES).iterdir()):
            _of_release(seen, folder)
    return seen


def _run_in(file: Path) -> Seen:
    entries = {name: value for name, value in json.loads(file.read_bytes()).items() if name != "sha256"}
    return {f"run {entries['began']}": IngestRun(**entries)}


def _of_table(seen: Seen, warehouse: Warehouse, table: str) -> None:
    for session in _sessions():
        for trial in ("walk_slow_01", "walk_slow_02"):
            key = session.of_trial(trial)
            _look(seen, f"{table} of {key}", partial(_table_digest, warehouse, table, key))
    accounts, _ = read.read_accounts(warehouse, table)
    seen |= {f"account of {account.owner}": account for account in accounts}
    if SCHEMAS[table].one_row:
        _look(seen, "rows", lambda: repr(read.rows(warehouse, table)))
    if table in ("trials", "cycles"):
        _look(seen, "all cycles", lambda: _digest(read.cycles(warehouse)))


def _of_release(seen: Seen, folder: Path) -> None:
    _look(seen, f"{folder.name}/manifest", lambda: open_release(str(folder)).manifest)
    for file in sorted(folder.iterdir()):
        if file.name not in (MANIFEST_FILE, CYCLES_FILE):
            _look(seen, f"{folder.name}/{file.name}", partial(_released, folder, file.name))
    columns = ["subject", "hip_flexion_r", "iliopsoas"]
    _look(
        seen,
        f"{folder.name}/{CYCLES_FILE}",
        lambda: [_digest(part) for part in cycle_tables(open_release(str(folder)), columns)],
    )


def _sessions() -> list[SessionKey]:
    return [SessionKey(cohort="virtual-healthy", subject=who, session="session-1") for who in ("VH001", "VH002")]


def _look(seen: Seen, name: str, reader: Callable[[], object]) -> None:
    # An error is a refusal, as it should be.
    with contextlib.suppress(WarehouseError):
        seen[name] = reader()


def _released(folder: Path, name: str) -> bytes:
    return open_release(str(folder)).read(name)


def _table_digest(warehouse: Warehouse, table: str, key: TrialKey) -> str:
    return _digest(read.read_table(warehouse, table, key))


def _digest(table: pa.Table) -> str:
    """Of all values, units and meanings; two NaN count as the same."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table.combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()


def is_found(root: Path, path: Path) -> bool:
    """Whether verifying names the file, or the release that it is of."""
    warehouse = Warehouse(str(root))
    found = verify_warehouse(warehouse, damaged_releases(warehouse))
    named = {*found.damaged, *found.replaceable}
    return str(path) in named or (_group(root, path) == "releases" and str(path.parent) in named)


def _group(root: Path, path: Path) -> str:
    return _GROUPS.get(path.relative_to(root).parts[0], "tables")


def _run(folder: Path, *arguments: str | Path) -> None:
    environment: Mapping[str, str] = {**os.environ, "TMPDIR": str(folder), "PREFECT_HOME": str(folder / "prefect")}
    ended = run_until(gait2hip(*arguments), environment, folder / "warehouse", None)
    assert ended.exit_code == 0, ended.output


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1, help="of the places of damage")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
