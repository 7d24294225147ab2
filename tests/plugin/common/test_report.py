"""The report that a user copies: what it says, and what it must not say."""

from __future__ import annotations

import getpass
import os
import platform
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import request

from scumble.plugin.common.annotation import RegionSettings, RunSettings
from scumble.plugin.common.failures import explain
from scumble.plugin.common.redact import Redactor
from scumble.plugin.common.report import Facts, last_lines, layer_text, report
from scumble.plugin.common.sources import BlendedStyle, FileStyle, GalleryStyle, LayerStyle, WordStyle
from scumble.shared.connection import KeyPair
from scumble.shared.errors import Code, ScumbleError

LETTERS = "qxzjwvkäöüQXZJ"
NAME = st.text(LETTERS, min_size=4, max_size=10)
USER = st.one_of(NAME, st.tuples(NAME, NAME).map(" ".join))
HOST = st.text(LETTERS, min_size=4, max_size=10)
HOME = st.sampled_from(["/home/{}", "/Users/{}", "C:\\Users\\{}", "/mnt/data/people/{}", "D:\\Profile\\{}"])
IPV4 = st.ip_addresses(v=4).map(str)
IPV6 = st.ip_addresses(v=6).map(str).filter(lambda a: len(a) > 6)
LINES = (
    "2026-01-02 03:04:05 INFO job of 'krita' read {home}/Pictures/{word}.png",
    'File "{home}/.local/lib/scumble/backend/session.py", line 12, in run',
    "cannot open '{home}/My {word} pictures/the {word}.kra': no such file",
    "user {user} on {host} ({ip}:5599) connected, key {key}",
    "{USER}@{host}.local asked for tcp://{ip}:4242 and [{ip6}]:99",
    "FileNotFoundError: [Errno 2] No such file or directory: {home}/{word} {word}/x.kra",
    "opening file://{home}/{word}.png and /media/{user}/{word}/a b/c.tif failed",
    "job {job} of {user}: 640 x 480",
    "home={home}",
    "path={home}\\{word}\\{word}.psd;{home}/{word}",
    "\\\\{host}\\share\\{word}\\picture.png is not there",
    "mail {user}@example.org from {ip6} via {host}",
    "repr: 'C:\\\\Users\\\\{user}\\\\{word}\\\\a.png'",
    "profile ~{user}/{word}/secret.icc",
)
# What a report says anyway: by chance a word may be part of it, such as "x86_6".
SAID = "".join([report(Facts("Krita 5.2.9", "0.1"), Redactor([], [], [])), *LINES]).lower()
WORD = st.text(LETTERS + "0123456789_-", min_size=5, max_size=9).filter(lambda word: word.lower() not in SAID)


@given(USER, HOST, HOME, WORD, IPV4, IPV6, st.lists(st.sampled_from(LINES), min_size=1, max_size=14))
def test_no_name_folder_address_key_or_id_leaks(
    user: str, host: str, home: str, word: str, ip: str, ip6: str, lines: list[str]
) -> None:
    home = home.format(user)
    pair = KeyPair.new()
    job = os.urandom(16).hex()
    values = {
        "user": user, "USER": user.upper(), "host": host, "home": home, "word": word, "ip": ip, "ip6": ip6,
        "key": pair.public, "job": job,
    }  # fmt: skip
    log = [line.format(**values) for line in lines]
    error = ScumbleError(Code.FILE_MISSING, f"{home}/{word}.png is gone.", f"Ask {user} at {ip}.")
    facts = Facts("Krita 5.2.9", "0.1", explain(error), log[0], condition={"where": log[-1]}, log=log)
    text = report(facts, Redactor([home], [user], [host]))
    for secret in (user, host, home, word, ip, ip6, pair.public, job):
        assert secret.lower() not in text.lower(), f"{secret!r} of {log} in {text}"
    assert "Krita 5.2.9" in text and "file_missing" in text


