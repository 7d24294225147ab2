"""The procedures' names and a few words of their arguments; imports nothing, as it is read at every call."""

from __future__ import annotations

STYLIZE, REGIONS, BRUSHWORK = (
    "plug-in-scumble-stylize",
    "plug-in-scumble-stylize-regions",
    "plug-in-scumble-brushwork",
)
SELECT, POINTS, REPEAT, BACKEND = (
    "plug-in-scumble-select-subject",
    "plug-in-scumble-select-points",
    "plug-in-scumble-repeat-last",
    "plug-in-scumble-backend",
)
#: Engines that have a procedure of their own.
BRUSHWORK_ENGINE = "nnst"
#: Where a style comes from: the values of ``style-from``.  ``auto`` takes what is given.
AUTO, GALLERY, FILE, DRAWABLE, WORDS = "auto", "gallery", "file", "drawable", "words"
#: What the masks of *Stylize Regions* are.
GROUP, CHANNELS = "group", "channels"
#: What *Select by Points* gives, and how a selection is joined with the one that there is.
SELECTION, CHANNEL = "selection", "channel"
REPLACE, ADD, SUBTRACT, INTERSECT = "replace", "add", "subtract", "intersect"
