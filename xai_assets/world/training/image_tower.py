"""First phase of the image-text encoder: an embedding whose cosines with concept directions tell what is there."""

import time
from collections.abc import Callable

import torch
from open_clip.modified_resnet import AttentionPool2d, ModifiedResNet
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from xai_assets.world.concepts import concepts
from xai_assets.world.training.batches import Curriculum, normalise, vary
from xai_assets.world.training.examples import COLUMN, FINISHES, WORDS, Examples
from xai_assets.world.vocabulary import CATEGORIES, CLASSES, COLOURS, SCENES, VOCABULARY

BATCH = 64
LEARNING_RATE = 0.002
WEIGHT_DECAY = 0.05
AVERAGING = 0.995
SCALE = 12.0
"""Logits are SCALE times a cosine, and no more: so cosines must spread as far as a softmax of ten times the cosine
needs, which is what CLIP-Dissect's soft-WPMI takes."""
HEAVIEST = 8.0
"""Bound of the weight that a rare word's presence gets."""
LOSS_WEIGHTS = {"object": 1.5, "scene": 0.3, "finish": 1.0, "colour": 0.5, "presence": 3.0, "nothing": 0.3}


class ConceptDirections(nn.Module):
    """One unit vector a word of the world, and one more that every picture should be far from.

    The last direction is where the text tower will put words that name nothing in the world.
    """

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(len(WORDS) + 1, dimensions))
        self.bias = nn.Parameter(torch.tensor(-0.25 * SCALE))

    def directions(self) -> Tensor:
        """float32, (len(WORDS) + 1) x d, of length 1."""
        return F.normalize(self.table, dim=1)


class TowerAndConcepts(nn.Module):
    """What is trained together, so that one optimiser and one average hold both."""

    def __init__(self, tower: ModifiedResNet, concepts: ConceptDirections) -> None:
        super().__init__()
        self.tower, self.concepts = tower, concepts


