"""Unit activations over a probe set: one forward pass per model for all its layers together."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from xai_assets.dissection.layer_activations import Activations, LayerActivations
from xai_assets.dissection.layer_recorder import LayerRecorder
from xai_assets.dissection.passes import batch_of, listening, only
from xai_assets.dissection.probe import ProbeSet
from xai_assets.errors import XaiError
from xai_assets.progress import Progress, silent
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.layout_reader import LayoutReader, units_of
from xai_assets.vision.spec import LayoutSpec

__all__ = ["CODE_VERSION", "Activations", "LayerActivations", "collect"]

CODE_VERSION = 3
"""Part of the key of kept activations: raise it when their numbers change."""

MEMORY_LIMIT = 512 * 2**20
"""Bytes of maps, all layers together, that a chunk may hold."""

CHUNK_IMAGES = 256
"""Images a chunk: what a killed run loses at most."""

ALONE_MARGIN = 1.1
"""What is enough where nothing else is asked of the maps than the thresholds over these very images."""

MARGIN = 2.0
"""Maps are kept down to the threshold of so many times the quantile, so that another probe set or a somewhat larger
quantile can be answered from them as well."""


def collect(
    classifier: Classifier,
    layers: Sequence[str],
    probe: ProbeSet,
    *,
    indices: Sequence[int] | None = None,
    layouts: Mapping[str, LayoutSpec] | None = None,
    quantile: float = 0.005,
    with_maps: bool = True,
    known: Activations | None = None,
    levels: Mapping[str, np.ndarray] | None = None,
    alone: bool = False,
    inputs: Callable[[Sequence[int]], tuple[Tensor, np.ndarray]] | None = None,
    forward: Callable[[Tensor], object] | None = None,
    keep: Callable[[Activations], Activations] = lambda chunk: chunk,
    batch_size: int = 64,
    memory_limit: int = MEMORY_LIMIT,
    progress: Progress = silent,
) -> Activations:
    """Show the probe set to a model once and keep what every named layer answers.

    Of every unit and image the mean, maximum and minimum over positions are kept; of the maps themselves only those
    that can reach above the unit's threshold at the top `quantile`: once the `MARGIN * quantile` of all values that
    are to come is filled by values seen already, the smallest of these is a bound, which only rises, and a map that
    does not exceed it is let go.

    Args:
        classifier: the model; its hooks are gone again afterwards, also when something throws.
        layers: module paths.
        probe: the images.
        indices: of the images that are shown; all of them if None.
        layouts: layer -> how its output is to be read, where it is not read off it.
        quantile: that maps are kept for.
        with_maps: keep maps at all (Network Dissection needs them, CLIP-Dissect does not).
        known: activations of other images of the probe set, whose values raise the bound from the start.
        levels: layer -> float32 (u,): keep the maps that exceed these, instead of rising bounds.
        alone: thresholds will be taken at this quantile and over these images only: fewer maps are kept.
        inputs: gives the network's input for some images, as `passes.batch_of` does, which it stands for.
        forward: shows a batch to the network, in another way than by calling it.
        keep: called with every finished chunk of images; what it returns stands for the chunk, such as the same
            arrays in memory-mapped files.
        batch_size: images a forward pass.
        memory_limit: bytes of maps held before the chunk in hand is finished.
        progress: called after each batch with images done and in all.

    Raises:
        UnknownLayer: a path that the network does not have.
        LayoutError: a layer whose output is no tensor, changes the batch axis, or cannot be read.
        XaiError: an empty probe set, images that become tensors of different sizes, a layer that runs more than once
            a pass or not at all, values that are not finite.
    """
    chosen = list(range(len(probe)) if indices is None else indices)
    if not chosen:
        raise XaiError("the probe set", "it holds no image", "Choose another probe set, or raise its limit.")
    if len(set(layers)) != len(layers) or not layers:
        raise XaiError(
            f"the layers {', '.join(layers) or '(none)'}",
            "each is named once, and at least one",
            "Mend the list of layers.",
        )
    recorders = {
        name: LayerRecorder(
            name,
            len(chosen) if alone else len(probe),
            quantile=min((ALONE_MARGIN if alone else MARGIN) * quantile, 1.0) if with_maps else None,
            known=None if known is None else known.layers[name].maps,
            levels=None if levels is None else levels.get(name),
        )
        for name in layers
    }
    declared = layouts or {}
    readers = {name: LayoutReader(classifier.network, name, declared.get(name)) for name in layers}
    chunks: list[Activations] = []
    boxes: list[np.ndarray] = []
    first = 0
    with listening(classifier.network, layers) as heard, torch.inference_mode():
        for start in range(0, len(chosen), batch_size):
            stop = min(start + batch_size, len(chosen))
            some = chosen[start:stop]
            batch, seen = (
                batch_of(classifier, probe, some) if inputs is None else inputs(some)
            )  # b 3 h w, b 4
            boxes.append(seen)
            for outputs in heard.values():
                outputs.clear()
            (forward or classifier.network)(batch)
            names = [probe.ids[index] for index in some]
            given, layouts_of = {}, {}
            for name in layers:
                output = only(heard[name], name)
                layouts_of[name] = readers[name](output, batch)
                assert isinstance(output, Tensor)  # the reader refuses anything else
                given[name] = output
            if not start:
                _check_rows(classifier, given, batch, declared)
            for name, recorder in recorders.items():
                recorder.add(given[name], layouts_of[name], names)
            progress(stop, len(chosen))
            full = sum(recorder.held for recorder in recorders.values()) > memory_limit
            if full or stop - first >= CHUNK_IMAGES or stop == len(chosen):
                ids = tuple(probe.ids[index] for index in chosen[first:stop])
                done = {name: recorder.finish() for name, recorder in recorders.items()}
                chunks.append(keep(Activations(ids, np.concatenate(boxes), done)))
                boxes, first = [], stop
    source = np.repeat(np.arange(len(chunks)), [len(chunk.ids) for chunk in chunks])
    image = np.concatenate([np.arange(len(chunk.ids)) for chunk in chunks])
    return Activations.gather(chunks, source, image, [probe.ids[index] for index in chosen])


def _check_rows(
    classifier: Classifier, given: Mapping[str, Tensor], batch: Tensor, layouts: Mapping[str, LayoutSpec]
) -> None:
    """Refuse a layer whose first axis is as long as the batch by chance: with another number of images it is not."""
    doubtful = [name for name, output in given.items() if len(batch) in output.shape[1:]]
    if doubtful:
        other = 3 if len(batch) != 3 else 4  # few: it is a pass more
        again = batch[:1].expand(other, *batch.shape[1:])
        list(units_of(classifier.network, doubtful, again, [layouts.get(name) for name in doubtful]))
