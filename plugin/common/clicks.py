"""What an artist has said about the part that is meant, step by step, and what was answered.

No pictures and no connection in here: a dialog turns the present step into a question, and a late answer
to an earlier one is not taken.  Taking a step back shows the earlier answer at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from scumble.shared.messages import MaskBuffer
from scumble.shared.segmenting import MOST_POINTS, FoundMask, Point

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Step:
    """All that was said up to here.

    :param number: another one for each step; an answer belongs to the step of its number.
    :param mode: ``points`` (clicks, a box) or ``subject``.
    :param before: the mask that was shown when it was said; to be improved.
    :param answer: candidates, ``None`` while there is no answer, none of them after a failure.
    :param shown: which candidate the artist looks at.
    :param held: what is in sight while there is no answer.
    """

    number: int = 0
    mode: Literal["points", "subject"] = "points"
    points: tuple[Point, ...] = ()
    box: Box | None = None
    before: MaskBuffer | None = None
    answer: tuple[FoundMask, ...] | None = None
    shown: int = 0
    held: FoundMask | None = None

    @property
    def mask(self) -> FoundMask | None:
        """What to show."""
        return self.answer[self.shown] if self.answer else self.held

    @property
    def empty(self) -> bool:
        """Whether nothing is said."""
        return self.mode == "points" and not self.points and self.box is None


class Clicks:
    """See the module.  Places are pixels of the picture that is clicked on."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._steps: list[Step] = [Step(answer=())]

    @property
    def now(self) -> Step:
        """The present step."""
        return self._steps[-1]

    @property
    def waiting(self) -> bool:
        """Whether the present step has no answer yet."""
        return self.now.answer is None

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return len(self._steps) > 1

    def click(self, x: float, y: float, positive: bool = True) -> Step | None:
        """One more click; ``None`` if there are too many."""
        now = self.now
        if len(now.points) >= MOST_POINTS:
            return None
        points = (*now.points, Point(float(x), float(y), positive))
        return self._say(replace(now, mode="points", points=points, before=_mask(now)))

    def draw_box(self, x0: float, y0: float, x1: float, y1: float) -> Step:
        """A box; it begins anew."""
        (left, right), (top, bottom) = sorted((x0, x1)), sorted((y0, y1))
        return self._say(Step(box=(left, top, right, bottom)))

    def subject(self) -> Step:
        """The picture's subject; it begins anew."""
        return self._say(Step(mode="subject"))

    def clear(self) -> None:
        """Nothing is said any more; that can be taken back, too."""
        if not self.now.empty:
            self._steps.append(Step(next(self._numbers), answer=()))

    def undo(self) -> bool:
        """Take the last step back; whether the one before has to be asked again."""
        if self.can_undo:
            self._steps.pop()
        return self.waiting

    def again(self) -> Step:
        """The same as now, to be asked anew: another method or edge was chosen."""
        now = self.now
        if not now.empty:
            self._steps[-1] = replace(now, number=next(self._numbers), answer=None, shown=0, held=now.mask)
        return self.now

    def take(self, number: int, answer: Sequence[FoundMask]) -> bool:
        """An answer, without masks after a failure; whether it is to the present step."""
        now = self.now
        if now.number != number or now.answer is not None:
            return False
        self._steps[-1] = replace(now, answer=tuple(answer), shown=0)
        return True

    def show(self, index: int) -> None:
        """Look at another candidate; places beyond the ends come round."""
        now = self.now
        if now.answer:
            self._steps[-1] = replace(now, shown=index % len(now.answer))

    def _say(self, step: Step) -> Step:
        held = self.now.mask
        self._steps.append(replace(step, number=next(self._numbers), answer=None, shown=0, held=held))
        return self.now


def _mask(step: Step) -> MaskBuffer | None:
    return step.mask.mask if step.mask is not None else None
