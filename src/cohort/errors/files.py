"""Files as text: what is no plain file, or larger than any that is meant, is refused before it is opened."""

from __future__ import annotations

import errno
import os
import stat

MOST_BYTES = 64 * 2**20  # no file that is read whole is larger


def file_text(path: str | os.PathLike[str], encoding: str = "utf-8") -> str:
    """Return the text of a file.

    Parameters
    ----------
    path : path
        The file.
    encoding : str
        How it is encoded.

    Returns
    -------
    str
        All of it.

    Raises
    ------
    OSError
        If it cannot be read, or is a pipe or a device, which might never end, or is larger than
        `MOST_BYTES`; its ``strerror`` says which.
    UnicodeDecodeError
        If it is encoded otherwise.
    TypeError
        If it is no path: a whole number, which would be a file that is open already, is none.

    Examples
    --------
    >>> file_text("/dev/null")
    Traceback (most recent call last):
    OSError: [Errno 22] it is no regular file: '/dev/null'
    """
    path = os.fspath(path)
    try:
        about = os.stat(path)
    except ValueError:  # a null character, or half a surrogate pair
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "") from None
    if not stat.S_ISREG(about.st_mode) and not stat.S_ISDIR(about.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", path)
    if about.st_size > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it is larger than {MOST_BYTES // 2**20} MiB", path)
    with open(path, encoding=encoding) as file:
        return file.read()
