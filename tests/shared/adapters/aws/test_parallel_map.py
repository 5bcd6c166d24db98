from __future__ import annotations

import threading

import pytest

from shared.adapters.aws.threads import ThreadedMap


def test_results_come_in_the_order_of_the_items() -> None:
    second_is_done = threading.Event()

    def work(item: int) -> int:
        if item == 1:
            assert second_is_done.wait(timeout=10)
        if item == 2:
            second_is_done.set()
        return item * 10

    assert list(ThreadedMap(2)(work, [1, 2, 3])) == [10, 20, 30]


def test_nothing_to_do_is_nothing() -> None:
    assert list(ThreadedMap(2)(str, [])) == []


def test_one_item_needs_no_thread() -> None:
    parallel_map = ThreadedMap(2)
    assert list(parallel_map(lambda _: threading.get_ident(), ["one"])) == [threading.get_ident()]
    assert not parallel_map._threads._threads


def test_items_run_at_the_same_time_up_to_the_width() -> None:
    together = threading.Barrier(4)
    assert sorted(ThreadedMap(4)(lambda _: together.wait(timeout=10), range(8))) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_threads_are_kept_for_the_next_call() -> None:
    parallel_map = ThreadedMap(2)
    seen = [set(parallel_map(lambda _: threading.get_ident(), range(20))) for _ in range(3)]
    assert len(set().union(*seen)) <= 2


@pytest.mark.parametrize("items", [[1], [0, 1, 2]])
def test_the_first_exception_in_order_is_raised(items: list[int]) -> None:
    def work(item: int) -> int:
        if item:
            raise ValueError(f"item {item}")
        return item

    with pytest.raises(ValueError, match="item 1"):
        list(ThreadedMap(2)(work, items))
