"""How the model's frame lies in the original picture. A map without its frame is not data."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

Mode = Literal["resize_crop", "squash", "native", "steps"]


@dataclass(frozen=True)
class Frame:
    """The rectangle of the original that the model sees, and the pixels it sees it with.

    Coordinates are continuous: the pixel in row r covers r to r + 1, the picture covers 0 to H and 0 to W. Where the
    image was padded before the model saw it, the rectangle reaches beyond the picture.

    Attributes:
        original: (H, W) of the original, in pixels.
        size: (h, w) of the model's frame, in pixels.
        box: (top, left, bottom, right) that the frame covers, in the original's coordinates.
        mode: how the one became the other.
        visible: the rectangle that the model sees where the image was cropped and then padded; None: all of the box that
            lies in the original.
    """

    original: tuple[int, int]
    size: tuple[int, int]
    box: tuple[float, float, float, float]
    mode: Mode
    visible: tuple[float, float, float, float] | None = None

    @property
    def shown(self) -> tuple[float, float, float, float]:
        """The rectangle of the original that the model sees anything of: `box` without what was filled in."""
        (height, width), box = self.original, self.visible or self.box
        top, left = max(self.box[0], box[0], 0.0), max(self.box[1], box[1], 0.0)
        return top, left, min(self.box[2], box[2], float(height)), min(self.box[3], box[3], float(width))

    def crop_mask(self, mask: np.ndarray) -> np.ndarray:
        """A mask or label map of the original, (H, W), in the model's frame, (h, w), of the same dtype.

        Each frame pixel takes the label at its centre, so labels stay labels; what is thinner than a frame
        pixel may vanish. `crop_fraction` keeps it, as a share. Outside of the original it is 0.

        Raises:
            ValueError: the mask is not of the original's size.
        """
        self._check(mask)
        top, left, bottom, right = self.box
        shown = self.shown
        rows, in_rows = _centres(top, bottom, self.size[0], self.original[0], (shown[0], shown[2]))
        columns, in_columns = _centres(left, right, self.size[1], self.original[1], (shown[1], shown[3]))
        found = mask[rows[:, None], columns[None, :]]  # H W -> h w
        if not (in_rows.all() and in_columns.all()):
            found[~(in_rows[:, None] & in_columns[None, :])] = 0
        return found

    def crop_fraction(self, mask: np.ndarray) -> np.ndarray:
        """How much of each frame pixel's footprint in the original the mask covers, float32 (h, w) in 0..1.

        Exact area: a footprint that cuts through original pixels counts their cut parts.

        Raises:
            ValueError: the mask is not of the original's size.
        """
        self._check(mask)
        top, left, bottom, right = self.box
        shown = self.shown
        rows = _footprints(top, bottom, self.size[0], self.original[0], (shown[0], shown[2]))  # h H
        columns = _footprints(left, right, self.size[1], self.original[1], (shown[1], shown[3]))  # w W
        share = rows @ (mask != 0).astype(np.float64) @ columns.T  # h H, H W, W w -> h w
        return np.clip(share, 0.0, 1.0).astype(np.float32)

    def overlay_box(self) -> tuple[int, int, int, int]:
        """The box in whole pixels: a map resized to it lies over original[top:bottom, left:right]."""
        height, width = self.original
        top, left, bottom, right = self.box
        (top_px, bottom_px), (left_px, right_px) = (
            _whole_pixels(top, bottom, height),
            _whole_pixels(left, right, width),
        )
        return top_px, left_px, bottom_px, right_px

    def seen(self) -> float:
        """How much of the original's area the model sees, 0 to 1."""
        (height, width), (top, left, bottom, right) = self.original, self.shown
        return min(1.0, max(0.0, bottom - top) * max(0.0, right - left) / (height * width))

    def within(self) -> "Frame":
        """The part of the frame that lies in the original, in whole pixels; the frame itself where all of it does."""
        shown, slack = self.shown, 1e-9 * max(self.original)
        if max(abs(a - b) for a, b in zip(shown, self.box, strict=True)) <= slack:
            return self
        sizes = []
        for axis, count in enumerate(self.size):
            length = self.box[axis + 2] - self.box[axis]
            if shown[axis] >= shown[axis + 2]:
                raise ValueError(f"{self} has nothing of the original")
            sizes.append(max(1, round(count * (shown[axis + 2] - shown[axis]) / length)))
        return Frame(self.original, (sizes[0], sizes[1]), shown, self.mode)

    def holds(self, other: "Frame") -> bool:
        """Whether another frame of the same original lies within this one, but for rounding."""
        slack = 1e-9 * max(self.original)
        begins = all(mine - slack <= theirs for mine, theirs in zip(self.box[:2], other.box[:2], strict=True))
        ends = all(theirs <= mine + slack for mine, theirs in zip(self.box[2:], other.box[2:], strict=True))
        return self.original == other.original and begins and ends

    def common(self, other: "Frame") -> "Frame | None":
        """The part of the original that both frames see, None where there is none.

        It has as many rows and columns as the frame that has fewer of them, so that the common frames of images of all
        sizes are of one shape where the models' inputs are.

        Raises:
            ValueError: the other frame is of another original.
        """
        if self.original != other.original:
            raise ValueError(f"{self} and {other} are of different originals")
        mine, theirs = self.shown, other.shown
        box = (
            max(mine[0], theirs[0]),
            max(mine[1], theirs[1]),
            min(mine[2], theirs[2]),
            min(mine[3], theirs[3]),
        )
        if box[0] >= box[2] or box[1] >= box[3]:
            return None
        if self.box == other.box and self.size == other.size:
            return self
        size = (min(self.size[0], other.size[0]), min(self.size[1], other.size[1]))
        return Frame(self.original, size, box, self.mode)

    def bring(self, values: np.ndarray, other: "Frame", *, outside: float | None = None) -> np.ndarray:
        """A map in this frame, (h, w), as it lies in another frame of the same original, (h', w'), float32.

        Each pixel of the other frame is the mean of this one over its footprint, through the original's coordinates:
        exact area, so that a constant stays what it is and nothing is interpolated. The same frame gives the same
        values back, to the bit.

        Args:
            values: the map.
            other: the other frame.
            outside: the map's value where the other frame sees what this one does not; None: that is an error.

        Raises:
            ValueError: the map is not of this frame's size, has values that are not finite, or the other frame is of
                another original, or sees what this one does not.
        """
        if values.shape != self.size:
            raise ValueError(f"a map of shape {values.shape} does not lie in {self}")
        if not np.isfinite(values).all():
            raise ValueError("a map with values that are not finite cannot be averaged over pixels")
        if other.original != self.original or (outside is None and not self.holds(other)):
            raise ValueError(f"{other} does not lie within {self}")
        if other.size == self.size and other.box == self.box:
            return values.astype(np.float32)
        (h, w), (top, left, bottom, right) = self.size, self.box
        down, across = h / (bottom - top), w / (right - left)
        first_row, first_column, last_row, last_column = other.box
        rows = _footprints((first_row - top) * down, (last_row - top) * down, other.size[0], h)  # h' h
        columns = _footprints(
            (first_column - left) * across, (last_column - left) * across, other.size[1], w
        )  # w' w
        found = rows @ values.astype(np.float64) @ columns.T  # h' h, h w, w w' -> h' w'
        if outside is not None and not self.holds(other):
            found += outside * (1 - np.outer(rows.sum(axis=1), columns.sum(axis=1)))
        return found.astype(np.float32)

    def __str__(self) -> str:
        """For people: what of which picture, and in how many pixels."""
        top, left, bottom, right = (f"{edge:.6g}" for edge in self.box)
        return (
            f"the {self.mode} frame of {self.size[1]} x {self.size[0]} pixels over rows {top} to {bottom}, columns "
            f"{left} to {right} of {self.original[1]} x {self.original[0]}"
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON can say it; `from_dict` gives the same frame back."""
        found = {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }
        if self.visible is None:
            del found["visible"]
        return found

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "Frame":
        """The frame that `to_dict` wrote."""
        height, width = value["original"]
        h, w = value["size"]
        top, left, bottom, right = map(float, value["box"])
        frame = cls((int(height), int(width)), (int(h), int(w)), (top, left, bottom, right), value["mode"])
        if not value.get("visible"):
            return frame
        top, left, bottom, right = map(float, value["visible"])
        return replace(frame, visible=(top, left, bottom, right))

    def _check(self, mask: np.ndarray) -> None:
        if mask.shape != self.original:
            raise ValueError(f"a mask of shape {mask.shape} does not lie on an original of {self.original}")


def whole_frame(height: int, width: int, size: tuple[int, int], mode: Mode) -> Frame:
    """The frame that covers the whole picture: squash, and native where `size` is the picture's own."""
    return Frame((height, width), size, (0.0, 0.0, float(height), float(width)), mode)


def resize_crop_frame(height: int, width: int, resize: int, size: int) -> Frame:
    """The frame of torchvision's `resize` (shorter side) and then `center_crop`, with its very roundings."""
    resized_h, resized_w = resized_sides(height, width, resize)
    top = round((resized_h - size) / 2.0)  # half to even, as torchvision's int(round(...))
    left = round((resized_w - size) / 2.0)
    down, across = height / resized_h, width / resized_w
    box = (top * down, left * across, (top + size) * down, (left + size) * across)
    return Frame((height, width), (size, size), box, "resize_crop")


def resized_sides(height: int, width: int, resize: int, longest: int | None = None) -> tuple[int, int]:
    """(h, w) after the shorter side became `resize`; the longer one is rounded down, as torchvision does.

    Where the longer one would have more than `longest` pixels it has these, and the shorter one follows.
    """
    short, long = min(height, width), max(height, width)
    shorter, longer = resize, int(resize * long / short)
    if longest is not None and longer > longest:
        shorter, longer = int(longest * shorter / longer), longest
    return (shorter, longer) if height <= width else (longer, shorter)


def _whole_pixels(start: float, stop: float, length: int) -> tuple[int, int]:
    """The edges rounded and kept in the picture; less than a pixel becomes the one that holds its centre."""
    first, last = max(round(start), 0), min(round(stop), length)
    if first < last:
        return first, last
    middle = min(max(int(np.floor((start + stop) / 2)), 0), length - 1)
    return middle, middle + 1


def _centres(
    start: float, stop: float, count: int, length: int, shown: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """The original's pixel at each centre, and whether it is shown."""
    centres = start + (np.arange(count) + 0.5) * (stop - start) / count
    slack = 1e-9 * length
    inside = (centres >= shown[0] - slack) & (centres < shown[1] + slack)
    return np.clip(np.floor(centres).astype(np.int64), 0, length - 1), inside


def _footprints(
    start: float, stop: float, count: int, length: int, shown: tuple[float, float] | None = None
) -> np.ndarray:
    """Row i: the share of footprint i that the shown part of each original pixel fills; float64 (count, length)."""
    edges = start + np.arange(count + 1) * (stop - start) / count
    first, last = shown or (0.0, float(length))
    low = np.maximum(edges[:-1, None], np.maximum(np.arange(length)[None, :], first))
    high = np.minimum(edges[1:, None], np.minimum(np.arange(1, length + 1)[None, :], last))
    return np.maximum(high - low, 0.0) * count / (stop - start)
