"""Importing the published network: official layout in, verified safetensors out, code refused."""

from __future__ import annotations

import argparse
import json
import pickle
from pathlib import Path

import pytest
import torch
from torch import Tensor

from scumble.backend.models import catalogue, cli, imported
from scumble.backend.models.importing import import_linear_transfer, load_linear_transfer
from scumble.backend.nn.linear_transfer import Layer, LinearTransfer
from scumble.shared.errors import Code, ScumbleError

PARTS = ("encoder", "decoder", "matrix")


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCUMBLE_MODELS_DIR", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture(scope="module")
def networks() -> dict[str, LinearTransfer]:
    torch.manual_seed(0)
    return {layer: LinearTransfer(layer).eval() for layer in ("r31", "r41")}


def official_files(network: LinearTransfer, folder: Path, **options: bool) -> dict[str, Path]:
    """Save a network as the three files that the authors publish."""
    folder.mkdir(exist_ok=True)
    names = {"encoder": f"vgg_{network.layer}.pth", "decoder": f"dec_{network.layer}.pth"}
    names["matrix"] = f"{network.layer}.pth"
    for part, name in names.items():
        torch.save(dict(network.get_submodule(part).state_dict()), folder / name, **options)
    return {part: folder / name for part, name in names.items()}


@pytest.mark.parametrize("layer", ["r31", "r41"])
@pytest.mark.parametrize("modern", [True, False])
def test_official_files_come_back_to_the_bit(
    networks: dict[str, LinearTransfer], layer: Layer, modern: bool, tmp_path: Path, models: Path
) -> None:
    """Both PyTorch file formats: the published files are of the old one."""
    files = official_files(networks[layer], tmp_path / "öffentlich", _use_new_zipfile_serialization=modern)
    record = import_linear_transfer(**files, name="published")
    assert record["layer"] == layer and len(record["sha256"]) == 64
    assert {s["file"] for s in record["sources"].values()} == {f.name for f in files.values()}
    loaded = load_linear_transfer("published")
    assert loaded.layer == layer and not loaded.training
    for key, value in networks[layer].state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value)
    assert json.loads((models / "imported" / "published.json").read_text("utf-8")) == record
    listed = next(line for line in catalogue.listing() if line.id == "published")
    assert listed.state == "imported" and listed.removable
    assert catalogue.remove("published") > 0 and "published" not in imported.records()


def test_files_that_do_not_belong_together_are_refused_with_the_right_names(
    networks: dict[str, LinearTransfer], tmp_path: Path
) -> None:
    deep = official_files(networks["r41"], tmp_path / "deep")
    shallow = official_files(networks["r31"], tmp_path / "shallow")
    with pytest.raises(ScumbleError) as caught:
        import_linear_transfer(deep["encoder"], shallow["decoder"], deep["matrix"], "mixed")
    assert "decoder" in caught.value.message and "dec_r41.pth" in caught.value.hint
    with pytest.raises(ScumbleError) as caught:
        import_linear_transfer(deep["encoder"], shallow["decoder"], shallow["matrix"], "mixed")
    assert "encoder" in caught.value.message and "vgg_r31.pth" in caught.value.hint
    with pytest.raises(ScumbleError) as caught:
        import_linear_transfer(deep["matrix"], deep["decoder"], deep["encoder"], "swapped")
    assert "matrix" in caught.value.message and "in this order" in caught.value.hint
    assert not imported.records()


