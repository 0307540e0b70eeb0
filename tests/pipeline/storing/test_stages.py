from pathlib import Path

import pytest

from pipeline.session.recipe import Recipe, load_recipe
from pipeline.solving.engine import MuscleSource
from pipeline.storing.stages import (
    PACKAGED_DATA,
    RETRY,
    STAGES,
    common_facts,
    keys_of,
    packaged_data,
    stage_accounts,
    stale_with,
)
from tests.pipeline.solutions import COMPUTED

FACTS = {
    "model": "model's hash",
    "profile": {"name": "isb_full_body"},
    "static": "static trial's hash",
    "static_name": "static.c3d",
    "subject": {"id": "S01", "sex": None},
    "mass_kg": 67.0,
    "height_m": 1.66,
    "sex": "F",
    "sizing": "walks' hash",
    "n_trials": 2,
    "trial": "walk's hash",
    "condition": "slow",
    "plates_lag_s": None,
    "plates": "",
    "kinematics_only": False,
    "bony_places": "a table's hash",
    "built_in_joints": "a table's hash",
}

LATE = {"inverse_dynamics", "static_optimization", "quality"}
# What follows from the pose.
POSED = {"joint_angles", *LATE}
EVERYTHING = set(STAGES)

# Which stages a change makes stale, by section of the recipe; by field where one section serves several.
STALE_BY_SECTION = {
    # Walks size the body too.
    "markers": EVERYTHING,
    "ground_reactions": {"ground_reactions", *LATE},
    "scaling": EVERYTHING,
    "inverse_kinematics": {"inverse_kinematics", *POSED},
    "inverse_dynamics": LATE,
    "static_optimization": {"static_optimization", "quality"},
    "quality": {"quality"},
    "cycles": {"quality"},
    "model.engine": EVERYTHING - {"ground_reactions"},
    "model.mechanics": LATE,
    "model.right_foot_body": LATE,
    "model.left_foot_body": LATE,
    # The file's content is a fact; where it lies changes no number.
    "model.file": set(),
}
# When the tools may stop: `exact`, the packaged recipe's engine, doesn't ask.
OF_TOOLS_ONLY = {
    ("scaling", "ik_accuracy"): EVERYTHING - {"ground_reactions"},
    ("inverse_kinematics", "ik_accuracy"): STALE_BY_SECTION["inverse_kinematics"],
    ("static_optimization", "convergence_criterion"): STALE_BY_SECTION["static_optimization"],
    ("static_optimization", "max_iterations"): STALE_BY_SECTION["static_optimization"],
}
STALE_BY_FACT = {
    "model": EVERYTHING - {"ground_reactions"},
    "profile": EVERYTHING,
    "static": EVERYTHING,
    "static_name": {"session"},
    "subject": {"session"},
    "mass_kg": EVERYTHING,
    "height_m": EVERYTHING - {"ground_reactions"},
    "sex": EVERYTHING - {"ground_reactions"},
    "sizing": EVERYTHING - {"ground_reactions"},
    "n_trials": {"session"},
    "trial": {"inverse_kinematics", "ground_reactions", *POSED},
    "condition": {"quality"},
    "plates_lag_s": {"inverse_kinematics", "ground_reactions", *POSED},
    "plates": {"ground_reactions", *LATE},
    "kinematics_only": {"inverse_kinematics", *POSED},
    "bony_places": EVERYTHING - {"ground_reactions"},
    "built_in_joints": EVERYTHING - {"ground_reactions"},
}
PIPELINE = Path(__file__).parents[3] / "pipeline"
# Packaged data whose content reaches a key otherwise, or no key because it changes no stored number.
OTHERWISE_ACCOUNTED_FOR = {
    "recipes": "each setting is in the key of the stages that read its section",
    "profiles": "the whole profile is a fact",
    "landmarks/label_names.toml": "the profile that it gives is a fact",
    "osim/models/rajagopal2016": "the model that is built of them is a fact by its content",
    "virtual": "it makes recordings, whose content is a fact",
}
# How code names a packaged table, by its fact; and the modules that do, with the stage that each belongs to.
NAMED = {"bony_places": '"bony_places.toml"', "built_in_joints": "joint_places_m()"}
READERS = {
    ("landmarks/bony_places.py", "bony_places"): "scaling",
    ("anatomy/bones.py", "built_in_joints"): "joint_angles",
    ("sizing/priors/built_in_bones.py", "built_in_joints"): "scaling",
}


