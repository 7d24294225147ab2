"""Which group, and which layer below it, *Stylize Regions* means."""

from __future__ import annotations

from typing import Any

from scumble.shared.errors import Code, ScumbleError

from .names import GROUP


def find(drawable: Any, group: Any, wanted: bool) -> tuple[Any, Any]:
    """(the group or ``None``, the layer to repaint).

    If the active layer is the group, the layer below it is repainted; if it is in the group, the masks
    would be painted on themselves, which nobody wants.

    :param group: what was given, or ``None``.
    :param wanted: whether there has to be one.
    :raises ScumbleError: ``bad_request``.
    """
    image = drawable.get_image()
    if drawable.is_group() and (group is None or group == drawable):
        return drawable, _below(image, drawable)
    if not wanted:
        return group, drawable
    if group is None:
        groups = [layer for layer in _all(image.get_layers()) if layer.is_group()]
        outer = [layer for layer in groups if layer != drawable.get_parent()]
        if len(outer) == 1:
            group = outer[0]
    elif group.get_image() != image:
        raise ScumbleError(
            Code.BAD_REQUEST, "The group belongs to another image.", "Choose a group of this one."
        )
    parent = drawable.get_parent()
    while parent is not None:
        if group is not None and parent == group:
            raise ScumbleError(
                Code.BAD_REQUEST,
                "The layer to repaint is one of the masks.",
                "Click the layer with the picture, or the group itself.",
            )
        parent = parent.get_parent()
    return group, drawable


def mask_names(kind: str, image: Any, group: Any) -> list[str]:
    """The names of the masks: a group's visible children or the saved channels, topmost first."""
    if kind != GROUP:
        return [channel.get_name() for channel in image.get_channels()]
    if group is None:
        raise ScumbleError(
            Code.BAD_REQUEST,
            "There is no layer group to take the regions from.",
            "Put a layer for each region into a group and choose it, or use saved channels.",
        )
    return [child.get_name() for child in group.get_children() if child.get_visible()]


def _below(image: Any, group: Any) -> Any:
    parent = group.get_parent()
    beside = image.get_layers() if parent is None else parent.get_children()
    after = list(beside)[image.get_item_position(group) + 1 :]
    for layer in after:
        if not layer.is_group():
            return layer
    raise ScumbleError(
        Code.BAD_REQUEST,
        "There is no layer below the group to repaint.",
        "Put the group with the masks right above the layer with the picture.",
    )


def _all(layers: Any) -> Any:
    for layer in layers:
        yield layer
        if layer.is_group():
            yield from _all(layer.get_children())
