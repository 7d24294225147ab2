"""The backend process: a ROUTER front, a queue, one worker.  ``python -m scumble.backend.server``."""
