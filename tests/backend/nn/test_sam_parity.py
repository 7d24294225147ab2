"""Our Segment Anything against the published package, with equal random weights.

The package asks for torchvision, of which its networks use nothing: where torchvision is missing, or
its build does not load beside this torch, empty modules of its names stand in.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from functools import partial
from types import ModuleType
from typing import Any

import pytest
import torch

from scumble.backend.nn.sam import SIZES, Sam, SamSize

TINY = SamSize(48, 3, 4, (1,), side=160, window=4)
#: What the package takes from torchvision when it is imported.
NAMES = {
    "torchvision": (),
    "torchvision.ops": (),
    "torchvision.ops.boxes": ("batched_nms", "box_area"),
    "torchvision.transforms": (),
    "torchvision.transforms.functional": ("resize", "to_pil_image"),
}


@pytest.fixture(scope="module")
def published(torchvision: None) -> Iterator[Any]:
    """The package's networks."""
    if importlib.util.find_spec("segment_anything") is None:
        pytest.skip("the package segment-anything is not installed")
    yield importlib.import_module("segment_anything.modeling")


@pytest.fixture(scope="module")
def torchvision() -> Iterator[None]:
    """The real one, or empty modules for as long as these tests run."""
    try:
        importlib.import_module("torchvision.ops.boxes")
        stand_ins: dict[str, ModuleType] = {}
    except (ImportError, RuntimeError):  # a build for another torch fails with the latter
        stand_ins = {name: ModuleType(name) for name in NAMES}
    gone = {name: sys.modules.get(name) for name in stand_ins}
    for name, module in stand_ins.items():
        for member in NAMES[name]:
            setattr(module, member, None)
        sys.modules[name] = module
    yield
    for name, before in gone.items():
        if before is None:
            sys.modules.pop(name, None)
        else:
            sys.modules[name] = before
    if stand_ins:  # nobody else may get the package with our stand-ins in it
        for name in [n for n in sys.modules if n.split(".")[0] == "segment_anything"]:
            del sys.modules[name]


def assembled(published: Any, size: SamSize) -> Any:
    """The package's network of a size, put together as its ``build_sam`` does."""
    return published.Sam(
        image_encoder=published.ImageEncoderViT(
            depth=size.depth,
            embed_dim=size.dim,
            img_size=size.side,
            mlp_ratio=4,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
            num_heads=size.heads,
            patch_size=size.patch,
            qkv_bias=True,
            use_rel_pos=True,
            global_attn_indexes=list(size.whole),
            window_size=size.window,
            out_chans=256,
        ),
        prompt_encoder=published.PromptEncoder(
            embed_dim=256,
            image_embedding_size=(size.grid, size.grid),
            input_image_size=(size.side, size.side),
            mask_in_chans=16,
        ),
        mask_decoder=published.MaskDecoder(
            num_multimask_outputs=3,
            transformer=published.TwoWayTransformer(depth=2, embedding_dim=256, mlp_dim=2048, num_heads=8),
            transformer_dim=256,
            iou_head_depth=3,
            iou_head_hidden_dim=256,
        ),
    )


@pytest.fixture(scope="module")
def both(published: Any) -> tuple[Any, Sam]:
    """The package's tiny network with random weights, and ours with the same."""
    torch.manual_seed(0)
    theirs = assembled(published, TINY).eval()
    for p in theirs.parameters():
        torch.nn.init.normal_(p, std=0.08)
    return theirs, Sam.from_tensors(theirs.state_dict(), TINY)


@pytest.mark.parametrize("id", list(SIZES))
def test_the_official_checkpoints_layout_is_ours(published: Any, id: str) -> None:
    """Every key and shape of ViT-B, L and H, built by the package's own builders."""
    build = importlib.import_module("segment_anything.build_sam").sam_model_registry
    with torch.device("meta"):
        theirs, ours = build[id.removeprefix("sam-").replace("-", "_")](), Sam(SIZES[id])
    wanted = {k: tuple(v.shape) for k, v in theirs.state_dict().items()}
    assert {k: tuple(v.shape) for k, v in ours.state_dict().items()} == wanted


@torch.inference_mode()
def test_pictures_are_seen_alike(both: tuple[Any, Sam]) -> None:
    """Preprocessing, padding, windows, relative places."""
    theirs, ours = both
    picture = torch.rand(3, 100, 160)
    wanted = theirs.image_encoder(theirs.preprocess((picture * 255)[None]))
    assert torch.allclose(ours.see(picture), wanted, atol=1e-4 * float(wanted.abs().max()))


@torch.inference_mode()
@pytest.mark.parametrize(("count", "boxed"), [(1, False), (3, False), (0, True), (2, True)])
@pytest.mark.parametrize("masked", [False, True])
def test_clicks_boxes_and_masks_are_answered_alike(
    both: tuple[Any, Sam], count: int, boxed: bool, masked: bool
) -> None:
    """All four masks and their estimated overlaps."""
    theirs, ours = both
    torch.manual_seed(count)
    seen = torch.randn(1, 256, TINY.grid, TINY.grid)
    points, signs = torch.rand(1, count, 2) * 160, torch.arange(count)[None] % 2
    box = torch.tensor([[10.0, 20.0, 90.0, 80.0]]) if boxed else None
    mask = torch.randn(1, 1, 4 * TINY.grid, 4 * TINY.grid) if masked else None
    sparse, dense = theirs.prompt_encoder((points, signs) if count else None, box, mask)
    wanted = theirs.mask_decoder.predict_masks(seen, theirs.prompt_encoder.get_dense_pe(), sparse, dense)
    for mine, their in zip(ours.answer(seen, points, signs.float(), box, mask), wanted, strict=True):
        assert torch.allclose(mine, their, atol=1e-4 * float(their.abs().max()))
