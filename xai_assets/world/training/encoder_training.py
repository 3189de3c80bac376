"""The whole training of the image-text encoder: image tower from labels, then texts onto its directions."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from open_clip import CLIP
from open_clip.modified_resnet import ModifiedResNet
from torch import Tensor
from torch.nn import functional as F

from xai_assets.world.training.batches import Curriculum, normalise
from xai_assets.world.training.encoder import new_encoder, save_encoder, write_vocabulary
from xai_assets.world.training.examples import Examples, concatenate, layout
from xai_assets.world.training.image_tower import embed, train_image_tower
from xai_assets.world.training.phrases import captions_of, nothings_of, words_of
from xai_assets.world.training.text_tower import train_text_tower
from xai_assets.world.training.tokenizer import ordinary_words

CAPTIONS = 40_000
_BATCH = 100


def train_encoder(
    parts: dict[str, Examples],
    folder: Path,
    *,
    image_steps: int,
    text_steps: int,
    captions: int = CAPTIONS,
    seed: int = 0,
    device: str = "cpu",
    progress: Callable[[str], None] = print,
    every: int = 150,
) -> CLIP:
    """Train on the splits "close", "train" and "swatch" and write open_clip's local folder.

    Scenes that show a held-out pairing (see `examples.held_out`) are learned from in neither phase.

    Returns:
        The encoder in evaluation mode.
    """
    torch.manual_seed(seed)
    tokenize = write_vocabulary(folder)
    model = new_encoder(tokenize.vocab_size).to(device)
    rows = layout(parts, without_held_out=True)
    curriculum = replace(
        Curriculum.of(rows),
        plain_until=0.15, fade=0.4, rest=0.1, surface_share=1 / 8,
    )  # fmt: skip
    examples = concatenate(*parts.values())
    model.visual, directions = train_image_tower(
        model.visual, examples, curriculum,
        steps=image_steps, seed=seed, device=device, progress=progress, every=every,
    )  # fmt: skip
    align_texts(
        model, directions, examples, np.concatenate([rows["close"], rows["scenes"], rows["surfaces"]]), tokenize,
        steps=text_steps, captions=captions, seed=seed, progress=progress, every=every,
    )  # fmt: skip
    save_encoder(model, folder)
    return model.eval().requires_grad_(False)


def align_texts(
    model: CLIP,
    directions: Tensor,
    examples: Examples,
    rows: np.ndarray,
    tokenize: Callable[[list[str]], Tensor],
    *,
    steps: int,
    captions: int = CAPTIONS,
    seed: int = 0,
    progress: Callable[[str], None] = print,
    every: int = 150,
) -> None:
    """Second phase alone: bring the text tower onto the `directions` of the finished image tower.

    Args:
        rows: of the scenes that captions may be of.
        captions: how many are written, of scenes drawn anew each time.
    """
    rng = np.random.default_rng(seed)
    progress(f"writing {captions} captions")
    embeddings = image_embeddings(model.visual, examples.images[rows], directions.device)
    written = captions_of(examples, rows[rng.integers(0, len(rows), captions)].tolist(), tokenize, rng)
    place = torch.full((len(examples),), -1)
    place[torch.from_numpy(rows)] = torch.arange(len(rows))
    train_text_tower(
        model, embeddings, torch.from_numpy(examples.present[rows]).to(directions.device), directions,
        words_of(tokenize), nothings_of(ordinary_words(), tokenize, rng), replace(written, rows=place[written.rows]),
        steps=steps, seed=seed, progress=progress, every=every,
    )  # fmt: skip


@torch.no_grad()
def image_embeddings(tower: ModifiedResNet, images: np.ndarray, device: torch.device | str = "cpu") -> Tensor:
    """Unit vectors of pictures: uint8 n h w 3 -> float32 n d."""
    chunks = [
        torch.from_numpy(images[start : start + _BATCH]).to(device) for start in range(0, len(images), _BATCH)
    ]
    return torch.cat([F.normalize(embed(tower, normalise(chunk)), dim=1) for chunk in chunks])
