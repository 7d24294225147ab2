"""Sets Scumble up on a bare machine: ``python3 -m installer COMMAND``.

Standard library only, and nothing else of the project: it has to run before anything is installed.
"""
