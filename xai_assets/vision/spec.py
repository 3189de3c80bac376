"""What a study says about a model, its preprocessing and an encoder. No torch here: studies import it."""

from math import isfinite
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from xai_assets.vision.transform_steps import Step, check_order, fixed_side, normalisation

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_HIGHEST_MEAN = 2.0
"""A mean of pixels in 0..1 lies in 0..1; networks that were fed oddly go a little further, 0..255 goes far."""

Channel = Annotated[float, Field(allow_inf_nan=False)]
Deviation = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Side = Annotated[int, Field(gt=0, le=8192)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Name = Annotated[str, Field(min_length=1)]

MEMORY_MIB = 256
"""What the values of one batch may hold together on a CPU, unless told otherwise: an image costs the same in 8 as in 64.
"""


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _NamedSpec(_Spec):
    @model_validator(mode="before")
    @classmethod
    def _plain_string_is_a_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class PreprocessingSpec(_Spec):
    """How a picture becomes the model's input.

    A network that wants inputs in 0..255 or in -1..1 is served by `mean` and `std`, which are in units of
    pixels scaled to 0..1: (0.5, 0.5, 0.5) and (0.5, 0.5, 0.5) give -1..1.
    """

    mode: Literal["resize_crop", "squash", "native", "steps"] = Field(
        description="resize_crop: shorter side to `resize`, then the central square of `size`, as in "
        "torchvision. squash: the whole picture to `size` by `size`, changing its aspect. native: the "
        "pixels as they are. steps: the operations that `steps` lists, which says it by itself."
    )
    steps: tuple[Step, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=20,
        description="torchvision's operations in order, with their arguments: [{Resize: [256, 256]}, {CenterCrop: 224}, "
        "ToTensor, {Normalize: {mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}}]; also Pad, PadToSquare, PILToTensor and "
        "ConvertImageDtype. What is random or mirrored is refused. ToTensor at the end may be left out",
    )
    resize: Side | None = Field(
        default=None, description="Pixels of the shorter side before the crop; for resize_crop only."
    )
    size: Side | None = Field(
        default=None,
        description="Side of the model's frame in pixels. For native it may be left out; where it is given, "
        "pictures of another size are refused.",
    )
    mean: tuple[Channel, Channel, Channel] = Field(
        default=IMAGENET_MEAN, description="Mean of R, G, B in 0..1, subtracted; the default is ImageNet's."
    )
    std: tuple[Deviation, Deviation, Deviation] = Field(
        default=IMAGENET_STD,
        description="Standard deviation of R, G, B, divided by; the default is ImageNet's.",
    )
    interpolation: Literal["bilinear", "bicubic"] = Field(
        default="bilinear", description="How pixels are interpolated when the picture is resized."
    )
    antialias: bool = Field(
        default=True, description="Whether shrinking averages over all the pixels it covers, as Pillow does."
    )

    input_range: tuple[Channel, Channel] | None = Field(
        default=None,
        description="Where the network's authors say so: the smallest and the largest value of its input, such as "
        "[0, 1], [-1, 1] or [0, 255]. `mean` and `std` must make just that of a picture.",
    )

    @model_validator(mode="before")
    @classmethod
    def _steps_say_the_mode(cls, value: Any) -> Any:
        return (
            {"mode": "steps", **value}
            if isinstance(value, dict) and value.get("steps") is not None
            else value
        )

    @property
    def side(self) -> int | None:
        """The longer side of the model's frame; None where it differs from picture to picture."""
        return fixed_side(self.steps) if self.steps else self.size

    @property
    def expected_range(self) -> tuple[float, float]:
        """The smallest and the largest value that a picture (0 to 255) can have as input, over the channels."""
        low = min(-mean / std for mean, std in zip(self.mean, self.std, strict=True))
        return low, max((1 - mean) / std for mean, std in zip(self.mean, self.std, strict=True))

    @model_validator(mode="after")
    def _steps_fit(self) -> Self:
        if (self.mode == "steps") != (self.steps is not None):
            raise ValueError("`steps` are for the mode steps, which needs them")
        if self.steps is not None:
            check_order(self.steps)
            if self.size is not None or self.resize is not None:
                raise ValueError("with `steps` leave `size` and `resize` out: Resize and CenterCrop say them")
            if self.interpolation != "bilinear" or not self.antialias:
                raise ValueError("with `steps` leave `interpolation` and `antialias` out: Resize says them")
            found = dict(zip(("mean", "std"), normalisation(self.steps), strict=True))
            for name, given in found.items():
                if name in self.model_fields_set and getattr(self, name) != given:
                    raise ValueError(f"with `steps` leave `{name}` out: Normalize says it")
                object.__setattr__(self, name, given)
        return self

    @model_validator(mode="after")
    def _range_is_kept(self) -> Self:
        if max(abs(mean) for mean in self.mean) > _HIGHEST_MEAN:
            raise ValueError(f"`mean` is {self.mean}: it is in units of 0..1, not of 0..255")
        if self.input_range is not None:
            (low, high), (wanted_low, wanted_high) = self.expected_range, self.input_range
            if max(abs(low - wanted_low), abs(high - wanted_high)) > 1e-3 * abs(wanted_high - wanted_low):
                raise ValueError(
                    f"`mean` and `std` make {low:.4g} to {high:.4g} of a picture, and `input_range` says "
                    f"{wanted_low:g} to {wanted_high:g}"
                )
        return self

    @model_validator(mode="after")
    def _sizes_fit_the_mode(self) -> Self:
        if self.mode == "resize_crop":
            if self.resize is None or self.size is None:
                raise ValueError(
                    "resize_crop needs both `resize` (shorter side) and `size` (the crop's side)"
                )
            if self.resize < self.size:
                raise ValueError(f"`resize` is {self.resize}, smaller than the crop of `size` {self.size}")
        elif self.resize is not None:
            raise ValueError(f"`resize` has no meaning for the mode {self.mode}; leave it out")
        elif self.mode == "squash" and self.size is None:
            raise ValueError("squash needs `size`, the side of the model's frame")
        return self


class ModelSpec(_NamedSpec):
    """A classifier: a name that the zoo knows, or your own architecture, weights, preprocessing and classes.

    A plain string is short for `{name: ...}`.
    """

    name: Name = Field(
        description='A zoo name ("diorama/object", "diorama/scene", "lite/efficientnet-lite0", '
        '"torchvision/resnet50", "torchvision/resnet50:IMAGENET1K_V1", "places365/resnet18"), or any name '
        "for a model of your own."
    )
    architecture: str | None = Field(
        default=None,
        pattern="^(torchvision|timm|diorama)/.+$",
        description='What to build for a model of your own: "torchvision/resnet18", "timm/resnet10t", '
        '"diorama/resnet10". Left out where the zoo knows the name.',
    )
    checkpoint: Name | None = Field(
        default=None,
        description="A .safetensors, .pth or .pt file with the weights, relative to the study's file. For a "
        "zoo name it takes the place of the file that the zoo would look for.",
    )
    sha256: Sha256 | None = Field(
        default=None,
        description="The SHA-256 that the checkpoint must have; a file with another one is refused.",
    )
    num_classes: Annotated[int, Field(gt=0)] | None = Field(
        default=None,
        description="How many outputs a model of your own has, where `class_names` does not tell. 1: a single output "
        "with a sigmoid, of the classes 0 and 1, or of the two (or one) that `class_names` names.",
    )
    arguments: dict[str, Any] = Field(
        default_factory=dict,
        description="Arguments of torchvision's or timm's builder that the network was trained with, such as "
        "{img_size: 160} or {transform_input: true}.",
    )
    checkpoint_key: Name | None = Field(
        default=None,
        description='Which weights to take of a checkpoint that holds several, such as "model_ema".',
    )
    class_names: Name | None = Field(
        default=None, description="A text file with one class name a line, relative to the study's file."
    )
    preprocessing: PreprocessingSpec | None = Field(
        default=None,
        description="How pictures become input. Required for a model of your own; for a zoo name, only where "
        "it should differ from the published one.",
    )

    @field_validator("arguments")
    @classmethod
    def _arguments_are_plain(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name, given in value.items():
            if not name.isidentifier():
                raise ValueError(f"`{name}` is no name of an argument")
            parts = given if isinstance(given, list) else [given]
            if not all(_is_plain(part) for part in parts):
                raise ValueError(f"`{name}` takes a number, true or false, a text, or a list of these")
        return value

    @model_validator(mode="after")
    def _own_model_is_complete(self) -> Self:
        if self.architecture is None:
            if self.num_classes is not None:
                raise ValueError(
                    "`num_classes` is for a model of your own, which needs `architecture` as well"
                )
            return self
        absent = [f"`{field}`" for field in ("checkpoint", "preprocessing") if getattr(self, field) is None]
        if self.num_classes is None and self.class_names is None:
            absent.append("`class_names` (or `num_classes`)")
        if absent:
            raise ValueError(f"a model with its own `architecture` needs {', '.join(absent)}")
        return self


class LayoutSpec(_Spec):
    """What the axes of a layer's output mean, where it cannot be read off. A plain string is short for `{axes: ...}`."""

    axes: Literal["nchw", "nhwc", "ntc", "nct"] = Field(
        description="The axes in order: n images, c channels, h and w the map's, t tokens."
    )
    prefix_tokens: Annotated[int, Field(ge=0, le=64)] | None = Field(
        default=None,
        description="Tokens in front of the patches (class, distillation, registers); for tokens only.",
    )
    grid: tuple[Annotated[int, Field(gt=0)], Annotated[int, Field(gt=0)]] | None = Field(
        default=None, description="Height and width of the grid of patches; for tokens only."
    )

    @model_validator(mode="before")
    @classmethod
    def _plain_string_is_axes(cls, value: Any) -> Any:
        return {"axes": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _tokens_have_a_grid(self) -> Self:
        if "t" not in self.axes and (self.prefix_tokens is not None or self.grid is not None):
            raise ValueError(f"`prefix_tokens` and `grid` are for tokens (ntc, nct), not for {self.axes}")
        return self


def _is_plain(value: Any) -> bool:
    return isinstance(value, (bool, int, str)) or (isinstance(value, float) and isfinite(value))


class EncoderSpec(_NamedSpec):
    """An image-text encoder, through open_clip. A plain string is short for `{name: ...}`."""

    name: Name = Field(
        description='"diorama/clip" (shipped), or an open_clip architecture such as "ViT-B-16" together with '
        '`pretrained`, or "local-dir:PATH", a folder that open_clip saved, relative to the study.'
    )
    pretrained: Name | None = Field(
        default=None,
        description='open_clip\'s tag ("openai", "laion2b_s34b_b88k"), or a file, relative to the study',
    )
    sha256: Sha256 | None = Field(
        default=None, description="The SHA-256 that a checkpoint file must have; another one is refused."
    )
    quick_gelu: bool | None = Field(
        default=None,
        description="For a checkpoint file: whether it was trained with QuickGELU, as OpenAI's weights and what is "
        "fine-tuned from them. open_clip's tags and folders say it themselves.",
    )

    @model_validator(mode="after")
    def _weights_are_named(self) -> Self:
        complete = self.name == "diorama/clip" or self.name.startswith("local-dir:")
        if complete and self.pretrained is not None:
            raise ValueError(f"`{self.name}` brings its own weights; leave `pretrained` out")
        if complete and self.quick_gelu is not None:
            raise ValueError(f"`{self.name}` says itself how it was trained; leave `quick_gelu` out")
        if not complete and self.pretrained is None:
            raise ValueError(f"`{self.name}` needs `pretrained`: open_clip's tag, or a checkpoint file")
        return self
