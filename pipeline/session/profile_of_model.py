"""A profile from the marker set of a laboratory's own OpenSim model: bodies and places are the model's."""

import json
from collections.abc import Sequence

from pipeline.landmarks.recognise import read_labels
from pipeline.records import ModelMarker
from pipeline.session.labelled_profile import LabelledProfile, profile_from_labels, weight_of
from pipeline.session.profile import Profile, ProfileMarker

# What a marker counts in standing whose landmark isn't known, but whose place is.
PLACED_STANDING_WEIGHT = 2.0


def profile_of_marker_set(name: str, model: str, model_sha256: str, markers: Sequence[ModelMarker]) -> Profile:
    """The markers where the model has them, and what their labels tell of landmarks and feet.

    The profile is for the file of that content only.

    ValueError, naming what is missing, if labels tell neither pelvis nor feet.
    """
    labels = [marker.name for marker in markers]
    read = read_labels(labels)
    labelled = LabelledProfile(name=name, labels=tuple(labels), unused=tuple(set(labels) - set(read.places)))
    told = profile_from_labels(labelled)
    placed = {}
    for marker in markers:
        if marker.name in told.markers:
            by_label = told.markers[marker.name]
            landmark = by_label.landmark if by_label.body == marker.body else ""
            placed[marker.name] = by_label.model_copy(
                update={"body": marker.body, "location_m": marker.location_m, "landmark": landmark}
            )
        elif marker.name not in read.unused:
            placed[marker.name] = ProfileMarker(
                body=marker.body,
                location_m=marker.location_m,
                ik_weight=weight_of("", marker.body),
                static_weight=PLACED_STANDING_WEIGHT,
                required=False,
            )
    return told.model_copy(
        update={
            "markers": placed,
            "source": f"the marker set of {model}",
            "description": f"markers of {model}",
            "model_sha256": model_sha256,
        }
    )


def full_profile_text(profile: Profile) -> str:
    """A whole profile as TOML, which `load_profile` reads."""
    lines = [
        f"# {profile.source}: places in metres on that model's bodies, as it stands in its file.",
        f"name = {json.dumps(profile.name)}",
        f"description = {json.dumps(profile.description)}",
        f"source = {json.dumps(profile.source)}",
        f"model_sha256 = {json.dumps(profile.model_sha256)}",
        f"up = {json.dumps(profile.up)}",
        f"forward = {json.dumps(profile.forward)}",
        "",
        "same_segment = [",
        *(f"    [{json.dumps(first)}, {json.dumps(second)}]," for first, second in profile.same_segment),
        "]",
        "",
        "[pelvis]",
        f"right_anterior = {json.dumps(profile.pelvis.right_anterior)}",
        f"left_anterior = {json.dumps(profile.pelvis.left_anterior)}",
        f"posterior = {json.dumps(list(profile.pelvis.posterior))}",
    ]
    for side, foot in (("right", profile.right_foot), ("left", profile.left_foot)):
        lines += [
            "",
            f"[{side}_foot]",
            f"heel = {json.dumps(list(foot.heel))}",
            f"toe = {json.dumps(list(foot.toe))}",
        ]
    lines += ["", "[held]", *(f"{name} = {weight:g}" for name, weight in profile.held.items())]
    lines += ["", "[markers]"]
    for label, marker in profile.markers.items():
        landmark = f'landmark = "{marker.landmark}", ' if marker.landmark else ""
        place = ", ".join(f"{value:.6g}" for value in marker.location_m)
        flags = ("" if marker.required else ", required = false") + (", guide = true" if marker.guide else "")
        lines.append(
            f"{json.dumps(label)} = {{ body = {json.dumps(marker.body)}, {landmark}location_m = [{place}], "
            f"ik_weight = {marker.ik_weight:g}, static_weight = {marker.static_weight:g}{flags} }}"
        )
    for item in profile.measurements:
        scales = ", ".join(f'{body} = "{axes}"' for body, axes in item.scales.items())
        pairs = ", ".join(json.dumps(list(pair)) for pair in item.pairs)
        lines += [
            "",
            "[[measurements]]",
            f"name = {json.dumps(item.name)}",
            f"pairs = [{pairs}]",
            f"scales = {{ {scales} }}",
        ]
    return "\n".join(lines) + "\n"
