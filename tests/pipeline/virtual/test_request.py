from pathlib import Path
from typing import Any

import pytest

from pipeline.virtual.request import Request, checked_request

ASKED: dict[str, Any] = {
    "cohort": "healthy", "subjects": 2, "conditions": "slow, fast", "trials": 3, "seed": 1, "blemishes": "none"
}  # fmt: skip


def _request(directory: Path, **changes: object) -> Request:
    return checked_request(directory, **{**ASKED, **changes})


def test_a_request_in_words_is_what_it_says(tmp_path: Path) -> None:
    request = _request(tmp_path / "new", cohort="hip-disease")

    assert request.conditions == ("slow", "fast")
    assert request.cohort_name == "virtual-hip-disease"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"subjects": 0}, "subjects is 0, expected at least 1"),
        ({"trials": 0}, "trials is 0, expected at least 1"),
        ({"seed": -1}, "seed is -1"),
        ({"cohort": "giants"}, "cohort 'giants' is unknown; the virtual cohorts are healthy, hip-disease"),
        ({"conditions": "slow,running"}, r"conditions \['running'\]"),
        ({"conditions": ""}, "expected some of slow, med, fast"),
        ({"conditions": "slow,slow"}, "one is named twice"),
        ({"blemishes": "moods"}, "blemishes 'moods'"),
    ],
)
def test_what_can_t_be_is_refused_by_name_before_anything_is_written(
    changes: dict[str, object], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=complaint):
        _request(tmp_path / "new", **changes)
    assert not (tmp_path / "new").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").touch()

    with pytest.raises(ValueError, match="is not empty"):
        _request(tmp_path)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ValueError, match="is a file"):
        _request(tmp_path / "file")


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    assert _request(tmp_path).directory == tmp_path
