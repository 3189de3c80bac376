"""How much memory a computation took, as the system and the GPU's allocator tell it."""

import resource
import sys

MIB = 2**20


def peak_memory_mib(device: str = "cpu") -> int:
    """The most memory that this process has held so far, in MiB.

    Args:
        device: torch's name of what computes: for `cuda…` what PyTorch has had allocated there, else the process's
            resident set.
    """
    torch = sys.modules.get("torch")
    if device.startswith("cuda") and torch is not None:
        return int(torch.cuda.max_memory_allocated(device)) // MIB
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit // MIB


def out_of_memory(error: BaseException | None) -> bool:
    """Whether the error, or one that it came from, says that memory was not enough, on the GPU or the CPU."""
    while error is not None:
        if (
            isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
        ):  # torch's, not imported here
            return True
        if isinstance(error, RuntimeError) and "DefaultCPUAllocator: can't allocate memory" in str(error):
            return True
        error = error.__cause__
    return False
