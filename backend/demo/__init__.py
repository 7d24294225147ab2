"""The demonstration that the installer starts: one photograph, two selections, two styles."""
