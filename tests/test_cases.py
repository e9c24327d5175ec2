"""What a case may be called, and the order of cases."""

from dataclasses import FrozenInstanceError
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monai_tumor.cases import Case, natural_key, ordered_cases
from monai_tumor.errors import WrongDataError


def case(name: str, image: str = "image.png") -> Case:
    return Case(name, "patient 1", image, ())


@pytest.mark.parametrize("name", ["benign (12)", "TCGA_CS_5397/TCGA_CS_5397_3", "0", "a.b-c"])
def test_usual_names_are_taken(name: str) -> None:
    assert case(name).id == name


@pytest.mark.parametrize(
    "name", ["", "a;b", "\udcff", "/root", " blank", "a/../b", "..", "a\\b", "a:b", "böse", "a\nb", "a\n", "a*", "-a"]
)
def test_names_that_are_bad_in_files_get_a_stand_in_and_a_problem(name: str) -> None:
    odd = case(name)
    assert odd.problem.startswith(f"case id {name!r} (image.png) has a character that file names should not have")
    assert odd.id != name and case(odd.id).problem == "" and case(odd.id).id == odd.id


def test_a_stand_in_is_like_the_name_and_no_other_name_has_it() -> None:
    assert case("a;b").id.startswith("a_b (odd name ")
    assert len({case(name).id for name in ("a;b", "a:b", "a_b", "\udcff", "\udcfe", "\\udcff")}) == 6


def test_a_case_that_is_a_group_of_its_own_stays_one() -> None:
    alone, patient = Case("a;b", "a;b", "a;b.png", None), Case("a;b", "patient 1", "a;b.png", None)
    assert alone.group == alone.id == patient.id and patient.group == "patient 1"


def test_an_empty_group_is_refused() -> None:
    with pytest.raises(WrongDataError, match="case 'a' has an empty group; name the patient"):
        Case("a", "", "a.png", None)


def test_an_empty_reference_is_not_a_missing_one() -> None:
    assert Case("a", "g", "a.png", ()) != Case("a", "g", "a.png", None)


def test_a_case_cannot_be_changed_and_can_be_a_key() -> None:
    with pytest.raises(FrozenInstanceError):
        case("a").id = "b"  # type: ignore[misc]
    assert {case("a"): 1}[case("a")] == 1


def test_numbers_sort_as_numbers() -> None:
    assert [found.id for found in ordered_cases(map(case, ["X_10", "X_2", "X_1", "A_30"]))] == [
        "A_30",
        "X_1",
        "X_2",
        "X_10",
    ]


def test_two_cases_with_one_id_are_refused() -> None:
    with pytest.raises(WrongDataError, match=r"the id 'a': (1|2)\.png and (1|2)\.png; rename one"):
        ordered_cases([case("a", "1.png"), case("b"), case("a", "2.png")])


def test_ids_that_differ_in_leading_zeros_stay_in_one_order() -> None:
    assert ordered_cases([case("a1"), case("a01")]) == ordered_cases([case("a01"), case("a1")])


def test_equal_ids_are_found_even_beside_one_with_a_leading_zero() -> None:
    with pytest.raises(WrongDataError, match="two cases have the id 'a1'"):
        ordered_cases([case("a1"), case("a01"), case("a1")])


@given(st.lists(st.text(max_size=6), max_size=6), st.randoms(use_true_random=False))
@example(texts=["1\u00b2", "1", "\u00b2"], random=Random(0))  # a raised two is a digit to str.isdigit, not to int
def test_any_texts_have_one_order(texts: list[str], random: Random) -> None:
    shuffled = random.sample(texts, len(texts))
    assert sorted(shuffled, key=natural_key) == sorted(texts, key=natural_key)


@given(st.text("aB ", max_size=4), st.integers(0, 99), st.integers(0, 99), st.text("aB ", max_size=2))
def test_numbers_decide_between_equal_texts(before: str, first: int, second: int, after: str) -> None:
    keys = [natural_key(f"{before}{number}{after}") for number in (first, second)]
    assert (keys[0] < keys[1], keys[0] == keys[1]) == (first < second, first == second)


@pytest.mark.parametrize("name", ["a//b", "a/./b", "a/b/", "x" * 300, "a/" + "y" * 250])
def test_an_id_that_is_no_file_name_of_its_own_is_a_problem(name):
    case = Case(id=name, group="g", image="a.png", masks=())
    assert "or is too long" in case.problem and len(case.id) < 150


def test_ids_with_folders_and_dots_are_fine():
    assert Case(id="a/b.c (1)/d_e-f", group="g", image="a.png", masks=()).problem == ""
