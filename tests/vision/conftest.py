"""A place of its own for every test, and the Diorama weights in miniature."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.vision.server import Server, serve
from xai_assets.settings import Settings
from xai_assets.vision.diorama_net import resnet10

CLASSES = ("bird", "fish", "dog")
WIDTH = 4


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Everything below the test's own folder, on the CPU."""
    return Settings.from_environment({"XAI_DATA": str(tmp_path / "data"), "XAI_DEVICE": "cpu"})


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A world folder with an object classifier of the shipped format, four channels wide."""
    torch.manual_seed(0)
    folder = tmp_path / "world"
    folder.mkdir()
    state = {
        key: value.half() if value.is_floating_point() else value
        for key, value in resnet10(WIDTH, len(CLASSES)).state_dict().items()
    }
    metadata = {
        "architecture": "diorama/resnet10",
        "width": str(WIDTH),
        "class_names": json.dumps(CLASSES),
    }
    save_file(state, folder / "object.safetensors", metadata=metadata)
    return folder


@pytest.fixture
def noise() -> np.ndarray:
    """A picture that is neither square nor of a model's size, uint8 (90, 140, 3)."""
    return np.random.default_rng(0).integers(0, 256, (90, 140, 3), dtype=np.uint8)


@pytest.fixture
def server() -> Iterator[Server]:
    """A file server on this machine with one file, `a.bin`."""
    data = np.random.default_rng(5).bytes(100_000)
    with serve(Server({"a.bin": data})) as running:
        yield running
