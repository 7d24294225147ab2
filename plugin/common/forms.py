"""An engine's options as a form: groups of fields with values, which an editor draws as it likes.

Built from what ``describe`` says and from nothing else, so that a new engine or option needs no change
here.  What this version does not understand is shown and left alone.  The rules are the backend's own,
checked here as well so that a wrong value is marked at once, beside its field.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from scumble.shared.errors import Code, ScumbleError

from .sources import is_number

KINDS = ("float", "int", "bool", "choice", "text")
_WORDS = {"true": True, "yes": True, "on": True, "1": True}
_WORDS |= {"false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True)
class Spec:
    """One option as ``describe`` gave it.

    :param kind: ``float``, ``int``, ``bool``, ``choice``, ``text``, or a word from a newer backend.
    :param effect: ``picture`` or ``speed``.
    :param known: whether this version can edit it; otherwise it is shown only.
    """

    name: str
    label: str
    kind: str
    default: Any
    help: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""
    group: str = ""
    effect: str = "picture"
    per_region: bool = False
    advanced: bool = False
    known: bool = True

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Spec:
        """From plain data; raises ``ValueError`` for what has not even a name."""
        name = data.get("name")
        if not isinstance(name, str) or not name:
            raise ValueError("an option without a name")
        choices = data.get("choices") or ()
        sound = isinstance(choices, (list, tuple)) and all(isinstance(c, str) for c in choices)
        for key in ("minimum", "maximum", "step"):
            sound = sound and (data.get(key) is None or is_number(data[key]))
        spec = cls(
            name=name,
            label=_text(data, "label") or name,
            kind=_text(data, "kind"),
            default=data.get("default"),
            help=_text(data, "help"),
            minimum=data.get("minimum") if sound else None,
            maximum=data.get("maximum") if sound else None,
            step=data.get("step") if sound else None,
            choices=tuple(choices) if sound else (),
            unit=_text(data, "unit"),
            group=_text(data, "group"),
            effect=_text(data, "effect") or "picture",
            per_region=data.get("per_region") is True,
            advanced=data.get("advanced") is True,
        )
        if not sound or spec.kind not in KINDS:
            return replace(spec, known=False)
        try:
            return replace(spec, default=spec.validate(spec.default))
        except ScumbleError:
            return replace(spec, known=False)

    def validate(self, value: Any) -> Any:
        """The value in its proper type; numbers and booleans may arrive as text.

        :raises ScumbleError: ``option_out_of_range`` with what would be accepted.
        """
        try:
            if self.kind == "bool":
                return value if isinstance(value, bool) else _WORDS[str(value).lower()]
            if self.kind == "text":
                if isinstance(value, str) and len(value) <= 200:
                    return value
                raise ValueError
            if self.kind == "choice":
                if value in self.choices:
                    return value
                raise ValueError
            if self.kind not in KINDS or isinstance(value, bool):
                raise ValueError
            number = float(value)
            if self.kind == "int":
                if number != int(number):
                    raise ValueError
                number = int(number)
            low = -math.inf if self.minimum is None else self.minimum
            high = math.inf if self.maximum is None else self.maximum
            if not (math.isfinite(number) and low <= number <= high):
                raise ValueError
            return number
        except (TypeError, ValueError, OverflowError, KeyError):
            raise ScumbleError(
                Code.OPTION_OUT_OF_RANGE,
                f"{self.label} cannot be {str(value)[:40]!r}.",
                f"It takes {self.accepted}.",
            ) from None

    @property
    def accepted(self) -> str:
        """What may be entered, in words."""
        if self.kind == "bool":
            return "on or off"
        if self.kind == "choice":
            return "one of " + ", ".join(self.choices)
        if self.kind == "text":
            return "a text of at most 200 characters"
        if self.kind not in KINDS:
            return "nothing here: update the plugin to change it"
        whole = "a whole number" if self.kind == "int" else "a number"
        low = "" if self.minimum is None else f" from {self.minimum:g}"
        high = "" if self.maximum is None else f" {'to' if low else 'up to'} {self.maximum:g}"
        return f"{whole}{low}{high}"


@dataclass
class Field:
    """An option with its value.

    :param base: the value it has when nobody touches it.
    :param error: why the last value was refused, ``None`` if it was not.
    """

    spec: Spec
    base: Any
    value: Any
    error: ScumbleError | None = None

    @property
    def name(self) -> str:
        """The key in the request's options."""
        return self.spec.name

    @property
    def editable(self) -> bool:
        """Whether this version can change it."""
        return self.spec.known

    @property
    def is_changed(self) -> bool:
        """Whether it differs from what it would be untouched."""
        return self.editable and bool(self.value != self.base)

    def set(self, value: Any) -> bool:
        """Give it a value; false, and the reason in ``error``, if it is refused (the old one stays)."""
        if not self.editable:
            return False
        try:
            self.value, self.error = self.spec.validate(value), None
        except ScumbleError as error:
            self.error = error
            return False
        return True

    def reset(self) -> None:
        """As if untouched."""
        self.value, self.error = self.base, None

    @property
    def shown(self) -> str:
        """The value for people, with its unit."""
        if isinstance(self.value, bool):
            return "on" if self.value else "off"
        if isinstance(self.value, float):
            text = f"{self.value:.4g}"
        else:
            text = str(self.value)[:200]
        return f"{text} {self.spec.unit}".rstrip()


