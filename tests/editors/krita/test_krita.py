"""What the real Krita did, judged: pixels, undo, and what the user was told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import minimum_filter

pytestmark = pytest.mark.slow


def test_the_plugin_is_installed_enabled_and_loaded(report: Any) -> None:
    assert "installed" in report.installed and report.found["problem"] == "" and report.found["done"]
    menu = report["the_menu"]
    wanted = {"scumble_stylize", "scumble_cancel", "scumble_preview", "scumble_compare", "scumble_rerun"}
    assert wanted <= set(menu["actions"]) and menu["dockers"] == ["scumble_docker"]
    assert menu["shortcut"] == "Ctrl+Alt+Y" and menu["menu"] == ["Tools", "Scripts"]
    assert "/vendor/" in menu["zmq"] or "no network" in report.installed, menu["zmq"]
    assert menu["failure"] is None and len(menu["names"]) == 2, "the menu entry paints"


def is_blended(alpha: np.ndarray, mask: np.ndarray) -> bool:
    """Whether it is a mask as the engine blends it: softened within 3 pixels of its edges, never wider.

    :param alpha: as stored.
    :param mask: in [0, 1].
    """
    top = 1.0 if alpha.dtype.kind == "f" else np.iinfo(alpha.dtype).max
    unit, inner = alpha.astype(float) / top, minimum_filter(mask, 7, mode="constant")
    return bool((unit <= mask + 0.012).all() and (unit >= inner - 0.012).all())


# -- two regions with two styles ------------------------------------------------------------------------


@pytest.fixture
def two(report: Any) -> Any:
    return report["regions_with_two_styles"]


def masks() -> np.ndarray:
    """The two regions' masks as they were drawn, in [0, 1]; strength is how much style, not alpha."""
    soft, hard = np.zeros((256, 320)), np.zeros((256, 320))
    soft[30:110, 20:120] = np.minimum(255, np.arange(100) * 256 // 100) / 255
    hard[90:190, 180:270] = 1
    return np.maximum(soft, hard)


def test_outside_of_the_regions_nothing_changes_to_the_bit(report: Any, two: Any) -> None:
    before, after = report.pixels(two["picture_before"]), report.pixels(two["picture_after"])
    outside = masks() == 0
    assert outside.sum() > 50_000 and (before[outside] == after[outside]).all()
    layer = report.on_canvas(two["result"], 320, 256)
    assert (layer[outside][:, 3] == 0).all(), "the new layer is transparent there"
    assert (report.pixels(two["source_before"]) == report.pixels(two["source_after"])).all()


def test_inside_the_picture_changes_with_a_style_of_its_own_for_each_region(report: Any, two: Any) -> None:
    before, after = report.pixels(two["picture_before"]), report.pixels(two["picture_after"])
    change = np.abs(after.astype(int) - before.astype(int))[..., :3].mean(axis=2)
    assert change[40:100, 80:118].mean() > 10 and change[95:185, 185:265].mean() > 5
    layer = report.on_canvas(two["result"], 320, 256)[..., :3].astype(float)
    first, second = layer[30:110, 40:120].reshape(-1, 3), layer[90:190, 180:270].reshape(-1, 3)
    assert np.abs(first.mean(0) - second.mean(0)).max() > 3, "two styles"


def test_alpha_is_the_blended_mask(report: Any, two: Any) -> None:
    alpha, mask = report.on_canvas(two["result"], 320, 256)[..., 3], masks()
    assert is_blended(alpha, mask) and not is_blended(alpha, mask * 0.9) and not is_blended(alpha // 2, mask)
    assert np.abs(alpha[40:100, 30:110] / 255 - mask[40:100, 30:110]).max() < 0.012, "to the bit inside"
    assert [r[2:] for r in two["regions"]] == [[1.0, "saved"], [0.5, "saved"]]


def test_one_undo_takes_it_away_and_redo_brings_it_back(report: Any, two: Any) -> None:
    assert two["failure"] is None and len(two["names"]) == 2 and two["steps"] == ["Add Layer"]
    assert two["names_undone"] == ["Background"] and two["undo_undone"] == two["undo_before"]
    before = report.pixels(two["picture_before"])
    assert (report.pixels(two["picture_undone"]) == before).all()
    assert two["names_redone"] == two["names"]
    assert (report.pixels(two["picture_redone"]) == report.pixels(two["picture_after"])).all()
    assert two["compare"] == "before"
    assert (report.pixels(two["picture_hidden"]) == before).all(), "hiding shows the picture as it was"


def test_the_layer_says_what_made_it_and_the_user_keeps_layer_and_selection(two: Any) -> None:
    assert two["names"][1].endswith("Regions (fast)") and ", " in two["names"][1]
    assert two["active"] == "Background" and two["selection"] == [180, 90, 90, 100]
    assert sum(kind.startswith("scumble-settings/") for kind in two["annotations"]) == 1
    assert sum(kind.startswith("scumble-mask/") for kind in two["annotations"]) == 2
    assert two["history"] == [[two["names"][1], True, True]]


def test_running_again_with_the_kept_settings_paints_the_same(report: Any, two: Any) -> None:
    assert two["rerunnable"] and two["rerun_failure"] is None
    assert two["rerun"]["rect"] == two["result"]["rect"]
    assert (report.pixels(two["rerun"]) == report.pixels(two["result"])).all()
    assert two["names_applied"] == two["names_rerun"], "from the history it is put back"


def test_settings_are_saved_with_the_file_and_work_when_it_is_opened_again(two: Any) -> None:
    assert two["loaded"] == [[*r[:3], "saved"] for r in two["regions"]] and two["load_failure"] is None
    assert two["reopened_failure"] is None
    assert len(two["names_reopened"]) == len(two["names_applied"]) + 1


def test_a_group_holds_one_layer_for_each_region_and_is_one_step(report: Any) -> None:
    found = report["a_group_of_layers"]
    group = found["tree"][1]
    assert found["failure"] is None and group[1] == "grouplayer" and len(group[2]) == 2
    assert found["steps"] == ["Add Layer"] and found["names_undone"] == ["Background"]
    assert found["left"] == [], "nothing is left to undo"
    assert found["tree_redone"] == found["tree"]
    for dump, rect in zip(found["layers"], ([10, 10, 80, 80], [120, 120, 80, 80])):
        assert dump["rect"] == rect and is_blended(report.pixels(dump)[..., 3], np.ones((80, 80)))


def test_regions_are_reordered_and_switched_off_and_shown_tinted(report: Any) -> None:
    found = report["the_list_of_regions"]
    assert found["moved"] == [[2, True], [0, True], [1, False]]
    assert found["failure"] is None and found["layers"] == [[130, 130, 40, 40], [10, 10, 40, 40]]
    for place, at in enumerate((5, 35, 65)):
        with Image.open(report.folder / f"thumbnail.{place}.png") as picture:
            rgb = np.asarray(picture.convert("RGBa"))[..., :3].astype(int)
        colourful, inside = np.ptp(rgb, axis=2), np.zeros((96, 96), bool)
        inside[at + 1 : at + 19, at + 1 : at + 19] = True
        outside = ~inside
        outside[at - 1 : at + 21, at - 1 : at + 21] = False
        assert rgb.shape == (96, 96, 3) and colourful[outside].max() <= 2, "grey"
        assert colourful[inside].mean() > 40, "in colour"


# -- kinds of pixels --------------------------------------------------------------------------------------

KINDS = {
    "sixteen_bit": ("RGBA", "U16"),
    "half_float": ("RGBA", "F16"),
    "float_linear": ("RGBA", "F32"),
    "grey": ("GRAYA", "U8"),
    "cmyk": ("CMYKA", "U8"),
    "cmyk_sixteen_bit": ("CMYKA", "U16"),
    "lab": ("LABA", "U16"),
}


@pytest.mark.parametrize("name", KINDS)
def test_documents_of_each_kind_are_painted_in_their_own_kind(report: Any, name: str) -> None:
    found = report[name]
    assert found["failure"] is None and len(found["names"]) == 2
    assert found["steps"] == ["Add Layer"] and found["names_undone"] == ["Background"], "one step"
    assert (found["result"]["model"], found["result"]["depth"]) == KINDS[name]
    assert found["result"]["profile"] == found["source_before"]["profile"]
    before, result = report.pixels(found["source_before"]), report.on_canvas(found["result"], 256, 192)
    assert (before == report.pixels(found["source_after"])).all(), "the source stays as it is"
    top = 1.0 if KINDS[name][1][0] == "F" else np.iinfo(before.dtype).max
    wanted = np.zeros((192, 256))
    wanted[40:136, 40:168] = np.minimum(255, np.arange(128) * 256 // 128) / 255
    assert is_blended(result[..., -1], wanted), "alpha is the soft selection"
    inside = wanted > 0.5
    change = np.abs(result.astype(float) - before.astype(float))[inside][:, :-1] / top
    assert np.isfinite(change).all() and 0.01 < change.mean() < 0.7
    spread = result[inside][:, :-1].astype(float) / top
    assert spread.std() > 0.03 and spread.min() > -0.5 and spread.max() < 1.6


@pytest.mark.parametrize("name", ["cmyk", "cmyk_sixteen_bit", "lab"])
def test_conversions_are_told_and_leave_no_document_open(report: Any, name: str) -> None:
    found = report[name]
    assert "converted" in found["note"] and any("converted" in notice for notice in found["notices"])
    assert found["documents"] == 1


# -- kinds of layers --------------------------------------------------------------------------------------


def test_a_layer_beyond_the_canvas_keeps_its_place(report: Any) -> None:
    found = report["an_offset_layer"]
    assert found["result"]["rect"] == [-30, 100, 100, 80], "selection and layer overlap there"
    assert found["whole"]["rect"] == [-30, 60, 160, 120]
    assert (report.pixels(found["whole"])[..., 3] == 255).all()


def test_hidden_and_locked_layers_are_painted_and_stay_as_they_are(report: Any) -> None:
    found = report["hidden_and_locked_layers"]
    assert found["hidden_failure"] is None and not found["hidden"]["visible"]
    assert any("hidden" in notice for notice in found["hidden"]["notices"])
    assert found["failure"] is None and found["locked"]["locked"] and found["locked"]["same"]
    assert len(found["locked"]["names"]) == 2


@pytest.mark.parametrize(("kind", "rect"), [("group", [20, 20, 120, 120]), ("vector", [20, 20, 80, 80])])
def test_groups_and_vector_layers_are_read_as_they_look(report: Any, kind: str, rect: list[int]) -> None:
    found = report["a_group_a_vector_layer_and_masks"]
    assert kind in found[f"{kind}_note"] and any(kind in n for n in found[kind]["notices"])
    assert found[kind]["failure"] is None and found[kind]["rect"]["rect"] == rect
    assert found[kind]["names"].index(found[kind]["rect"]["name"]) == found[kind]["names"].index(kind) + 1


@pytest.mark.parametrize("kind", ["fill", "file", "clone"])
def test_fill_file_and_clone_layers_are_read_as_they_look(report: Any, kind: str) -> None:
    found = report["other_kinds_of_layers"][kind]
    assert f"{kind} layer is read as it looks" in found["note"] and found["note"] in found["notices"]
    assert found["failure"] is None and found["result"]["rect"] == [30, 30, 60, 50]
    assert found["names"].index(found["result"]["name"]) == found["names"].index(kind) + 1
    assert is_blended(report.pixels(found["result"])[..., 3], np.ones((50, 60)))


def test_a_file_layer_whose_file_is_gone_is_painted_or_says_why(report: Any) -> None:
    found = report["other_kinds_of_layers"]["file_gone"]
    if found["failure"] is not None:
        assert found["failure"][0] in ("empty_selection", "unsupported_format") and found["failure"][2]
    else:
        assert len(found["names"]) == 5


def test_a_part_of_a_very_wide_canvas_is_painted(report: Any) -> None:
    found = report["a_wide_canvas"]
    assert found["failure"] is None and found["result"]["rect"] == [19700, 100, 200, 160]


def test_all_of_a_very_wide_canvas_is_read_while_krita_goes_on_turning(report: Any) -> None:
    found = report["a_wide_canvas"]
    assert found["whole_failure"] is None and found["whole_names"] == ["Background"]
    # 48 MB; at once they would take longer, and a busy machine takes its time for some of them.
    assert found["turns"] >= 5, found


def test_a_canvas_that_is_too_large_is_a_sentence_and_a_hint(report: Any) -> None:
    found = report["a_square_that_is_too_large"]["failure"]
    assert found[0] == "too_large" and "20000 x 20000" in found[1] and "megapixels" in found[2]


# -- picking by clicks --------------------------------------------------------------------------------------


def test_clicks_on_a_small_picture_become_the_selection_in_one_step(report: Any) -> None:
    found = report["picked_by_clicks"]
    assert found["picture"] == [500, 200, 2] and found["picture_rect"] == [0, 0, 1000, 400]
    assert found["colours"][0] == "#c82828", "the disc is red"
    assert found["grabcut"][0] == "grabcut" and found["auto"][0] in ("clicks", "sam")
    assert found["accepted"] and found["inside"] == 255 and found["outside"] == 0
    rect, undo = found["selected"]
    assert np.abs(np.array(rect) - (280, 80, 240, 240)).max() <= 8, "a disc of 240 pixels"
    assert undo != found["before"][1] and found["undone"] == found["before"][0]


def test_masks_are_added_to_the_selection_and_taken_from_it(report: Any) -> None:
    found = report["picked_by_clicks"]
    x, y, width, height = found["added"]
    assert (x + width, y + height) == (950, 350) and x < 300
    assert found["subtracted"] == found["all_undone"] == [900, 300, 50, 50]


def test_a_picked_mask_is_painted_as_a_region(report: Any) -> None:
    found = report["picked_by_clicks"]
    assert found["region"] and found["failure"] is None and len(found["names"]) == 2
    assert found["result"]["rect"] == found["selected"][0]


def test_masks_of_krita_are_regions(report: Any) -> None:
    found = report["a_group_a_vector_layer_and_masks"]
    kinds = {choice[0] for choice in found["choices"]}
    assert {"selection", "everything", "transparency_mask", "layer_alpha"} <= kinds
    assert found["active_mask"] == "transparencymask" and found["mask_layer"] == "Background"
    assert found["masked"]["failure"] is None and found["masked_result"]["rect"] == [30, 40, 60, 50]
    assert found["regions_failure"] is None and found["thumbnail"]
    alpha = report.on_canvas(found["regions_result"], 192, 192)[..., 3]
    first, second = np.zeros(alpha.shape), np.zeros(alpha.shape)
    first[10:50, 10:60] = 1
    second[20:140, 20:140] = 1
    assert is_blended(alpha, np.maximum(first, second)), "a selection mask and the alpha of another layer"


def test_styles_come_from_layers_of_other_documents_and_from_files(report: Any) -> None:
    found = report["styles_from_a_layer_and_a_file"]
    assert found["layer_failure"] is None and found["file_failure"] is None and found["is_layer"]
    assert {document for _, document in found["choices"]} == {"test", "style"}
    assert found["gone"][0] == "file_missing" and "gone.png" in found["gone"][1]
    assert found["closed_style"][0] == "file_missing" and found["closed_style"][2]


# -- preview and animation ----------------------------------------------------------------------------------


def test_the_preview_follows_and_leaves_no_trace(report: Any) -> None:
    found = report["live_preview"]
    assert found["names"] == ["Background", "Scumble preview"] and found["active"] == "Background"
    assert found["first"]["rect"] == [64, 64, 256, 256]
    assert found["moved"]["rect"] == [300, 300, 100, 100] and found["names_moved"] == found["names"]
    assert found["names_gone"] == ["Background"] and found["undo_gone"] == found["undo_before"]
    assert not found["modified_gone"] and found["left"] == []


def test_the_result_takes_the_previews_place_in_one_step(report: Any) -> None:
    found = report["live_preview"]
    assert len(found["names_applied"]) == 2 and "preview" not in found["names_applied"][1]
    assert found["left_applied"] == ["Add Layer"] and found["left_undone"] == []
    assert found["names_undone"] == ["Background"] and found["undo_undone"] == found["undo_before"]
    assert found["by_hand"][:2] == [["Background"], False], "undone by the user, it does not come back"


def test_all_frames_become_one_animated_layer(report: Any) -> None:
    found = report["animation"]
    assert found["frames"] == 3 and found["one"]["failure"] is None and len(found["one"]["names"]) == 2
    assert found["failure"] is None and len(found["names"]) == 2 and found["keys"] == [0, 4, 9]
    assert found["time"] == 4, "the user is where they were"
    assert found["same"], "the source's frames stay as they are"
    assert len(set(found["new"])) == 3 and any("done=2, of=3" in b for b in found["batches"])
    for at in (0, 4, 9):
        frame = np.fromfile(report.folder / f"frame.{at}", np.uint8).reshape(128, 160, 4)
        wanted = np.zeros((128, 160))
        wanted[20:84, 20:116] = 1
        assert is_blended(frame[..., 3], wanted), "nothing of the copied frame is left"
    assert found["frames_steps"] == ["Add Layer"] and found["names_undone"] == ["Background"], "one step"


def test_frames_are_one_entry_of_the_history_and_come_back_together(report: Any) -> None:
    found = report["animation"]
    assert found["history"] == [found["names"][1], True, True]
    assert found["applied"] == [found["names"], None] and found["applied_frames"] == found["new"]


def test_all_frames_of_two_regions_become_a_group_and_are_run_again_as_one(report: Any) -> None:
    found = report["animation"]
    assert found["group_failure"] is None and found["rerun_failure"] is None
    assert found["group_steps"] == ["Add Layer"]
    assert [n[1] for n in found["group"][1][2]] == ["paintlayer"] * 2
    assert found["group_keys"] == [[0, 4, 9]] * 2
    assert len({digest for layer in found["group_frames"] for digest in layer}) == 6
    assert found["rerun_frames"] == found["group_frames"], "the same settings paint the same"


def test_the_preview_lies_above_an_earlier_result(report: Any) -> None:
    found = report["live_preview"]
    assert found["names_over_result"] == [*found["names_applied"], "Scumble preview"]


# -- trouble ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "code", "words"),
    [
        ("no_document", "bad_request", "No document"),
        ("selection_outside", "empty_selection", "no pixels"),
        ("empty_selection", "empty_selection", "selected"),
        ("empty_layer", "empty_selection", "empty"),
    ],
)
def test_bad_input_is_a_sentence_and_a_hint(report: Any, key: str, code: str, words: str) -> None:
    found = report["bad_input"]
    assert found[key] is not None and found[key][0] == code and words in found[key][1] and found[key][2]
    assert found["names"] == ["Background", "empty"], "nothing was made"
    assert found["no_document_problem"] == "No document is open."


def test_a_document_without_a_layer_says_so(report: Any) -> None:
    found = report["bad_input"]
    assert found["no_layer_problem"] and "layer" in found["no_layer_problem"]
    assert found["no_layer"][1] == found["no_layer_problem"] and found["no_layer"][2]
    assert found["names_without"] == []


def test_cancelling_in_the_middle_leaves_nothing(report: Any) -> None:
    found = report["cancelled_midway"]
    assert found["state"] == "cancelled" and found["failure"] is None
    assert found["names"] == ["Background"] and found["undo_after"] == found["undo_before"]


def test_a_backend_killed_in_the_middle_is_started_again_and_finishes(report: Any) -> None:
    found = report["cancelled_midway"]
    assert found["after_kill_failure"] is None and len(found["after_kill_names"]) == 2
    assert found["after_kill_pid"] != found["killed"]


def test_a_document_closed_in_the_middle_cancels_the_job(report: Any) -> None:
    found = report["cancelled_midway"]
    assert "closed" in found["closed_failure"][1] and found["closed_failure"][2]
    assert found["closed_state"] == "cancelled"
    assert "Krita 5" in found["report"] and "1100 x 1100 bgra/u8" in found["report"]
    assert "/home" not in found["report"] and "/tmp" not in found["report"]


def test_a_backend_of_another_version_says_so_and_the_own_one_goes_on(report: Any) -> None:
    found = report["another_backend"]
    assert found["other_version"][0] == "unsupported_protocol" and "99" in found["other_backend"]
    assert found["nonsense"][0] == "bad_request" and "address" in found["nonsense"][1]
    assert found["back"] is None and len(found["names"]) == 2


def test_a_backend_on_another_machine_paints_with_the_address_and_the_key_that_were_entered(
    report: Any,
) -> None:
    found = report["on_another_machine"]
    assert found["painted"][0] is None and len(found["painted"][1]) == 2
    assert report.found["jobs_elsewhere"] >= 1 and not found["started_here"]
    assert "another machine" in found["log"] and any("another machine" in n for n in found["told"])
    assert found["report"] and "192." not in found["report"] and "invalid" not in found["report"]
    assert found["back"] == [None, True], "this machine's own is started again"


def test_uninstalling_after_use_leaves_nothing(report: Any) -> None:
    said, left = report.found["uninstalled"]
    assert "scumble_krita" in said and left == []


def test_krita_paints_while_a_large_job_runs(report: Any) -> None:
    found = report["responsiveness"]
    assert found["failure"] is None and found["beats"] > 20, "the event loop turned all the time"