class Trap:
    """Pickled, this would run a command when it is loaded without care."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return (eval, (f"open({str(self.proof)!r}, 'w').close()",))


@pytest.mark.parametrize("plain_pickle", [True, False])
def test_a_file_with_code_is_refused_and_the_code_does_not_run(
    networks: dict[str, LinearTransfer], tmp_path: Path, plain_pickle: bool
) -> None:
    files = official_files(networks["r31"], tmp_path / "files")
    proof = tmp_path / "it ran"
    if plain_pickle:
        files["matrix"].write_bytes(pickle.dumps(Trap(proof)))
    else:
        torch.save({"unzip.weight": Trap(proof)}, files["matrix"])
    with pytest.raises(ScumbleError) as caught:
        import_linear_transfer(**files, name="trap")
    assert caught.value.code is Code.FILE_UNREADABLE
    assert not proof.exists() and not imported.records()


def broken(kind: str, path: Path) -> None:
    good: dict[str, Tensor] = torch.load(path, weights_only=True)
    if kind == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("not a checkpoint at all", "utf-8")
    elif kind == "list":
        torch.save(list(good.values()), path)
    elif kind == "numbers":
        torch.save(dict.fromkeys(good, 1), path)
    elif kind == "missing key":
        good.popitem()
        torch.save(good, path)
    elif kind == "extra key":
        torch.save(good | {"conv99.weight": torch.ones(1)}, path)
    elif kind == "wrong shape":
        torch.save(good | {"conv8.bias": torch.ones(3)}, path)
    elif kind == "not finite":
        torch.save(good | {"conv8.bias": torch.full((128,), float("nan"))}, path)


@pytest.mark.parametrize(
    "kind",
    [
        "truncated",
        "empty",
        "text",
        "list",
        "numbers",
        "missing key",
        "extra key",
        "wrong shape",
        "not finite",
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(
    networks: dict[str, LinearTransfer], tmp_path: Path, models: Path, kind: str
) -> None:
    files = official_files(networks["r31"], tmp_path / "files")
    broken(kind, files["decoder"])
    with pytest.raises(ScumbleError) as caught:
        import_linear_transfer(**files, name="bad")
    assert caught.value.code is Code.FILE_UNREADABLE
    assert "decoder" in caught.value.message and caught.value.hint
    assert str(tmp_path) not in caught.value.message
    assert not imported.records() and not list(models.glob("**/*.partial"))


@pytest.mark.parametrize(
    "name", ["", "../up", "a/b", "Große", "compact", "sam-vit-b", "x" * 65, "con\0", ".hidden"]
)
def test_names_that_are_taken_or_impossible_are_refused(
    networks: dict[str, LinearTransfer], tmp_path: Path, name: str
) -> None:
    files = official_files(networks["r31"], tmp_path / "files")
    with pytest.raises(ScumbleError) as caught:
        import_linear_transfer(**files, name=name)
    assert caught.value.code is Code.BAD_REQUEST


def test_an_imported_model_is_replaced_only_on_request(
    networks: dict[str, LinearTransfer], tmp_path: Path
) -> None:
    files = official_files(networks["r31"], tmp_path / "files")
    import_linear_transfer(**files, name="mine")
    with pytest.raises(ScumbleError) as caught:
        import_linear_transfer(**files, name="mine")
    assert "--replace" in caught.value.hint
    import_linear_transfer(**files, name="mine", replace=True)


def test_a_damaged_imported_file_is_noticed(
    networks: dict[str, LinearTransfer], tmp_path: Path, models: Path
) -> None:
    import_linear_transfer(**official_files(networks["r31"], tmp_path / "files"), name="mine")
    path = models / "imported" / "mine.safetensors"
    path.write_bytes(path.read_bytes()[:-4] + b"\1\2\3\4")
    with pytest.raises(ScumbleError) as caught:
        load_linear_transfer("mine")
    assert caught.value.code is Code.MODEL_CORRUPT


def test_an_unknown_name_is_answered_with_how_to_import() -> None:
    with pytest.raises(ScumbleError) as caught:
        load_linear_transfer("nobody")
    assert caught.value.code is Code.MODEL_MISSING and "models import linear-transfer" in caught.value.hint


def test_the_command_line_imports_and_says_the_hashes(
    networks: dict[str, LinearTransfer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = official_files(networks["r41"], tmp_path / "files")
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    words = ["import", "linear-transfer", "--name", "published"]
    for part in PARTS:
        words += [f"--{part}", str(files[part])]
    assert cli.run(parser.parse_args(words)) == 0
    said = capsys.readouterr().out
    assert "r41" in said and said.count("sha256") == 3 and "no licence" in said
    assert cli.run(parser.parse_args(words)) == 2
    assert "--replace" in capsys.readouterr().err
