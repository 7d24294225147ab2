"""The published pipeline around the published network, and the paper's blending for it.

``*_published`` is the arithmetic of the released masked code (one mask, native size, no feathering),
its one known error excepted: a style of the content's size is not looked at through the content's
mask.  ``*_blended`` adds what the paper describes and the release leaves out: feathering before the
encoder, expansion as a switch, content features feathered into the decoder, several masks at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.linear_transfer import LEVELS, LinearTransfer
from scumble.backend.regions.blending import blend, softened

#: Below this strength a region also fades by alpha, so that strength 0 is the untouched layer and
#: not the network's imperfect reconstruction of it.
_FADE = 0.1


@dataclass(frozen=True)
class PublishedRegion:
    """One mask with its style.

    :param mask: (1, 1, H, W) in [0, 1], of the content's size and on its device.
    :param style: (1, 3, h, w), RGB in [0, 1], on the content's device.
    :param strength: 0 (identity) to 1 (full), mixed between features.
    :param weight: share of this style where several are blended under one mask: give the mask once
        for each style, with weights that add up to one.
    """

    mask: Tensor
    style: Tensor
    strength: float = 1.0
    weight: float = 1.0


@dataclass(frozen=True)
class Blending:
    """The paper's three techniques, each a switch.

    :param before: feather the mask before encoding (and the alpha that lays the result over).
    :param expand: let every partial convolution see one pixel beyond its mask.
    :param decoder: fade into the content's own features before every convolution of the decoder.
    :param feather: width of the ramps in *image* pixels, the same at every level.
    """

    before: bool = True
    expand: bool = True
    decoder: bool = True
    feather: float = 12.0


def _nothing() -> None:
    return None


def _roomy(image: Tensor, side: int) -> Tensor:
    """Repeat the last row and column until the image is ``side`` pixels in both directions."""
    down, right = max(0, side - image.shape[-2]), max(0, side - image.shape[-1])
    return F.pad(image, (0, right, 0, down), mode="replicate") if down or right else image


def _composite(content: Tensor, paint: Tensor, alpha: Tensor) -> Tensor:
    return paint * alpha + content * (1 - alpha)


@torch.no_grad()
def paint_published(
    network: LinearTransfer,
    content: Tensor,
    style: Tensor,
    mask: Tensor,
    checkpoint: Callable[[], None] = _nothing,
) -> Tensor:
    """The released single-mask pipeline before its last step, the alpha blend.

    :param content: (1, 3, H, W), RGB in [0, 1].
    :param style: (1, 3, h, w), RGB in [0, 1], at the size in which it is to be looked at.
    :param mask: (1, 1, H, W) in [0, 1].
    :param checkpoint: called between the networks; may raise to stop.
        One encoder or decoder pass takes about 1.5 kB of memory a pixel while it runs.
    :returns: (1, 3, H, W), not clamped; meaningful where the mask is positive.
    """
    size = (content.shape[-2], content.shape[-1])
    if not bool((mask > 0).any()):
        return content.clone()
    content, style, mask = (_roomy(t, network.smallest_side) for t in (content, style, mask))
    deep = (network.layer,)
    features, grown = network.encoder(content, mask, keep=deep)
    checkpoint()
    style_features, _ = network.encoder(style, keep=deep)
    checkpoint()
    x = network.matrix(features[network.layer], style_features[network.layer], grown)
    checkpoint()
    h, w = x.shape[-2:]
    # Plain bilinear, not antialiased, always from the drawn mask: as released.
    masks = [
        F.interpolate(mask, size=(h << i, w << i), mode="bilinear", align_corners=False)
        for i in range(LEVELS[network.layer] + 1)
    ]
    paint: Tensor = network.decoder(x, masks)
    if paint.shape[-2:] != content.shape[-2:]:
        paint = F.interpolate(paint, size=content.shape[-2:], mode="bilinear", align_corners=False)
    return paint[..., : size[0], : size[1]]


def stylize_published(network: LinearTransfer, content: Tensor, style: Tensor, mask: Tensor) -> Tensor:
    """The released single-mask pipeline: :func:`paint_published` laid over the content by its mask.

    :returns: (1, 3, H, W), not clamped, as released.
    """
    return _composite(content, paint_published(network, content, style, mask), mask)


def _level(mask: Tensor, size: Sequence[int]) -> Tensor:
    return F.adaptive_avg_pool2d(mask, (size[0], size[1]))


def _as_array(mask: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return mask[0, 0].detach().float().cpu().numpy()


@torch.no_grad()
def paint_blended(
    network: LinearTransfer,
    content: Tensor,
    regions: Sequence[PublishedRegion],
    blending: Blending | None = None,
    checkpoint: Callable[[], None] = _nothing,
) -> tuple[Tensor, Tensor]:
    """The published network with the paper's blending, any number of masks, one decoder.

    Each mask has its own encoder pass and transform; the features are merged by the masks' shares.
    Statistics are weighted by the *drawn* soft mask, not by the support that has grown by some 35
    pixels on its way through the encoder.  With ``decoder`` on, the decoder convolves the content's
    features outside the masks instead of zeros, so no dark rim can form along the seam.

    :param content: (1, 3, H, W), RGB in [0, 1].
    :param regions: one or more; see :class:`PublishedRegion`.
    :param checkpoint: called between the networks; may raise to stop.
    :returns: (image (1, 3, H, W), not clamped; alpha (1, 1, H, W), 0 where no mask was drawn).
    """
    how = blending or Blending()
    height, width = content.shape[-2], content.shape[-1]
    drawn = [_roomy(r.mask, network.smallest_side) for r in regions]
    source = _roomy(content, network.smallest_side)
    # Only the geometry is weighed: the encoder must see a blended region at its full brightness.
    weighed = [m * r.weight for m, r in zip(drawn, regions, strict=True)]
    mix = blend(tuple(_as_array(m) for m in weighed), feather=how.feather, feather_edge=how.before)

    def tensor(array: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array))[None, None].to(content)

    own, _ = network.encoder(source)
    checkpoint()
    deep = own[network.layer]
    merged, total = torch.zeros_like(deep), torch.zeros_like(deep[:, :1])
    alpha, inner = tensor(mix.alpha), tensor(mix.inner)
    visible = torch.zeros_like(alpha)
    for region, mask, share in zip(regions, drawn, mix.shares, strict=True):
        part = tensor(share)
        visible += part * min(1.0, region.strength / _FADE)
        if region.strength <= 0 or not bool((mask > 0).any()):
            continue
        seen = tensor(softened(_as_array(mask), how.feather)) if how.before else mask
        features, grown = network.encoder(source, seen, expand=how.expand, keep=(network.layer,))
        checkpoint()
        style, _ = network.encoder(_roomy(region.style, network.smallest_side), keep=(network.layer,))
        checkpoint()
        assert grown is not None  # a mask went in
        moved = network.matrix(
            features[network.layer],
            style[network.layer],
            grown,
            _level(mask, deep.shape[-2:]),
            expand=how.expand,
        )
        moved = torch.lerp(deep, moved, region.strength)
        # Beyond the drawn masks the decoder still sees a ring: whoever's support reaches it counts.
        weight = (_level(part, deep.shape[-2:]) + 1e-6) * (grown > 0)
        merged += weight * moved
        total += weight
        checkpoint()
    x = torch.where(total > 0, merged / total.clamp_min(1e-12), deep)

    taps = [tap for _, _, _, tap in network.decoder.plan if tap]
    # One size per resolution, deep to shallow; taps of one resolution share theirs.
    sizes = list(dict.fromkeys((own[t].shape[-2], own[t].shape[-1]) for t in taps))
    if how.decoder:

        def before(tap: str, features: Tensor) -> Tensor:
            checkpoint()
            return torch.lerp(own[tap], features, _level(inner, features.shape[-2:]))

        image = network.decoder(x, sizes=sizes, before=before)
    else:
        union = torch.stack(weighed).sum(0).clamp(0, 1)
        masks = [_level(union, size) for size in sizes]
        image = network.decoder(x, masks, expand=how.expand, sizes=sizes)
    alpha = (alpha * visible.clamp(0, 1))[..., :height, :width]
    return image[..., :height, :width], alpha


def stylize_blended(
    network: LinearTransfer,
    content: Tensor,
    regions: Sequence[PublishedRegion],
    blending: Blending | None = None,
) -> Tensor:
    """:func:`paint_blended` laid over the content: (1, 3, H, W), not clamped."""
    image, alpha = paint_blended(network, content, regions, blending)
    return _composite(content, image, alpha)
