"""Scumble in GIMP 3: the procedures under Filters > Scumble.

======================================  ==============================================================
``arguments``, ``formats``, ``masks``   pure: what procedures take, pixel formats, regions from names
``main``, ``declare``                   what is registered, and when
``procedures``                          a call of a procedure from its arguments to its return values
``document``                            GIMP's images, layers and masks as ``plugin.common`` wants them
``running``, ``sentry``                 a job with progress; and its end when GIMP ends the plug-in
``handover``, ``standby``, ``rehearse`` a process that is ready for the next call
``ui``                                  the dialogs
======================================  ==============================================================

The first row needs no ``gi``.  Nothing here computes with pixels: GIMP converts them, the backend paints.
"""
