"""What a comparison was begun with is kept, and nothing else is mixed into it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from monai_tumor.bundles.find import bundle_folder
from monai_tumor.comparison.folder import ComparisonFolder
from monai_tumor.comparison.plan import Plan
from monai_tumor.errors import WrongCallError, WrongDataError

Plans = Callable[..., Plan]


@pytest.fixture
def begun(plan: Plans, tmp_path: Path) -> Path:
    ComparisonFolder(tmp_path / "out").open(plan())
    return tmp_path / "out"


def test_split_bundle_and_recipes_are_copied(plan: Plans, tmp_path: Path) -> None:
    overlay = tmp_path / "my.json"
    overlay.write_text('{"lr": 0.01}')
    folder = ComparisonFolder(tmp_path / "out")
    folder.open(plan(recipes=(str(overlay),)))
    overlay.write_text("changed later")
    assert folder.split.folds == 3 and folder.methods == ["unet", "my"]
    assert (folder.bundle / "train.json").is_file()
    copy = folder.path / "comparison-settings" / "recipes" / "my.json"
    assert copy.read_text() == '{"lr": 0.01}'


def test_the_same_plan_goes_on_and_may_bring_further_methods(plan: Plans, begun: Path) -> None:
    folder = ComparisonFolder(begun)
    folder.open(plan(networks=("monai_unet",)))
    assert folder.methods == ["unet", "monai_unet"]
    folder.open(plan(split=str(folder.split_file)))
    folder.open(plan(split=None, folds=3))
    assert json.loads((begun / "comparison-settings" / "settings.json").read_text()) == folder.begun


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"epochs": None, "minutes": 2.0}, "was begun with minutes null, not 2.0"),
        ({"epochs": 2}, "was begun with epochs 1, not 2"),
        ({"seed": 1}, "was begun with seed 0, not 1"),
        ({"words": ("lr=0.1",)}, r'was begun with set {}, not {"lr": 0.1}'),
        ({"split": None, "folds": 5}, "was begun with folds 3, not 5"),
        ({"split": None, "folds": 3, "dataset": "busi"}, 'was begun with dataset "folder", not "busi"'),
        ({"bundle": bundle_folder("brain")}, 'was begun with bundle "breast", not "brain"'),
        ({"dataset_dir": None}, "data set 'folder' needs its folder"),
    ],
)
def test_other_settings_are_refused_in_one_line(plan: Plans, begun: Path, changes: dict, told: str) -> None:
    with pytest.raises(WrongCallError) as caught:
        ComparisonFolder(begun).open(plan(**changes))
    assert told in str(caught.value) and "\n" not in str(caught.value)


def test_another_overlay_of_the_same_name_is_refused(plan: Plans, tmp_path: Path) -> None:
    overlay = tmp_path / "my.json"
    overlay.write_text('{"lr": 0.01}')
    ComparisonFolder(tmp_path / "out").open(plan(recipes=(str(overlay),)))
    overlay.write_text('{"lr": 0.02}')
    with pytest.raises(WrongCallError, match="was begun with another method my; give another folder"):
        ComparisonFolder(tmp_path / "out").open(plan(recipes=(str(overlay),)))


def test_a_changed_bundle_is_refused_and_its_copy_goes_on(plan: Plans, tmp_path: Path) -> None:
    bundle = shutil.copytree(bundle_folder("breast"), tmp_path / "mine")
    folder = ComparisonFolder(tmp_path / "out")
    folder.open(plan(bundle=bundle))
    (bundle / "train.json").write_text((bundle / "train.json").read_text().replace('"lr": 0.001', '"lr": 0.002'))
    with pytest.raises(
        WrongCallError, match=r"the files of bundle 'breast' are not those .* as BUNDLE to go on as begun"
    ):
        folder.open(plan(bundle=bundle))
    folder.open(plan(bundle=folder.bundle))


def test_a_folder_with_other_things_is_left_alone(plan: Plans, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("dear")
    with pytest.raises(WrongCallError, match="is not empty and no comparison was begun there"):
        ComparisonFolder(tmp_path / "out").open(plan())
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["letter.txt"]


def test_another_split_in_its_place_is_refused(plan: Plans, begun: Path) -> None:
    text = (begun / "split.json").read_text()
    (begun / "split.json").write_text(text.replace('"seed": 0', '"seed": 1'))
    with pytest.raises(WrongDataError, match="was changed by hand"):
        ComparisonFolder(begun).open(plan())


def test_two_at_once_are_refused(begun: Path) -> None:
    with (
        ComparisonFolder(begun).locked(),
        pytest.raises(WrongCallError, match="another comparison works in"),
        ComparisonFolder(begun).locked(),
    ):
        pass


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"epochs": None}, "give either --minutes or --epochs"),
        ({"minutes": 1.0}, "give either --minutes or --epochs"),
        ({"words": ("epocs=3",)}, "unknown setting 'epocs'; did you mean 'epochs'?"),
        ({"words": ("seed=3",)}, "--set seed: a comparison gives this setting itself"),
        ({"words": ("network_def#name=unet",)}, "--set network_def#name: a comparison gives this setting itself"),
        ({"split": None, "dataset": "folder", "folds": 2}, "ask for 3 or more"),
        ({"split": None, "dataset": "phantom"}, "data set 'phantom' reads no folder"),
        ({"dataset": "busi"}, "divides data set 'folder', not 'busi'"),
    ],
)
def test_what_no_training_takes_is_refused_before_anything_is_written(
    plan: Plans, tmp_path: Path, changes: dict, told: str
) -> None:
    with pytest.raises(WrongCallError) as caught:
        ComparisonFolder(tmp_path / "out").open(plan(**changes))
    assert told in str(caught.value) and not (tmp_path / "out").exists()
