"""Tables, curves and summaries say what the records say."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest

from scumble.backend.metrics.bench import Variant, summary
from scumble.backend.metrics.curve import (
    Point,
    curve_svg,
    curve_table,
    curve_variants,
    points,
    style_loss_at,
)
from scumble.backend.metrics.tables import (
    METHODS,
    PUBLISHED_TABLE3,
    change,
    floor_table,
    number,
    plain_table,
    table2,
    table2_variants,
    table3,
    table3_variants,
)
from scumble.shared.errors import ScumbleError

BASE = Variant("partial-conv", options={"texture": "0.5"})


def test_table_2_compares_three_methods_with_the_same_options_otherwise():
    found = table2_variants(BASE)
    assert [v.options["method"] for v in found] == list(METHODS)
    assert all(v.options["texture"] == "0.5" for v in found)


def test_table_3_goes_through_all_eight_combinations_from_none_to_all():
    found = table3_variants(BASE)
    switches = [
        tuple(v.options[k] for k in ("feather_before", "expand_during", "feather_decoder")) for v in found
    ]
    assert len(set(switches)) == 8
    assert (found[0].name, switches[0]) == ("none", (False, False, False))
    assert (found[-1].name, switches[-1]) == ("before + during + decoder", (True, True, True))
    assert set(PUBLISHED_TABLE3) <= {v.name for v in found}


def test_table_2_prints_our_changes_and_the_published_ones():
    found = {
        "style-then-mask": {"gray_emd": 0.2, "sliced_emd": 0.2, "style_loss": 8e8, "outside_changed": 0.0},
        "partial-conv": {"gray_emd": 0.1, "sliced_emd": 0.15, "style_loss": 4e8, "outside_changed": 0.0},
    }
    text = table2(found)
    row = next(line for line in text.splitlines() if line.startswith("| partial-conv"))
    assert "0.1000 (−50 %)" in row
    assert "0.0855 (−30 %)" in row
    assert "449 (−41 %)" in row
    assert len({line.count("|") for line in text.splitlines()}) == 1


def test_table_3_leaves_a_dash_where_nothing_was_published():
    names = [v.name for v in table3_variants(BASE)]
    found = {n: {"boundary_gradient": 100.0, "boundary_colour": 20.0} for n in names}
    lines = table3(found).splitlines()
    assert len(lines) == 2 + 8
    assert next(line for line in lines if line.startswith("| before + during |")).endswith("– | – |")
    assert "82.65 (−47 %)" in lines[-1]


def test_the_floor_table_subtracts_the_photographs_own_edge():
    own = {"photo_boundary_gradient": 100.0, "photo_boundary_colour": 20.0}
    found = {
        "none": {"boundary_gradient": 180.0, "boundary_colour": 60.0, **own},
        "all": {"boundary_gradient": 120.0, "boundary_colour": 18.0, **own},
    }
    lines = floor_table(found).splitlines()
    assert lines[2] == "| none | +80.00 | +40.00 |"
    assert lines[3] == "| all | +20.00 (25 % of none's) | −2.00 (−5 % of none's) |"
    assert lines[4] == "| the photograph's own | 100 | 20 |"


def test_plain_tables_show_every_measure_there_is():
    assert "grey EMD ↓" in plain_table({"x": {"gray_emd": 0.25}})
    assert "0.2500" in plain_table({"x": {"gray_emd": 0.25}})


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (math.nan, "–"),
        (0.0, "0"),
        (0.12345, "0.1235"),
        (12.345, "12.35"),
        (7.0, "7"),
        (1.5e9, "1.5e+09"),
    ],
)
def test_numbers_show_the_digits_that_mean_something(value, shown):
    assert number(value) == shown


def test_changes_carry_their_sign():
    assert change(0.5, 1.0) == "−50 %"
    assert change(1.5, 1.0) == "+50 %"
    assert change(1.0, 0.0) == "–"


def test_a_summary_leaves_out_triplets_that_any_variant_failed():
    records = [
        {"triplet": "a", "variant": "x", "gray_emd": 0.1, "seconds": 1.0, "peak_mib": 100.0},
        {"triplet": "a", "variant": "y", "gray_emd": 0.2, "seconds": 1.0, "peak_mib": 100.0},
        {"triplet": "b", "variant": "x", "gray_emd": 0.9, "seconds": 9.0, "peak_mib": 900.0},
        {"triplet": "b", "variant": "y", "error": "out_of_memory", "message": "no"},
    ]
    found = summary(records, ["x", "y"])
    assert found["x"] == {"count": 1, "gray_emd": 0.1, "seconds": 1.0, "peak_mib": 100.0}
    assert found["y"]["gray_emd"] == 0.2


def test_a_summary_takes_means_but_the_median_time_and_the_largest_memory():
    records = [
        {"triplet": str(n), "variant": "x", "ssim": s, "seconds": s, "peak_mib": s, "boundary_colour": b}
        for n, (s, b) in enumerate([(1.0, math.nan), (2.0, 5.0), (6.0, 7.0)])
    ]
    found = summary(records, ["x"])["x"]
    assert (found["ssim"], found["seconds"], found["peak_mib"], found["boundary_colour"]) == (3, 2, 6, 6)


CURVE = [Point("a", 3.0, 0.2), Point("b", 2.0, 0.6), Point("c", 1.0, 1.0)]


def test_the_curve_is_read_between_its_points():
    assert style_loss_at(CURVE, 0.8) == pytest.approx(1.5)
    assert style_loss_at(CURVE, 0.6) == pytest.approx(2.0)
    assert style_loss_at(CURVE, 5.0) == pytest.approx(1.0)
    assert style_loss_at(CURVE, 0.1) is None


def test_the_curve_table_puts_our_loss_beside_each_peer():
    text = curve_table(CURVE, [Point("peer", 1.4, 0.8), Point("timid", 4.0, 0.1)])
    assert "| peer | 1.40 | 0.8000 | 1.50 |" in text
    assert text.splitlines()[-1] == "| timid | 4 | 0.1000 | – |"


def test_the_drawing_is_valid_and_names_every_point():
    root = ET.fromstring(curve_svg(CURVE, [Point("peer", 1.4, 0.8)]))
    texts = {e.text for e in root.iter() if e.tag.endswith("text")}
    assert {"a", "b", "c", "peer"} <= texts


def test_a_sweep_moves_its_controls_together():
    found = curve_variants(BASE, {"detail": (1, 0), "strength": (0, 0.5)})
    assert [v.options["detail"] for v in found] == [1, 0]
    assert [v.strength for v in found] == [0, 0.5]
    assert [v.name for v in found] == ["detail=1 strength=0", "detail=0 strength=0.5"]
    assert all("strength" not in v.options and v.options["texture"] == "0.5" for v in found)


def test_a_sweep_of_unequal_lengths_is_refused():
    with pytest.raises(ScumbleError, match="different numbers"):
        curve_variants(BASE, {"detail": (1, 0), "texture": (0,)})


def test_points_come_only_from_what_was_measured():
    found = {"x": {"relative_style_loss": 1.0, "content_distance": 0.5, "count": 1}, "y": {"count": 0}}
    assert points(found, ["x", "y", "z"]) == [Point("x", 1.0, 0.5)]
