"""Locks between processes that the kernel gives back when their holder dies, however it dies."""

import fcntl
import os
import stat
from pathlib import Path


def try_lock(path: Path, *, shared: bool = False) -> int | None:
    """Take the lock that the file `path` stands for, without waiting.

    The lock belongs to the open file and to every process that has it: it is free again when the last of them has
    closed it or is gone.

    Args:
        path: the file; it is made where it is absent. Do not remove it while somebody could be about to lock it.
        shared: whether it is for every user of the host, who then may all write into its folder.

    Returns:
        The open file's descriptor, to be closed with `os.close`; None where somebody else has the lock.

    Raises:
        OSError: the file can be neither made nor opened.
    """
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        if shared:
            path.parent.chmod(0o777 | stat.S_ISVTX)
    handle = _open(path, 0o666 if shared else 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError:
        os.close(handle)
        raise
    return handle


def _open(path: Path, mode: int) -> int:
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        # Without O_CREAT: in a shared sticky folder Linux refuses it for another user's file that exists.
        return os.open(path, flags)
    except FileNotFoundError:
        handle = os.open(path, flags | os.O_CREAT, mode)
        os.fchmod(handle, mode)  # whatever the umask says
        return handle
