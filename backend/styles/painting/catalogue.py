"""All recipes of the gallery, in the order in which they are shown."""

from __future__ import annotations

from . import abstracts, crafts, drawn, inks, oils, ornaments, prints, textiles, waters
from .recipe import Recipe

RECIPES: tuple[Recipe, ...] = (
    *oils.RECIPES,
    *waters.RECIPES,
    *drawn.RECIPES,
    *inks.RECIPES,
    *prints.RECIPES,
    *crafts.RECIPES,
    *textiles.RECIPES,
    *abstracts.RECIPES,
    *ornaments.RECIPES,
)


def recipe(id: str) -> Recipe:
    """The recipe of that id; raises :class:`KeyError`."""
    return {r.id: r for r in RECIPES}[id]
