"""Prefect's temporary server: a process that ends with the one that started it, however that ends.

`python -P temporary_server.py FOLDER`: its database and all else of it are in FOLDER. It writes the port that it
listens on to its standard output, once it answers there. Its standard input is a pipe that its starter holds and never
writes to: the pipe's end means that the starter has ended, killed or not, and that the server and its folder are of no
more use.
"""

import os
import shutil
import signal
import socket
import sys
import threading

HOST = "127.0.0.1"
# How the line begins that tells the port.
ANSWERS_AT = "answers at port "


def main() -> None:
    """Serve until the standard input ends."""
    # Ctrl-C reaches everything in the foreground: a server that stops at once leaves its starter asking it, again
    # and again, to note the interruption.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_serve, daemon=True).start()
    sys.stdin.buffer.read()
    shutil.rmtree(sys.argv[1], ignore_errors=True)
    os._exit(0)


def _serve() -> None:
    import uvicorn

    class AnnouncingServer(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            print(f"{ANSWERS_AT}{listener.getsockname()[1]}", flush=True)
            # Nobody reads on: what is printed from now on must not fill the pipe.
            os.dup2(2, 1)

    # Kept open, so that no other process is given this port.
    listener = socket.create_server((HOST, 0))
    try:
        config = uvicorn.Config("prefect.server.api.server:create_app", factory=True, log_level="error", lifespan="on")
        AnnouncingServer(config).run(sockets=[listener])
    finally:
        # Also when it could not start: its starter waits for its word, or for its end.
        os._exit(1)


if __name__ == "__main__":
    main()
