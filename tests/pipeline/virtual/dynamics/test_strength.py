"""Who is strong enough for a walk: the same motion, asked of strong muscles and of weak ones."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.osim.models.shared_model import shared_model
from pipeline.virtual.dynamics.planted import NoMotion
from pipeline.virtual.dynamics.strength import require_strength

pytestmark = pytest.mark.osim
STRIDE_S = 120 / 135


def weakened(body, share: float, folder: Path):
    """The same body with this share of every muscle's force."""
    file = folder / "weak.osim"
    weaker = re.sub(
        r"(<max_isometric_force>)([^<]+)",
        lambda found: f"{found[1]}{share * float(found[2])}",
        body.model.osim_xml,
    )
    file.write_text(weaker, "utf-8")
    return replace(body, muscled=shared_model(file))


def test_the_walk_that_was_made_can_be_walked(body, fast_walk) -> None:
    require_strength(body, fast_walk, STRIDE_S)


def test_a_third_of_the_strength_is_too_little_for_it(body, fast_walk, tmp_path: Path) -> None:
    with pytest.raises(NoMotion, match=r"VH001 is too weak for this walk: muscles of the (right|left) \w+ fall short"):
        require_strength(weakened(body, 0.3, tmp_path), fast_walk, STRIDE_S)
