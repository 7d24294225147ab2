"""What a server answers (docs/protocol.md, sections 6 to 8)."""

from __future__ import annotations

import base64
import io
import time

import pytest
from obedient import ObedientSession
from PIL import Image
from wire_parts import Raw, Running, eventually, request, running, until

from scumble.shared import events
from scumble.shared.codec import request_message
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.framing import encode
from scumble.shared.limits import Limits


def test_a_job_is_accepted_tells_its_progress_and_returns_its_pixels(client) -> None:
    """Section 6.4."""
    seen: list = []
    asked = request(seed=7, steps=3)
    job = client.stylize(asked)
    done = until(client, events.Finished, job=job, seen=seen)
    assert [type(e) for e in seen][:2] == [events.Connected, events.Accepted]
    assert [(e.stage, e.done, e.of) for e in seen if isinstance(e, events.Progress)][-1] == ("paint", 3, 3)
    assert bytes(done.result.layer.data) == bytes(asked.layer.data)[::-1]
    assert done.result.report["seed"] == 7
    assert client.outstanding == ()


def test_ping_and_describe_and_cancel_are_answered_while_a_job_runs(client) -> None:
    """Section 7.1: the I/O thread does not wait for the worker."""
    job = client.stylize(request(seconds=60))
    until(client, events.Progress, job=job)
    pong = until(client, events.Pong, job=client.ping())
    assert (pong.state, pong.body["job"]) == ("busy", job)
    assert until(client, events.Answer, job=client.describe()).value["styles"]
    client.cancel(job)
    until(client, events.Cancelling, job=job)
    until(client, events.Cancelled, job=job)
    assert until(client, events.Pong, job=client.ping()).state == "ready"


def test_a_long_job_shows_what_it_has_and_ends_early_when_that_is_enough(client) -> None:
    """Sections 6.6.1 and 6.6.2: previews, the expected time first, and ``enough``."""
    seen: list = []
    asked = request(seconds=60, shows=True, content=True, foresees=42.0)
    job = client.stylize(asked)
    shown = until(client, events.Preview, job=job, seen=seen)
    assert (shown.result.layer.width, shown.result.layer.layout) == (1, "rgba")
    first = next(e for e in seen if isinstance(e, events.Progress) and e.stage == "paint")
    assert (first.done, first.eta_s) == (0, 42.0)
    client.enough(job)
    done = until(client, events.Finished, job=job)
    assert bytes(done.result.layer.data) == bytes(asked.layer.data)[::-1]


def test_enough_of_a_job_that_is_not_there_is_refused_and_ends_nothing(client) -> None:
    """Section 6.6.1."""
    raw = client.request("enough", {"job": "never-was"})
    assert until(client, events.Failed, job=raw).error.code is Code.UNKNOWN_JOB
    job = client.stylize(request(steps=2))
    client.enough("never-was")
    assert until(client, events.Finished, job=job)


def test_a_description_may_be_larger_than_a_header(client) -> None:
    """Section 6.3: it travels as a buffer."""
    value = until(client, events.Answer, job=client.describe()).value
    assert len(str(value)) > Limits().header_bytes


def test_describe_is_answered_from_memory_until_a_refresh_is_asked_for(client) -> None:
    """Section 6.3."""
    first = until(client, events.Answer, job=client.describe()).value["described"]
    assert until(client, events.Answer, job=client.describe()).value["described"] == first
    assert until(client, events.Answer, job=client.describe(refresh=True)).value["described"] == first + 1


def test_a_backend_that_still_loads_says_starting_and_takes_jobs_already() -> None:
    """Section 7.1."""
    with running(lambda: ObedientSession(start_s=1.0)) as server, server.client() as client:
        ping, job, question = client.ping(), client.stylize(request()), client.describe()
        seen: list = []
        assert until(client, events.Pong, job=ping, seen=seen).state == "starting"
        assert until(client, events.Accepted, job=job).job == job
        assert until(client, events.Progress, job=question).stage == "starting"
        until(client, events.Answer, job=question)
        until(client, events.Finished, job=job)


