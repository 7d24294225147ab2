"""The command ``scumble``: what it writes, what it says, how it exits."""

from __future__ import annotations

import json
import os
import pty
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scumble.backend.cli import main
from scumble.backend.cli.app import exit_code
from scumble.backend.cli.style_text import parse_style
from scumble.shared.errors import BAD_INPUT, Code, ScumbleError
from scumble.shared.messages import BlendStyle, BundledStyle, PixelStyle

Scumble = Callable[..., tuple[int, str, str]]


@pytest.fixture
def scumble(tint: Any, capfd: pytest.CaptureFixture[str]) -> Scumble:
    """Run a command in this process: exit code, stdout, stderr."""

    def run(*words: object) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main([str(w) for w in words])
        out, err = capfd.readouterr()
        return code, out, err

    return run


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a picture, masks and styles, as the current one."""
    rng = np.random.default_rng(1)
    Image.fromarray(rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(tmp_path / "photo.png")
    mask = np.zeros((40, 60), np.uint8)
    mask[10:20, 15:35] = 255
    mask[10:20, 15] = 100
    Image.fromarray(mask).save(tmp_path / "left.png")
    Image.fromarray(np.roll(mask, 20, axis=1)).save(tmp_path / "right.png")
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / "red.png")
    Image.new("RGB", (8, 8), (0, 0, 255)).save(tmp_path / "blue.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def quarters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A backend's folders of its own; whatever was started there is stopped."""
    for name in ("RUNTIME", "STATE", "CONFIG"):
        monkeypatch.setenv(f"SCUMBLE_{name}_DIR", str(tmp_path / name.lower()))
    yield tmp_path
    main(["backend", "stop"])


TINT = ("--engine", "test-tint", "--local")


def array(path: Path) -> np.ndarray:
    return np.array(Image.open(path))


def refused(answer: tuple[int, str, str], code: Code, exit: int = 2) -> str:
    """Check that a failure is a sentence with its code and a hint, and no traceback."""
    status, _, err = answer
    assert status == exit, err
    sentence, *hint = err.strip().splitlines()
    assert sentence.startswith("scumble: ") and f"[{code.value}]" in sentence
    assert hint and hint[0].startswith("  ") and "Traceback" not in err
    return err


# -- stylize --------------------------------------------------------------------------------------


def test_a_layer_is_written_at_the_contents_size_and_transparent_outside(
    scumble: Scumble, desk: Path
) -> None:
    args = ("stylize", "photo.png", "--mask", "left.png", "--style", "red.png", *TINT)
    assert scumble(*args, "-o", "layer.png", "--composite", "c.png", "--report", "r.json") == (0, "", "")
    layer, content, done = array(desk / "layer.png"), array(desk / "photo.png"), array(desk / "c.png")
    assert layer.shape == (40, 60, 4)
    assert (layer[10:20, 16:35] == [255, 0, 0, 255]).all() and layer[15, 15, 3] == 100
    layer[10:20, 15:35] = 0
    assert not layer.any()
    assert (done[10:20, 16:35] == [255, 0, 0]).all()
    done[10:20, 15:35] = content[10:20, 15:35]
    assert np.array_equal(done, content)
    report = json.loads((desk / "r.json").read_text())
    assert report["layer"] == {"origin": [15, 10], "size": [20, 10]} and report["canvas"] == [60, 40]
    assert report["engine"] == "test-tint" and report["device"] == "cpu" and report["peak_bytes"] >= 0
    assert report["seconds"]["total"] > 0 and report["client_seconds"]["total"] >= report["seconds"]["total"]


def test_the_box_alone_is_written_when_asked_for(scumble: Scumble, desk: Path) -> None:
    args = ("stylize", "photo.png", "--mask", "left.png", "--style", "red.png", *TINT, "--crop")
    assert scumble(*args, "-o", "layer.png", "--report", "r.json")[0] == 0
    assert array(desk / "layer.png").shape == (10, 20, 4)
    assert json.loads((desk / "r.json").read_text())["layer"]["origin"] == [15, 10]


