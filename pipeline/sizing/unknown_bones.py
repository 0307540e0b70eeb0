"""What is said of markers that a model has no bone for: those of another model's bones, and those of no bone at all."""

from collections.abc import Iterator, Sequence

from pipeline.records import BodyFigure
from pipeline.sizing.body_figures import EstimatedBody


def unknown_bones(body: EstimatedBody) -> Iterator[BodyFigure]:
    """How many markers name a landmark that isn't known on this model, and how many are on bodies that it lacks.

    None of either on the built-in model.
    """
    gathered, markers = body.gathered, body.profile.markers
    elsewhere = [
        label for label in gathered.labels if markers[label].landmark and markers[label].body in gathered.other_bones
    ]
    if elsewhere:
        first = markers[elsewhere[0]].body
        yield BodyFigure(
            figure="markers_without_known_bone",
            of=_few(list(dict.fromkeys(markers[label].body for label in elsewhere))),
            value=float(len(elsewhere)),
            unit="markers",
            report_limit=0.0,
            advice=(
                "landmarks are known on the built-in model's bones, and these are other ones "
                f"({first}: {gathered.other_bones[first]}). Each marker is taken to be about where the profile's "
                "location_m puts it: check these places on this model's own bones"
            ),
        )
    if gathered.without_body:
        yield BodyFigure(
            figure="markers_without_body",
            of=_few(gathered.without_body),
            value=float(len(gathered.without_body)),
            unit="markers",
            report_limit=0.0,
            advice=(
                "they were recorded, and the model lacks the bodies that the profile puts them on "
                f"({_few(list(dict.fromkeys(markers[label].body for label in gathered.without_body)))}): they are not "
                "used"
            ),
        )


def _few(names: Sequence[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