@dataclass(frozen=True)
class Group:
    """Fields under one heading; those that are ``advanced`` are shown folded away."""

    name: str
    fields: tuple[Field, ...]

    @property
    def basic(self) -> tuple[Field, ...]:
        """Those to show at once."""
        return tuple(f for f in self.fields if not f.spec.advanced)

    @property
    def advanced(self) -> tuple[Field, ...]:
        """Those to fold away."""
        return tuple(f for f in self.fields if f.spec.advanced)


@dataclass(frozen=True)
class Form:
    """The options of one engine, or those of them that a region may have of its own."""

    engine: str
    fields: tuple[Field, ...]
    label: str = ""
    help: str = ""
    style_kinds: tuple[str, ...] = ("pixels",)
    _index: dict[str, Field] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._index.update({f.name: f for f in self.fields})

    @classmethod
    def parse(cls, engine: Mapping[str, Any]) -> Form:
        """The form of one engine of the answer to ``describe``; never raises."""
        specs: dict[str, Spec] = {}
        options = engine.get("options")
        for entry in options if isinstance(options, (list, tuple)) else ():
            if isinstance(entry, Mapping):
                try:
                    spec = Spec.parse(entry)
                except ValueError:
                    continue
                specs.setdefault(spec.name, spec)
        kinds = engine.get("style_kinds")
        name = _text(engine, "name")
        return cls(
            name,
            tuple(Field(spec, spec.default, spec.default) for spec in specs.values()),
            _text(engine, "label") or name,
            _text(engine, "help"),
            tuple(k for k in kinds if isinstance(k, str))
            if isinstance(kinds, (list, tuple))
            else ("pixels",),
        )

    def field(self, name: str) -> Field:
        """A field; raises ``KeyError``."""
        return self._index[name]

    @property
    def groups(self) -> tuple[Group, ...]:
        """The fields under their headings, both in the order in which the backend lists them."""
        names = dict.fromkeys(f.spec.group for f in self.fields)
        return tuple(Group(n, tuple(f for f in self.fields if f.spec.group == n)) for n in names)

    @property
    def is_changed(self) -> bool:
        """Whether any field differs from its untouched value."""
        return any(f.is_changed for f in self.fields)

    @property
    def errors(self) -> tuple[ScumbleError, ...]:
        """Why values were refused, field by field."""
        return tuple(f.error for f in self.fields if f.error is not None)

    def values(self) -> dict[str, Any]:
        """Every value that this version understands."""
        return {f.name: f.value for f in self.fields if f.editable}

    def options(self) -> dict[str, Any]:
        """What differs from the untouched values: the request's ``options``."""
        return {f.name: f.value for f in self.fields if f.is_changed}

    def reset(self) -> None:
        """All fields as if untouched."""
        for each in self.fields:
            each.reset()

    def load(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """All fields as these options say (an earlier :meth:`options`); the names that were left out."""
        self.reset()
        left = []
        for name, value in options.items():
            if name not in self._index or not self._index[name].set(value):
                left.append(name)
                if name in self._index:
                    self._index[name].error = None  # the user did not enter it
        return tuple(left)

    def for_region(self, own: Mapping[str, Any] | None = None) -> Form:
        """The form of a region: what it may have of its own, beginning with this form's values.

        :param own: what the region has already.
        """
        fields = tuple(
            Field(f.spec, f.value, f.value) for f in self.fields if f.spec.per_region and f.editable
        )
        form = Form(self.engine, fields, self.label, self.help, self.style_kinds)
        form.load(own or {})
        return form


def forms(description: Mapping[str, Any]) -> tuple[Form, ...]:
    """A form for each engine of the answer to ``describe``; never raises."""
    return tuple(form for _, form in _engines(description))


def margin(
    description: Mapping[str, Any],
    engine: str,
    options: Mapping[str, Any],
    regions: Iterable[Mapping[str, Any]] = (),
) -> int | None:
    """Pixels around the masks that an engine wants to see with these options.

    :param regions: the regions' own options.
    :returns: ``None`` for the whole layer, also where the backend does not say.
    """
    for data, form in _engines(description):
        if form.engine == engine:
            wider = data.get("wider", [])
            if type(data.get("margin")) is not int or not isinstance(wider, (list, tuple)):
                return None
            widest = data["margin"]
            for chosen in (options, *({**options, **own} for own in regions)):
                form.load(chosen)
                for entry in wider:
                    if not isinstance(entry, Mapping) or type(entry.get("margin")) is not int:
                        return None
                    if _applies(entry, form):
                        widest = max(widest, entry["margin"])
            return int(widest)
    return None


def _applies(entry: Mapping[str, Any], form: Form) -> bool:
    try:
        changed = form.field(str(entry.get("option")))
    except KeyError:
        return False
    if "value" not in entry:
        return changed.is_changed
    return bool(changed.value == entry["value"])


def _engines(description: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], Form]]:
    entries = description.get("engines")
    found = []
    for entry in entries if isinstance(entries, (list, tuple)) else ():
        if isinstance(entry, Mapping):
            form = Form.parse(entry)
            if form.engine:
                found.append((entry, form))
    return found


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""
