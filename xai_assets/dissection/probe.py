"""Probe sets: the images that units are shown, with labels where there are any."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from xai_assets.errors import XaiError
from xai_assets.files import fingerprint, sha256_bytes
from xai_assets.progress import Progress, silent
from xai_assets.reading import shown
from xai_assets.vision.images import ImageError, LoadedImage, Quarantined, list_folder, read_each, read_image

CONCEPT_COLUMNS = ("number", "name", "category", "synonyms")


class ProbeError(XaiError):
    """A probe set that cannot be used as it is."""


class ProbeSet(Protocol):
    """Images in a fixed order, with labels where there are any.

    Attributes:
        ids: one name an image, unique.
        sha256: of the content: images, labels and concepts.
        concepts: DataFrame with columns `number` (int, at least 1), `name`, `category`, `synonyms` (tuple of str),
            one row a number; None where the probe has no labels.
    """

    ids: list[str]
    concepts: pd.DataFrame | None

    @property
    def sha256(self) -> str:
        """Of the content: images, labels and concepts."""
        ...

    def __len__(self) -> int: ...

    def load(self, index: int) -> LoadedImage:
        """The picture with its hash and the file's mode."""
        ...

    def image(self, index: int) -> np.ndarray:
        """The pixels: uint8 (h, w, 3), RGB."""
        ...

    def image_sha256(self, index: int) -> str:
        """Of the picture's content, without decoding it."""
        ...

    def label_size(self, index: int) -> tuple[int, int]:
        """(sh, sw): the size that labels of this image are counted at."""
        ...

    def labels(self, index: int) -> dict[str, np.ndarray]:
        """category -> uint16 (layers, sh, sw), or (k, 1, 1) where labels hold for the whole image; 0 is no label."""
        ...


class FolderProbe:
    """A folder of images without labels: CLIP-Dissect only.

    Every file is decoded once when the probe is made, so that a broken one is set aside before the long work begins;
    no pixels are kept.

    Args:
        folder: the folder; files in folders below it are not read.
        limit: use the first so many readable images only.
        unfit: given an image's height and width, why it cannot be used, or None.
        progress: called while the files are checked.

    Attributes:
        quarantined: files that are no images, with the reason.
        left_out: what else is in the folder and not hidden, with the reason.
        others: the names of `left_out`.
        files: how many image files the folder has.
        classes: the class that an image shows, by its id, where the study says it.
        notes: what is unusual about an image that was read: its id, and a sentence.

    Raises:
        XaiError: no such folder, or not one readable image in it.
    """

    concepts: pd.DataFrame | None = None

    def __init__(
        self,
        folder: str | Path,
        *,
        limit: int | None = None,
        unfit: Callable[[int, int], str | None] | None = None,
        progress: Progress = silent,
    ) -> None:
        self.folder = Path(folder)
        self.ids: list[str] = []
        self.classes: dict[str, str] = {}
        self.quarantined: list[Quarantined] = []
        self._paths: list[Path] = []
        self._hashes: list[str] = []
        listing = list_folder(self.folder)
        self.left_out = listing.left_out
        self.files = len(listing.images)
        self.others = [one.name for one in self.left_out]
        self.notes: list[tuple[str, str]] = []
        for done, (path, (id, found)) in enumerate(
            zip(listing.images, read_each(listing.images), strict=False), 1
        ):
            if isinstance(found, Quarantined):
                self.quarantined.append(found)
            elif unfit is not None and (why := unfit(*found.pixels.shape[:2])):
                self.quarantined.append(Quarantined(found.path, found.id, why, "Use another image"))
            else:
                self.ids.append(id)
                self._paths.append(path)
                self._hashes.append(found.sha256)
                self.notes += [(id, note) for note in found.notes]
            progress(done, len(listing.images))
            if len(self.ids) == limit:
                break
        if not self.ids:
            raise ProbeError(
                f"probe folder {self.folder}",
                f"none of its {len(listing.images)} image files can be read",
                f"The first: {self.quarantined[0].why}." if self.quarantined else "Put images there.",
            )

    @cached_property
    def sha256(self) -> str:
        """Hash over names and file contents, in order."""
        return fingerprint([list(pair) for pair in zip(self.ids, self._hashes, strict=True)])

    def __len__(self) -> int:
        return len(self.ids)

    def load(self, index: int) -> LoadedImage:
        """The image; raises ImageError where its file has changed since the probe was made."""
        return unchanged(read_image(self._paths[index]), self._hashes[index])

    def image(self, index: int) -> np.ndarray:
        """The pixels: uint8 (h, w, 3), RGB."""
        return self.load(index).pixels

    def image_sha256(self, index: int) -> str:
        """Of the file's bytes when the probe was made."""
        return self._hashes[index]

    def label_size(self, index: int) -> tuple[int, int]:
        """The picture's own size."""
        height, width = self.image(index).shape[:2]
        return height, width

    def labels(self, index: int) -> dict[str, np.ndarray]:
        """None: a folder of images has no labels."""
        return {}


