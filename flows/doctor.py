"""`gait2hip doctor`: whether this machine can do the work and the warehouse is well, and what to do where not."""

import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from flows.workers.call_outcome import WorkerFault, value_of
from flows.workers.worker_pool import WorkerPool
from warehouse.errors import WarehouseError

# What each extra brings that a command can't do without.
EXTRAS = {
    "pipeline": ("opensim", "numba", "c3d", "scipy"),
    "flows": ("prefect",),
    "learn": ("torch", "safetensors", "scikit-learn"),
    "report": ("jinja2", "matplotlib"),
}
# A session of twenty walks is some 100 MB in the warehouse, and a release is written beside it.
LITTLE_SPACE_GB = 5.0
LOOK_TIME_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. A problem keeps work from being done; a note says what this machine can't do."""

    about: str
    state: Literal["well", "note", "problem"]
    found: str
    advice: str = ""


def examine(warehouse: str | None) -> Iterator[Finding]:
    """Look at this machine and, if one is named, a warehouse. Nothing is changed but a probe file, which is removed."""
    yield Finding(about="gait2hip", state="well", found=f"{version('gait2hip')} on Python {platform.python_version()}")
    missing = set()
    for extra, packages in EXTRAS.items():
        finding = _installed(extra, packages)
        missing |= {extra} if finding.state != "well" else set()
        yield finding
    if "pipeline" not in missing:
        yield _in_a_process("OpenSim", opensim_works, "the chain can't run here; install it again")
        yield _in_a_process("mechanics", mechanics_cache, "until then, processes compile them again and again")
    if "learn" not in missing:
        yield _in_a_process("device", training_device, "networks can't be trained here; install it again")
    if "flows" not in missing:
        yield _prefect()
    yield _space("temporary files", Path(tempfile.gettempdir()), "set TMPDIR to a larger disk")
    if warehouse is not None:
        yield from _warehouse(warehouse)


def opensim_works() -> str:
    """OpenSim's version, once it has built the model; runs in a process of its own: a broken installation may crash."""
    from pipeline.osim.models.default_model import default_model_file
    from pipeline.osim.models.mechanics import Mechanics
    from pipeline.osim.version import opensim_version
    from pipeline.user_cache import cache_folder

    mechanics = Mechanics(default_model_file(cache_folder()))
    return f"{opensim_version()}, the built-in model of {len(mechanics.names)} coordinates works"


def mechanics_cache() -> str:
    """Whether the compiled mechanics are stored, and where; ValueError if they can't be. Runs in a process of its own.

    Compiles nothing.
    """
    from pipeline.mechanics.entries import COMPILING_S
    from pipeline.mechanics.kernel_cache import storing_folder
    from pipeline.mechanics.warm_up import load_stored

    began = time.perf_counter()
    if load_stored():
        return f"compiled, and loaded in {time.perf_counter() - began:.1f} s from {storing_folder()}"
    return f"not compiled yet: the first run does that in about {COMPILING_S} s, and keeps it in {storing_folder()}"


def training_device() -> str:
    """Where networks would be trained."""
    from models.networks.device import device_named

    device = device_named("auto")
    return f"{device.type}, {os.cpu_count()} cores"


def findings_in_words(findings: list[Finding]) -> str:
    """One line a finding, and what to do under it."""
    marks = {"well": "ok  ", "note": "note", "problem": "BAD "}
    lines = []
    for finding in findings:
        lines.append(f"{marks[finding.state]}  {finding.about}: {finding.found}")
        if finding.advice:
            lines.append(f"      {finding.advice}")
    return "\n".join(lines)


def _installed(extra: str, packages: tuple[str, ...]) -> Finding:
    found, missing = [], []
    for package in packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    if not missing:
        return Finding(about=extra, state="well", found=", ".join(found))
    return Finding(
        about=extra,
        state="note",
        found=f"{', '.join(missing)} not installed",
        advice=f"needed only where `{extra}` work is done: pip install 'gait2hip[{extra}]'",
    )


def _in_a_process(about: str, look: Callable[[], str], advice: str) -> Finding:
    try:
        with WorkerPool(1) as workers:
            found = str(value_of(workers.run(look, time_limit_s=LOOK_TIME_LIMIT_S)))
    except (ValueError, WarehouseError, WorkerFault) as error:
        return Finding(about=about, state="problem", found=str(error), advice=advice)
    return Finding(about=about, state="well", found=found)


def _prefect() -> Finding:
    from flows.prefect_server.local_prefect import PrefectNotStarted, start_prefect

    # Asked first: a temporary server's address is put there too.
    url = os.environ.get("PREFECT_API_URL")
    try:
        start_prefect()
    except PrefectNotStarted as error:
        return Finding(about="Prefect", state="problem", found=str(error), advice="flows can't run here")
    from prefect.settings import get_current_settings

    found = f"the server at {url} answers" if url else f"its own temporary server; {get_current_settings().home}"
    return Finding(about="Prefect", state="well", found=found)


def _space(about: str, folder: Path, advice: str) -> Finding:
    free_gb = shutil.disk_usage(folder).free / 1e9
    found = f"{free_gb:.0f} GB free in {folder}"
    if free_gb >= LITTLE_SPACE_GB:
        return Finding(about=about, state="well", found=found)
    return Finding(about=about, state="problem", found=found, advice=f"at least {LITTLE_SPACE_GB:.0f} GB: {advice}")


def _warehouse(root: str) -> Iterator[Finding]:
    from warehouse.files.storage import check_warehouse_writable
    from warehouse.holdings.damage import verify_warehouse
    from warehouse.holdings.sources import read_sources
    from warehouse.holdings.status import warehouse_status
    from warehouse.layout import Warehouse, relative
    from warehouse.release.publish import damaged_releases

    try:
        warehouse = Warehouse(root)
        found = warehouse_status(warehouse)
        verified = verify_warehouse(warehouse, damaged_releases(warehouse))
        check_warehouse_writable(warehouse)
        sources = read_sources(warehouse)
    except WarehouseError as error:
        yield Finding(about="warehouse", state="problem", found=str(error))
        return
    angles = f", {len(found.of_kinematics)} of kinematics only" if found.of_kinematics else ""
    counts = f"{len(found.accepted)} accepted and {len(found.rejected)} rejected trials{angles}"
    yield Finding(about="warehouse", state="well", found=f"{root} can be written; {counts}")
    if warehouse.is_local:
        yield _space("warehouse", Path(warehouse.base), "the next ingest or release needs it")
    damaged = [relative(warehouse, path) for path in (*verified.damaged, *verified.replaceable)]
    for what, files in (("damaged", damaged), ("missing", found.missing), ("left over", found.orphans)):
        if files:
            yield Finding(
                about="warehouse",
                state="problem",
                found=f"{len(files)} files {what}: {files[0]}" + (" ..." if len(files) > 1 else ""),
                advice="`gait2hip status --verify` lists them; `gait2hip regenerate` makes them again",
            )
    gone = [source.session_file for source in sources if not Path(source.session_file).is_file()]
    if gone:
        yield Finding(
            about="recordings",
            state="problem",
            found=f"{len(gone)} of {len(sources)} sessions can't be reached: {gone[0]}",
            advice="connect their disk; what was made of them is kept, but can't be regenerated",
        )
