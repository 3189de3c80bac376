"""Which image files a study takes, and the labels that they have: subfolders, CSV or COCO's JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from xai_assets.analysis.workbench import Tally
from xai_assets.interop.label_files import LabelError, LabelFile, read_labels
from xai_assets.interop.same_name import Names
from xai_assets.reading import shown
from xai_assets.set_aside import lines, listed
from xai_assets.study import SUBFOLDERS
from xai_assets.study_file import StudyFile
from xai_assets.vision.image_files import BELOW, SUFFIXES, ImageFolder, image_id, list_folder, list_packaged

NAMED = 3
"""Images that an error names."""


@dataclass(frozen=True)
class OwnImages:
    """The images of a study's folder, or of installed packages.

    Attributes:
        folder: the folder; None for files of packages, which are named by their files' names.
        paths: their files, in order.
        labels: by image, the classes that it is labelled with, as its source writes them; images without one are not
            in it. None: the study has no labels.
    """

    folder: Path | None
    paths: tuple[Path, ...]
    labels: dict[str, tuple[str, ...]] | None

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(image_id(path, self.folder) for path in self.paths)

    def labels_of(self, image: str) -> tuple[str, ...]:
        """The classes that an image is labelled with, as its source writes them."""
        return (self.labels or {}).get(image, ())


def own_images(file: StudyFile, tally: Tally) -> OwnImages:
    """The image files that the study names, with their labels; what is left out and what is odd is in the tally.

    Raises:
        ImageError: the folder cannot be used, or no package has any of the files.
        LabelError: the labels cannot be read, or are of none of its images.
    """
    assert file.study.attribution is not None
    source = file.study.attribution.images
    if source.packaged is not None:
        folder = list_packaged(source.packaged)
    else:
        assert source.folder is not None
        folder = list_folder(file.resolve(source.folder), recursive=source.below)
    for line in lines([(one.name, one.why) for one in folder.left_out], "files that are left out"):
        tally.note(line)
    ids = [image_id(path, folder.folder) for path in folder.images]
    if source.labels is None:
        return OwnImages(folder.folder, folder.images, None)
    if source.labels == SUBFOLDERS:
        said, of = _by_subfolder(folder, ids), "the folder that it is in"
    else:
        path = file.resolve(source.labels)
        said, of = _by_file(path, source.split, folder, ids, tally), path.name
    chosen = [
        (path, name)
        for path, name in zip(folder.images, ids, strict=True)
        if source.split is None or name in said
    ]
    found = {name: said[name] for _, name in chosen if said.get(name)}
    _say(
        tally,
        of,
        [name for _, name in chosen],
        found,
        f" of the split {source.split}" if source.split else "",
    )
    return OwnImages(folder.folder, tuple(path for path, _ in chosen), found)


def _say(
    tally: Tally, of: str, chosen: Sequence[str], labels: dict[str, tuple[str, ...]], split: str
) -> None:
    classes = len({label for said in labels.values() for label in said})
    tally.facts.append(
        f"labels: {len(labels):,} of {len(chosen):,} images{split} have one, of {classes:,} classes"
    )
    for name in chosen:
        if name not in labels:
            tally.remark("images", name, f"it has no label in {of}")
        elif len(labels[name]) > 1:
            tally.remark(
                "images", name, f"it has several labels in {of}, and an answer that is one of them is right"
            )


def _where(folder: ImageFolder) -> str:
    return "the named files of packages" if folder.folder is None else shown(folder.folder)


def _by_subfolder(folder: ImageFolder, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The first folder of each image's path is its class: `dog/a.jpg`, `dog/more/b.jpg`."""
    found: dict[str, tuple[str, ...]] = {name: (name.split("/", 1)[0],) for name in ids if "/" in name}
    if not found:
        raise LabelError(
            _where(folder),
            "its images are in no folder with the name of a class",
            f"Put them into folders such as dog/ and cat/, or write another value than `labels: {SUBFOLDERS}`.",
        )
    return found


def _by_file(
    path: Path, split: str | None, folder: ImageFolder, ids: Sequence[str], tally: Tally
) -> dict[str, tuple[str, ...]]:
    """The labels of each image that the file names, none where it names it without one."""
    file = read_labels(path, split)
    for row, why in file.set_aside:
        tally.leave_out(f"rows of {path.name}", f"{path.name}, {row}", why)
    if file.splits and split is None:
        named = listed([f"{name} ({count:,})" for name, count in file.splits.items()])
        tally.facts.append(f"labels: {path.name} has the splits {named}; images of all are taken")
    images = _ImagesByName(ids)
    found: dict[str, list[str]] = {}
    absent = []
    for name, labels in file.labels.items():
        ours = images.find(name)
        if len(ours) == 1:
            known = found.setdefault(ours[0], [])
            known += [label for label in labels if label not in known]
        else:
            absent.append((name, _why_not(ours, name, folder)))
    if not found:
        raise _none_there(path, file, folder)
    for name, why in absent:
        tally.leave_out(f"images of {path.name}", f"{name} ({file.places[name]})", why)
    return {name: tuple(labels) for name, labels in found.items()}


class _ImagesByName:
    """Images by the names that a file of labels has for them: with other folders in front, or without a suffix."""

    def __init__(self, ids: Sequence[str]) -> None:
        self._names = Names(ids)
        self._by_stem: dict[str, list[str]] = {}
        for name in ids:
            self._by_stem.setdefault(str(PurePosixPath(name).with_suffix("")), []).append(name)
        self._stems = Names(self._by_stem)

    def find(self, name: str) -> list[str]:
        found = self._names.image(name)
        if found or name.lower().endswith(SUFFIXES):
            return found
        return [one for stem in self._stems.image(name) for one in self._by_stem[stem]]


def _why_not(ours: Sequence[str], name: str, folder: ImageFolder) -> str:
    where = shown(folder.folder.name) if folder.folder and folder.folder.name else _where(folder)
    if ours:
        return f"{len(ours)} images of {where} may be meant: {listed(ours, NAMED)}"
    below = [one.name for one in folder.left_out if one.why == BELOW]
    if below and Names(below).image(name):
        return f"there is no such image in {where}, but in a folder below: `recursive: true` takes those"
    return f"there is no such image in {where}"


def _none_there(path: Path, file: LabelFile, folder: ImageFolder) -> LabelError:
    names = list(file.labels)
    why = f"none of its {len(names):,} images is in {_where(folder)}: {listed(names, NAMED)}"
    below = any(one.why == BELOW for one in folder.left_out)
    return LabelError(
        str(path),
        why,
        f"Name images by {'their path below that folder' if folder.folder else 'the names of their files'}"
        + (", and write `recursive: true`." if below else "."),
    )
