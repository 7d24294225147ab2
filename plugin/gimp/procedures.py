"""A call of a procedure: from its arguments to a new layer and the return values, whatever happens."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gi.repository import Gimp, GLib, GObject

from scumble.plugin.common import annotation
from scumble.plugin.common.annotation import RunSettings
from scumble.plugin.common.build import Built, build
from scumble.plugin.common.failures import explain
from scumble.plugin.common.forms import margin
from scumble.plugin.common.regions import RegionEntry, RegionList
from scumble.plugin.common.sources import CURRENT, EVERYTHING, LayerStyle, MaskSource
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.framing import plain
from scumble.shared.messages import StylizeResult

from . import arguments, gegl, log, main, masks, names, registered
from .arguments import Given
from .document import Document, check_layer, has_selection
from .engine_arguments import Held, for_procedure
from .running import Conversation

#: The caller's own mistakes; everything else is a failure of execution.
_CALLING = frozenset(
    {
        Code.BAD_REQUEST,
        Code.UNKNOWN_ENGINE,
        Code.UNKNOWN_STYLE,
        Code.UNKNOWN_OPTION,
        Code.OPTION_OUT_OF_RANGE,
        Code.UNSUPPORTED_FORMAT,
        Code.FILE_MISSING,
    }
)
#: Where the settings keep what "Repeat Last" repeats.
LAST = "last_run"
EDITOR = "gimp"


@dataclass
class Times:
    """Seconds by what they went into, for the report."""

    began: float = field(default_factory=lambda: main.began)
    seconds: dict[str, float] = field(default_factory=dict)

    def lap(self, name: str, since: float) -> float:
        """Add the time since then; now."""
        now = time.monotonic()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - since
        return now


@dataclass(frozen=True)
class Choice:
    """What a call is to do, from arguments or a dialog.

    :param entries: gives the regions, asked once the image may be looked at.
    """

    engine: str
    options: Mapping[str, Any]
    entries: Callable[[Document], Sequence[RegionEntry]]
    seed: int = 0
    name: str = ""


def fixed(entries: Sequence[RegionEntry]) -> Callable[[Document], Sequence[RegionEntry]]:
    """For :class:`Choice`: regions that are known already."""
    return lambda _: entries


class Bar:
    """GIMP's progress bar; nothing is drawn twice."""

    def __init__(self, text: str) -> None:
        self._text, self._fraction = text, -1.0
        Gimp.progress_init(text)

    def show(self, text: str, fraction: float | None) -> None:
        """See :class:`~.running.Bar`."""
        if text and text != self._text:
            self._text = text
            Gimp.progress_set_text(text)
        if fraction is None:
            Gimp.progress_pulse()
        elif abs(fraction - self._fraction) >= 0.002:
            self._fraction = fraction
            Gimp.progress_update(fraction)


def call(procedure: Any, run_mode: Any, image: Any, drawables: Sequence[Any], config: Any) -> Any:
    """Run a procedure; its return values.  Nothing is raised and nothing left unsaid."""
    interactive = run_mode == Gimp.RunMode.INTERACTIVE
    try:
        gegl.start()
        _fill(config)
        outcome = _BODIES[procedure.get_name()](procedure, interactive, image, list(drawables), config)
    except ScumbleError as error:
        return _failed(procedure, error, interactive)
    except Exception as error:
        log.keep()
        logging.getLogger(__name__).exception("a procedure failed")
        return _failed(procedure, error, interactive)
    # Last of all: GIMP puts the image together anew before it listens to anybody again.
    Gimp.displays_flush()
    values = procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)
    for number, (kind, value) in enumerate(outcome, 1):
        value = value() if callable(value) else value
        values.remove(number)
        values.insert(number, GObject.Value(kind, value))
    return values


def stylize(procedure: Any, interactive: bool, image: Any, drawables: list[Any], config: Any) -> Any:
    """*Stylize Selection* and *Brushwork*."""
    layer = check_layer(one(drawables))
    own = names.BRUSHWORK_ENGINE if procedure.get_name() == names.BRUSHWORK else None
    if interactive:
        from .ui.stylize import ask

        document = Document(layer)
        with Conversation() as talk:
            choice = ask(procedure, config, document, talk, own)
            return _paint(document, choice, talk, "stylize")
    style = arguments.style_of(given(config))  # before the backend is asked for anything
    strength = config.get_property("strength")
    engine = own or config.get_property("engine")
    choice = Choice(
        engine,
        options(procedure, config, engine),
        lambda document: [RegionEntry("r1", present(document), style, "", strength)],
        config.get_property("seed"),
        config.get_property("layer-name"),
    )
    with Conversation() as talk:
        return _paint(Document(layer), choice, talk, "stylize")


