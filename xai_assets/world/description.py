"""Deciding scenes: `describe(split, index)` draws a complete description from the seed (world, split, index).

Class, scene, surfaces, size, pose and place are drawn from separate streams, so none tells another; only the
colours look at the background, to stand out from it, and the place at the size, to stay in the picture.
"""

import math

from xai_assets.world.camera import NOISE_SIDE
from xai_assets.world.canvas import Outline, Tones
from xai_assets.world.errors import WorldError
from xai_assets.world.finishes import choose_finishes, choose_swatch
from xai_assets.world.placement import choose_pair, choose_pose
from xai_assets.world.pose import placed_parts, silhouette
from xai_assets.world.props import INDOOR_OCCLUDERS, OUTDOOR_OCCLUDERS, draw_occluder
from xai_assets.world.scene import SPLITS, Background, Camera, Prop, SceneDescription, TargetDescription
from xai_assets.world.scenes import STUDIO, draw_scene
from xai_assets.world.streams import Stream, cos, sin
from xai_assets.world.vocabulary import CLASSES, DISTRACTORS, INDOOR, SCENES, SIDE, WORLD_VERSION

__all__ = ["SPLITS", "SceneDescription", "describe"]

_OCCLUDED_SHARE = 0.32  # an occluder hides at most this share of its target
_WHAT, _POSE, _FINISH, _PROPS, _OCCLUDER, _CAMERA = range(6)


def describe(split: str, index: int, *, targets: int = 1) -> SceneDescription:
    """The description of one picture.

    Args:
        split: a name in `SPLITS`.
        index: 0 or more; every index of every split is another scene.
        targets: 1, or 2 for a picture with two objects of different classes side by side.

    Raises:
        WorldError: for an unknown split, a negative index, or another number of targets.
    """
    if split not in SPLITS:
        raise WorldError(
            f"split {split!r}", "the world has no such split", f"Use one of {', '.join(SPLITS)}."
        )
    if index < 0 or targets not in (1, 2):
        raise WorldError(
            f"scene {index} with {targets} targets", "there is none", "Use index >= 0 and 1 or 2 targets."
        )
    if split == "swatch":
        return _swatch(index)

    def stream(component: int) -> Stream:
        return Stream(WORLD_VERSION, SPLITS[split], index, targets, component)

    u = stream(_WHAT)
    class_name, scene, seed = u.choice(CLASSES), u.choice(SCENES), u.seed()
    other_class = CLASSES[(CLASSES.index(class_name) + 1 + u.integer(len(CLASSES) - 1)) % len(CLASSES)]
    plain = split == "close" and index % 2 == 0
    background = Background(STUDIO if plain else scene, seed)
    tones = Tones()
    draw_scene(tones, background.scene, background.seed)

    poses: tuple[TargetDescription, ...]
    if targets == 2:
        poses = choose_pair(stream(_POSE), (class_name, other_class))
    else:
        poses = (choose_pose(stream(_POSE), class_name, close=split == "close"),)
    finish_stream = stream(_FINISH)
    objects = tuple(
        choose_finishes(finish_stream, pose, tones.mean(pose.x, pose.y, pose.half)) for pose in poses
    )
    distractors = () if plain else _distractors(stream(_PROPS), objects)
    occluder = None if plain or targets == 2 else _occluder(stream(_OCCLUDER), objects[0], scene)
    return SceneDescription(
        split,
        index,
        background,
        objects,
        distractors,
        occluder,
        _camera(stream(_CAMERA)),
        version=WORLD_VERSION,
    )


def _distractors(u: Stream, targets: tuple[TargetDescription, ...]) -> tuple[Prop, ...]:
    chosen: list[Prop] = []
    for _ in range(u.integer(3)):
        for _attempt in range(6):
            x, y, r = u(4, SIDE - 4), u(10, SIDE - 8), u(5, 10)
            if all((x - t.x) ** 2 + (y - t.y) ** 2 > (t.half * 0.9 + r) ** 2 for t in targets):
                chosen.append(Prop(u.choice(DISTRACTORS), x, y, r, u.seed()))
                break
    return tuple(chosen)


def _occluder(u: Stream, target: TargetDescription, scene: str) -> Prop | None:
    """Something before the target's rim, in about a third of the scenes, unless it hides too much."""
    if u() >= 0.35:
        return None
    kind = u.choice(INDOOR_OCCLUDERS if scene in INDOOR else OUTDOOR_OCCLUDERS)
    angle, radius, distance = u(0, 2 * math.pi), target.half * u(0.22, 0.36), target.half * u(0.55, 0.95)
    prop = Prop(
        kind, target.x + distance * cos(angle), target.y + distance * sin(angle) * 0.8, radius, u.seed()
    )
    hides = Outline()
    draw_occluder(hides, prop.kind, prop.x, prop.y, prop.radius, prop.seed)
    mask = silhouette(placed_parts(target))
    return prop if int((mask & hides.mask).sum()) <= _OCCLUDED_SHARE * int(mask.sum()) else None


def _camera(u: Stream, *, light: bool = False) -> Camera:
    gain, tint, gamma = u(0.82, 1.14), (u(0.92, 1.08), u(0.92, 1.08), u(0.92, 1.08)), u(0.88, 1.15)
    blur = u(0.5, 0.9) if u() < 0.3 else 0.0
    noise, x, y = u(1.5, 5.5), u.integer(NOISE_SIDE - SIDE), u.integer(NOISE_SIDE - SIDE)
    lit = light and u() < 0.5
    return Camera(
        gain, tint, gamma, blur, noise, x, y, u(0, 2 * math.pi) if lit else 0.0, u(0.1, 0.5) if lit else 0.0
    )


def _swatch(index: int) -> SceneDescription:
    u = Stream(WORLD_VERSION, SPLITS["swatch"], index, 0, _FINISH)
    finish, scale = choose_swatch(u)
    camera = _camera(Stream(WORLD_VERSION, SPLITS["swatch"], index, 0, _CAMERA), light=True)
    return SceneDescription(
        "swatch", index, Background("", 0), (), (), None, camera, finish, scale, version=WORLD_VERSION
    )