def settings() -> list[tuple[str, str]]:
    """Every setting of the recipe, (section, field)."""
    content = load_recipe("gait2hip60").model_dump()
    return [(section, field) for section, fields in content.items() if isinstance(fields, dict) for field in fields]


def with_another(recipe: Recipe, section: str, field: str) -> Recipe:
    """The recipe with one setting changed; whether it is a sensible value doesn't matter to a key."""
    part = getattr(recipe, section)
    value = getattr(part, field)
    other = not value if isinstance(value, bool) else f"{value}x" if isinstance(value, str) else value * 2
    return recipe.model_copy(update={section: part.model_copy(update={field: other})})


def with_engine(recipe: Recipe, engine: str) -> Recipe:
    return recipe.model_copy(update={"model": recipe.model.model_copy(update={"engine": engine})})


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    assert before.keys() == after.keys()
    return {stage for stage in before if before[stage] != after[stage]}


@pytest.mark.parametrize(("section", "field"), settings())
def test_a_setting_makes_stale_exactly_what_reads_it(recipe, section, field):
    expected = STALE_BY_SECTION.get(f"{section}.{field}", STALE_BY_SECTION.get(section))
    assert expected is not None, f"say here, and in STAGES, which stage reads {section}.{field}"
    if (section, field) in OF_TOOLS_ONLY:
        expected = set()
    keys = keys_of(stage_accounts(recipe, FACTS, "4.6"))
    assert changed(keys, keys_of(stage_accounts(with_another(recipe, section, field), FACTS, "4.6"))) == expected


@pytest.mark.parametrize(("section", "field"), sorted(OF_TOOLS_ONLY))
def test_when_the_tools_may_stop_is_part_of_their_results(recipe, section, field):
    by_tools = with_engine(recipe, "tools")
    keys = keys_of(stage_accounts(by_tools, FACTS, "4.6"))
    after = keys_of(stage_accounts(with_another(by_tools, section, field), FACTS, "4.6"))
    assert changed(keys, after) == OF_TOOLS_ONLY[section, field]
    assert common_facts(by_tools, "4.6", COMPUTED)["settings"][section][field] == getattr(
        getattr(recipe, section), field
    )


def test_no_setting_lies_outside_a_section(recipe):
    outside = {name for name, value in recipe.model_dump().items() if not isinstance(value, dict)}
    assert outside == {"name"}


def test_a_recipes_name_changes_no_key(recipe):
    renamed = recipe.model_copy(update={"name": "mine"})
    assert stage_accounts(renamed, FACTS, "4.6") == stage_accounts(recipe, FACTS, "4.6")


def test_every_fact_is_known_here():
    assert {fact for stage in STAGES.values() for fact in stage.facts} == set(FACTS) == set(STALE_BY_FACT)


def test_every_packaged_file_that_changes_numbers_is_in_a_key():
    """A new data file must be named in `PACKAGED_DATA`, or say here how its content is accounted for."""
    files = {path.relative_to(PIPELINE) for path in PIPELINE.rglob("*") if path.is_file() and path.suffix != ".py"}
    data = {path.as_posix() for path in files if "__pycache__" not in path.parts}
    elsewhere = {
        path for path in data if any(f"{path}/".startswith(f"{listed}/") for listed in OTHERWISE_ACCOUNTED_FOR)
    }
    named = set(PACKAGED_DATA.values())
    assert data - elsewhere <= named <= data
    assert set(packaged_data()) == set(PACKAGED_DATA)
    assert len(set(packaged_data().values())) == len(PACKAGED_DATA)


def test_every_module_that_reads_packaged_data_belongs_to_a_stage_whose_key_holds_it():
    assert set(NAMED) == set(PACKAGED_DATA)
    sources = {path.relative_to(PIPELINE).as_posix(): path.read_text("utf-8") for path in PIPELINE.rglob("*.py")}
    # What builds the model, and what makes virtual people of it.
    found = {
        (module, fact)
        for module, text in sources.items()
        for fact, words in NAMED.items()
        if words in text and not module.startswith(("osim/models/", "virtual/"))
    }
    assert found == set(READERS)
    assert all(fact in STAGES[stage].facts for (_, fact), stage in READERS.items())


