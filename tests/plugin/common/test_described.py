"""The last description survives, and a damaged one does no harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.plugin.common import described


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "description.json"
    answer = {"engines": [{"name": "a"}], "styles": [{"id": "é"}]}
    assert described.kept(file) == {}
    assert described.keep(answer, file)
    assert described.kept(file) == answer
    assert file.stat().st_mode & 0o077 == 0


def test_the_same_answer_is_not_written_again(tmp_path: Path) -> None:
    file = tmp_path / "description.json"
    described.keep({"engines": []}, file)
    before = file.stat().st_mtime_ns, file.stat().st_ino
    assert described.keep({"engines": []}, file)
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == before


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_file_is_no_description(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "description.json"
    file.write_bytes(content)
    assert described.kept(file) == {}


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert not described.keep({"engines": []}, blocked / "description.json")
    assert not described.keep({"engines": [object()]}, tmp_path / "description.json")


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_like)
def test_the_names_of_engines_are_read_from_anything(value: Any) -> None:
    good = [{"name": "x"}, value, {"name": value}, {"name": "y"}]
    names = described.engine_names({"engines": good})
    assert names[0] == "x" and names[-1] == "y"
    assert all(isinstance(name, str) and name for name in names)
    assert isinstance(described.engine_names({"engines": value}), tuple)
