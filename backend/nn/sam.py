"""Segment Anything (Kirillov et al. 2023): the networks, under the official checkpoints' names.

A plain vision transformer sees the picture once; a small decoder turns points, boxes and an earlier
mask into masks.  Written for inference: attention over the whole picture goes head by head, so that
memory stays bounded on a machine without a GPU.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: What the networks were trained with, of values from 0 to 255.
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
WIDTH = 256
MASKS = 4


@dataclass(frozen=True)
class SamSize:
    """Shape of the image encoder.

    :param whole: blocks that attend over the whole picture; the others look through windows.
    :param side: of the (padded) picture in pixels.
    """

    dim: int
    depth: int
    heads: int
    whole: tuple[int, ...]
    side: int = 1024
    window: int = 14
    patch: int = 16

    @property
    def grid(self) -> int:
        """Patches along each side."""
        return self.side // self.patch


SIZES = {
    "sam-vit-b": SamSize(768, 12, 12, (2, 5, 8, 11)),
    "sam-vit-l": SamSize(1024, 24, 16, (5, 11, 17, 23)),
    "sam-vit-h": SamSize(1280, 32, 16, (7, 15, 23, 31)),
}


class _Norm2d(nn.Module):
    """Layer normalisation over the channels of a picture."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x.movedim(1, -1), self.weight.shape, self.weight, self.bias, 1e-6).movedim(-1, 1)


class _Mlp(nn.Module):
    def __init__(self, dim: int, hidden: int, *, gelu: bool) -> None:
        super().__init__()
        self.lin1, self.lin2 = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        self.gelu = gelu

    def forward(self, x: Tensor) -> Tensor:
        x = self.lin1(x)
        x = self.lin2(F.gelu(x) if self.gelu else F.relu(x))
        return x


