"""What the networks do between convolutions, each in the quickest way that a CPU offers for it."""

from __future__ import annotations

import cv2
import torch
from torch import Tensor
from torch.nn import functional as F

from .fused import conv2d, plus_rows_relu
from .partial_conv import PartialConv2d


def halved(x: Tensor) -> Tensor:
    """2x2 maximum; as three comparisons it needs no indices and runs along the channels."""
    if torch.is_grad_enabled():
        return F.max_pool2d(x, 2)
    height, width = x.shape[-2] // 2 * 2, x.shape[-1] // 2 * 2
    x = x[..., :height, :width]
    upper = torch.maximum(x[..., ::2, ::2], x[..., ::2, 1::2])
    return torch.maximum(upper, torch.maximum(x[..., 1::2, ::2], x[..., 1::2, 1::2]))


def doubled(x: Tensor, like: Tensor) -> Tensor:
    """Enlarged to another tensor's height and width."""
    # Bilinear: nearest-neighbour doubling leaves steps of 4 to 8 px along every slanted stroke.
    height, width = like.shape[-2:]
    return F.interpolate(x, size=(height, width), mode="bilinear", align_corners=False)


def unfolded(x: Tensor) -> Tensor:
    """``pixel_shuffle(x, 2)``, in a third of the time where the channels are last in memory."""
    count, channels, height, width = x.shape
    in_pairs = count == 1 and x.stride(1) == 1 and x.stride(3) % 2 == 0 and x.dtype == torch.float32
    if not in_pairs or torch.is_grad_enabled():
        return F.pixel_shuffle(x, 2)
    # Two neighbours of a row lie side by side before and after: they are moved as one number.
    pairs = x[0].permute(1, 2, 0).view(torch.float64)
    image = torch.empty((channels // 4, height, 2, width), dtype=torch.float64, device=x.device)
    for i in range(channels // 2):
        image[i // 2, :, i % 2] = pairs[..., i]
    return image.view(torch.float32).view(1, channels // 4, 2 * height, 2 * width)


def without_grid(image: Tensor) -> Tensor:
    """The picture without what alternates from pixel to pixel: 1-2-1 in both directions.

    Pixels of one 2x2 block come from different weights, and a network's eyes like the faint grid that
    these can make better than ours do.  This filter is blind to that grid and to nothing coarser; what
    it softens, the decoder has learned to give more of.  Beyond its border the picture is mirrored, or the
    grid would be left in the outermost pixels and show as a line around an even sky.
    """
    if image.device.type == "cpu" and not torch.is_grad_enabled():
        # The same sums, five times as quick; a 3x3 Gaussian of OpenCV's has these very weights.
        planes = image.contiguous().numpy()
        for plane in planes.reshape(-1, *planes.shape[-2:]):
            cv2.GaussianBlur(plane, (3, 3), 0, dst=plane, borderType=cv2.BORDER_REFLECT_101)
        return torch.from_numpy(planes)
    padded = F.pad(image, (1, 1, 1, 1), mode="reflect")
    return F.avg_pool2d(F.avg_pool2d(padded, 2, stride=1), 2, stride=1)


def plus(a: Tensor, b: Tensor) -> Tensor:
    """The sum, in ``a``'s own memory where nobody will ask for ``a`` again."""
    return a + b if torch.is_grad_enabled() else a.add_(b)


def rows(layer: PartialConv2d, x: Tensor) -> Tensor:
    """A 1x1 convolution; it has nothing to mask that the next layer does not.

    Without its bias: see :func:`raised`.
    """
    return conv2d(x, layer.weight.to(x.dtype))


def joined(x: Tensor, layer: PartialConv2d, features: Tensor) -> Tensor:
    """A coarser level's features enlarged, the connection's added, after the ReLU; see :func:`raised`."""
    return plus_rows_relu(doubled(x, features), features, layer.weight.to(x.dtype))


def raised(x: Tensor, layer: PartialConv2d) -> Tensor:
    """With the connection's bias: doubling keeps constants, so it is added where there are fewer places."""
    assert layer.bias is not None
    return plus(x, layer.bias.to(x.dtype).view(1, -1, 1, 1))
