import time

import pytest

from warehouse.files.parallel import map_in_order


def test_results_come_in_the_order_of_the_items() -> None:
    def late_first(item: int) -> int:
        time.sleep(0.02 if item == 0 else 0)
        return item * item

    assert list(map_in_order(late_first, range(600))) == [item * item for item in range(600)]


def test_an_error_ends_it() -> None:
    def refuse_three(item: int) -> int:
        if item == 3:
            raise ValueError("three")
        return item

    with pytest.raises(ValueError, match="three"):
        list(map_in_order(refuse_three, range(10)))


def test_nothing_gives_nothing() -> None:
    assert list(map_in_order(str, [])) == []
