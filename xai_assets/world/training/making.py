"""From nothing to the shipped folder: render, train, measure, write weights and model cards."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from xai_assets.errors import XaiError
from xai_assets.files import write_text
from xai_assets.world.training import SHIPPED
from xai_assets.world.training.cards import classifier_card, encoder_card
from xai_assets.world.training.classifier_task import TASKS
from xai_assets.world.training.data import cached_split
from xai_assets.world.training.encoder_training import train_encoder
from xai_assets.world.training.examples import Examples
from xai_assets.world.training.measuring import FRESH, measure_classifier, measure_encoder
from xai_assets.world.training.recipe import SHIPPED as RECIPE
from xai_assets.world.training.recipe import Recipe


def make(
    output: Path,
    *,
    only: tuple[str, ...] = SHIPPED,
    device: str = "cpu",
    seed: int = 0,
    progress: Callable[[str], None] = print,
    cache: Path | None = None,
    workers: int | None = None,
    recipe: Recipe = RECIPE,
    fresh: dict[str, int] = FRESH,
) -> dict[str, Any]:
    """What `training.run` does, with the recipe and the number of fresh scenes open."""
    unknown = set(only) - set(SHIPPED)
    if unknown:
        raise XaiError(
            f"{', '.join(sorted(unknown))}", "there are no such weights", f"Use {', '.join(SHIPPED)}."
        )

    def scenes(counts: dict[str, int]) -> dict[str, Examples]:
        return {
            split: cached_split(split, count, cache=cache, workers=workers, progress=progress)
            for split, count in counts.items()
        }

    parts, unseen = scenes(recipe.scenes), scenes(fresh)
    report: dict[str, Any] = {}
    for name in (name for name in ("object", "scene") if name in only):
        steps = recipe.object_steps if name == "object" else recipe.scene_steps
        with _timed() as seconds:
            network = TASKS[name].train(
                parts, steps=steps, seed=seed, device=device, progress=_named(progress, name)
            )
        path = TASKS[name].save(network, output)
        report[name] = {
            "cpu_seconds": seconds(),
            "steps": steps,
            **measure_classifier(path, TASKS[name], unseen),
        }
        write_text(output / f"MODEL_CARD_{name}.md", classifier_card(TASKS[name], report[name], recipe))
        progress(f"{name}: accuracy {report[name]['accuracy']['all']:.4f}")
    if "clip" in only:
        with _timed() as seconds:
            train_encoder(
                parts, output / "clip", image_steps=recipe.image_steps, text_steps=recipe.text_steps,
                seed=seed, device=device, progress=_named(progress, "clip"),
            )  # fmt: skip
        report["clip"] = {"cpu_seconds": seconds(), **measure_encoder(output / "clip", output, unseen)}
        write_text(output / "MODEL_CARD_clip.md", encoder_card(report["clip"], recipe))
        progress(
            f"clip: object {report['clip']['object']['all']:.4f}, scene {report['clip']['scene']['all']:.4f}"
        )
    return report


@contextmanager
def _timed() -> Iterator[Callable[[], float]]:
    """A function that gives the CPU-seconds between entering and leaving."""
    started = time.process_time()
    taken: list[float] = []
    yield lambda: taken[0]
    taken.append(time.process_time() - started)


def _named(progress: Callable[[str], None], name: str) -> Callable[[str], None]:
    return lambda line: progress(f"{name}: {line}")
