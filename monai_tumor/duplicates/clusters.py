"""Clusters of groups that duplicates connect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monai_tumor.cases import natural_key


def join_groups(groups: Iterable[str], links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join groups that are linked, directly or over others.

    Args:
        groups: All groups.
        links: Pairs of groups that must not be divided.

    Returns:
        Group to the name of its cluster: the group's own name where nothing is linked to it, else the first of the
        joined names in natural order and how many more there are, such as ``"benign (4) +2"``.
    """
    parent = {group: group for group in groups}

    def root(group: str) -> str:
        while parent[group] != group:
            parent[group] = parent[parent[group]]  # halves the way for the next one
            group = parent[group]
        return group

    for first, second in links:
        parent[root(first)] = root(second)
    members: dict[str, list[str]] = {}
    for group in parent:
        members.setdefault(root(group), []).append(group)
    names = {name: _name(joined) for name, joined in members.items()}
    return {group: names[root(group)] for group in parent}


def _name(joined: Sequence[str]) -> str:
    first = min(joined, key=natural_key)
    return first if len(joined) == 1 else f"{first} +{len(joined) - 1}"
