"""Which slice of the recipe each stage reads, what it builds on, and its version: what decides that a result is stale.

Raise a stage's version when its code changes a number it writes.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from pipeline.session.recipe import Recipe
from pipeline.solving.engine import MuscleSource
from warehouse.provenance import stable_hash

# What a session and a trial are, as provenance records name it: numbers, words, hashes.
Facts = Mapping[str, str | int | float | None]
# Which stage's key each of a trial's tables carries. Muscle forces and joint loads are stored for those strides that
# pass the quality gates, so they change with the gates too.
STAGE_OF_TABLE: dict[str, str] = {
    "kinematics": "inverse_kinematics",
    "rejected_kinematics": "inverse_kinematics",
    "strides": "quality",
    "joint_angles": "joint_angles",
    "grf": "ground_reactions",
    "moments": "inverse_dynamics",
    "forces": "quality",
    "activations": "quality",
    "joint_loads": "quality",
    "cycles": "quality",
    "angle_cycles": "quality",
    "trials": "quality",
}
# Files of this package that hold figures which stages read, by the fact that their content is.
PACKAGED_DATA: dict[str, str] = {
    "bony_places": "landmarks/bony_places.toml",
    "built_in_joints": "osim/models/rajagopal2016/joints.csv",
}
# When OpenSim's tools may stop. Engine `exact` is at the optimum whatever these say: no result of it depends on them.
_OF_TOOLS_ONLY = frozenset({"ik_accuracy", "convergence_criterion", "max_iterations"})
# What a person calls the facts that are accounted for by a hash or a name.
_FACTS = {
    "model": "the musculoskeletal model",
    "profile": "the laboratory's profile",
    "static": "the static trial's recording",
    "sizing": "the walks that size the body",
    "trial": "the recording",
    "subject": "what session.toml says of the subject",
    "static_name": "the static trial's name",
    "n_trials": "the number of trials in the session",
    "bony_places": "gait2hip's table of bony places",
    "built_in_joints": "gait2hip's table of the built-in model's joints",
}
# The key of a rejection that the next run should try again: no stage's key is ever this.
RETRY = "retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage: the recipe's sections it reads, the facts of the session it uses, the stages it builds on."""

    version: int
    sections: tuple[str, ...]
    facts: tuple[str, ...]
    inputs: tuple[str, ...] = ()


