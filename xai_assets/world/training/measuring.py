"""Loading what was written as a user would, and measuring it on fresh scenes."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from xai_assets.settings import Settings
from xai_assets.vision.checkpoints import fit, read_state_dict
from xai_assets.vision.diorama_net import resnet10
from xai_assets.vision.encoders import Encoder, load_encoder
from xai_assets.world.training.classifier_task import TASKS, ClassifierTask
from xai_assets.world.training.classifiers import WIDTH
from xai_assets.world.training.evaluate import (
    accuracy,
    held_out_accuracy,
    pooled_activations,
    predictions,
    word_presence,
    zero_shot,
)
from xai_assets.world.training.examples import Examples

FRESH = {"test": 2000, "probe": 1000}
"""Scenes that no training has met: "test" for accuracies, "probe" (the first thousand, as the demo's probe set) for
the dissection that the encoder is for."""


def read_classifier(path: Path, task: ClassifierTask) -> nn.Module:
    """A written classifier, in evaluation mode, float32."""
    network = resnet10(WIDTH, len(task.class_names))
    fit(network, read_state_dict(path), name=str(path))
    return network.eval().requires_grad_(False)


def measure_classifier(path: Path, task: ClassifierTask, unseen: dict[str, Examples]) -> dict[str, Any]:
    """Accuracy on "test" and size of a written classifier."""
    test = unseen["test"]
    predicted = predictions(read_classifier(path, task), test.images)
    return {
        "accuracy": accuracy(predicted, getattr(test, task.labels), task.class_names),
        "scenes": len(test),
        "bytes": path.stat().st_size,
    }


def read_encoder(world: Path) -> Encoder:
    """The encoder of a folder like data/world, through the loader that studies use."""
    return load_encoder("diorama/clip", Settings.from_environment(), world=world, device="cpu")


def measure_encoder(folder: Path, world: Path, unseen: dict[str, Examples]) -> dict[str, Any]:
    """Zero-shot numbers on "test", and CLIP-Dissect's words for the object classifier's layers on "probe".

    Args:
        folder: of the encoder.
        world: what holds the encoder's folder and, for the dissection, object.safetensors.
    """
    encoder, test, probe = read_encoder(world), unseen["test"], unseen["probe"]
    images = encoder.embed_images(test.images)
    found = zero_shot(images, encoder.embed_texts, test)
    report: dict[str, Any] = {
        **asdict(found),
        "category_auc": found.category_auc(),
        "mean_auc": found.mean_auc(),
        "held_out": held_out_accuracy(images, encoder.embed_texts, test),
        "scenes": len(test),
        "bytes": sum(file.stat().st_size for file in folder.iterdir()),
    }
    classifier = world / "object.safetensors"
    if classifier.is_file():
        network, images = read_classifier(classifier, TASKS["object"]), encoder.embed_images(probe.images)
        for layer in ("layer2", "layer3", "layer4"):
            pooled = pooled_activations(network, layer, probe.images)
            words = asdict(word_presence(images, encoder.embed_texts, pooled, probe))
            report[layer] = {key: value for key, value in words.items() if key != "words"}
        report["probe_scenes"] = len(probe)
    return report