class _PictureAttention(nn.Module):
    """Self-attention with learned offsets for relative rows and columns."""

    def __init__(self, dim: int, heads: int, side: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.rel_pos_h = nn.Parameter(torch.zeros(2 * side - 1, dim // heads))
        self.rel_pos_w = nn.Parameter(torch.zeros(2 * side - 1, dim // heads))

    def forward(self, x: Tensor) -> Tensor:
        n, height, width, dim = x.shape
        qkv = self.qkv(x).view(n, height * width, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 3, 0, 1, 4)  # heads first: (heads, n, positions, channels)
        rows, columns = _relative(self.rel_pos_h, height), _relative(self.rel_pos_w, width)
        out = torch.empty_like(v)
        for head in range(self.heads):
            at = q[head].view(n, height, width, -1)
            by_row = torch.einsum("nhwc,hkc->nhwk", at, rows)
            by_column = torch.einsum("nhwc,wkc->nhwk", at, columns)
            bias = by_row[..., :, None] + by_column[..., None, :]
            bias = bias.reshape(n, height * width, height * width)
            out[head] = F.scaled_dot_product_attention(q[head], k[head], v[head], attn_mask=bias)
        return self.proj(out.permute(1, 2, 0, 3).reshape(n, height, width, dim))


def _relative(table: Tensor, side: int) -> Tensor:
    """(side, side, C): the entry for every pair of query and key along one axis."""
    at = torch.arange(side, device=table.device)
    return table[at[:, None] - at[None, :] + (table.shape[0] - 1) // 2]


class _Block(nn.Module):
    def __init__(self, size: SamSize, window: int) -> None:
        super().__init__()
        self.window = window
        self.norm1, self.norm2 = (nn.LayerNorm(size.dim, eps=1e-6) for _ in range(2))
        self.attn = _PictureAttention(size.dim, size.heads, window or size.grid)
        self.mlp = _Mlp(size.dim, 4 * size.dim, gelu=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        if self.window:
            windows, padded = _cut(y, self.window)
            y = _joined(self.attn(windows), padded, (x.shape[1], x.shape[2]))
        else:
            y = self.attn(y)
        x = x + y
        x = x + self.mlp(self.norm2(x))
        return x


def _cut(x: Tensor, side: int) -> tuple[Tensor, tuple[int, int]]:
    """(N, H, W, C) to windows, padded with zeros on the right and below."""
    n, height, width, channels = x.shape
    x = F.pad(x, (0, 0, 0, -width % side, 0, -height % side))
    rows, columns = x.shape[1] // side, x.shape[2] // side
    x = x.view(n, rows, side, columns, side, channels).transpose(2, 3)
    return x.reshape(-1, side, side, channels), (rows, columns)


def _joined(windows: Tensor, count: tuple[int, int], size: tuple[int, int]) -> Tensor:
    rows, columns = count
    side, channels = windows.shape[1], windows.shape[-1]
    x = windows.view(-1, rows, columns, side, side, channels).transpose(2, 3)
    return x.reshape(-1, rows * side, columns * side, channels)[:, : size[0], : size[1]]


class _PatchEmbed(nn.Module):
    def __init__(self, size: SamSize) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, size.dim, size.patch, size.patch)

    def forward(self, x: Tensor) -> Tensor:
        patches: Tensor = self.proj(x).movedim(1, -1)
        return patches


class ImageEncoder(nn.Module):
    """(N, 3, side, side), normalised, to (N, 256, grid, grid)."""

    def __init__(self, size: SamSize) -> None:
        super().__init__()
        self.patch_embed = _PatchEmbed(size)
        self.pos_embed = nn.Parameter(torch.zeros(1, size.grid, size.grid, size.dim))
        self.blocks = nn.ModuleList(
            _Block(size, 0 if i in size.whole else size.window) for i in range(size.depth)
        )
        self.neck = nn.Sequential(
            nn.Conv2d(size.dim, WIDTH, 1, bias=False),
            _Norm2d(WIDTH),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False),
            _Norm2d(WIDTH),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch_embed(x) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.neck(x.movedim(-1, 1))


class _Places(nn.Module):
    """Places as waves of random frequencies."""

    positional_encoding_gaussian_matrix: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.randn(2, WIDTH // 2))

    def forward(self, xy: Tensor) -> Tensor:
        """(..., 2) in [0, 1] to (..., 256)."""
        waves = 2 * math.pi * ((2 * xy - 1) @ self.positional_encoding_gaussian_matrix)
        return torch.cat([waves.sin(), waves.cos()], -1)


class PromptEncoder(nn.Module):
    """Points, a box and a mask as tokens and as a picture of features."""

    def __init__(self, size: SamSize) -> None:
        super().__init__()
        self.side, self.grid = size.side, size.grid
        self.pe_layer = _Places()
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, WIDTH) for _ in range(4))
        self.not_a_point_embed = nn.Embedding(1, WIDTH)
        self.no_mask_embed = nn.Embedding(1, WIDTH)
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, 4, 2, 2),
            _Norm2d(4),
            nn.GELU(),
            nn.Conv2d(4, 16, 2, 2),
            _Norm2d(16),
            nn.GELU(),
            nn.Conv2d(16, WIDTH, 1),
        )

    def forward(
        self, points: Tensor, signs: Tensor, box: Tensor | None, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Tokens (N, T, 256) and features (N, 256, grid, grid).

        :param points: (N, K, 2) in pixels of the padded picture.
        :param signs: (N, K): 1 for wanted, 0 for unwanted.
        :param box: (N, 4) or ``None``.
        :param mask: (N, 1, 4 grid, 4 grid) logits or ``None``.
        """
        tokens = []
        if points.shape[1] or box is None:
            at = self.pe_layer((points + 0.5) / self.side)
            kind = torch.stack([self._point(0), self._point(1)])
            at = at + kind[signs.long()]
            if box is None:  # the networks were trained with one place that means nothing
                at = torch.cat([at, self.not_a_point_embed.weight[None].expand(at.shape[0], -1, -1)], 1)
            tokens.append(at)
        if box is not None:
            corners = self.pe_layer((box.view(-1, 2, 2) + 0.5) / self.side)
            tokens.append(corners + torch.stack([self._point(2), self._point(3)]))
        if mask is None:
            shape = (points.shape[0], -1, self.grid, self.grid)
            dense = self.no_mask_embed.weight.view(1, -1, 1, 1).expand(shape)
        else:
            dense = self.mask_downscaling(mask)
        return torch.cat(tokens, 1), dense

    def _point(self, kind: int) -> Tensor:
        embedding = self.point_embeddings[kind]
        assert isinstance(embedding, nn.Embedding)
        return embedding.weight[0]

    def everywhere(self) -> Tensor:
        """(1, 256, grid, grid): the encoded place of every patch."""
        at = (torch.arange(self.grid, device=self.no_mask_embed.weight.device) + 0.5) / self.grid
        ys, xs = torch.meshgrid(at, at, indexing="ij")
        return self.pe_layer(torch.stack([xs, ys], -1)).movedim(-1, 0)[None]


class _Attention(nn.Module):
    def __init__(self, shrink: int = 1) -> None:
        super().__init__()
        inner = WIDTH // shrink
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(WIDTH, inner) for _ in range(3))
        self.out_proj = nn.Linear(inner, WIDTH)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        def split(x: Tensor) -> Tensor:
            return x.view(x.shape[0], x.shape[1], 8, -1).transpose(1, 2)

        q, k, v = split(self.q_proj(q)), split(self.k_proj(k)), split(self.v_proj(v))
        x = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return self.out_proj(x)


class _TwoWay(nn.Module):
    """Tokens look at each other and at the picture, then the picture at the tokens."""

    def __init__(self, first: bool) -> None:
        super().__init__()
        self.first = first
        self.self_attn = _Attention()
        self.cross_attn_token_to_image, self.cross_attn_image_to_token = _Attention(2), _Attention(2)
        self.mlp = _Mlp(WIDTH, 2048, gelu=False)
        self.norm1, self.norm2, self.norm3, self.norm4 = (nn.LayerNorm(WIDTH) for _ in range(4))

    def forward(
        self, tokens: Tensor, keys: Tensor, places: Tensor, key_places: Tensor
    ) -> tuple[Tensor, Tensor]:
        if self.first:
            tokens = self.self_attn(tokens, tokens, tokens)
        else:
            placed = tokens + places
            tokens = tokens + self.self_attn(placed, placed, tokens)
        tokens = self.norm1(tokens)
        seen = self.cross_attn_token_to_image(tokens + places, keys + key_places, keys)
        tokens = self.norm2(tokens + seen)
        tokens = self.norm3(tokens + self.mlp(tokens))
        seen = self.cross_attn_image_to_token(keys + key_places, tokens + places, tokens)
        return tokens, self.norm4(keys + seen)


class _Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_TwoWay(first=i == 0) for i in range(2))
        self.final_attn_token_to_image = _Attention(2)
        self.norm_final_attn = nn.LayerNorm(WIDTH)

    def forward(self, picture: Tensor, key_places: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        keys, where = picture.flatten(2).transpose(1, 2), key_places.flatten(2).transpose(1, 2)
        tokens = places
        for layer in self.layers:
            tokens, keys = layer(tokens, keys, places, where)
        seen = self.final_attn_token_to_image(tokens + places, keys + where, keys)
        return self.norm_final_attn(tokens + seen), keys


class _Layers(nn.Module):
    """Three linear layers with ReLU between them."""

    def __init__(self, out: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, out)])

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


class MaskDecoder(nn.Module):
    """Features and tokens to masks and their estimated overlaps."""

    def __init__(self) -> None:
        super().__init__()
        self.transformer = _Transformer()
        self.iou_token, self.mask_tokens = nn.Embedding(1, WIDTH), nn.Embedding(MASKS, WIDTH)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(WIDTH, WIDTH // 4, 2, 2),
            _Norm2d(WIDTH // 4),
            nn.GELU(),
            nn.ConvTranspose2d(WIDTH // 4, WIDTH // 8, 2, 2),
            nn.GELU(),
        )
        self.output_hypernetworks_mlps = nn.ModuleList(_Layers(WIDTH // 8) for _ in range(MASKS))
        self.iou_prediction_head = _Layers(MASKS)

    def forward(
        self, picture: Tensor, places: Tensor, tokens: Tensor, dense: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Logits (N, 4, 4 grid, 4 grid), the first for clear prompts, the others for ambiguous ones,
        and (N, 4) estimates."""
        n = tokens.shape[0]
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight])[None].expand(n, -1, -1)
        every = torch.cat([own, tokens], 1)
        tokens, keys = self.transformer(picture + dense, places.expand(n, -1, -1, -1), every)
        grid = picture.shape[-1]
        fine = self.output_upscaling(keys.transpose(1, 2).reshape(n, WIDTH, grid, grid))
        heads = [mlp(tokens[:, 1 + i]) for i, mlp in enumerate(self.output_hypernetworks_mlps)]
        masks = torch.einsum("nmc,nchw->nmhw", torch.stack(heads, 1), fine)
        return masks, self.iou_prediction_head(tokens[:, 0])


class Sam(nn.Module):
    """All three; keys as in the official checkpoints."""

    def __init__(self, size: SamSize) -> None:
        super().__init__()
        self.size = size
        self.image_encoder = ImageEncoder(size)
        self.prompt_encoder = PromptEncoder(size)
        self.mask_decoder = MaskDecoder()

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], size: SamSize) -> Sam:
        """With the tensors of an official checkpoint."""
        with torch.device("meta"):
            net = cls(size)
        net.load_state_dict(dict(tensors), assign=True)
        return net.eval().requires_grad_(False)

    def see(self, picture: Tensor) -> Tensor:
        """(1, 256, grid, grid) of a (3, h, w) picture in [0, 1] whose longer side is the network's."""
        mean, std = (torch.tensor(v, device=picture.device).view(3, 1, 1) for v in (MEAN, STD))
        x = (picture * 255 - mean) / std
        x = F.pad(x, (0, self.size.side - x.shape[-1], 0, self.size.side - x.shape[-2]))
        seen: Tensor = self.image_encoder(x[None])
        return seen

    def answer(
        self, seen: Tensor, points: Tensor, signs: Tensor, box: Tensor | None, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Logits (N, 4, 4 grid, 4 grid) and estimates (N, 4); see :class:`PromptEncoder`."""
        tokens, dense = self.prompt_encoder(points, signs, box, mask)
        masks, scores = self.mask_decoder(seen, self.prompt_encoder.everywhere(), tokens, dense)
        return masks, scores
