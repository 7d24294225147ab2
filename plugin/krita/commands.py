"""The docker's commands: what :class:`.interface.ControllerPort` offers, beside painting itself.

Each is guarded: whatever goes wrong is shown, and nothing is raised into a Qt slot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from scumble.plugin.common.backend import Remote, endpoint
from scumble.plugin.common.failures import Failure
from scumble.plugin.common.forms import Field, Form
from scumble.plugin.common.report import last_lines
from scumble.plugin.common.settings import Settings
from scumble.plugin.common.sources import CURRENT, MaskSource, StyleSource
from scumble.shared import launch
from scumble.shared.errors import ScumbleError

from .choices import EDITOR
from .interface import LayerChoice, MaskChoice, Output, Part
from .runs import Order
from .turns import Steps

if TYPE_CHECKING:
    from scumble.plugin.common.session import JobSession

    from .backend_watch import BackendWatch
    from .choices import Choices
    from .host.api import Host
    from .loop import Loop
    from .past import Past
    from .previews import LivePreview
    from .runs import Run

T = TypeVar("T")


class Commands:
    """Mixed into the controller."""

    if TYPE_CHECKING:
        host: Host
        loop: Loop
        choices: Choices
        settings: Settings
        past: Past
        preview: LivePreview
        backend: BackendWatch
        session: JobSession
        run: Run | None
        _failed: Run | None
        _waiting: Callable[[], None] | None
        failure: Failure | None
        notices: tuple[str, ...]

        def touch(self, *parts: Part) -> None: ...
        def guarded(self, action: Callable[[], Any], default: Any = None) -> Any: ...
        def fail(self, error: BaseException) -> None: ...
        def tell(self, notice: str) -> None: ...
        def order(self) -> Order: ...
        def begin(self, order: Callable[[], Order]) -> None: ...
        def halt(self, run: Run) -> None: ...
        def slowly(self, steps: Steps[Any], done: Callable[[Any], None] = ...) -> None: ...
        def working_session(self) -> JobSession: ...
        def move(self, remote: Remote) -> None: ...
        def _keep_looking(self) -> None: ...

    # -- painting ---------------------------------------------------------------------------------------

    def stylize(self) -> None:
        """Paint."""
        self.guarded(lambda: self.begin(self.order))
        self.loop.later(500, self._save)

    def cancel(self) -> None:
        """Stop what runs."""
        if self._waiting is not None:
            self._waiting = None
            self.touch(Part.JOB)
        if self.run is not None:
            self.halt(self.run)
            self.touch(Part.JOB)

    def enough(self) -> None:
        """What there is of the job is good enough."""
        if self.run is not None and self.run.enough():
            assert self.run.job is not None
            self.session.enough(self.run.job)
            self.touch(Part.JOB)

    def retry(self) -> None:
        """Try the failed job again."""
        run = self._failed
        if run is None or run.job is None or self.run is not None:
            self.stylize()
            return
        self.dismiss_failure()
        self.run, self._failed = run, None
        self.preview.pause()
        self.working_session().retry(run.job)
        self._keep_looking()
        self.touch(Part.JOB)

    # -- choices ----------------------------------------------------------------------------------------

    def set_engine(self, name: str) -> None:
        """Choose an engine."""
        self.choices.set_engine(name)
        self._chosen(Part.CHOICE)

    def set_option(self, name: str, value: Any) -> Field | None:
        """Give an option a value."""
        form = self.choices.form
        try:
            field = form.field(name) if form is not None else None
        except KeyError:
            return None
        if field is not None:
            before = field.value
            field.set(value)
            if field.value != before or field.error is not None:
                self._chosen(Part.CHOICE)
        return field

    def reset_option(self, name: str) -> None:
        """Give an option its default."""
        form = self.choices.form
        if form is not None and any(field.name == name for field in form.fields):
            form.field(name).reset()
            self._chosen(Part.CHOICE)

    def reset_options(self) -> None:
        """Give all options their defaults."""
        if self.choices.form is not None:
            self.choices.form.reset()
            self._chosen(Part.CHOICE)

    def set_style(self, style: StyleSource | None) -> None:
        """Choose a style."""
        self.guarded(lambda: self.choices.set_style(style))
        self._chosen(Part.CHOICE, Part.REGIONS)

    def set_strength(self, strength: float) -> None:
        """Choose how strong the style is."""
        self.guarded(lambda: self.choices.set_strength(strength))
        self._chosen(Part.CHOICE, Part.REGIONS)

    def set_seed(self, seed: int) -> None:
        """Choose the seed."""
        self.choices.set_seed(seed)
        self._chosen(Part.CHOICE)

    def set_output(self, output: Output) -> None:
        """Choose what becomes of a result."""
        self.choices.output = Output(output)
        self.touch(Part.CHOICE)

    def set_all_frames(self, on: bool) -> None:
        """Paint all frames, or the one that is shown."""
        self.choices.all_frames = bool(on)
        self.touch(Part.CHOICE)

    def _chosen(self, *parts: Part) -> None:
        self.touch(*parts)
        self.preview.consider()

    # -- regions ----------------------------------------------------------------------------------------

    def add_region(self, mask: MaskSource | None = None) -> str:
        """Add one."""

        def add() -> str:
            source = self.host.keep(CURRENT) if mask is None else mask
            return self.choices.add(source).id

        id = str(self.guarded(add, ""))
        self._chosen(Part.REGIONS, Part.CHOICE)
        return id

    def change_region(self, id: str, **changes: Any) -> None:
        """Give one other values."""
        self._on_region(lambda: self.choices.regions.change(id, **changes))

    def region_form(self, id: str) -> Form | None:
        """What a region may have of its own."""
        try:
            return self.choices.region_form(id)
        except KeyError:
            return None

    def set_region_option(self, id: str, name: str, value: Any) -> Field | None:
        """Give a region an option of its own."""
        field: Field | None = self._on_region(lambda: self.choices.set_region_option(id, name, value))
        return field

    def reset_region_options(self, id: str) -> None:
        """Let a region follow the engine's options again."""
        self._on_region(lambda: self.choices.regions.change(id, options={}))

    def remove_region(self, id: str) -> None:
        """Take one out."""
        self._on_region(lambda: self.choices.remove(id))

    def move_region(self, id: str, index: int) -> None:
        """Put one elsewhere in the list."""
        self._on_region(lambda: self.choices.regions.move(id, index))

    def duplicate_region(self, id: str) -> None:
        """Put a copy below one."""
        self._on_region(lambda: self.choices.regions.duplicate(id))

    def clear_regions(self) -> None:
        """Take all out."""
        self._on_region(self.choices.clear)

    def pick_region(self, id: str) -> None:
        """Select one in the list."""
        self._on_region(lambda: self.choices.pick(id))

    def select_mask(self, id: str) -> None:
        """Make a region's mask the selection."""
        self._on_region(lambda: self.slowly(self.host.select(self.choices.regions.get(id).mask)))

    def _on_region(self, action: Callable[[], Any]) -> Any:
        def act() -> Any:
            try:
                return action()
            except KeyError:
                return None  # a click on a row that has just gone

        found = self.guarded(act)
        self._chosen(Part.REGIONS, Part.CHOICE)
        return found

    def mask_choices(self) -> tuple[MaskChoice, ...]:
        """Masks that a region may have."""
        found: tuple[MaskChoice, ...] = self.guarded(self.host.mask_choices, ())
        return found

    def layer_choices(self) -> tuple[LayerChoice, ...]:
        """Layers that may serve as style."""
        found: tuple[LayerChoice, ...] = self.guarded(self.host.layer_choices, ())
        return found

    def region_thumbnail(self, id: str, width: int, height: int) -> Any:
        """The picture with a region tinted."""
        try:
            entry = self.choices.regions.get(id)
            place = [each.id for each in self.choices.regions].index(id)
            return self.host.mask_thumbnail(entry.mask, width, height, place)
        except (KeyError, ScumbleError):
            return None

    def style_thumbnail(self, style: StyleSource, width: int, height: int) -> Any:
        """A style from a file or a layer."""
        try:
            return self.host.style_thumbnail(style, width, height)
        except ScumbleError:
            return None

    # -- live preview -----------------------------------------------------------------------------------

    def set_preview(self, on: bool) -> None:
        """Have a preview follow."""
        self.guarded(lambda: self.preview.set_on(bool(on)))
        if on:
            self._keep_looking()
            if not self.backend.asked:
                self.refresh()

    def dismiss_preview(self) -> None:
        """Take the preview out."""
        self.guarded(self.preview.stop)

    # -- backend, failures, settings ----------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask the backend what it can do; that starts it."""
        self.backend.ask()
        self.touch(Part.BACKEND)
        self.guarded(lambda: self.working_session().describe(True))

    def restart_backend(self) -> None:
        """End this machine's backend and start it again."""
        self.cancel()
        if self.settings.remote.enabled:
            self.tell("The backend is on another machine and is not restarted from here.")
        else:
            self.guarded(lambda: self.working_session().shutdown())
        self.backend.forget()
        self.loop.later(1000, self.refresh)

    def backend_log(self) -> str:
        """The last lines of the backend's log."""
        if self.settings.remote.enabled:
            return "The backend runs on another machine; its log is there."
        return "\n".join(last_lines(launch.log_path(), 400))

    def set_remote(self, remote: Remote) -> None:
        """Use a backend on another machine, or this one's."""

        def move() -> None:
            if remote.enabled and remote.address:
                endpoint(remote.address)
            if remote != self.settings.remote:
                self.settings.remote = replace(remote)
            # Also to the same one: the settings of how it is started may be new.
            self.move(remote)
            self.settings.save()

        self.guarded(move)
        self.touch(Part.SETTINGS, Part.BACKEND)

    def set_style_folder(self, folder: str) -> None:
        """Where "from file…" begins."""
        self.settings.style_folder = folder
        self.touch(Part.SETTINGS)

    def get_setting(self, key: str, default: Any = None) -> Any:
        """A setting of the docker's own."""
        return self.settings.get(EDITOR, key, default)

    def set_setting(self, key: str, value: Any) -> None:
        """Set one."""
        self.settings.set(EDITOR, key, value)

    def _save(self) -> None:
        self.guarded(self.choices.save)

    def dismiss_failure(self) -> None:
        """The user has read it."""
        self.failure = None
        self.touch(Part.FAILURE)

    def dismiss_notices(self) -> None:
        """The user has read them."""
        self.notices = ()
        self.touch(Part.NOTICES)
