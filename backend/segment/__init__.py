"""Finding selections: points, boxes and "the subject" to soft masks.

Nothing heavy is imported here; :mod:`scumble.backend.segment.methods` loads what a method needs.
"""
