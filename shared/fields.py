"""Reading fields of a stranger's JSON: the value in its type, or ``bad_request`` with the field's name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .errors import Code, ScumbleError

_MISSING: Any = object()


def _wrong(name: str, expected: str) -> ScumbleError:
    return ScumbleError(Code.BAD_REQUEST, f"The field {name!r} should be {expected}.")


def _get(body: Mapping[str, Any], name: str, default: Any) -> Any:
    if name in body:
        return body[name]
    if default is _MISSING:
        raise ScumbleError(Code.BAD_REQUEST, f"The field {name!r} is missing.")
    return default


def text(body: Mapping[str, Any], name: str, default: Any = _MISSING, longest: int = 2_000) -> str:
    """A string of at most ``longest`` characters."""
    value = _get(body, name, default)
    if not isinstance(value, str) or len(value) > longest:
        raise _wrong(name, f"a text of at most {longest} characters")
    return value


def boolean(body: Mapping[str, Any], name: str, default: Any = _MISSING) -> bool:
    """True or false."""
    value = _get(body, name, default)
    if not isinstance(value, bool):
        raise _wrong(name, "true or false")
    return value


def integer(
    body: Mapping[str, Any], name: str, default: Any = _MISSING, low: int = -(2**31), high: int = 2**31 - 1
) -> int:
    """A whole number from ``low`` to ``high``; ``true`` is not one."""
    value = _get(body, name, default)
    if type(value) is not int or not low <= value <= high:
        raise _wrong(name, f"a whole number from {low} to {high}")
    return value


def number(body: Mapping[str, Any], name: str, default: Any = _MISSING) -> float:
    """A finite number."""
    value = _get(body, name, default)
    try:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise _wrong(name, "a number")
        return float(value)
    except OverflowError:
        raise _wrong(name, "a number") from None


def pair(body: Mapping[str, Any], name: str, default: Any = _MISSING) -> tuple[int, int]:
    """Two whole numbers of 32 bits."""
    value = _get(body, name, default)
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise _wrong(name, "two whole numbers")
    if any(type(v) is not int or not -(2**31) <= v < 2**31 for v in value):
        raise _wrong(name, "two whole numbers")
    return value[0], value[1]


def sequence(body: Mapping[str, Any], name: str, most: int, default: Any = _MISSING) -> list[Any]:
    """A list of at most ``most`` entries."""
    value = _get(body, name, default)
    if not isinstance(value, list):
        raise _wrong(name, "a list")
    if len(value) > most:
        raise ScumbleError(Code.TOO_LARGE, f"The list {name!r} has at most {most} entries.")
    return value


def mapping(body: Mapping[str, Any], name: str, default: Any = _MISSING) -> dict[str, Any]:
    """An object."""
    value = _get(body, name, default)
    if not isinstance(value, dict):
        raise _wrong(name, "an object")
    return value


def scalars(body: Mapping[str, Any], name: str, most: int = 64, longest: int = 2_000) -> dict[str, Any]:
    """An object of texts, finite numbers and booleans, such as ``options``; missing means empty."""
    value = mapping(body, name, {})
    if len(value) > most:
        raise ScumbleError(Code.TOO_LARGE, f"The object {name!r} has at most {most} entries.")
    for key, entry in value.items():
        good = isinstance(entry, (bool, int, float)) or (isinstance(entry, str) and len(entry) <= longest)
        if not good or len(key) > 100 or (isinstance(entry, float) and not math.isfinite(entry)):
            raise _wrong(name, "an object of texts, numbers and booleans")
    return dict(value)
