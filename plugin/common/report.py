"""The text behind "copy report": what whoever helps needs to know, and nothing about the user.

Names, folders, addresses, keys and ids are taken out (:mod:`.redact`); pictures' names and words typed
as a style are never put in.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zmq

from scumble.shared.framing import PROTOCOLS, plain
from scumble.shared.messages import StylizeRequest

from .annotation import RunSettings
from .failures import Failure
from .redact import Redactor
from .sources import BlendedStyle, FileStyle, GalleryStyle, LayerStyle, StyleSource

_LINES, _LINE, _TAIL = 40, 400, 64 * 1024


@dataclass(frozen=True)
class Facts:
    """What a report is made of; what is not known is left out.

    :param editor: name and version, such as ``"Krita 5.2.9"``.
    :param version: Scumble's.
    :param condition: what the backend last said about itself (``JobSession.condition``).
    :param device: of the answer to ``describe``.
    :param timings: of a result's report: seconds by stage.
    :param log: the last lines of the backend's log.
    """

    editor: str = ""
    version: str = ""
    failure: Failure | None = None
    status: str = ""
    settings: RunSettings | None = None
    layer: str = ""
    condition: Mapping[str, Any] = field(default_factory=dict)
    device: Any = None
    timings: Mapping[str, Any] = field(default_factory=dict)
    log: Sequence[str] = ()


def layer_text(request: StylizeRequest) -> str:
    """A request's layer in words: size, place and kind, no pixels."""
    layer = request.layer
    return (
        f"{layer.width} x {layer.height} {layer.layout}/{layer.dtype} {layer.transfer}"
        f" at {request.origin} on {request.canvas[0]} x {request.canvas[1]},"
        f" {len(request.regions)} region(s)"
    )


def last_lines(file: Path, lines: int = _LINES) -> list[str]:
    """The end of a log; one line that says why if it cannot be read."""
    try:
        with open(file, "rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - _TAIL))
            text = stream.read(_TAIL).decode("utf-8", "replace")
    except OSError as error:
        return [f"(no log: {error.strerror or 'no access'})"]
    return [line[:_LINE] for line in text.splitlines()[-lines:]]


def report(facts: Facts, redact: Redactor | None = None) -> str:
    """The report as text, redacted."""
    lines = ["Scumble report", *_versions(facts)]
    failure = facts.failure
    if failure is not None:
        again = "yes" if failure.retry else "no"
        lines += [
            f"error: {failure.code.value} (try again: {again})",
            f"  {failure.sentence}",
            f"  {failure.hint}",
        ]
    if facts.status:
        lines.append(f"status: {facts.status}")
    if facts.settings is not None:
        lines += _settings(facts.settings)
    if facts.layer:
        lines.append(f"layer: {facts.layer}")
    for name, value in (("device", facts.device), ("backend", facts.condition), ("seconds", facts.timings)):
        if value:
            lines.append(f"{name}: {_compact(value)}")
    if facts.log:
        lines += ["log:", *(f"  {line[:_LINE]}" for line in list(facts.log)[-_LINES:])]
    return (redact or Redactor.of_this_user())("\n".join(lines)) + "\n"


def _versions(facts: Facts) -> list[str]:
    return [
        f"scumble: {facts.version or 'unknown'}, protocol {', '.join(map(str, PROTOCOLS))}",
        f"editor: {facts.editor or 'none'}",
        f"python: {platform.python_version()} ({sys.platform})",
        f"system: {platform.system()} {platform.release()} {platform.machine()}",
        f"pyzmq: {zmq.__version__}, libzmq {zmq.zmq_version()}",
    ]


def _settings(settings: RunSettings) -> list[str]:
    lines = [f"engine: {settings.engine}, seed {settings.seed}, options {_options(settings.options)}"]
    for number, region in enumerate(settings.regions, 1):
        own = f", options {_options(region.options)}" if region.options else ""
        lines.append(
            f"  region {number}: {region.mask.kind}, {_style(region.style)},"
            f" strength {region.strength:g}{own}"
        )
    return lines


def _style(style: StyleSource) -> str:
    """A style's kind; its name only if it is the gallery's."""
    if isinstance(style, GalleryStyle):
        return f"gallery {style.id}"
    if isinstance(style, BlendedStyle):
        return "blend of " + " + ".join(f"{_style(part)} x {weight:g}" for part, weight in style.parts)
    if isinstance(style, FileStyle):
        return "a file"
    return "a layer" if isinstance(style, LayerStyle) else f"{len(style.prompt)} characters of text"


def _options(options: Mapping[str, Any]) -> str:
    # A text may be anything that the user typed; words of a choice look like words of a program.
    shown = {
        key: value if not isinstance(value, str) or _is_word(value) else f"({len(value)} characters)"
        for key, value in options.items()
    }
    return _compact(shown)


def _is_word(text: str) -> bool:
    return len(text) <= 40 and text.replace("-", "").replace("_", "").isalnum()


def _compact(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))[:2000]
