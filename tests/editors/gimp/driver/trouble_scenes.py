"""Cancelling, and backends that die, are missing or speak otherwise."""

import json
import os
import signal
import threading
import time

from tools import (
    CALLING,
    EXECUTION,
    INSIDE,
    STYLE,
    SUCCESS,
    Gio,
    bounds,
    call,
    image,
    layer,
    refused,
    scenario,
    stylize,
)
from watching import at_work, large, log, plug_ins


@scenario
def cancelling_ends_the_job_in_the_backend_too():
    """GIMP's Cancel kills the plug-in's process; so does this."""
    picture, source = large()
    thread = at_work(lambda: [os.kill(pid, signal.SIGKILL) for pid in plug_ins()])
    done = call("stylize", picture, [source], style=STYLE)
    thread.join()
    assert done.status != SUCCESS
    assert len(picture.get_layers()) == 1
    killed = time.monotonic()
    while "cancelled" not in log() and time.monotonic() < killed + 10:
        time.sleep(0.05)
    assert "cancelled" in log(), log()[-500:]
    small = image()
    stylize(layer(small))
    return time.monotonic() - killed


@scenario
def a_killed_backend_is_started_again_and_the_job_is_done():
    _picture, source = large()
    with open(f"{INSIDE}/run/connection.json") as stream:
        pid = json.load(stream)["pid"]
    thread = at_work(lambda: os.kill(pid, signal.SIGKILL))
    done = stylize(source)
    thread.join()
    assert bounds(done.layer) == (0, 0, 1400, 1200)
    with open(f"{INSIDE}/run/connection.json") as stream:
        assert json.load(stream)["pid"] != pid


@scenario
def the_backend_can_be_ended_and_comes_back_when_it_is_needed():
    assert json.loads(call("backend", action="stop").report)["state"] == "stopped"
    assert json.loads(call("backend").report)["state"] == "stopped"
    picture = image()
    stylize(layer(picture))
    assert json.loads(call("backend").report)["state"] in ("ready", "busy")


@scenario
def without_any_backend_the_call_fails_with_what_to_do():
    assert json.loads(call("backend", action="stop").report)["state"] == "stopped"
    os.rename(f"{INSIDE}/python", f"{INSIDE}/python.away")
    try:
        picture = image()
        source = layer(picture)
        refused(EXECUTION, "installer", "stylize", picture, [source], style=STYLE)
    finally:
        os.rename(f"{INSIDE}/python.away", f"{INSIDE}/python")


@scenario
def a_backend_on_another_machine_paints_with_the_address_and_the_key_that_were_given():
    """And none of this machine's own is started for it."""
    assert json.loads(call("backend", action="stop").report)["state"] == "stopped"
    key = Gio.File.new_for_path(f"{INSIDE}/elsewhere/key.json")
    done = call("backend", action="connect", address=os.environ["SCUMBLE_ELSEWHERE"], key_file=key)
    assert done.status == SUCCESS, done.error
    try:
        done = stylize(layer(image()))
        assert done.layer.get_name() == "night swirls (partial-conv)"
        status = json.loads(call("backend").report)
        assert status["remote"] and status["state"] in ("ready", "busy"), status
        assert "another machine" in call("backend", action="log").report
        ended = call("backend", action="stop")
        assert ended.status == CALLING and "another machine" in ended.error, ended.error
        assert not os.path.exists(f"{INSIDE}/run/connection.json")
    finally:
        assert call("backend", action="connect").status == SUCCESS
    assert json.loads(call("backend", action="start").report)["state"] in ("ready", "busy")


@scenario
def a_backend_of_another_version_is_told_apart():
    """A backend elsewhere that speaks a protocol of its own; then this machine's own again."""
    import zmq

    with open(f"{INSIDE}/driver/other_key.json") as stream:
        keys = json.load(stream)
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.curve_server = True
    router.curve_secretkey = keys["server_secret"].encode()
    router.linger = 0
    port = router.bind_to_random_port("tcp://127.0.0.1")
    answers = threading.Event()

    def serve():
        while not answers.is_set():
            if router.poll(100):
                who, *frames = router.recv_multipart()
                asked = json.loads(frames[1])
                failure = {"code": "unsupported_protocol", "message": "", "hint": "", "retry": False}
                answer = {"type": "failed", "id": asked["id"], "body": failure, "buffers": []}
                router.send_multipart([who, frames[0], json.dumps(answer).encode()])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        file = Gio.File.new_for_path(f"{INSIDE}/driver/other.json")
        done = call("backend", action="connect", address=f"127.0.0.1:{port}", key_file=file)
        assert done.status == SUCCESS, done.error
        picture = image()
        source = layer(picture)
        refused(EXECUTION, "versions that do not fit", "stylize", picture, [source], style=STYLE)
    finally:
        answers.set()
        thread.join()
        router.close()
        context.term()
        assert call("backend", action="connect").status == SUCCESS
    stylize(source)
