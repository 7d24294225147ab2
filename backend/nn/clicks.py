"""The network behind click-to-mask method ``clicks``: a frozen narrow VGG and a head that reads clicks.

The encoder sees the picture only, so its features are kept and a further click costs the head alone.
The head is told where the clicks are, how alike every place is to the clicked ones (in the features
of each level and in colour), and what the mask was before; like the methods of Sofiiuk et al.
(*Reviving iterative training with mask guidance*, 2021) it is run again after each click.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .between import doubled

#: Masks that the head proposes: the first is the main answer, the others are alternatives.
CANDIDATES = 3
#: Scales of the narrow and the wide bump that marks a click, in pixels of the network's input.
NARROW, WIDE = 4.0, 24.0
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_LAYERS = (
    ("1_1", 3, 16),
    ("1_2", 16, 16),
    ("pool", 0, 0),
    ("2_1", 16, 32),
    ("2_2", 32, 32),
    ("pool", 0, 0),
    ("3_1", 32, 64),
    ("3_2", 64, 64),
    ("3_3", 64, 64),
    ("pool", 0, 0),
    ("4_1", 64, 128),
)
#: Channels of the encoder's outputs: colour and 2_1 at 1/2, 3_1 at 1/4, 4_1 at 1/8 of the size.
_WIDTHS = (3, 32, 64, 128)


@dataclass(frozen=True)
class Seen:
    """What the encoder makes of pictures: kept while their clicks change.

    :param colour: (N, 3, h, w) at 1/2 of the size.
    :param levels: (N, C, h, w) each, mean 0 and variance about 1 per picture: colour and features at
        1/2, features at 1/4 and 1/8.
    :param smooth: the levels averaged over 3 x 3, where clicks are looked up: one pixel is noisy.
    """

    colour: Tensor
    levels: tuple[Tensor, ...]
    smooth: tuple[Tensor, ...]

    @classmethod
    def of(cls, colour: Tensor, features: Sequence[Tensor]) -> Seen:
        """From colour and features as the encoder has them."""
        levels = tuple(_even(x) for x in (colour, *features))
        smooth = tuple(F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False) for x in levels)
        return cls(colour, levels, smooth)


class ClickEncoder(nn.Module):
    """A narrow VGG to relu4_1; see :data:`_LAYERS`."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, cin, cout in _LAYERS:
            if name != "pool":
                self.add_module(name, nn.Conv2d(cin, cout, 3, padding=1, padding_mode="reflect"))
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Seen:
        """Features of (N, 3, H, W) pictures, RGB in [0, 1]; H and W are multiples of 32."""
        x = (image - self.mean) / self.std
        kept = [F.avg_pool2d(x, 2)]
        for name, _, _ in _LAYERS:
            if name == "pool":
                x = F.max_pool2d(x, 2)
                continue
            x = F.relu(self.get_submodule(name)(x))
            if name in ("2_1", "3_1", "4_1"):
                kept.append(x)
        return Seen.of(kept[0], kept[1:])


class _Block(nn.Module):
    """Two convolutions with normalisation and a shortcut."""

    def __init__(self, cin: int, cout: int, dilation: int = 1) -> None:
        super().__init__()
        self.into = nn.Conv2d(cin, cout, 1)
        self.norm1 = nn.GroupNorm(8, cout)
        self.conv1 = nn.Conv2d(cout, cout, 3, padding=1)
        self.norm2 = nn.GroupNorm(8, cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=dilation, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        x = self.into(x)
        y = self.conv1(F.relu(self.norm1(x)))
        return x + self.conv2(F.relu(self.norm2(y)))


class ClickHead(nn.Module):
    """From what was seen, clicks and the mask so far to candidate masks and their scores."""

    def __init__(self) -> None:
        super().__init__()
        #: How quickly likeness falls with the distance of features, per level.
        self.sharpness = nn.Parameter(torch.tensor([1.5, 0.0, 0.0, 0.0]))
        guide = 6  # narrow and wide bumps of either sign, mask so far, whether there is one
        self.down2 = nn.Conv2d(3 + 32 + 4 + guide, 24, 3, padding=1)
        self.down4 = _Block(24 + 64 + 2 + guide, 48)
        self.down8 = _Block(48 + 128 + 2 + guide, 80)
        self.down16 = _Block(80 + guide, 80, dilation=2)
        self.down32 = _Block(80, 96)
        self.whole = nn.Linear(96, 96)
        self.up16 = _Block(96 + 80, 80)
        self.up8 = _Block(80 + 80, 64)
        self.up4 = _Block(64 + 48, 48)
        self.up2 = nn.Conv2d(48 + 24, 32, 3, padding=1)
        self.mix2 = nn.Conv2d(32, 32, 3, padding=1)
        self.out = nn.Conv2d(32, CANDIDATES, 1)
        self.judge = nn.Sequential(nn.Linear(96 + 48, 48), nn.ReLU(), nn.Linear(48, 1))

    def forward(self, seen: Seen, clicks: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor]:
        """Candidate masks.

        :param clicks: (N, K, 3): x, y in pixels of the network's input, and 1 for a positive click,
            -1 for a negative one, 0 for none.
        :param before: (N, 1, H/2, W/2) in [0, 1], the mask so far, or ``None``; with a second channel
            that says where there is one.
        :returns: logits (N, CANDIDATES, H/2, W/2) and each candidate's estimated intersection over
            union as logits (N, CANDIDATES).
        """
        colour, (_, two, four, eight) = seen.colour, seen.levels
        size = two.shape[-2:]
        guide = torch.cat([bumps(clicks, (size[0], size[1])), _before(before, two)], 1)
        guide4, guide8, guide16 = (F.avg_pool2d(guide, s) for s in (2, 4, 8))
        # Averaging would wash a click's narrow bump out.
        for small, step in ((guide4, 2), (guide8, 4), (guide16, 8)):
            small[:, :2] = F.max_pool2d(guide[:, :2], step)
        alike = [self.likeness(seen, clicks, i) for i in range(len(seen.levels))]
        d2 = F.relu(self.down2(torch.cat([colour, two, alike[0], alike[1], guide], 1)))
        d4 = self.down4(torch.cat([F.max_pool2d(d2, 2), four, alike[2], guide4], 1))
        d8 = self.down8(torch.cat([F.max_pool2d(d4, 2), eight, alike[3], guide8], 1))
        d16 = self.down16(torch.cat([F.max_pool2d(d8, 2), guide16], 1))
        d32 = self.down32(F.max_pool2d(d16, 2))
        whole = F.relu(self.whole(d32.mean((2, 3))))
        x = self.up16(torch.cat([doubled(d32 + whole[:, :, None, None], d16), d16], 1))
        x = self.up8(torch.cat([doubled(x, d8), d8], 1))
        x = self.up4(torch.cat([doubled(x, d4), d4], 1))
        fine = x
        x = F.relu(self.up2(torch.cat([doubled(F.relu(x), d2), d2], 1)))
        logits = self.out(F.relu(x + self.mix2(x)))
        return logits, self._scores(logits, fine, whole)

    def _scores(self, logits: Tensor, fine: Tensor, whole: Tensor) -> Tensor:
        # The judge looks on: it must not bend masks towards what is easily judged.
        inside = F.avg_pool2d(logits.detach().sigmoid(), 2)
        share = inside / inside.sum((2, 3), keepdim=True).clamp_min(1.0)
        pooled = torch.einsum("nkhw,nchw->nkc", share, fine.detach())
        both = torch.cat([pooled, whole.detach()[:, None].expand(-1, inside.shape[1], -1)], 2)
        scores: Tensor = self.judge(both)[..., 0]
        return scores

    def likeness(self, seen: Seen, clicks: Tensor, level: int) -> Tensor:
        """(N, 2, h, w) in [0, 1]: likeness to the most similar positive and negative click."""
        x = seen.levels[level]
        height, width = x.shape[-2:]
        scale = 2.0 if level < 2 else 2.0**level
        size = clicks.new_tensor([width, height])
        grid = ((clicks[..., :2] + 0.5) / scale / size * 2 - 1)[:, :, None]
        picked = F.grid_sample(seen.smooth[level], grid, align_corners=False, padding_mode="border")[..., 0]
        cross = torch.einsum("nck,nchw->nkhw", picked, x)
        square = (x**2).sum(1)[:, None] + (picked**2).sum(1)[:, :, None, None] - 2 * cross
        near = torch.exp(-F.softplus(self.sharpness[level]) * square.clamp_min(0) / x.shape[1])
        sign = clicks[..., 2]
        both = [(near * (sign == s).to(x)[:, :, None, None]).amax(1) for s in (1, -1)]
        return torch.stack(both, 1)


def _before(before: Tensor | None, like: Tensor) -> Tensor:
    shape = (like.shape[0], 1, *like.shape[-2:])
    if before is None:
        return like.new_zeros(shape[0], 2, *shape[2:])
    if before.shape[1] == 2:
        return before
    return torch.cat([before, torch.ones_like(before)], 1)


def _even(x: Tensor) -> Tensor:
    """Channels of one picture with mean 0 and variance 1, so that distances mean the same everywhere."""
    centred = x - x.mean((2, 3), keepdim=True)
    spread = (centred**2).mean((2, 3), keepdim=True).add(1e-8).sqrt()
    # Channels that hardly fire must not be blown up to noise.
    return centred / (spread + 0.1 * spread.mean(1, keepdim=True) + 1e-4)


def bumps(clicks: Tensor, size: tuple[int, int]) -> Tensor:
    """(N, 4, h, w): narrow bumps of positive and of negative clicks, then the wide ones.

    :param size: (h, w), half the network's input.
    """
    ys = (torch.arange(size[0], device=clicks.device) * 2 + 0.5)[:, None]
    xs = (torch.arange(size[1], device=clicks.device) * 2 + 0.5)[None, :]
    square = (xs - clicks[..., 0, None, None]) ** 2 + (ys - clicks[..., 1, None, None]) ** 2
    sign, maps = clicks[..., 2], []
    for scale in (NARROW, WIDE):
        bump = torch.exp(-square / (2 * scale**2))
        maps += [(bump * (sign == s).to(bump)[..., None, None]).amax(1) for s in (1, -1)]
    return torch.stack(maps, 1)


class ClickNet(nn.Module):
    """Encoder and head; about 0.9 million weights."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = ClickEncoder()
        self.head = ClickHead()

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> ClickNet:
        """With the weights of a safetensors file."""
        net = cls()
        net.load_state_dict(dict(tensors))
        return net.eval().requires_grad_(False)
