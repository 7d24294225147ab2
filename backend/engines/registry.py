"""The engines there are, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scumble.shared.errors import Code, ScumbleError

from .base import Engine, Option

_engines: dict[str, Engine] = {}


def register(engine: Engine) -> None:
    """Add an engine; a second one of the same name is a programming error."""
    if engine.name in _engines:
        raise ValueError(f"engine {engine.name} is registered twice")
    _engines[engine.name] = engine


def engines() -> tuple[Engine, ...]:
    """All engines, in the order in which editors show them."""
    return tuple(_engines.values())


def engine(name: str) -> Engine:
    """The engine of that name; raises ``unknown_engine`` with the names there are."""
    try:
        return _engines[name]
    except KeyError:
        raise ScumbleError(
            Code.UNKNOWN_ENGINE,
            f"There is no engine called {name[:40]!r}.",
            f"Choose one of: {', '.join(_engines)}.",
        ) from None


def validated(options: tuple[Option, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every option's value, defaults filled in.

    :raises ScumbleError: ``unknown_option`` or ``option_out_of_range``.
    """
    known = {o.name: o for o in options}
    for name in given:
        if name not in known:
            raise ScumbleError(
                Code.UNKNOWN_OPTION,
                f"There is no option called {str(name)[:40]!r}.",
                f"This engine knows: {', '.join(known)}.",
            )
    return {n: o.validate(given[n]) if n in given else o.default for n, o in known.items()}
