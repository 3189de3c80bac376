"""Preprocessing as a list of torchvision's operations: what a study may write, and where the result lies in the image.

Only operations are taken whose result is the same each time and whose pixels have a place in the image: what is random,
mirrored or turned has none that a map could be drawn at. No torch here: studies import it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from xai_assets.suggest import did_you_mean
from xai_assets.vision.geometry import Frame, resized_sides

Side = Annotated[int, Field(gt=0, le=8192)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Fill = Number | tuple[Number, Number, Number]
PIL_ONLY = ("box", "hamming", "lanczos")

IMAGE, LEVELS, FLOATS = "an image", "a tensor of 8 bits", "a tensor of floats"
"""What an operation works on, as messages name it."""


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Resize(_Step):
    """torchvision.transforms.Resize."""

    name: Literal["Resize"] = Field("Resize", description="torchvision's name")
    size: Side | tuple[Side, Side] = Field(description="the shorter side in pixels, or [height, width]")
    interpolation: Literal["nearest", "nearest-exact", "bilinear", "bicubic", "box", "hamming", "lanczos"] = (
        Field("bilinear", description="torchvision's InterpolationMode")
    )
    max_size: Side | None = Field(None, description="the most that the longer side may have")
    antialias: bool = Field(True, description="of tensors only: Pillow's images always are")

    @field_validator("size", mode="before")
    @classmethod
    def _list_of_one(cls, value: Any) -> Any:
        return value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value

    @field_validator("interpolation", mode="before")
    @classmethod
    def _as_code_has_it(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return value.removeprefix("InterpolationMode.").lower().replace("_", "-")

    @model_validator(mode="after")
    def _longer_side(self) -> Self:
        if self.max_size is not None and not isinstance(self.size, int):
            raise ValueError("`max_size` is for a `size` of one number, the shorter side")
        if self.max_size is not None and isinstance(self.size, int) and self.max_size <= self.size:
            raise ValueError(f"`max_size` is {self.max_size}, which has to be above `size`, {self.size}")
        return self


class CenterCrop(_Step):
    """torchvision.transforms.CenterCrop; a smaller image is filled up with zeros, as there."""

    name: Literal["CenterCrop"] = Field("CenterCrop", description="torchvision's name")
    size: Side | tuple[Side, Side] = Field(description="the side in pixels, or [height, width]")

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size


class Pad(_Step):
    """torchvision.transforms.Pad."""

    name: Literal["Pad"] = Field("Pad", description="torchvision's name")
    padding: Annotated[int, Field(ge=0, le=8192)] | tuple[Annotated[int, Field(ge=0, le=8192)], ...] = Field(
        description="pixels on every side, [left and right, top and bottom], or [left, top, right, bottom]"
    )
    fill: Fill = Field(
        0, description="the value of new pixels: 0 to 255 before ToTensor, or red, green, blue"
    )
    padding_mode: Literal["constant", "edge", "reflect", "symmetric"] = Field(
        "constant", description="what new pixels show"
    )

    @field_validator("padding")
    @classmethod
    def _sides(cls, value: Any) -> Any:
        if isinstance(value, tuple) and len(value) not in (2, 4):
            raise ValueError(f"`padding` has {len(value)} numbers; write one, two or four")
        return value

    @property
    def edges(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom."""
        if isinstance(self.padding, int):
            return (self.padding,) * 4
        return self.padding if len(self.padding) == 4 else (*self.padding, *self.padding)  # type: ignore[return-value]


class PadToSquare(_Step):
    """The shorter side filled up to the longer one, in the middle: the smaller half above or on the left."""

    name: Literal["PadToSquare"] = Field(
        "PadToSquare", description="no operation of torchvision, but a usual one"
    )
    fill: Fill = Field(
        0, description="the value of new pixels: 0 to 255 before ToTensor, or red, green, blue"
    )


class ToTensor(_Step):
    """torchvision.transforms.ToTensor: floats from 0 to 1."""

    name: Literal["ToTensor"] = Field("ToTensor", description="torchvision's name")


class PILToTensor(_Step):
    """torchvision.transforms.PILToTensor: 8 bits as they are."""

    name: Literal["PILToTensor"] = Field("PILToTensor", description="torchvision's name")


