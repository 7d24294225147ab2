"""What the editors share and neither owns; without Qt, without ``gi``, without numpy.

======================  ==============================================================================
``session``, ``jobs``   jobs from "stylize" to the new layer: states, progress, cancel, retry, previews
``worker``              a thread that drives a session
``history``             results with the settings that made them
``forms``               an engine's options as groups of fields
``regions``, ``build``  the list of regions, and the request made of it
``annotation``          the settings of a result as text to keep in the document
``settings``            what the user chose last
``backend``             the way to the backend, on this machine or another
``failures``            errors as people read them
``report``              the text behind "copy report"
``vendor``              the pyzmq that fits the editor's Python
======================  ==============================================================================
"""
