"""See :mod:`scumble.backend.server.main`."""

import logging
import os
import sys

from .main import main

if __name__ == "__main__":
    code = main()
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    # A computation that does not look at its event may still run; taking the interpreter down around
    # it crashes in native code.  Files and lock are in order by now.
    os._exit(code)
