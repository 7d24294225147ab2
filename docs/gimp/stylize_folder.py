"""Repaints every picture of a folder in one style, with GIMP 3 and Scumble and without a window.

    export SCUMBLE_FROM=~/photos SCUMBLE_TO=~/paintings SCUMBLE_STYLE=night-swirls SCUMBLE_TEXTURE=0.8
    gimp-console-3.0 -i --quit --batch-interpreter=python-fu-eval \\
        -b "exec(open('stylize_folder.py').read())"

``SCUMBLE_STYLE`` is a style's id, a blend ("night-swirls:0.7, etching-street:0.3") or a picture's path.
``SCUMBLE_STRENGTH``, ``SCUMBLE_TEXTURE`` (both 0 to 1) and ``SCUMBLE_DRAFT`` (yes or no) are passed on as
the arguments of that name; every option of an engine is one.  A picture that cannot be read or painted is
told and left out; the others go on.
"""

import os
from pathlib import Path

from gi.repository import Gimp, Gio

ENDINGS = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".xcf"}


def stylize(image, style, **arguments):
    """A new layer above the first one of the image; raises ``RuntimeError`` with what Scumble says.

    Further arguments are the procedure's: ``stylize(image, style, texture=0.8, layer_name="painted")``.
    """
    procedure = Gimp.get_pdb().lookup_procedure("plug-in-scumble-stylize")
    if procedure is None:
        raise RuntimeError("Scumble is not installed in this GIMP: python3 -m installer gimp")
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", image)
    config.set_core_object_array("drawables", image.get_layers()[:1])
    if os.path.isfile(os.path.expanduser(style)):
        config.set_property("style-file", Gio.File.new_for_path(os.path.expanduser(style)))
    else:
        config.set_property("style", style)
    for name, value in arguments.items():
        config.set_property(name.replace("_", "-"), value)
    values = procedure.run(config)
    if values.index(0) != Gimp.PDBStatusType.SUCCESS:
        raise RuntimeError(Gimp.get_pdb().get_last_error())
    return values.index(1)


def stylize_folder(source, target, style, **arguments):
    """The names of the pictures that were made; further arguments as for :func:`stylize`."""
    target.mkdir(parents=True, exist_ok=True)
    made = []
    for file in sorted(source.iterdir()):
        if file.suffix.lower() not in ENDINGS:
            continue
        image = None
        try:
            image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(str(file)))
            if image is None:
                raise RuntimeError("GIMP cannot read it.")
            if image.get_base_type() == Gimp.ImageBaseType.INDEXED:
                image.convert_rgb()
            stylize(image, style, **arguments)
            result = target / f"{file.stem}.png"
            Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(str(result)), None)
            made.append(result.name)
            print(f"{file.name}: done")
        except Exception as problem:
            print(f"{file.name}: left out. {problem}")
        finally:
            if image is not None:
                image.delete()
    return made


if "SCUMBLE_FROM" in os.environ:
    stylize_folder(
        Path(os.environ["SCUMBLE_FROM"]).expanduser(),
        Path(os.environ["SCUMBLE_TO"]).expanduser(),
        os.environ.get("SCUMBLE_STYLE", "night-swirls"),
        strength=float(os.environ.get("SCUMBLE_STRENGTH", "1")),
        texture=float(os.environ.get("SCUMBLE_TEXTURE", "0.5")),
        draft=os.environ.get("SCUMBLE_DRAFT") == "yes",
    )
