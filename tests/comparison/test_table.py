"""The tables as they are pasted into a page."""

from monai_tumor.comparison.table import markdown

SETTINGS = {
    "bundle": "breast",
    "dataset": "busi",
    "minutes": 8.0,
    "epochs": None,
    "folds": 5,
    "seed": 0,
    "split": "ab" * 32,
}


def mean(value: float | None, low: float | None = None, high: float | None = None, n: int = 40) -> dict:
    return {"mean": value, "low": low, "high": high, "n": n, "groups": 31}


def figures(**changes: object) -> dict:
    values = {name: mean(0.5) for name in ("dice", "iou", "precision", "recall", "hd95_px")}
    costs = {"parameters": 1234567, "minutes": 8.04, "epochs": 13.5, "peak_memory_mib": 801.6, "cpu_share": 0.874}
    counts = {"lesion_cases": 40, "missed": 2, "lesion_free_cases": 0, "with_false_positive": 0}
    return {"folds": [0, 1], **values, **costs, **counts, "difference": None, "cpu_ms_per_image": 21.04, **changes}


def cells(page: str, row: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.split("|")[2:-1]] for line in page.splitlines() if line.startswith(f"| {row} ")
    ]


def page_of(**methods: dict) -> str:
    return markdown({"settings": SETTINGS, "methods": methods, "failed": [], "threads": 2, "trained_on": [{}]})


def test_what_changed_between_trainings_is_said() -> None:
    content = {"settings": SETTINGS, "methods": {"unet": figures()}, "failed": [], "threads": 1}
    assert "Versions or hardware changed" in markdown({**content, "trained_on": [{"versions": 1}, {"versions": 2}]})
    page = markdown({**content, "trained_on": [{"versions": 1}]})
    assert "Versions or hardware" not in page and "precision of the bundle, 1 thread." in page


def test_the_title_says_what_was_compared_and_how_far_it_is() -> None:
    assert page_of(unet=figures()).startswith("# breast on busi: 8 minutes each, 2 of 5 folds\n\n| method")


def test_each_method_has_a_row_of_figures_and_a_row_of_costs() -> None:
    better = figures(dice=mean(0.8123, 0.79, 0.83), hd95_px=mean(12.34), difference=mean(0.02, -0.01, 0.05))
    page = page_of(unet=figures(), other=better)
    agreement, cost = cells(page, "other")
    assert agreement == [
        *["40 (31)", "0.812 [0.790, 0.830]", "+0.020 [-0.010, +0.050]"],
        *["0.500", "0.500", "0.500", "12.3", "2 of 40"],
    ]
    assert cost == ["1,234,567", "21.0", "8.0", "13.5", "802", "87%"]
    assert cells(page, "unet")[0][2] == "-"


def test_fewer_cases_than_the_first_column_says_are_told_in_the_cell_and_in_the_notes() -> None:
    page = page_of(unet=figures(precision=mean(0.5, n=38), hd95_px=mean(12.3, 10.1, 15.2, n=38)))
    row = cells(page, "unet")[0]
    assert (row[0], row[1], row[4], row[6]) == ("40 (31)", "0.500", "0.500 (38)", "12.3 [10.1, 15.2] (38)")
    assert "(n) is their number where it is not that of all cases" in page


def test_what_is_not_known_is_a_dash() -> None:
    page = page_of(unet=figures(cpu_ms_per_image=None, cpu_share=None, hd95_px=mean(None)))
    agreement, cost = cells(page, "unet")
    assert agreement[6] == "-" and cost[1] == cost[5] == "-"


def test_lesion_free_cases_have_a_column_where_there_are_any() -> None:
    assert "false positives" not in page_of(unet=figures())
    assert cells(page_of(unet=figures(lesion_free_cases=9, with_false_positive=4)), "unet")[0][-1] == "4 of 9"


def test_columns_are_aligned() -> None:
    lines = [line for line in page_of(unet=figures(), a_long_name=figures()).splitlines() if line.startswith("|")]
    assert len({len(line) for line in lines[:4]}) == 1 == len({len(line) for line in lines[4:]})
