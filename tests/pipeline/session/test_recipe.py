from pathlib import Path

import pytest

from pipeline.session.recipe import load_recipe, packaged_names, read_settings
from warehouse.settings_file import parse_toml


def edited(tmp_path, old, new):
    from importlib.resources import files

    text = (files("pipeline") / "recipes" / "gait2hip60.toml").read_text("utf-8")
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new))
    return str(path)


def test_the_packaged_recipe_is_the_published_protocol(recipe):
    assert packaged_names("recipes") == ("gait2hip60",)
    assert recipe.cycles.cycle_points == 180
    assert recipe.static_optimization.activation_exponent == 2
    assert recipe.inverse_kinematics.ik_accuracy == 1e-6


def test_every_setting_is_one_documented_line():
    content = parse_toml(*read_settings("recipes", "gait2hip60"))
    from importlib.resources import files

    lines = (files("pipeline") / "recipes" / "gait2hip60.toml").read_text("utf-8").splitlines()
    for section in (value for value in content.values() if isinstance(value, dict)):
        for name in section:
            assert sum(line.startswith(f"{name} = ") for line in lines) >= 1, name


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("activation_exponent = 2", "activation_exponent = 0", "activation_exponent"),
        ("activation_exponent = 2", 'activation_exponent = "two"', "activation_exponent"),
        ("max_iterations = 100", "", "max_iterations"),
        ("max_iterations = 100", "max_iterations = 100\nmax_iteration = 5", "max_iteration"),
        ("marker_cutoff_hz = 6.0", "marker_cutoff_hz = 8.0", "Kristianslund"),
        ("min_stride_s = 0.6", "min_stride_s = 3.0", "below max_stride_s"),
        ("name = ", "name == ", "not valid TOML"),
    ],
)
def test_a_bad_setting_is_named_with_its_file(tmp_path, old, new, message):
    with pytest.raises(ValueError, match=message) as caught:
        load_recipe(edited(tmp_path, old, new))
    assert "mine.toml" in str(caught.value)


def test_a_recipe_of_an_older_version_is_told_what_to_add(tmp_path):
    path = Path(edited(tmp_path, "min_foot_travel_m = 0.1\n", ""))
    path.write_text(path.read_text("utf-8").replace("max_speed_rad_s = 25.0\nmax_speed_m_s = 10.0\n", ""), "utf-8")

    with pytest.raises(ValueError, match=r"ground_reactions\.min_foot_travel_m: Field required") as caught:
        load_recipe(str(path))

    assert "add what is missing; recipe gait2hip60 has [ground_reactions] min_foot_travel_m = 0.1, " in str(
        caught.value
    )
    assert "[quality] max_speed_rad_s = 25.0; max_speed_m_s = 10.0." in str(caught.value)


def test_a_recipe_that_lacks_a_section_is_told_all_of_it(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n', "utf-8")

    with pytest.raises(
        ValueError,
        match=r"mine.toml: model: Field required.*\[markers\] max_gap_s = 0.2; max_marker_speed",
    ):
        load_recipe(str(path))


def test_passive_fibre_force_is_refused_where_nothing_would_come_of_it(tmp_path):
    on = ("passive_fibre_force = false", "passive_fibre_force = true")
    path = Path(edited(tmp_path, *on))
    assert load_recipe(str(path)).static_optimization.passive_fibre_force
    text = path.read_text("utf-8")
    path.write_text(text.replace('engine = "exact"', 'engine = "tools"'), "utf-8")
    with pytest.raises(ValueError, match=r"mine.toml: .*passive_fibre_force=true with engine 'tools'"):
        load_recipe(str(path))
    path.write_text(text.replace("use_muscle_physiology = true", "use_muscle_physiology = false"), "utf-8")
    with pytest.raises(ValueError, match=r"passive_fibre_force=true with use_muscle_physiology=false"):
        load_recipe(str(path))


def test_an_unknown_recipe_lists_those_that_exist():
    with pytest.raises(ValueError, match="packaged recipes: gait2hip60"):
        load_recipe("gait2hip61")


def test_a_model_is_found_from_the_recipes_own_folder(tmp_path, monkeypatch):
    recipe = edited(tmp_path, 'file = ""', 'file = "models/mine.osim"')
    monkeypatch.chdir("/")
    assert load_recipe(recipe).model.file == str(tmp_path / "models" / "mine.osim")


def test_a_recipe_in_another_encoding_is_named(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes('name = "é"'.encode("latin-1"))
    with pytest.raises(ValueError, match=r"mine.toml is not valid TOML in UTF-8"):
        load_recipe(str(path))


@pytest.mark.parametrize("exponent", [1, 7])
def test_an_exponent_that_exact_can_t_solve_is_refused_before_anything_runs(tmp_path, exponent):
    path = Path(edited(tmp_path, "activation_exponent = 2", f"activation_exponent = {exponent}"))

    with pytest.raises(ValueError, match=rf"mine.toml: .*activation_exponent={exponent} .*name engine 'tools'"):
        load_recipe(str(path))
    path.write_text(path.read_text("utf-8").replace('engine = "exact"', 'engine = "tools"'), "utf-8")
    assert load_recipe(str(path)).static_optimization.activation_exponent == exponent
