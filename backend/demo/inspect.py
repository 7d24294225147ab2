"""What the installed program finds when it looks at itself, as JSON: the inner half of ``doctor``.

python -m scumble.backend.demo.inspect
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from scumble.shared.errors import ScumbleError

Finding = dict[str, str]


def finding(what: str, status: str, found: str, todo: str = "") -> Finding:
    """One line of the doctor's report; ``status`` is ok, note, missing or wrong."""
    return {"what": what, "status": status, "found": found, "todo": todo}


def torch_version() -> Iterator[Finding]:
    """PyTorch and the device that it would use."""
    import torch

    yield finding("PyTorch", "ok", f"{torch.__version__}, {torch.get_num_threads()} threads")


def weights() -> Iterator[Finding]:
    """The networks that ship with Scumble, read and verified."""
    from scumble.backend.models import bundled

    names = list(bundled.index())
    for name in names:
        bundled.bundled(name)
    yield finding("networks", "ok", f"{', '.join(names)} (verified)")


def styles() -> Iterator[Finding]:
    """The gallery, and the user's own pictures."""
    from scumble.backend.styles import gallery_index

    found = gallery_index.gallery()
    own = sum(style.source == "user" for style in found)
    for warning in found.warnings:
        yield finding("style", "note", warning)
    status = "ok" if len(found) > own else "wrong"
    text = f"{len(found) - own} in the gallery, {own} of your own in {gallery_index.user_folder()}"
    yield finding("styles", status, text)


def backend() -> Iterator[Finding]:
    """Whether a backend runs, and how it is."""
    from scumble.shared import launch

    now = launch.status()
    if not now.running:
        yield finding("backend", "ok", "not running; it starts when it is needed")
    elif now.state in ("silent", "failed"):
        yield finding(
            "backend",
            "wrong",
            f"process {now.pid} does not work ({now.state})",
            f"look at its log: {now.log}",
        )
    else:
        yield finding("backend", "ok", f"{now.state}, process {now.pid}, version {now.version}")


CHECKS: dict[str, Callable[[], Iterator[Finding]]] = {
    "PyTorch": torch_version,
    "networks": weights,
    "styles": styles,
    "backend": backend,
}


def inspect() -> dict[str, Any]:
    """All findings; a check that fails becomes one itself."""
    findings: list[Finding] = []
    for what, check in CHECKS.items():
        try:
            findings += check()
        except ScumbleError as error:
            findings.append(finding(what, "wrong", error.message, error.hint))
        except Exception as error:  # whatever is broken, the other findings are still worth having
            said = f"{type(error).__name__}: {error}".partition("\n")[0]
            findings.append(finding(what, "wrong", said, "python3 -m installer setup --refresh"))
    return {"findings": findings, "gpu": _gpu()}


def _gpu() -> str:
    try:
        import torch

        return torch.cuda.get_device_name(0) if torch.cuda.is_available() else ""
    except Exception:  # a broken driver is a finding elsewhere
        return ""


def main() -> int:
    """Print the findings."""
    json.dump(inspect(), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
