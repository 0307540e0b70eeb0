"""A profile by name or file: in full, or by labels, whose meaning the library of landmarks has."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache

from pipeline.session.labelled_profile import LabelledProfile, profile_from_labels
from pipeline.session.profile import Profile
from pipeline.session.recipe import packaged_names, read_settings
from warehouse.settings_file import checked, parse_toml

# The packaged profile that says nothing: all is told by the labels of a session's recordings.
BY_LABELS = "auto"


def load_profile(name_or_path: str, recordings: Sequence[AbstractSet[str]] = ()) -> Profile:
    """A packaged profile by name, or a TOML file. ValueError names the file, the setting and what it may be.

    `recordings`: the labels of each of a session's recordings, for a profile that doesn't list its own.
    """
    profile = _read(*read_settings("profiles", name_or_path))
    if isinstance(profile, Profile):
        return profile
    if profile.labels is None and not recordings:
        raise ValueError(f"profile {profile.name} lists no labels: it takes those of a session's recordings.")
    return _from_labels(profile.model_dump_json(), tuple(frozenset(each) for each in recordings))


def telling_recordings(recordings: Sequence[AbstractSet[str]]) -> list[frozenset[str]]:
    """Of recordings' labels those that tell pelvis and feet; all, if none does. Others are refused one by one."""
    every = [frozenset(labels) for labels in recordings]
    return [labels for labels in every if _tells_enough(labels)] or every


def _tells_enough(labels: frozenset[str]) -> bool:
    try:
        load_profile(BY_LABELS, [labels])
    except ValueError:
        return False
    return True


def takes_labels_from_recordings(name_or_path: str) -> bool:
    """Whether a profile needs the labels of recordings to be a whole one. ValueError as `load_profile`."""
    profile = _read(*read_settings("profiles", name_or_path))
    return isinstance(profile, LabelledProfile) and profile.labels is None


def fixed_profiles() -> tuple[str, ...]:
    """The packaged profiles that list their labels, by name."""
    return tuple(name for name in packaged_names("profiles") if not takes_labels_from_recordings(name))


# As recipes are: read once, though thousands of sessions name it.
@lru_cache(maxsize=32)
def _read(where: str, text: str) -> Profile | LabelledProfile:
    content = parse_toml(where, text)
    if "markers" in content:
        return checked(Profile, where, content)
    return checked(LabelledProfile, where, content)


@lru_cache(maxsize=256)
def _from_labels(labelled: str, recordings: tuple[frozenset[str], ...]) -> Profile:
    return profile_from_labels(LabelledProfile.model_validate_json(labelled), recordings)
