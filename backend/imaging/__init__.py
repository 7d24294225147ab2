"""Pixels in and out: raw buffers, picture files, compositing.  numpy only; nothing here imports torch."""
