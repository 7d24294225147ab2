"""Entry point.  Written so that a Python too old for the rest can still read it and say so."""

import sys

from .versions import unsupported


def start():  # type: () -> int
    """Check the Python version, then hand over to the real command line."""
    trouble = unsupported(sys.version_info[:2])
    if trouble:
        sys.stderr.write(trouble + "\n")
        return 2
    from .cli import main

    return main()


if __name__ == "__main__":
    sys.exit(start())
