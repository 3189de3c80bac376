"""Tags by which an executor knows what a step needs. They are op_tags: `tags` of an asset never reach its step."""

DEVICE = "xai/device"
CUDA = "cuda"

MODEL: dict[str, str] = {DEVICE: CUDA}
"""Runs a network over many inputs: on a GPU where there is one, else on the CPU."""

LIGHT: dict[str, str] = {DEVICE: "cpu"}
"""Reads, compares or renders: a GPU would stand idle."""
