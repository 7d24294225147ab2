"""From a backend's stages to one bar and a time left that does not jump.

A backend reports stage by stage and does not know how long the next one takes.  The bar gives each stage
the share it takes of a whole 1024 px layer on a CPU; an unknown one gets half of what is left.  The bar
never goes back within a job.
"""

from __future__ import annotations

import math

#: Where the known stages begin and end on the bar.
_SHARES = {"read": (0.0, 0.02), "encode": (0.02, 0.35), "paint": (0.35, 0.98), "write": (0.98, 1.0)}
#: What the stages are called.
_LABELS = {
    "starting": "Starting",
    "read": "Reading the layer",
    "encode": "Looking at the layer",
    "paint": "Painting",
    "write": "Finishing",
    "download": "Downloading",
    "verify": "Checking",
    "convert": "Converting",
    "copy": "Copying",
}
#: Before that nothing is known: seconds, and share of the bar.
_EARLIEST_S, _LEAST = 0.5, 0.02
#: Seconds after which a new estimate has replaced 63 % of the old one.
_SMOOTHING_S = 2.0


def stage_label(stage: str) -> str:
    """What to call a stage; one that is not known by its own name."""
    return _LABELS.get(stage, stage.replace("_", " ").strip().capitalize()[:60])


class Progress:
    """The progress of one run of one job; times are seconds of any steady clock."""

    def __init__(self) -> None:
        self.stage = ""
        self.fraction = 0.0
        self._share = (0.0, 0.0)
        self._began = math.nan
        self._at = math.nan
        self._left = math.nan

    def update(self, stage: str, done: int, of: int, eta_s: float | None, now: float) -> None:
        """Take a report: ``done`` of ``of`` steps of a stage (0 of 0 where the backend cannot tell)."""
        if math.isnan(self._began):
            self._began = now
        if stage != self.stage:
            self.stage = stage
            low, high = _SHARES.get(stage, (self.fraction, self.fraction + (0.97 - self.fraction) / 2))
            self._share = (max(low, self.fraction), max(high, self.fraction))
        low, high = self._share
        part = min(max(done / of, 0.0), 1.0) if of > 0 else 0.0
        self.fraction = max(self.fraction, low + (high - low) * part)
        self._estimate(eta_s, now)

    def _estimate(self, eta_s: float | None, now: float) -> None:
        elapsed = now - self._began
        if elapsed < _EARLIEST_S or self.fraction < _LEAST:
            return
        left = elapsed * (1.0 - self.fraction) / self.fraction
        if eta_s is not None and math.isfinite(eta_s) and eta_s >= 0:
            # Of this stage alone, and measured: the whole cannot take less.
            left = max(left, eta_s)
        if math.isnan(self._left):
            self._left = left
        else:
            expected = self._left - (now - self._at)
            weight = 1.0 - math.exp(-max(now - self._at, 0.0) / _SMOOTHING_S)
            self._left = expected + (left - expected) * weight
        self._at = now

    def left(self, now: float) -> float | None:
        """Seconds left, counting down between reports; ``None`` while nothing is known."""
        if math.isnan(self._left):
            return None
        return max(0.0, self._left - (now - self._at))


def time_left_text(seconds: float) -> str:
    """The time left in steps that the eye does not trip over."""
    if seconds < 1.5:
        return "about a second left"
    if seconds < 10:
        return f"about {round(seconds)} s left"
    if seconds < 57.5:
        return f"about {5 * round(seconds / 5)} s left"
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"about {minutes} min left"
    hours, minutes = divmod(minutes, 60)
    return f"about {hours} h {minutes} min left" if minutes else f"about {hours} h left"
