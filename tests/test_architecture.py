"""Dependencies point one way: plugin -> shared <- backend; the installer stands alone."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
#: What each part may import of Scumble.
MAY = {
    "shared": {"shared"},
    "backend": {"backend", "shared"},
    "plugin": {"plugin", "shared"},
    "installer": {"installer"},
}
#: What else, beyond the standard library; ``None`` for anything.
OTHERS: dict[str, set[str] | None] = {
    "shared": {"zmq"},
    "backend": None,
    "plugin/common": {"zmq"},
    "plugin/krita": {"krita", "PyQt5", "PyQt6", "zmq"},
    "plugin/gimp": {"gi", "zmq"},
    "installer": set(),
}


def imported(file: Path, package: str) -> Iterator[tuple[int, str]]:
    """(line, full name) of everything that a file imports, inside functions and under conditions, too."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"), str(file))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                assert node.level <= len(parents), f"{file}:{node.lineno} leaves the package"
                base = ".".join([*parents[: len(parents) - node.level + 1], *([base] if base else [])])
            # "from scumble import backend" names its part only after the import.
            names = [alias.name for alias in node.names] if base in ("", "scumble") else [""]
            yield from ((node.lineno, f"{base}.{name}".strip(".")) for name in names)


def is_typing_only(file: Path, line: int) -> bool:
    """Whether a line stands under ``if TYPE_CHECKING``."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        guards = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if guards and node.body[0].lineno <= line <= (node.body[-1].end_lineno or 0):  # type: ignore[attr-defined]
            return True
    return False


def everything(part: str) -> Iterator[tuple[Path, int, str]]:
    for file in sorted((ROOT / part).rglob("*.py")):
        package = ".".join(["scumble", *file.relative_to(ROOT).parent.parts])
        for line, name in imported(file, package):
            yield file.relative_to(ROOT), line, name


@pytest.mark.parametrize("part", sorted(MAY))
def test_each_part_imports_only_what_it_may_of_scumble(part: str) -> None:
    found = [(f, line, name) for f, line, name in everything(part) if name.split(".")[0] == "scumble"]
    wrong = [f"{f}:{line} imports {name}" for f, line, name in found if name.split(".")[1] not in MAY[part]]
    assert wrong == []
    if part != "installer":
        assert found, "the test sees imports at all"


@pytest.mark.parametrize("part", sorted(part for part, others in OTHERS.items() if others is not None))
def test_what_runs_elsewhere_needs_little_else(part: str) -> None:
    allowed = (OTHERS[part] or set()) | {"scumble"} | set(sys.stdlib_module_names)
    wrong = [
        f"{file}:{line} imports {name}"
        for file, line, name in everything(part)
        if name.split(".")[0] not in allowed and not is_typing_only(ROOT / file, line)
    ]
    assert wrong == []


def test_the_part_that_both_editors_share_knows_neither() -> None:
    wrong = [
        f"{file}:{line} imports {name}"
        for file, line, name in everything("plugin/common")
        if name.startswith(("scumble.plugin.krita", "scumble.plugin.gimp"))
    ]
    assert wrong == []


@pytest.mark.parametrize(("editor", "other"), [("krita", "gimp"), ("gimp", "krita")])
def test_one_editor_s_part_knows_nothing_of_the_other_s(editor: str, other: str) -> None:
    wrong = [
        f"{file}:{line} imports {name}"
        for file, line, name in everything(f"plugin/{editor}")
        if name.startswith(f"scumble.plugin.{other}")
        or name.partition(".")[0] in (OTHERS[f"plugin/{other}"] or set()) - {"zmq"}
    ]
    assert wrong == []


def test_a_relative_import_that_crosses_over_would_be_seen(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    lines = ("from ..shared import a", "from . import b", "from ...backend.c import d")
    file.write_text("\n".join((*lines, "from scumble import plugin")))
    names = [name for _, name in imported(file, "scumble.shared.deep")]
    assert names == ["scumble.shared.shared", "scumble.shared.deep", "scumble.backend.c", "scumble.plugin"]
