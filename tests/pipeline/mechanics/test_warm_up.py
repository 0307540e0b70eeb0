"""Made ready, the mechanics compile nothing more; and what nobody wants compiled isn't."""

import pytest

from pipeline.mechanics import warm_up
from pipeline.mechanics.bodies.poses import coupling_slopes, follow_couplings
from pipeline.mechanics.kernel_cache import NotStored, n_compiled, nothing_compiled
from pipeline.mechanics.tiny_model import tiny_tree, tiny_values
from pipeline.mechanics.warm_up import load_stored, ready


def test_nothing_more_is_compiled_afterwards() -> None:
    ready()
    before = n_compiled()

    with nothing_compiled():
        coupling_slopes(tiny_tree(), tiny_values()[None])
    ready()

    assert n_compiled() == before
    assert load_stored()


def test_arrays_of_another_kind_are_told_with_the_kernel_s_name() -> None:
    values = tiny_values()[None]
    values.flags.writeable = False  # one more kind of array, for which nothing is compiled beforehand

    with nothing_compiled(), pytest.raises(NotStored, match=r"poses\.follow_couplings\(Tree"):
        follow_couplings(tiny_tree(), values)


def test_what_is_not_stored_is_not_compiled_by_who_only_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise NotStored

    monkeypatch.setattr(warm_up, "_is_ready", False)
    monkeypatch.setattr(warm_up, "ENTRIES", (missing,))

    assert not load_stored()
    assert not warm_up._is_ready
