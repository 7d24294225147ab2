"""Training the click network by its command, on two drawn pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from scumble.backend.models.bundled import bundled
from scumble.backend.nn.clicks import ClickNet, bumps
from scumble.backend.training.__main__ import main
from scumble.backend.training.clicks import held_out, losses, overlap
from scumble.backend.training.clicks_pool import Pool, boxed


def drawn(folder: Path) -> None:
    """Pictures of a bright square on noise, with label maps and an index."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = ["stem,kind"]
    for stem in [s for s in (f"p{i}" for i in range(20)) if not held_out(s)][:3]:
        labels = np.zeros((80, 100), np.uint8)
        labels[20:60, 30:70] = 1
        image = rng.integers(0, 80, (80, 100, 3), np.uint8) + 120 * labels[..., None]
        Image.fromarray(image.astype(np.uint8)).save(folder / f"{stem}.jpg")
        Image.fromarray(labels).save(folder / f"{stem}.png")
        rows.append(f"{stem},object")
    (folder / "index.csv").write_text("\n".join(rows) + "\n")


def test_the_command_trains_the_head_and_leaves_the_encoder_as_it_was(tmp_path: Path) -> None:
    """The written weights load, and features that were kept stay right."""
    drawn(tmp_path / "masks")
    out = tmp_path / "clicks.safetensors"
    words = ["clicks", "--masks", str(tmp_path / "masks"), "--out", str(out)]
    assert main([*words, "--steps", "3", "--size", "64", "--batch", "2", "--rate", "0.1"]) == 0
    written = {k: v.float() for k, v in load_file(out).items()}
    ClickNet.from_tensors(written)
    before = bundled("clicks")
    assert set(written) == set(before)
    changed = {k for k in written if not torch.equal(written[k], before[k])}
    assert any(k.startswith("head.") for k in changed)
    assert not any(k.startswith("encoder.") for k in changed)
    assert out.stat().st_size <= 2_000_000


def test_a_conversation_goes_on_where_the_answer_was_wrong_and_ends_when_all_is_said() -> None:
    """Each answer brings one click into its error; what is right already makes room for another."""
    target = np.zeros((32, 32), bool)
    target[8:24, 8:24] = True

    def draw(count: int) -> tuple[torch.Tensor, np.ndarray]:
        return torch.rand(count, 3, 32, 32), np.stack([target] * count)

    pool = Pool(ClickNet().eval(), draw, 6, np.random.default_rng(3))
    nothing = torch.zeros(6, 1, 16, 16)
    for _ in range(12):
        chosen = pool.batch(6)
        _, clicks, before, goal = pool.said(chosen)
        assert sorted(chosen) == list(range(6)) and goal.shape == (6, 1, 16, 16)
        for row, mask in zip(clicks, before, strict=True):
            said = row[row[:, 2] != 0]
            # Nothing was ever selected, so whatever was missing is asked for, inside the target.
            assert all(target[int(y), int(x)] and sign == 1 for x, y, sign in said)
            assert len(said) <= 1 or mask[1].min() == 1
        pool.answered(chosen, nothing)
    pool.answered(list(range(6)), torch.from_numpy(target[::2, ::2].astype(np.float32)).expand(6, 1, -1, -1))
    _, clicks, _, _ = pool.said(list(range(6)))
    assert clicks.shape[1] == 1


def test_a_better_mask_has_a_smaller_loss_and_a_larger_overlap() -> None:
    """The training's two yardsticks agree."""
    target = torch.zeros(1, 1, 16, 16)
    target[..., 4:12, 4:12] = 1
    right = (target * 2 - 1).expand(-1, 3, -1, -1) * 4
    wrong = right.roll(5, -1)
    assert (losses(right, target) < losses(wrong, target)).all()
    assert (overlap(right, target) == 1).all() and (overlap(wrong, target) < 0.5).all()


def test_a_box_holds_most_of_its_target() -> None:
    """However unsteady the hand."""
    rng = np.random.default_rng(1)
    target = np.zeros((40, 50), bool)
    target[10:30, 5:45] = True
    for _ in range(20):
        box = boxed(target, rng)
        assert (box[target] > 0).mean() > 0.7 and set(np.unique(box)) <= {0.0, 0.5}


def test_bumps_peak_at_their_click_and_know_their_sign() -> None:
    """Positive and negative clicks go to maps of their own; an empty slot to none."""
    clicks = torch.tensor([[[20.0, 10.0, 1.0], [40.0, 30.0, -1.0], [0.0, 0.0, 0.0]]])
    maps = bumps(clicks, (24, 32))
    for index, (x, y) in ((0, (20, 10)), (1, (40, 30))):
        at = int(maps[0, index].argmax())
        assert abs(at % 32 * 2 - x) <= 2 and abs(at // 32 * 2 - y) <= 2
    assert maps[0, :, 0, 0].max() < 0.9
