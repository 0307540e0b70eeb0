"""What made a release's targets, and the check that it is one origin: no model learns from two pipelines at once."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

from warehouse.provenance import canonical_json
from warehouse.release.selection import StoredTrial

# Entries of a trial's provenance that must be the same for all trials: the recipe's settings, the versions of the
# stages' code, the simulator's version. Raw files and keys of inputs differ from trial to trial.
_OF_TRIAL = ("settings", "versions", "opensim")
_OF_SESSION = ("opensim_version",)


def origin(trial: StoredTrial) -> dict[str, object]:
    """The recipe, settings, code versions, model and simulator behind one trial's targets; None where not stored."""
    return {
        "recipe": trial.account.recipe,
        **{name: trial.account.made_from.get(name) for name in _OF_TRIAL},
        **{name: trial.session.get(name) for name in _OF_SESSION},
        "model_sha256": _model_of(trial),
    }


def _model_of(trial: StoredTrial) -> object:
    """The model that this trial's cycles were made with; its session may have been scaled again since."""
    return _stage(trial, "scaling").get("facts", {}).get("model", trial.session.get("model_sha256"))


def common_origin(trials: Sequence[StoredTrial]) -> dict[str, object]:
    """The origin that all trials share, with the names of their model, which may be several.

    ValueError if there is more than one origin: it says what differs and what to do.
    """
    mixed = mixture(trials)
    if mixed:
        raise ValueError(
            f"a release can't mix what was made in {mixed}\nRun `gait2hip regenerate`, or `gait2hip ingest` on the "
            "sessions that are out of date, with one recipe and one model, or narrow the release with --recipe, "
            "--cohort or --subject."
        )
    return {**origin(trials[0]), "models": sorted({str(t.session["model"]) for t in trials if t.session["model"]})}


def _same_origin(trials: Sequence[StoredTrial]) -> list[list[StoredTrial]]:
    groups: list[tuple[dict[str, object], list[StoredTrial]]] = []
    for trial in trials:
        made_by = origin(trial)
        # There are few origins: comparing with each is far cheaper than hashing every trial's settings.
        known = next((members for facts, members in groups if facts == made_by), None)
        if known is None:
            groups.append((made_by, [trial]))
        else:
            known.append(trial)
    return [members for _, members in groups]


def mixture(trials: Sequence[StoredTrial]) -> str | None:
    """In how many ways the trials were made, and what differs, one line each; None if there is one origin."""
    groups = _same_origin(trials)
    if len(groups) > 1:
        return _told_apart(sorted(groups, key=lambda group: (-len(group), group[0].key)))
    return _two_bodies(trials) or _another_body(trials) or _two_imports(trials)


def _two_bodies(trials: Sequence[StoredTrial]) -> str | None:
    """Sessions whose mass, standing trial or profile was corrected after some of their trials were made."""
    for session, groups in _made_of_several(trials, lambda trial: trial.key.session_key, _scaling_of):
        name = f"{session.cohort}/{session.subject}/{session.session}"
        return "\n".join(
            [
                f"{len(groups)} ways: the trials of session {name} rest on {len(groups)} scaled models (another mass, "
                f"standing trial or profile). Look at `gait2hip regenerate --only '{name}'`:",
                *(f"  {len(group)} trials ({group[0].key.trial}, …)" for group in groups),
            ]
        )
    return None


def _another_body(trials: Sequence[StoredTrial]) -> str | None:
    """A session whose row tells of another mass or height than its trials were made with."""
    for trial in trials:
        facts = _stage(trial, "scaling").get("facts", {})
        differing = [
            f"{name} {facts[name]:g} of its trials, {trial.session[name]:g} of its session"
            for name in ("mass_kg", "height_m")
            if name in facts and facts[name] != trial.session[name]
        ]
        if differing:
            key = trial.key
            name = f"{key.cohort}/{key.subject}/{key.session}"
            return (
                f"2 ways: session {name} and its trial {key.trial} are not of one person, or its body was corrected "
                f"since ({'; '.join(differing)}). Look at `gait2hip regenerate --only '{name}'`."
            )
    return None


def _two_imports(trials: Sequence[StoredTrial]) -> str | None:
    """Cohorts whose import was interrupted while it replaced an older one."""
    for cohort, groups in _made_of_several(trials, lambda trial: trial.key.cohort, _imported_from):
        return "\n".join(
            [
                f"{len(groups)} ways: cohort {cohort} was imported from {len(groups)} sets of files. Run `gait2hip "
                "import` again with all the files that it should be of:",
                *(f"  {len(group)} trials ({group[0].key}, …): {_imported_from(group[0])}" for group in groups),
            ]
        )
    return None


def _made_of_several(
    trials: Sequence[StoredTrial], whose: Callable[[StoredTrial], Any], made_of: Callable[[StoredTrial], Hashable]
) -> Iterator[tuple[Any, list[list[StoredTrial]]]]:
    """Each owner whose trials were made from more than one thing, sorted, with its trials grouped by what made them."""
    by_owner: dict[Any, dict[Hashable, list[StoredTrial]]] = {}
    for trial in trials:
        by_owner.setdefault(whose(trial), {}).setdefault(made_of(trial), []).append(trial)
    for owner in sorted(by_owner):
        if len(by_owner[owner]) > 1:
            yield owner, list(by_owner[owner].values())


def _imported_from(trial: StoredTrial) -> str | None:
    files = trial.account.made_from.get("imported")
    return None if files is None else ", ".join(f"{name} ({digest[:12]})" for name, digest in sorted(files.items()))


def _scaling_of(trial: StoredTrial) -> Hashable:
    key: str | None = _stage(trial, "scaling").get("key")
    return key


def _stage(trial: StoredTrial, name: str) -> Mapping[str, Any]:
    stage: Mapping[str, Any] = trial.account.made_from.get("stages", {}).get(name, {})
    return stage


def _told_apart(groups: Sequence[Sequence[StoredTrial]]) -> str:
    facts = [_flat(facts) for facts in _comparable([origin(group[0]) for group in groups])]
    names = sorted({name for fact in facts for name in fact})
    differing = [name for name in names if len({canonical_json(fact.get(name)) for fact in facts}) > 1]
    lines = [f"{len(groups)} ways:"]
    for group, fact in zip(groups, facts, strict=True):
        cohorts = ", ".join(sorted({trial.key.cohort for trial in group}))
        lines.append(f"  {len(group)} trials of {cohorts} ({group[0].key}, …): {_told(fact, differing)}")
    return "\n".join(lines)


def _comparable(origins: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """The same origins; where one of them stores no settings at all, the others' are not listed one by one."""
    unknown = {name for facts in origins for name, value in facts.items() if value is None}
    return [
        {name: "stored" if name in unknown and isinstance(value, Mapping) else value for name, value in facts.items()}
        for facts in origins
    ]


def _told(fact: Mapping[str, object], differing: Sequence[str], shown: int = 8) -> str:
    told = ", ".join(f"{name}={_value(fact.get(name))}" for name in differing[:shown])
    return told + (f" and {len(differing) - shown} more" if len(differing) > shown else "")


def _value(value: object) -> object:
    return "not stored" if value is None else value


def _flat(facts: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in facts.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat
