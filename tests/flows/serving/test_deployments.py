"""What is scheduled, with what, and that the flows do it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.serving.deploy_config import load_deploy
from tests.flows.ingesting.test_inbox import copy_session
from tests.flows.serving.test_deploy_config import EVALUATE, RETRAIN, WHOLE, write
from warehouse.schemas import SCHEMAS

STUBS, ROOT = Path(__file__).parents[1], Path(__file__).parents[3]

# Prefect reads its settings when it is imported: its flows run in a process of their own.
LIST = """
import sys
from pathlib import Path
from flows.serving.deploy_config import load_deploy
from flows.serving.deployments import deployments_of
for found in deployments_of(load_deploy(Path(sys.argv[1]))):
    schedule = found.schedules[0].schedule
    print(found.flow_name, found.name, schedule.cron, schedule.timezone, sorted(found.parameters), found.entrypoint)
"""
TWICE = """
import sys
from flows.prefect_server.local_prefect import start_prefect
start_prefect()
import toml_steps
from flows.serving import deployments
from flows.serving.deployments import ingest_inbox, regenerate
deployments.CHAIN = toml_steps.STEPS
inbox, warehouse = sys.argv[1:]
regenerate(warehouse=warehouse)
for _ in range(2):
    ingest_inbox(inbox=inbox, warehouse=warehouse, recipe="any", workers=2, settle_s=0.1)
from prefect.client.orchestration import get_client
with get_client(sync_client=True) as client:
    for found in client.read_artifacts():
        print(found.key, found.data)
"""
# A retraining and an evaluation that come due together, each of them two seconds of nothing.
MEETING = """
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from flows.prefect_server.local_prefect import SCHEDULING, start_prefect
assert start_prefect(SCHEDULING)
from flows.serving import deployments
deployments.one_at_a_time_on_the_gpu()
def work(_):
    began = time.monotonic()
    time.sleep(2)
    print("worked", began, time.monotonic())
    return SimpleNamespace(words="done", run="run", folder="folder")
deployments.train_challenger = deployments.evaluate_anew = work
words = dict.fromkeys(("model", "task", "protocol", "recipe", "device", "release_name", "tracking_uri"), "any")
both = (
    lambda: deployments.retrain("w", sys.argv[1], ["a/b"], **words, margin=0.0, tolerance=0.0),
    lambda: deployments.evaluate("release", "pages", ["run"]),
)
with ThreadPoolExecutor(2) as pool:
    for result in [pool.submit(flow) for flow in both]:
        result.result()
"""

# What a machine lacks can't be imported; what a flow needs only when it runs must not be needed to know it.
WITHOUT = """
import sys
for name in sys.argv[1:]:
    sys.modules[name] = None
from prefect.flows import load_flow_from_entrypoint
import yaml
for one in yaml.safe_load(open("prefect.yaml"))["deployments"]:
    found = load_flow_from_entrypoint(one["entrypoint"])
    known = set(found.parameters.properties)
    wrong = set(one["parameters"]) - known
    missing = set(found.parameters.required) - set(one["parameters"])
    print(one["work_pool"]["name"], one["work_pool"]["work_queue_name"], found.name, sorted(wrong | missing))
