"""Krita's settings belong to Krita: one line is added, the same line is taken out, nothing else moves."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.installer.editors import kritarc

LINE = b"enable_scumble_krita=true"
LINES = st.sampled_from(
    [
        b"", b"  ", b"[python]", b"[python][more]", b"[python][$i]", b"[Python]", b"[KisToolBrush]",
        b"# python", b"enable_other=true", b"enable_scumble_krita_too=true", b"theme=Krita dark \xf6\xff",
        b"a[$e]=$HOME/x=y",
    ]
)  # fmt: skip
CONTENTS = st.builds(
    lambda lines, end, closed: end.join(lines) + (end if closed and lines else b""),
    st.lists(LINES, max_size=8),
    st.sampled_from([b"\n", b"\r\n"]),
    st.booleans(),
)


@given(CONTENTS)
def test_enabling_and_forgetting_gives_back_every_byte(content: bytes) -> None:
    new, added = kritarc.enabled(content)
    assert kritarc.is_enabled(new) and not kritarc.is_enabled(content)
    assert kritarc.without(new, added) == content


@given(CONTENTS)
def test_enabling_changes_no_other_line_and_a_second_time_nothing(content: bytes) -> None:
    new, _ = kritarc.enabled(content)

    def others(text: bytes) -> list[bytes]:
        return [line for line in text.splitlines() if line.strip() not in (LINE, b"", b"[python]")]

    assert others(new) == others(content)
    assert kritarc.enabled(new) == (new, b"")


@given(CONTENTS)
def test_without_knowing_what_was_added_the_line_goes_all_the_same(content: bytes) -> None:
    new, _ = kritarc.enabled(content)
    rest = kritarc.without(new)
    assert LINE not in [line.strip() for line in rest.splitlines()]
    assert [x for x in rest.split() if x != b"[python]"] == [x for x in content.split() if x != b"[python]"]


@pytest.mark.parametrize("value", [b"false", b"0", b"", b"no"])
def test_a_plug_in_that_was_switched_off_is_switched_on(value: bytes) -> None:
    content = b"[python]\r\nenable_scumble_krita=" + value + b"\r\nenable_other=false\r\n"
    new, added = kritarc.enabled(content)
    assert new == b"[python]\r\nenable_scumble_krita=true\r\nenable_other=false\r\n" and added == b""


def test_a_line_of_another_group_is_not_ours() -> None:
    content = b"[other]\nenable_scumble_krita=true\n"
    assert not kritarc.is_enabled(content)
    assert kritarc.without(content) == content


def test_a_file_that_krita_wrote_anew_loses_the_line_and_the_empty_group() -> None:
    _, added = kritarc.enabled(b"[b]\nx=1\n")
    rewritten = b"[b]\nx=2\n\n[python]\nenable_scumble_krita=true\n\n[z]\ny=1\n"
    assert kritarc.without(rewritten, added) == b"[b]\nx=2\n\n[z]\ny=1\n"
    others = b"[python]\nenable_other=true\nenable_scumble_krita=true\n"
    assert kritarc.without(others, added) == b"[python]\nenable_other=true\n"


def test_a_file_made_for_the_line_goes_with_it(tmp_path: Path) -> None:
    file = tmp_path / "new ö" / "kritarc"
    added = kritarc.enable(file)
    assert kritarc.is_enabled(file.read_bytes())
    assert kritarc.forget(file, added) and not file.exists()
    assert not kritarc.forget(file)


@pytest.mark.skipif(os.name == "nt", reason="links and modes of Unix")
def test_a_link_stays_a_link_and_the_mode_stays_the_mode(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles"
    real.write_bytes(b"[a]\nb=c\n")
    real.chmod(0o640)
    link = tmp_path / "kritarc"
    link.symlink_to(real)
    added = kritarc.enable(link)
    assert link.is_symlink() and real.stat().st_mode & 0o777 == 0o640
    assert kritarc.is_enabled(real.read_bytes())
    kritarc.forget(link, added)
    assert link.is_symlink() and real.read_bytes() == b"[a]\nb=c\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dotfiles", "kritarc"]
