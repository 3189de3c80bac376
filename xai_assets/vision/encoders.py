"""Image-text encoders through open_clip: pictures and words as vectors of one space."""

import contextlib
import gzip
import io
import logging
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from xai_assets.errors import XaiError
from xai_assets.files import fingerprint, sha256_file
from xai_assets.progress import Progress, silent
from xai_assets.reading import read_regular, shown
from xai_assets.settings import Settings
from xai_assets.vision.checkpoints import read_state_dict
from xai_assets.vision.devices import resolve_device
from xai_assets.vision.encoder_files import CONFIG, LOCAL, EncoderEntry, resolve_encoder
from xai_assets.vision.preprocessing import check_pixels
from xai_assets.vision.spec import EncoderSpec
from xai_assets.vision.weight_values import converted
from xai_assets.vision.weights import WeightsError, obtain

_SHOWN = 600  # characters of torch's list of differences, which has a line for every tensor

MAX_VOCABULARY = 64 * 2**20
"""Bytes, unpacked as well; CLIP's own byte-pair vocabulary has 1.4 MB packed."""


@dataclass(frozen=True)
class Encoder:
    """An image-text encoder ready to answer.

    Attributes:
        name: as the study has it, with the tag of its weights.
        sha256: of the weights file.
        image_size: (h, w) of the pictures it looks at, after its own preprocessing.
        model: an open_clip model in evaluation mode, float32.
        preprocess: open_clip's evaluation transform, from a Pillow image to float32 (3, h, w).
        tokenize: from strings to int64 (m, context length).
        device: where the model is.
        settings: what else decides its answers: preprocessing and vocabulary.
        notes: what was decided that its files do not tell, in sentences without a full stop.
    """

    name: str
    sha256: str
    image_size: tuple[int, int]
    model: Any = field(repr=False)
    preprocess: Callable[[Image.Image], Tensor] = field(repr=False)
    tokenize: Callable[[list[str]], Tensor] = field(repr=False)
    device: torch.device
    settings: dict[str, Any] = field(repr=False)
    notes: tuple[str, ...] = ()

    def fingerprint(self) -> str:
        """A name for weights, preprocessing and vocabulary by their content, for the keys of results."""
        return fingerprint({"sha256": self.sha256, **self.settings})

    def embed_images(
        self, views: Sequence[np.ndarray] | np.ndarray, *, batch_size: int = 64, progress: Progress = silent
    ) -> np.ndarray:
        """Pictures as unit vectors: uint8 (h, w, 3) each, of any sizes, RGB -> float32 (n, d).

        They go through the encoder's own preprocessing. What was normalised for a classifier is refused: taken
        for a picture it would give vectors that look fine and mean nothing.

        Raises:
            ValueError: a picture is not uint8 (h, w, 3), or there are none.
        """
        if len(views) == 0:
            raise ValueError("there are no pictures to embed")
        for view in views:
            check_pixels(view)
        found = []
        for start in range(0, len(views), batch_size):
            chunk = [self.preprocess(Image.fromarray(view)) for view in views[start : start + batch_size]]
            found.append(self._unit(self.model.encode_image, torch.stack(chunk)))  # n 3 h w -> n d
            progress(min(start + batch_size, len(views)), len(views))
        return np.concatenate(found)

    def embed_texts(
        self, texts: Sequence[str], *, batch_size: int = 256, progress: Progress = silent
    ) -> np.ndarray:
        """Texts as unit vectors, float32 (m, d); what is longer than the context length is cut, as open_clip does.

        Raises:
            ValueError: an empty text, or there are none.
        """
        if isinstance(texts, str) or len(texts) == 0 or not all(text.strip() for text in texts):
            raise ValueError("texts must be a list of strings, none of them empty")
        found = []
        for start in range(0, len(texts), batch_size):
            tokens = self.tokenize(list(texts[start : start + batch_size]))  # m c
            found.append(self._unit(self.model.encode_text, tokens))  # m c -> m d
            progress(min(start + batch_size, len(texts)), len(texts))
        return np.concatenate(found)

    @torch.inference_mode()
    def _unit(self, encode: Callable[[Tensor], Tensor], batch: Tensor) -> np.ndarray:
        vectors = encode(batch.to(self.device)).float()  # n ... -> n d
        lengths = vectors.norm(dim=1, keepdim=True)  # n 1
        if not lengths.isfinite().all() or not (lengths > 0).all():
            raise XaiError(
                f"the encoder {self.name}", "it gives vectors without a direction", "Its weights are damaged."
            )
        return (vectors / lengths).cpu().numpy()


