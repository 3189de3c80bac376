"""The files outside of the code that a study is made from, and whether their content is another than before."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from xai_assets.errors import XaiError
from xai_assets.files import fingerprint, sha256_file
from xai_assets.study_file import StudyFile
from xai_assets.text import printable
from xai_assets.vision.image_files import list_folder
from xai_assets.vision.spec import ModelSpec

BRODEN_FILES = ("index.csv", "label.csv", "category.csv")
"""What says of Broden's folder which of its many thousand pictures belong to it."""


class Away(XaiError):
    """A folder or a file that a study names is not there: a disk that is not mounted is no change of the study."""

    def __init__(self, path: Path, why: str = "is not there") -> None:
        super().__init__(printable(str(path)), why, "Mount it, or put it back.")

    def __reduce__(self) -> tuple[type["Away"], tuple[object, ...]]:
        return type(self), (Path(self.what), self.why)


def image_files(file: StudyFile) -> list[Path]:
    """The images that the study explains and probes with and their truth, in order; of Broden its tables only.

    Raises:
        Away: a folder or a file that the study names is not there, or a folder is empty.
    """
    found: set[Path] = set()
    if file.study.attribution and (truth := file.study.attribution.truth):
        if truth.boxes:
            found.add(_there(file.resolve(truth.boxes)))
        if truth.masks:
            masks = _visible(file.resolve(truth.masks))
            found.update(masks, *(_listed(of_class) for of_class in masks if of_class.is_dir()))
    if file.study.attribution:
        for given in file.study.attribution.methods.external_sets().values():
            found.update(_external(file.resolve(given.maps)))
        images = file.study.attribution.images
        if images.folder:
            found.update(_visible(folder := file.resolve(images.folder)))
            if images.below:
                found.update(list_folder(folder, recursive=True).images)
        if images.label_file:
            found.add(_there(file.resolve(images.label_file)))
    if file.study.dissection:
        probe = file.study.dissection.probe
        if probe.folder:
            found.update(_visible(file.resolve(probe.folder)))
        if probe.classes:
            found.add(file.resolve(probe.classes))  # a pattern is no file, and is left out below
        if probe.broden:
            found.update(_there(file.resolve(probe.broden) / name) for name in BRODEN_FILES)
    return sorted(path for path in found if path.is_file())


def model_files(file: StudyFile) -> list[Path]:
    """The study's own file, and the checkpoints, class names, encoder weights and concept list that it names.

    Raises:
        Away: a checkpoint, a file of class names or a folder with an encoder is not there.
    """
    named = [path for model in _models(file) for path in (model.checkpoint, model.class_names) if path]
    found = {file.path, *(_there(file.resolve(name)) for name in named)}
    if dissection := file.study.dissection:
        # Such as `diorama` and `openai`, names that may stand where a file may, are no files.
        words = (dissection.concepts, dissection.encoder.pretrained)
        found.update(file.resolve(name) for name in words if name)
        local = dissection.encoder.name.removeprefix("local-dir:")
        if local != dissection.encoder.name:
            found.update(_visible(file.resolve(local)))
    return sorted(path for path in found if path.is_file())


@dataclass(frozen=True)
class Seen:
    """What was last seen of some files.

    Attributes:
        signature: hash of their paths, sizes and times of change; to look costs no reading.
        content: hash of their paths and bytes.
        pending: a signature that was seen once; files that are still being written have another one each time.
    """

    signature: str
    content: str
    pending: str | None = None

    def to_dict(self) -> dict[str, str | None]:
        """As JSON takes it."""
        return asdict(self)


def look(paths: Sequence[Path], before: Seen | None) -> tuple[Seen, bool]:
    """Look at the files again.

    A change counts when it has been seen twice alike, so that half-written files count once, when they are whole. Bytes
    are read only then: a file that was merely touched is no change.

    Returns:
        What is to be remembered, and whether the content is another; the first look only remembers.
    """
    signature = _signature(paths)
    if before is None:
        return Seen(signature, _content(paths)), False
    if signature == before.signature:
        return replace(before, pending=None), False
    if signature != before.pending:
        return replace(before, pending=signature), False
    after = Seen(signature, _content(paths))
    return after, after.content != before.content


def _signature(paths: Sequence[Path]) -> str:
    found = [(str(path), path.stat()) for path in paths]
    return fingerprint([[name, status.st_size, status.st_mtime_ns] for name, status in found])


def _content(paths: Sequence[Path]) -> str:
    return fingerprint([[str(path), sha256_file(path)] for path in paths])


def _there(path: Path) -> Path:
    if not path.is_file():
        raise Away(path)
    return path


def _visible(folder: Path) -> list[Path]:
    """What is in a folder but hidden files; a mount point without its disk is an empty folder."""
    if not folder.is_dir():
        raise Away(folder)
    if not (found := _listed(folder)):
        raise Away(folder, "is empty")
    return found


def _external(place: Path) -> list[Path]:
    """The maps of another tool: a folder with folders below, or one file."""
    return [place] if place.is_file() else [found for of in _visible(place) for found in _below(of)]


def _below(path: Path) -> list[Path]:
    return [path, *(_listed(path) if path.is_dir() else [])]


def _listed(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def _models(file: StudyFile) -> Iterator[ModelSpec]:
    if file.study.attribution:
        yield from file.study.attribution.models or (file.study.attribution.model,)
    if file.study.dissection:
        yield from (entry.model for entry in file.study.dissection.models)
