"""The bench runs real engines on real pictures, repeats itself, and goes on where it stopped."""

from __future__ import annotations

import argparse
import io
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scumble.backend.metrics import cli
from scumble.backend.metrics.bench import Setting, Variant, fingerprint, run_bench, wins
from scumble.backend.metrics.journal import Journal
from scumble.backend.metrics.protocol import Kind, style_files, triplets
from scumble.backend.metrics.tables import table2_variants
from scumble.shared.errors import Code, ScumbleError

COSTS = {"seconds", "peak_mib"}


def setting_for(bench: tuple[Path, Path], judge: Path, *variants: Variant) -> Setting:
    styles = style_files(bench[1])
    # Descending makes more of a rounding than :func:`same` lets through; last strokes have their own tests.
    plain = Variant("engine", options={"last_strokes": "off"})
    return Setting(bench[0], styles, variants or (plain,), judge=judge, long_side=48)


def run_once(setting: Setting, file: Path, limit: int, jobs: int = 1, kind: Kind = "regular") -> list[dict]:
    chosen = triplets(setting.bench, list(setting.styles), limit=limit, kind=kind)
    journal = Journal(file, fingerprint(setting, "test"))
    return run_bench(chosen, setting, journal, jobs=jobs, stream=io.StringIO())


def numbers(records: list[dict]) -> list[dict]:
    return [{k: v for k, v in r.items() if k not in COSTS} for r in records]


def same(a: list[dict], b: list[dict]) -> bool:
    """Equal up to the last bits, which the number of threads may change."""
    return len(a) == len(b) and all(
        x.keys() == y.keys()
        and all(
            v == y[k] or (isinstance(v, float) and math.isclose(v, y[k], rel_tol=1e-3)) for k, v in x.items()
        )
        for x, y in zip(a, b, strict=True)
    )


def test_two_runs_give_the_same_numbers_in_one_process_or_in_two(bench, judge_file, tmp_path: Path):
    setting = setting_for(bench, judge_file)
    first = run_once(setting, tmp_path / "a.jsonl", 2)
    assert numbers(first) == numbers(run_once(setting, tmp_path / "b.jsonl", 2))
    assert same(numbers(first), numbers(run_once(setting, tmp_path / "c.jsonl", 2, jobs=2)))


def test_every_method_leaves_every_byte_outside_alone(bench, judge_file, tmp_path: Path):
    setting = setting_for(bench, judge_file, *table2_variants(Variant("engine")))
    records = run_once(setting, tmp_path / "r.jsonl", 2) + run_once(
        setting, tmp_path / "t.jsonl", 1, kind="tiny"
    )
    assert [r["outside_changed"] for r in records] == [0] * 9
    assert all(r["gray_emd"] > 0 and r["ssim"] < 1 for r in records)


def test_an_interrupted_run_measures_only_what_is_missing(bench, judge_file, tmp_path: Path):
    file = tmp_path / "r.jsonl"
    setting = setting_for(bench, judge_file)
    first = run_once(setting, file, 2)
    file.write_bytes(file.read_bytes()[:-20])  # killed while writing the second record
    again = run_once(setting, file, 3)
    assert again[0] == first[0]
    assert numbers(again[1:2]) == numbers(first[1:2])
    lines = file.read_text().splitlines()
    assert [json.loads(line)["triplet"] for line in lines[1:]] == [r["triplet"] for r in again]


def test_zero_strength_leaves_the_photograph(bench, judge_file, tmp_path: Path):
    (record,) = run_once(setting_for(bench, judge_file, Variant("none", strength=0)), tmp_path / "r.jsonl", 1)
    assert record["content_distance"] == 0
    assert record["boundary_gradient"] == record["photo_boundary_gradient"]


def test_one_damaged_photograph_does_not_end_the_run(bench, judge_file, tmp_path: Path):
    folder = tmp_path / "bench"
    shutil.copytree(bench[0], folder)
    stem = triplets(folder, list(style_files(bench[1])))[0].stem
    (folder / f"{stem}.jpg").write_bytes(b"gone")
    first, second = run_once(setting_for((folder, bench[1]), judge_file), tmp_path / "r.jsonl", 2)
    assert first["error"] == Code.FILE_UNREADABLE.value
    assert second["gray_emd"] > 0


@pytest.mark.parametrize(
    ("variant", "code"),
    [
        (Variant("x", options={"brush": 1}), Code.UNKNOWN_OPTION),
        (Variant("x", options={"detail": 7}), Code.OPTION_OUT_OF_RANGE),
        (Variant("x", engine="easel"), Code.UNKNOWN_ENGINE),
        (Variant("x", engine="peer:nobody"), Code.UNKNOWN_ENGINE),
    ],
)
def test_what_would_fail_every_time_ends_the_run_at_once(bench, judge_file, tmp_path: Path, variant, code):
    with pytest.raises(ScumbleError) as caught:
        run_once(setting_for(bench, judge_file, variant), tmp_path / "r.jsonl", 2)
    assert caught.value.code is code
    assert caught.value.hint