def unchanged(image: LoadedImage, sha256: str) -> LoadedImage:
    """The image, where its file has the hash that it had before; else ImageError."""
    if image.sha256 != sha256:
        raise ImageError(
            shown(image.path), "the file has changed while it was worked with", "Run the study again."
        )
    return image


class ArrayProbe:
    """A probe set held in memory.

    Args:
        images: one uint8 (h, w, 3) an image.
        labels: one dict an image, as `ProbeSet.labels` returns it; None: no labels.
        concepts: as `ProbeSet.concepts`, `synonyms` may be missing; needed with labels.
        ids: names; "0", "1", … without them.
        label_sizes: (sh, sw) an image; without it the largest label map's size, or the picture's.
    """

    def __init__(
        self,
        images: Sequence[np.ndarray],
        labels: Sequence[Mapping[str, np.ndarray]] | None = None,
        concepts: pd.DataFrame | None = None,
        *,
        ids: Sequence[str] | None = None,
        label_sizes: Sequence[tuple[int, int]] | None = None,
    ) -> None:
        if (labels is None) != (concepts is None):
            raise ProbeError("a probe set", "labels and concepts come together", "Give both, or neither.")
        self.ids = [str(name) for name in (ids if ids is not None else range(len(images)))]
        if len(set(self.ids)) != len(images) or (labels is not None and len(labels) != len(images)):
            raise ProbeError(
                "a probe set",
                f"{len(images)} images, {len(set(self.ids))} different ids, "
                f"{'no' if labels is None else len(labels)} labels",
                "Give one of each an image.",
            )
        self._images, self._labels, self._sizes = images, labels, label_sizes
        self.concepts = None if concepts is None else checked_concepts(concepts)

    @cached_property
    def sha256(self) -> str:
        """Hash over ids, pixels, labels and concepts."""

        def name(array: np.ndarray) -> list[object]:
            return [str(array.dtype), list(array.shape), sha256_bytes(np.ascontiguousarray(array).tobytes())]

        rows = [
            [self.ids[i], name(self._images[i]), sorted((c, name(a)) for c, a in self.labels(i).items())]
            for i in range(len(self))
        ]
        concepts = None if self.concepts is None else self.concepts.astype(str).to_dict("records")
        return fingerprint([rows, concepts])

    def __len__(self) -> int:
        return len(self._images)

    def load(self, index: int) -> LoadedImage:
        """The picture."""
        return LoadedImage(self.ids[index], self._images[index], self.image_sha256(index), "", "RGB")

    def image(self, index: int) -> np.ndarray:
        """The pixels: uint8 (h, w, 3), RGB."""
        return self._images[index]

    def image_sha256(self, index: int) -> str:
        """Of the shape and the pixels."""
        pixels = np.ascontiguousarray(self._images[index])
        return sha256_bytes(repr(pixels.shape).encode() + pixels.tobytes())

    def label_size(self, index: int) -> tuple[int, int]:
        """(sh, sw): the given one, the largest label map's, or the picture's."""
        if self._sizes is not None:
            return self._sizes[index]
        sizes = [array.shape[1:] for array in self.labels(index).values() if array.shape[1:] != (1, 1)]
        height, width = max(sizes) if sizes else self._images[index].shape[:2]
        return int(height), int(width)

    def labels(self, index: int) -> dict[str, np.ndarray]:
        """category -> uint16 (layers, sh, sw) or (k, 1, 1)."""
        return {} if self._labels is None else dict(self._labels[index])


def checked_concepts(concepts: pd.DataFrame) -> pd.DataFrame:
    """The table with all CONCEPT_COLUMNS, numbers as int; raises ProbeError on a number twice or below 1."""
    found = concepts.copy()
    if "synonyms" not in found:
        found["synonyms"] = [()] * len(found)
    numbers = found["number"].astype(int)
    if numbers.duplicated().any() or (numbers < 1).any() or (numbers > np.iinfo(np.uint16).max).any():
        bad = numbers[numbers.duplicated() | (numbers < 1) | (numbers > np.iinfo(np.uint16).max)].iloc[0]
        raise ProbeError(
            f"concept number {bad}",
            "numbers are different, from 1 to 65535",
            "Number the concepts anew; 0 means no label.",
        )
    return found.assign(number=numbers)[list(CONCEPT_COLUMNS)].reset_index(drop=True)
