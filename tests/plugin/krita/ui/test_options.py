"""Controls made of what an engine describes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fake_port import FakePort, catalogue
from hands import click, key, turn, write
from PyQt5 import QtCore, QtWidgets

from scumble.plugin.common.forms import Form
from scumble.plugin.krita.interface import Part
from scumble.plugin.krita.ui.basics import Section
from scumble.plugin.krita.ui.controls import FormView
from scumble.plugin.krita.ui.valuebar import ValueBar

#: One of each kind, and one from the future.
ODD = {
    "name": "odd",
    "label": "Odd",
    "options": [
        {"name": "open", "label": "Open end", "kind": "float", "default": 2.0, "minimum": 0.0},
        {"name": "rounds", "label": "Rounds", "kind": "int", "default": 3, "minimum": 1, "maximum": 9},
        {"name": "many", "label": "Many", "kind": "int", "default": 5},
        {"name": "sort", "label": "Sort", "kind": "choice", "default": "a", "choices": ["a", "b"]},
        {"name": "words", "label": "Words", "kind": "text", "default": "hello"},
        {"name": "on", "label": "On", "kind": "bool", "default": False, "group": "More"},
        {"name": "curve", "label": "Curve", "kind": "spline", "default": [1, 2]},
    ],
}


class Holder:
    """A form and its view, connected as the docker does it."""

    def __init__(self, data: Any) -> None:
        self.form = Form.parse(data)
        self.view = FormView(self.set, self.reset)
        self.view.show_form(self.form)
        self.view.resize(280, 600)
        self.view.show()
        turn()

    def set(self, name: str, value: Any) -> Any:
        self.form.field(name).set(value)
        return self.form.field(name)

    def reset(self, name: str) -> None:
        self.form.field(name).reset()
        self.view.show_form(self.form)

    def close(self) -> None:
        """Delete the view, which otherwise could be collected as garbage while it is painted."""
        self.view.deleteLater()
        turn()


@pytest.fixture
def hold(app: Any) -> Iterator[Callable[[Any], Holder]]:
    """Makes holders, and closes them in the end."""
    made: list[Holder] = []

    def one(data: Any) -> Holder:
        made.append(Holder(data))
        return made[-1]

    yield one
    for holder in made:
        holder.close()


@pytest.fixture
def odd(hold: Callable[[Any], Holder]) -> Holder:
    return hold(ODD)


def inner(row: Any, kind: Any) -> Any:
    return row.control if isinstance(row.control, kind) else row.control.findChild(kind)


def test_every_option_of_every_real_engine_has_a_control_with_a_tip(hold: Callable[[Any], Holder]) -> None:
    for engine in catalogue()["engines"]:
        holder = hold(engine)
        for field in holder.form.fields:
            row = holder.view.row(field.name)
            assert field.spec.help in row.control.toolTip() and row.control.isEnabled()
            assert row.reset_button.isHidden()
        titles = [s.title for s in holder.view.findChildren(Section)]
        assert [t for t in titles if t != "Advanced"] == [g.name for g in holder.form.groups]


def test_each_kind_of_option_is_entered_in_its_own_way(odd: Holder) -> None:
    row = odd.view.row
    inner(row("open"), QtWidgets.QDoubleSpinBox).setValue(7.5)
    inner(row("rounds"), ValueBar).edit("8")
    key(inner(row("rounds"), QtWidgets.QLineEdit), QtCore.Qt.Key.Key_Return)
    inner(row("many"), QtWidgets.QSpinBox).setValue(-4)
    inner(row("sort"), QtWidgets.QComboBox).setCurrentIndex(1)
    words = inner(row("words"), QtWidgets.QLineEdit)
    words.selectAll()
    write(words, "soft light")
    key(words, QtCore.Qt.Key.Key_Return)
    click(row("on").control, QtCore.QPoint(8, row("on").control.height() // 2))
    expected = {"open": 7.5, "rounds": 8, "many": -4, "sort": "b", "words": "soft light", "on": True}
    assert odd.form.options() == expected
    assert type(odd.form.field("rounds").value) is int


def test_a_reset_is_there_only_when_there_is_something_to_reset(odd: Holder) -> None:
    row = odd.view.row("rounds")
    row.control.edit("8")
    key(row.control.findChild(QtWidgets.QLineEdit), QtCore.Qt.Key.Key_Return)
    assert row.reset_button.isVisible()
    click(row.reset_button)
    assert odd.form.options() == {} and row.control.number == 3 and row.reset_button.isHidden()


def test_what_this_version_does_not_know_is_shown_and_cannot_be_touched(odd: Holder) -> None:
    control = odd.view.row("curve").control
    assert "Curve" in control.text() and not control.isEnabled() and "Update the plugin" in control.toolTip()


def test_a_refused_value_says_why_beside_its_field(odd: Holder) -> None:
    odd.form.field("rounds").set(99)
    odd.view.show_form(odd.form)
    note = odd.view.row("rounds")._note
    assert note.isVisible() and "from 1 to 9" in note.text()
    odd.form.field("rounds").set(2)
    odd.view.show_form(odd.form)
    assert note.isHidden()


def test_widgets_stay_while_only_values_change_and_go_with_another_engine(odd: Holder) -> None:
    before = odd.view.row("rounds")
    odd.form.field("rounds").set(5)
    odd.view.show_form(odd.form)
    assert odd.view.row("rounds") is before and before.control.number == 5
    odd.view.show_form(Form.parse(ODD | {"options": ODD["options"][:1], "name": "other"}))
    turn()
    with pytest.raises(KeyError):
        odd.view.row("rounds")
    odd.view.show_form(None)


def test_an_engine_without_options_shows_none(hold: Callable[[Any], Holder]) -> None:
    assert hold({"name": "plain"}).view.findChildren(ValueBar) == []


def test_changing_an_option_in_the_docker_reaches_the_form_and_the_heading(
    panel: Any, port: FakePort
) -> None:
    panel.engine.opened = True
    turn()
    texture = panel.engine.form.row("texture").control
    before = texture.number
    texture.edit("80")
    key(texture.findChild(QtWidgets.QLineEdit), QtCore.Qt.Key.Key_Return)
    assert port.state.form is not None and port.state.form.options() == {"texture": 0.8}
    assert "changed" in panel.engine._header.note and panel.engine.reset.isEnabled()
    click(panel.engine.reset)
    assert port.state.form.options() == {} and texture.number == before != 0.8
    port.reset_options()


def test_a_region_has_options_of_its_own(panel: Any, port: FakePort) -> None:
    panel.engine.opened = True
    assert panel.engine.own.isHidden()
    port.add_region()
    assert panel.engine.own.isVisible()
    panel.engine.own.opened = True
    turn()
    detail = panel.engine.own_form.row("detail")
    detail.control.edit("10")
    key(detail.control.findChild(QtWidgets.QLineEdit), QtCore.Qt.Key.Key_Return)
    assert port.state.regions[0].options == {"detail": 0.1}
    click(panel.engine.own_reset)
    assert port.state.regions[0].options == {} and detail.control.number == 0.5


def test_an_engine_is_chosen_from_all_that_there_are(panel: Any, port: FakePort) -> None:
    odd = Form.parse(ODD)
    port.become(Part.CATALOGUE, engines=(*port.state.engines, odd))
    panel.engine.opened = True
    turn()
    box = panel.engine.engine
    box.setCurrentIndex(box.count() - 1)
    box.activated.emit(box.count() - 1)
    assert port.state.engine == "odd" and panel.engine.form.row("rounds").control.number == 3
