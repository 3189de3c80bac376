"""Second phase of the image-text encoder: texts onto the finished image tower's directions.

The image tower is locked (as in LiT, Zhai et al. 2022), so its embeddings are computed once and every step is cheap.
"""

import time
from collections.abc import Callable

import torch
from open_clip import CLIP
from torch import Tensor
from torch.nn import functional as F

from xai_assets.world.training.image_tower import SCALE
from xai_assets.world.training.phrases import Phrases

WORDS_A_STEP, NOTHINGS_A_STEP, CAPTIONS_A_STEP = 128, 64, 64
LEARNING_RATE = 0.001
WEIGHT_DECAY = 0.02
CONTRAST = 0.1
"""Weight of the contrast of captions with pictures beside the agreement of texts with directions."""


def train_text_tower(
    model: CLIP,
    embeddings: Tensor,
    present: Tensor,
    directions: Tensor,
    words: Phrases,
    nothings: Phrases,
    captions: Phrases,
    *,
    steps: int,
    seed: int = 0,
    progress: Callable[[str], None] = print,
    every: int = 250,
) -> None:
    """Train the text tower of `model` in place; its image tower is left as it is.

    Every text is drawn to the direction of what it says: of one word, of several (their normalised sum), or of
    nothing in the world. Captions are contrasted with the pictures of the batch as well, where every picture of
    which all the words are true is a right answer.

    Args:
        embeddings: float32, n x d, of length 1: of the pictures that `captions` are of.
        present: bool, n x len(WORDS): what is true of them.
        directions: float32, (len(WORDS) + 1) x d, of length 1.
    """
    torch.manual_seed(seed)
    device = embeddings.device
    generator = torch.Generator().manual_seed(seed)
    text_parameters = [
        p for name, p in model.named_parameters() if not name.startswith(("visual.", "logit_scale"))
    ]
    optimiser = torch.optim.AdamW(text_parameters, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps, pct_start=0.1)
    started = time.process_time()
    smooth: dict[str, float] = {}
    for step in range(1, steps + 1):
        drawn = [
            _draw(words, WORDS_A_STEP, generator),
            _draw(nothings, NOTHINGS_A_STEP, generator),
            _draw(captions, CAPTIONS_A_STEP, generator),
        ]
        tokens = torch.cat([phrases.tokens for phrases in drawn]).to(device)
        meaning = torch.cat([phrases.meaning for phrases in drawn]).to(device)
        with torch.autocast(device.type, torch.bfloat16):
            encoded = model.encode_text(tokens)  # m context -> m d
        texts = F.normalize(encoded.float(), dim=1)
        off = 1 - (texts * F.normalize(meaning @ directions, dim=1)).sum(1)
        rows, said = drawn[2].rows.to(device), meaning[-CAPTIONS_A_STEP:]
        logits = SCALE * texts[-CAPTIONS_A_STEP:] @ embeddings[rows].T  # captions x pictures
        losses = {
            "words": off[:WORDS_A_STEP].mean(),
            "nothing": off[WORDS_A_STEP:-CAPTIONS_A_STEP].mean(),
            "captions": off[-CAPTIONS_A_STEP:].mean(),
            "contrast": contrast(logits, true_of(said, present[rows])),
        }
        loss = losses["words"] + losses["nothing"] + losses["captions"] + CONTRAST * losses["contrast"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        for name, value in losses.items():
            smooth[name] = 0.98 * smooth.get(name, value.item()) + 0.02 * value.item()
        if step % every == 0 or step == steps:
            told = " ".join(f"{name} {value:.4f}" for name, value in smooth.items())
            progress(f"{step}/{steps} {told} cpu {time.process_time() - started:.0f} s")


def true_of(said: Tensor, present: Tensor) -> Tensor:
    """bool, captions x pictures: everything a caption says is in the picture.

    Args:
        said: float32, captions x (words + 1), `Phrases.meaning`: a superclass has its share on each of its classes.
        present: bool, pictures x words.
    """
    whole = (said[:, :-1] == 1).float()  # a superclass is left to the directions
    missing = whole @ (~present).float().T  # captions words, pictures words -> captions pictures
    own = torch.eye(len(said), len(present), dtype=torch.bool, device=said.device)
    return (missing == 0) & (whole.sum(1, keepdim=True) > 0) | own


def contrast(logits: Tensor, right: Tensor) -> Tensor:
    """Cross-entropy both ways with every right answer sharing the target evenly; captions x pictures."""
    by_caption = right.float() / right.sum(1, keepdim=True)
    by_picture = (right.float() / right.sum(0, keepdim=True)).T
    return (F.cross_entropy(logits, by_caption) + F.cross_entropy(logits.T, by_picture)) / 2


def _draw(phrases: Phrases, count: int, generator: torch.Generator) -> Phrases:
    chosen = torch.randint(0, len(phrases.tokens), (count,), generator=generator)
    return Phrases(phrases.tokens[chosen], phrases.meaning[chosen], phrases.rows[chosen])
