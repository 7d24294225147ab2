"""What is registered: each procedure's name, menu entry, help and arguments.

GIMP keeps what it was told of those that are always the same until the plug-in's file changes.  Those that
depend on the backend are declared anew at each start of GIMP, from what is known of it (:mod:`.registered`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gi.repository import Gimp, GObject

from . import engine_arguments, names
from .arguments import selectors

MENU = "<Image>/Filters/Scumble"
RW = GObject.ParamFlags.READWRITE
_LARGEST_SEED = 2**31 - 1
#: For numbers without an end.
_FAR, _FAR_WHOLE = 1e9, 2**31 - 1
_TEXTS = {
    names.STYLIZE: (
        "_Stylize Selection…",
        "Repaint the selected part of the layer in a painting's style, on a new layer",
        "The new layer lies above the layer it was made from, which stays as it is; so does the selection."
        " Without a selection the whole layer is repainted.",
    ),
    names.REGIONS: (
        "Stylize _Regions…",
        "Repaint several parts of the layer at once, each in its own style, on a new layer",
        "The parts are the visible layers in a group, painted where the style should go, or saved channels."
        " If the group itself is active, the layer below it is repainted.",
    ),
    names.BRUSHWORK: (
        "_Brushwork (NNST)…",
        "Repaint the selected part of the layer from pieces of a painting: slower, with real brushwork",
        "Neural Neighbor Style Transfer. The new layer lies above the layer it was made from.",
    ),
    names.SELECT: (
        "S_elect Subject…",
        "Select what the layer shows in front of its background",
        "Within the selection if there is one, as within a box drawn around it. One step of the history.",
    ),
    names.POINTS: (
        "Select by _Points…",
        "Select the thing that some points lie on, and not what others lie on",
        "The points are clicks in the dialog, the anchors of a path, or an argument. The result is a"
        " selection or a saved channel. One step of the history.",
    ),
    names.REPEAT: (
        "Repeat _Last",
        "Do the last Scumble command again, with the same settings, here",
        "On the active layer and the present selection.",
    ),
    names.BACKEND: (
        "Bac_kend…",
        "The program that paints: how it is, its log and models, and where it runs",
        "Without an image, too. The answer to an action is the return value 'report'.",
    ),
}
ACTIONS = {
    "status": "Say how the backend is",
    "start": "Start it if it does not run",
    "stop": "End it",
    "describe": "Engines, styles and models as JSON",
    "models": "The models and which are installed",
    "fetch-model": "Install the model named in 'model'",
    "remove-model": "Remove the model named in 'model'",
    "log": "The end of its log",
    "connect": "Use the backend at 'address' with the keys in 'key-file'; without either, this machine's own",
}


def always() -> list[str]:
    """The procedures that are the same whatever the backend offers."""
    return [names.REPEAT, names.BACKEND]


def offered(description: Mapping[str, Any]) -> list[str]:
    """Those that depend on it.  Painting is always there: without a backend it says what to do."""
    found = [names.STYLIZE, names.REGIONS]
    if engine_arguments.for_procedure(description, names.BRUSHWORK):
        found.append(names.BRUSHWORK)
    if selectors(description):
        found += [names.SELECT, names.POINTS]
    return found


def create(plug_in: Any, name: str, run: Callable[..., Any], description: Mapping[str, Any]) -> Any:
    """The procedure of a name; ``None`` for one that is not ours.

    :param description: what is known of the backend.
    """
    fill = _FILLS.get(name)
    if fill is None:
        return None
    kind = Gimp.Procedure if name == names.BACKEND else Gimp.ImageProcedure
    procedure = kind.new(plug_in, name, Gimp.PDBProcType.PLUGIN, run)
    if kind is Gimp.ImageProcedure:
        # All types: a call on an indexed image is told what to do instead of finding a grey menu entry.
        procedure.set_image_types("*")
        procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.DRAWABLE)
    label, short, long = _TEXTS[name]
    procedure.set_menu_label(label)
    procedure.add_menu_path(MENU)
    # Without a help page: GIMP's button "Help" would look for it in GIMP's own manual.
    procedure.set_documentation(short, long, None)
    procedure.set_attribution("Scumble", "Scumble", "2026")
    fill(_Arguments(procedure, description))
    return procedure


class _Arguments:
    """Adds arguments and return values to a procedure."""

    def __init__(self, procedure: Any, description: Mapping[str, Any]) -> None:
        self.procedure, self.description = procedure, description

    def text(self, name: str, label: str, about: str, default: str = "") -> None:
        self.procedure.add_string_argument(name, label, about, default, RW)

    def number(self, name: str, label: str, about: str, low: float, high: float, default: float) -> None:
        self.procedure.add_double_argument(name, label, about, low, high, default, RW)

    def whole(self, name: str, label: str, about: str, low: int, high: int, default: int) -> None:
        self.procedure.add_int_argument(name, label, about, low, high, default, RW)

    def switch(self, name: str, label: str, about: str, default: bool) -> None:
        self.procedure.add_boolean_argument(name, label, about, default, RW)

    def choice(self, name: str, label: str, about: str, entries: Mapping[str, str], default: str) -> None:
        choice = Gimp.Choice.new()
        for number, (nick, title) in enumerate(entries.items()):
            choice.add(nick, number, title, "")
        self.procedure.add_choice_argument(name, label, about, choice, default, RW)

    def file(self, name: str, label: str, about: str) -> None:
        # Not OPEN: GIMP would refuse a file that is not there without a word about it.
        self.procedure.add_file_argument(name, label, about, Gimp.FileChooserAction.ANY, True, None, RW)

    def style(self) -> None:
        sources = {
            names.AUTO: "Whichever is given",
            names.GALLERY: "Gallery",
            names.FILE: "Picture file",
            names.DRAWABLE: "Layer",
            names.WORDS: "Words",
        }
        about = "Which of the following is the style"
        self.choice("style-from", "Style _from", about, sources, names.AUTO)
        blend = "A style of the gallery by its id, or a blend: night-swirls:0.7, etching-street:0.3"
        self.text("style", "_Style", blend)
        self.file("style-file", "Style _file", "A picture file")
        layer = "A layer of any open image"
        self.procedure.add_drawable_argument("style-drawable", "Style la_yer", layer, True, RW)
        self.text("style-words", "_Words", "For engines that understand words")
        about = "0 leaves the layer as it is, 1 is the full style"
        self.number("strength", "S_trength", about, 0.0, 1.0, 1.0)

    def painting(self, engine: bool = True) -> None:
        if engine:
            self.text("engine", "_Engine", "Its name; empty for the backend's first")
        about = 'Settings of the engine as JSON, {"texture": 0.8}, or texture=0.8, draft=yes; see also below'
        self.text("options", "_Options", about)
        self.whole("seed", "S_eed", "The same seed gives the same picture", 0, _LARGEST_SEED, 0)
        about = "Of the new layer; empty for the style's and the engine's"
        self.text("layer-name", "Layer _name", about)
        for each in engine_arguments.for_procedure(self.description, self.procedure.get_name()):
            self.option(each)
        self.procedure.add_layer_return_value("layer", "Layer", "The new layer", True, RW)
        self.report("Times and settings as JSON")

    def option(self, argument: engine_arguments.EngineArgument) -> None:
        spec = argument.spec
        about = f"{spec.help or spec.label} (engine {argument.engine}{', ' + spec.unit if spec.unit else ''})"
        low, high = spec.minimum, spec.maximum
        if spec.kind == "bool":
            self.switch(argument.name, spec.label, about, spec.default)
        elif spec.kind == "choice":
            entries = {choice: choice.replace("-", " ").capitalize() for choice in spec.choices}
            self.choice(argument.name, spec.label, about, entries, spec.default)
        elif spec.kind == "int":
            ends = (-_FAR_WHOLE if low is None else int(low), _FAR_WHOLE if high is None else int(high))
            self.whole(argument.name, spec.label, about, *ends, spec.default)
        elif spec.kind == "float":
            self.number(
                argument.name,
                spec.label,
                about,
                -_FAR if low is None else low,
                _FAR if high is None else high,
                spec.default,
            )
        else:
            self.text(argument.name, spec.label, about, spec.default)

    def finding(self) -> None:
        self.text("method", "_Method", "Its name; empty for the best there is")
        about = "Half the width in pixels of the band in which the edge is soft"
        self.number("edge", "_Edge", about, 0.0, 100.0, 4.0)

    def report(self, about: str) -> None:
        self.procedure.add_string_return_value("report", "Report", about, "", RW)


def _stylize(to: _Arguments) -> None:
    to.style()
    to.painting()


def _brushwork(to: _Arguments) -> None:
    to.style()
    to.painting(engine=False)


def _regions(to: _Arguments) -> None:
    kinds = {names.GROUP: "Layers in a group", names.CHANNELS: "Saved channels"}
    to.choice("masks", "_Masks", "What the parts are", kinds, names.GROUP)
    about = "The group; by default the active one, or the image's only one"
    to.procedure.add_group_layer_argument("group", "_Group", about, True, RW)
    about = (
        'JSON: [{"mask": "name, or * for all others", "style": "gallery id"} or "file": "path",'
        ' and "strength": 0 to 1, "options": {}]'
    )
    to.text("regions", "_Regions", about)
    to.painting()


def _select(to: _Arguments) -> None:
    to.finding()
    to.report("Method and score as JSON")


def _points(to: _Arguments) -> None:
    about = "In pixels of the image, those that are not wanted with a minus: 120,80 200,90 40,30,-"
    to.text("points", "_Points", about)
    about = "A path whose anchors are points on what is wanted; without any points, the selected path"
    to.procedure.add_path_argument("path", "P_ath", about, True, RW)
    about = "A path whose anchors are points on what is not wanted"
    to.procedure.add_path_argument("minus-path", "M_inus path", about, True, RW)
    results = {names.SELECTION: "The selection", names.CHANNEL: "A saved channel"}
    to.choice("result", "_Result", "What it becomes", results, names.SELECTION)
    joins = {
        names.REPLACE: "Replace the selection",
        names.ADD: "Add to it",
        names.SUBTRACT: "Take away from it",
        names.INTERSECT: "Intersect with it",
    }
    to.choice("operation", "_Operation", "How it joins the selection that there is", joins, names.REPLACE)
    to.text("channel-name", "Channel _name", "Of the saved channel", "Scumble")
    to.finding()
    to.procedure.add_channel_return_value("channel", "Channel", "The saved channel", True, RW)
    to.report("Method and score as JSON")


def _repeat(to: _Arguments) -> None:
    to.procedure.add_layer_return_value("layer", "Layer", "The new layer", True, RW)
    to.report("Times and settings as JSON")


def _backend(to: _Arguments) -> None:
    to.procedure.add_enum_argument(
        "run-mode", "Run mode", "The run mode", Gimp.RunMode, Gimp.RunMode.NONINTERACTIVE, RW
    )
    to.choice("action", "_Action", "What to do", ACTIONS, "status")
    to.text("model", "_Model", "A model's name")
    to.text("address", "A_ddress", "host:port of a backend elsewhere")
    to.file("key-file", "_Key file", "The connection file that came with it")
    to.report("The answer")


_FILLS: dict[str, Callable[[_Arguments], None]] = {
    names.STYLIZE: _stylize,
    names.REGIONS: _regions,
    names.BRUSHWORK: _brushwork,
    names.REPEAT: _repeat,
    names.SELECT: _select,
    names.POINTS: _points,
    names.BACKEND: _backend,
}
