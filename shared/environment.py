"""The environment for a backend that an editor starts.

Editors are packed as AppImages, Flatpaks and Snaps, whose launchers point library, plug-in and Python
variables into their own bundle.  A backend with its own Python must not see any of that: it would load
the editor's libraries into another interpreter and crash, or worse, not crash.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

#: Where to find code and data: never meant for another program.
_TRAPS = frozenset(
    {
        "LD_LIBRARY_PATH",
        "LD_PRELOAD",
        "LD_AUDIT",
        "LD_BIND_NOW",
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "PYTHONEXECUTABLE",
        "PYTHONPLATLIBDIR",
        "PYTHONUSERBASE",
        "PYTHONINSPECT",
        "PYTHONOPTIMIZE",
        "PYTHONNOUSERSITE",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONPYCACHEPREFIX",
        "PYTHONSAFEPATH",
        "PYTHONBREAKPOINT",
        "PYTHONCASEOK",
        "PYTHONIOENCODING",
        "PYTHONUNBUFFERED",
        "PYTHONWARNINGS",
        "__PYVENV_LAUNCHER__",
        "VIRTUAL_ENV",
        "QT_PLUGIN_PATH",
        "QT_QPA_PLATFORM_PLUGIN_PATH",
        "QT_QPA_PLATFORM",
        "QT_STYLE_OVERRIDE",
        "QML_IMPORT_PATH",
        "QML2_IMPORT_PATH",
        "QTDIR",
        "QT_QUICK_CONTROLS_STYLE",
        "GI_TYPELIB_PATH",
        "GIO_MODULE_DIR",
        "GIO_EXTRA_MODULES",
        "GSETTINGS_SCHEMA_DIR",
        "GDK_PIXBUF_MODULE_FILE",
        "GDK_PIXBUF_MODULEDIR",
        "GTK_PATH",
        "GTK_EXE_PREFIX",
        "GTK_DATA_PREFIX",
        "GTK_IM_MODULE_FILE",
        "GTK_MODULES",
        "GST_PLUGIN_PATH",
        "GST_PLUGIN_SYSTEM_PATH",
        "GST_PLUGIN_SCANNER",
        "GST_PLUGIN_PATH_1_0",
        "GST_PLUGIN_SYSTEM_PATH_1_0",
        "GST_PLUGIN_SCANNER_1_0",
        "GST_REGISTRY",
        "BABL_PATH",
        "GEGL_PATH",
        "GIMP3_DIRECTORY",
        "GIMP3_PLUGINDIR",
        "GIMP3_DATADIR",
        "GIMP3_SYSCONFDIR",
        "FONTCONFIG_FILE",
        "FONTCONFIG_PATH",
        "TCL_LIBRARY",
        "TK_LIBRARY",
        "PERLLIB",
        "PERL5LIB",
        "GCONV_PATH",
        "LOCPATH",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "OPENSSL_CONF",
        "OPENSSL_MODULES",
    }
)
_TRAP_PREFIXES = ("DYLD_",)
#: What the launchers of bundles say about themselves.
_BUNDLE = frozenset(
    {"APPDIR", "APPIMAGE", "ARGV0", "OWD", "SNAP", "SNAP_NAME", "SNAP_REVISION", "APPIMAGE_UUID"}
)
#: How launchers save a variable that they change: before or after the name.
_SAVED_BEFORE = ("APPIMAGE_ORIGINAL_", "APPRUN_ORIGINAL_", "ORIG_", "ORIGINAL_", "HOST_")
_SAVED_AFTER = ("_ORIG", "_ORIGINAL", "_VSCODE_SNAP_ORIG")
#: Lists of folders from which only the bundle's entries are taken out.
_LISTS = ("PATH", "XDG_DATA_DIRS", "XDG_CONFIG_DIRS", "MANPATH")


def scrubbed(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """A copy without the traps.

    A value that a launcher saved (``LD_LIBRARY_PATH_ORIG``, ``APPIMAGE_ORIGINAL_...``, a Flatpak's
    ``HOST_XDG_CONFIG_HOME``) is put back.  ``SCUMBLE_KEEP_ENV`` names variables, separated by commas,
    that stay as they are: for a machine that needs its own ``LD_LIBRARY_PATH``.
    """
    given = dict(os.environ if environment is None else environment)
    keep = {name.strip() for name in given.get("SCUMBLE_KEEP_ENV", "").split(",")}
    roots = [given[name] for name in ("APPDIR", "SNAP") if os.path.isabs(given.get(name, ""))]
    if given.get("FLATPAK_ID") or given.get("container") == "flatpak":
        roots.append("/app")
    clean: dict[str, str] = {}
    for name, value in given.items():
        if name in keep:
            clean[name] = value
        elif name in _TRAPS or name in _BUNDLE or name.startswith(_TRAP_PREFIXES) or _saved(name):
            continue
        elif name in _LISTS:
            rest = [p for p in value.split(os.pathsep) if not any(_inside(p, root) for root in roots)]
            clean[name] = os.pathsep.join(rest)
        else:
            clean[name] = value
    for name, value in given.items():
        original = _saved(name)
        if original and original not in keep:
            if value:
                clean[original] = value
            else:
                clean.pop(original, None)  # saved as empty: it was not set
    return clean


def _saved(name: str) -> str:
    """The variable of which this one is a launcher's copy, or ``""``."""
    for prefix in _SAVED_BEFORE:
        original = name[len(prefix) :]
        if name.startswith(prefix) and _restorable(original):
            return original
    for suffix in _SAVED_AFTER:
        original = name[: -len(suffix)]
        if name.endswith(suffix) and _restorable(original):
            return original
    return ""


def _restorable(name: str) -> bool:
    known = name in _TRAPS or name in _LISTS or name.startswith(("XDG_", *_TRAP_PREFIXES))
    return bool(name) and known


def _inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip("/") + "/")
