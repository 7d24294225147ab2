"""How the bundled weights are made: ``python -m scumble.backend.training STAGE ...``.

    python -m scumble.backend.training all --photos DIR --paintings DIR --out WORKDIR

runs the stages one after the other: ``distill`` (the encoder, from Oxford VGG-16), ``decoder``,
``transform`` (the learned linear transform) and ``bundle`` (half precision, metadata, pinned hash).
Each starts from what the one before left in ``--out``; one that was stopped goes on where it was, with the
same result.  ``--device`` and ``--precision half`` say where and how the networks compute.  VGG-16 comes
from the catalogue (`scumble models fetch vgg16-oxford`) or from ``--teacher``.  ``narrow --start
WIDE.safetensors`` makes a narrower decoder out of a wider one, for ``decoder --start`` to go on with.
``clicks --masks DIR --out FILE`` trains the network that finds selections; see ``clicks --help``.
``nnst-decoder --photos DIR --paintings DIR --out WORKDIR`` trains the decoder of engine ``nnst``; see
``nnst-decoder --help``; ``nnst-witness`` with the same folders what tells it how VGG-16 would see a picture.
``full --photos DIR --paintings DIR --out WORKDIR`` trains the decoder of ``model=full``; see ``full
--help``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from scumble.backend.models import bundled, catalogue

from .decoder import Recipe, part_of, train_decoder
from .distill import distill
from .narrow import narrow_decoder
from .running import PRECISIONS, device_of
from .transform import train_transform

IN_ORDER = ("distill", "decoder", "transform", "bundle")
STAGES = (*IN_ORDER, "all", "narrow")
STEPS = {"distill": 4000, "decoder": 7000, "transform": 1500, "narrow": 1200}


def _teacher(args: argparse.Namespace) -> Path:
    return args.teacher or catalogue.require("vgg16-oxford")


def _distill(args: argparse.Namespace, steps: int) -> None:
    target = args.out / "encoder.safetensors"
    distill(
        args.photos,
        args.paintings,
        _teacher(args),
        target,
        steps=steps,
        seed=args.seed,
        start=args.start,
        pool=args.pool or 2400,
        save_every=args.save_every,
        device=device_of(args.device),
        half=args.precision == "half",
    )


def _decoder(args: argparse.Namespace, steps: int) -> None:
    recipe = Recipe(
        steps,
        args.seed,
        args.size,
        args.batch,
        args.pool or 800,
        args.rate,
        save_every=args.save_every,
        device=str(device_of(args.device)),
        half=args.precision == "half",
    )
    encoder, target = args.out / "encoder.safetensors", args.out / "decoder.safetensors"
    train_decoder(args.photos, args.paintings, encoder, _teacher(args), target, recipe, start=args.start)


def _narrow(args: argparse.Namespace, steps: int) -> None:
    target = args.out / "narrow.safetensors"
    pool = args.pool or 200
    narrow_decoder(
        args.photos,
        args.paintings,
        args.start,
        target,
        steps=steps,
        seed=args.seed,
        size=args.size,
        pool=pool,
        save_every=args.save_every,
        device=device_of(args.device),
        half=args.precision == "half",
    )


def _transform(args: argparse.Namespace, steps: int) -> None:
    source, target = args.out / "decoder.safetensors", args.out / "complete.safetensors"
    device = device_of(args.device)
    train_transform(
        args.photos,
        args.paintings,
        source,
        target,
        steps=steps,
        seed=args.seed,
        save_every=args.save_every,
        device=device,
    )


def _bundle(args: argparse.Namespace, steps: int) -> None:
    trained = load_file(args.out / "complete.safetensors")
    if args.average is not None:
        # Of two points of one descent the mean often lies lower than either (Izmailov et al. 2018).
        for name, other in part_of(load_file(args.average), "decoder.").items():
            trained[f"decoder.{name}"] = trained[f"decoder.{name}"].float().lerp(other, args.share)
    tensors = {k: v.half().contiguous() for k, v in trained.items()}
    half = args.out / "compact.safetensors"
    save_file(tensors, half, metadata={"name": "compact", "licence": "MIT", "seed": str(args.seed)})
    if args.install:
        folder = bundled.weights_folder()
        shutil.copyfile(half, folder / half.name)
        print(json.dumps(bundled.pin(folder), indent=1))


def main(argv: list[str] | None = None) -> int:
    """Run one stage or all of them."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["clicks"]:  # another network, of other pictures, with options of its own
        from . import clicks

        return clicks.main(words[1:])
    if words[:1] == ["nnst-decoder"]:
        from . import nnst

        return nnst.main(words[1:])
    if words[:1] == ["nnst-witness"]:
        from . import nnst_witness

        return nnst_witness.main(words[1:])
    if words[:1] == ["full"]:
        from . import full

        return full.main(words[1:])
    parser = argparse.ArgumentParser(
        prog="python -m scumble.backend.training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--photos", type=Path, help="folder of photographs")
    parser.add_argument("--paintings", type=Path, help="folder of paintings")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints, curves and sheets")
    parser.add_argument("--teacher", type=Path, help="VGG-16's safetensors file; default: the catalogue's")
    parser.add_argument("--start", type=Path, help="weights to start from instead of random ones")
    parser.add_argument("--steps", type=int, help="of this stage; with `all`, of each stage")
    parser.add_argument("--size", type=int, default=160, help="side of the decoder's crops, in pixels")
    parser.add_argument("--batch", type=int, default=4, help="pairs in one step of the decoder")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="the decoder's learning rate at first")
    parser.add_argument("--pool", type=int, help="crops VGG-16 looks at beforehand (2400 and 800)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as torch takes by itself")
    parser.add_argument("--device", default="auto", help="cpu or cuda; by default a GPU where there is one")
    parser.add_argument(
        "--precision", choices=PRECISIONS, default="single", help="half: networks in bfloat16"
    )
    parser.add_argument("--save-every", type=int, default=200, help="steps between checkpoints")
    parser.add_argument("--average", type=Path, help="bundle: the mean with this file's decoder")
    parser.add_argument("--share", type=float, default=0.5, help="bundle: that file's share of the mean")
    parser.add_argument("--install", action="store_true", help="bundle: replace the package's own weights")
    args = parser.parse_args(argv)
    chosen = IN_ORDER if args.stage == "all" else (args.stage,)
    if args.stage == "narrow" and not args.start:
        parser.error("--start is needed for this stage: the wider decoder's weights")
    if set(chosen) != {"bundle"} and not (args.photos and args.paintings):
        parser.error("--photos and --paintings are needed for this stage")
    if args.threads:
        torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    run: dict[str, Callable[[argparse.Namespace, int], None]] = {
        "distill": _distill,
        "decoder": _decoder,
        "transform": _transform,
        "bundle": _bundle,
        "narrow": _narrow,
    }
    for stage in chosen:
        run[stage](args, args.steps or STEPS.get(stage, 0))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
