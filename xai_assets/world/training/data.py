"""Rendering a split into arrays, on all cores, and keeping it for the next training."""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from safetensors.numpy import load_file, save

from xai_assets.files import write_bytes
from xai_assets.progress import Progress, silent
from xai_assets.world.description import describe
from xai_assets.world.part import MAIN
from xai_assets.world.render import Rendered, render
from xai_assets.world.training.examples import FINISHES, Examples
from xai_assets.world.vocabulary import CLASSES, COLOURS, PIXEL_CATEGORIES, SCENES, VOCABULARY, WORLD_VERSION

_CHUNK = 100


def example(rendered: Rendered) -> Examples:
    """One rendered scene as an Examples of length 1."""
    counts = [
        np.bincount(rendered.labels[category].ravel(), minlength=len(VOCABULARY[category]) + 1)[1:]
        for category in PIXEL_CATEGORIES
    ]
    description = rendered.description
    main = description.targets[0].finish(MAIN) if description.targets else description.swatch
    assert main is not None  # a picture shows a target or is a swatch
    return Examples(
        images=rendered.image[None],
        pixels=np.concatenate(counts).astype(np.uint16)[None],
        target=np.array([CLASSES.index(rendered.targets[0].class_name) if rendered.targets else -1]),
        scene=np.array([SCENES.index(rendered.scene) if rendered.scene else -1]),
        finish=np.array([FINISHES.index(main.name)]),
        colour=np.array([COLOURS.index(main.color)]),
    )


def _rows(split: str, first: int, last: int) -> dict[str, np.ndarray]:
    cv2.setNumThreads(1)  # one process a core: threads within would only wait for each other
    rows = [example(render(describe(split, index))) for index in range(first, last)]
    return {
        field.name: np.concatenate([getattr(row, field.name) for row in rows]) for field in fields(Examples)
    }


def render_split(
    split: str, count: int, *, first: int = 0, workers: int | None = None, progress: Progress = silent
) -> Examples:
    """Render scenes `first` to `first + count - 1` of a split.

    Args:
        workers: processes; default one a core; 1 renders in this process.
    """
    bounds = [(start, min(start + _CHUNK, first + count)) for start in range(first, first + count, _CHUNK)]
    workers = workers or os.cpu_count() or 1
    parts: list[dict[str, np.ndarray]] = []
    if workers == 1:
        for start, stop in bounds:
            parts.append(_rows(split, start, stop))
            progress(stop - first, count)
    else:
        # Spawned, as a forked child of a process with threads or a CUDA context may hang.
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            futures = [pool.submit(_rows, split, start, stop) for start, stop in bounds]
            for (_, stop), future in zip(bounds, futures, strict=True):
                parts.append(future.result())
                progress(stop - first, count)
    return Examples(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def cached_split(
    split: str,
    count: int,
    *,
    cache: Path | None,
    workers: int | None = None,
    progress: Callable[[str], None] = print,
) -> Examples:
    """The first `count` scenes of a split, from `cache` where they lie there and are still what is rendered.

    A cached split is used only when its first and last scenes render to the same bytes today, so that a change of
    the drawing is noticed.
    """
    path = cache / f"{split}-{count}-v{WORLD_VERSION}.safetensors" if cache else None
    if path is not None and path.is_file():
        kept = Examples(**load_file(path))
        ends = [render(describe(split, index)).image for index in (0, count - 1)]
        if np.array_equal(kept.images[[0, -1]], np.stack(ends)):
            return kept
    progress(f"rendering {count} scenes of {split}")
    examples = render_split(split, count, workers=workers)
    if path is not None:
        arrays = {field.name: getattr(examples, field.name) for field in fields(Examples)}
        write_bytes(path, save(arrays))
    return examples
