import threading

import pytest

from local.emulator.turns import FEWEST, Turns, at_once, frames_at_once

REQUEST = {"requestContext": {"http": {"method": "PUT"}}}


def test_of_a_hundred_requests_at_once_a_few_are_worked_on_at_a_time_and_all_of_them_in_the_end() -> None:
    turns, lock, at_work, most, done = Turns(3), threading.Lock(), 0, 0, 0
    full = threading.Event()

    def work() -> None:
        nonlocal at_work, most, done
        with turns.of("rest", REQUEST):
            with lock:
                at_work += 1
                most = max(most, at_work)
                if at_work == 3:
                    full.set()
            full.wait()
            with lock:
                at_work -= 1
                done += 1

    threads = [threading.Thread(target=work) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, done) == (3, 100)


@pytest.mark.parametrize("event", [{"Records": []}, {}, [], None], ids=repr)
def test_what_is_no_request_waits_for_none(event: object) -> None:
    turns = Turns(1)
    with turns.of("rest", REQUEST), turns.of("rest", event), turns.of("rest", event):
        pass


def test_functions_do_not_wait_for_each_other() -> None:
    turns = Turns(1)
    with turns.of("rest", REQUEST), turns.of("message", REQUEST):
        pass


@pytest.mark.parametrize(("processors", "requests"), [(None, FEWEST), (1, FEWEST), (2, 4), (8, 16)])
def test_more_processors_take_more_at_a_time(processors: int | None, requests: int) -> None:
    assert at_once(processors) == requests


@pytest.mark.parametrize(("processors", "frames"), [(None, 2), (1, 2), (2, 2), (8, 8)])
def test_of_frames_as_many_as_there_are_processors(processors: int | None, frames: int) -> None:
    assert frames_at_once(processors) == frames


def test_frames_and_other_requests_of_a_function_do_not_wait_for_each_other() -> None:
    turns = Turns(1, 1)
    with turns.of("message", REQUEST), turns.of("message", {"requestContext": {"eventType": "MESSAGE"}}):
        pass