"""


def run(program: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    paths = f"{STUBS}{os.pathsep}{ROOT}"
    # Not to the server of a test that this process has run before.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        env={**inherited, "PYTHONPATH": paths, **environment},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


def test_every_section_is_a_deployment_with_its_schedule(tmp_path: Path) -> None:
    done = run(LIST, str(write(tmp_path, WHOLE + RETRAIN + EVALUATE)))
    assert done.returncode == 0, done.stderr
    inbox, regenerate, retrain, evaluate = done.stdout.splitlines()
    assert inbox.startswith("ingest-inbox scheduled */5 * * * * Europe/Zurich ['inbox', 'model', 'profiles', 'recipe'")
    assert regenerate.startswith(
        "regenerate scheduled 0 2 * * * UTC ['inbox', 'profiles', 'recipe', 'warehouse', 'workers']"
    )
    assert retrain.startswith("retrain scheduled 0 4 * * 0 UTC ['device', 'holdout', 'margin'")
    assert evaluate.startswith("evaluate scheduled 0 6 * * 1 UTC ['champion_of', 'cohorts'")
    assert all(line.endswith(name) for line, name in ((inbox, ".ingest_inbox"), (retrain, ".retrain")))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('format = 1\nwarehouse = "w"\n', "the configuration schedules nothing"),
        (WHOLE.replace("0 2 * * *", "0 25 * * *"), "[regenerate] cron '0 25 * * *'"),
    ],
)
def test_what_can_t_be_scheduled_is_named(tmp_path: Path, text: str, told: str) -> None:
    done = run(LIST, str(write(tmp_path, text)))
    assert done.returncode == 1 and told in done.stderr


def test_retraining_is_tracked_beside_its_runs_if_nowhere_else_is_named(tmp_path: Path) -> None:
    found = load_deploy(write(tmp_path, WHOLE + RETRAIN)).retrain
    assert found is not None and found.tracking_uri == f"sqlite:///{tmp_path}/runs/mlruns.db"
    with pytest.raises(ValueError, match=r"retrain.holdout: .*at least 3"):
        load_deploy(write(tmp_path, WHOLE + RETRAIN.replace('["S05", "S11", "S17"]', '["S05"]')))


def test_the_inbox_flow_takes_each_whole_session_once(tmp_path: Path) -> None:
    inbox, warehouse = tmp_path / "inbox", tmp_path / "warehouse"
    inbox.mkdir()
    for subject in ("S01", "S02"):
        copy_session(inbox, subject)
    copy_session(inbox, "S03", without=["walk.c3d"])
    done = run(TWICE, str(inbox), str(warehouse), PREFECT_LOGGING_LEVEL="INFO")
    assert done.returncode == 0, done.stderr
    assert sorted((warehouse / "processed.txt").read_text().split()) == ["S01/walk", "S02/walk"]
    assert "nothing has been ingested into" in done.stderr
    assert "1 of 2: adults/S0" in done.stderr and "0 whole sessions" in done.stderr
    shown = done.stdout.splitlines()
    assert any(line.startswith("progress 100") for line in shown)
    (outcomes,) = [line for line in shown if line.startswith("outcomes") and "accepted" in line]
    assert "adults/S01/s1/walk" in outcomes and "adults/S02/s1/walk" in outcomes
    # The stub stores no rows, and so there are no figures to read: it says so.
    assert any(line.startswith("quality") and "problem" in line for line in shown)
    assert all((folder / "gait2hip-report.txt").is_file() for folder in inbox.iterdir())


def test_a_gpu_is_for_one_task_at_a_time(tmp_path: Path) -> None:
    done = run(MEETING, str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    spans = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("worked")]
    (_, first_ends), (second_begins, _) = sorted((float(begins), float(ends)) for begins, ends in spans)
    assert first_ends <= second_begins


@pytest.mark.parametrize("lacking", [("torch", "mlflow", "sklearn"), ("opensim", "c3d")])
def test_work_pools_get_flows_that_exist_and_load_neither_torch_nor_opensim(lacking: tuple[str, ...]) -> None:
    done = run(WITHOUT, *lacking)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "gait2hip etl ingest-inbox []",
        "gait2hip etl regenerate []",
        "gait2hip gpu retrain []",
        "gait2hip gpu evaluate []",
    ]


QUALITY = """
import math
from types import SimpleNamespace
from flows.serving import deployments

ratios = {"a": 0.1, "b": math.nan, "c": 0.5}
deployments._quality_of = lambda _, key: {"trial": key, "residual_force_ratio": ratios[key]}
report = SimpleNamespace(accepted=[SimpleNamespace(key=key) for key in "ab"], of_kinematics=[SimpleNamespace(key="c")])
print(*(row["trial"] for row in deployments._quality(report, "warehouse")))
"""
NO_PAGES = """
from prefect import flow
from flows.serving import deployments

def broken(*_, **__):
    raise RuntimeError("the server is gone")

deployments.create_progress_artifact = deployments.update_progress_artifact = broken

@flow
def of_two():
    tell = deployments._logged(2)
    tell(None)
    tell(None)
    return "done"

print(of_two())
"""


def test_the_least_known_residuals_come_first_and_then_the_worst() -> None:
    done = run(QUALITY)
    assert done.stdout.split() == ["b", "c", "a"], done.stderr


def test_pages_that_can_t_be_drawn_stop_nothing(tmp_path: Path) -> None:
    program = f"from flows.prefect_server.local_prefect import start_prefect\nstart_prefect()\n{NO_PAGES}"
    done = run(program, PREFECT_LOGGING_LEVEL="WARNING", PREFECT_HOME=str(tmp_path))
    assert done.stdout.splitlines()[-1] == "done", done.stderr
    assert "Prefect's pages don't show progress: the server is gone" in done.stderr


def test_quality_figures_are_columns_of_the_trials_table() -> None:
    done = run("from flows.serving.deployments import QUALITY_FIGURES\nprint(*QUALITY_FIGURES)")
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) <= {column.name for column in SCHEMAS["trials"].columns}
