"""The image-text encoder as open_clip's CLIP: its configuration, a fresh model, and its folder on disk."""

import math
from pathlib import Path

import torch
from open_clip import CLIP, get_tokenizer
from open_clip.tokenizer import SimpleTokenizer
from safetensors.torch import save

from xai_assets.files import write_bytes, write_json
from xai_assets.world.training.batches import MEAN, STD
from xai_assets.world.training.image_tower import SCALE
from xai_assets.world.training.tokenizer import CONTEXT_LENGTH, vocabulary_file
from xai_assets.world.vocabulary import SIDE

EMBED_DIM = 128
VISION = {"image_size": SIDE, "layers": [1, 1, 1, 1], "width": 24, "head_width": 16}
"""A ModifiedResNet with one block a stage. Narrow heads: each of the 48 may look for something else."""
TEXT = {"context_length": CONTEXT_LENGTH, "width": 128, "heads": 4, "layers": 2}
CONFIGURATION, WEIGHTS, VOCABULARY = (
    "open_clip_config.json",
    "open_clip_model.safetensors",
    "bpe_vocab.txt.gz",
)


def write_vocabulary(folder: Path) -> SimpleTokenizer:
    """Write configuration and vocabulary into `folder` and load the tokenizer from there."""
    path = write_bytes(folder / VOCABULARY, vocabulary_file())
    size = SimpleTokenizer(bpe_path=str(path), context_length=CONTEXT_LENGTH).vocab_size
    model = {"embed_dim": EMBED_DIM, "vision_cfg": VISION, "text_cfg": {**TEXT, "vocab_size": size}}
    preprocess = {"mean": MEAN, "std": STD, "interpolation": "bilinear", "resize_mode": "squash"}
    write_json(folder / CONFIGURATION, {"model_cfg": model, "preprocess_cfg": preprocess})
    return get_tokenizer(f"local-dir:{folder}", bpe_path=str(path))


def new_encoder(vocab_size: int) -> CLIP:
    """A freshly initialised model; seed torch before."""
    return CLIP(EMBED_DIM, vision_cfg=VISION, text_cfg={**TEXT, "vocab_size": vocab_size})


def save_encoder(model: CLIP, folder: Path) -> Path:
    """Write the weights in half precision where open_clip's "local-dir:" looks for them."""
    with torch.no_grad():
        model.logit_scale.fill_(math.log(SCALE))
    state = {
        name: (value.half() if value.is_floating_point() else value).cpu().contiguous()
        for name, value in model.state_dict().items()
    }
    return write_bytes(folder / WEIGHTS, save(state, {"format": "pt"}))
