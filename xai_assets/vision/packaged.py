"""Files that come with installed Python packages, found without importing any of them."""

from importlib.machinery import PathFinder
from pathlib import Path, PurePosixPath


def packaged_file(package: str, path: str) -> Path | None:
    """The path of a file in an installed package; None where the package or the file is not there.

    Nothing of the package runs: only the folders that Python would import it from are looked up.

    Args:
        package: a top-level package, such as "skimage".
        path: of the file in the package's folder, such as "data/coffee.png".

    Raises:
        ValueError: not a top-level package, or a path that leaves its folder.
    """
    inside = PurePosixPath(path)
    if not package.isidentifier() or inside.is_absolute() or ".." in inside.parts:
        raise ValueError(f"{package!r}, {path!r}: a top-level package and a path inside it are wanted")
    spec = PathFinder.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(folder) / inside
        if file.is_file():
            return file
    return None
