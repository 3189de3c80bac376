"""Which device to compute on."""

import torch

from xai_assets.errors import XaiError


def resolve_device(device: str) -> torch.device:
    """The device of a setting: "auto" is CUDA where there is one and else the CPU.

    Raises:
        XaiError: CUDA was asked for and is not there. It never falls back silently.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise XaiError(
            f"the device {device!r}", "torch knows no such device", "Use auto, cpu or cuda."
        ) from error
    if resolved.type == "cuda" and (resolved.index or 0) >= torch.cuda.device_count():
        raise XaiError(
            f"the device {device!r}",
            f"torch sees {torch.cuda.device_count()} CUDA devices here",
            "Use XAI_DEVICE=auto or cpu, or mend the driver.",
        )
    return resolved
