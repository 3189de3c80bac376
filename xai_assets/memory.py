"""How much memory a computation took, as the system and the GPU's allocator tell it."""

import resource
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType

MIB = 2**20
_PROC = Path("/proc/self")


class PeakMemory:
    """The most memory that this process holds while the block runs, whatever it held before.

    Blocks may lie in one another, not side by side in threads. Where the system keeps no record that can be started anew
    (outside Linux), it is the most that the process has held since it began.

    Attributes:
        resident: of the process's resident set, in MiB.
        gpu: of what PyTorch has allocated on the GPU, in MiB; 0 where it uses none.
    """

    def __init__(self) -> None:
        self.resident = self.gpu = 0

    def __enter__(self) -> "PeakMemory":
        _note()
        _open.append(self)
        _start_anew()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _note()
        _open.remove(self)

    def mib(self, device: str) -> int:
        """Of what computes on a device, by torch's name: on `cuda…` the GPU's, else the process's."""
        return self.gpu if device.startswith("cuda") else self.resident


_open: list[PeakMemory] = []


def _note() -> None:
    """What was recorded since it was last started anew belongs to every block that is open."""
    resident, gpu = _resident_mib(), _gpu_mib()
    for block in _open:
        block.resident, block.gpu = max(block.resident, resident), max(block.gpu, gpu)


def _resident_mib() -> int:
    with suppress(OSError):
        for line in (_PROC / "status").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("VmHWM:"):  # of this program alone; getrusage has what the process was before
                return int(line.split()[1]) // 1024
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit // MIB


def _gpu_mib() -> int:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return 0
    return (
        max(int(torch.cuda.max_memory_allocated(place)) for place in range(torch.cuda.device_count())) // MIB
    )


def _start_anew() -> None:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        for place in range(torch.cuda.device_count()):
            torch.cuda.reset_peak_memory_stats(place)
    with suppress(OSError):  # not allowed, or no Linux
        (_PROC / "clear_refs").write_text("5", encoding="ascii")


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