def test_several_masks_have_their_own_styles_and_strengths(scumble: Scumble, desk: Path) -> None:
    code, _, err = scumble(
        "stylize", "photo.png", "--mask", "left.png", "--style", "red.png", "--strength", "1",
        "--mask", "right.png", "--style", "red.png:1,blue.png:3", "--strength", "0.6", *TINT, "-o", "l.png",
    )  # fmt: skip
    assert code == 0, err
    layer = array(desk / "l.png")
    assert layer[15, 20].tolist() == [255, 0, 0, 255]
    assert layer[15, 50, 3] == 153
    assert Image.open(desk / "l.png").getbbox() == (15, 10, 55, 20)


def test_one_style_serves_all_masks_and_without_a_mask_all_is_painted(scumble: Scumble, desk: Path) -> None:
    args = ("stylize", "photo.png", "--style", "blue.png", *TINT, "-o", "l.png")
    assert scumble(*args, "--mask", "left.png", "--mask", "right.png")[0] == 0
    assert (array(desk / "l.png")[12, 20] == [0, 0, 255, 255]).all()
    assert scumble(*args)[0] == 0
    assert (array(desk / "l.png") == [0, 0, 255, 255]).all()


def test_zero_strength_composites_to_the_content_itself(scumble: Scumble, desk: Path) -> None:
    args = ("stylize", "photo.png", "--style", "red.png", "--strength", "0", *TINT)
    assert scumble(*args, "-o", "l.png", "--composite", "c.png")[0] == 0
    assert np.array_equal(array(desk / "c.png"), array(desk / "photo.png"))


def test_16_bits_in_give_16_bits_out(scumble: Scumble, desk: Path) -> None:
    from scumble.backend.imaging import files, pixels, save
    from scumble.shared.messages import PixelBuffer

    raw = np.random.default_rng(2).integers(0, 65536, (40, 60, 3), dtype=np.uint16)
    save.write_picture(desk / "deep.png", PixelBuffer(60, 40, "rgb", "u16", raw.tobytes()))
    args = ("stylize", "deep.png", "--mask", "left.png", "--style", "red.png", *TINT)
    assert scumble(*args, "-o", "l.png", "--composite", "c.png")[0] == 0
    assert files.read_picture(desk / "l.png").pixels.dtype == "u16"
    done = pixels.samples(files.read_picture(desk / "c.png").pixels).copy()
    assert (done[12, 20] == [65535, 0, 0]).all()
    done[10:20, 15:35] = raw[10:20, 15:35]
    assert np.array_equal(done, raw)


def test_options_reach_the_engine(scumble: Scumble, desk: Path, tint: Any) -> None:
    args = ("stylize", "photo.png", "--style", "red.png", *TINT, "-o", "l.png", "--seed", "5")
    assert scumble(*args, "--option", "amount=0.5", "--option", "margin=2")[0] == 0
    assert tint.jobs[0].options["amount"] == 0.5 and tint.jobs[0].options["margin"] == 2
    assert tint.jobs[0].seed == 5


# -- bad input: exit code 2 -----------------------------------------------------------------------

BASE = ("stylize", "photo.png", "--mask", "left.png", "--style", "red.png", *TINT, "-o", "l.png")


def swapped(old: str, new: str) -> tuple[str, ...]:
    return tuple(new if word == old else word for word in BASE)


@pytest.mark.parametrize("name", ["photo.png", "left.png", "red.png"])
def test_a_missing_file_is_named(scumble: Scumble, desk: Path, name: str) -> None:
    assert "gone.png" in refused(scumble(*swapped(name, "gone.png")), Code.FILE_MISSING)


@pytest.mark.parametrize("name", ["photo.png", "left.png", "red.png"])
def test_a_file_that_is_no_picture_is_refused(scumble: Scumble, desk: Path, name: str) -> None:
    (desk / "text.png").write_text("not pixels")
    refused(scumble(*swapped(name, "text.png")), Code.FILE_UNREADABLE)


