"""Reading and writing picture files."""

from __future__ import annotations

import io
import os
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from scumble.backend.imaging import files, pixels, save
from scumble.backend.imaging.limits import MAX_PIXELS, MAX_SIDE
from scumble.backend.imaging.types import Samples
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import CHANNELS, PixelBuffer, StylizeResult

RGB_ORDER = ["rgb", "rgba", "gray", "graya"]


def noise(layout: str, dtype: str, size: tuple[int, int] = (23, 17)) -> PixelBuffer:
    rng = np.random.default_rng(7)
    shape = (size[1], size[0], CHANNELS[layout])
    if dtype[0] == "u":
        raw: Samples = rng.integers(0, pixels.FULL[dtype] + 1, shape).astype(pixels.NUMPY[dtype])
    else:
        raw = rng.random(shape).astype(pixels.NUMPY[dtype])
    transfer = "srgb" if dtype[0] == "u" else "linear"
    return PixelBuffer(*size, layout, dtype, raw.tobytes(), transfer)  # type: ignore[arg-type]


def refused(path: Path, code: Code) -> ScumbleError:
    with pytest.raises(ScumbleError) as error:
        files.read_picture(path)
    assert error.value.code is code, error.value
    assert re.fullmatch(r"[A-Z].+\.", error.value.message, re.S) and error.value.hint
    assert str(path.parent) not in error.value.message
    return error.value


def png(width: int, height: int, depth: int = 8, kind: int = 2, body: bytes = b"") -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    return start + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("layout", RGB_ORDER)
@pytest.mark.parametrize(
    ("dtype", "ending"),
    [("u8", "png"), ("u16", "png"), ("u8", "tif"), ("u16", "tif"), ("f32", "tif")],
)
def test_what_is_written_is_read_back_with_every_bit(
    tmp_path: Path, layout: str, dtype: str, ending: str
) -> None:
    source = noise(layout, dtype)
    save.write_picture(tmp_path / f"a.{ending}", source)
    back = files.read_picture(tmp_path / f"a.{ending}").pixels
    assert (back.layout, back.dtype, back.transfer) == (layout, dtype, source.transfer)
    assert bytes(back.data) == bytes(source.data)


def test_bgra_is_written_in_the_files_own_order(tmp_path: Path) -> None:
    save.write_picture(tmp_path / "a.png", PixelBuffer(1, 1, "bgra", "u8", bytes([1, 2, 3, 4])))
    assert Image.open(tmp_path / "a.png").getpixel((0, 0)) == (3, 2, 1, 4)


def test_float_becomes_16_bit_srgb_in_a_png_and_half_becomes_single_in_a_tiff(tmp_path: Path) -> None:
    source = PixelBuffer(1, 1, "gray", "f16", np.float16([0.5]).tobytes(), "linear")
    save.write_picture(tmp_path / "a.png", source)
    raw = pixels.samples(files.read_picture(tmp_path / "a.png").pixels)
    assert raw.dtype == np.uint16 and round(raw[0, 0, 0] / 257) == 188
    save.write_picture(tmp_path / "a.tif", source)
    raw = pixels.samples(files.read_picture(tmp_path / "a.tif").pixels)
    assert raw.dtype == np.float32 and raw[0, 0, 0] == 0.5


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "tif16", "png16"])
def test_exif_rotation_is_applied(tmp_path: Path, orientation: int, ending: str) -> None:
    upright = np.zeros((16, 24), np.uint8)
    upright[:8, :12] = 255  # bright at the upper left
    back = {1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1], 5: upright.T}
    back |= {6: np.rot90(upright), 7: upright[::-1, ::-1].T, 8: np.rot90(upright, -1)}
    stored = np.ascontiguousarray(back[orientation])
    path = tmp_path / f"a.{ending[:3]}"
    if ending == "tif16":
        path.write_bytes(_tiff16(stored.astype("<u2") * 257, orientation))
    else:
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(stored).save(path, exif=exif)
        if ending == "png16":
            _deepen(path, stored)
    seen = pixels.decode(files.read_picture(path).pixels)[0][..., 0] > 0.5
    assert seen.shape == (16, 24)
    assert np.array_equal(seen, upright > 0)