class ConvertImageDtype(_Step):
    """torchvision.transforms.ConvertImageDtype to float32."""

    name: Literal["ConvertImageDtype"] = Field("ConvertImageDtype", description="torchvision's name")
    dtype: Literal["float32"] = Field("float32", description="the type")


class Normalize(_Step):
    """torchvision.transforms.Normalize."""

    name: Literal["Normalize"] = Field("Normalize", description="torchvision's name")
    mean: tuple[Number, Number, Number] = Field(description="subtracted")
    std: tuple[
        Annotated[float, Field(gt=0, allow_inf_nan=False)],
        Annotated[float, Field(gt=0, allow_inf_nan=False)],
        Annotated[float, Field(gt=0, allow_inf_nan=False)],
    ] = Field(description="divided by")


_KINDS: dict[str, type[_Step]] = {
    kind.__name__: kind
    for kind in (Resize, CenterCrop, Pad, PadToSquare, ToTensor, PILToTensor, ConvertImageDtype, Normalize)
}
_ONE_VALUE = {"Resize": "size", "CenterCrop": "size", "Pad": "padding", "ConvertImageDtype": "dtype"}
_DRAWN = (
    "ColorJitter",
    "AutoAugment",
    "RandAugment",
    "TrivialAugmentWide",
    "AugMix",
    "ElasticTransform",
    "MixUp",
    "CutMix",
)
_SEVERAL = ("FiveCrop", "TenCrop")
_MIRRORED = ("flip", "rotate", "rotation", "affine", "perspective")


def _named(value: Any) -> Any:
    """An operation as a study writes it, `ToTensor`, `{CenterCrop: 224}` or `{Resize: {size: 256}}`, with its name."""
    if isinstance(value, BaseModel) or (isinstance(value, dict) and "name" in value):
        if isinstance(value, dict):
            _known(value["name"])
        return value
    if isinstance(value, str):
        _known(value)
        return {"name": value}
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError(
            "write one operation an entry: `ToTensor`, `CenterCrop: 224` or `Resize: {size: 256}`"
        )
    ((name, given),) = value.items()
    _known(name)
    if isinstance(given, dict):
        return {"name": name, **given}
    if given is None:
        return {"name": name}
    if name not in _ONE_VALUE:
        raise ValueError(f"{name} takes fields, such as {{fill: 0}}, or nothing")
    return {"name": name, _ONE_VALUE[name]: given}


def _known(name: Any) -> None:
    if name in _KINDS:
        return
    text = str(name)[:60]
    if text.startswith("Random") or text in _DRAWN:
        raise ValueError(
            f"{text} is random: each time another part of the image would be explained. Write the operations of "
            "validation, which are the same each time"
        )
    if text in _SEVERAL:
        raise ValueError(f"{text} makes several images of one; write CenterCrop, and explain one of them")
    if any(word in text.lower() for word in _MIRRORED):
        raise ValueError(
            f"{text} moves pixels to where they are not in the image: a map could not be drawn over it. Leave it out"
        )
    raise ValueError(f"{text} is none of {', '.join(_KINDS)}.{did_you_mean(text, _KINDS)}")


Step = Annotated[
    Annotated[
        Resize | CenterCrop | Pad | PadToSquare | ToTensor | PILToTensor | ConvertImageDtype | Normalize,
        Field(discriminator="name"),
    ],
    BeforeValidator(_named),
]
"""An operation, as a study has it."""


def check_order(steps: Sequence[Step]) -> None:
    """Raises ValueError where an operation cannot work on what the ones before it leave."""
    kind, normalised = IMAGE, False
    for step in steps:
        match step:
            case ToTensor() | PILToTensor():
                if kind != IMAGE:
                    raise ValueError(f"{step.name} takes an image, and gets {kind}")
                kind = FLOATS if isinstance(step, ToTensor) else LEVELS
            case ConvertImageDtype():
                if kind == IMAGE:
                    raise ValueError(
                        "ConvertImageDtype takes a tensor: write PILToTensor before it, or ToTensor alone"
                    )
                kind = FLOATS
            case Normalize():
                if kind != FLOATS:
                    raise ValueError(f"Normalize takes {FLOATS}, and gets {kind}: write ToTensor before it")
                if normalised:
                    raise ValueError("Normalize is there twice")
                normalised = True
            case Resize() if kind != IMAGE and step.interpolation in PIL_ONLY:
                raise ValueError(f"{step.interpolation} is for images: write Resize before ToTensor")
            case Pad() | PadToSquare() if kind != IMAGE and isinstance(step.fill, tuple):
                raise ValueError(f"a `fill` of three values is for images: write {step.name} before ToTensor")
            case _:
                pass


