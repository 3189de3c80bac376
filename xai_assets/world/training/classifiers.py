"""Training of Diorama's two classifiers, of objects and of scenes."""

import time
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from xai_assets.vision.diorama_net import DioramaResNet, resnet10
from xai_assets.world.training.batches import Curriculum, normalise, vary
from xai_assets.world.training.examples import Examples

Network = TypeVar("Network", bound=nn.Module)

WIDTH = 32
BATCH = 64
LEARNING_RATE = 0.004
WEIGHT_DECAY = 0.05
AVERAGING = 0.995
LABEL_SMOOTHING = 0.05


def train_classifier(
    examples: Examples,
    labels: Tensor,
    num_classes: int,
    curriculum: Curriculum,
    *,
    steps: int,
    seed: int = 0,
    device: str = "cpu",
    progress: Callable[[str], None] = print,
    every: int = 150,
) -> DioramaResNet:
    """Train a ResNet-10 from nothing and return the exponential average of its weights, in evaluation mode.

    AdamW with a one-cycle learning rate, cross-entropy with smoothed labels, bfloat16 autocast.

    Args:
        examples: what `curriculum` draws from.
        labels: int64 (n,), one a scene.
        num_classes: outputs.
        steps: batches of 64.
        progress: called with a line of text every `every` steps.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    images = torch.from_numpy(examples.images)
    network = resnet10(WIDTH, num_classes).to(device).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps, pct_start=0.2)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGING), use_buffers=True)
    started, smooth = time.process_time(), 0.0
    for step, rows in enumerate(curriculum.batches(BATCH, steps, generator), start=1):
        x = vary(normalise(images[rows].to(device)), generator, shift=10, light=0.2)
        with torch.autocast(device, torch.bfloat16):
            logits = network(x)  # n 3 h w -> n k
        loss = F.cross_entropy(logits.float(), labels[rows].to(device), label_smoothing=LABEL_SMOOTHING)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        average.update_parameters(network)
        smooth = loss.item() if step == 1 else 0.98 * smooth + 0.02 * loss.item()
        if step % every == 0 or step == steps:
            progress(f"{step}/{steps} loss {smooth:.3f} cpu {time.process_time() - started:.0f} s")
    trained = average.module
    assert isinstance(trained, DioramaResNet)
    return settled(trained)


def settled(network: Network) -> Network:
    """The network in evaluation mode, without gradients."""
    return network.eval().requires_grad_(False)
