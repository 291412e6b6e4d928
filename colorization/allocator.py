"""The C library's allocator: by itself it gives large blocks back, and asks for them anew in every step."""

import ctypes
import os

KEPT = (
    (-4, 0),
    (-1, -1),
)  # malloc.h: M_MMAP_MAX, no mapping of its own for any block; M_TRIM_THRESHOLD, never


def keep_memory() -> bool:
    """Keep freed memory in this process: a step then works on pages that are there, without page faults.

    Under glibc alone, and not where the environment already has settings of the allocator.

    Returns:
        Whether the allocator has taken it.
    """
    if any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, another system
        return False
    taken = [mallopt(option, value) for option, value in KEPT]
    return all(taken)