def test_a_mask_of_the_wrong_size_is_refused(scumble: Scumble, desk: Path) -> None:
    assert "8 x 8" in refused(scumble(*swapped("left.png", "blue.png")), Code.MASK_SIZE)


def test_an_empty_mask_is_refused(scumble: Scumble, desk: Path) -> None:
    Image.new("L", (60, 40)).save(desk / "black.png")
    refused(scumble(*swapped("left.png", "black.png")), Code.EMPTY_SELECTION)


def test_a_cmyk_picture_is_refused(scumble: Scumble, desk: Path) -> None:
    Image.new("CMYK", (60, 40)).save(desk / "print.jpg")
    assert "RGB" in refused(scumble(*swapped("photo.png", "print.jpg")), Code.UNSUPPORTED_FORMAT)


def test_a_side_of_30001_pixels_is_refused_and_one_pixel_is_painted(scumble: Scumble, desk: Path) -> None:
    Image.new("L", (30_001, 1)).save(desk / "long.png")
    args = ("stylize", "long.png", "--style", "red.png", *TINT, "-o", "l.png")
    refused(scumble(*args), Code.TOO_LARGE)
    Image.new("L", (30_000, 1)).save(desk / "long.png")
    assert scumble(*args)[0] == 0 and Image.open(desk / "l.png").size == (30_000, 1)
    Image.new("RGB", (1, 1)).save(desk / "long.png")
    assert scumble(*args)[0] == 0 and Image.open(desk / "l.png").size == (1, 1)


def test_nan_in_a_float_picture_is_refused(scumble: Scumble, desk: Path) -> None:
    from scumble.backend.imaging import save
    from scumble.shared.messages import PixelBuffer

    raw = np.zeros((40, 60, 3), np.float32)
    raw[15, 20] = np.nan
    save.write_picture(desk / "f.tif", PixelBuffer(60, 40, "rgb", "f32", raw.tobytes(), "linear"))
    assert "NaN" in refused(scumble(*swapped("photo.png", "f.tif")), Code.NOT_FINITE)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--engine", "magic"), Code.UNKNOWN_ENGINE),
        (("--option", "sparkle=1"), Code.UNKNOWN_OPTION),
        (("--option", "amount=2"), Code.OPTION_OUT_OF_RANGE),
        (("--option", "amount=nan"), Code.OPTION_OUT_OF_RANGE),
        (("--option", "amount"), Code.BAD_REQUEST),
        (("--strength", "1.5"), Code.OPTION_OUT_OF_RANGE),
        (("--strength", "nan"), Code.OPTION_OUT_OF_RANGE),
        (("--strength", "1", "--strength", "0"), Code.BAD_REQUEST),
        (("--style", "blue.png"), Code.BAD_REQUEST),
        (("-o", "l.jpg"), Code.UNSUPPORTED_FORMAT),
        (("-o", "l"), Code.UNSUPPORTED_FORMAT),
        (("-o", "photo.png"), Code.BAD_REQUEST),
        (("-o", "red.png"), Code.BAD_REQUEST),
        (("--composite", "l.png"), Code.BAD_REQUEST),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(
    scumble: Scumble, desk: Path, words: tuple[str, ...], code: Code
) -> None:
    before = {f.name: f.read_bytes() for f in desk.iterdir()}
    refused(scumble(*BASE, *words), code)
    assert {f.name: f.read_bytes() for f in desk.iterdir()} == before


def test_an_unknown_style_of_the_gallery_is_refused(scumble: Scumble, desk: Path) -> None:
    assert "no-such-style" in refused(scumble(*swapped("red.png", "no-such-style")), Code.UNKNOWN_STYLE)


def test_a_word_that_is_no_command_exits_with_2(scumble: Scumble) -> None:
    with pytest.raises(SystemExit) as exit:
        scumble("paint")
    assert exit.value.code == 2
    assert scumble()[0] == 2


# -- failures: exit codes 3, 4, 130 ---------------------------------------------------------------


