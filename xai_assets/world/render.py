"""From a description to pixels and their exact labels."""

from dataclasses import dataclass

import numpy as np

from xai_assets.world.camera import photograph, shade
from xai_assets.world.canvas import Canvas
from xai_assets.world.objects import ATTACHED, DECIDING_PART
from xai_assets.world.part import UNLINED
from xai_assets.world.pose import extent, placed_parts
from xai_assets.world.props import draw_distractor, draw_occluder
from xai_assets.world.scene import SceneDescription, TargetDescription
from xai_assets.world.scenery import darker
from xai_assets.world.scenes import draw_scene
from xai_assets.world.shapes import ellipse, rectangle
from xai_assets.world.streams import Stream
from xai_assets.world.surfaces import Surface
from xai_assets.world.vocabulary import PARTS, PIXEL_CATEGORIES, SCENES, SIDE


@dataclass(frozen=True)
class Target:
    """What is seen of a target.

    Attributes:
        class_name: its class.
        mask: bool (SIDE, SIDE), its pixels that nothing hides.
        parts: part's word to bool (SIDE, SIDE), disjoint; together they are the mask.
        area: pixels it covers in the picture before anything hides it.
    """

    class_name: str
    mask: np.ndarray
    parts: dict[str, np.ndarray]
    area: int

    @property
    def deciding_part(self) -> np.ndarray:
        """Its pixels of the part that decides the class and of what hangs on it, bool (SIDE, SIDE); none if hidden."""
        part = DECIDING_PART[self.class_name]
        names = (part, *ATTACHED.get((self.class_name, part), ()))
        return np.any(
            [self.parts[name] for name in names if name in self.parts] or [self.mask & False], axis=0
        )


@dataclass(frozen=True)
class Rendered:
    """A picture and the truth about it.

    Attributes:
        image: uint8 (SIDE, SIDE, 3), RGB.
        labels: object, part, material, texture and color to uint8 (SIDE, SIDE), numbers of
            `vocabulary.LABEL`, 0 where there is none.
        scene: the scene's word; "" for a plain backdrop and for a swatch.
        targets: one or two targets; none in a swatch.
        description: what it was rendered from.
    """

    image: np.ndarray
    labels: dict[str, np.ndarray]
    scene: str
    targets: tuple[Target, ...]
    description: SceneDescription

    @property
    def id(self) -> str:
        """The description's id."""
        return self.description.id


def render(description: SceneDescription) -> Rendered:
    """Draw a description: a pure function, the same bytes on every machine."""
    canvas = Canvas()
    if description.swatch is not None:
        _draw_swatch(canvas, description)
        shade(
            canvas.image,
            None,
            SIDE / 2,
            SIDE / 2,
            SIDE,
            description.camera.light_angle,
            description.camera.light,
        )
        return _seen(canvas, description, ())
    draw_scene(canvas, description.background.scene, description.background.seed)
    for prop in description.distractors:
        draw_distractor(canvas, prop.kind, prop.x, prop.y, prop.radius, prop.seed)
    for target in description.targets:
        _draw_shadow(canvas, target)
    for number, target in enumerate(description.targets, start=1):
        _draw_target(canvas, target, number)
    areas = tuple(int((canvas.target == number + 1).sum()) for number in range(len(description.targets)))
    if description.occluder is not None:
        prop = description.occluder
        draw_occluder(canvas, prop.kind, prop.x, prop.y, prop.radius, prop.seed)
    return _seen(canvas, description, areas)


def _draw_swatch(canvas: Canvas, description: SceneDescription) -> None:
    finish = description.swatch
    assert finish is not None
    surface = Surface(
        Stream(finish.seed), finish.name, finish.color, finish.second,
        scale=description.swatch_scale, angle=finish.angle,
    )  # fmt: skip
    canvas.draw(rectangle(-2, -2, SIDE + 2, SIDE + 2), surface, None)


def _draw_shadow(canvas: Canvas, target: TargetDescription) -> None:
    if target.shadow:
        x0, _, x1, y1 = extent(placed_parts(target))
        middle = (x0 + x1) / 2 + target.shadow_x
        canvas.darken(ellipse(middle, y1 - 1, (x1 - x0) / 2, target.shadow_height), target.shadow)


def _draw_target(canvas: Canvas, target: TargetDescription, number: int) -> None:
    surfaces = {role: Surface.of(finish) for role, finish in target.finishes}
    line = darker(target.finishes[0][1].color, 0.32)
    for part in placed_parts(target):
        if part.name not in target.without:
            canvas.draw(
                part.polygon, surfaces[part.role], target.class_name, part.name,
                outline=None if part.name in UNLINED else line, target=number,
            )  # fmt: skip
    mask = canvas.target == number
    shade(canvas.image, mask, target.x, target.y, target.half, target.light_angle, target.light)


def _seen(canvas: Canvas, description: SceneDescription, areas: tuple[int, ...]) -> Rendered:
    labels = {name: canvas.labels[k] for k, name in enumerate(PIXEL_CATEGORIES)}
    targets = []
    for number, (target, area) in enumerate(zip(description.targets, areas, strict=True), start=1):
        mask = canvas.target == number
        seen = np.flatnonzero(np.bincount(labels["part"][mask], minlength=1))
        parts = {PARTS[k - 1]: mask & (labels["part"] == k) for k in seen.tolist() if k}
        targets.append(Target(target.class_name, mask, parts, area))
    scene = description.background.scene
    image = photograph(canvas.image, description.camera)
    return Rendered(image, labels, scene if scene in SCENES else "", tuple(targets), description)
