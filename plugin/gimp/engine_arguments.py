"""An engine's options as arguments of a procedure: typed, with range, default and help, one for each.

Which there are is taken from what the backend said last, when GIMP started (:mod:`.registered`).  The
first engine's have the options' own names (``match-color``), those of the others the engine's before it
(``semantic-parts``).  An argument at its default means "as the engine likes it".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from scumble.plugin.common.forms import Form, Spec, forms
from scumble.shared.errors import Code, ScumbleError

from . import names
from .arguments import options_of, options_text

#: Arguments that procedures have anyway.
_TAKEN = frozenset(
    {
        *("procedure", "run-mode", "image", "drawables", "num-drawables"),
        *("style", "style-file", "style-drawable", "style-words", "style-from", "strength"),
        *("masks", "group", "regions", "engine", "options", "seed", "layer-name"),
    }
)
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")


class EngineArgument(NamedTuple):
    """An argument that stands for an option.

    :param name: as GIMP wants names: small letters, digits and hyphens.
    """

    name: str
    engine: str
    spec: Spec


class Config(Protocol):
    """The arguments of a call."""

    def get_property(self, name: str) -> Any:
        """A value."""
        ...

    def set_property(self, name: str, value: Any) -> None:
        """Give it one."""
        ...


def for_procedure(description: Mapping[str, Any], procedure: str) -> tuple[EngineArgument, ...]:
    """The arguments of a procedure; none for those that do not paint, nor where nothing is known yet."""
    if procedure not in (names.STYLIZE, names.REGIONS, names.BRUSHWORK):
        return ()
    own = procedure == names.BRUSHWORK
    return of(form for form in forms(description) if (form.engine == names.BRUSHWORK_ENGINE) == own)


def of(offered: Iterable[Form]) -> tuple[EngineArgument, ...]:
    """The arguments for these engines' options; what cannot be one is left to ``options``."""
    found: dict[str, EngineArgument] = {}
    for number, form in enumerate(offered):
        for field in form.fields:
            plain = _hyphened(field.name)
            name = plain
            if number or plain in _TAKEN:
                name = f"{_hyphened(form.engine)}-{plain}"
            if field.editable and _NAME.match(name) and name not in _TAKEN:
                found.setdefault(name, EngineArgument(name, form.engine, field.spec))
    return tuple(found.values())


class Held:
    """The options as a procedure's arguments hold them.

    :param config: of the call or the dialog.
    :param known: the arguments that stand for options.
    """

    def __init__(self, config: Config, known: Sequence[EngineArgument]) -> None:
        self._config, self._known = config, known
        self.first = known[0].engine if known else ""

    @property
    def names(self) -> tuple[str, ...]:
        """Of all arguments that hold options."""
        return ("options", *(each.name for each in self._known))

    def read(self, engine: str) -> dict[str, Any]:
        """What differs from the defaults; the argument ``options`` has the last word.

        :param engine: ``""`` for the first.
        :raises ScumbleError: ``bad_request`` if ``options`` cannot be understood.
        """
        engine = engine or self.first
        found = {}
        for each in self._known:
            if each.engine == engine:
                value = self._value(each)
                if value != each.spec.default:
                    found[each.spec.name] = value
        return {**found, **options_of(self._config.get_property("options"))}

    def write(self, engine: str, options: Mapping[str, Any]) -> None:
        """Hold these; all others of this engine are put back to their defaults."""
        left = dict(options)
        for each in self._known:
            if each.engine == (engine or self.first):
                value = left.get(each.spec.name, each.spec.default)
                self._config.set_property(each.name, value)
                # A default that has changed since GIMP started would be taken for "not said".
                if value != each.spec.default:
                    left.pop(each.spec.name, None)
        self._config.set_property("options", options_text(left))

    def refuse_strangers(self, engine: str) -> None:
        """Raise ``unknown_option`` if an option of another engine was given: it would do nothing."""
        engine = engine or self.first
        for each in self._known:
            if each.engine != engine and self._value(each) != each.spec.default:
                raise ScumbleError(
                    Code.UNKNOWN_OPTION,
                    f"{each.name} is an option of the engine {each.engine}, not of {engine[:60]}.",
                    f"Leave it out, or choose the engine {each.engine}.",
                )

    def _value(self, argument: EngineArgument) -> Any:
        value = self._config.get_property(argument.name)
        return argument.spec.default if value is None else value


def _hyphened(name: str) -> str:
    return name.lower().replace("_", "-").replace(" ", "-")