STAGES: dict[str, Stage] = {
    "scaling": Stage(
        version=4,
        sections=("scaling", "engine", "markers"),
        facts=("model", "profile", "static", "sizing", "mass_kg", "height_m", "sex", "bony_places", "built_in_joints"),
    ),
    "session": Stage(version=1, sections=(), facts=("subject", "static_name", "n_trials"), inputs=("scaling",)),
    "inverse_kinematics": Stage(
        version=6,
        sections=("markers", "inverse_kinematics", "engine"),
        # Frames of which the plates know nothing are cut off, and with kinematics only those that no stride needs.
        facts=("trial", "profile", "plates_lag_s", "kinematics_only"),
        inputs=("scaling",),
    ),
    "joint_angles": Stage(
        version=1,
        sections=(),
        # Landmarks of the built-in model's bodies, which its joints tell.
        facts=("bony_places", "built_in_joints"),
        inputs=("inverse_kinematics",),
    ),
    # The static pose tells which of the walk's labels were exchanged, and so where the feet are.
    "ground_reactions": Stage(
        version=2,
        sections=("markers", "scaling", "ground_reactions"),
        facts=("trial", "profile", "static", "mass_kg", "plates_lag_s", "plates"),
    ),
    "inverse_dynamics": Stage(
        version=3,
        sections=("inverse_dynamics", "feet", "engine", "mechanics"),
        facts=(),
        inputs=("inverse_kinematics", "ground_reactions"),
    ),
    "static_optimization": Stage(
        version=4,
        sections=("static_optimization", "engine", "mechanics"),
        facts=(),
        inputs=("inverse_dynamics",),
    ),
    "quality": Stage(
        version=5,
        sections=("quality", "cycles"),
        facts=("height_m", "condition"),
        inputs=("static_optimization",),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StageAccount:
    """What one stage's result is made of: its provenance key, and what that is the hash of."""

    key: str
    made_from: Mapping[str, object]


def stage_accounts(recipe: Recipe, facts: Facts, opensim_version: str) -> dict[str, StageAccount]:
    """The account of every stage whose facts are all given, in the order of `STAGES`."""
    sections = {
        **_sections(recipe),
        "engine": recipe.model.engine,
        "mechanics": recipe.model.mechanics_used,
        "feet": (recipe.model.right_foot_body, recipe.model.left_foot_body),
    }
    accounts: dict[str, StageAccount] = {}
    for name, stage in STAGES.items():
        if all(fact in facts for fact in stage.facts) and all(needed in accounts for needed in stage.inputs):
            made_from = {
                "version": stage.version,
                "opensim": opensim_version,
                "recipe": {
                    section: _as_stored(sections[section], _unread(recipe, stage)) for section in stage.sections
                },
                "facts": {fact: facts[fact] for fact in stage.facts},
                "inputs": {needed: accounts[needed].key for needed in stage.inputs},
            }
            accounts[name] = StageAccount(key=stable_hash({"stage": name, **made_from}), made_from=made_from)
    return accounts


def stale_with(*facts: str) -> tuple[str, ...]:
    """The stages that another value of these facts makes stale, in order: those that use them and those that follow."""
    stale: list[str] = []
    for name, stage in STAGES.items():
        if set(facts) & set(stage.facts) or set(stale) & set(stage.inputs):
            stale.append(name)
    return tuple(stale)


def keys_of(accounts: Mapping[str, StageAccount]) -> dict[str, str]:
    """The provenance key of every stage."""
    return {name: account.key for name, account in accounts.items()}


def common_facts(recipe: Recipe, opensim_version: str, muscles: MuscleSource) -> dict[str, object]:
    """What made a result and must be the same for all that is learnt from together: no training on mixed data.

    The recipe's settings that its engine reads, the versions of the stages' code and of the package's tables (by their
    content), the simulator's version. `mechanics` is what was computed by, which for muscles that OpenSim was asked for
    is not what the recipe says.
    """
    unread = frozenset() if recipe.model.engine == "tools" else _OF_TOOLS_ONLY
    settings = {name: _without(unread, values) for name, values in _sections(recipe).items()}
    # Where the model's file lies says nothing about it: the hash of its content is in its session's row.
    settings["model"] = {name: value for name, value in settings["model"].items() if name != "file"}
    settings["model"]["mechanics"] = muscles.mechanics_used(recipe.model.mechanics_used)
    versions = {**{name: stage.version for name, stage in STAGES.items()}, **packaged_data()}
    return {"settings": settings, "versions": versions, "opensim": opensim_version}


def _sections(recipe: Recipe) -> dict[str, dict[str, object]]:
    return {name: value for name, value in recipe.model_dump().items() if isinstance(value, dict)}


def _unread(recipe: Recipe, stage: Stage) -> frozenset[str]:
    """The settings that a stage passes over: OpenSim's tools', unless it runs them."""
    runs_tools = "engine" in stage.sections and recipe.model.engine == "tools"
    return frozenset() if runs_tools else _OF_TOOLS_ONLY


def _without(unread: frozenset[str], section: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in section.items() if name not in unread}


def table_keys(keys: Mapping[str, str]) -> dict[str, str]:
    """The provenance key that each of a trial's tables carries, by table, from those of its stages."""
    return {table: keys[stage] for table, stage in STAGE_OF_TABLE.items()}


def _as_stored(section: object, unread: frozenset[str]) -> object:
    if isinstance(section, dict):
        return _without(unread, section)
    # Tuples come back from JSON as lists.
    return list(section) if isinstance(section, tuple) else section


@cache
def packaged_data() -> dict[str, str]:
    """The hash of each of `PACKAGED_DATA`, by its fact's name."""
    return {
        fact: hashlib.sha256((files("pipeline") / path).read_bytes()).hexdigest()
        for fact, path in PACKAGED_DATA.items()
    }


def brief(fact: object) -> str | int | float | None:
    """What stands for a fact in an account: itself, or the hash of one of several parts (a profile, say)."""
    return fact if fact is None or isinstance(fact, str | int | float) else stable_hash(fact)


def to_json(accounts: Mapping[str, StageAccount]) -> dict[str, object]:
    """The accounts as plain data, as a trial's row keeps them."""
    return {name: {"key": account.key, **account.made_from} for name, account in accounts.items()}


def what_changed(stored: Mapping[str, Any], accounts: Mapping[str, StageAccount]) -> dict[str, tuple[str, ...]]:
    """Why results are stale: what differs, by stage, between the accounts a row keeps and today's.

    A stage that only follows one before it has the reason "follows STAGE"; a stage that is not stale is left out.
    """
    changes: dict[str, tuple[str, ...]] = {}
    for name, account in accounts.items():
        before = stored.get(name)
        if before is None:
            changes[name] = ("was not made before",)
        elif before["key"] != account.key:
            changes[name] = tuple(_differences(before, account.made_from))
    return changes


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    if before["version"] != after["version"]:
        yield f"gait2hip now computes it differently (version {before['version']} -> {after['version']})"
    if before["opensim"] != after["opensim"]:
        yield f"OpenSim {before['opensim']} -> {after['opensim']}"
    for section, value in after["recipe"].items():
        yield from _settings_changed(section, before["recipe"].get(section), value)
    for fact, value in after["facts"].items():
        if before["facts"].get(fact) != value:
            # What is kept of a file or a profile is its hash, which tells nobody anything.
            hashed = _FACTS.get(fact)
            yield f"{hashed} changed" if hashed else f"{fact}: {before['facts'].get(fact)} -> {value}"
    for needed, key in after["inputs"].items():
        if before["inputs"].get(needed) != key:
            yield f"follows {needed}"


def _settings_changed(section: str, before: Any, after: Any) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                yield f"recipe {section}.{name}: {before.get(name, 'absent')} -> {after.get(name, 'absent')}"
    else:
        yield f"recipe {section}: {before} -> {after}"
