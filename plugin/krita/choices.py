"""What the user has chosen: engine, options, style, strength, regions; kept for the next time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scumble.plugin.common.annotation import RunSettings
from scumble.plugin.common.forms import Field, Form
from scumble.plugin.common.regions import RegionEntry, RegionList
from scumble.plugin.common.settings import LastUsed, Settings
from scumble.plugin.common.sources import CURRENT, GalleryStyle, MaskSource, StyleSource

from .catalogue import Catalogue
from .interface import Output

EDITOR = "krita"
_SEED = 2**31


class Choices:
    """See the module.  Forms come with the catalogue; values chosen before are put into them then."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        last = settings.last(EDITOR)
        self.catalogue = Catalogue()
        self.engine = last.engine
        self.style = last.style
        self.strength = last.strength
        self.seed = 0
        self.all_frames = False
        self.regions = RegionList()
        self.picked = ""
        self._options: dict[str, Mapping[str, Any]] = dict(last.options)
        kept = settings.get(EDITOR, "output", Output.LAYER.value)
        self.output = Output.GROUP if kept == Output.GROUP.value else Output.LAYER

    @property
    def form(self) -> Form | None:
        """The chosen engine's."""
        return self.catalogue.form(self.engine)

    def take(self, catalogue: Catalogue) -> None:
        """Another catalogue; what was chosen stays as far as it is in there."""
        for form in self.catalogue.engines:
            self._options[form.engine] = form.options()
        self.catalogue = catalogue
        for form in catalogue.engines:
            form.load(self._options.get(form.engine, {}))
        if catalogue.engines and self.form is None:
            self.engine = catalogue.engines[0].engine
        if self.style is None and catalogue.styles:
            self.style = GalleryStyle(catalogue.styles[0].id)

    def set_engine(self, name: str) -> None:
        """Choose an engine."""
        if self.catalogue.form(name) is not None or not self.catalogue.engines:
            self.engine = name

    def set_style(self, style: StyleSource | None) -> None:
        """For the picked region, and for what comes next."""
        if self.picked:
            self.regions.change(self.picked, style=style)
        self.style = style

    def set_strength(self, strength: float) -> None:
        """For the picked region, or for what comes next."""
        strength = min(1.0, max(0.0, float(strength)))
        if self.picked:
            self.regions.change(self.picked, strength=strength)
        else:
            self.strength = strength

    def set_seed(self, seed: int) -> None:
        """A whole number; what is beyond 31 bits comes round."""
        self.seed = int(seed) % _SEED

    def pick(self, id: str) -> None:
        """Pick a region; raises ``KeyError``."""
        self.picked = self.regions.get(id).id if id else ""

    def add(self, mask: MaskSource) -> RegionEntry:
        """A region with the current style, picked."""
        number = len(self.regions) + 1
        entry = self.regions.add(mask, self.style, label=f"Region {number}", strength=self.strength)
        self.picked = entry.id
        return entry

    def remove(self, id: str) -> None:
        """Take a region out."""
        self.regions.remove(id)
        if self.picked == id:
            self.picked = ""

    def clear(self) -> None:
        """Take all regions out."""
        self.regions.clear()
        self.picked = ""

    def region_form(self, id: str) -> Form | None:
        """What a region may have of its own."""
        form = self.form
        return None if form is None else form.for_region(self.regions.get(id).options)

    def set_region_option(self, id: str, name: str, value: Any) -> Field | None:
        """Give a region an option of its own; the field says whether it was accepted."""
        form = self.region_form(id)
        if form is None:
            return None
        try:
            field = form.field(name)
        except KeyError:
            return None
        if field.set(value):
            self.regions.change(id, options=form.options())
        return field

    def entries(self, whole: MaskSource) -> tuple[RegionEntry, ...]:
        """What to paint: the regions, or one of the given mask with the current style."""
        if len(self.regions):
            return self.regions.snapshot()
        return (RegionEntry("", whole, self.style, "", self.strength),)

    def options(self) -> dict[str, Any]:
        """The engine's options that differ from its defaults."""
        form = self.form
        return {} if form is None else form.options()

    def load(self, settings: RunSettings) -> tuple[str, ...]:
        """Take over an earlier run's; sentences about what is left out."""
        told = []
        form = self.catalogue.form(settings.engine)
        if form is None:
            told.append(f"The engine {settings.engine[:60]!r} is not there; the chosen one stays.")
        else:
            self.engine = settings.engine
            left = form.load(settings.options)
            if left:
                told.append(f"Not known any more and left out: {', '.join(left)}.")
        self.seed = settings.seed % _SEED
        self.picked = ""
        first = settings.regions[0]
        self.style, self.strength = first.style, first.strength
        alone = len(settings.regions) == 1 and first.mask == CURRENT and not first.options
        self.regions = RegionList() if alone else RegionList.of(settings)
        return tuple(told)

    def save(self) -> None:
        """Keep them for the next time; raises ``disk``."""
        options = dict(self._options) | {form.engine: form.options() for form in self.catalogue.engines}
        last = LastUsed(self.engine, self.style, self.strength, options)
        self.settings.remember(EDITOR, last)
        self.settings.set(EDITOR, "output", self.output.value)
        self.settings.save()
