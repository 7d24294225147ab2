"""The demo's photograph: a public-domain picture that scikit-image's wheel carries.

Only the picture is taken out of the wheel; scikit-image is not installed for it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from .console import Console
from .pip import Pip
from .problem import Problem

#: Rachel Michetti's photograph of a cup at Pikolo Espresso Bar, CC0.
NAME = "coffee.png"
SHA256 = "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7"
#: One wheel for every system and Python: nothing of it is run.
_WHEEL = "scikit-image==0.25.2"
_BUILD = ("--platform", "manylinux2014_x86_64", "--python-version", "3.12", "--implementation", "cp")


def is_right(file: Path) -> bool:
    """Whether this is the picture, to the bit."""
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == SHA256


def photograph(cache: Path, python: Path, console: Console) -> Path:
    """The picture's file; fetched once.

    :param cache: folder in which it stays.
    :param python: the environment's interpreter, whose pip fetches it.
    :raises Problem: with what to do.
    """
    kept = cache / NAME
    if is_right(kept):
        return kept
    cache.mkdir(parents=True, exist_ok=True)
    with console.step("Demo photograph") as step, tempfile.TemporaryDirectory(dir=cache) as folder:
        pip = Pip(python, cache.parent / "install.log")
        pip.run(
            ["download", "--no-deps", "--only-binary", ":all:", *_BUILD, *pip.bar()]
            + ["--retries", "2", "-d", folder, _WHEEL],
            "the demo's photograph",
            step.progress,
        )
        found = Path(folder) / NAME
        try:
            wheel = next(Path(folder).glob("*.whl"))
            with zipfile.ZipFile(wheel) as archive, archive.open(f"skimage/data/{NAME}") as source:
                with found.open("wb") as target:
                    shutil.copyfileobj(source, target)
        except (StopIteration, KeyError, zipfile.BadZipFile):
            raise Problem("The demo's photograph is not in the package that should have it.", "", 1) from None
        if not is_right(found):
            raise Problem(
                "The demo's photograph is not the one that was expected.",
                "Run the command again, or use a picture of your own: scumble stylize PICTURE ...",
                1,
            )
        os.replace(found, kept)
    return kept
