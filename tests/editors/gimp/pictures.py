"""Draws the pictures of GIMP's dialogs in the documentation, from the real GIMP with the real backend.

python tests/editors/gimp/pictures.py [FOLDER]      by default docs/gimp
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import gimp_world


def main() -> None:
    """Draw them."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else gimp_world.ROOT / "docs" / "gimp"
    folder = gimp_world.fresh()
    world = gimp_world.World(folder)
    try:
        world.prepare()
        report = world.run("windows.py", windows=True, timeout_s=600, SCENES="dialog")
        target.mkdir(parents=True, exist_ok=True)
        for picture in sorted((folder / "pictures").glob("*.png")):
            shutil.copy(picture, target / picture.name)
            print(target / picture.name, picture.stat().st_size // 1000, "kB")
    finally:
        world.close()
        shutil.rmtree(folder, ignore_errors=True)
    problems = [name for name, found in report.items() if name != "output" and found["problem"]]
    if problems:
        sys.exit(f"Not all went well: {', '.join(problems)}")


if __name__ == "__main__":
    main()
