"""Which files an image-text encoder needs, and how open_clip must be told to read them."""

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from xai_assets.errors import XaiError
from xai_assets.settings import Settings, shipped
from xai_assets.vision.spec import EncoderSpec
from xai_assets.vision.weights import WeightsFile, file_name, hash_in_name
from xai_assets.vision.zoo import local_path

DIORAMA = "diorama/clip"
LOCAL = "local-dir:"
CONFIG = "open_clip_config.json"
VOCABULARY = "bpe_vocab.txt.gz"
SAFETENSORS = "open_clip_model.safetensors"
PICKLED = "open_clip_pytorch_model.bin"


_PLAIN_GELU = (
    "the file is read with GELU; OpenAI's weights, and what was fine-tuned from them, have QuickGELU and answer "
    "otherwise with GELU: say `quick_gelu: true`, or `quick_gelu: false` where GELU is right"
)


class UnknownEncoder(XaiError):
    """open_clip has no such architecture, or no such weights for it."""


@dataclass(frozen=True)
class EncoderEntry:
    """What an `EncoderSpec` stands for.

    Attributes:
        name: as the study has it, with the tag or file of its weights.
        model: what open_clip is asked for: an architecture, or "local-dir:PATH".
        weights: the file of weights.
        others: further files that a local folder must hold.
        vocabulary: a byte-pair vocabulary of its own; None: open_clip's.
        arguments: for `open_clip.create_model_and_transforms`: how the weights were trained.
        notes: what was decided that the file does not tell, in sentences without a full stop.
    """

    name: str
    model: str
    weights: WeightsFile
    others: tuple[WeightsFile, ...] = ()
    vocabulary: Path | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def files(self) -> tuple[WeightsFile, ...]:
        """Every file that the encoder needs."""
        return (self.weights, *self.others)


def resolve_encoder(
    spec: EncoderSpec | str, settings: Settings, *, base: Path | None = None, world: Path | None = None
) -> EncoderEntry:
    """The entry of a spec; nothing is read or downloaded.

    Raises:
        UnknownEncoder: open_clip knows no such architecture or tag.
    """
    spec = EncoderSpec(name=spec) if isinstance(spec, str) else spec
    if spec.name == DIORAMA:
        remedy = "It is shipped with the project; `xai world train` makes it again."
        return _folder(spec, (world or shipped("world")) / "clip", remedy)
    if spec.name.startswith(LOCAL):
        remedy = "Name a folder that open_clip saved."
        return _folder(spec, local_path(spec.name.removeprefix(LOCAL), base), remedy)
    import open_clip  # seconds, for which the embedded encoder does not have to wait

    model = spec.name.replace("/", "-")  # as open_clip does
    if model not in open_clip.list_models():
        raise UnknownEncoder(
            f"the encoder {spec.name!r}", "open_clip has no such architecture", "See open_clip.list_models()."
        )
    assert spec.pretrained is not None  # the spec's validator
    published = open_clip.get_pretrained_cfg(model, spec.pretrained)
    name = f"{spec.name}:{spec.pretrained}"
    if published and spec.quick_gelu is not None:
        why = f"open_clip's tag {spec.pretrained!r} says itself how it was trained"
        raise UnknownEncoder(f"the encoder {name!r}", why, "Leave `quick_gelu` out.")
    if published:
        folder = settings.models / "open_clip" / f"{model}--{spec.pretrained}"
        weights = _published(name, published, folder, spec.sha256)
        return EncoderEntry(name, model, weights, arguments=_as_trained(published))
    path = local_path(spec.pretrained, base)
    if not path.suffix:
        tags = ", ".join(open_clip.list_pretrained_tags_by_model(model)) or "none"
        raise UnknownEncoder(
            f"the encoder {name!r}",
            "open_clip knows no such weights",
            f"Its tags are: {tags}. Or name a file.",
        )
    weights = WeightsFile(f"weights of {name}", path, sha256=spec.sha256)
    arguments = {"force_quick_gelu": True} if spec.quick_gelu else {}
    # The two activations have the same names and shapes of weights, so that a file fits both.
    doubtful = spec.quick_gelu is None and f"{model}-quickgelu" in open_clip.list_models()
    return EncoderEntry(name, model, weights, arguments=arguments, notes=(_PLAIN_GELU,) if doubtful else ())


def _folder(spec: EncoderSpec, folder: Path, remedy: str) -> EncoderEntry:
    def part(what: str, file: str) -> WeightsFile:
        return WeightsFile(f"{what} of {spec.name}", folder / file, remedy=remedy)

    weights = part("weights", SAFETENSORS)
    weights = WeightsFile(
        weights.what, weights.path, sha256=spec.sha256, remedy=remedy, alternative=part("weights", PICKLED)
    )
    others = [part("configuration", CONFIG)]
    own = folder / VOCABULARY
    if spec.name == DIORAMA or own.is_file():
        others.append(part("vocabulary", VOCABULARY))
        return EncoderEntry(spec.name, f"{LOCAL}{folder}", weights, tuple(others), own)
    return EncoderEntry(spec.name, f"{LOCAL}{folder}", weights, tuple(others))


def _published(name: str, published: dict[str, Any], folder: Path, sha256: str | None) -> WeightsFile:
    """The file behind a tag: the safetensors on Hugging Face where there is one, else what open_clip points to.

    It is fetched by its plain address and not through Hugging Face's cache, whose folders are named by commits:
    nobody could put a file there by hand.
    """
    repository, _, file = published.get("hf_hub", "").rpartition("/")
    what = f"weights of {name}"
    if not repository:
        url = published["url"]
        return WeightsFile(what, folder / file_name(url), url, sha256 or hash_in_name(url))
    address = f"https://huggingface.co/{repository}/resolve/main/"
    pickled = file or PICKLED
    safe = SAFETENSORS if pickled == PICKLED else f"{PurePosixPath(pickled).stem}.safetensors"
    files = [WeightsFile(what, folder / pickled, address + pickled, sha256)]
    if safe != pickled:
        files.append(WeightsFile(what, folder / safe, address + safe, sha256, alternative=files[0]))
    return files[-1]


def _as_trained(published: dict[str, Any]) -> dict[str, Any]:
    """What open_clip takes from a tag and forgets when it is handed the tag's file instead."""
    return {
        "force_quick_gelu": bool(published.get("quick_gelu", False)),
        "image_mean": tuple(published["mean"]),
        "image_std": tuple(published["std"]),
        "image_interpolation": published["interpolation"],
        "image_resize_mode": published["resize_mode"],
    }
