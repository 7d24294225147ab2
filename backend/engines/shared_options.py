"""Controls that mean the same in every engine: one name, one group, one sentence for each."""

from __future__ import annotations

from .base import Option

#: Groups under which editors show the controls.
COLOUR, EDGES, METHOD = "Colour", "Edges", "Method"

STYLE_SCALE = Option(
    "style_scale",
    "Stroke size",
    "float",
    1.0,
    "Size of the strokes in image pixels: 1 shows the style as if its short side were 512 px.",
    minimum=0.25,
    maximum=4.0,
    step=0.05,
    unit="x",
    per_region=True,
)
MATCH_COLOR = Option(
    "match_color",
    "Match palette",
    "float",
    0.7,
    "How closely the colours follow the painting's palette.",
    minimum=0.0,
    maximum=1.0,
    step=0.05,
    group=COLOUR,
    per_region=True,
)
PRESERVE_COLOR = Option(
    "preserve_color",
    "Keep my colours",
    "float",
    0.0,
    "Paint with the style's strokes but in your layer's own colours.",
    minimum=0.0,
    maximum=1.0,
    step=0.05,
    group=COLOUR,
    per_region=True,
)
FEATHER = Option(
    "feather",
    "Edge softness",
    "float",
    0.0,
    "Width of the blend inside the selection's edge; 0 chooses it from the selection's size.",
    minimum=0.0,
    maximum=200.0,
    step=1.0,
    unit="px",
    group=EDGES,
)
