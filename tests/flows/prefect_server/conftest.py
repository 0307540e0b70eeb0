from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def ready_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose empty database is made once, for the tests that only want a server."""
    return tmp_path_factory.mktemp("prefect")
