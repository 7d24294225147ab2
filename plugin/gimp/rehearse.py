"""In the process that stands by: what PyGObject works out when something is used for the first time.

That is how a class is made of what the library says of itself, and how a function is to be called.  The
first call of each function takes up to a millisecond longer for it; here they are called without any
arguments, which fails, but only after that.  So none may be listed that needs none.
"""

from __future__ import annotations

import contextlib

from gi.repository import Babl, Gegl, Gimp, GLib, GObject

from . import engine_arguments, log, names, registered

_FUNCTIONS = (
    (Gimp.ImageProcedure, "new set_sensitivity_mask set_image_types"),
    (
        Gimp.Procedure,
        "new get_name new_return_values set_menu_label add_menu_path set_documentation set_attribution"
        " add_string_argument add_double_argument add_int_argument add_boolean_argument add_choice_argument"
        " add_file_argument add_drawable_argument add_group_layer_argument add_layer_return_value"
        " add_string_return_value",
    ),
    (Gimp.Choice, "add"),
    (Gimp.ValueArray, "insert remove"),
    (
        Gimp.Image,
        "get_base_type get_width get_height get_precision get_selection get_item_position insert_layer"
        " get_default_new_layer_mode undo_group_start undo_group_end",
    ),
    (
        Gimp.Layer,
        "new get_mask get_apply_mask is_floating_sel is_layer is_layer_mask is_group get_image get_parent"
        " get_offsets set_offsets get_width get_height get_format get_buffer has_alpha attach_parasite",
    ),
    (Gimp.Selection, "is_empty bounds get_buffer get_format"),
    (Gimp.Parasite, "new"),
    (Gegl.Buffer, "get set flush"),
    (Gegl.Rectangle, "new"),
    (Babl, "get_name"),
    (Gimp, "progress_set_text progress_update"),
    (GLib, "quark_from_string"),
)
_KINDS = (
    (Gimp, "PDBStatusType RunMode ImageBaseType ImageType Precision LayerMode AddMaskType PDBProcType"),
    (Gimp, "ProcedureSensitivityMask FileChooserAction ProcedureConfig Drawable Item PlugIn PDB"),
    (Gegl, "AbyssPolicy"),
    (GObject, "ParamFlags Value"),
)


def all() -> None:
    """Everything that is the same for each call."""
    for place, words in (*_FUNCTIONS, *_KINDS):
        for word in words.split():
            with contextlib.suppress(TypeError, AttributeError):
                found = getattr(place, word)
                if (place, words) in _FUNCTIONS:
                    found()
    log.version()
    for name in (names.STYLIZE, names.BRUSHWORK, names.REGIONS):
        engine_arguments.for_procedure(registered.declared(), name)