@pytest.mark.parametrize("fact", sorted(STALE_BY_FACT))
def test_what_a_fact_would_make_stale_is_told_beforehand(fact):
    assert set(stale_with(fact)) == STALE_BY_FACT[fact]


@pytest.mark.parametrize("fact", sorted(STALE_BY_FACT))
def test_a_fact_makes_stale_exactly_what_reads_it(recipe, fact):
    after = keys_of(stage_accounts(recipe, {**FACTS, fact: "another"}, "4.6"))
    assert changed(keys_of(stage_accounts(recipe, FACTS, "4.6")), after) == STALE_BY_FACT[fact]


def test_another_opensim_makes_all_stale(recipe):
    after = keys_of(stage_accounts(recipe, FACTS, "4.7"))
    assert changed(keys_of(stage_accounts(recipe, FACTS, "4.6")), after) == EVERYTHING


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_a_new_version_makes_stale_what_builds_on_it(recipe, stage, monkeypatch):
    from dataclasses import replace

    before = keys_of(stage_accounts(recipe, FACTS, "4.6"))
    monkeypatch.setitem(STAGES, stage, replace(STAGES[stage], version=STAGES[stage].version + 1))
    stale = changed(before, keys_of(stage_accounts(recipe, FACTS, "4.6")))
    assert stage in stale
    assert all(stage in STAGES[other].inputs or stale & set(STAGES[other].inputs) for other in stale - {stage})


def test_a_session_has_keys_before_any_trial(recipe):
    of_trials = ("trial", "condition", "plates_lag_s", "plates", "kinematics_only")
    facts = {name: FACTS[name] for name in FACTS if name not in of_trials}
    keys = keys_of(stage_accounts(recipe, facts, "4.6"))
    assert set(keys) == {"scaling", "session"}
    assert keys.items() <= keys_of(stage_accounts(recipe, FACTS, "4.6")).items()


def test_keys_differ_between_stages_and_from_a_retry(recipe):
    keys = keys_of(stage_accounts(recipe, FACTS, "4.6"))
    assert len(set(keys.values()) | {RETRY}) == len(STAGES) + 1


def test_what_all_of_a_training_set_must_share_is_every_setting_its_engine_reads_version_and_simulator(recipe):
    found = common_facts(recipe, "4.6", COMPUTED)

    whole = recipe.model_dump()
    assert found["settings"] == {
        section: {
            name: value
            for name, value in values.items()
            if (section, name) != ("model", "file") and (section, name) not in OF_TOOLS_ONLY
        }
        for section, values in whole.items()
        if section != "name"
    }
    assert found["versions"] == {name: stage.version for name, stage in STAGES.items()} | packaged_data()
    assert found["opensim"] == "4.6"


def test_where_a_model_lies_parts_no_training_set(recipe):
    elsewhere = recipe.model_copy(update={"model": recipe.model.model_copy(update={"file": "/home/me/model.osim"})})

    assert common_facts(elsewhere, "4.6", COMPUTED) == common_facts(recipe, "4.6", COMPUTED)


@pytest.mark.parametrize(
    ("engine", "mechanics", "asked", "recorded"),
    [
        ("exact", "corrected", (), "corrected"),
        ("exact", "corrected", ("paths",), "corrected, but muscles' paths as OpenSim has them"),
        ("exact", "corrected", ("paths", "fibres"), "corrected, but muscles' paths and fibres as OpenSim has them"),
        ("exact", "opensim", ("paths",), "opensim"),
        ("tools", "corrected", (), "opensim"),
    ],
)
def test_mechanics_are_recorded_as_they_were_used(recipe, engine, mechanics, asked, recorded):
    model = recipe.model.model_copy(update={"engine": engine, "mechanics": mechanics})
    source = MuscleSource(asked=asked, why=("muscle psoas_r: a path",) if asked else ())
    found = common_facts(recipe.model_copy(update={"model": model}), "4.6", source)
    assert found["settings"]["model"]["mechanics"] == recorded
