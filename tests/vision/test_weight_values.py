"""What a network takes as weights: its own kind of numbers, and no value changed on the way."""

import pytest
import torch
from torch import Tensor

from xai_assets.errors import XaiError
from xai_assets.vision.checkpoints import CheckpointMismatch, fit
from xai_assets.vision.diorama_net import resnet10

KEY = "conv1.weight"


def state() -> dict[str, Tensor]:
    torch.manual_seed(1)
    return dict(resnet10(4, 3).state_dict())


def nested(like: Tensor) -> Tensor:
    return torch.nested.nested_tensor([like, like])


UNFIT = {
    "complex with an imaginary part": lambda w: torch.complex(w, torch.ones_like(w)),
    "complex NaN": lambda w: torch.full(w.shape, complex(float("nan"), 0)),
    "complex without imaginary part": lambda w: w.to(torch.complex64),
    "float64 beyond float32": lambda w: torch.full(w.shape, 1e300, dtype=torch.float64),
    "float64 NaN": lambda w: torch.full(w.shape, float("nan"), dtype=torch.float64),
    "bfloat16 infinity": lambda w: torch.full(w.shape, float("-inf"), dtype=torch.bfloat16),
    "int8": lambda w: (w * 100).to(torch.int8),
    "uint8": lambda w: w.abs().to(torch.uint8),
    "int64": lambda w: w.to(torch.int64),
    "bool": lambda w: w > 0,
    "sparse": lambda w: w.to_sparse(),
    "sparse rows": lambda w: w.reshape(len(w), -1).to_sparse_csr(),
    "meta": lambda w: w.to("meta"),
    "quantised": lambda w: torch.quantize_per_tensor(w, 0.1, 0, torch.qint8),
    "nested": nested,
    "a NumPy array": lambda w: w.numpy(),
    "a list": lambda w: w.tolist(),
    "nothing": lambda w: None,
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # torch calls some of these kinds prototypes
@pytest.mark.parametrize("kind", UNFIT)
def test_other_numbers_are_refused_by_name_and_nothing_changes(kind: str) -> None:
    """A conversion would drop an imaginary part, make 1e300 infinite, or take int8 without its scale."""
    network, weights = resnet10(4, 3), state()
    before = network.conv1.weight.detach().clone()
    with pytest.raises(CheckpointMismatch, match=KEY) as caught:
        fit(network, {**weights, KEY: UNFIT[kind](weights[KEY])}, name="mine.pth")
    assert caught.value.what == "mine.pth"
    assert torch.equal(network.conv1.weight, before)


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2]
)
def test_every_floating_point_type_becomes_the_networks_own(dtype: torch.dtype) -> None:
    network, weights = resnet10(4, 3), state()
    fit(network, {**weights, KEY: weights[KEY].to(dtype)}, name="x")
    assert torch.equal(network.conv1.weight, weights[KEY].to(dtype).float())


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        (torch.tensor(7), 7),
        (torch.tensor(7, dtype=torch.int32), 7),
        (torch.tensor(7, dtype=torch.float16), 7),  # a whole state dict in half precision
        (torch.tensor(7.5), None),
        (torch.tensor(float("nan")), None),
        (torch.tensor(float("inf")), None),
        (torch.tensor(7 + 1j), None),
    ],
)
def test_a_counter_keeps_its_value_or_is_refused(value: Tensor, taken: int | None) -> None:
    """BatchNorm counts its batches in int64."""
    network, weights = resnet10(4, 3), state()
    weights["bn1.num_batches_tracked"] = value
    if taken is None:
        with pytest.raises(XaiError, match=r"bn1\.num_batches_tracked"):
            fit(network, weights, name="x")
    else:
        fit(network, weights, name="x")
        assert network.state_dict()["bn1.num_batches_tracked"] == taken
