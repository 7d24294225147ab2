"""The command ``scumble``: one module a command, imported when it is asked for."""
