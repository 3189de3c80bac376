"""Pictures for a study: single targets of every class in turn, and pairs."""

from collections.abc import Iterator
from itertools import count, islice

from xai_assets.world.description import describe
from xai_assets.world.render import Rendered, render
from xai_assets.world.scene import SceneDescription
from xai_assets.world.vocabulary import CLASSES


def study_images(split: str, singles: int, pairs: int) -> list[Rendered]:
    """`singles` pictures with one target and then `pairs` with two, always the same ones.

    The classes take turns, so that few pictures show many classes; nothing else is chosen. Each has its name
    in `id` ("demo-00004", "demo-00001-pair").

    Args:
        split: a split of scenes, see `scene.SPLITS`.
        singles: number of pictures with one target.
        pairs: number of pictures with two targets of different classes.
    """
    return [render(description) for description in study_scenes(split, singles, pairs)]


def study_scenes(split: str, singles: int, pairs: int) -> list[SceneDescription]:
    """The descriptions of `study_images`, in the same order."""
    return [*islice(_by_class(split, 1), singles), *islice(_by_class(split, 2), pairs)]


def _by_class(split: str, targets: int) -> Iterator[SceneDescription]:
    waiting: dict[str, list[SceneDescription]] = {name: [] for name in CLASSES}
    indexes = count()
    for turn in count():
        wanted = CLASSES[turn % len(CLASSES)]
        while not waiting[wanted]:
            description = describe(split, next(indexes), targets=targets)
            waiting[description.targets[0].class_name].append(description)
        yield waiting[wanted].pop(0)
