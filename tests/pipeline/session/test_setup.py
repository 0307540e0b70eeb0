"""What a session's recordings tell of its profile."""

from pathlib import Path

from pipeline.session.setup import open_session
from tests.pipeline.session.test_session import COMPLETE

LABELS = ("RASI", "LASI", "SACR", "RKNE", "LKNE", "RANK", "LANK", "RHEE", "LHEE", "RTOE", "LTOE", "C7")


def write_trc(path: Path, unseen: tuple[str, ...] = (), also: tuple[str, ...] = ()) -> None:
    """Four frames, in which some labels are listed and never shown."""
    labels = LABELS + also
    head = [
        f"PathFileType\t4\t(X/Y/Z)\t{path.name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"100\t100\t4\t{len(labels)}\tmm\t100\t1\t4",
        "\t".join(["Frame#", "Time", *(f"{label}\t\t" for label in labels)]),
        "\t".join(["", "", *(f"X{n}\tY{n}\tZ{n}" for n in range(1, len(labels) + 1))]),
        "",
    ]
    places = ["\t\t" if label in unseen else f"{100 + n}\t{200 + 9 * n}\t{300 - n}" for n, label in enumerate(labels)]
    rows = ["\t".join([str(frame + 1), f"{frame / 100:.2f}", *places]) for frame in range(4)]
    path.write_text("\n".join([*head, *rows]) + "\n")


def test_a_label_that_is_listed_and_never_shown_is_no_marker(tmp_path: Path) -> None:
    session = tmp_path / "session.toml"
    text = COMPLETE.replace('profile = "isb_full_body"', 'profile = "auto"').replace(".c3d", ".trc")
    session.write_text(text)
    names = ("static.trc", "walk 01.trc", "walk_02.trc")
    for name in names:
        write_trc(tmp_path / name, unseen=("C7",))
    assert "C7" not in open_session(str(session), "gait2hip60", None).profile.markers

    for name in names:
        write_trc(tmp_path / name)
    assert "C7" in open_session(str(session), "gait2hip60", None).profile.markers