def _deepen(path: Path, stored: Samples) -> None:
    """Turn an 8-bit PNG with EXIF into a 16-bit one with the same EXIF."""
    data = path.read_bytes()
    start = data.index(b"eXIf") - 4
    length = struct.unpack(">I", data[start : start + 4])[0] + 12
    deep = cv2.imencode(".png", cv2.merge([stored.astype(np.uint16) * 257] * 3))[1].tobytes()
    path.write_bytes(deep[:33] + data[start : start + length] + deep[33:])


def _tiff16(raw: Samples, orientation: int) -> bytes:
    height, width = raw.shape
    rgb = np.repeat(raw[..., None], 3, axis=2).tobytes()
    tags = [
        (256, width),
        (257, height),
        (258, 16),
        (259, 1),
        (262, 2),
        (273, 8),
        (274, orientation),
        (277, 3),
    ]
    tags += [(278, height), (279, len(rgb)), (284, 1)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + b"\0\0\0\0"
    return b"II*\0" + struct.pack("<I", 8 + len(rgb)) + rgb + directory


@pytest.mark.parametrize(("mode", "layout"), [("1", "gray"), ("P", "rgb"), ("L", "gray"), ("LA", "graya")])
def test_palette_and_one_bit_pictures_become_rgb_and_grey(tmp_path: Path, mode: str, layout: str) -> None:
    picture = Image.new("RGB", (4, 2), (255, 255, 255))
    picture.putpixel((1, 1), (0, 0, 0))
    picture.convert(mode).save(tmp_path / "a.png")
    got = files.read_picture(tmp_path / "a.png").pixels
    rgb, alpha = pixels.decode(got)
    assert got.layout == layout and got.dtype == "u8"
    assert rgb[1, 1].max() == 0 and rgb.sum() == 7 * 3 and alpha.min() == 1


def test_a_transparent_palette_entry_becomes_alpha(tmp_path: Path) -> None:
    picture = Image.new("P", (2, 1), 0)
    picture.putpalette([255, 0, 0, 0, 255, 0])
    picture.putpixel((1, 0), 1)
    picture.save(tmp_path / "a.png", transparency=0)
    raw = pixels.samples(files.read_picture(tmp_path / "a.png").pixels)
    assert raw[0, 0, 3] == 0 and raw[0, 1].tolist() == [0, 255, 0, 255]


def _profile(exponent: float) -> bytes:
    """An RGB profile with sRGB's primaries and a power curve, put together by hand."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    count = struct.unpack(">I", srgb[128:132])[0]
    tags = {}
    for i in range(count):
        name, offset, size = struct.unpack(">4sII", srgb[132 + 12 * i : 144 + 12 * i])
        tags[name] = srgb[offset : offset + size]
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(exponent * 256)) + bytes(2)
    tags |= {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    table, body, place = b"", b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += struct.pack(">4sII", name, place + len(body), len(data))
        body += data
    rest = srgb[4:128] + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(rest) + 4) + rest


def test_an_embedded_profile_is_converted_to_srgb_in_8_bit_pictures(tmp_path: Path) -> None:
    Image.new("RGBA", (3, 2), (128, 128, 128, 77)).save(tmp_path / "a.png", icc_profile=_profile(1.4))
    got = files.read_picture(tmp_path / "a.png")
    raw = pixels.samples(got.pixels)
    expected = 255 * (1.055 * (128 / 255) ** (1.4 / 2.4) - 0.055)
    assert abs(int(raw[0, 0, 0]) - expected) < 2 and raw[0, 0, 3] == 77
    assert got.profile is None and got.pixels.transfer == "srgb"


@pytest.mark.parametrize("dtype", ["u8", "u16"])
def test_a_linear_profile_is_understood_and_kept_without_loss(tmp_path: Path, dtype: str) -> None:
    source = noise("rgb", dtype)
    profile = _profile(1.0)
    save.write_picture(tmp_path / "a.png", source, profile)
    got = files.read_picture(tmp_path / "a.png")
    assert got.pixels.transfer == "linear" and got.profile == profile
    assert bytes(got.pixels.data) == bytes(source.data)


def test_16_bit_pictures_keep_their_values_and_their_profile(tmp_path: Path) -> None:
    source, profile = noise("rgba", "u16"), _profile(1.4)
    for name in ("a.png", "a.tif"):
        save.write_picture(tmp_path / name, source, profile)
        got = files.read_picture(tmp_path / name)
        assert got.profile == profile and bytes(got.pixels.data) == bytes(source.data)


def test_an_srgb_profile_changes_nothing_and_a_broken_one_is_ignored(tmp_path: Path) -> None:
    source = noise("rgb", "u8")
    for profile in (ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), b"no profile at all"):
        save.write_picture(tmp_path / "a.png", source, profile)
        got = files.read_picture(tmp_path / "a.png")
        assert got.profile is None and bytes(got.pixels.data) == bytes(source.data)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path / "nothing.png", Code.FILE_MISSING)
    assert "nothing.png" in error.message


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    refused(tmp_path, Code.FILE_UNREADABLE)


@pytest.mark.parametrize("content", [b"", b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"])
def test_a_file_that_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    assert "not a picture" in refused(tmp_path / "a.png", Code.FILE_UNREADABLE).message


@pytest.mark.parametrize(
    "name", ["a.png", "a16.png", "a.jpg", "a.tif", "a32.tif", "gray16.tif", "ga16.tif", "a.webp"]
)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_cut_off_file_is_refused(tmp_path: Path, name: str, share: float) -> None:
    kinds = {"a16.png": ("rgb", "u16"), "a32.tif": ("rgb", "f32"), "gray16.tif": ("gray", "u16")}
    kinds["ga16.tif"] = ("graya", "u16")
    layout, dtype = kinds.get(name, ("rgb", "u8"))
    save.write_picture(tmp_path / name, noise(layout, dtype, (90, 70)))
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * share)])
    refused(tmp_path / name, Code.FILE_UNREADABLE)


def test_a_cmyk_picture_is_refused_with_what_to_do(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (10, 20, 30, 40)).save(tmp_path / "a.jpg")
    error = refused(tmp_path / "a.jpg", Code.UNSUPPORTED_FORMAT)
    assert "CMYK" in error.message and "Convert it to RGB" in error.hint


def test_a_picture_of_one_pixel_is_read(tmp_path: Path) -> None:
    Image.new("RGB", (1, 1), (9, 8, 7)).save(tmp_path / "a.png")
    assert bytes(files.read_picture(tmp_path / "a.png").pixels.data) == bytes([9, 8, 7])


@pytest.mark.parametrize(
    ("width", "height"),
    [(MAX_SIDE + 1, 1), (1, MAX_SIDE + 1), (MAX_SIDE, MAX_SIDE), (14_000, 14_000), (2**31 - 1, 2**31 - 1)],
)
@pytest.mark.parametrize("depth", [8, 16])
def test_a_picture_that_claims_too_many_pixels_is_refused_before_it_is_unpacked(
    tmp_path: Path, width: int, height: int, depth: int
) -> None:
    (tmp_path / "a.png").write_bytes(png(width, height, depth))
    assert refused(tmp_path / "a.png", Code.TOO_LARGE).hint.startswith("Use at most 30000 pixels")


def test_a_side_of_exactly_30000_pixels_is_read(tmp_path: Path) -> None:
    body = b"".join(b"\0" + bytes([y]) * MAX_SIDE for y in range(2))
    (tmp_path / "a.png").write_bytes(png(MAX_SIDE, 2, kind=0, body=body))
    got = files.read_picture(tmp_path / "a.png").pixels
    assert (got.width, got.height) == (MAX_SIDE, 2) and got.width * got.height < MAX_PIXELS


def test_a_mask_of_another_size_is_refused_with_both_sizes(tmp_path: Path) -> None:
    Image.new("L", (8, 9)).save(tmp_path / "m.png")
    with pytest.raises(ScumbleError) as error:
        files.read_mask(tmp_path / "m.png", (8, 8))
    assert error.value.code is Code.MASK_SIZE
    assert "8 x 9" in error.value.message and "8 x 8" in error.value.message and error.value.hint


def test_masks_keep_soft_values_and_transparent_counts_as_black(tmp_path: Path) -> None:
    Image.fromarray(np.uint8([[0, 100, 255]])).save(tmp_path / "gray.png")
    assert bytes(files.read_mask(tmp_path / "gray.png", (3, 1)).data) == bytes([0, 100, 255])
    rgba = np.uint8([[[100, 100, 100, 255], [255, 255, 255, 128], [255, 255, 255, 0]]])
    Image.fromarray(rgba).save(tmp_path / "rgba.png")
    assert bytes(files.read_mask(tmp_path / "rgba.png").data) == bytes([100, 128, 0])
    deep = np.uint16([[0, 1, 65535]])
    Image.fromarray(deep).save(tmp_path / "deep.png")
    mask = files.read_mask(tmp_path / "deep.png")
    assert mask.dtype == "u16" and bytes(mask.data) == deep.tobytes()


def test_a_huge_style_is_made_small_enough_to_travel(tmp_path: Path) -> None:
    Image.new("RGB", (6000, 4000), (10, 200, 30)).save(tmp_path / "s.png", compress_level=1)
    got = files.read_style(tmp_path / "s.png")
    assert (got.width, got.height) == (4096, 2731)
    assert set(bytes(got.data)) == {10, 200, 30}


@pytest.mark.parametrize("name", ["a.jpg", "a.bmp"])
def test_a_layer_is_not_written_where_transparency_would_be_lost(tmp_path: Path, name: str) -> None:
    with pytest.raises(ScumbleError) as error:
        save.check_target(tmp_path / name, alpha=True)
    assert error.value.code is Code.UNSUPPORTED_FORMAT and ".png" in error.value.hint
    save.check_target(tmp_path / name, alpha=False)
    save.write_picture(tmp_path / name, noise("rgb", "u8"))
    assert Image.open(tmp_path / name).size == (23, 17)


def test_a_missing_folder_is_found_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(ScumbleError) as error:
        save.check_target(tmp_path / "no" / "a.png", alpha=True)
    assert error.value.code is Code.DISK and error.value.hint


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from scumble.backend.imaging import save
from scumble.shared.errors import ScumbleError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    save.write_bytes(Path(sys.argv[1]), b"x" * 100_000)
except ScumbleError as error:
    print(error.code.value, error.message, error.hint, sep="|")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_full_disk_leaves_what_was_there_and_nothing_half_written(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"the picture of yesterday")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(target)], capture_output=True, text=True, timeout=60, check=True
    )
    code, message, hint = done.stdout.strip().split("|")
    assert code == "disk" and message.startswith("The disk is full") and "Free some space" in hint
    assert target.read_bytes() == b"the picture of yesterday"
    assert os.listdir(tmp_path) == ["a.png"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_no_space_left_on_the_device_is_the_same_answer() -> None:
    with pytest.raises(OSError) as raised, open("/dev/full", "wb") as stream:
        stream.write(b"x" * 100_000)
    error = save._disk(Path("a.png"), raised.value)
    assert error.code is Code.DISK and error.message.startswith("The disk is full")


def test_writing_replaces_whole_files_and_follows_links(tmp_path: Path) -> None:
    (tmp_path / "real.png").write_bytes(b"old")
    os.symlink(tmp_path / "real.png", tmp_path / "link.png")
    save.write_bytes(tmp_path / "link.png", b"new")
    assert (tmp_path / "real.png").read_bytes() == b"new" and (tmp_path / "link.png").is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["link.png", "real.png"]


def test_a_layer_placed_on_its_canvas_lies_where_it_was_cut(tmp_path: Path) -> None:
    layer = noise("rgba", "u8", (3, 2))
    whole = pixels.samples(save.place(StylizeResult(layer, (14, 25)), (10, 20), (8, 9)))
    assert np.array_equal(whole[5:7, 4:7], pixels.samples(layer))
    assert np.count_nonzero(whole) == np.count_nonzero(pixels.samples(layer))


def test_files_written_here_are_read_by_other_programs(tmp_path: Path) -> None:
    for layout, dtype in (("rgba", "u16"), ("rgb", "f32"), ("gray", "f32"), ("rgb", "u8")):
        source = noise(layout, dtype)
        save.write_picture(tmp_path / "a.tif", source)
        seen = cv2.imread(str(tmp_path / "a.tif"), cv2.IMREAD_UNCHANGED)
        assert seen is not None
        order = {"rgba": [2, 1, 0, 3], "rgb": [2, 1, 0], "gray": slice(None)}[layout]
        seen = seen.reshape(17, 23, -1)[..., order]
        assert np.array_equal(seen, pixels.samples(source))
    save.write_picture(tmp_path / "a.png", noise("graya", "u16"))
    with Image.open(io.BytesIO((tmp_path / "a.png").read_bytes())) as picture:
        picture.load()
        assert picture.mode in ("LA", "RGBA")
