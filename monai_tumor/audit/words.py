"""The result of a check in sentences, the same on the page and in the terminal."""

from __future__ import annotations

from monai_tumor.audit.check import Audit
from monai_tumor.audit.findings import Finding
from monai_tumor.wording import count_of

_TEXT_SHOWN = 80
_EXAMPLES_SHOWN = 3


def counts_sentence(audit: Audit) -> str:
    """Say how much there is."""
    counts = audit.counts
    parts = [
        count_of(counts["images"], "image", "images"),
        f"{count_of(counts['groups'], 'group', 'groups')} (patients, where files name them)",
        count_of(counts["clusters"], "cluster", "clusters"),
        f"{counts['with_lesion']} with a lesion",
        f"{counts['lesion_free']} without",
        f"{counts['no_reference']} without a reference",
    ]
    unreadable = counts["unreadable"]
    return ", ".join(parts) + (f", {unreadable} unreadable" if unreadable else "")


def random_leak_sentence(audit: Audit) -> str:
    """Say what a random split would leak; empty where nothing could be read."""
    if audit.leak is None:
        return ""
    told = audit.leak.content()
    first, spread = told["first_seed"], told["held_out"]
    least = "at least " if any(finding.kind == "no_patients" for finding in audit.findings) else ""
    held_out = count_of(first["of_held_out"], "image", "images")
    share = f"{least}{first['held_out']} of {held_out} held out ({first['held_out_percent']:.0f} %)"
    span = f"{spread['least_percent']:.0f} to {spread['most_percent']:.0f} %"
    return (
        f"Divided at random, image by image (70/20/10, seed 0), {share} show a frame or a patient that is in training too; "
        f"over {told['seeds']} seeds {spread['mean_percent']:.0f} % on average, {span}."
    )


def own_leak_sentence(audit: Audit) -> str:
    """Say what the split of this program leaks."""
    own = audit.own_leak
    if not own["possible"]:
        return f"monai-tumor data split cannot divide them: {own['reason']}."
    aside = f"; {own['quarantine']} that contradict each other are set aside" if own["quarantine"] else ""
    return f"Divided by monai-tumor data split: {own['held_out']} of {own['of_held_out']}{aside}."


def count_words(finding: Finding) -> str:
    """Return such as ``11 pairs``."""
    return count_of(finding.count, finding.unit.removesuffix("s"), finding.unit)


def first_examples(finding: Finding) -> str:
    """Return the cases of the first examples, or else the beginning of what the first one says."""
    named = [" = ".join(example.cases[:2]) for example in finding.examples if example.cases]
    if finding.examples and not finding.examples[0].cases:
        text = finding.examples[0].text
        return text if len(text) <= _TEXT_SHOWN else f"{text[: _TEXT_SHOWN - 3]}..."
    return ", ".join(named[:_EXAMPLES_SHOWN]) + (", ..." if len(named) > _EXAMPLES_SHOWN else "")
