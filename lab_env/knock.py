"""Ask the room B server to do one grading job; end as the job ends.

``python -I -S knock.py SOCKET JOB.json``. Run by path and light on purpose: it stands
for a whole job in the engine. Killed, it takes its job with it; what the job prints
goes where its own output goes.
"""

import os
import socket
import sys

OUR_FAULT = 3


def main(address: str, job_file: str) -> int:
    """Return the exit code of the job; 3 if the server is gone."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as end:
        try:
            end.connect(address)
            socket.send_fds(end, [os.path.abspath(job_file).encode()], [1, 2])
            answer = end.recv(16)
        except OSError as error:
            answer, reason = b"", error.strerror
        else:
            reason = "it ended before the job did"
    if not answer:
        print(f"The grading server is gone: {reason}.", file=sys.stderr)
        return OUR_FAULT
    # A job that was killed has a negative code.
    return int(answer) & 0xFF


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
