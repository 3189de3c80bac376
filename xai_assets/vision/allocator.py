"""Keeping freed memory for the next forward pass, instead of giving it back to the system each time.

glibc maps every large activation anew and unmaps it when it is freed, so that a network on a CPU spends much of its
time on page faults: resnet50 forward passes were measured to take 1.1 to 2 times as long without this. It holds for
the whole process, and the process keeps the memory of its largest pass: it is for programs to call at their start,
never for a library at import.
"""

import ctypes

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_MMAP_ABOVE = 1 << 30
_TRIM_ABOVE = (1 << 31) - 1


def keep_freed_memory() -> bool:
    """Tell glibc's allocator to; False where the C library has no such setting (musl, macOS, Windows)."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # no such function, or no C library that can be asked
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _MMAP_ABOVE)) and bool(mallopt(_M_TRIM_THRESHOLD, _TRIM_ABOVE))