def test_wins_count_triplets_and_respect_the_direction_of_a_measure():
    def row(triplet: str, variant: str, emd: float, ssim: float) -> dict:
        return {
            "triplet": triplet,
            "variant": variant,
            "gray_emd": emd,
            "ssim": ssim,
            "boundary_colour": math.nan,
        }

    records = [
        row("1", "a", 0.1, 0.9),
        row("1", "b", 0.2, 0.8),
        row("2", "a", 0.3, 0.9),
        row("2", "b", 0.2, 0.7),
    ]
    assert wins(records, "a", "b") == {"gray_emd": 0.5, "ssim": 1.0}


def parse(*words: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    return parser.parse_args([str(w) for w in words])


def common(bench: tuple[Path, Path], judge: Path, output: Path) -> list[object]:
    return [
        "--bench",
        bench[0],
        "--styles",
        bench[1],
        "--judge",
        judge,
        "--long-side",
        48,
        "--jobs",
        1,
        "-o",
        output,
    ]


def test_the_command_writes_report_table_and_sheets(bench, judge_file, tmp_path: Path, capsys):
    words = [*common(bench, judge_file, tmp_path / "r.json"), "--limit", 2, "--markdown", tmp_path / "t.md"]
    words += ["--sheet", tmp_path / "sheet.jpg", "--seams", tmp_path / "seams.png"]
    assert cli.run(parse("table2", *words)) == 0
    report = json.loads((tmp_path / "r.json").read_text())
    assert set(report["summary"]) == {"style-then-mask", "partial-conv", "mask-then-style"}
    assert len(report["records"]) == 6
    text = (tmp_path / "t.md").read_text()
    assert text.strip() in capsys.readouterr().out
    assert "published grey EMD" in text
    sheet = np.array(Image.open(tmp_path / "sheet.jpg"))
    assert sheet.std() > 20
    assert Image.open(tmp_path / "seams.png").width > 5 * 150


def test_the_curve_command_measures_whole_pictures_and_draws(bench, judge_file, tmp_path: Path, capsys):
    words = [*common(bench, judge_file, tmp_path / "r.json"), "--limit", 1, "--plot", tmp_path / "c.svg"]
    assert cli.run(parse("curve", *words, "--sweep", "strength=0,1")) == 0
    text = capsys.readouterr().out
    assert "| strength=0 |" in text
    assert "MicroAST" in text
    assert "strength=1" in (tmp_path / "c.svg").read_text()


def test_the_curve_command_measures_the_pairs_that_it_is_told(bench, judge_file, tmp_path: Path):
    style = sorted(f.name for f in bench[1].iterdir())[0]
    words = [*common(bench, judge_file, tmp_path / "r.json"), "--sweep", "detail=0.5"]
    assert cli.run(parse("curve", *words, "--pair", f"coffee:{style}", "--pair", f"rocket:{style}")) == 0
    records = json.loads((tmp_path / "r.json").read_text())["records"]
    assert [(r["stem"], r["label"], r["style"]) for r in records] == [
        ("coffee", 0, style),
        ("rocket", 0, style),
    ]


@pytest.mark.parametrize(
    ("kind", "pair", "said"),
    [
        ("curve", "coffee", "PHOTOGRAPH:STYLE"),
        ("curve", "coffee:none.png", "none.png"),
        ("curve", "none:a.png", "none.jpg"),
        ("bench", "coffee:a.png", "curve only"),
    ],
)
def test_a_pair_that_is_none_is_refused(
    bench, judge_file, tmp_path: Path, capsys, kind: str, pair: str, said: str
):
    words = [kind, *common(bench, judge_file, tmp_path / "r.json"), "--pair", pair]
    assert cli.main([str(w) for w in words]) == 2
    assert said in capsys.readouterr().err


def test_a_missing_judge_is_said_in_one_sentence_with_a_way_out(bench, tmp_path: Path, capsys):
    words = common(bench, tmp_path / "none.safetensors", tmp_path / "r.json")
    assert cli.main([str(w) for w in words]) == 4
    said = capsys.readouterr().err
    assert "There is no file" in said
    assert "Traceback" not in said


def test_a_misspelt_option_says_how_to_write_it(bench, judge_file, tmp_path: Path, capsys):
    words = [*common(bench, judge_file, tmp_path / "r.json"), "--option", "detail"]
    assert cli.main([str(w) for w in words]) == 2
    assert "NAME=VALUE" in capsys.readouterr().err
