"""Inside an editor there is the standard library and pyzmq, and nothing else."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCKED = ("numpy", "torch", "PIL", "cv2", "scipy", "safetensors", "platformdirs", "skimage")
#: What only an editor has; modules that stand on it are imported by the editors' own tests.
EDITORS = ("krita", "gimp")

CODE = """
import importlib, pkgutil, sys

blocked, editors = sys.argv[1].split(","), sys.argv[2].split(",")

class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ImportError(f"{name} is not there inside an editor")

sys.meta_path.insert(0, Wall())
import scumble.plugin, scumble.shared
before = set(sys.modules)

def load(package):
    count = 0
    for found in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if found.name not in [f"scumble.plugin.{editor}" for editor in editors]:
            module = importlib.import_module(found.name)
            count += 1 + (load(module) if found.ispkg else 0)
    return count

count = load(scumble.plugin) + load(scumble.shared)
tops = {name.partition(".")[0] for name in set(sys.modules) - before}
others = {name for name in tops if name not in sys.stdlib_module_names} - {"scumble", "zmq"}
# Cython puts its own helpers beside zmq; they come with its wheel.
others = {name for name in others if not name.startswith(("_cython_", "cython_runtime", "_cffi"))}
parts = {".".join(name.split(".")[:2]) for name in sys.modules if name.startswith("scumble.")}
print(count, sorted(others), sorted(parts))
"""


def test_importing_every_module_needs_nothing_but_zmq() -> None:
    command = [sys.executable, "-c", CODE, ",".join(BLOCKED), ",".join(EDITORS)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr
    count, _, rest = done.stdout.strip().partition(" ")
    assert rest == "[] ['scumble.plugin', 'scumble.shared']"
    files = [f for part in ("plugin/common", "shared") for f in (ROOT / part).glob("*.py")]
    assert int(count) >= len(files) - 2 > 20, "all of them were imported"