def regions(procedure: Any, interactive: bool, image: Any, drawables: list[Any], config: Any) -> Any:
    """*Stylize Regions*."""
    from .groups import find

    kind = config.get_property("masks")
    group, layer = find(one(drawables), config.get_property("group"), kind == names.GROUP or interactive)
    layer = check_layer(layer)
    document = Document(layer)
    if interactive:
        from .ui.regions import ask

        with Conversation() as talk:
            return _paint(document, ask(procedure, config, document, group, talk), talk, "regions")
    from .groups import mask_names

    there = mask_names(kind, image, group)
    entries = masks.entries(kind, there, masks.parse(config.get_property("regions")))
    engine = config.get_property("engine")
    choice = Choice(
        engine,
        options(procedure, config, engine),
        lambda _: entries,
        config.get_property("seed"),
        config.get_property("layer-name"),
    )
    with Conversation() as talk:
        return _paint(document, choice, talk, "regions")


def repeat(procedure: Any, interactive: bool, image: Any, drawables: list[Any], config: Any) -> Any:
    """*Repeat Last*."""
    layer = check_layer(one(drawables))
    with Conversation() as talk:
        last = talk.settings.get(EDITOR, LAST)
        parsed = annotation.parse(last["settings"]) if _is_last(last) else annotation.Parsed(None)
        settings = parsed.settings
        if settings is None:
            raise ScumbleError(
                Code.BAD_REQUEST,
                "There is nothing to repeat yet.",
                "Use Filters > Scumble > Stylize Selection first.",
            )
        found = RegionList.of(settings).snapshot()

        def entries(document: Document) -> Sequence[RegionEntry]:
            if last["kind"] == "regions":
                return found
            return [RegionEntry("r1", present(document), found[0].style, found[0].label, found[0].strength)]

        choice = Choice(settings.engine, settings.options, entries, settings.seed)
        return _paint(Document(layer), choice, talk, last["kind"])


def held(procedure: Any, config: Any) -> Held:
    """The engine's options in a procedure's arguments."""
    return Held(config, for_procedure(registered.declared(), procedure.get_name()))


def options(procedure: Any, config: Any, engine: str) -> dict[str, Any]:
    """Those of a call without a dialog; raises ``bad_request``, ``unknown_option``."""
    there = held(procedure, config)
    there.refuse_strangers(engine)
    return there.read(engine)


def present(document: Document) -> MaskSource:
    """The selection, or the whole layer where nothing is selected."""
    return CURRENT if has_selection(document.image) else MaskSource(EVERYTHING)


def given(config: Any) -> Given:
    """The arguments that name a style."""
    file, drawable = config.get_property("style-file"), config.get_property("style-drawable")
    path = (file.get_path() or "") if file is not None else ""
    if file is not None and not path:
        raise ScumbleError(
            Code.FILE_MISSING, "The style's file is not on this computer.", "Save it here, and choose that."
        )
    layer = None
    if drawable is not None:
        layer = LayerStyle(str(drawable.get_id()), drawable.get_image().get_name(), drawable.get_name())
    return Given(
        config.get_property("style"),
        path,
        layer,
        config.get_property("style-words"),
        config.get_property("style-from"),
    )


def _paint(document: Document, choice: Choice, talk: Conversation, kind: str) -> Any:
    times = Times()
    mark = times.lap("start", times.began)
    bar = Bar("Scumble")
    try:
        description = talk.offered(bar)
        mark = times.lap("describe", mark)
        built = _build(document, choice, description)
        mark = times.lap("build", mark)
        times.seconds["pixels"] = document.waited
        result = talk.stylize(built, bar)
        mark = times.lap("job", mark)
        layer = document.insert(result, choice.name or built.settings.name, built.settings)
        mark = times.lap("insert", mark)
        _remember(talk, kind, built.settings)
        times.lap("finish", mark)
    finally:
        document.close()
        Gimp.progress_end()
    return [
        (Gimp.Layer, layer),
        (GObject.TYPE_STRING, lambda: report(times, result, built)),  # when all is done
    ]


