"""The two classifiers as tasks: their labels, their curriculum, their file."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save
from torch import nn

from xai_assets.files import write_bytes
from xai_assets.vision.diorama_net import DioramaResNet
from xai_assets.world.training.batches import Curriculum
from xai_assets.world.training.classifiers import WIDTH, train_classifier
from xai_assets.world.training.examples import Examples, concatenate, layout
from xai_assets.world.vocabulary import CLASSES, SCENES


@dataclass(frozen=True)
class ClassifierTask:
    """What a classifier tells.

    Attributes:
        name: "object" or "scene"; also the name of its file.
        class_names: its outputs.
        labels: the attribute of Examples that holds the truth.
        close_views: whether it learns from close views first; those before plain backdrops have no scene.
    """

    name: str
    class_names: tuple[str, ...]
    labels: str
    close_views: bool

    def train(
        self,
        parts: dict[str, Examples],
        *,
        steps: int,
        seed: int = 0,
        device: str = "cpu",
        progress: Callable[[str], None] = print,
        every: int = 150,
    ) -> DioramaResNet:
        """Train on the splits "close" and "train" of `parts`."""
        used = {split: parts[split] for split in ("close", "train")}
        curriculum = Curriculum.of(layout(used))
        if not self.close_views:
            curriculum = replace(curriculum, close=curriculum.close[:0])
        examples = concatenate(*used.values())
        labels = torch.from_numpy(getattr(examples, self.labels))
        return train_classifier(
            examples, labels, len(self.class_names), curriculum,
            steps=steps, seed=seed, device=device, progress=progress, every=every,
        )  # fmt: skip

    def save(self, network: nn.Module, folder: Path) -> Path:
        """Write the weights in half precision, with architecture, width and class names in the metadata."""
        state = {
            name: (value.half() if value.is_floating_point() else value).cpu().contiguous()
            for name, value in network.state_dict().items()
        }
        metadata = {
            "format": "pt",
            "architecture": "diorama/resnet10",
            "width": str(WIDTH),
            "task": self.name,
            "class_names": json.dumps(self.class_names),
        }
        return write_bytes(folder / f"{self.name}.safetensors", _ordered(save(state, metadata)))


def _ordered(data: bytes) -> bytes:
    """A safetensors file with its header's keys in order.

    The library leaves them in the order of a hash that is seeded anew in each process, and the same weights would
    have another hash each time.
    """
    length = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode(
        "utf-8"
    )
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


TASKS = {
    "object": ClassifierTask("object", CLASSES, "target", close_views=True),
    "scene": ClassifierTask("scene", SCENES, "scene", close_views=False),
}
