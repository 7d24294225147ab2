"""The installer tells a Python that is too old or too new what to do."""

import ast
import sys
from pathlib import Path

import pytest

from scumble.installer import versions

INSTALLER = Path(versions.__file__).parent


@pytest.mark.parametrize("version", [(3, 10), (3, 11), (3, 14)])
def test_supported_pythons_pass_without_a_word(version: tuple[int, int]) -> None:
    assert versions.unsupported(version) == ""


@pytest.mark.parametrize("version", [(2, 7), (3, 6), (3, 9), (3, 15), (4, 0)])
def test_other_pythons_are_named_together_with_those_that_work(version: tuple[int, int]) -> None:
    said = versions.unsupported(version, path="/nowhere")
    assert f"this is Python {version[0]}.{version[1]}" in said
    assert "3.10 to 3.14" in said
    assert "Install" in said.splitlines()[1]


def test_a_better_python_on_the_search_path_is_suggested(tmp_path: Path) -> None:
    for name in ("python3.11", "python3.12"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    said = versions.unsupported((3, 8), path=str(tmp_path))
    assert "python3.12 -m installer" in said


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py", "versions.py"])
def test_what_an_old_python_reads_first_has_old_syntax(name: str) -> None:
    source = (INSTALLER / name).read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))
    assert "annotations" not in source  # "from __future__ import annotations" stops a Python 3.6


def test_the_python_that_runs_this_is_supported() -> None:
    assert versions.supported(sys.version_info[:2])