def test_a_backend_whose_engines_cannot_load_says_so_to_everyone() -> None:
    """Section 7.1: it stays there to say what is wrong."""

    def broken() -> ObedientSession:
        raise ImportError("libsomething at /usr/lib/libsomething.so")

    with running(broken) as server, server.client() as client:
        failed = until(client, events.Failed, job=client.describe())
        assert failed.error.code is Code.INTERNAL
        assert until(client, events.Failed, job=client.stylize(request())).error.code is Code.INTERNAL
        pong = until(client, events.Pong, job=client.ping())
        assert pong.state == "failed"
        assert "/" not in str(pong.body["error"])


def test_two_clients_take_turns(server: Running, tmp_path) -> None:
    """Section 7.3: one who queued many jobs does not keep the other waiting for all of them."""
    diary = str(tmp_path / "diary")
    with server.client(name="many") as many, server.client(name="one") as one:
        first = many.stylize(request(seconds=60))
        until(many, events.Progress, job=first)
        jobs = [many.stylize(request(seed=i, diary=diary)) for i in range(1, 5)]
        for job in jobs:
            until(many, events.Accepted, job=job)
        mine = one.stylize(request(seed=100, diary=diary))
        assert until(one, events.Accepted, job=mine).position == 2  # the one that runs, and one of many
        many.cancel(first)
        until(one, events.Finished, job=mine)
        for job in jobs:
            until(many, events.Finished, job=job)
    with open(diary) as lines:
        assert lines.read().split() == ["1", "100", "2", "3", "4"]


def test_a_job_is_cancelled_while_it_waits_and_never_runs(client, tmp_path) -> None:
    """Section 6.6."""
    diary = tmp_path / "diary"
    first = client.stylize(request(seconds=60))
    until(client, events.Progress, job=first)
    waiting = client.stylize(request(seed=5, diary=str(diary)))
    assert until(client, events.Accepted, job=waiting).position == 1
    client.cancel(waiting)
    until(client, events.Cancelled, job=waiting)
    client.cancel(first)
    until(client, events.Cancelled, job=first)
    until(client, events.Finished, job=client.stylize(request()))
    assert not diary.exists()


def test_a_cancelled_job_stops_itself_and_the_next_one_runs(client) -> None:
    """Section 6.6."""
    first = client.stylize(request(seconds=60))
    until(client, events.Progress, job=first)
    second = client.stylize(request())
    client.cancel(first)
    until(client, events.Cancelled, job=first)
    until(client, events.Finished, job=second)


def test_a_result_that_comes_after_its_cancellation_is_not_sent(client) -> None:
    """Section 6.6: an engine that looked away finishes, and the client still gets ``cancelled``."""
    job = client.stylize(request(seconds=0.5, deaf=True))
    until(client, events.Progress, job=job)
    client.cancel(job)
    until(client, events.Cancelled, job=job)


def test_cancelling_an_unknown_job_is_answered(server: Running, context) -> None:
    """Section 6.6."""
    peer = Raw(context, server.connection)
    peer.hello()
    answer = peer.ask("cancel", "c1", job="nothing")
    assert (answer.type, answer.id, answer.body["code"]) == ("failed", "c1", "unknown_job")


def test_the_same_id_twice_does_not_run_twice(server: Running, context, tmp_path) -> None:
    """Section 7.4."""
    diary = tmp_path / "diary"
    frames = encode(request_message(request(diary=str(diary), seed=1), "job1"))
    peer = Raw(context, server.connection)
    peer.hello()
    for _ in range(3):
        peer.socket.send_multipart(frames)
    kinds = []
    while kinds.count("result") < 1:
        kinds.append(peer.hear().type)
    peer.socket.send_multipart(frames)
    while kinds.count("result") < 2:  # the kept result, at once
        kinds.append(peer.hear().type)
    assert "failed" not in kinds
    assert diary.read_text().split() == ["1"]


