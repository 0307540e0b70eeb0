"""Commands and flags are what people's scripts are made of: a change here is a change for them."""

import typer

from flows.cli import app

COMMANDS: dict[str, set[str]] = {
    "init-session": {
        "DIR",
        "--subject",
        "--mass-kg",
        "--height-m",
        "--sex",
        "--age-y",
        "--cohort",
        "--profile",
        "--static",
        "--condition",
        "--output",
        "-o",
        "--force",
    },
    "ingest": {"SESSION", "--warehouse", "--recipe", "--model", "--replace", "--workers", "--dask", "--no-prefect"},
    "virtual": {"DIR", "--subjects", "--conditions", "--trials", "--cohort", "--seed", "--blemishes"},
    "inspect": {"FILE", "--forces", "--export"},
    "profile": {"[STATIC [WALK …]]", "--output", "-o", "--markers-from", "--mass", "--height", "--force"},
    "plates-lag": {"SESSION", "--recipe"},
    "status": {"--warehouse", "--recipe", "--model", "--verify"},
    "doctor": {"--warehouse"},
    "serve": {"--config", "--once"},
    "diff": {"OLD", "NEW"},
    "regenerate": {"--warehouse", "--recipe", "--model", "--only", "--dry-run", "--workers", "--dask", "--no-prefect"},
    "train": {
        "RELEASE",
        "--output",
        "-o",
        "--model",
        "--task",
        "--protocol",
        "--recipe",
        "--device",
        "--memory-mb",
        "--tracking-uri",
        "--no-track",
    },
    "evaluate": {"RUN", "--release", "--cohort", "--output", "-o", "--device"},
    "predict": {
        "INPUT",
        "--run",
        "--output",
        "-o",
        "--session",
        "--mass-kg",
        "--recipe",
        "--model",
        "--device",
    },
    "report": {"--warehouse", "--output", "-o", "--title", "--release", "--run"},
    "release": {
        "--warehouse",
        "--name",
        "--cohort",
        "--condition",
        "--subject",
        "--recipe",
        "--turns",
        "--points",
        "--sides",
        "--holdout",
        "--holdout-fraction",
        "--seed",
        "--licence",
    },
    "audit": {"RELEASE", "--output", "-o"},
    "export": {"RELEASE", "--format", "--output", "-o"},
    "export-model": {"RUN", "--format", "--output", "-o"},
    "verify": {"SESSION", "--trial", "--recipe", "--model"},
    "import gait2hip60": {"--warehouse", "--npz", "--archive", "--subjects", "--cohort"},
    "import checkpoint": {"FILE", "--output", "-o"},
    "models list": {"--task", "--tracking-uri"},
    "models promote": {"VERSION", "--task", "--tracking-uri"},
    "models rollback": {"--task", "--tracking-uri"},
}
REQUIRED: dict[str, set[str]] = {
    "init-session": {"DIR", "--subject"},
    "ingest": {"SESSION", "--warehouse"},
    "virtual": {"DIR", "--subjects"},
    "inspect": {"FILE"},
    "profile": {"--output", "-o"},
    "plates-lag": {"SESSION"},
    "status": {"--warehouse"},
    "diff": {"OLD", "NEW"},
    "regenerate": {"--warehouse"},
    "verify": {"SESSION"},
    "train": {"RELEASE", "--output", "-o", "--model", "--task"},
    "evaluate": {"RUN", "--release"},
    "doctor": set(),
    "serve": {"--config"},
    "predict": {"INPUT", "--run", "--output", "-o"},
    "report": {"--warehouse", "--output", "-o"},
    "release": {"--warehouse", "--name"},
    "audit": {"RELEASE"},
    "export": {"RELEASE", "--output", "-o"},
    "export-model": {"RUN", "--output", "-o"},
    "import gait2hip60": {"--warehouse"},
    "import checkpoint": {"FILE", "--output", "-o"},
    "models list": {"--task"},
    "models promote": {"VERSION", "--task"},
    "models rollback": {"--task"},
}


def _names(parameter: object) -> set[str]:
    if parameter.param_type_name == "argument":  # type: ignore[attr-defined]
        return {parameter.metavar}  # type: ignore[attr-defined]
    return {*parameter.opts, *parameter.secondary_opts}  # type: ignore[attr-defined]


def _commands() -> dict[str, typer.core.TyperCommand]:
    """Every command by what is typed for it: `ingest`, `import checkpoint`."""
    found = {}
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        found |= {name: command} if below is None else {f"{name} {word}": one for word, one in below.items()}
    return found


def test_commands_and_their_flags_are_frozen() -> None:
    found = {
        name: set().union(*(_names(parameter) for parameter in command.params)) for name, command in _commands().items()
    }

    assert found == COMMANDS


def test_what_must_be_given_is_frozen() -> None:
    found = {
        name: set().union(*(_names(parameter) for parameter in command.params if parameter.required))
        for name, command in _commands().items()
    }

    assert found == REQUIRED


def test_the_program_itself_takes_only_version() -> None:
    group = typer.main.get_command(app)

    assert set().union(*(_names(parameter) for parameter in group.params)) == {"--version"}
