"""The settings file: kept whole, shared by two editors, and never lost."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scumble.plugin.common.backend import Remote, connector, endpoint, remote_connection
from scumble.plugin.common.settings import LastUsed, Settings
from scumble.plugin.common.sources import FileStyle, GalleryStyle
from scumble.shared.connection import Connection, KeyPair, write_connection
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.lock import FileLock


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a höme" / "settings.json"


def write(file: Path, content: str | bytes) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)


def test_without_a_file_there_are_defaults_and_nothing_is_written(file: Path) -> None:
    it = Settings.load(file)
    assert it.remote == Remote() and it.style_folder == "" and it.problem == ""
    assert it.last("krita") == LastUsed()
    it.save()
    assert not file.exists()


def test_what_is_set_comes_back(file: Path) -> None:
    it = Settings.load(file)
    last = LastUsed("partial-conv", FileStyle("/pictures/ö.png"), 0.5, {"partial-conv": {"texture": 0.1}})
    it.remote = Remote("studio:5599", "~/key.json", True)
    it.style_folder = "/pictures"
    it.remember("krita", last)
    it.set("gimp", "dock", {"open": [1, 2]})
    it.save()
    again = Settings.load(file)
    assert again.remote == it.remote and again.style_folder == "/pictures" and again.last("krita") == last
    assert again.last("gimp") == LastUsed() and again.get("gimp", "dock") == {"open": [1, 2]}
    assert json.loads(file.read_text("utf-8"))["version"] == 1
    if sys.platform != "win32":
        assert file.stat().st_mode & 0o777 == 0o600


def test_the_users_own_folder_is_used_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCUMBLE_CONFIG_DIR", str(tmp_path / "config"))
    it = Settings.load()
    it.style_folder = "/x"
    it.save()
    assert (tmp_path / "config" / "settings.json").is_file()


def test_keys_of_a_newer_version_are_kept(file: Path) -> None:
    write(file, json.dumps({"version": 7, "moon": {"phase": 1}, "remote": {"address": "a:1", "via": "x"}}))
    it = Settings.load(file)
    it.remote = Remote("b:2", "k", True)
    it.save()
    content = json.loads(file.read_text("utf-8"))
    assert content["version"] == 7 and content["moon"] == {"phase": 1}
    assert content["remote"] == {"address": "b:2", "key_file": "k", "enabled": True, "via": "x"}


def test_two_editors_keep_each_others_changes(file: Path) -> None:
    krita, gimp = Settings.load(file), Settings.load(file)
    krita.remember("krita", LastUsed("a", GalleryStyle("waves")))
    gimp.remember("gimp", LastUsed("b"))
    gimp.style_folder = "/g"
    krita.save()
    gimp.save()
    krita.remember("krita", LastUsed("c"))
    krita.save()
    it = Settings.load(file)
    assert (it.last("krita").engine, it.last("gimp").engine, it.style_folder) == ("c", "b", "/g")
    assert it.last("krita").style is None, "what was taken out stays out"


@pytest.mark.parametrize("content", ["{", "[]", "null", b"\xff\xfe\x00", "[" * 200_000, b"\0" * 50])
def test_a_damaged_file_is_set_aside_and_the_user_is_told(file: Path, content: str | bytes) -> None:
    write(file, content)
    before = file.read_bytes()
    it = Settings.load(file)
    assert "damaged" in it.problem and it.remote == Remote()
    aside = list(file.parent.glob("settings.broken-*.json"))
    assert len(aside) == 1 and aside[0].read_bytes() == before and aside[0].name in it.problem
    it.style_folder = "/x"
    it.save()
    assert Settings.load(file).style_folder == "/x" and Settings.load(file).problem == ""
    write(file, content)
    Settings.load(file)
    assert len(list(file.parent.glob("settings.broken-*.json"))) == 2, "an earlier one is not overwritten"


def test_a_file_that_is_damaged_between_loading_and_saving_is_set_aside_too(file: Path) -> None:
    it = Settings.load(file)
    it.style_folder = "/x"
    write(file, "{oops")
    it.save()
    assert Settings.load(file).style_folder == "/x"
    assert [f.read_text() for f in file.parent.glob("settings.broken-*.json")] == ["{oops"]


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["remote", "editors", "krita", "style", "options", "engine", "strength", "address"]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=15,
)


@given(JSON)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_values_of_any_kind_are_survived(file: Path, content: Any) -> None:
    write(
        file, json.dumps({"remote": content, "editors": content, "style_folder": content, "version": content})
    )
    it = Settings.load(file)
    assert isinstance(it.remote, Remote) and isinstance(it.style_folder, str)
    assert 0 <= it.last("krita").strength <= 1
    it.remember("krita", LastUsed("e", GalleryStyle("g"), 0.5, {"e": {"a": 1}}))
    it.remote = Remote("h:1")
    it.save()
    again = Settings.load(file)
    assert again.last("krita") == LastUsed("e", GalleryStyle("g"), 0.5, {"e": {"a": 1}})
    assert again.remote == Remote("h:1")


def test_an_editor_that_hangs_while_it_saves_does_not_keep_the_others_from_it(file: Path) -> None:
    file.parent.mkdir()
    hanging = FileLock(file.with_suffix(".lock"))
    assert hanging.acquire()
    it = Settings.load(file)
    it.style_folder = "/x"
    it.save()
    hanging.release()
    assert Settings.load(file).style_folder == "/x"


def test_a_folder_that_cannot_be_written_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file where the folder should be")
    it = Settings.load(tmp_path / "config" / "settings.json")
    it.style_folder = "/x"
    with pytest.raises(ScumbleError) as caught:
        it.save()
    assert caught.value.code is Code.DISK and caught.value.hint
    assert it.style_folder == "/x", "it holds for now"


# -- a backend on another machine ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("studio.local:5599", "tcp://studio.local:5599"),
        (" tcp://10.0.0.7:1/ ", "tcp://10.0.0.7:1"),
        ("[fe80::1]:65535", "tcp://[fe80::1]:65535"),
    ],
)
def test_addresses_as_people_write_them(written: str, meant: str) -> None:
    assert endpoint(written) == meant


@pytest.mark.parametrize(
    "written", ["", "studio", "studio:", ":5", "a:0", "a:70000", "http://a:1", "a b:1", "a:1x"]
)
def test_what_is_no_address_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(ScumbleError) as caught:
        endpoint(written)
    assert caught.value.code is Code.BAD_REQUEST and "5599" in caught.value.hint


def key_file(folder: Path) -> Path:
    file = folder / "key.json"
    write_connection(Connection("tcp://127.0.0.1:9", KeyPair.new().public, KeyPair.new()), file)
    return file


def test_the_key_file_gives_the_keys_and_the_address_wins(tmp_path: Path) -> None:
    file = key_file(tmp_path)
    assert remote_connection(Remote("", str(file))).endpoint == "tcp://127.0.0.1:9"
    found = remote_connection(Remote("studio:1234", str(file)))
    assert found.endpoint == "tcp://studio:1234" and found.lock is None and len(found.client.secret) == 40


def test_a_key_file_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    broken, public = tmp_path / "broken.json", key_file(tmp_path)
    broken.write_text("{}")
    broken.chmod(0o600)
    cases = {"": "no key file", str(tmp_path / "gone"): "not there", str(broken): "cannot be read"}
    if sys.platform != "win32":
        public.chmod(0o644)
        cases[str(public)] = "Other users"
    for name, words in cases.items():
        with pytest.raises(ScumbleError, match=words) as caught:
            remote_connection(Remote("a:1", name))
        assert caught.value.code is Code.NO_BACKEND and caught.value.hint
        assert str(tmp_path) not in caught.value.message + caught.value.hint


def test_a_backend_elsewhere_is_never_started_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for remote in (Remote("a:1", str(key_file(tmp_path)), True), Remote("a:1", "", False)):
        if not remote.enabled:
            monkeypatch.setenv("SCUMBLE_CONNECTION", os.fspath(key_file(tmp_path)))
        with connector(remote, "test")() as client:
            assert client._launch is None
    monkeypatch.delenv("SCUMBLE_CONNECTION")
    with connector(Remote("a:1", "", False), "test")() as client:
        assert client._launch is not None


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for Python is a shell script")
def test_a_backend_is_started_with_the_python_and_the_patience_that_were_chosen(tmp_path: Path) -> None:
    said, script = tmp_path / "said", tmp_path / "my python"
    script.write_text(f'#!/bin/sh\necho "$@" > "{said}.part" && mv "{said}.part" "{said}"\nsleep 5\n')
    script.chmod(0o755)
    with connector(None, "test", python=script, idle_minutes=45)() as client:
        assert client._launch is not None
        process = client._launch()
    try:
        until = time.monotonic() + 20
        while not said.exists() and time.monotonic() < until:
            time.sleep(0.02)
        assert said.read_text().split() == ["-m", "scumble.backend.server", "--idle", "45"]
    finally:
        process.process.kill()
        process.process.wait()
