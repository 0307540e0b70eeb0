"""Prefect's temporary server: a process that ends with the one that started it, however that ends.

`python -P temporary_server.py FOLDER`: its database and all else of it are in FOLDER. It writes the port that it
listens on to its standard output. Its standard input is a pipe that its starter holds and never writes to: the pipe's
end means that the starter has ended, killed or not, and that the server and its folder are of no more use.
"""

import os
import shutil
import signal
import socket
import sys
import threading

HOST = "127.0.0.1"


def main() -> None:
    """Serve until the standard input ends."""
    # Ctrl-C reaches everything in the foreground: a server that stops at once leaves its starter asking it, again
    # and again, to note the interruption.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Kept open, so that no other process is given this port.
    listener = socket.create_server((HOST, 0))
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=_serve, args=(listener,), daemon=True).start()
    sys.stdin.buffer.read()
    shutil.rmtree(sys.argv[1], ignore_errors=True)
    os._exit(0)


def _serve(listener: socket.socket) -> None:
    import uvicorn

    try:
        config = uvicorn.Config("prefect.server.api.server:create_app", factory=True, log_level="error", lifespan="on")
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        # Also when it could not start: its starter waits for an answer, or for its end.
        os._exit(1)


if __name__ == "__main__":
    main()
