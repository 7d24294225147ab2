"""pyzmq comes from the package server once, is checked to the bit, and goes where plug-ins look for it."""

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from scumble.installer.console import Console
from scumble.installer.editors import payload, wheels
from scumble.installer.editors.world import World
from scumble.installer.problem import Problem
from scumble.plugin.common import vendor

from .conftest import TAGS, VERSION, tiny_pyzmq

HERE = World.here().platform


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [n for n in os.environ if n.startswith("PIP_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def store(base: Path, version: str = VERSION) -> wheels.Store:
    console = Console(io.StringIO())
    return wheels.Store(base / "cache ö" / "wheels", f"pyzmq=={version}", Path(sys.executable), console)


@pytest.mark.parametrize("version", [(3, 10), (3, 11), (3, 12), (3, 13), (3, 14), (3, 20)])
@pytest.mark.parametrize("system", sorted(wheels.PLATFORMS))
def test_the_plug_in_finds_every_build_under_the_name_that_the_installer_gives_it(
    version: tuple[int, int], system: str
) -> None:
    build = wheels.fitting(version, system)
    assert build in wheels.builds(system) and build is not None
    assert build.name in vendor.names(version, system)


def test_installer_and_plug_in_call_this_system_the_same() -> None:
    assert vendor.platform_name() == HERE
    assert (wheels.OLDEST, wheels.ABI[1]) == (vendor.OLDEST, vendor._FIRST_ABI)


def test_a_python_that_is_too_old_or_a_system_without_builds_gets_none() -> None:
    assert wheels.fitting((3, 8), HERE) is None and wheels.fitting(None, HERE) is None
    assert wheels.fitting((3, 12), "mingw-windows-x86_64") is None
    assert wheels.builds("linux-riscv64") == []


@pytest.mark.parametrize("system", sorted(TAGS))
def test_a_build_for_any_system_is_fetched_from_here_and_kept(
    shop: Path, tmp_path: Path, system: str
) -> None:
    build = wheels.Build(wheels.ABI, system)
    for other in TAGS:
        tiny_pyzmq(shop, wheels.Build(wheels.ABI, other))
    found = store(tmp_path).get([build])
    files = payload.vendor(found)
    assert files[f"vendor/{build.name}/zmq/__init__.py"].decode() == f"built_for = {build.name!r}\n"
    assert f"vendor/{build.name}/pyzmq.libs/libzmq.so" in files
    assert not any("tests" in name for name in files)
    for wheel in shop.iterdir():
        wheel.unlink()
    assert store(tmp_path).get([build]) == found  # no package server is asked any more


def test_a_kept_build_that_rotted_is_fetched_anew(shop: Path, tmp_path: Path) -> None:
    build = wheels.Build((3, 10), HERE)
    tiny_pyzmq(shop, build)
    (wheel,) = store(tmp_path).get([build]).values()
    whole = wheel.read_bytes()
    wheel.write_bytes(whole.replace(b"built_for", b"built_FOR"))
    assert store(tmp_path).kept(build) is None
    assert store(tmp_path).get([build])[build].read_bytes() == whole
    wheel.write_bytes(whole[: len(whole) // 2])
    assert store(tmp_path).get([build])[build].read_bytes() == whole


def test_another_version_is_another_build(shop: Path, tmp_path: Path) -> None:
    build = wheels.Build((3, 11), HERE)
    tiny_pyzmq(shop, build)
    store(tmp_path).get([build])
    tiny_pyzmq(shop, build, "99.0.0")
    (wheel,) = store(tmp_path, "99.0.0").get([build]).values()
    assert "99.0.0" in wheel.name and len(list(wheel.parent.iterdir())) == 1


def test_a_damaged_build_on_the_server_is_refused(shop: Path, tmp_path: Path) -> None:
    build = wheels.Build((3, 10), HERE)
    wheel = tiny_pyzmq(shop, build)
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("zmq/extra.py", "not listed")
    with pytest.raises(Problem, match="is damaged"):
        store(tmp_path).get([build])
    assert store(tmp_path).kept(build) is None


def test_no_build_and_no_server_are_sentences(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = wheels.Build((3, 10), HERE)
    with pytest.raises(Problem, match=r"no build of pyzmq for Python 3\.10 on"):
        store(tmp_path).get([build])
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(Problem, match="package server cannot be reached") as caught:
        store(tmp_path).get([build])
    assert "Check the network" in caught.value.hint
    assert list((tmp_path / "cache ö" / "wheels").iterdir()) == []  # nothing half-way stays


@pytest.mark.parametrize("name", ["../out.py", "/etc/out.py", "zmq\\..\\out.py", "C:/out.py"])
def test_a_wheel_that_would_write_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    wheel = tmp_path / "x.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(name, "")
    with pytest.raises(Problem, match="not what it should be"):
        wheels.contents(wheel)


def test_the_real_pyzmq_carries_a_message_from_the_vendor_folder_with_encryption(
    real_pyzmq: dict[wheels.Build, Path], tmp_path: Path
) -> None:
    root = tmp_path / "plug-ins ö" / "scumble"
    for name, content in payload.vendor(real_pyzmq).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    code = f"""
import sys, pathlib
sys.path.insert(0, {str(Path(vendor.__file__).parent)!r})
import vendor
assert vendor.activate(pathlib.Path(sys.argv[1])) == "", vendor.activate(pathlib.Path(sys.argv[1]))
import zmq
assert str(zmq.__file__).startswith(sys.argv[1])
public, secret = zmq.curve_keypair()
with zmq.Context() as context, context.socket(zmq.ROUTER) as server, context.socket(zmq.DEALER) as client:
    server.linger = client.linger = 0
    server.curve_server, server.curve_secretkey = True, secret
    port = server.bind_to_random_port("tcp://127.0.0.1")
    client.curve_serverkey = public
    client.curve_publickey, client.curve_secretkey = zmq.curve_keypair()
    client.connect(f"tcp://127.0.0.1:{{port}}")
    client.send(b"hello")
    assert server.poll(10000)
    print(server.recv_multipart()[1].decode(), zmq.__version__)
"""
    command = [sys.executable, "-I", "-S", "-c", code, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["hello", VERSION], done.stderr
