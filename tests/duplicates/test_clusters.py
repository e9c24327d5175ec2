"""Groups that are linked, directly or over others, become one cluster with a readable name."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from monai_tumor.duplicates.clusters import join_groups

GROUPS = [f"case {number}" for number in range(12)]
LINKS = st.lists(st.tuples(st.sampled_from(GROUPS), st.sampled_from(GROUPS)), max_size=20)


def merged(links: list[tuple[str, str]]) -> set[frozenset[str]]:
    """Merge the sets of a link until no set changes."""
    sets = {frozenset([group]) for group in GROUPS}
    for first, second in links:
        touched = {one for one in sets if first in one or second in one}
        sets = sets - touched | {frozenset().union(*touched)}
    return sets


@given(LINKS)
def test_linked_groups_and_only_they_share_a_name(links: list[tuple[str, str]]) -> None:
    names = join_groups(GROUPS, links)
    clusters = {frozenset(group for group in GROUPS if names[group] == name) for name in names.values()}
    assert clusters == merged(links) and list(names) == GROUPS


@given(LINKS, st.randoms(use_true_random=False))
def test_the_order_of_groups_and_links_does_not_matter(links: list[tuple[str, str]], random: object) -> None:
    turned = [(second, first) for first, second in reversed(links)]
    shuffled = sorted(GROUPS, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert join_groups(GROUPS, links) == join_groups(shuffled, turned)


def test_a_cluster_is_named_by_its_first_group_in_natural_order_and_how_many_more() -> None:
    names = join_groups(
        ["benign (10)", "benign (4)", "normal (1)", "malignant (2)"],
        [("benign (10)", "malignant (2)"), ("malignant (2)", "benign (4)")],
    )
    assert names == {
        "benign (10)": "benign (4) +2",
        "benign (4)": "benign (4) +2",
        "normal (1)": "normal (1)",
        "malignant (2)": "benign (4) +2",
    }


def test_a_link_of_a_group_with_itself_changes_nothing() -> None:
    assert join_groups(["a", "a", "b"], [("a", "a")]) == {"a": "a", "b": "b"}
    assert join_groups([], []) == {}


def test_a_long_chain_is_one_cluster() -> None:
    chain = [str(number) for number in range(20_000)]
    for one in (chain, chain[::-1]):
        assert set(join_groups(chain, pairwise(one)).values()) == {"0 +19999"}