def _build(document: Document, choice: Choice, description: Mapping[str, Any]) -> Built:
    form = arguments.engine_form(description, choice.engine)
    options = arguments.checked(form, choice.options)
    entries = choice.entries(document)
    allowed = {f.name for f in form.fields if f.spec.per_region}
    for entry in entries:
        arguments.checked(form, entry.options)
        wrong = [name for name in entry.options if name not in allowed]
        if wrong:
            raise ScumbleError(
                Code.UNKNOWN_OPTION,
                f"{form.label}: {wrong[0][:60]!r} holds for the whole layer, not for a region.",
                "Give it in the argument options.",
            )
    wide = margin(description, form.engine, options, [entry.options for entry in entries])
    return build(
        document,
        entries,
        engine=form.engine,
        options=options,
        seed=choice.seed,
        margin=wide,
        version=log.version(),
    )


def report(times: Times, result: StylizeResult, built: Built) -> str:
    """The return value: JSON with seconds, the backend's own report, and what was left out.

    ``warm`` says whether a process stood by for this call (:mod:`.standby`), ``ended`` when the plug-in had
    done all that it does, by the clock that ``time.monotonic`` reads.
    """
    rounded = {name: round(seconds, 4) for name, seconds in times.seconds.items()}
    data = {
        "seconds": rounded,
        "warm": main.warm,
        "ended": round(time.monotonic(), 4),
        "origin": list(result.origin),
        "size": [result.layer.width, result.layer.height],
        "sent": [built.rect.width, built.rect.height],
        "skipped": list(built.skipped),
        "backend": plain(dict(result.report)),
    }
    return json.dumps(data, ensure_ascii=False, default=str)


def _remember(talk: Conversation, kind: str, settings: RunSettings) -> None:
    talk.settings.set(EDITOR, LAST, {"kind": kind, "settings": annotation.dump(settings)})
    try:
        talk.settings.save()
    except ScumbleError:
        log.keep()
        logging.getLogger(__name__).warning("the settings could not be saved")


def _is_last(last: Any) -> bool:
    return (
        isinstance(last, dict)
        and isinstance(last.get("settings"), str)
        and last.get("kind") in ("stylize", "regions")
    )


def _fill(config: Any) -> None:
    """Texts that are not given: GIMP says "" where it has just asked the plug-in what it has, and nothing
    at all where it remembers that from an earlier start."""
    for argument in config.list_properties():
        if argument.value_type == GObject.TYPE_STRING and config.get_property(argument.name) is None:
            with contextlib.suppress(TypeError):  # the procedure's own name cannot be written
                config.set_property(argument.name, argument.get_default_value() or "")


def one(drawables: list[Any]) -> Any:
    """The only one; raises ``bad_request`` for none and for several."""
    if len(drawables) != 1:
        raise ScumbleError(
            Code.BAD_REQUEST,
            "No layer is chosen." if not drawables else f"{len(drawables)} layers are chosen at once.",
            "Choose one layer in the layers dialog.",
        )
    return drawables[0]


def _failed(procedure: Any, error: Exception, interactive: bool) -> Any:
    failure = explain(error)
    status = Gimp.PDBStatusType
    if failure.code is Code.CANCELLED:
        return procedure.new_return_values(status.CANCEL, None)
    # GIMP shows the text of both, but calls the first a fault of whoever called.
    kind = status.CALLING_ERROR if failure.code in _CALLING and not interactive else status.EXECUTION_ERROR
    domain = GLib.quark_from_string("scumble")
    return procedure.new_return_values(kind, GLib.Error.new_literal(domain, failure.text, 0))


def _select(*call: Any) -> Any:
    from .subject import select

    return select(*call)


def _points(*call: Any) -> Any:
    from .points import select

    return select(*call)


def _backend(*call: Any) -> Any:
    from .keeper import backend

    return backend(*call)


_BODIES: dict[str, Callable[..., Any]] = {
    names.STYLIZE: stylize,
    names.BRUSHWORK: stylize,
    names.REGIONS: regions,
    names.REPEAT: repeat,
    names.SELECT: _select,
    names.POINTS: _points,
    names.BACKEND: _backend,
}
