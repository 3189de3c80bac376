"""A classifier: network, weights, preprocessing and class names, bound together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from xai_assets.errors import XaiError
from xai_assets.files import fingerprint
from xai_assets.memory import out_of_memory
from xai_assets.progress import Progress, silent
from xai_assets.settings import Settings
from xai_assets.vision import outputs
from xai_assets.vision.architectures import build, from_checkpoint, renaming
from xai_assets.vision.checkpoint_reading import read_plain
from xai_assets.vision.checkpoints import Taken, load_weights, metadata_list, read_metadata
from xai_assets.vision.class_matching import ClassMatcher, UnknownClass
from xai_assets.vision.class_names import read_class_names
from xai_assets.vision.devices import resolve_device
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.spec import MEMORY_MIB, ModelSpec
from xai_assets.vision.unwrapping import state_dicts
from xai_assets.vision.weights import WeightsError, hash_in_name, obtain
from xai_assets.vision.zoo import RENORMALISING, Entry, resolve


class UnfitNetwork(XaiError, ValueError):
    """A network whose answers are no scores of its classes, or that takes no float32 images."""


@dataclass(frozen=True)
class Classifier:
    """A network ready to answer.

    Attributes:
        name: as the study has it.
        architecture: "torchvision/resnet18" and the like.
        network: in evaluation mode on `device`, its parameters without gradients. A CAM method that
            wants gradients at activations asks for them at the input: `batch.requires_grad_()`.
        preprocessing: from a picture to the network's input.
        class_names: by output.
        sha256: of the weights file.
        device: where the network is.
        arguments: of the architecture's builder, as the study or the checkpoint gave them.
        checkpoint_key: which weights of the file the study asks for.
        taken: which weights of the file the network has.
        single_output: the network was built with one output, which is two classes here (see `outputs.two_sided`).
        own: the architecture and the weights are the study's, not an entry of the zoo.
        memory_mib: what the values of one batch of forward passes may hold together; larger batches are cut.
    """

    name: str
    architecture: str
    network: nn.Module = field(repr=False)
    preprocessing: Preprocessing
    class_names: tuple[str, ...] = field(repr=False)
    sha256: str
    device: torch.device
    arguments: Mapping[str, Any] = field(default_factory=dict)
    checkpoint_key: str | None = None
    taken: Taken = field(default_factory=Taken)
    single_output: bool = False
    own: bool = False
    memory_mib: int = MEMORY_MIB

    @property
    def fingerprint(self) -> str:
        """What the network's answers depend on: part of the key of every result.

        Of an entry of the zoo the weights' hash; of a model of one's own also how it is built.
        """
        if not self.own:
            return self.sha256
        made_of = {
            "weights": self.sha256,
            "key": self.checkpoint_key,
            "architecture": self.architecture,
            "arguments": dict(self.arguments),
            "outputs": 1 if self.single_output else len(self.class_names),
        }
        return fingerprint(made_of)

    def notes(self) -> Iterator[str]:
        """What was decided about the checkpoint that its owner should know, in sentences without a full stop."""
        if str(self.taken):
            yield str(self.taken)
        if self.own and self.architecture in RENORMALISING and not self.arguments.get("transform_input"):
            yield (
                "transform_input is False, as torchvision builds a new network; one that began with torchvision's "
                "published weights has True: `arguments: {transform_input: true}`"
            )
        if self.single_output:
            yield f"a single output: its sigmoid is the probability of {self.class_names[1]!r}"

    @torch.inference_mode()
    def logits(self, batch: Tensor) -> Tensor:
        """Scores before softmax: float32 (n, 3, h, w), normalised, on any device -> (n, k) on the network's.

        Raises:
            ValueError: the batch is not of that shape.
            UnfitNetwork: the network answers with something else than such scores, or is not float32.
        """
        if batch.ndim != 4 or batch.shape[1] != 3:
            raise ValueError(f"a batch must be (n, 3, h, w), not {tuple(batch.shape)}")
        try:
            scores = self.network(batch.to(self.device))  # n 3 h w -> n k
        except RuntimeError as error:
            if out_of_memory(error) or "CUDA" in str(error):
                raise  # of the machine, not of the network: a step tries again
            dtypes = {value.dtype for value in self.network.parameters() if value.is_floating_point()}
            if dtypes <= {torch.float32}:
                size = f"{batch.shape[2]} x {batch.shape[3]}"
                raise UnfitNetwork(
                    self.name,
                    f"it does not take images of {size} pixels and three channels",
                    f"Look at the size in its preprocessing ({str(error).splitlines()[0][:200]}).",
                ) from error
            named = ", ".join(sorted(str(dtype).removeprefix("torch.") for dtype in dtypes))
            raise UnfitNetwork(
                self.name,
                f"its parameters are {named}, and images are float32",
                "Convert it: network.float().",
            ) from error
        wanted = (len(batch), len(self.class_names))
        if not isinstance(scores, Tensor):
            raise UnfitNetwork(
                self.name,
                f"it answers with a {type(scores).__name__}, not one tensor of scores",
                "Wrap it in a module whose forward gives the scores alone, (images, classes).",
            )
        if tuple(scores.shape) != wanted:
            raise UnfitNetwork(
                self.name,
                f"it answered {tuple(scores.shape)}, expected {wanted}: images and classes",
                "Give it as many class names as it has outputs, and one score for each.",
            )
        if not scores.is_floating_point():
            raise UnfitNetwork(
                self.name, f"its scores are {scores.dtype}", "Give the scores before an argmax."
            )
        return scores

    def probabilities(self, batch: Tensor) -> Tensor:
        """Softmax of the logits, of a single one its sigmoid: float32 (n, k) in 0..1; raises as `logits`."""
        return outputs.probabilities(self.logits(batch).float())

    @cached_property
    def matcher(self) -> ClassMatcher:
        """Finds the outputs that labels mean."""
        return ClassMatcher(self.class_names, self.name)

    def class_index(self, name_or_index: str | int) -> int:
        """The output of a class, by its number from 0 or as `ClassMatcher` finds a label.

        Raises:
            UnknownClass: no such class, or a name that several classes bear (ImageNet has two cranes).
        """
        if isinstance(name_or_index, str):
            return self.matcher.index(name_or_index)
        index = int(name_or_index)
        if not 0 <= index < len(self.class_names):
            last = len(self.class_names) - 1
            raise UnknownClass(f"the class {index}", f"{self.name} has no such number", f"Use 0 to {last}.")
        return index


def load_classifier(
    spec: ModelSpec | str,
    settings: Settings,
    *,
    base: Path | None = None,
    device: str | torch.device | None = None,
    world: Path | None = None,
    progress: Progress = silent,
) -> Classifier:
    """Load a classifier, downloading what has an address and is not there; hashes are checked before loading.

    Args:
        spec: a zoo name, or a model of one's own.
        settings: `models` is where downloaded weights stand, `device` what to compute on.
        base: the folder that the spec's relative paths start from; default the working folder.
        device: instead of the settings' device.
        world: the folder of the Diorama weights; default the shipped one.
        progress: of a download, in bytes.

    Raises:
        XaiError: unknown model, missing or damaged file, another hash, weights that do not fit, class names
            that do not match the number of outputs, no such device.
    """
    entry = resolve(spec, settings, base=base, world=world)
    target = resolve_device(str(device) if device is not None else settings.device)
    path, sha256 = obtain(entry.weights, progress)
    names, source = _class_names(entry, path, progress)
    count = entry.num_classes or len(names)
    loaded = read_plain(path)
    arguments = _arguments(entry, loaded, sha256)
    network = build(entry.architecture, count, width=_width(entry, path), arguments=arguments)
    taken = load_weights(
        network,
        loaded,
        name=str(path),
        key=entry.checkpoint_key,
        renaming=renaming(entry.architecture, count, arguments),
        classes=(len(names), source),
    )
    network = network.eval().requires_grad_(False).to(target)
    return Classifier(
        entry.name,
        entry.architecture,
        outputs.two_sided(network) if count == 1 else network,
        Preprocessing(entry.preprocessing),
        outputs.class_names(names, count),
        sha256,
        target,
        arguments,
        entry.checkpoint_key,
        taken,
        single_output=count == 1,
        own=not entry.published,
    )


def _arguments(entry: Entry, loaded: object, sha256: str) -> dict[str, Any]:
    """The builder's arguments: what the checkpoint tells, and over it what the study says."""
    names = [name for _, tensors, _ in state_dicts(loaded) for name in tensors]
    found = from_checkpoint(entry.architecture, names)
    if entry.architecture in RENORMALISING:
        import torchvision

        published = torchvision.models.get_model_weights(entry.architecture.removeprefix("torchvision/"))
        hashes = [hash_in_name(weights.url) for weights in published]
        found["transform_input"] = any(known and sha256.startswith(known) for known in hashes)
    return found | dict(entry.arguments)


def _class_names(entry: Entry, weights: Path, progress: Progress) -> tuple[tuple[str, ...], str]:
    """The names, and the file or the entry that they are of."""
    if entry.names_file is not None:
        path, _ = obtain(entry.names_file, progress)
        names, source = read_class_names(path), str(path)
    elif entry.class_names is not None:
        names, source = entry.class_names, entry.name
    else:
        names, source = metadata_list(weights, "class_names"), str(weights)
    binary = entry.num_classes == 1 and len(names) == 2
    if entry.num_classes is not None and len(names) != entry.num_classes and not binary:
        raise WeightsError(
            source,
            f"it names {len(names)} classes, and {entry.name} has {entry.num_classes}",
            "Give one name for each output of the model.",
        )
    return names, source


def _width(entry: Entry, path: Path) -> int:
    """Channels of the Diorama network's stem, from the file's metadata."""
    if entry.architecture != "diorama/resnet10" or path.suffix != ".safetensors":
        return 32
    width = read_metadata(path).get("width", "32")
    if not width.isdecimal() or not 0 < int(width) <= 1024:
        raise WeightsError(str(path), f"its metadata says width {width!r}", "Make the file again.")
    return int(width)
