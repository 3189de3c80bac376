"""The same scene with one thing changed: pairs of pictures whose difference is known.

Every change is made in the description; all other components keep their numbers and seeds, so that pixels
which the change does not touch keep their bytes, and masks and labels follow the change.
"""

from dataclasses import replace

from xai_assets.world.errors import WorldError
from xai_assets.world.finishes import distinct_from
from xai_assets.world.objects import ATTACHED, DECIDING_PART
from xai_assets.world.part import ACCENT, MAIN, SECOND
from xai_assets.world.placement import other_place
from xai_assets.world.scene import SPLITS, Background, SceneDescription, TargetDescription
from xai_assets.world.streams import Stream
from xai_assets.world.vocabulary import COLOURS, SCENES, TARGET_MATERIALS, TEXTURES

__all__ = [
    "CHANGES", "DECIDING_PART", "background_replaced", "moved", "part_removed", "recoloured", "retextured",
    "variants",
]  # fmt: skip

CHANGES = ("part_removed", "recoloured", "retextured", "moved", "background_replaced")
_STREAM = 7  # beside the streams of `description`


def variants(description: SceneDescription) -> dict[str, SceneDescription]:
    """All changes by name, of the first target where there are two.

    Raises:
        WorldError: for a swatch, which has no target.
    """
    changes = (part_removed, recoloured, retextured, moved, background_replaced)
    return {name: change(description) for name, change in zip(CHANGES, changes, strict=True)}


def part_removed(description: SceneDescription) -> SceneDescription:
    """Without the part that decides the class and what hangs on it (`DECIDING_PART`); the shadow stays."""
    target = _target(description)
    part = DECIDING_PART[target.class_name]
    return _with(description, replace(target, without=(part, *ATTACHED.get((target.class_name, part), ()))),
                 "part_removed")  # fmt: skip


def recoloured(description: SceneDescription) -> SceneDescription:
    """With other colours on its main, second and accent surfaces; patterns, their scale and phase stay."""
    target, u = _target(description), _stream(description, "recoloured")
    old = target.finish(MAIN)
    color = u.choice([c for c in distinct_from(old.color) if c != old.second])
    main = replace(old, color=color, second=_other(u, distinct_from(color), old.color, old.second))
    second = target.finish(SECOND)
    if second == old:
        second = main
    else:
        color = _other(u, [c for c in COLOURS if c != main.color], second.color)
        second = replace(second, color=color, second=_other(u, distinct_from(color), second.second))
    accent = target.finish(ACCENT)
    plain = [c for c in COLOURS if c not in (main.color, second.color)]
    accent = replace(accent, color=_other(u, plain, accent.color))
    return _with(description, target.with_finishes(main=main, second=second, accent=accent), "recoloured")


def retextured(description: SceneDescription) -> SceneDescription:
    """With another texture or material on its main surface; its colours and the pattern's seed stay."""
    target, u = _target(description), _stream(description, "retextured")
    old = target.finish(MAIN)
    main = replace(old, name=_other(u, [*TEXTURES, *TARGET_MATERIALS, "plastic"], old.name))
    second = target.finish(SECOND)
    changed = target.with_finishes(main=main, second=main if second == old else second)
    return _with(description, changed, "retextured")


def moved(description: SceneDescription) -> SceneDescription:
    """At another place, in the same pose and size, clear of a second target; an occluder stays behind."""
    target = _target(description)
    others = description.targets[1:]
    return _with(description, other_place(_stream(description, "moved"), target, others), "moved")


def background_replaced(description: SceneDescription) -> SceneDescription:
    """In another scene; the target, its colours and everything in front of the background stay."""
    _target(description)
    u = _stream(description, "background_replaced")
    scene = _other(u, list(SCENES), description.background.scene)
    return replace(description, background=Background(scene, u.seed()), change="background_replaced")


def _target(description: SceneDescription) -> TargetDescription:
    if not description.targets:
        raise WorldError(
            f"scene {description.id}", "it has no target", "Use a split of scenes, not swatches."
        )
    return description.targets[0]


def _stream(description: SceneDescription, change: str) -> Stream:
    place = SPLITS[description.split], description.index, len(description.targets)
    return Stream(description.version, *place, _STREAM, CHANGES.index(change))


def _with(description: SceneDescription, target: TargetDescription, change: str) -> SceneDescription:
    return replace(description, targets=(target, *description.targets[1:]), change=change)


def _other(u: Stream, words: list[str], *old: str) -> str:
    """A word that is none of the old ones, where there is such a word."""
    return u.choice([word for word in words if word not in old] or words)
