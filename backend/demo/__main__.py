"""``python -m scumble.backend.demo --photo FILE --out DIR``: the demonstration, through the real backend."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scumble.shared.errors import Code, ScumbleError

#: What the cup and the table are painted with.
STYLES = ("soft-pastel", "night-swirls")
#: The photograph is small; enlarged it is a layer of the size that people paint on.
SCALE = 1.5
#: Close-ups where two regions meet, and where one meets the photograph.
DETAILS = ((0.10, 0.34, 0.26, 0.28), (0.62, 0.46, 0.26, 0.28))
DOCS_WIDTH = 1280


class Steps:
    """Says what happens and how long it took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """One step, shown when it begins and when it is over."""
        live = sys.stdout.isatty()
        if live:
            print(f"  {what} ...", end="", flush=True)
        began = time.monotonic()
        yield
        self.seconds[what] = time.monotonic() - began
        print(f"{chr(13) if live else ''}  {what:<44} {self.seconds[what]:5.1f} s", flush=True)


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m scumble.backend.demo")
    parser.add_argument("--photo", type=Path, required=True, help="the photograph, 600 x 400")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument(
        "--styles", nargs=2, default=STYLES, metavar="ID", help="for the cup and for the table"
    )
    parser.add_argument("--docs", type=Path, help="also write the overview as a small JPEG here")
    return parser.parse_args(given)


def run(given: argparse.Namespace) -> None:
    """The demonstration.

    :raises ScumbleError: with a sentence and a hint.
    """
    steps = Steps()
    with steps.step("loading"):
        # Here and not above, so that --help and a bad argument do not wait for them.
        import numpy as np
        from PIL import Image

        from scumble.shared import launch
        from scumble.shared.blocking import BlockingClient
        from scumble.shared.messages import BundledStyle, MaskBuffer, PixelBuffer, Region, StylizeRequest

        from ..imaging import save
        from ..imaging.composite import composite
        from ..styles import gallery_index
        from .overview import Story, overview
        from .selections import HEIGHT, WIDTH, selections
    with steps.step("photograph and selections"):
        _folder(given.out)
        photo = _photograph(given.photo, (WIDTH, HEIGHT))
        source = np.asarray(
            photo.resize((round(WIDTH * SCALE), round(HEIGHT * SCALE)), Image.Resampling.LANCZOS)
        )
        height, width = source.shape[:2]
        masks = selections(SCALE)
        styles = [gallery_index.find(id) for id in given.styles]
        regions = tuple(
            Region(MaskBuffer(width, height, mask.tobytes()), BundledStyle(style.id))
            for mask, style in zip(masks, styles, strict=True)
        )
        layer = PixelBuffer(width, height, "rgb", "u8", source.tobytes())
        baseline = StylizeRequest(layer, regions, options={"method": "style-then-mask"})
    with steps.step("starting the backend"):
        launch.start(sys.executable, until_ready=True, timeout_s=60.0)
    with BlockingClient(name="demo", launch=launch.launcher(sys.executable)) as backend:
        with steps.step("painting two regions in two styles"):
            painted = backend.stylize(StylizeRequest(layer, regions))
        with steps.step("the same by style-then-mask, to compare"):
            usual = backend.stylize(baseline)
    with steps.step("writing the pictures"):
        new = save.place(painted, (0, 0), (width, height))
        whole = composite(layer, painted)
        save.write_picture(given.out / "layer.png", new)
        save.write_picture(given.out / "composite.png", whole)

        def picture(pixels: PixelBuffer, channels: int) -> np.ndarray:
            shape = (pixels.height, pixels.width, channels)
            return np.frombuffer(pixels.data, np.uint8).reshape(shape)

        story = Story(
            source=source,
            masks=masks,
            styles=[(style.name, gallery_index.load_style(style)) for style in styles],
            layer=picture(new, 4),
            baseline=picture(composite(layer, usual), 3),
            ours=picture(whole, 3),
            details=DETAILS,
        )
        sheet = Image.fromarray(overview(story))
        sheet.save(given.out / "overview.png", compress_level=4)
        if given.docs:
            _folder(given.docs.parent)
            size = (DOCS_WIDTH, round(sheet.height * DOCS_WIDTH / sheet.width))
            sheet.resize(size, Image.Resampling.LANCZOS).save(given.docs, quality=82, optimize=True)
    written = [given.out / name for name in ("layer.png", "composite.png", "overview.png")]
    for file in [*written, *([given.docs] if given.docs else [])]:
        print(f"  -> {file.resolve()}")


def _folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ScumbleError(
            Code.DISK,
            f"The folder {folder} cannot be made ({error.strerror}).",
            "Choose another one with --out.",
        ) from error


def _photograph(file: Path, size: tuple[int, int]):  # type: ignore[no-untyped-def]
    from PIL import Image

    try:
        photo = Image.open(file).convert("RGB")
    except OSError as error:
        raise ScumbleError(Code.FILE_UNREADABLE, f"The photograph {file.name} cannot be read.") from error
    if photo.size != size:
        raise ScumbleError(
            Code.UNSUPPORTED_FORMAT,
            f"The demo's selections fit its own photograph of {size[0]} x {size[1]} pixels only.",
            "For a picture of your own: scumble stylize PICTURE --mask MASK --style STYLE -o LAYER.png",
        )
    return photo


def main(given: Sequence[str] | None = None) -> int:
    """Run it; returns the exit status.  No traceback reaches a user."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        run(arguments(given))
        return 0
    except ScumbleError as error:
        print(f"\n{error.message}\n  {error.hint}", file=sys.stderr)
        return 4
    except OSError as error:
        print(f"\nA picture could not be written: {error.strerror or error}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
