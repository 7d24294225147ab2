"""A controller that keeps state and paints nothing: what the docker does to it can be looked at.

Its gallery, forms and regions are the real ones.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fake_picking import FakePicking

from scumble.backend import describe as described
from scumble.plugin.common.backend import Remote
from scumble.plugin.common.forms import Field, Form, forms
from scumble.plugin.common.regions import RegionList
from scumble.plugin.common.sources import (
    LAYER_ALPHA,
    SAVED,
    TRANSPARENCY_MASK,
    LayerStyle,
    MaskSource,
    StyleSource,
)
from scumble.plugin.krita.interface import (
    BackendInfo,
    BackendState,
    DocumentInfo,
    LayerChoice,
    MaskChoice,
    Output,
    Part,
    PreviewInfo,
    Snapshot,
    StyleCard,
)

_CATALOGUE: dict[str, Any] = {}


def catalogue() -> dict[str, Any]:
    """What the real backend describes, without starting it."""
    if not _CATALOGUE:
        _CATALOGUE["styles"] = described.styles()
        _CATALOGUE["engines"] = [e for e in described.engines() if not e["name"].startswith("test-")]
    return _CATALOGUE


def cards() -> tuple[StyleCard, ...]:
    """The bundled gallery."""
    return tuple(
        StyleCard(s["id"], s["name"], s["description"], tuple(s["tags"]), base64.b64decode(s["thumbnail"]))
        for s in catalogue()["styles"]
    )


class FakePort:
    """See the module.

    :ivar calls: (method, arguments) of everything that the docker asked for.
    :ivar masks: by id, a function from (id, width, height) to a picture.
    """

    def __init__(self, **state: Any) -> None:
        engines = forms(catalogue())
        document = DocumentInfo("harbour.kra", "Painting", "paintlayer", 1600, 1200, "RGB, 8-bit", (640, 420))
        ready = BackendInfo(BackendState.READY, "Ready", "CPU, 2 threads", "0.1.0")
        first = next(form for form in engines if form.engine == "partial-conv")
        base: dict[str, Any] = {
            "document": document,
            "backend": ready,
            "engines": engines,
            "engine": first.engine,
            "form": first,
            "styles": cards(),
        }
        self._state = Snapshot(**(base | state))
        self.list = RegionList(self._state.regions)
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.settings: dict[str, Any] = {}
        self.region_picture: Callable[[str, int, int], Any] = lambda id, width, height: None
        self.history_picture: Callable[[str, int, int], Any] = lambda id, width, height: None
        self.style_picture: Callable[[StyleSource], Any] = lambda style: None
        self.listeners: list[Callable[[frozenset[Part]], None]] = []
        self.picking = FakePicking(add=self.add_region)

    @property
    def state(self) -> Snapshot:
        return self._state

    def listen(self, listener: Callable[[frozenset[Part]], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def become(self, *parts: Part, **changes: Any) -> None:
        """Change the state and tell the docker."""
        self._state = replace(self._state, **changes)
        for listener in list(self.listeners):
            listener(frozenset(parts or Part))

    def called(self, name: str) -> list[tuple[Any, ...]]:
        """The arguments of each call of a method."""
        return [arguments for called, arguments in self.calls if called == name]

    def __getattr__(self, name: str) -> Any:
        # What has no effect that the docker shows is only written down.
        if name.startswith("_") or not hasattr(_names(), name):
            raise AttributeError(name)

        def note(*arguments: Any) -> None:
            self.calls.append((name, arguments))

        return note

    # -- choices ------------------------------------------------------------------------------------

    def set_engine(self, name: str) -> None:
        self.calls.append(("set_engine", (name,)))
        form = next(f for f in self._state.engines if f.engine == name)
        self.become(Part.CHOICE, engine=name, form=form)

    def set_option(self, name: str, value: Any) -> Field | None:
        self.calls.append(("set_option", (name, value)))
        form = self._state.form
        assert form is not None
        form.field(name).set(value)
        self.become(Part.CHOICE)
        return form.field(name)

    def reset_option(self, name: str) -> None:
        assert self._state.form is not None
        self._state.form.field(name).reset()
        self.become(Part.CHOICE)

    def reset_options(self) -> None:
        assert self._state.form is not None
        self._state.form.reset()
        self.become(Part.CHOICE)

    def set_style(self, style: StyleSource | None) -> None:
        self.calls.append(("set_style", (style,)))
        if self._state.picked:
            self.change_region(self._state.picked, style=style)
        else:
            self.become(Part.CHOICE, style=style)

    def set_strength(self, strength: float) -> None:
        self.calls.append(("set_strength", (strength,)))
        if self._state.picked:
            self.change_region(self._state.picked, strength=strength)
        else:
            self.become(Part.CHOICE, strength=strength)

    def set_seed(self, seed: int) -> None:
        self.become(Part.CHOICE, seed=seed)

    def set_output(self, output: Output) -> None:
        self.become(Part.CHOICE, output=output)

    def set_all_frames(self, on: bool) -> None:
        self.become(Part.CHOICE, all_frames=on)

    # -- regions ------------------------------------------------------------------------------------

    def _listed(self, **more: Any) -> None:
        self.become(Part.REGIONS, regions=self.list.snapshot(), **more)

    def add_region(self, mask: MaskSource | None = None) -> str:
        entry = self.list.add(mask or MaskSource(SAVED, str(len(self.list))), self._state.style)
        self._listed(picked=entry.id)
        return entry.id

    def change_region(self, id: str, **changes: Any) -> None:
        self.calls.append(("change_region", (id, changes)))
        self.list.change(id, **changes)
        self._listed()

    def remove_region(self, id: str) -> None:
        self.list.remove(id)
        self._listed(picked="" if id == self._state.picked else self._state.picked)

    def move_region(self, id: str, index: int) -> None:
        self.list.move(id, index)
        self._listed()

    def duplicate_region(self, id: str) -> None:
        self._listed(picked=self.list.duplicate(id).id)

    def clear_regions(self) -> None:
        self.list.clear()
        self._listed(picked="")

    def pick_region(self, id: str) -> None:
        self.calls.append(("pick_region", (id,)))
        self.become(Part.REGIONS, picked=id)

    def region_form(self, id: str) -> Form | None:
        return None if self._state.form is None else self._state.form.for_region(self.list.get(id).options)

    def set_region_option(self, id: str, name: str, value: Any) -> Field | None:
        form = self.region_form(id)
        assert form is not None
        form.field(name).set(value)
        self.list.change(id, options=form.options())
        self._listed()
        return form.field(name)

    def reset_region_options(self, id: str) -> None:
        self.list.change(id, options={})
        self._listed()

    def mask_choices(self) -> tuple[MaskChoice, ...]:
        return (
            MaskChoice(MaskSource(), "Current selection"),
            MaskChoice(MaskSource(TRANSPARENCY_MASK, "t1"), "Sky", "Transparency masks"),
            MaskChoice(MaskSource(LAYER_ALPHA, "l1"), "Lines", "A layer's alpha", "The layer is empty."),
        )

    def layer_choices(self) -> tuple[LayerChoice, ...]:
        return (
            LayerChoice(LayerStyle("l1", "", "Colour study"), "Colour study", "harbour.kra"),
            LayerChoice(LayerStyle("l2", "other", "Texture"), "Texture", "papers.kra"),
        )

    def region_thumbnail(self, id: str, width: int, height: int) -> Any:
        return self.region_picture(id, width, height)

    def history_thumbnail(self, id: str, width: int, height: int) -> Any:
        return self.history_picture(id, width, height)

    def style_thumbnail(self, style: StyleSource, width: int, height: int) -> Any:
        return self.style_picture(style)

    # -- the rest -----------------------------------------------------------------------------------

    def set_preview(self, on: bool) -> None:
        self.calls.append(("set_preview", (on,)))
        self.become(Part.PREVIEW, preview=PreviewInfo(on=on))

    def dismiss_preview(self) -> None:
        self.become(Part.PREVIEW, preview=PreviewInfo())

    def dismiss_failure(self) -> None:
        self.become(Part.FAILURE, failure=None)

    def dismiss_notices(self) -> None:
        self.become(Part.NOTICES, notices=())

    def set_remote(self, remote: Remote) -> None:
        self.calls.append(("set_remote", (remote,)))
        self.become(Part.BACKEND, backend=replace(self._state.backend, remote=remote))

    def get_setting(self, key: str, default: Any = None) -> Any:
        return self.settings.get(key, default)

    def set_setting(self, key: str, value: Any) -> None:
        self.settings[key] = value

    def backend_log(self) -> str:
        return "\n".join(f"09:1{n % 10} line {n}" for n in range(40))

    def report(self) -> str:
        return "Scumble report\nerror: internal\n"


def _names() -> Any:
    from scumble.plugin.krita.interface import ControllerPort

    return ControllerPort
