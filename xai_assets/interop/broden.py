"""Broden's published folder layout as a probe set."""

import io
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from xai_assets.dissection.probe import ProbeError, checked_concepts, unchanged
from xai_assets.files import fingerprint, sha256_bytes, sha256_file
from xai_assets.interop.broden_tables import IndexRow, read_concepts, read_index
from xai_assets.reading import read_regular
from xai_assets.vision.images import MAX_BYTES, MAX_PIXELS, LoadedImage, read_image
from xai_assets.vision.png_text import without_text


class BrodenProbe:
    """A folder in the layout of Bau et al. 2017: index.csv, label.csv, category.csv, c_<category>.csv, images/.

    A cell of index.csv names, separated by ';', label maps (PNG, label number = R + 256 G, 0 is no label) and numbers
    that hold for the whole image. Several entries are several labels a pixel. A label's category is the one in which
    it covers most, from the c_<category>.csv files, as the authors take it.

    Args:
        folder: the folder that holds index.csv.
        limit: use the first so many images of index.csv only.
        categories: use these only; None: all in category.csv.

    Raises:
        ProbeError: a file, column, number or image is missing or wrong; the message names file and line. Label maps
            are read when asked for, and checked then.
    """

    concepts: pd.DataFrame

    def __init__(
        self, folder: str | Path, *, limit: int | None = None, categories: Sequence[str] | None = None
    ) -> None:
        self.folder = Path(folder)
        self._hashes: dict[str, str] = {}
        self._images = (self.folder / "images").resolve()
        if not self._images.is_dir():
            raise ProbeError(
                f"Broden folder {self.folder}",
                "it has no folder images",
                "Name the folder that holds index.csv and images.",
            )
        self.concepts = checked_concepts(read_concepts(self.folder, categories))
        self._known = np.zeros(int(self.concepts["number"].max()) + 1, bool)
        self._known[self.concepts["number"]] = True
        wanted = tuple(dict.fromkeys(self.concepts["category"])) if categories is None else tuple(categories)
        self._rows = read_index(self.folder, wanted, limit)
        self.ids = [row.image for row in self._rows]

    @cached_property
    def sha256(self) -> str:
        """Hash over the index rows in use, the concepts, and the content of every picture and label map."""
        content = []
        for row in self._rows:
            entries = {
                category: [entry if isinstance(entry, int) else self._hash(entry, row) for entry in found]
                for category, found in row.labels.items()
            }
            content.append([row.image, list(row.size), self._hash(row.image, row), entries])
        return fingerprint([content, self.concepts.astype(str).to_dict("records")])

    def check_files(self) -> None:
        """Raise ProbeError where a file that the index names is not there, without opening any."""
        for row in self._rows:
            for name in (row.image, *(entry for found in row.labels.values() for entry in found)):
                if isinstance(name, str):
                    self._path(name, row)

    def __len__(self) -> int:
        return len(self._rows)

    def load(self, index: int) -> LoadedImage:
        """The image; raises ImageError or ProbeError naming its file, also where it has changed since it was hashed."""
        row = self._rows[index]
        image = read_image(self._path(row.image, row), id=row.image)
        return unchanged(image, self._hashes.setdefault(row.image, image.sha256))

    def image(self, index: int) -> np.ndarray:
        """The pixels: uint8 (h, w, 3), RGB."""
        return self.load(index).pixels

    def image_sha256(self, index: int) -> str:
        """Of the picture's file."""
        row = self._rows[index]
        return self._hash(row.image, row)

    def label_size(self, index: int) -> tuple[int, int]:
        """(sh, sw) of index.csv."""
        return self._rows[index].size

    def labels(self, index: int) -> dict[str, np.ndarray]:
        """category -> uint16 (layers, sh, sw), or (k, 1, 1) where all its entries hold for the whole image.

        Raises:
            ProbeError: a label map is missing, no PNG of that coding, of another size than index.csv says, has more than
                MAX_PIXELS pixels in all maps of a category, or holds
                a number that label.csv does not have.
        """
        row = self._rows[index]
        found = {}
        for category, entries in row.labels.items():
            planes = [
                np.full((1, 1), entry, np.uint16) if isinstance(entry, int) else self._label_map(entry, row)
                for entry in entries
            ]
            self._check_numbers(planes, entries, row)
            if any(plane.shape != (1, 1) for plane in planes):
                if len(planes) * row.size[0] * row.size[1] > MAX_PIXELS:
                    why = f"its {len(planes)} maps of {category} have more than {MAX_PIXELS:,} pixels"
                    raise ProbeError(self._line(row), why, "Save them smaller.")
                planes = [np.broadcast_to(plane, row.size) for plane in planes]
            found[category] = np.stack(planes)
        return found

    def _label_map(self, name: str, row: IndexRow) -> np.ndarray:
        path = self._path(name, row)
        data = read_regular(path, MAX_BYTES, error=ProbeError)
        if sha256_bytes(data) != self._hashes.get(name, sha256_bytes(data)):
            why = "the file has changed while it was worked with"
            raise ProbeError(f"label map {path}", why, "Run the study again.")
        try:
            with Image.open(io.BytesIO(without_text(data)), formats=("PNG",)) as picture:
                mode, size = picture.mode, (picture.height, picture.width)
                if size == row.size and size[0] * size[1] <= MAX_PIXELS:
                    values = np.asarray(picture.convert("RGB") if mode in ("RGBA", "P") else picture)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise ProbeError(
                f"label map {path}",
                f"it is no readable PNG ({type(error).__name__})",
                "Get a whole copy of it.",
            ) from error
        if size != row.size:
            raise ProbeError(
                f"label map {path}",
                f"it is {size[0]} x {size[1]}, line {row.line} of "
                f"index.csv says {row.size[0]} x {row.size[1]} (sh x sw)",
                "Correct the one or the other.",
            )
        if size[0] * size[1] > MAX_PIXELS:
            why = f"{size[0]} x {size[1]} pixels are more than {MAX_PIXELS:,}"
            raise ProbeError(f"label map {path}", why, "Save it smaller.")
        if mode not in ("RGB", "RGBA", "P", "L"):
            raise ProbeError(
                f"label map {path}", f"its mode is {mode}", "Save it as RGB with number = R + 256 G."
            )
        if mode == "L":
            return values.astype(np.uint16)
        return values[..., 0].astype(np.uint16) + np.uint16(256) * values[..., 1]

    def _check_numbers(self, planes: list[np.ndarray], entries: list[int | str], row: IndexRow) -> None:
        for plane, entry in zip(planes, entries, strict=True):
            largest = int(plane.max())
            used = (
                np.flatnonzero(np.bincount(plane.ravel()))
                if largest >= len(self._known)
                else np.unique(plane)
            )
            unknown = [n for n in used if n and (n >= len(self._known) or not self._known[n])]
            if unknown:
                where = f"label map {self._images / entry}" if isinstance(entry, str) else self._line(row)
                raise ProbeError(
                    where,
                    f"it holds the label {unknown[0]}, which label.csv does not have",
                    "Add the label to label.csv and its c_<category>.csv.",
                )

    def _hash(self, name: str, row: IndexRow) -> str:
        """The SHA-256 of a file of the folder, as it was when it was asked for first."""
        if name not in self._hashes:
            self._hashes[name] = sha256_file(self._path(name, row))
        return self._hashes[name]

    def _path(self, name: str, row: IndexRow) -> Path:
        path = (self._images / name).resolve()
        if not path.is_relative_to(self._images) or Path(name).is_absolute():
            raise ProbeError(
                self._line(row), f"{name} leads out of the folder images", "Name files below it."
            )
        if not path.is_file():
            raise ProbeError(
                self._line(row), f"there is no file {path}", "Put it there, or take it out of the index."
            )
        return path

    def _line(self, row: IndexRow) -> str:
        return f"{self.folder / 'index.csv'}, line {row.line}"
