"""Making the shipped weights again from nothing: two classifiers and an image-text encoder.

Here belongs rendering scenes to learn from, the trainings, the model cards, and measuring the weights on fresh
scenes. What does not belong here: the networks' definitions and loading weights (`vision`).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

SHIPPED = ("object", "scene", "clip")
"""What is made, in this order."""


def run(
    output: Path,
    *,
    only: tuple[str, ...] = SHIPPED,
    device: str = "cpu",
    seed: int = 0,
    progress: Callable[[str], None] = print,
    cache: Path | None = None,
    workers: int | None = None,
) -> dict[str, Any]:
    """Train the shipped weights from nothing and write them with their model cards.

    Scenes of the splits close, train and swatch are learned from; test and probe scenes, which share no seed with
    them, are measured on. A seed gives the same weights again on the same machine with the same libraries; on
    another machine rounding differs, and with it the last digits of what is measured.

    On one core of a server (2026) rendering the scenes took about 5 CPU-minutes, object 14, scene 6, clip 25.

    Args:
        output: folder to write into, as data/world.
        only: which of "object", "scene" and "clip".
        device: "cpu" or "cuda".
        seed: of weights, order and variation.
        progress: called with a line of text now and then.
        cache: folder to keep rendered scenes in for the next time; None keeps none.
        workers: processes that render; default one a core.

    Returns:
        What was measured, by name; the model cards say the same.

    Raises:
        XaiError: `only` names something else.
    """
    from xai_assets.world.training.making import make  # torch and open_clip only when they are needed

    return make(output, only=only, device=device, seed=seed, progress=progress, cache=cache, workers=workers)
