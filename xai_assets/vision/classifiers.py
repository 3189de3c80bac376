"""A classifier: network, weights, preprocessing and class names, bound together."""

import difflib
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from xai_assets.errors import XaiError
from xai_assets.progress import Progress, silent
from xai_assets.settings import Settings
from xai_assets.vision.architectures import build
from xai_assets.vision.checkpoints import fit, metadata_list, read_metadata, read_state_dict
from xai_assets.vision.class_names import read_class_names
from xai_assets.vision.devices import resolve_device
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.spec import ModelSpec
from xai_assets.vision.weights import WeightsError, obtain
from xai_assets.vision.zoo import Entry, resolve


class UnknownClass(XaiError):
    """A classifier has no class of that name or number."""


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
    """

    name: str
    architecture: str
    network: nn.Module = field(repr=False)
    preprocessing: Preprocessing
    class_names: tuple[str, ...] = field(repr=False)
    sha256: str
    device: torch.device

    @torch.inference_mode()
    def logits(self, batch: Tensor) -> Tensor:
        """Scores before softmax: float32 (n, 3, h, w), normalised, on any device -> (n, k) on the network's.

        Raises:
            ValueError: the batch is not of that shape, or the network answers another one.
        """
        if batch.ndim != 4 or batch.shape[1] != 3:
            raise ValueError(f"a batch must be (n, 3, h, w), not {tuple(batch.shape)}")
        scores = self.network(batch.to(self.device))  # n 3 h w -> n k
        wanted = (len(batch), len(self.class_names))
        if not isinstance(scores, Tensor) or tuple(scores.shape) != wanted:
            raise ValueError(
                f"{self.name} answered {getattr(scores, 'shape', type(scores))}, expected {wanted}"
            )
        return scores

    def probabilities(self, batch: Tensor) -> Tensor:
        """Softmax of the logits, float32 (n, k) in 0..1; raises as `logits`."""
        return torch.softmax(self.logits(batch).float(), dim=1)

    def class_index(self, name_or_index: str | int) -> int:
        """The output of a class, by its name (case does not matter where it need not) or its number from 0.

        Raises:
            UnknownClass: no such class, or a name that several classes bear (ImageNet has two cranes).
        """
        if isinstance(name_or_index, int) or (
            name_or_index.isdecimal() and name_or_index not in self.class_names
        ):
            index = int(name_or_index)
            if not 0 <= index < len(self.class_names):
                last = len(self.class_names) - 1
                raise UnknownClass(
                    f"the class {index}", f"{self.name} has no such number", f"Use 0 to {last}."
                )
            return index
        return self._index_of(name_or_index)

    def _index_of(self, name: str) -> int:
        exact = [index for index, known in enumerate(self.class_names) if known == name]
        found = exact or [
            i for i, known in enumerate(self.class_names) if known.casefold() == name.casefold()
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise UnknownClass(
                f"the class {name!r}",
                f"{self.name} has {len(found)} classes of that name",
                f"Give the number: {' or '.join(map(str, found))}.",
            )
        close = difflib.get_close_matches(name, self.class_names, n=5, cutoff=0.5)
        remedy = (
            f"Did you mean {' or '.join(close)}?" if close else f"It has {len(self.class_names)} classes."
        )
        raise UnknownClass(f"the class {name!r}", f"{self.name} has no class of that name", remedy)


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
    names = _class_names(entry, path, progress)
    network = build(entry.architecture, len(names), width=_width(entry, path))
    fit(network, read_state_dict(path), name=str(path))
    network = network.eval().requires_grad_(False).to(target)
    return Classifier(
        entry.name, entry.architecture, network, Preprocessing(entry.preprocessing), names, sha256, target
    )


def _class_names(entry: Entry, weights: Path, progress: Progress) -> tuple[str, ...]:
    if entry.names_file is not None:
        path, _ = obtain(entry.names_file, progress)
        names, source = read_class_names(path), str(path)
    elif entry.class_names is not None:
        names, source = entry.class_names, entry.name
    else:
        names, source = metadata_list(weights, "class_names"), str(weights)
    if entry.num_classes is not None and len(names) != entry.num_classes:
        raise WeightsError(
            source,
            f"it names {len(names)} classes, and {entry.name} has {entry.num_classes}",
            "Give one name for each output of the model.",
        )
    return names


def _width(entry: Entry, path: Path) -> int:
    """Channels of the Diorama network's stem, from the file's metadata."""
    if entry.architecture != "diorama/resnet10" or path.suffix != ".safetensors":
        return 32
    width = read_metadata(path).get("width", "32")
    if not width.isdecimal() or not 0 < int(width) <= 1024:
        raise WeightsError(str(path), f"its metadata says width {width!r}", "Make the file again.")
    return int(width)
