"""Commands about what was made before: run again, take over its settings, put it back, compare."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from scumble.plugin.common.annotation import RunSettings, dump, parse
from scumble.plugin.common.regions import RegionList
from scumble.shared.errors import Code, ScumbleError

from . import turns
from .host.api import KeptSettings, Placed, Target
from .interface import Part
from .runs import Order, mask_names
from .turns import Steps

if TYPE_CHECKING:
    from .choices import Choices
    from .host.api import Host
    from .loop import Loop
    from .past import Past
    from .previews import LivePreview


class Again:
    """Mixed into the controller."""

    if TYPE_CHECKING:
        host: Host
        loop: Loop
        choices: Choices
        past: Past
        preview: LivePreview

        def touch(self, *parts: Part) -> None: ...
        def guarded(self, action: Callable[[], Any], default: Any = None) -> Any: ...
        def fail(self, error: BaseException) -> None: ...
        def tell(self, notice: str) -> None: ...
        def begin(self, order: Callable[[], Order]) -> None: ...
        def _chosen(self, *parts: Part) -> None: ...

    def rerun(self) -> None:
        """Run again with what is kept in the active layer: on the same layer, all frames or one, as one
        layer or a group, as it was."""

        def start() -> None:
            target, settings, kept = self._kept()
            if not kept.source:
                raise ScumbleError(
                    Code.FILE_MISSING,
                    "The layer does not say what it was made of.",
                    "Load its settings instead, choose the layer to stylize, and stylize.",
                )
            below = Target(target.document, kept.source)

            def again() -> Order:
                times = self.host.key_times(below) if kept.frames else ()
                entries = RegionList.of(settings).snapshot()
                return Order(
                    below,
                    entries,
                    settings.engine,
                    settings.options,
                    settings.seed,
                    times if len(times) > 1 else (),
                    kept.group,
                )

            recalled = self.host.recall(mask_names(settings))
            self.slowly(recalled, lambda _: self.guarded(lambda: self.begin(again)))

        self.guarded(start)

    def load_from_layer(self) -> None:
        """Take over what is kept in the active layer."""

        def load() -> None:
            settings = self._kept()[1]
            recalled = self.host.recall(mask_names(settings))
            self.slowly(recalled, lambda _: self.guarded(lambda: self._load(settings)))

        self.guarded(load)

    def _kept(self) -> tuple[Target, RunSettings, KeptSettings]:
        look = self.host.look()
        kept = KeptSettings() if look.target is None else self.host.kept_settings(look.target)
        parsed = parse(kept.text) if kept.text else None
        if look.target is None or parsed is None or parsed.settings is None:
            raise ScumbleError(
                Code.BAD_REQUEST,
                "The active layer was not made by Scumble, or its settings cannot be read.",
                "Choose a layer that Scumble has made.",
            )
        for problem in parsed.problems:
            self.tell(problem)
        return look.target, parsed.settings, kept

    def _load(self, settings: RunSettings) -> None:
        for told in self.choices.load(settings):
            self.tell(told)
        self._chosen(Part.CHOICE, Part.REGIONS)

    def slowly(self, steps: Steps[Any], done: Callable[[Any], None] = lambda _: None) -> None:
        """Piece by piece; what goes wrong is shown."""
        turns.run(self.loop, steps, done, self.fail)

    # -- history ----------------------------------------------------------------------------------------

    def apply(self, id: str) -> None:
        """Put an earlier result into its document again: of an animation all frames."""

        def put() -> None:
            made = self.past.get(id)
            if made.result is None:
                raise ScumbleError(
                    Code.BAD_REQUEST,
                    "The pixels of this result are not kept any more.",
                    "Load its settings and stylize again.",
                )
            where = made.tag
            text = dump(made.settings) if made.settings is not None else ""
            masks = mask_names(made.settings) if made.settings is not None else ()
            self.preview.take_out()

            def placed(found: Placed) -> None:
                self.past.moved(made, found.layer)
                self.touch(Part.HISTORY)
                self.loop.later(50, lambda: self.host.activate(where.target))

            if where.frames is not None:
                frames = where.frames.results(where.name)
                group = len(frames) > 1
                steps = self.host.place_frames(where.target, frames, where.name, text, masks, group=group)
            else:
                results = [(where.name, made.result)]
                steps = self.host.place(where.target, results, where.name, text, masks)
            self.slowly(steps, placed)

        self.guarded(put)
        self.touch(Part.HISTORY)

    def toggle_compare(self, id: str = "") -> None:
        """Before, after."""
        self.guarded(lambda: self.past.toggle(id))
        self.touch(Part.HISTORY)

    def load_from_history(self, id: str) -> None:
        """Take over the settings of an earlier result."""

        def load() -> None:
            settings = self.past.get(id).settings
            if settings is not None:
                self._load(settings)

        self.guarded(load)

    def forget(self, id: str) -> None:
        """Take a result out of the history."""
        self.past.history.remove(id)
        self.touch(Part.HISTORY)

    def history_thumbnail(self, id: str, width: int, height: int) -> Any:
        """A result, small."""
        made = self.past.history.get(id)
        if made is None or made.result is None:
            return None
        result = made.result
        return self.guarded(lambda: self.host.result_thumbnail(result, width, height))
