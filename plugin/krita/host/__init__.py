"""Krita as the controller sees it: documents, layers, selections and pixels, through libkis.

==============  ======================================================================================
``api``         what the controller asks for
``krita_host``  the whole of it, for a running Krita
``nodes``       layers and masks of a document: finding them, what kinds there are
``colour``      Krita's colour models, depths and profiles, and changing between them
``masks``       what a region may be
``source``      the active layer as the source of a request
``placing``     results and previews as layers
``frames``      the frames of an animated layer
``keeping``     settings and masks in a document's annotations
``pictures``    thumbnails
==============  ======================================================================================

Pixels are handed on as the bytes that Krita gives; there is no arithmetic on them in here.
"""

from .api import Host, Look, Source, Target
from .krita_host import KritaHost

__all__ = ["Host", "KritaHost", "Look", "Source", "Target"]
