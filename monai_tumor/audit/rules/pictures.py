"""How the pictures are: sizes, depth, grey levels, modes, channels, and those that show nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from monai_tumor.audit.evidence import Evidence
from monai_tumor.audit.findings import Example, Finding
from monai_tumor.wording import count_of

_COLOURED_ALL_OVER = 0.5  # share of the lit pixels: marks on a grey picture colour far less
_SIZES_LISTED = 40


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Yield what is odd about pictures, then what they are like."""
    yield from _blank(evidence)
    yield from _equal_channels(evidence)
    if evidence.facts:
        yield _sizes(evidence)
        yield _levels(evidence)
        yield from _modes(evidence)


def _blank(evidence: Evidence) -> Iterator[Finding]:
    found = [facts for facts in evidence.facts if facts.fingerprint.blank]
    if marked := [facts for facts in found if facts.lesion]:
        examples = tuple(Example((facts.case.id,), "all pixels are (nearly) equal") for facts in marked)
        yield Finding(
            "blank_with_lesion",
            "error",
            "Blank pictures on which a lesion is marked",
            "Nothing can be seen there, so nobody can have seen a lesion: the picture was lost, or the mask is another's.",
            "Get these pictures again from the source, or leave them out.",
            len(marked),
            examples,
        )
    if found:
        examples = tuple(Example((facts.case.id,), "all pixels are (nearly) equal") for facts in found)
        yield Finding(
            "blank",
            "note",
            "Blank pictures",
            "There is nothing to learn from them, and in a mean they count as easy cases.",
            "Mostly slices above or below the body; leave them out if they are not.",
            len(found),
            examples,
        )


def _equal_channels(evidence: Evidence) -> Iterator[Finding]:
    """Only among pictures that are coloured all over: there a channel means something of its own."""
    if not _coloured_all_over(evidence):
        return
    in_group: dict[str, list[tuple[str, str]]] = {}
    for facts, look in evidence.seen:
        if look.equal and not facts.fingerprint.blank:
            words = "R=G=B" if len(look.equal) > 1 else look.equal[0]
            in_group.setdefault(facts.case.group, []).append((facts.case.id, words))
    examples = tuple(_equal_example(group, cases) for group, cases in in_group.items())
    if examples:
        yield Finding(
            "equal_channels",
            "note",
            "Channels that are equal where others differ",
            "One sequence stands in for another that was not taken, so a channel does not mean the same everywhere.",
            "Say so when you report figures; a network that relies on the missing sequence fails on these.",
            sum(map(len, in_group.values())),
            examples,
        )


def _equal_example(group: str, cases: list[tuple[str, str]]) -> Example:
    kinds = Counter(words for _, words in cases)
    said = ", ".join(f"{words} in {count_of(count, 'image', 'images')}" for words, count in kinds.most_common())
    return Example((cases[len(cases) // 2][0],), f"{group}: {said}", measures=dict(kinds))


def _sizes(evidence: Evidence) -> Finding:
    sizes = Counter(facts.shape for facts in evidence.facts)
    first = {facts.shape: facts.case.id for facts in reversed(evidence.facts)}
    examples = [
        Example(
            (first[size],), f"{size[0]} x {size[1]}: {count_of(count, 'image', 'images')}", measures={"images": count}
        )
        for size, count in sizes.most_common(_SIZES_LISTED)
    ]
    rows, columns = (_span([shape[axis] for shape in sizes]) for axis in (0, 1))
    return Finding(
        "sizes",
        "note",
        "Sizes (rows x columns)",
        "Pictures are scaled and padded to one size, never stretched.",
        "Nothing, unless a size surprises you.",
        len(sizes),
        (Example((), f"{rows} rows, {columns} columns"), *examples),
        "sizes",
    )


def _levels(evidence: Evidence) -> Finding:
    depths = Counter(f"with {facts.depth} bits" for facts in evidence.facts)
    darkest = sorted(evidence.facts, key=lambda facts: facts.levels[1])[:3]
    low, high = (_span([facts.levels[end] for facts in evidence.facts]) for end in (0, 1))
    middle = median(facts.levels[1] for facts in evidence.facts)
    examples = [
        Example((), _listed(depths)),
        Example((), f"smallest level {low}, largest {high} (middle one {middle:g})"),
        *(Example((facts.case.id,), f"levels {facts.levels[0]}..{facts.levels[1]}") for facts in darkest),
    ]
    return Finding(
        "levels",
        "note",
        "Depth and grey levels, as read",
        "A picture whose levels end far below the others was windowed or exported in another way.",
        "Look at the darkest ones.",
        len(evidence.facts),
        tuple(examples),
    )


def _modes(evidence: Evidence) -> Iterator[Finding]:
    looks = evidence.looks.values()
    stored = {
        "image files": Counter(look.mode for look in looks if look.mode),
        "mask files": Counter(mask.mode for look in looks for mask in look.masks if mask.mode),
    }
    if not any(stored.values()):
        return
    coloured = sum(facts.colour for facts in evidence.facts)
    examples = [Example((), f"{what}: {_listed(counts)}") for what, counts in stored.items() if counts]
    examples.append(Example((), f"channels differ in {count_of(coloured, 'image', 'images')}; the others are grey"))
    examples += _tinted(evidence)
    yield Finding(
        "modes",
        "note",
        "How files are stored (1: one bit, L: grey, P: palette, A: alpha)",
        "Some programs read masks of different modes as 0 and 1, others as 0 and 255.",
        "Nothing: the larger of two levels is the lesion, whatever it is.",
        len(set().union(*stored.values())),
        tuple(examples),
        "modes",
    )


def _tinted(evidence: Evidence) -> list[Example]:
    """Return pictures that are not quite grey where most are, and that have no coloured mark: nobody sees a faint tint."""
    found = [
        facts.case.id
        for facts, look in evidence.seen
        if facts.colour and all(mark.kind != "colour" for mark in look.marks)
    ]
    if len(found) > len(evidence.facts) / 2 or _coloured_all_over(evidence):
        return []
    return [Example((name,), "channels differ a little: a tint, or colour too faint to see") for name in found]


def _coloured_all_over(evidence: Evidence) -> bool:
    return any(look.coloured >= _COLOURED_ALL_OVER for look in evidence.looks.values())


def _span(values: Sequence[int]) -> str:
    return str(min(values)) if min(values) == max(values) else f"{min(values)}..{max(values)}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda item: -item[1]))
