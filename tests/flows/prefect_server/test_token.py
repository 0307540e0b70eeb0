"""Whoever reaches a temporary Prefect server without its token is refused, by every path of its interface."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
# Prefect reads its settings when it is imported: all this in a process of its own, whose flows run as a user's do.
ATTACK = """
import asyncio, os, tempfile
from pathlib import Path
import httpx, psutil, websockets
from flows.prefect_server.local_prefect import SCHEDULING, start_prefect
os.umask(0)
assert start_prefect(SCHEDULING)
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentUpdate

@task
def double(number):
    return 2 * number

@flow
def doubles():
    return [future.result() for future in [double.submit(number) for number in range(3)]]

print("flows run with it:", doubles())
api, token = os.environ["PREFECT_API_URL"], os.environ["PREFECT_API_AUTH_STRING"]
with get_client(sync_client=True) as client:
    deployment = client.create_deployment(client.create_flow(doubles), name="mine", entrypoint="mine.doubles")
with httpx.Client() as http:
    paths = http.get(f"{api}/openapi.json", auth=tuple(token.split(":"))).json()["paths"]
    calls = [(method, path) for path, methods in paths.items() for method in methods]
    strangers = {"nobody": None, "a wrong token": ("gait2hip", "x")}
    for who, auth in strangers.items():
        answers = [
            (path, http.request(method, f"{api}{path.replace('{id}', str(deployment))}", auth=auth).status_code)
            for method, path in calls
        ]
        let_in = sorted(path for path, code in answers if code != 401)
        print(who, "asked", len(answers), "and was let in at", let_in)
    other = {"entrypoint": "evil.py:evil", "pull_steps": [], "path": "/tmp"}
    print("pointed elsewhere:", http.patch(f"{api}/deployments/{deployment}", json=other).status_code)
with get_client(sync_client=True) as client:
    print("it is still", client.read_deployment(deployment).entrypoint)

async def knock(path, protocols):
    try:
        async with websockets.connect(f"{api.replace('http', 'ws')}{path}", subprotocols=protocols) as socket:
            await socket.send('{"type": "auth", "token": "wrong"}')
            return await asyncio.wait_for(socket.recv(), 5)
    except (websockets.ConnectionClosed, websockets.InvalidStatus):
        return "shut"

sockets = ("/events/in", "/events/out", "/logs/out", "/task_runs/subscriptions/scheduled")
print("sockets:", {asyncio.run(knock(path, spoken)) for path in sockets for spoken in (None, ["prefect"])})
me = psutil.Process()
(server,) = me.children()
print("listens at", {each.laddr.ip for each in server.net_connections("inet") if each.status == "LISTEN"})
secret = token.split(":")[1]
print("in a command line:", any(secret in word for each in (me, server) for word in each.cmdline()))
kept = [Path(folder, file) for folder, _, files in os.walk(tempfile.gettempdir()) for file in files]
kept += [Path(folder, file) for folder, _, files in os.walk(os.environ["PREFECT_HOME"]) for file in files]
print("in a file:", [str(file) for file in kept if secret.encode() in file.read_bytes()])
"""


@pytest.fixture(scope="module")
def told(ready_home: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the attack printed."""
    folder = tmp_path_factory.mktemp("token")
    (folder / "temporary").mkdir()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    own = {"PYTHONPATH": str(ROOT), "PREFECT_HOME": str(ready_home), "TMPDIR": str(folder / "temporary")}
    done = subprocess.run(
        [sys.executable, "-c", ATTACK], env={**inherited, **own}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not stat.S_IMODE((ready_home / "gait2hip").stat().st_mode) & 0o077
    return done.stdout


def test_flows_run_with_the_token_and_nobody_is_let_in_without(told: str) -> None:
    assert "flows run with it: [0, 2, 4]" in told
    (asked,) = {line.partition(" asked ")[2] for line in told.splitlines() if " asked " in line}
    n_calls, _, let_in = asked.partition(" and was let in at ")
    # These say no more than that there is a server.
    assert int(n_calls) > 150 and let_in == "['/health', '/ready']"


def test_no_flow_can_be_pointed_at_other_code(told: str) -> None:
    assert "pointed elsewhere: 401" in told and "it is still mine.doubles" in told


def test_it_listens_on_this_machine_alone_and_no_socket_is_open(told: str) -> None:
    assert "listens at {'127.0.0.1'}" in told and "sockets: {'shut'}" in told


def test_the_token_is_in_no_command_line_and_in_no_file(told: str) -> None:
    assert "in a command line: False" in told and "in a file: []" in told
