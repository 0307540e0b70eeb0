"""The one-way rule: flows -> {pipeline, models, reports} -> warehouse, and one home for each heavy library."""

import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec

import pytest

from tests.architecture.imports import REPOSITORY, all_imports, imported_modules, modules_of

# Which rooms a room may import, besides itself.
MAY_IMPORT: dict[str, set[str]] = {
    "flows": {"pipeline", "models", "reports", "warehouse"},
    "pipeline": {"warehouse"},
    "models": {"warehouse"},
    "reports": {"warehouse"},
    "warehouse": set(),
}

# The one place that may import a heavy library: a room, or a package in it.
HOME_OF: dict[str, str] = {
    "dask": "flows",
    "distributed": "flows",
    "jinja2": "reports.pages",
    "mamba_ssm": "models",
    "matplotlib": "reports.pages",
    "mlflow": "flows.learning.tracking",
    "numba": "pipeline.mechanics",
    "onnx": "models",
    "onnxruntime": "models",
    "opensim": "pipeline.osim",
    "prefect": "flows",
    "safetensors": "models",
    "sklearn": "models",
    "torch": "models",
}

# Libraries that only one file may import.
ONE_FILE = ("mamba_ssm", "onnx", "onnxruntime")

HEAVY = {
    "dask",
    "distributed",
    "mamba_ssm",
    "matplotlib",
    "mlflow",
    "numba",
    "opensim",
    "pandas",
    "prefect",
    "sklearn",
    "torch",
}
NOT_FOR_HELP = ("opensim", "numba", "prefect", "scipy", "pandas", "pyarrow", "torch", "numpy", "matplotlib")


def violations(imports: Mapping[str, set[str]]) -> list[str]:
    """What breaks the rule, given what each module imports."""
    found = []
    for module, imported in imports.items():
        room = module.split(".")[0]
        for name in sorted({name.split(".")[0] for name in imported}):
            if name in MAY_IMPORT and name != room and name not in MAY_IMPORT[room]:
                found.append(f"{module} imports {name}: room {room} may import {sorted(MAY_IMPORT[room])}")
            home = HOME_OF.get(name)
            if home and not f"{module}.".startswith(f"{home}."):
                found.append(f"{module} imports {name}, whose only home is {home}")
    for library in ONE_FILE:
        users = [module for module, imported in imports.items() if any(_is(name, library) for name in imported)]
        if len(users) > 1:
            found.append(f"{library} is imported by {users}: one file may")
    return found


def _is(name: str, library: str) -> bool:
    return name.split(".")[0] == library


def _loaded_by(statement: str) -> set[str]:
    program = f"import sys\n{statement}\nprint(*sys.modules, sep='\\n', file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stderr.splitlines()}


def test_rooms_import_one_way_and_heavy_libraries_have_one_home() -> None:
    imports = all_imports()

    assert "flows.cli" in imports
    assert "warehouse.identity" in imports
    assert violations(imports) == []


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("warehouse.files.read", "from pipeline.records import Event", "imports pipeline"),
        ("pipeline.solving.quality", "import models.networks.lstm", "imports models"),
        ("models.networks.lstm", "from pipeline import records", "imports pipeline"),
        ("models.networks.lstm", "def train():\n    import flows.cli", "imports flows"),
        ("pipeline.solving.quality", "if True:\n    from opensim import Model", "imports opensim"),
        ("pipeline.osim_helpers", "import opensim", "imports opensim"),
        ("pipeline.solving.quality", "def f():\n    import prefect", "imports prefect"),
        ("warehouse.files.read", "import torch.nn", "imports torch"),
        ("warehouse.files.read", "import importlib\nimportlib.import_module('flows.cli')", "imports flows"),
        ("pipeline.solving.quality", "from ...models import lstm", "imports models"),
    ],
)
def test_the_rule_sees_a_planted_violation(module: str, source: str, complaint: str) -> None:
    found = violations({module: imported_modules(source, module.rpartition(".")[0])})

    assert len(found) == 1
    assert complaint in found[0]


def test_the_rule_sees_a_second_door_to_one_file_s_library() -> None:
    assert violations({"models.networks.mamba": {"mamba_ssm"}}) == []
    assert violations({"models.networks.mamba": {"mamba_ssm.ops"}, "models.training.train": {"mamba_ssm"}}) != []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("flows.cli", "import pipeline.session.session, models, warehouse.files.read, prefect"),
        ("pipeline.osim.tools.engine", "import opensim"),
        ("pipeline.solving.quality", "from warehouse.channels import INPUT_COORDINATES"),
        ("pipeline.osim.tools.engine", "from .files import read_storage"),
        ("warehouse.files.read", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch"),
        ("pipeline.solving.quality", "import opensim_like"),
    ],
)
def test_the_rule_lets_pass_what_is_allowed(module: str, source: str) -> None:
    assert violations({module: imported_modules(source, module.rpartition(".")[0])}) == []


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_importing_a_room_loads_no_other_room_s_heavy_library(room: str) -> None:
    own = {library for library, home in HOME_OF.items() if home.split(".")[0] == room and find_spec(library)}
    foreign = (_loaded_by("\n".join(f"import {name}" for name in modules_of(REPOSITORY / room))) - own) & HEAVY
    if foreign:
        # A heavy library may load another by itself: only what the room's modules add to that counts.
        foreign -= _loaded_by("\n".join(f"import {library}" for library in sorted(own)))

    assert foreign == set()


def test_help_loads_nothing_heavy() -> None:
    loaded = _loaded_by(
        "from typer.testing import CliRunner; from flows.cli import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "assert CliRunner().invoke(app, ['ingest', '--help']).exit_code == 0"
    )

    assert loaded & set(NOT_FOR_HELP) == set()


def test_the_chain_s_steps_are_named_without_loading_them() -> None:
    loaded = _loaded_by(
        "import flows.ingesting.run_plan, flows.ingesting.steps, flows.ingesting.report\n"
        "import flows.workers.worker_pool, flows.prefect_server.local_prefect"
    )

    assert loaded & {"opensim", "numba", "prefect", "pandas", "scipy"} == set()