def normalisation(steps: Sequence[Step]) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """The mean and the standard deviation that the operations normalise by; 0 and 1 where they do not."""
    for step in steps:
        if isinstance(step, Normalize):
            return step.mean, step.std
    return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def fixed_side(steps: Sequence[Step]) -> int | None:
    """The longer side of every image that they make; None where it is not the same for all."""
    for step in reversed(steps):
        match step:
            case CenterCrop():
                return max(step.sides)
            case Resize() if not isinstance(step.size, int):
                return max(step.size)
            case Resize() | Pad() | PadToSquare():
                return None
            case _:
                pass
    return None


def sizes_and_frame(height: int, width: int, steps: Sequence[Step]) -> tuple[list[tuple[int, int]], Frame]:
    """The size after each operation, and where the last one's pixels lie in an image of `height` by `width`.

    What an operation adds around the image lies outside of it: the frame's box then begins before 0 or ends behind the
    last pixel.
    """
    rows, columns = (_Axis(0.0, float(side), side, 0.0, float(side)) for side in (height, width))
    sizes = []
    for step in steps:
        match step:
            case Resize():
                sides = (
                    resized_sides(rows.length, columns.length, step.size, step.max_size)
                    if isinstance(step.size, int)
                    else step.size
                )
                rows, columns = rows.resized(sides[0]), columns.resized(sides[1])
            case CenterCrop():
                rows, columns = rows.cropped(step.sides[0]), columns.cropped(step.sides[1])
            case Pad():
                left, top, right, bottom = step.edges
                rows, columns = rows.padded(top, bottom), columns.padded(left, right)
            case PadToSquare():
                left, top, right, bottom = to_square(rows.length, columns.length)
                rows, columns = rows.padded(top, bottom), columns.padded(left, right)
            case _:
                pass
        sizes.append((rows.length, columns.length))
    box = (rows.start, columns.start, rows.stop, columns.stop)
    frame = Frame((height, width), (rows.length, columns.length), box, "steps")
    visible = (rows.first, columns.first, rows.last, columns.last)
    return sizes, frame if frame.shown == visible else replace(frame, visible=visible)


def to_square(height: int, width: int) -> tuple[int, int, int, int]:
    """What PadToSquare adds: left, top, right, bottom."""
    side = max(height, width)
    down, across = side - height, side - width
    return across // 2, down // 2, across - across // 2, down - down // 2


@dataclass(frozen=True)
class _Axis:
    """One side.

    Attributes:
        start, stop: where the first pixel begins and the last one ends in the original.
        length: pixels.
        first, last: what is left of the original.
    """

    start: float
    stop: float
    length: int
    first: float
    last: float

    @property
    def scale(self) -> float:
        return (self.stop - self.start) / self.length

    def resized(self, length: int) -> "_Axis":
        return replace(self, length=length)

    def padded(self, before: int, behind: int) -> "_Axis":
        start, stop = self.start - before * self.scale, self.stop + behind * self.scale
        return replace(self, start=start, stop=stop, length=self.length + before + behind)

    def cropped(self, length: int) -> "_Axis":
        """As torchvision's `center_crop`: a shorter side is filled up first, the larger half behind."""
        missing = max(length - self.length, 0)
        filled = self.padded(missing // 2, missing - missing // 2)
        first = round((filled.length - length) / 2.0)  # half to even, as torchvision's int(round(...))
        start = filled.start + first * self.scale
        stop = start + length * self.scale
        return _Axis(start, stop, length, max(self.first, start), min(self.last, stop))