def test_what_helps_is_still_there() -> None:
    redact = Redactor(["/home/anna"], ["anna"], ["atelier"])
    trace = 'File "/home/anna/env/lib/scumble/backend/session.py", line 12, in run'
    assert redact(trace) == 'File "…/session.py", line 12, in run'
    assert (
        redact("2026-01-02 03:04:05,678 job done in 1.25 s") == "2026-01-02 03:04:05,678 job done in 1.25 s"
    )
    assert (
        redact("version 1.2.3, 3/4 of 640 x 480, ratio 4:3") == "version 1.2.3, 3/4 of 640 x 480, ratio 4:3"
    )
    assert redact("scumble.shared::Client: rgba/u8 sRGB") == "scumble.shared::Client: rgba/u8 sRGB"
    assert redact("/home/annabel/x.png") == "….png"
    assert redact("anna's atelier, Anna_2, annalen") == "<user>'s <machine>, <user>_2, <user>len"


def test_short_names_are_taken_out_as_words_only() -> None:
    redact = Redactor([], ["al"], [])
    assert redact("al and AL have an algorithm") == "<user> and <user> have an algorithm"


def test_this_users_own_names_do_not_leak() -> None:
    home, user, host = os.path.expanduser("~"), getpass.getuser(), platform.node()
    text = report(Facts(log=[f"{home}/a.png, {user}, {host}, {Path.home() / 'x' / 'y.kra'}"]))
    assert f"{home}/" not in text
    for secret in (user, host):
        assert secret == "localhost" or secret not in text.partition("log:")[2]


def test_settings_are_told_without_the_users_own_names_and_words() -> None:
    styles = (
        GalleryStyle("night-swirls"),
        FileStyle("/pictures/holiday with eve.png"),
        LayerStyle("{1}", "letter to eve", "eve's face"),
        BlendedStyle(((GalleryStyle("waves"), 0.5), (WordStyle("the colours of eve's dress"), 2.0))),
    )
    run = RunSettings(
        "partial-conv",
        tuple(RegionSettings(style, strength=0.5, label="eve") for style in styles),
        {"texture": 0.25, "method": "style-then-mask", "note": "for eve, with love"},
        seed=7,
    )
    text = report(Facts("GIMP 3.0.4", "0.1", settings=run, layer=layer_text(request(side=6))))
    assert "eve" not in text.replace("never", "")
    assert "engine: partial-conv, seed 7" in text and '"texture":0.25' in text and "style-then-mask" in text
    assert "gallery night-swirls, strength 0.5" in text and "gallery waves x 0.5" in text
    assert "6 x 6 rgba/u8 srgb at (0, 0)" in text and "(18 characters)" in text


def test_versions_error_and_device_are_told() -> None:
    failure = explain(ScumbleError(Code.OUT_OF_MEMORY, "No memory.", "Select less.", retry=True))
    facts = Facts(
        failure=failure, device={"name": "cpu", "memory": 8}, timings={"total": 1.5, "bad": float("nan")}
    )
    text = report(facts)
    assert "error: out_of_memory (try again: yes)\n  No memory.\n  Select less.\n" in text
    assert 'device: {"name":"cpu","memory":8}' in text and '"total":1.5' in text
    assert f"python: {platform.python_version()}" in text and "libzmq" in text and "protocol 1" in text


def test_the_last_lines_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "backend.log"
    log.write_bytes(b"\xff\xfe old\n" * 20_000 + b"last \xc3\xb6\n" + b"x" * 10_000 + b"\n")
    lines = last_lines(log, 3)
    assert len(lines) == 3 and lines[1] == "last ö" and len(lines[2]) == 400
    assert last_lines(tmp_path / "none") == ["(no log: No such file or directory)"]


@pytest.mark.parametrize("code", list(Code))
def test_a_report_is_offered_for_faults_of_ours_only(code: Code) -> None:
    failure = explain(ScumbleError(code, ""))
    assert failure.sentence and failure.hint
    if code in (Code.EMPTY_SELECTION, Code.CANCELLED, Code.UNKNOWN_STYLE):
        assert not failure.report
    if code in (Code.INTERNAL, Code.BACKEND_LOST, Code.MODEL_CORRUPT):
        assert failure.report and failure.retry


def test_what_is_no_error_of_ours_is_internal_and_says_nothing_of_its_own() -> None:
    failure = explain(KeyError("/home/anna/secret"))
    assert failure.code is Code.INTERNAL and "secret" not in failure.text and failure.report