def test_a_folder_that_is_missing_is_found_before_the_job(scumble: Scumble, desk: Path, tint: Any) -> None:
    refused(scumble(*BASE, "-o", "no/l.png"), Code.DISK, 4)
    assert not tint.jobs


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_full_disk_is_a_sentence_and_leaves_nothing_half_written(desk: Path) -> None:
    (desk / "l.png").write_bytes(b"yesterday's")
    before = sorted(os.listdir(desk))
    code = f"""
import resource, sys
sys.path.insert(0, sys.argv[1])
import conftest
from scumble.backend.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))
sys.exit(main({[*BASE]!r}))
"""
    here = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-B", "-c", code, str(here)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "disk is full" in refused((done.returncode, done.stdout, done.stderr), Code.DISK, 4)
    assert (desk / "l.png").read_bytes() == b"yesterday's" and sorted(os.listdir(desk)) == before


def test_a_bug_is_a_sentence_without_a_traceback(scumble: Scumble, desk: Path) -> None:
    refused(scumble(*BASE, "--option", "bug=true"), Code.INTERNAL, 4)


def test_without_a_backend_and_no_way_to_start_one_the_exit_code_is_3(
    scumble: Scumble, desk: Path, quarters: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(quarters / "no-python"))
    refused(scumble(*(w for w in BASE if w != "--local")), Code.NO_BACKEND, 3)
    assert not (desk / "l.png").exists()


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_its_exit_code(code: Code) -> None:
    expected = {Code.CANCELLED: 130, Code.NO_BACKEND: 3, Code.BACKEND_LOST: 3, Code.TIMEOUT: 3}
    expected[Code.UNSUPPORTED_PROTOCOL] = 3
    found = exit_code(ScumbleError(code, "A sentence."))
    assert found == expected.get(code, 2 if code in BAD_INPUT else 4)


