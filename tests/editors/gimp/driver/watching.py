"""The plug-in's processes and the backend's log, while a call is under way."""

import os
import re
import threading
import time

from tools import INSIDE, Gimp, image


def plug_ins():
    """Processes that run the plug-in, but for the halves that stand by."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit():
                with open(f"/proc/{name}/cmdline", "rb") as stream:
                    words = stream.read().split(b"\0")
                if any(word.endswith(b"/scumble/scumble.py") for word in words) and b"-run" in words:
                    with open(f"/proc/{name}/stat") as stream:
                        session = stream.read().rpartition(")")[2].split()[3]
                    if session != name:
                        found.append(int(name))
        except OSError:
            continue
    return found


def log():
    with open(f"{INSIDE}/state/backend.log") as stream:
        return stream.read()


def at_rest():
    """Whether the backend is through with the job that came last: earlier ones may be dropped unsaid."""
    before, _, after = log().rpartition(" of 'gimp': ")
    asked = before.split()[-1:]
    return not asked or re.search(rf"job {asked[0]} (done|cancelled|failed|is abandoned)", after) is not None


def at_work(action):
    """Do something once the backend works on the next job, from another thread."""
    seen = log().count(" of 'gimp': ")

    def watch():
        until = time.monotonic() + 60
        while time.monotonic() < until and log().count(" of 'gimp': ") <= seen:
            time.sleep(0.02)
        time.sleep(0.3)
        action()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def large(width=1400, height=1200):
    picture = image(width, height)
    source = Gimp.Layer.new(
        picture, "large", width, height, Gimp.ImageType.RGB_IMAGE, 100, Gimp.LayerMode.NORMAL
    )
    source.fill(Gimp.FillType.WHITE)
    picture.insert_layer(source, None, 0)
    return picture, source
