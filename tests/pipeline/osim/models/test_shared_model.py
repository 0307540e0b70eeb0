import os
import shutil
from pathlib import Path

import pytest

from pipeline.osim.models.shared_model import forget, shared_model

pytestmark = pytest.mark.osim


@pytest.fixture(autouse=True)
def _nothing_kept():
    forget()
    yield
    forget()


def test_a_copy_with_the_same_content_is_the_same_model(pendulum: Path, tmp_path: Path) -> None:
    copy = shutil.copy(pendulum, tmp_path / "copy.osim")

    assert shared_model(Path(copy)) is shared_model(pendulum)


def test_changed_content_is_another_model_whatever_its_size_and_time(pendulum: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.osim"
    shutil.copy(pendulum, file)
    os.utime(file, ns=(1, 1))
    before = shared_model(file)
    text = file.read_text("utf-8")
    name = before.summary.name
    assert text.count(f'name="{name}"') == 1
    file.write_text(text.replace(f'name="{name}"', f'name="{name[::-1]}"'), "utf-8")
    os.utime(file, ns=(1, 1))

    after = shared_model(file)

    assert after is not before
    assert after.summary.name == name[::-1]


def test_a_forgotten_model_is_read_again(pendulum: Path) -> None:
    before = shared_model(pendulum)
    forget()

    assert shared_model(pendulum) is not before
