"""Pieces of work run at once, one thread each, and leave torch's threads as they were."""

from __future__ import annotations

import threading

import pytest
import torch

from scumble.backend.nn import team


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_results_come_in_the_order_of_the_pieces():
    with torch.inference_mode():
        assert team.together([lambda i=i: i * i for i in range(7)]) == [i * i for i in range(7)]


def test_two_pieces_run_at_the_same_time_on_one_thread_each():
    meeting = threading.Barrier(2, timeout=10)  # breaks unless both are there

    def piece() -> int:
        meeting.wait()
        return torch.get_num_threads()

    with torch.inference_mode():
        assert team.together([piece, piece]) == [1, 1]
    assert torch.get_num_threads() == 2


def test_a_new_thread_still_begins_with_all_of_torchs_threads():
    with torch.inference_mode():
        team.together([lambda: 0, lambda: 1])
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert seen == [2]


def test_a_piece_may_have_pieces_of_its_own():
    def outer(i: int) -> list[int]:
        assert team.size() == 1
        return team.together([lambda: i, lambda: i + 1])

    with torch.inference_mode():
        assert team.together([lambda i=i: outer(i) for i in range(4)]) == [[i, i + 1] for i in range(4)]


def test_what_a_piece_raises_is_raised_when_all_have_ended():
    ended = threading.Event()

    def fails() -> None:
        raise KeyError("one")

    with torch.inference_mode(), pytest.raises(KeyError, match="one"):
        team.together([fails, ended.set])
    assert ended.is_set()


@pytest.mark.parametrize("inference", [True, False])
def test_pieces_see_the_callers_inference_mode(inference):
    with torch.inference_mode(inference), torch.no_grad():
        seen = team.together([torch.is_inference_mode_enabled, torch.is_inference_mode_enabled])
    assert seen == [inference, inference]


def test_with_gradients_everything_stays_on_the_callers_thread():
    x = torch.ones(3, requires_grad=True)
    one, two = team.together([lambda: (x * 2).sum(), lambda: (x * 3).sum()])
    (one + two).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [5, 5, 5]


@pytest.mark.parametrize(("length", "count"), [(7, 2), (2, 5), (1, 1), (16, 3)])
def test_shares_cover_everything_once(length, count):
    found = team.shares(length, count)
    assert [i for begin, end in found for i in range(begin, end)] == list(range(length))
    assert len(found) == min(length, count)