def embed(tower: ModifiedResNet, x: Tensor) -> Tensor:
    """What `tower(x)` gives, without the attention of tokens that its pooling then drops; n 3 h w -> n d."""
    x = tower.layer4(tower.layer3(tower.layer2(tower.layer1(tower.stem(x)))))  # n 3 h w -> n c h/32 w/32
    pool: AttentionPool2d = tower.attnpool
    tokens = x.flatten(2).transpose(1, 2)  # n c h w -> n t c
    tokens = torch.cat([tokens.mean(1, keepdim=True), tokens], 1) + pool.positional_embedding.to(tokens.dtype)
    count, length, channels = tokens.shape
    heads = pool.num_heads
    query = (
        pool.q_proj(tokens[:, :1]).view(count, 1, heads, channels // heads).transpose(1, 2)
    )  # n heads 1 c/heads
    key = (
        pool.k_proj(tokens).view(count, length, heads, channels // heads).transpose(1, 2)
    )  # n heads t c/heads
    value = pool.v_proj(tokens).view(count, length, heads, channels // heads).transpose(1, 2)
    weights = (query @ key.transpose(2, 3) * (channels // heads) ** -0.5).softmax(3)  # n heads 1 t
    return pool.c_proj((weights @ value).flatten(1))  # n d


def concept_losses(cosines: Tensor, rows: Tensor, truth: "Truth", bias: Tensor) -> dict[str, Tensor]:
    """Losses of the cosines with every concept direction.

    Args:
        cosines: float32, n x (len(WORDS) + 1).
        rows: int64 n, which scenes they are of.
        truth: what is true of all scenes.
        bias: of the presence logits.

    Returns:
        Cross-entropies of the target's class, the scene, the target's finish and colour (each over the cosines of
        its own words), the balanced binary cross-entropy of every word's presence, and the softplus of what no
        picture shows.
    """
    logits = SCALE * cosines
    losses = {}
    for name, words in truth.words.items():
        labels = truth.labels[name][rows]
        known = labels >= 0
        picked = logits[:, words][known]
        losses[name] = F.cross_entropy(picked, labels[known]) if bool(known.any()) else logits.sum() * 0
    present = truth.present[rows].float()
    weights = truth.certain[rows] * torch.where(present > 0, truth.weight_present, truth.weight_absent)
    presence = F.binary_cross_entropy_with_logits(logits[:, :-1] + bias, present, reduction="none")
    losses["presence"] = (presence * weights).mean(0) @ truth.word_shares
    losses["nothing"] = F.softplus(logits[:, -1] + bias).mean()
    return losses


class Truth:
    """What is true of every scene, as tensors on one device."""

    def __init__(self, examples: Examples, device: str = "cpu") -> None:
        self.present = torch.from_numpy(examples.present).to(device)
        self.certain = torch.from_numpy(examples.certain).to(device)
        share = self.present.float().mean(0).clamp(0.005, 0.995)
        self.weight_present = (0.5 / share).clamp(max=HEAVIEST)
        self.weight_absent = (0.5 / (1 - share)).clamp(max=HEAVIEST)
        # Every category counts the same: eleven colours are not drowned by fifty objects.
        sizes = [len(VOCABULARY[concept.category]) for concept in concepts(absent=False)]
        self.word_shares = (1 / torch.tensor(sizes, device=device)) / len(CATEGORIES)
        vocabularies = {"object": CLASSES, "scene": SCENES, "finish": FINISHES, "colour": COLOURS}
        self.words = {name: torch.tensor([COLUMN[w] for w in words]) for name, words in vocabularies.items()}
        of = {
            "object": examples.target,
            "scene": examples.scene,
            "finish": examples.finish,
            "colour": examples.colour,
        }
        self.labels = {name: torch.from_numpy(labels).to(device) for name, labels in of.items()}


def train_image_tower(
    tower: ModifiedResNet,
    examples: Examples,
    curriculum: Curriculum,
    *,
    steps: int,
    seed: int = 0,
    device: str = "cpu",
    progress: Callable[[str], None] = print,
    every: int = 150,
) -> tuple[ModifiedResNet, Tensor]:
    """Train `tower` so that its embedding's cosines with learned directions say which words are true.

    Args:
        tower: freshly initialised; not changed.
        examples: what `curriculum` draws from.
        steps: batches of 64.

    Returns:
        The exponential average of the tower, in evaluation mode, and the directions, (len(WORDS) + 1) x d.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    images, truth = torch.from_numpy(examples.images), Truth(examples, device)
    for name, parameter in tower.named_parameters():
        if name.endswith("bn3.weight"):
            nn.init.ones_(parameter)  # residual branches that start at nothing learn far too slowly here
    model = (
        TowerAndConcepts(tower, ConceptDirections(tower.output_dim))
        .to(device)
        .to(memory_format=torch.channels_last)
    )
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(AVERAGING), use_buffers=True)
    optimiser = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps, pct_start=0.2)
    started = time.process_time()
    smooth: dict[str, float] = {}
    for step, rows in enumerate(curriculum.batches(BATCH, steps, generator), start=1):
        x = vary(normalise(images[rows].to(device)), generator, shift=6)
        with torch.autocast(device, torch.bfloat16):
            embedding = embed(model.tower, x)
        cosines = F.normalize(embedding.float(), dim=1) @ model.concepts.directions().T  # n d -> n words+1
        losses = concept_losses(cosines, rows.to(device), truth, model.concepts.bias)
        loss = torch.stack([LOSS_WEIGHTS[name] * value for name, value in losses.items()]).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        average.update_parameters(model)
        for name, value in losses.items():
            smooth[name] = 0.97 * smooth.get(name, value.item()) + 0.03 * value.item()
        if step % every == 0 or step == steps:
            told = " ".join(f"{name} {value:.3f}" for name, value in smooth.items())
            progress(f"{step}/{steps} {told} cpu {time.process_time() - started:.0f} s")
    trained = average.module.eval().requires_grad_(False)
    assert isinstance(trained, TowerAndConcepts)
    return trained.tower, trained.concepts.directions()
