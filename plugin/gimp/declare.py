"""What is registered: each procedure's name, menu entry, help and arguments.

GIMP keeps what it was told until the plug-in's file changes, so arguments must not depend on what the
backend offers today: an engine's own options travel in ``options``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gi.repository import Gimp, GObject

from .arguments import (
    AUTO,
    BACKEND,
    BRUSHWORK,
    DRAWABLE,
    FILE,
    GALLERY,
    REGIONS,
    REPEAT,
    SELECT,
    STYLIZE,
    WORDS,
)
from .masks import CHANNELS, GROUP

MENU = "<Image>/Filters/Scumble"
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
_OPTIONS = 'The engine\'s own settings: JSON such as {"texture": 0.8}, or texture=0.8, draft=yes'
_LARGEST_SEED = 2**31 - 1
RW = GObject.ParamFlags.READWRITE


def create(plug_in: Any, name: str, run: Callable[..., Any]) -> Any:
    """The procedure of a name; ``None`` for one that is not ours."""
    make = _MAKERS.get(name)
    return None if make is None else make(plug_in, name, run)


def _image_procedure(plug_in: Any, name: str, run: Any, label: str, short: str, long: str) -> Any:
    procedure = Gimp.ImageProcedure.new(plug_in, name, Gimp.PDBProcType.PLUGIN, run)
    # All types: a call on an indexed image is told what to do instead of finding a grey menu entry.
    procedure.set_image_types("*")
    procedure.set_sensitivity_mask(Gimp.ProcedureSensitivityMask.DRAWABLE)
    _common(procedure, label, short, long)
    return procedure


def _common(procedure: Any, label: str, short: str, long: str) -> None:
    procedure.set_menu_label(label)
    procedure.add_menu_path(MENU)
    procedure.set_documentation(short, long, procedure.get_name())
    procedure.set_attribution("Scumble", "Scumble", "2026")


def _style_arguments(procedure: Any) -> None:
    choice = Gimp.Choice.new()
    labels = {
        AUTO: "Whichever is given",
        GALLERY: "Gallery",
        FILE: "Picture file",
        DRAWABLE: "Layer",
        WORDS: "Words",
    }
    for number, (nick, label) in enumerate(labels.items()):
        choice.add(nick, number, label, "")
    procedure.add_choice_argument(
        "style-from", "Style _from", "Which of the following is the style", choice, AUTO, RW
    )
    procedure.add_string_argument(
        "style",
        "_Style",
        "A style of the gallery by its id, or a blend: night-swirls:0.7, etching-street:0.3",
        "",
        RW,
    )
    # Not OPEN: GIMP would refuse a file that is not there without a word about it.
    procedure.add_file_argument(
        "style-file", "Style _file", "A picture file", Gimp.FileChooserAction.ANY, True, None, RW
    )
    procedure.add_drawable_argument("style-drawable", "Style la_yer", "A layer of any open image", True, RW)
    procedure.add_string_argument("style-words", "_Words", "For engines that understand words", "", RW)


def _result(procedure: Any) -> None:
    procedure.add_layer_return_value("layer", "Layer", "The new layer", True, RW)
    procedure.add_string_return_value("report", "Report", "Times and settings as JSON", "", RW)


def _look_arguments(procedure: Any, engine: bool) -> None:
    procedure.add_double_argument(
        "strength", "S_trength", "0 leaves the layer as it is, 1 is the full style", 0.0, 1.0, 1.0, RW
    )
    if engine:
        procedure.add_string_argument("engine", "_Engine", "Its name; empty for the backend's first", "", RW)
    procedure.add_string_argument("options", "_Options", _OPTIONS, "", RW)
    procedure.add_int_argument(
        "seed", "S_eed", "The same seed gives the same picture", 0, _LARGEST_SEED, 0, RW
    )
    procedure.add_string_argument(
        "layer-name", "Layer _name", "Of the new layer; empty for the style's and the engine's", "", RW
    )


def _stylize(plug_in: Any, name: str, run: Any) -> Any:
    procedure = _image_procedure(
        plug_in,
        name,
        run,
        "_Stylize Selection…",
        "Repaint the selected part of the layer in a painting's style, on a new layer",
        "The new layer lies above the layer it was made from, which stays as it is; so does the selection."
        " Without a selection the whole layer is repainted.",
    )
    _style_arguments(procedure)
    _look_arguments(procedure, engine=True)
    _result(procedure)
    return procedure


def _brushwork(plug_in: Any, name: str, run: Any) -> Any:
    procedure = _image_procedure(
        plug_in,
        name,
        run,
        "_Brushwork (NNST)…",
        "Repaint the selected part of the layer from pieces of a painting: slower, with real brushwork",
        "Neural Neighbor Style Transfer. The new layer lies above the layer it was made from.",
    )
    _style_arguments(procedure)
    _look_arguments(procedure, engine=False)
    _result(procedure)
    return procedure


def _regions(plug_in: Any, name: str, run: Any) -> Any:
    procedure = _image_procedure(
        plug_in,
        name,
        run,
        "Stylize _Regions…",
        "Repaint several parts of the layer at once, each in its own style, on a new layer",
        "The parts are the visible layers in a group, painted where the style should go, or saved channels."
        " If the group itself is active, the layer below it is repainted.",
    )
    choice = Gimp.Choice.new()
    choice.add(GROUP, 0, "Layers in a group", "Each visible layer in the group is a mask")
    choice.add(CHANNELS, 1, "Saved channels", "Each saved channel is a mask")
    procedure.add_choice_argument("masks", "_Masks", "What the parts are", choice, GROUP, RW)
    procedure.add_group_layer_argument(
        "group", "_Group", "The group; by default the active one, or the image's only one", True, RW
    )
    procedure.add_string_argument(
        "regions",
        "_Regions",
        'JSON: [{"mask": "name, or * for all others", "style": "gallery id"} or "file": "path",'
        ' and "strength": 0 to 1, "options": {}]',
        "",
        RW,
    )
    procedure.add_string_argument("engine", "_Engine", "Its name; empty for the backend's first", "", RW)
    procedure.add_string_argument("options", "_Options", _OPTIONS, "", RW)
    procedure.add_int_argument(
        "seed", "S_eed", "The same seed gives the same picture", 0, _LARGEST_SEED, 0, RW
    )
    procedure.add_string_argument("layer-name", "Layer _name", "Of the new layer", "", RW)
    _result(procedure)
    return procedure


def _repeat(plug_in: Any, name: str, run: Any) -> Any:
    procedure = _image_procedure(
        plug_in,
        name,
        run,
        "Repeat _Last",
        "Do the last Scumble command again, with the same settings, here",
        "On the active layer and the present selection.",
    )
    _result(procedure)
    return procedure


def _select(plug_in: Any, name: str, run: Any) -> Any:
    procedure = _image_procedure(
        plug_in,
        name,
        run,
        "S_elect Subject…",
        "Select what the layer shows in front of its background",
        "Within the selection if there is one, as within a box drawn around it. One step of the history.",
    )
    procedure.add_string_argument("method", "_Method", "Its name; empty for the best there is", "", RW)
    procedure.add_double_argument(
        "edge", "_Edge", "Half the width in pixels of the band in which the edge is soft", 0.0, 100.0, 4.0, RW
    )
    procedure.add_string_return_value("report", "Report", "Times and settings as JSON", "", RW)
    return procedure


def _backend(plug_in: Any, name: str, run: Any) -> Any:
    procedure = Gimp.Procedure.new(plug_in, name, Gimp.PDBProcType.PLUGIN, run)
    _common(
        procedure,
        "Bac_kend…",
        "The program that paints: how it is, its log and models, and where it runs",
        "Without an image, too. The answer to an action is the return value 'report'.",
    )
    procedure.add_enum_argument(
        "run-mode", "Run mode", "The run mode", Gimp.RunMode, Gimp.RunMode.NONINTERACTIVE, RW
    )
    choice = Gimp.Choice.new()
    for number, (nick, label) in enumerate(ACTIONS.items()):
        choice.add(nick, number, label, "")
    procedure.add_choice_argument("action", "_Action", "What to do", choice, "status", RW)
    procedure.add_string_argument("model", "_Model", "A model's name", "", RW)
    procedure.add_string_argument("address", "A_ddress", "host:port of a backend elsewhere", "", RW)
    procedure.add_file_argument(
        "key-file",
        "_Key file",
        "The connection file that came with it",
        Gimp.FileChooserAction.ANY,
        True,
        None,
        RW,
    )
    procedure.add_string_return_value("report", "Report", "The answer", "", RW)
    return procedure


_MAKERS: dict[str, Callable[[Any, str, Any], Any]] = {
    STYLIZE: _stylize,
    REGIONS: _regions,
    BRUSHWORK: _brushwork,
    REPEAT: _repeat,
    SELECT: _select,
    BACKEND: _backend,
}
