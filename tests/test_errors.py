"""Messages name the nearest thing, and our errors are found inside those of libraries."""

from itertools import pairwise

import pytest

from monai_tumor.errors import (
    PluginError,
    ToolkitError,
    WrongCallError,
    WrongDataError,
    error_chain,
    nearest,
    unknown_name,
    user_error,
)


def chained(*errors: Exception) -> Exception:
    for cause, error in pairwise(errors):
        error.__cause__ = cause
    return errors[-1]


@pytest.mark.parametrize("kind", [WrongCallError, WrongDataError, PluginError])
def test_every_kind_is_one_family_with_exit_code_two(kind: type[ToolkitError]) -> None:
    assert issubclass(kind, ToolkitError)
    assert kind("broken").exit_code == 2
    assert str(kind("broken")) == "broken"


def test_the_nearest_name_is_found_and_a_far_one_is_not() -> None:
    assert nearest("brian", ["brain", "breast"]) == "brain"
    assert nearest("xyz", ["brain", "breast"]) is None


def test_an_unknown_name_says_the_nearest_one() -> None:
    error = unknown_name("data set", "busy", ["busi", "phantom"], "(see the listing)")
    assert isinstance(error, WrongCallError)
    assert str(error) == "unknown data set 'busy'; did you mean 'busi'? (see the listing)"


def test_an_unknown_name_that_is_near_to_none_says_all() -> None:
    assert str(unknown_name("part", "xyz", ["test", "a"])) == "unknown part 'xyz'; known: a, test"
    assert str(unknown_name("part", "xyz", [])) == "unknown part 'xyz'; known: none"


def test_our_error_is_found_inside_those_of_a_library() -> None:
    ours = WrongDataError("a.png is cut off")
    assert user_error(chained(ours, ValueError("worker"), RuntimeError("loader"))) is ours
    assert user_error(ours) is ours


def test_the_outermost_of_our_errors_is_told() -> None:
    outer = WrongCallError("outer")
    assert user_error(chained(WrongDataError("inner"), outer, RuntimeError("library"))) is outer


def test_an_error_of_a_library_alone_is_none_of_ours() -> None:
    assert user_error(chained(KeyError("a"), RuntimeError("b"))) is None


def test_an_error_raised_while_another_was_handled_is_followed_too() -> None:
    try:
        try:
            raise WrongDataError("ours")
        except WrongDataError:
            raise RuntimeError("library")  # noqa: B904 the missing "from" is what is tested
    except RuntimeError as error:
        assert str(user_error(error)) == "ours"


def test_a_chain_that_bites_its_tail_ends() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert list(error_chain(first)) == [first, second]
