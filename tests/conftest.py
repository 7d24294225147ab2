"""For the whole suite: nothing of the user's own is read, written or stopped."""

import atexit
import os
import shutil
import tempfile

from hypothesis import HealthCheck, settings

# The same examples in every CI run: a change is judged by what it changes.  By hand they are drawn
# anew.  Machines that are busy with something else are no reason to fail.
settings.register_profile(
    "scumble",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("scumble")

_folder = tempfile.mkdtemp(prefix="scumble-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
for _name in ("CONFIG", "STATE", "RUNTIME", "MODELS", "STYLES"):
    os.environ[f"SCUMBLE_{_name}_DIR"] = os.path.join(_folder, _name.lower())
os.environ["SCUMBLE_TORCH_INDEX"] = ""
os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # before torch: as the backend does
for _name in ("SCUMBLE_ENV", "SCUMBLE_PYTHON", "SCUMBLE_CONNECTION", "SCUMBLE_DEVICE"):
    os.environ.pop(_name, None)
