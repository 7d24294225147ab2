"""Whole pictures: how much style is bought for how much content, along one control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from scumble.shared.errors import Code, ScumbleError

from .bench import Variant
from .tables import Summary, markdown, number

Sweep = Mapping[str, Sequence[float]]

#: From the faithful end to the strong end, when no sweep is asked for.
STEPS: dict[str, tuple[float, ...]] = {
    "texture": (0.0, 0.25, 0.5, 0.75, 1.0),
    "detail": (1.0, 0.75, 0.5, 0.25, 0.0),
}
#: The control that is the region's strength instead of an option of the engine.
STRENGTH = "strength"


@dataclass(frozen=True)
class Point:
    """One setting's averages over the pairs."""

    name: str
    style_loss: float
    content_distance: float


def curve_variants(base: Variant, sweep: Sweep = STEPS) -> tuple[Variant, ...]:
    """One variant per step of the controls, which move together.

    :param sweep: for each option of the engine, or the region's ``strength``, as many values as steps.
    :raises ScumbleError: ``bad_request`` if the controls have different numbers of values.
    """
    if not sweep or len({len(values) for values in sweep.values()}) != 1:
        raise ScumbleError(
            Code.BAD_REQUEST,
            "The swept controls have different numbers of values.",
            "Controls move together: give each as many values.",
        )
    found = []
    for values in zip(*sweep.values(), strict=True):
        setting = dict(zip(sweep, values, strict=True))
        name = " ".join(f"{k}={v:g}" for k, v in setting.items())
        strength = setting.pop(STRENGTH, base.strength)
        found.append(Variant(name, base.engine, {**base.options, **setting}, strength))
    return tuple(found)


def points(found: Summary, names: Sequence[str]) -> list[Point]:
    """The points of the named variants that have been measured."""
    return [
        Point(n, found[n]["relative_style_loss"], found[n]["content_distance"])
        for n in names
        if "relative_style_loss" in found.get(n, {})
    ]


def style_loss_at(curve: Sequence[Point], content: float) -> float | None:
    """Lowest style loss the curve offers for at most that content distance; ``None`` if it offers none.

    Between neighbouring points the curve is taken as straight.
    """
    best: float | None = None

    def offer(value: float) -> None:
        nonlocal best
        best = value if best is None else min(best, value)

    for p in curve:
        if p.content_distance <= content:
            offer(p.style_loss)
    for a, b in pairwise(curve):
        low, high = sorted((a, b), key=lambda p: p.content_distance)
        if low.content_distance <= content < high.content_distance:
            share = (content - low.content_distance) / (high.content_distance - low.content_distance)
            offer(low.style_loss + share * (high.style_loss - low.style_loss))
    return best


def curve_table(curve: Sequence[Point], peers: Sequence[Point]) -> str:
    """The curve's points, then the peers', each with what the curve offers at the peer's content."""
    rows = [[p.name, number(p.style_loss), number(p.content_distance), ""] for p in curve]
    for p in peers:
        ours = style_loss_at(curve, p.content_distance)
        rows.append(
            [
                p.name,
                number(p.style_loss),
                number(p.content_distance),
                number(ours) if ours is not None else "–",
            ]
        )
    head = ["setting", "relative style loss ↓", "content distance ↓", "our loss at that distance"]
    return markdown(head, rows)


def curve_svg(curve: Sequence[Point], peers: Sequence[Point], width: int = 560, height: int = 400) -> str:
    """The curve and the peers as a drawing: content distance to the right, style loss upwards."""
    every = [*curve, *peers]
    right = 1.08 * max(p.content_distance for p in every) or 1.0
    top = 1.08 * max(p.style_loss for p in every) or 1.0
    left, bottom = 60, 46

    def at(p: Point) -> tuple[float, float]:
        x = left + (width - left - 16) * p.content_distance / right
        return round(x, 1), round((height - bottom) - (height - bottom - 16) * p.style_loss / top, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-size="12">',
        "<style>text { font-family: sans-serif }</style>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<path d="M{left} 16V{height - bottom}H{width - 16}" fill="none" stroke="black"/>',
    ]
    for step in range(5):
        x = left + (width - left - 16) * step / 4
        y = (height - bottom) - (height - bottom - 16) * step / 4
        parts.append(
            f'<text x="{x:.1f}" y="{height - bottom + 16}" text-anchor="middle">{right * step / 4:.2f}</text>'
        )
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{top * step / 4:.2f}</text>')
    parts.append(f'<text x="{width / 2}" y="{height - 8}" text-anchor="middle">content distance</text>')
    parts.append(
        f'<text transform="translate(14 {height / 2}) rotate(-90)" text-anchor="middle">'
        "relative style loss</text>"
    )
    line = " ".join(f"{x},{y}" for x, y in map(at, curve))
    parts.append(f'<polyline points="{line}" fill="none" stroke="#0b62a4" stroke-width="2"/>')
    for colour, group in (("#0b62a4", curve), ("#b5402a", peers)):
        for p in group:
            x, y = at(p)
            parts.append(f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>')
            end = x > width - 150
            parts.append(
                f'<text x="{x - 7 if end else x + 7}" y="{y - 6}" fill="{colour}"'
                f"{' text-anchor=' + chr(34) + 'end' + chr(34) if end else ''}>{p.name}</text>"
            )
    return "\n".join([*parts, "</svg>", ""])