def test_one_id_cannot_mean_two_requests(server: Running, context) -> None:
    """Section 7.4."""
    peer = Raw(context, server.connection)
    peer.hello()
    peer.socket.send_multipart(encode(request_message(request(seed=1), "job1")))
    while peer.hear().type != "result":
        pass
    peer.socket.send_multipart(encode(request_message(request(seed=2), "job1")))
    assert peer.hear().body["code"] == "bad_request"


def test_a_result_waits_for_a_client_that_reconnects(server: Running, tmp_path) -> None:
    """Section 7.5: it asks for its job in ``hello`` and need not send the pixels again."""
    diary = tmp_path / "diary"
    first = server.client(session="krita-1")
    job = first.stylize(request(seconds=0.3, seed=3, diary=str(diary)))
    until(first, events.Accepted, job=job)
    first.close()
    time.sleep(0.6)
    with server.client(session="krita-1") as second:
        again = request(seconds=0.3, seed=3, diary=str(diary))
        second.stylize(again, job)
        result = until(second, events.Finished, job=job).result
    assert bytes(result.layer.data) == bytes(again.layer.data)[::-1]
    assert diary.read_text().split() == ["3"]


def test_hello_names_jobs_and_gets_their_answers(server: Running, context) -> None:
    """Section 7.5."""
    peer = Raw(context, server.connection)
    peer.hello()
    peer.socket.send_multipart(encode(request_message(request(), "job1")))
    while peer.hear().type != "result":
        pass
    peer.close()
    back = Raw(context, server.connection)
    assert back.hello(jobs=["job1", "other", 7]).body["jobs"] == ["job1"]
    answer = back.hear()
    assert (answer.type, answer.id) == ("result", "job1")


def test_a_released_result_is_gone_and_its_job_does_not_run_again(server: Running, context) -> None:
    """Section 6.7."""
    frames = encode(request_message(request(), "job1"))
    peer = Raw(context, server.connection)
    peer.hello()
    peer.socket.send_multipart(frames)
    while peer.hear().type != "result":
        pass
    assert peer.ask("release", job="job1").type == "result"
    assert peer.ask("ping").body["memory"]["kept"] == 0
    assert peer.ask("release", job="job1").body["code"] == "unknown_job"
    peer.socket.send_multipart(frames)
    assert peer.hear().body["code"] == "unknown_job"


def test_kept_results_are_bounded_in_bytes(context) -> None:
    """Section 7.5: the oldest goes first."""
    size = 8 * 6 * 4
    with running(keep_bytes=2 * size) as server:
        peer = Raw(context, server.connection)
        peer.hello()
        for index in range(4):
            peer.socket.send_multipart(encode(request_message(request(seed=index), f"job{index}")))
            while peer.hear().type != "result":
                pass
        assert peer.ask("ping").body["memory"]["kept"] == 2 * size


def test_kept_results_are_bounded_in_time(context) -> None:
    """Section 7.5."""
    with running(keep_s=0.1) as server:
        peer = Raw(context, server.connection)
        peer.hello()
        peer.socket.send_multipart(encode(request_message(request(), "job1")))
        while peer.hear().type != "result":
            pass
        eventually(lambda: peer.ask("ping").body["memory"]["kept"] == 0, "the result's end")


def test_a_job_whose_client_fell_silent_is_abandoned(context) -> None:
    """Section 7.6: an editor that crashed does not hold the device."""
    with running(abandon_s=0.5) as server, server.client() as other:
        peer = Raw(context, server.connection)
        peer.hello()
        peer.socket.send_multipart(encode(request_message(request(seconds=600), "lost")))
        assert peer.hear().type == "accepted"
        peer.close()
        until(other, events.Finished, job=other.stylize(request()))


def test_a_client_that_waits_is_not_taken_for_a_dead_one() -> None:
    """Section 7.6: its heartbeats tell."""
    with running(abandon_s=1.0) as server, server.client() as client:
        until(client, events.Finished, job=client.stylize(request(seconds=2.5)))


