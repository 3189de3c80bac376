"""A scene's complete description: everything that is drawn is decided in it, and `render` only draws.

Each component carries its own numbers or its own seed, so that a copy with one field changed differs in that
one thing. `description.describe` makes descriptions; `counterfactual` changes them.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

from xai_assets.world.part import ROLES
from xai_assets.world.surfaces import Finish
from xai_assets.world.vocabulary import WORLD_VERSION

SPLITS = {"train": 0, "validation": 1, "probe": 2, "test": 3, "close": 4, "swatch": 5, "demo": 6}
"""Split to the number in its seeds: splits share no seed. "close" are large targets for the curriculum (every
even one before a plain backdrop), "swatch" are surfaces that fill the picture, "demo" are for studies to
show."""


@dataclass(frozen=True)
class Background:
    """One of the eight scenes, "studio", or "" for a swatch; the seed fixes everything in it."""

    scene: str
    seed: int


@dataclass(frozen=True)
class TargetDescription:
    """An object of one of the twelve classes.

    Attributes:
        class_name: the class.
        shape_seed: fixes the individual: the proportions of its parts.
        x, y: middle of its bounding box before turning, pixels.
        half: half of its longer side before stretching, pixels.
        turn: radians, clockwise.
        flipped: whether it looks to the left.
        stretch_x, stretch_y, shear: the rest of its affine pose.
        finishes: role (see `part.ROLES`) and finish, in the order of the roles.
        shadow: strength of the shadow below, 0..255; 0 is none.
        shadow_x, shadow_height: the shadow's offset and half height, pixels.
        light_angle, light: direction (radians) and strength of the shading across the object.
        without: parts that are left out.
    """

    class_name: str
    shape_seed: int
    x: float
    y: float
    half: float
    turn: float
    flipped: bool
    stretch_x: float
    stretch_y: float
    shear: float
    finishes: tuple[tuple[str, Finish], ...]
    shadow: int
    shadow_x: float
    shadow_height: float
    light_angle: float
    light: float
    without: tuple[str, ...] = ()

    def finish(self, role: str) -> Finish:
        """The finish of a role."""
        return self.finishes[ROLES.index(role)][1]

    def with_finishes(self, **changes: Finish) -> "TargetDescription":
        """A copy in which the named roles have other finishes."""
        return replace(self, finishes=tuple((role, changes.get(role, old)) for role, old in self.finishes))


@dataclass(frozen=True)
class Prop:
    """A distractor or an occluder: its kind, middle and radius in pixels, and the seed of its looks."""

    kind: str
    x: float
    y: float
    radius: float
    seed: int


@dataclass(frozen=True)
class Camera:
    """What happens to the finished picture: light, blur and noise.

    Attributes:
        gain: brightness factor.
        tint: factor for red, green and blue.
        gamma: exponent of the tone curve.
        blur: standard deviation in pixels; 0 is sharp.
        noise: standard deviation of the grain, in grey values.
        noise_x, noise_y: where in the fixed field of noise the picture lies.
        light_angle, light: direction and strength of a light across the whole picture (swatches).
    """

    gain: float
    tint: tuple[float, float, float]
    gamma: float
    blur: float
    noise: float
    noise_x: int
    noise_y: int
    light_angle: float = 0.0
    light: float = 0.0


@dataclass(frozen=True)
class SceneDescription:
    """Everything that is drawn in one picture.

    Attributes:
        split, index: where it comes from; they draw nothing.
        background: the scene.
        targets: one or two objects, of different classes; none in a swatch.
        distractors: things of no class.
        occluder: what stands in front of the target.
        camera: light, blur, noise.
        swatch: the surface that fills the picture, for a swatch.
        change: "" or the name of the counterfactual change that was made.
    """

    split: str
    index: int
    background: Background
    targets: tuple[TargetDescription, ...]
    distractors: tuple[Prop, ...]
    occluder: Prop | None
    camera: Camera
    swatch: Finish | None = None
    swatch_scale: float = 1.0
    change: str = ""
    version: int = WORLD_VERSION

    @property
    def id(self) -> str:
        """A name that is unique in the world, such as "test-00012" or "demo-00003-pair-recoloured"."""
        pair = "-pair" if len(self.targets) == 2 else ""
        return f"{self.split}-{self.index:05d}{pair}{'-' + self.change if self.change else ''}"

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionaries, lists, numbers and strings, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "SceneDescription":
        """The description that `to_dict` (and JSON) made `value` of."""
        known = dict(value)
        known["background"] = Background(**known["background"])
        known["targets"] = tuple(_target(target) for target in known["targets"])
        known["distractors"] = tuple(Prop(**prop) for prop in known["distractors"])
        known["occluder"] = Prop(**known["occluder"]) if known["occluder"] else None
        known["camera"] = Camera(**{**known["camera"], "tint": tuple(known["camera"]["tint"])})
        known["swatch"] = Finish(**known["swatch"]) if known["swatch"] else None
        return cls(**known)


def _target(value: dict[str, Any]) -> TargetDescription:
    finishes = tuple((role, Finish(**finish)) for role, finish in value["finishes"])
    return TargetDescription(**{**value, "finishes": finishes, "without": tuple(value["without"])})
