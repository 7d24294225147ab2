"""The zips: Krita's for "Import Python Plugin from File...", GIMP's to unpack into ``plug-ins``."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from ..problem import Problem
from . import payload, place

#: The same every time, so that the same plug-in makes the same zip.
_DATE = (2020, 1, 1, 0, 0, 0)


def entries(root: Path, editor: str, vendor: Mapping[str, bytes]) -> dict[str, bytes]:
    """The zip's files by their paths in it.

    :raises Problem: if this copy of Scumble is not whole.
    """
    source = payload.source(root, editor)
    inside = {n: c for n, c in {**source, **vendor}.items() if not n.startswith("../")}
    inside[payload.MARKER] = payload.marker(root, editor, inside, payload.digest(source), {"kritarc": ""})
    files = {f"{payload.FOLDER[editor]}/{name}": content for name, content in inside.items()}
    for name, content in source.items():
        if name.startswith("../"):
            folder = "actions/" if name.endswith(".action") else ""
            files[folder + name[3:]] = content
    return files


def write(file: Path, root: Path, editor: str, vendor: Mapping[str, bytes]) -> int:
    """Write the zip; returns its size in bytes.

    :raises Problem: with what to do.
    """
    files = entries(root, editor, vendor)
    # Krita's importer looks for the folder's own entry, so folders are listed, too.
    folders = {str(parent) + "/" for name in files for parent in PurePosixPath(name).parents}
    folders.discard("./")
    partial = file.with_name(f".{file.name}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
                for name in sorted([*folders, *files]):
                    info = zipfile.ZipInfo(name, _DATE)
                    info.create_system = 3  # so that the modes count
                    is_folder = name.endswith("/")
                    runs = name == f"{payload.FOLDER[editor]}/{payload.MAIN[editor]}"
                    mode = 0o40755 if is_folder else 0o100755 if runs else 0o100644
                    info.external_attr = mode << 16 | (0x10 if is_folder else 0)
                    info.compress_type = zipfile.ZIP_STORED if is_folder else zipfile.ZIP_DEFLATED
                    archive.writestr(info, b"" if is_folder else files[name])
            os.replace(partial, file)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        return file.stat().st_size
    except IsADirectoryError:
        raise Problem(f"{file} is a folder.", "Name a file: --zip FILE.zip") from None
    except OSError as error:
        raise place.explain(error, file.parent) from error
