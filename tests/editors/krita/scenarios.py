"""Runs inside Krita: one function for each scenario, which fills its part of the report.

Scenarios do not judge; the tests do, outside, where there is numpy.  One that raises says so in its part,
and the next one begins.
"""

import os
import time
import traceback

import large_scenes
import layer_scenes
import living_scenes
import painting_scenes
import picking_scenes
import trouble_scenes
import window_scenes
from inside import APPLICATION, CONTROLLER, STYLES, ready, shut

from scumble.plugin.common.sources import GalleryStyle

SCENARIOS = [
    painting_scenes.regions_with_two_styles,
    painting_scenes.a_group_of_layers,
    painting_scenes.the_list_of_regions,
    painting_scenes.sixteen_bit,
    painting_scenes.half_float,
    painting_scenes.float_linear,
    painting_scenes.grey,
    painting_scenes.cmyk,
    painting_scenes.cmyk_sixteen_bit,
    painting_scenes.lab,
    layer_scenes.an_offset_layer,
    layer_scenes.hidden_and_locked_layers,
    layer_scenes.a_group_a_vector_layer_and_masks,
    layer_scenes.styles_from_a_layer_and_a_file,
    large_scenes.other_kinds_of_layers,
    large_scenes.a_wide_canvas,
    large_scenes.a_square_that_is_too_large,
    picking_scenes.picked_by_clicks,
    window_scenes.by_hand,
    living_scenes.live_preview,
    living_scenes.animation,
    living_scenes.the_menu,
    living_scenes.responsiveness,
    trouble_scenes.bad_input,
    trouble_scenes.cancelled_midway,
    trouble_scenes.another_backend,
    trouble_scenes.on_another_machine,
]


def main(report):
    report["version"] = APPLICATION.version()
    began = time.monotonic()
    CONTROLLER.set_shown(True)
    yield ready
    report["ready_s"] = time.monotonic() - began
    STYLES.extend(GalleryStyle(card.id) for card in CONTROLLER.state.styles)
    wanted = [name for name in os.environ.get("SCUMBLE_SCENARIOS", "").split(",") if name]
    for scenario in SCENARIOS:
        if wanted and scenario.__name__ not in wanted:
            continue
        found = report[scenario.__name__] = {}
        began = time.monotonic()
        try:
            yield from scenario(found)
        except Exception:
            found["raised"] = traceback.format_exc()
            CONTROLLER.cancel()
            for document in APPLICATION.documents():
                shut(document)
            yield 300
        found["took_s"] = time.monotonic() - began
