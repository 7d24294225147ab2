"""Array types that the imaging modules share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: float32 samples.
Floats = NDArray[np.float32]
#: Samples as they travel: u8, u16, f16 or f32.
Samples = NDArray[Any]
