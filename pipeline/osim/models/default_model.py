"""The model that is used where nobody names one: Rajagopal et al. (2016), built here from tables of its figures.

Built once for each version of tables, code and OpenSim, and kept in the user's cache. Importing this module does
not load OpenSim; building does.
"""

import uuid
from pathlib import Path

from pipeline.osim.models.rajagopal2016.tables import EXCEPTIONS, TABLES, TABLES_FOLDER, read_tables
from pipeline.osim.version import opensim_version
from pipeline.user_cache import CACHE_VARIABLE, cache_folder
from warehouse.provenance import file_sha256, stable_hash

_CODE = ("build.py", "tables.py")


def model_file_of(named: Path | None) -> Path:
    """The musculoskeletal model: the file that was named, else the built-in one, which may have to be built.

    ValueError if that can't be written.
    """
    return named or default_model_file(cache_folder())


def default_model_file(cache_dir: Path) -> Path:
    """The built model in this folder, built there if it isn't yet; its name tells what it was made from.

    ValueError if the folder can't be written.
    """
    path = default_model_path(cache_dir)
    if not path.is_file():
        try:
            build_model(path)
        except OSError as error:
            raise ValueError(
                f"the built-in model can't be written to {cache_dir} ({error.strerror}). Name another folder in the "
                f"environment variable {CACHE_VARIABLE}, or give a model of your own with --model FILE."
            ) from error
    return path


def default_model_path(cache_dir: Path) -> Path:
    """Where the built model of this version lies, whether or not it does yet."""
    names = (*_CODE, *(f"{name}.csv" for name in (*TABLES, EXCEPTIONS)))
    made_from = {
        "files": {name: file_sha256(TABLES_FOLDER / name) for name in names},
        "opensim": opensim_version(),
    }
    return cache_dir / f"Rajagopal2016-{stable_hash(made_from)[:16]}.osim"


def build_model(path: Path) -> None:
    """Write the model: the same bytes every time, and all of them or none. OSError if it can't be written."""
    import opensim as osim

    from pipeline.osim.models.model import write_model
    from pipeline.osim.models.rajagopal2016.build import assemble

    # Otherwise OpenSim writes a log into the current directory.
    osim.Logger.removeFileSink()
    path.parent.mkdir(parents=True, exist_ok=True)
    model = assemble(read_tables())
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        part.touch()
        write_model(model, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
