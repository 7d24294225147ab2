"""What the user does with the mouse and keys while GIMP paints: Cancel, two images, saved settings."""

import time

from hands import click, finish, interactive, photo, press, settle, still, until, window, x
from tools import SUCCESS, Gimp, _images, image, layer, scenario, settings_of, stylize
from watching import at_work, large, log, plug_ins

#: "Repeat Last", by the world's shortcuts.
REPEAT = "ctrl+alt+r"
#: The progress bar's Cancel in GIMP's window, at its usual size on this screen: x, and y from below.
CANCEL_X, CANCEL_UP = 987, 17
#: The buttons of the option "Brushwork" in the dialog.
MORE, LESS = (366, 532), (330, 532)


def shown(picture):
    """A display of the image, and GIMP's window with it."""
    picture.clean_all()
    view = Gimp.Display.new(picture)
    Gimp.displays_flush()
    main = window(".*GNU Image Manipulation Program|.*GIMP")
    settle(3)
    return view, main


def hidden(picture, view):
    """Close the display; the image goes with it."""
    _images.remove(picture)
    view.delete()


@scenario
def the_button_beside_the_progress_bar_cancels_the_backend_s_job_too():
    stylize(layer(image()))  # what is repeated
    picture, source = large(2400, 1800)
    view, main = shown(picture)
    cancelled = log().count("cancelled")

    def stop():
        height = int(x("getwindowgeometry", "--shell", main).split("HEIGHT=")[1].split()[0])
        x("mousemove", "--window", main, CANCEL_X, height - CANCEL_UP)
        time.sleep(0.1)
        x("click", 1)

    thread = at_work(stop)
    press(main, REPEAT)
    thread.join()
    assert until(lambda: log().count("cancelled") > cancelled, 30), log()[-500:]
    assert until(lambda: not plug_ins(), 10)
    assert picture.get_layers() == [source], "nothing was changed"
    # The command is still there, and the same image can be painted again.
    picture.select_rectangle(Gimp.ChannelOps.REPLACE, 50, 50, 60, 60)
    press(main, REPEAT)
    assert until(lambda: len(picture.get_layers()) == 2)
    hidden(picture, view)


@scenario
def several_images_are_painted_at_once():
    stylize(layer(image()), strength=0.8, options="last_strokes=few")
    first, _ = large(3000, 2400)  # with these strokes it is still being painted when the second one comes
    first_view, main = shown(first)
    thread = at_work(lambda: None)
    press(main, REPEAT)
    thread.join()
    second, _ = large(1800, 1500)
    second_view, main = shown(second)  # on top now
    done_already = len(first.get_layers()) == 2
    press(main, REPEAT)
    most = 0

    def done():
        nonlocal most
        most = max(most, len(plug_ins()))
        return len(first.get_layers()) == len(second.get_layers()) == 2

    assert until(done, 300), (len(first.get_layers()), len(second.get_layers()))
    assert most == 2 or done_already, "at once"
    for picture, view in ((first, first_view), (second, second_view)):
        made = picture.get_layers()[0]
        kept = settings_of(made)
        assert kept["regions"][0]["strength"] == 0.8
        hidden(picture, view)
    return most


@scenario
def saved_settings_bring_the_engine_s_options_back():
    """By GIMP's own buttons: Save Settings, another value, and in a third call Load Saved Settings.

    A dialog begins with what was used last, whatever the caller gives, so values are changed by clicks.
    """
    picture, source = photo(240, 180)

    def user(button, times, key):
        def act():
            dialog = window("Scumble: stylize")
            still(dialog)
            for _ in range(times):
                click(dialog, *button)
            if key:
                press(dialog, key)
                still(dialog)
            finish(dialog, "alt+y")

        return act

    found = []
    for act in (user(MORE, 2, "alt+s"), user(LESS, 4, ""), user(MORE, 0, "alt+l")):
        values = interactive("stylize", picture, source, act)
        assert values.index(0) == SUCCESS, values.index(0)
        found.append(settings_of(values.index(1)).get("options", {}).get("texture", 0.6))
    saved, other, loaded = found
    assert abs(saved - other - 0.2) < 1e-6 and loaded == saved, found
