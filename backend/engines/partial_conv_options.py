"""The controls of engine ``partial-conv``, as editors show them."""

from __future__ import annotations

from .base import Option

OPTIONS: tuple[Option, ...] = (
    Option(
        "texture", "Brushwork", "float", 0.5,
        "How much of the painting's own strokes is laid down; 0 only recolours and re-shades.",
        minimum=0.0, maximum=1.0, step=0.05, per_region=True,
    ),
    Option(
        "detail", "Detail", "float", 0.5,
        "How much fine detail of your layer shows through the paint.",
        minimum=0.0, maximum=1.0, step=0.05, per_region=True,
    ),
    Option(
        "style_scale", "Stroke size", "float", 1.0,
        "Size of the strokes in image pixels: 1 shows the style as if its short side were 512 px.",
        minimum=0.25, maximum=4.0, step=0.05, unit="x", per_region=True,
    ),
    Option(
        "match_color", "Match palette", "float", 0.7,
        "How closely the colours follow the painting's palette.",
        minimum=0.0, maximum=1.0, step=0.05, group="Colour", per_region=True,
    ),
    Option(
        "preserve_color", "Keep my colours", "float", 0.0,
        "Paint with the style's strokes but in your layer's own colours.",
        minimum=0.0, maximum=1.0, step=0.05, group="Colour", per_region=True,
    ),
    Option(
        "feather", "Edge softness", "float", 0.0,
        "Width of the blend inside the selection's edge; 0 chooses it from the selection's size.",
        minimum=0.0, maximum=200.0, step=1.0, unit="px", group="Edges",
    ),
    Option(
        "feather_before", "Soften the mask", "bool", True,
        "Blending technique 1: soften the mask before the layer is read.", group="Edges", advanced=True,
    ),
    Option(
        "expand_during", "Look past the edge", "bool", True,
        "Blending technique 2: let each step see one pixel beyond the mask.", group="Edges", advanced=True,
    ),
    Option(
        "feather_decoder", "Melt into the layer", "bool", True,
        "Blending technique 3: mix the layer's own features in towards the edge.", group="Edges", advanced=True,
    ),
    Option(
        "method", "Method", "choice", "partial-conv",
        "The baselines style the whole layer and cut the region out, or black the rest out first.",
        choices=("partial-conv", "style-then-mask", "mask-then-style"), group="Method", advanced=True,
    ),
    Option(
        "transform", "Transform", "choice", "transport",
        "Closed-form optimal transport, or the learned linear transform.",
        choices=("transport", "learned"), group="Method", advanced=True,
    ),
    Option(
        "renormalize", "Even edges", "bool", True,
        "Weigh each step by how much of its window lies under the mask.", group="Method", advanced=True,
    ),
    Option(
        "model", "Model", "text", "compact",
        "The bundled network, or the name of one that you imported.", group="Method", advanced=True,
    ),
    Option(
        "parity", "Published arithmetic", "bool", False,
        "With an imported network: exactly what the published code computes.", group="Method", advanced=True,
    ),
)