def test_too_many_waiting_jobs_of_one_client_are_refused(context) -> None:
    """Section 4.3."""
    with running(limits=Limits(queued_jobs=2)) as server, server.client() as client:
        first = client.stylize(request(seconds=60))
        until(client, events.Progress, job=first)
        jobs = [client.stylize(request(seed=i)) for i in range(3)]
        refused = until(client, events.Failed)
        assert (refused.job, refused.error.code, refused.error.retry) == (jobs[2], Code.BUSY, True)
        client.cancel(first)
        until(client, events.Finished, job=jobs[1])


def test_too_many_waiting_bytes_of_one_client_are_refused() -> None:
    """Section 4.3."""
    with running(limits=Limits(queued_bytes=300)) as server, server.client() as client:
        first = client.stylize(request(seconds=60))
        until(client, events.Progress, job=first)
        client.stylize(request(seed=1))
        refused = client.stylize(request(seed=2))
        assert until(client, events.Failed, job=refused).error.code is Code.BUSY
        client.cancel(first)


def test_a_job_that_cannot_fit_is_refused_before_it_starts(client, tmp_path) -> None:
    """Section 7.2."""
    job = client.stylize(request(gib=1e6, diary=str(tmp_path / "diary")))
    assert until(client, events.Failed, job=job).error.code is Code.OUT_OF_MEMORY
    assert not (tmp_path / "diary").exists()


@pytest.mark.parametrize("code", [c.value for c in Code])
def test_every_code_travels_with_its_sentence_hint_and_retry_and_without_paths(client, code: str) -> None:
    """Section 8."""
    failed = until(client, events.Failed, events.Cancelled, job=client.stylize(request(fail=code)))
    assert isinstance(failed, events.Failed)
    assert (failed.error.code.value, failed.error.hint, failed.error.retry) == (code, "Look there.", True)
    assert failed.error.message == "It failed, see log.txt."


def test_a_bug_in_an_engine_is_internal_and_the_next_job_runs(client) -> None:
    """Section 8.2: nothing of the trace travels."""
    error = until(client, events.Failed, job=client.stylize(request(crash=True))).error
    assert error.code is Code.INTERNAL
    assert "Zero" not in error.message + error.hint and "/" not in error.message + error.hint
    until(client, events.Finished, job=client.stylize(request()))


def test_models_are_listed_and_an_unknown_one_is_not_fetched(client) -> None:
    """Section 6.8."""
    listed = until(client, events.Answer, job=client.models("list")).value
    assert {"id", "state", "licence"} <= set(listed["models"][0])
    for action in ("fetch", "remove"):
        answer = until(client, events.Failed, job=client.models(action, "no-such-model"))
        assert answer.error.code is Code.MODEL_MISSING
    assert until(client, events.Failed, job=client.models("paint")).error.code is Code.BAD_REQUEST


def test_a_picture_of_the_gallery_comes_at_the_size_that_was_asked_for(client) -> None:
    """Section 6.8.1."""
    answer = until(client, events.Answer, job=client.picture("oil-orchard", 300)).value
    picture = Image.open(io.BytesIO(base64.b64decode(answer["jpeg"])))
    assert picture.format == "JPEG" and max(picture.size) == 300
    assert (answer["style"], answer["width"], answer["height"]) == ("oil-orchard", *picture.size)
    gone = until(client, events.Failed, job=client.picture("no-such-style")).error
    assert gone.code is Code.UNKNOWN_STYLE and gone.hint
    for body in ({"style": "oil-orchard", "side": 0}, {"style": "oil-orchard", "side": 9999}, {"side": 20}):
        refused = until(client, events.Failed, job=client.request("picture", body)).error
        assert refused.code in (Code.BAD_REQUEST, Code.OPTION_OUT_OF_RANGE)
    # Not by the way round of the models either.
    refused = until(client, events.Failed, job=client.models("picture", "oil-orchard")).error
    assert refused.code is Code.BAD_REQUEST


