"""Reports as Markdown, the published figures beside ours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from .bench import Variant
from .measure import METRICS

Summary = Mapping[str, Mapping[str, float]]

#: Table 2 of the paper, 500 masks: grey EMD, sliced EMD, style loss (VGG-19; another scale than ours).
PUBLISHED_TABLE2: dict[str, dict[str, float]] = {
    "style-then-mask": {"gray_emd": 0.122, "sliced_emd": 0.168, "style_loss": 760.0},
    "partial-conv": {"gray_emd": 0.0855, "sliced_emd": 0.118, "style_loss": 449.0},
}
#: Table 3 of the paper: boundary gradient and colour continuity of the combinations it gives.
PUBLISHED_TABLE3: dict[str, dict[str, float]] = {
    "none": {"boundary_gradient": 157.1, "boundary_colour": 31.19},
    "before": {"boundary_gradient": 142.9, "boundary_colour": 28.84},
    "during": {"boundary_gradient": 135.3, "boundary_colour": 28.02},
    "decoder": {"boundary_gradient": 90.4, "boundary_colour": 33.5},
    "before + during + decoder": {"boundary_gradient": 82.65, "boundary_colour": 26.23},
}
#: The three blending techniques and the engine's options that switch them.
TECHNIQUES: dict[str, str] = {
    "before": "feather_before",
    "during": "expand_during",
    "decoder": "feather_decoder",
}
METHODS = ("style-then-mask", "partial-conv", "mask-then-style")

LABELS: dict[str, str] = {
    "gray_emd": "grey EMD",
    "sliced_emd": "sliced EMD",
    "style_loss": "style loss",
    "relative_style_loss": "relative style loss",
    "inner_style_loss": "inner style loss",
    "content_distance": "content distance",
    "perceptual_distance": "perceptual distance",
    "ssim": "SSIM",
    "boundary_gradient": "boundary gradient",
    "boundary_colour": "boundary colour",
    "photo_boundary_gradient": "gradient of the photo",
    "photo_boundary_colour": "colour step of the photo",
    "outside_changed": "bytes changed outside",
    "seconds": "seconds",
    "peak_mib": "peak MiB",
}
TABLE2_METRICS = (
    "gray_emd",
    "sliced_emd",
    "style_loss",
    "relative_style_loss",
    "inner_style_loss",
    "content_distance",
    "ssim",
    "boundary_gradient",
    "boundary_colour",
    "outside_changed",
    "seconds",
)
TABLE3_METRICS = (
    "boundary_gradient",
    "boundary_colour",
    "gray_emd",
    "sliced_emd",
    "relative_style_loss",
    "outside_changed",
    "seconds",
)


def table2_variants(base: Variant) -> tuple[Variant, ...]:
    """Style-then-mask, partial convolution and mask-then-style with the same network."""
    return tuple(Variant(m, base.engine, {**base.options, "method": m}, base.strength) for m in METHODS)


def table3_variants(base: Variant) -> tuple[Variant, ...]:
    """All eight combinations of the blending techniques, from none to all."""
    found = []
    for bits in sorted(range(8), key=lambda b: (b.bit_count(), b)):
        on = {name: bool(bits >> n & 1) for n, name in enumerate(TECHNIQUES)}
        name = " + ".join(k for k, v in on.items() if v) or "none"
        options = {**base.options, "method": "partial-conv"} | {TECHNIQUES[k]: v for k, v in on.items()}
        found.append(Variant(name, base.engine, options, base.strength))
    return tuple(found)


def number(value: float | None) -> str:
    """A value with the digits that mean something."""
    if value is None or math.isnan(value):
        return "–"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    if abs(value) >= 1e5:
        return f"{value:.3g}"
    return f"{value:.4f}" if abs(value) < 1 else f"{value:.2f}"


def change(value: float | None, base: float | None) -> str:
    """Relative change in per cent, with its sign."""
    if value is None or base is None or not base:
        return "–"
    return f"{100 * (value / base - 1):+.0f} %".replace("-", "−")


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; numbers stand on the right."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _header(metrics: Sequence[str]) -> list[str]:
    arrow = {-1: " ↓", 1: " ↑", 0: ""}
    return [LABELS[m] + arrow[METRICS[m]] for m in metrics]


def _present(found: Summary, metrics: Sequence[str]) -> list[str]:
    return [m for m in metrics if any(m in row for row in found.values())]


def plain_table(found: Summary) -> str:
    """Every measure of every variant."""
    metrics = _present(found, list(METRICS))
    rows = [[name, *(number(row.get(m)) for m in metrics)] for name, row in found.items()]
    return markdown(["variant", *_header(metrics)], rows)


def compared_table(
    found: Summary, metrics: Sequence[str], base: str, published: Mapping[str, Mapping[str, float]]
) -> str:
    """Our values with their change against ``base``, and published values with theirs."""
    metrics = _present(found, metrics)
    beside = [m for m in metrics if any(m in row for row in published.values())]
    rows = []
    for name, row in found.items():
        cells = [name]
        for m in metrics:
            against = "" if name == base else f" ({change(row.get(m), found[base].get(m))})"
            cells.append(number(row.get(m)) + (against if METRICS[m] and m != "outside_changed" else ""))
        for m in beside:
            value, first = published.get(name, {}).get(m), published[base].get(m)
            against = "" if name == base or value is None else f" ({change(value, first)})"
            cells.append(number(value) + against)
        rows.append(cells)
    head = ["variant", *_header(metrics), *(f"published {LABELS[m]}" for m in beside)]
    return markdown(head, rows)


def table2(found: Summary) -> str:
    """The paper's Table 2 with our results; style-then-mask is the yardstick."""
    return compared_table(found, TABLE2_METRICS, "style-then-mask", PUBLISHED_TABLE2)


def table3(found: Summary) -> str:
    """The paper's Table 3 with our results; no blending is the yardstick."""
    return compared_table(found, TABLE3_METRICS, "none", PUBLISHED_TABLE3)


def floor_table(found: Summary, base: str = "none") -> str:
    """How much of the seam each combination adds to the edge that the photograph has there itself."""
    rows = []
    for name, row in found.items():
        cells = [name]
        for metric in ("boundary_gradient", "boundary_colour"):
            own = f"photo_{metric}"
            if metric not in row or own not in row:
                cells.append("–")
                continue
            excess, first = row[metric] - row[own], found[base][metric] - found[base][own]
            left = f" ({100 * excess / first:.0f} % of {base}'s)" if name != base and first else ""
            cells.append(f"{excess:+.2f}{left}".replace("-", "−"))
        rows.append(cells)
    own_row = found[base]
    rows.append(
        [
            "the photograph's own",
            *(number(own_row.get(f"photo_{m}")) for m in ("boundary_gradient", "boundary_colour")),
        ]
    )
    return markdown(
        ["variant", "gradient above the photograph's", "colour step above the photograph's"], rows
    )


def wins_line(found: Mapping[str, float], base: str, metrics: Sequence[str]) -> str:
    """One sentence on how often a variant is better, since a mean may hang on a few triplets."""
    shares = [f"{LABELS[m]} {100 * found[m]:.0f} %" for m in metrics if m in found]
    return f"Better than {base} on this share of the triplets: {', '.join(shares)}."
