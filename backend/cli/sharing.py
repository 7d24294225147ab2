"""``scumble backend share`` and ``scumble backend listen``: painting for other machines.

``share`` makes a key file for somebody, which their editor's settings ask for: where the backend is, its
public key, and a pair of keys of their own (``docs/protocol.md``, 5.3).  ``listen`` runs the backend for
all who have one.  The server's own key is made once and kept, so key files stay good.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path

from scumble.shared import paths
from scumble.shared.connection import Connection, KeyPair, connection_text
from scumble.shared.errors import Code, ScumbleError

#: Below the settings folder: the server's secret key, and the public keys of those who may come.
SECRET, GUESTS = "server.key", "guests.txt"
PORT = 5599


def add_share(parser: argparse.ArgumentParser) -> None:
    """Set up the parser of ``share``."""
    parser.add_argument("file", type=Path, help="the key file to write; it holds a secret")
    parser.add_argument(
        "--address",
        required=True,
        metavar="NAME[:PORT]",
        help=f"how this machine is called by others, such as studio.local (port {PORT} unless it is given)",
    )
    parser.add_argument("--for", dest="guest", default="", metavar="WHO", help="a note in the list of keys")


def add_listen(parser: argparse.ArgumentParser) -> None:
    """Set up the parser of ``listen``."""
    parser.add_argument("--port", type=int, default=PORT, help="where to listen (default: %(default)s)")
    parser.add_argument(
        "--host", default="0.0.0.0", help="on which of this machine's addresses (default: all)"
    )
    parser.add_argument("--device", help="where to compute: cpu, cuda, ... (default: the best there is)")


def share(args: argparse.Namespace) -> int:
    """Write a key file and let its owner in."""
    endpoint = _endpoint(args.address)
    folder = _folder()
    server = _server(folder / SECRET)
    guest = KeyPair.new()
    if args.file.exists():
        raise ScumbleError(
            Code.BAD_REQUEST, "There is a file of that name already.", "Choose another name, or delete it."
        )
    with _naming(args.file):
        paths.write_private(args.file, connection_text(Connection(endpoint, server.public, guest)))
    note = " ".join(args.guest.split())[:60]
    with _naming(folder / GUESTS):
        with open(folder / GUESTS, "a", encoding="utf-8") as stream:
            stream.write(f"{guest.public} {note}".rstrip() + "\n")
    port = endpoint.rpartition(":")[2]
    print(
        f"{args.file} lets one person use the backend of this machine. It holds a secret: hand it over "
        "safely,\nand have it readable by them alone (chmod 600). They choose it in the editor's settings.\n"
        f"To paint for them, keep this running here: scumble backend listen --port {port}\n"
        f"To lock them out, delete the line with their key from {folder / GUESTS} and listen anew."
    )
    return 0


def listen(args: argparse.Namespace) -> int:
    """Run the backend for all who have a key file, until it is interrupted."""
    folder = _folder()
    if not (folder / GUESTS).is_file():
        raise ScumbleError(
            Code.BAD_REQUEST,
            "Nobody has a key file for this machine yet.",
            "Make one first: scumble backend share FILE --address NAME",
        )
    _server(folder / SECRET)
    if not 1 <= args.port <= 65535:
        raise ScumbleError(Code.BAD_REQUEST, "A port is a number from 1 to 65535.", f"Take {PORT}.")
    from scumble.backend.server.main import main
    from scumble.shared.connection import lock_path
    from scumble.shared.lock import is_held

    if is_held(lock_path()):
        raise ScumbleError(
            Code.BUSY,
            "A backend for this machine alone runs already.",
            "End it first: scumble backend stop",
        )
    host = f"[{args.host}]" if ":" in args.host and not args.host.startswith("[") else args.host
    words = ["--bind", f"tcp://{host}:{args.port}", "--idle", "0"]
    words += ["--authorized", str(folder / GUESTS), "--secret", str(folder / SECRET)]
    words += ["--device", args.device] if args.device else []
    print(f"Listening at port {args.port}; Ctrl+C ends it.", flush=True)
    return main(words)


def _endpoint(address: str) -> str:
    address = address.strip().removeprefix("tcp://").rstrip("/")
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or address.endswith("]"):
        host, port = address, str(PORT)
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    if not host or any(c.isspace() or c == "/" for c in host) or not 1 <= int(port) <= 65535:
        raise ScumbleError(
            Code.BAD_REQUEST,
            "The address cannot be understood.",
            f"Write it as name or name:port, such as studio.local:{PORT}.",
        )
    return f"tcp://{host}:{port}"


def _folder() -> Path:
    return paths.private_folder(paths.config_folder())


def _server(file: Path) -> KeyPair:
    """The server's keys, made at the first time."""
    with _naming(file):
        if not file.exists():
            paths.write_private(file, KeyPair.new().secret + "\n")
        if not paths.is_private(file):
            raise ScumbleError(
                Code.BAD_REQUEST,
                f"Other users can read {file.name}, the server's secret key.",
                f"Make it readable by you alone (chmod 600), or delete it and make key files anew: {file}",
            )
        return KeyPair.of_secret(file.read_text("utf-8").strip())


@contextlib.contextmanager
def _naming(file: Path) -> Iterator[None]:
    """Turn what the system says about a file into a sentence."""
    try:
        yield
    except (OSError, UnicodeDecodeError):
        raise ScumbleError(
            Code.DISK,
            f"The file {file.name} cannot be read or written.",
            "Look whether its folder is there and yours, and the disk has room.",
        ) from None
