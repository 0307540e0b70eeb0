import inspect
import subprocess
import sys

import pytest

from pipeline.osim.engines import ENGINES, Engine, load_engine


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'magic' is unknown.*tools"):
        load_engine("magic")


@pytest.mark.osim
@pytest.mark.parametrize("name", sorted(ENGINES))
def test_every_engine_has_the_same_interface(name: str) -> None:
    engine = load_engine(name)
    for solve in ("inverse_kinematics", "inverse_dynamics", "static_optimization"):
        wanted = list(inspect.signature(getattr(Engine, solve)).parameters.values())[1:]
        assert list(inspect.signature(getattr(engine, solve)).parameters.values()) == wanted


def test_naming_the_engines_does_not_load_opensim() -> None:
    code = "import sys, pipeline.osim.engines, pipeline.osim.version; sys.exit('opensim' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
