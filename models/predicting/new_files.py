"""Files and folders that people named for a result: written whole, never over anything that is there."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp

from warehouse.files.storage import describe_os_errors, flush, remove_leftovers, replace_file
from warehouse.layout import temporary_path


def refuse_existing(path: Path) -> None:
    """ValueError if there is anything of that name: nothing is overwritten."""
    if path.exists():
        raise ValueError(f"{path} exists already: nothing is overwritten. Name another, or remove it.")


def refuse_unwritable(path: Path) -> None:
    """Fails before hours of work: ValueError if `path` exists, WarehouseError if it can't be made."""
    refuse_existing(path)
    with describe_os_errors("write", str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        Path(mkdtemp(prefix=f".{path.name}-", dir=path.parent)).rmdir()


def write_new_file(path: Path, content: bytes) -> None:
    """Writes one file whole or not at all. ValueError if it exists, WarehouseError if it can't be written."""
    refuse_existing(path)
    replace_file(path, content)


def write_new_folder(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Writes files, by their names, into a new folder, whole or not at all. Errors as in `write_new_file`."""
    refuse_existing(folder)
    with describe_os_errors("write", str(folder)):
        folder.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder.parent)
        staged = temporary_path(folder)
        staged.mkdir()
        try:
            for name, content in contents.items():
                (staged / name).write_bytes(content)
                flush(staged / name)
            flush(staged)
            staged.rename(folder)
            flush(folder.parent)
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise
