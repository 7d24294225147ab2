"""A training step through the partial-convolution path, so that regions' borders are seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.compact import TAPS, CompactDecoder, CompactEncoder
from scumble.backend.nn.moments import moments
from scumble.backend.nn.restyle import Restyle
from scumble.backend.regions.blending import Mask, blend, softened

from .losses import TeacherBasis, sliced_colour
from .pool import StyleSample, joined

#: Feather in pixels of the training crops, drawn anew for every mask.
FEATHERS = (3.0, 10.0)
#: Pixels by which a region's colours are told.
TOLD_BY = 4096


@dataclass(frozen=True)
class Masked:
    """What a masked step found.

    :param look: style loss under the masks.
    :param keep: content loss under the masks.
    :param border: squared error along the borders, where the layer itself is due.
    :param colour: squared distance of the regions' colours from the styles'.
    :param image: (N, 3, S, S), the regions laid over their pictures.
    :param inner: (N, 1, S, S), where the style is due.
    """

    look: Tensor
    keep: Tensor
    border: Tensor
    colour: Tensor
    image: Tensor
    inner: Tensor


def random_mask(side: int, rng: np.random.Generator) -> Mask:
    """An irregular blob with a hard or a soft edge: (side, side) in [0, 1], 10 to 90 % covered."""
    generator = torch.Generator().manual_seed(int(rng.integers(1 << 31)))
    grid = int(rng.integers(3, 7))
    coarse = torch.rand(1, 1, grid, grid, generator=generator)
    field = F.interpolate(coarse, (side, side), mode="bicubic", align_corners=False)[0, 0].numpy()
    level = float(np.quantile(field, rng.uniform(0.1, 0.9)))
    steepness = 200.0 if rng.random() < 0.5 else float(rng.uniform(6, 20))
    mask: Mask = np.clip((field - level) * steepness + 0.5, 0, 1).astype(np.float32)
    return mask


def masked_step(
    encoder: CompactEncoder,
    decoder: CompactDecoder,
    judge: TeacherBasis,
    images: Tensor,
    styles: Sequence[StyleSample],
    controls: list[tuple[float, float]],
    rng: np.random.Generator,
) -> Masked:
    """Paint a random region of every image and judge it.

    :param images: (N, 3, S, S), RGB in [0, 1].
    :param styles: N of them.
    :param controls: (texture, detail) for each image.
    """
    side = images.shape[-1]
    masks = [random_mask(side, rng) for _ in images]
    feathers = [float(rng.uniform(*FEATHERS)) for _ in images]
    blends = [blend((m,), feather=f, feather_edge=True) for m, f in zip(masks, feathers, strict=True)]

    def stack(arrays: list[Mask]) -> Tensor:
        return torch.from_numpy(np.stack(arrays))[:, None].to(images)

    support = stack([softened(m, f / 2) for m, f in zip(masks, feathers, strict=True)])
    drawn, inner, alpha = stack(masks), stack([b.inner for b in blends]), stack([b.alpha for b in blends])

    def at(weight: Tensor, tap: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(weight, (tap.shape[-2], tap.shape[-1]))

    with torch.no_grad():
        taps = encoder(images.to(memory_format=torch.channels_last), support, renormalize=True)
        rows = []
        for i, (texture, detail) in enumerate(controls):
            one = {tap: taps[tap][i : i + 1] for tap in TAPS}
            stats = {tap: moments(one[tap][0], at(drawn[i : i + 1], one[tap])[0, 0]) for tap in TAPS}
            rows.append(
                Restyle.between(stats, [(styles[i].code, 1.0)], texture=texture, detail=detail).apply(one)
            )
        target = {
            tap: torch.lerp(taps[tap], torch.cat([r[tap] for r in rows]), at(inner, taps[tap]))
            for tap in TAPS
        }
    output = decoder(target, support, renormalize=True)
    laid = output * alpha + images * (1 - alpha)
    again = encoder(laid)
    look = judge.style_loss(again, joined(styles, "moments"), {tap: at(inner, again[tap]) for tap in TAPS})
    keep = output.new_zeros(())
    for tap, share in (("3_1", 0.3), ("4_1", 1.0)):
        scale = target[tap].std((2, 3), keepdim=True).mean(1, keepdim=True).clamp_min(1e-3)
        weight = at(inner, again[tap])
        error = (((again[tap] - target[tap]) / scale) ** 2).mean(1, keepdim=True)
        keep = keep + share * (error * weight).sum() / weight.sum().clamp_min(1.0)
    # Where the inner weight fades the decoder is fed the layer's own features: the layer is due.
    ring = (1 - inner) * (alpha > 0)
    border = (((output - images) ** 2) * ring).sum() / (3 * ring.sum()).clamp_min(1.0)
    return Masked(look, keep, border, colour_error(laid, [s.image for s in styles], inner), laid, inner)


def colour_error(laid: Tensor, styles: Sequence[Tensor], inner: Tensor) -> Tensor:
    """Sliced distance between as many pixels drawn from every region as from its style.

    :param laid: (N, 3, H, W); ``styles`` N of (3, h, w).
    :param inner: (N, 1, H, W), how likely a pixel is drawn.
    """
    directions = F.normalize(torch.randn(6, 3), dim=1).to(laid)
    drawn, wanted = [], []
    for image, style, weight in zip(laid, styles, inner, strict=True):
        chance = weight.flatten().float().cpu() + 1e-6
        here = torch.multinomial(chance, TOLD_BY, replacement=True).to(laid.device)
        there = torch.randint(style[0].numel(), (TOLD_BY,)).to(laid.device)
        drawn.append(image.flatten(1)[:, here])
        wanted.append(style.flatten(1)[:, there].to(laid))
    return sliced_colour(torch.stack(drawn)[:, :, None], torch.stack(wanted)[:, :, None], directions)