INTERRUPTED = """
import os, signal, sys, threading
sys.path.insert(0, sys.argv[1])
import conftest
from scumble.backend.cli import main

run = conftest.Tint.run
def slow(self, job, context):
    threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    return run(self, job, context)
conftest.Tint.run = slow
words = ["stylize", "photo.png", "--style", "red.png", "--engine", "test-tint", "--local", "-o", "l.png"]
sys.exit(main([*words, "--option", "steps=1000000000"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_stops_the_job_and_exits_with_130(desk: Path) -> None:
    here = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(here)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 130, done.stderr
    assert "[cancelled]" in done.stderr and "Traceback" not in done.stderr
    assert not (desk / "l.png").exists()


# -- styles as text -------------------------------------------------------------------------------


def test_a_style_is_a_file_an_id_or_a_blend(desk: Path) -> None:
    assert isinstance(parse_style("red.png"), PixelStyle)
    assert parse_style("oil-sunset") == BundledStyle("oil-sunset")
    blend = parse_style("oil-sunset:0.7, red.png:0.3,ink")
    assert isinstance(blend, BlendStyle)
    assert [w for _, w in blend.parts] == [0.7, 0.3, 1.0]
    assert [type(p) for p, _ in blend.parts] == [BundledStyle, PixelStyle, BundledStyle]


def test_a_file_whose_name_looks_like_a_blend_is_a_file(desk: Path) -> None:
    (desk / "a:0.7,b:0.3").write_bytes((desk / "red.png").read_bytes())
    assert isinstance(parse_style("a:0.7,b:0.3"), PixelStyle)


@pytest.mark.parametrize("text", ["a:0", "a:-1,b:2", "a:nan", "a:inf,b:1", "", "a,,b", ":0.5", "a,b,c,d,e"])
def test_a_blend_that_makes_no_sense_is_refused(desk: Path, text: str) -> None:
    with pytest.raises(ScumbleError) as error:
        parse_style(text)
    assert error.value.code is Code.BAD_REQUEST and error.value.message.endswith(".")


# -- the other commands ---------------------------------------------------------------------------


def test_engines_are_listed_for_people_and_for_programs(scumble: Scumble) -> None:
    code, out, _ = scumble("engines")
    assert code == 0 and "partial-conv" in out and "style_scale" in out
    found = json.loads(scumble("engines", "partial-conv", "--json")[1])
    assert [e["name"] for e in found] == ["partial-conv"]
    assert {"name", "label", "kind", "default", "help", "minimum", "maximum"} <= set(found[0]["options"][0])
    refused(scumble("engines", "magic"), Code.UNKNOWN_ENGINE)


def test_styles_are_listed_with_the_users_own(
    scumble: Scumble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (64, 64), (9, 9, 200)).save(tmp_path / "Blue Note.png")
    monkeypatch.setenv("SCUMBLE_STYLES_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert "blue-note" in scumble("styles")[1]
    own = next(s for s in json.loads(scumble("styles", "--json")[1]) if s["id"] == "blue-note")
    assert own["name"] == "Blue Note" and own["source"] == "user" and own["thumbnail"]


def test_models_are_listed(scumble: Scumble) -> None:
    code, out, _ = scumble("models", "list", "--json")
    assert code == 0 and any(m["id"] == "compact" for m in json.loads(out))


def test_the_version_is_told(scumble: Scumble) -> None:
    assert scumble("--version")[:2] == (0, "scumble 0.1.0\n")


@pytest.mark.parametrize("words", [["--help"], ["stylize", "--help"], ["styles"], ["backend", "status"]])
def test_quick_commands_do_not_import_torch(words: list[str], quarters: Path) -> None:
    code = (
        "import sys\nfrom scumble.backend.cli import main\n"
        "try: main(sys.argv[1:])\nexcept SystemExit: pass\nprint('torch' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60)
    assert done.stdout and done.stderr.strip().endswith("False"), done.stderr


def test_progress_is_drawn_on_a_terminal_and_never_in_a_pipe(desk: Path) -> None:
    here = Path(__file__).resolve().parents[1]
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import conftest\nfrom scumble.backend.cli import main"
    )
    code += f"\nsys.exit(main({list(BASE)!r}))"
    command = [sys.executable, "-c", code, str(here)]
    piped = subprocess.run(command, capture_output=True, timeout=120, check=True)
    assert piped.stdout == piped.stderr == b""
    leader, follower = pty.openpty()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=follower, timeout=120, check=True)
    os.close(follower)
    drawn = os.read(leader, 100_000).decode()
    os.close(leader)
    assert "tint" in drawn and "\r[" in drawn and drawn.endswith("\r\x1b[K")


def test_a_reader_that_stops_reading_is_no_error() -> None:
    command = f"{shlex.quote(sys.executable)} -m scumble.backend engines --json | head -c 10"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.stderr == "" and len(done.stdout) == 10


def test_the_backend_is_started_on_demand_paints_and_is_stopped(
    scumble: Scumble, desk: Path, quarters: Path
) -> None:
    code, out, _ = scumble("backend", "status", "--json")
    assert code == 3 and json.loads(out)["state"] == "stopped"
    refused(scumble("backend", "log"), Code.NO_BACKEND, 3)
    args = ("stylize", "photo.png", "--mask", "left.png", "--style", "red.png", "-o", "l.png")
    code, _, err = scumble(*args, "--report", "r.json", "--composite", "c.png")
    assert code == 0, err
    report = json.loads((desk / "r.json").read_text())
    assert report["local"] is False and report["layer"]["origin"] == [15, 10]
    done, content = array(desk / "c.png").copy(), array(desk / "photo.png")
    assert (done != content).any()
    done[10:20, 15:35] = content[10:20, 15:35]
    assert np.array_equal(done, content)
    refused(scumble(*args, "--option", "sparkle=1"), Code.UNKNOWN_OPTION)
    code, out, _ = scumble("backend", "status", "--json")
    status = json.loads(out)
    assert code == 0 and status["state"] == "ready" and status["pid"] > 0
    assert "ready" in scumble("backend", "log", "-n", "50")[1]
    assert scumble("backend", "stop")[0] == 0
    until = time.monotonic() + 10
    while scumble("backend", "status")[0] == 0 and time.monotonic() < until:
        time.sleep(0.05)
    assert scumble("backend", "status")[0] == 3
