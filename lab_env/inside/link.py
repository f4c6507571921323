"""The private connection of one run: whole messages of JSON, and open files.

Both ends are ours. The trainee's code never holds one.
"""

import json
import socket
from collections.abc import Mapping, Sequence
from typing import Any

MOST_BYTES = 128 * 1024
MOST_FILES = 16


def new_pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected ends."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def tell(
    end: socket.socket, message: Mapping[str, Any], files: Sequence[int] = ()
) -> None:
    """Send one message, with copies of the open ``files``."""
    socket.send_fds(end, [json.dumps(message).encode()], files)


def hear(end: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return the next message and its open files; EOFError if the other end is gone."""
    try:
        data, files, _, _ = socket.recv_fds(
            end, MOST_BYTES, MOST_FILES, socket.MSG_CMSG_CLOEXEC
        )
    except ConnectionError:
        data, files = b"", []
    if not data:
        raise EOFError
    return json.loads(data), files