def load_encoder(
    spec: EncoderSpec | str,
    settings: Settings,
    *,
    base: Path | None = None,
    device: str | torch.device | None = None,
    world: Path | None = None,
    progress: Progress = silent,
) -> Encoder:
    """Load an encoder, downloading what has an address and is not there.

    Arguments are those of `load_classifier`.

    Raises:
        XaiError: unknown architecture or tag, missing or damaged file, another hash, weights that do not fit, a
            tokenizer that open_clip would have to download.
    """
    entry = resolve_encoder(spec, settings, base=base, world=world)
    target = resolve_device(str(device) if device is not None else settings.device)
    for file in entry.others:
        obtain(file)
    path, sha256 = obtain(entry.weights, progress)
    model, preprocess, tokenize = _create(entry)
    _load(model, path)
    image_size = model.visual.image_size
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    vocabulary = None if entry.vocabulary is None else sha256_file(entry.vocabulary)
    decides = {
        "model": _architecture(entry),
        "preprocess": model.visual.preprocess_cfg,
        "vocabulary": vocabulary,
    }
    model = model.eval().requires_grad_(False).to(target)
    return Encoder(
        entry.name, sha256, (height, width), model, preprocess, tokenize, target, decides, entry.notes
    )


def _create(
    entry: EncoderEntry,
) -> tuple[Any, Callable[[Image.Image], Tensor], Callable[[list[str]], Tensor]]:
    import open_clip  # with timm and torchvision, seconds: a study without an encoder does without

    if entry.vocabulary is not None:
        _check_vocabulary(entry.vocabulary)
    vocabulary = {} if entry.vocabulary is None else {"bpe_path": str(entry.vocabulary)}
    try:
        with torch.random.fork_rng(devices=[]), _without_alarm():
            # Weights are loaded afterwards: without them open_clip would go on with random ones, and only log it.
            model, _, preprocess = open_clip.create_model_and_transforms(
                entry.model, load_weights=False, pretrained_text=False, **entry.arguments
            )
        return model, preprocess, open_clip.get_tokenizer(entry.model, **vocabulary)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError) as error:
        remedy = (
            f"Look at {CONFIG} there, or save the folder again."
            if entry.model.startswith(LOCAL)
            else "Some text towers want files from Hugging Face at this point: run once with a network, or choose "
            "an encoder with open_clip's own tokenizer, such as ViT-B-16."
        )
        why = f"open_clip cannot build it ({type(error).__name__}: {str(error)[:_SHOWN]})"
        raise XaiError(f"the encoder {entry.name}", why, remedy) from error


def _check_vocabulary(path: Path) -> None:
    """Raise XaiError where a packed vocabulary is damaged, or more than MAX_VOCABULARY bytes once it is unpacked."""
    remedy = "Get a whole copy of the vocabulary that belongs to the encoder."
    data = read_regular(path, MAX_VOCABULARY, remedy=remedy)
    try:
        with gzip.open(io.BytesIO(data)) as unpacked:
            size = len(unpacked.read(MAX_VOCABULARY + 1))
    except (OSError, EOFError, zlib.error) as error:
        raise XaiError(shown(path), f"it cannot be unpacked ({type(error).__name__})", remedy) from error
    if size > MAX_VOCABULARY:
        raise XaiError(shown(path), f"it unpacks to more than {MAX_VOCABULARY:,} bytes", remedy)


@contextlib.contextmanager
def _without_alarm() -> Iterator[None]:
    """Keep open_clip's warning of random weights out of the log: `_load` puts the real ones in or fails."""

    def other(record: logging.LogRecord) -> bool:
        return "weights" not in str(record.msg)

    root = logging.getLogger()
    root.addFilter(other)
    try:
        yield
    finally:
        root.removeFilter(other)


def _load(model: nn.Module, path: Path) -> None:
    import open_clip

    state = read_state_dict(path)  # refuses what is damaged, too large or not weights, and says why
    own = model.state_dict()
    same = {key: value for key, value in state.items() if key in own and value.shape == own[key].shape}
    converted(own, same, shown(path))  # refuses numbers that would change
    try:
        open_clip.load_checkpoint(model, str(path), strict=True, weights_only=True)
    except (RuntimeError, KeyError, ValueError) as error:
        raise WeightsError(
            str(path),
            f"the weights do not fit the encoder ({str(error)[:_SHOWN]})",
            "Name the architecture that they were trained with.",
        ) from error


def _architecture(entry: EncoderEntry) -> str:
    """What says how the network is built: the configuration's hash, or open_clip's name and switches."""
    for file in entry.others:
        if file.path.name == CONFIG:
            return sha256_file(file.path)
    return fingerprint({"model": entry.model, **entry.arguments})
