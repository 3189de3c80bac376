"""One layer's answers while a network looks at pictures: statistics of all maps, and the maps that can matter."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from xai_assets.dissection.layer_activations import Kind, LayerActivations
from xai_assets.dissection.sparse_maps import SparseMaps
from xai_assets.dissection.top_values import TopValues
from xai_assets.errors import XaiError
from xai_assets.vision.layouts import Layout


class LayerRecorder:
    """Takes a layer's outputs in, batch by batch; `finish` gives what has come since the last call.

    Args:
        layer: its path, for errors.
        images: of the whole probe set, over which the quantile is taken.
        quantile: maps are kept that can reach into the top of all values, this share of them; None: no maps.
        known: maps of other images of the probe set.
        levels: float32 (u,): keep the maps that exceed these and no others, instead of those by quantile.
    """

    def __init__(
        self,
        layer: str,
        images: int,
        *,
        quantile: float | None,
        known: SparseMaps | None = None,
        levels: np.ndarray | None = None,
    ) -> None:
        self.layer, self._images, self._quantile = layer, images, quantile
        self._known, self._levels = known, levels
        self._kind: Kind | None = None
        self._shape: tuple[int, ...] = ()  # u, then positions
        self._top: TopValues | None = None
        self._seen = 0
        self._start()

    def _start(self) -> None:
        self._count, self.held = 0, 0
        self._statistics: list[np.ndarray] = []  # 3 b u
        self._pairs: list[tuple[np.ndarray, np.ndarray]] = []
        self._maps: list[np.ndarray] = []  # m h w

    def add(self, output: Tensor, layout: Layout | None, ids: Sequence[str]) -> None:
        """Take in what the layer gave for a batch of the images `ids`, read by its layout (None: vectors).

        Raises:
            XaiError: values that are not finite, maps of another shape than before.
        """
        values = output.detach().float()
        if layout is None:
            kind: Kind = "vector"
            values = values.flatten(1)[:, :, None]  # b u or b 1 u -> b u 1
        else:
            kind = "tokens" if values.ndim == 3 else "map"
            values = layout.maps(values)  # b u h w
        flat = values.flatten(2)  # b u positions
        # amax and amin one by one: aminmax along an axis is many times slower than both (torch 2.15, CPU).
        statistics = torch.stack([flat.mean(2), flat.amax(2), flat.amin(2)]).cpu().numpy()  # 3 b u
        self._check(statistics, ids)
        if self._kind is None:
            self._begin(kind, tuple(values.shape[1:]))
        if tuple(values.shape[1:]) != self._shape:
            raise XaiError(
                f"the layer {self.layer!r}",
                f"its values have shape {tuple(values.shape[1:])} for some images and {self._shape} for others",
                "Use images of one size.",
            )
        self._statistics.append(statistics)
        if self._bound is not None:
            for rows in self._portions(len(ids)):
                # The maps are chosen by their peaks, which are here already: one more transfer, of few maps.
                image, unit = np.nonzero(statistics[1, rows] > self._bound)
                image += rows.start
                self._take(image, unit, values[torch.from_numpy(image), torch.from_numpy(unit)].cpu().numpy())
        self._count += len(ids)
        self._seen += len(ids)

    def _portions(self, count: int) -> Iterator[slice]:
        """A batch of `count` images, no more at a time than were seen before: the bound is up before the many come."""
        start = 0
        while start < count:
            most = (
                count
                if self._top is None
                else max(self._seen + start, self._top.rank // self._shape[1] // self._shape[2])
            )
            stop = min(count, start + max(1, most))
            yield slice(start, stop)
            start = stop
            if start < count and self._top is not None:
                self._top.settle()

    @property
    def _bound(self) -> np.ndarray | None:
        if self._levels is not None:
            return self._levels
        return None if self._top is None else self._top.bound

    def _begin(self, kind: Kind, shape: tuple[int, ...]) -> None:
        self._kind, self._shape = kind, shape
        if self._quantile is None or self._levels is not None or len(shape) != 3:
            return
        units, height, width = shape
        rank = int(np.ceil(self._quantile * self._images * height * width))
        self._top = TopValues(units, max(1, rank))
        if self._known is not None:
            for of_unit, values in self._known.blocks():
                self._top.add(of_unit, values[:, None])
            self._top.settle()

    def _take(self, image: np.ndarray, unit: np.ndarray, maps: np.ndarray) -> None:
        self._pairs.append((image + self._count, unit))
        self._maps.append(maps)
        self.held += maps.nbytes
        if self._top is not None:
            self._top.add(unit, maps.reshape(len(maps), int(np.prod(self._shape[1:]))))

    def _check(self, statistics: np.ndarray, ids: Sequence[str]) -> None:
        finite = np.isfinite(statistics).all(axis=0)  # 3 b u -> b u
        if not finite.all():
            image, unit = np.argwhere(~finite)[0]
            raise XaiError(
                f"the layer {self.layer!r}, unit {unit}",
                f"its activation on {ids[int(image)]} is not a finite number",
                "Check the model's weights and preprocessing.",
            )

    def finish(self) -> LayerActivations:
        """The images since the last call; maps that have fallen below the bound since they came are let go."""
        assert self._kind is not None
        pooled, peak, lowest = np.concatenate(self._statistics, axis=1)  # 3 n u
        maps = None
        if self._bound is not None:
            maps = SparseMaps.of_maps(
                (len(peak), *self._shape),  # type: ignore[arg-type]  # three axes where there are maps
                np.concatenate([image for image, _ in self._pairs]),
                np.concatenate([unit for _, unit in self._pairs]),
                np.concatenate(self._maps),
                self._bound if self._top is None else self._top.settle(),
            )
        self._start()
        return LayerActivations(self._kind, pooled, peak, lowest, maps)
