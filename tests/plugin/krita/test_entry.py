"""The files that Krita finds first."""

from __future__ import annotations

import ast
import configparser
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

PLUGIN = Path(__file__).resolve().parents[3] / "plugin" / "krita"
ENTRY = PLUGIN / "entry"


def test_the_entry_gets_as_far_as_its_message_in_old_pythons() -> None:
    source = (ENTRY / "__init__.py").read_text("utf-8")
    tree = ast.parse(source, feature_version=(3, 8))
    tops = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.name for node in tops if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in tops if isinstance(node, ast.ImportFrom)}
    assert names <= sys.stdlib_module_names, "nothing that may be missing comes first"


def test_each_menu_entry_has_a_shortcut_that_the_user_can_change() -> None:
    source = (PLUGIN / "extension.py").read_text("utf-8")
    named = set(re.findall(r'\("(scumble_\w+)", "(Scumble: [^"]+)"', source))
    actions = ET.parse(ENTRY / "scumble_krita.action").getroot().iter("Action")
    assert {(a.get("name"), a.findtext("text")) for a in actions} == named and len(named) == 5
    keys = [a.findtext("shortcut") for a in ET.parse(ENTRY / "scumble_krita.action").getroot().iter("Action")]
    assert keys[0] == "ctrl+alt+y"


def test_the_desktop_file_names_what_krita_loads() -> None:
    desktop = configparser.ConfigParser(interpolation=None)
    desktop.read(ENTRY / "scumble_krita.desktop", "utf-8")
    entry = desktop["Desktop Entry"]
    assert entry["X-KDE-Library"] == "scumble_krita" and entry["ServiceTypes"] == "Krita/PythonPlugin"
    assert (ENTRY / entry["X-Krita-Manual"]).is_file()
