"""Scumble inside Krita: an extension, a docker, and an adapter to Krita's documents."""
