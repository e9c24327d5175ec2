"""The tables of a classifier: who is taken for whom, the figures of each class, and every case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from monai_tumor.metrics.diagnosis import SENSITIVITY, SPECIFICITY
from monai_tumor.reporting.markup import Cells, Html, ends, folded, interval_bar, number, percent, table, text
from monai_tumor.wording import count_of
from tumor_mask_classifier.report.content import CalledCase, DiagnosisContent
from tumor_mask_classifier.report.headline import against_words

_BAR = "AUROC from 0 to 1"
_IN_PLACE = "in place"  # not worth a line of a card
_POINT = ("sensitivity", "specificity")


def confusion_table(metrics: Mapping[str, Any]) -> str:
    """Return who is taken for whom, with the share of each row."""
    classes = metrics["classes"]
    rows = [
        (name, *(_cell(count, sum(row), own == place) for own, count in enumerate(row)), str(sum(row)))
        for place, (name, row) in enumerate(zip(classes, metrics["confusion"], strict=True))
    ]
    return table(
        "Confusion matrix: rows are the reference, columns what was called",
        ("Reference", *(f"Called {name}" for name in classes), "All"),
        [("", rows)],
    )


def class_table(metrics: Mapping[str, Any]) -> str:
    """Return sensitivity, specificity and AUROC of each class against all others."""
    kinds = ("sensitivity", "specificity", "auroc")
    rows = [
        (name, f"{one['n']:,}", *(interval_words(one[kind]) for kind in kinds), interval_bar(one["auroc"]))
        for name, one in metrics["per_class"].items()
    ]
    head = ("Class", "Cases", "Sensitivity", "Specificity", "AUROC against the rest", _BAR)
    return table("Each class against all others, with 95\u00a0% intervals", head, [("", rows)])


def against_table(content: DiagnosisContent) -> str:
    """Return how the positive class is told from each other one."""
    rows: list[Cells] = []
    for name in content.opponents:
        one = content.metrics["against"][name]
        at = (one["sensitivity_at_specificity"], one["specificity_at_sensitivity"])
        counted = f"{one['auroc']['n']:,}"
        words = map(interval_words, (one["auroc"], *at))
        rows.append((against_words(content.positive, name), counted, *words, interval_bar(one["auroc"])))
    at_head = (
        f"Sensitivity at {percent(SPECIFICITY)} specificity",
        f"Specificity at {percent(SENSITIVITY)} sensitivity",
    )
    head = ("", "Cases", "AUROC", *at_head, _BAR)
    return table(f"{content.positive.capitalize()} told from the others, with 95\u00a0% intervals", head, [("", rows)])


def answers_table(answers: Mapping[str, Any]) -> str:
    """Return which answers the cases of each class were given; empty where nobody counted."""
    found = answers.get("per_class")
    if not found:
        return ""
    given = list(next(iter(found.values()))["answers"])
    shares = ("wrong", "referred", "covered")
    rows = [
        (name, *(str(one["answers"][answer]) for answer in given), *(interval_words(one[share]) for share in shares))
        for name, one in found.items()
    ]
    head = ("Reference", *(f"Answer {name}" for name in given), "Wrong answer", "Referred", "Groups covered")
    return table("Answers, and how often there is none", head, [("", rows)])


def before_table(content: DiagnosisContent) -> str:
    """Return the figures beside those at the run's own operating point; empty where no other one was given."""
    point, before = content.metrics.get("point"), (content.metrics.get("before") or {}).get("point")
    if not point or not before:
        return ""
    rows = [(name.capitalize(), interval_words(point[name]), interval_words(before[name])) for name in _POINT]
    return table("What another operating point changes", ("", "At this one", "At the run's own"), [("", rows)])


def decision_table(curve: Iterable[Mapping[str, Any]]) -> str:
    """Return the net benefit at each threshold probability."""
    rows = [
        (
            percent(one["threshold"]),
            interval_words(one["net_benefit"]),
            number(one["treat_all"]),
            _more(one["over_all"]),
        )
        for one in curve
    ]
    head = ("Acting from", "Net benefit of the model", "Of acting on all", "Model minus acting on all")
    return folded("Net benefit in figures", table("Net benefit, with 95\u00a0% intervals", head, [("", rows)]))


def all_cases(content: DiagnosisContent) -> str:
    """Return every case with its probabilities, from the worst call to the surest right one, in a fold."""
    classes = content.metrics["classes"]
    head = ["Case", "Label", "Called", *(f"Probability of {name}" for name in classes)]
    head += [name for name, words in _DECIDED if words(content.cases[0])]
    parts = (
        (f"{content.positive.capitalize()}, but called otherwise: the surest first", content.missed),
        (f"Called {content.positive}, but it is not: the surest first", content.false_alarms),
        ("Otherwise called wrong: the surest first", content.otherwise_wrong),
        ("Called right: the least sure first", content.right),
    )
    groups = [(heading, [_case(case) for case in cases]) for heading, cases in parts if cases]
    words = f"All {count_of(len(content.cases), 'case', 'cases')} from the worst call to the best"
    return folded(words, table("All cases", head, groups))


def listed(lines: Sequence[str]) -> str:
    """Return lines as a list; empty without one."""
    return f"<ul>{''.join(f'<li>{text(line)}</li>' for line in lines)}</ul>" if lines else ""


def interval_words(mean: Mapping[str, Any]) -> str:
    """Return a figure with its interval, or why there is none."""
    return number(None) if mean["mean"] is None else f"{number(mean['mean'])} ({ends(mean)})"


def _more(mean: Mapping[str, Any]) -> str:
    return number(None) if mean["mean"] is None else f"{number(mean['mean'], '+')} ({ends(mean)})"


def _cell(count: int, row: int, right: bool) -> Html:
    share = count / row if row else 0.0
    below = f" ({percent(share)})" if row else ""
    return Html(
        f'<span class="taken {"right" if right else "wrong"}" style="--share: {share:.2f}">{count}{below}</span>'
    )


def decided_words(case: CalledCase) -> list[str]:
    """Return what operating points decide of a case, a line each; empty without one."""
    told = [(heading, words(case)) for heading, words in _DECIDED]
    return [f"{heading.lower()}: {words}" for heading, words in told if words not in ("", _IN_PLACE)]


def _case(case: CalledCase) -> Cells:
    decided = (words(case) for _, words in _DECIDED)
    return (case.id, case.label, case.called, *map(number, case.chances.values()), *filter(None, decided))


def _at_point(case: CalledCase) -> str:
    return "" if case.frozen is None else "positive" if case.frozen else "negative"


def _answer(case: CalledCase) -> str:
    return case.answer or ""


def _place(case: CalledCase) -> str:
    return "" if case.far is None else "out of place" if case.far else _IN_PLACE


# Heading and words of what operating points decide, which is known of all cases or of none.
_DECIDED = (("At the operating point", _at_point), ("Answer", _answer), ("Image", _place))
