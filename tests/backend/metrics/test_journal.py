"""A run that was interrupted goes on, and records of different runs never mix."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from scumble.backend.metrics.journal import Bar, Journal
from scumble.shared.errors import Code, ScumbleError

PRINT = {"seed": 0, "variants": ["a"]}


def record(triplet: str, variant: str = "a", **more: object) -> dict[str, object]:
    return {"triplet": triplet, "variant": variant, "ssim": 0.5, **more}


def test_records_survive_the_process(tmp_path: Path):
    Journal(tmp_path / "deep" / "r.jsonl", PRINT).add(record("x"))
    again = Journal(tmp_path / "deep" / "r.jsonl", PRINT)
    assert again.records == {("x", "a"): record("x")}


def test_a_line_cut_short_by_a_crash_is_dropped_and_the_next_one_is_whole(tmp_path: Path):
    file = tmp_path / "r.jsonl"
    journal = Journal(file, PRINT)
    journal.add(record("x"))
    journal.add(record("y"))
    file.write_bytes(file.read_bytes()[:-9])
    journal = Journal(file, PRINT)
    assert set(journal.records) == {("x", "a")}
    journal.add(record("y"))
    assert [json.loads(line) for line in file.read_text().splitlines()[1:]] == [record("x"), record("y")]


def test_failures_are_tried_again(tmp_path: Path):
    journal = Journal(tmp_path / "r.jsonl", PRINT)
    journal.add({"triplet": "x", "variant": "a", "error": "out_of_memory"})
    assert Journal(tmp_path / "r.jsonl", PRINT).records == {}


def test_records_of_another_run_are_refused_until_asked_to_restart(tmp_path: Path):
    file = tmp_path / "r.jsonl"
    Journal(file, PRINT).add(record("x"))
    with pytest.raises(ScumbleError) as caught:
        Journal(file, {**PRINT, "seed": 1})
    assert caught.value.code is Code.BAD_REQUEST
    assert "--restart" in caught.value.hint
    assert Journal(file, PRINT).records
    assert Journal(file, {**PRINT, "seed": 1}, restart=True).records == {}


def test_a_report_that_cannot_be_written_is_said_so(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ScumbleError) as caught:
        Journal(tmp_path / "file" / "r.jsonl", PRINT)
    assert caught.value.code is Code.DISK


def test_the_bar_says_how_far_it_is_once_a_tenth():
    stream = io.StringIO()
    bar = Bar(40, 10, stream)
    for _ in range(30):
        bar.step()
    lines = stream.getvalue().splitlines()
    assert lines[0] == "10/40"
    assert lines[-1].startswith("40/40")
    assert len(lines) == 9
