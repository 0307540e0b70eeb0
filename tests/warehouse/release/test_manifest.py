from pathlib import Path

import pytest

from warehouse.errors import WarehouseError
from warehouse.release.publish import open_release


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "no release's manifest, or damaged"),
        ("[]", "no release's manifest, or damaged"),
        ('{"format": 99}', r"has release format 99; this gait2hip reads 1"),
        ('{"format": 0, "name": "x"}', r"has release format 0; this gait2hip reads 1"),
        ('{"format": 1, "name": "x"}', "points"),
    ],
)
def test_a_manifest_that_is_none_is_refused_by_name(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "release.json").write_text(content)

    with pytest.raises(WarehouseError, match=rf"release\.json(.|\n)*{message}"):
        open_release(str(tmp_path))