def test_free_memory_and_shutdown_are_answered(server: Running, client) -> None:
    """Section 6.9."""
    assert until(client, events.Answer, job=client.free_memory()).kind == "result"
    running_job, waiting = client.stylize(request(seconds=60)), client.stylize(request(seed=1))
    until(client, events.Progress, job=running_job)
    until(client, events.Accepted, job=waiting)
    seen: list = []
    until(client, events.Answer, job=client.shutdown(), seen=seen)
    deadline = time.monotonic() + 5
    while client.outstanding and time.monotonic() < deadline:
        seen += client.poll(0.05)
    server.thread.join(10)
    assert server.server.ended_by == "shutdown"
    assert {type(e) for e in seen if getattr(e, "job", "") == running_job} & {events.Cancelled, events.Failed}
    lost = next(e for e in seen if isinstance(e, events.Failed) and e.job == waiting)
    assert lost.error.code is Code.BACKEND_LOST and lost.error.retry


def test_an_idle_server_ends_itself_but_not_while_a_job_runs() -> None:
    """Section 7.7."""
    with running(idle_s=0.6) as server, server.client() as client:
        job = client.stylize(request(seconds=2.0))
        until(client, events.Finished, job=job)  # longer than the idle time, and it was there all along
        server.thread.join(10)
        assert server.server.ended_by == "idle"


def test_other_messages_do_keep_a_server_up() -> None:
    """Section 7.7."""
    with running(idle_s=1.0) as server, server.client() as client:
        until_then = time.monotonic() + 2.5
        while time.monotonic() < until_then:
            until(client, events.Answer, job=client.describe())
            time.sleep(0.1)
        assert server.thread.is_alive()
        server.thread.join(10)
        assert server.server.ended_by == "idle"


def test_a_ping_does_not_keep_an_idle_server_up() -> None:
    """Section 7.7: a docker that shows the backend's state must not keep it for ever."""
    with running(idle_s=0.8) as server, server.client() as client:
        eventually(lambda: client.ping() and client.poll(0.05) and not server.thread.is_alive(), "the end")


def test_an_unknown_protocol_version_is_refused_with_advice(server: Running, context) -> None:
    """Section 6.1."""
    peer = Raw(context, server.connection)
    answer = peer.ask("hello", client="x", protocols=[2, 99], session="s")
    assert (answer.type, answer.body["code"]) == ("failed", "unsupported_protocol")
    assert "Update" in answer.body["hint"]


def test_whoever_did_not_say_hello_is_told_to(server: Running, context) -> None:
    """Section 6.1; only ping needs none."""
    peer = Raw(context, server.connection)
    assert peer.ask("ping").type == "pong"
    works = ("describe", "stylize", "segment", "cancel", "release", "models", "picture")
    for kind in (*works, "free_memory", "shutdown"):
        assert peer.ask(kind).body["code"] == "no_session"


def test_a_client_that_reads_nothing_does_not_hold_up_the_others(server: Running, context) -> None:
    """Section 7.8."""
    deaf = Raw(context, server.connection, deaf=True)
    deaf.hello()
    for index in range(200):  # 80 MB of answers
        deaf.send("describe", f"d{index}")
    with server.client() as client:
        until(client, events.Finished, job=client.stylize(request()))
    heard = []
    for index in range(200, 400):  # now it reads, slowly, and asks on
        deaf.send("describe", f"d{index}")
        heard.append(deaf.hear().id)
    assert heard == [f"d{index}" for index in range(200)], "in their order, none missing"


def test_a_raised_scumble_error_keeps_its_code_in_the_clients_hands(client) -> None:
    """Section 8.1."""
    failed = until(client, events.Failed, job=client.stylize(request(fail="model_missing")))
    with pytest.raises(ScumbleError, match="It failed"):
        raise failed.error
