"""Which folds are taken, and what must stay as it was."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from monai_tumor.errors import WrongCallError
from monai_tumor.folds.folder import FoldSetFolder, is_fold_set
from monai_tumor.folds.join import ensemble_of
from monai_tumor.folds.plan import NETWORK, FoldPlan
from monai_tumor.splits.split import read_split

Plans = Callable[..., FoldPlan]


@pytest.fixture
def begun(plan: Plans, tmp_path: Path) -> FoldSetFolder:
    folder = FoldSetFolder(tmp_path / "set")
    folder.start(plan(), plan().divided())
    return folder


def test_folds_are_cut_with_the_seed_of_the_training_or_taken_from_the_file(plan: Plans) -> None:
    given = plan().divided()
    assert given == read_split(plan().split) and given.folds == 3
    cut = plan(split=None, folds=4, settings={"seed": 5}).divided()
    assert (cut.folds, cut.seed, cut.fingerprint) == (4, 5, given.fingerprint)


def test_what_belongs_to_the_machine_may_differ(plan: Plans, begun: FoldSetFolder) -> None:
    begun.go_on(plan(settings={"lr": 0.1, "cache_dir": "elsewhere", "device": "cpu"}))
    assert begun.begun["set"] == {"lr": 0.1}
    assert json.loads(begun.settings_file.read_text()) == begun.begun


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"settings": {"lr": 0.2}}, r'was begun with set {"lr": 0.1}, not {"lr": 0.2}'),
        ({"settings": {}}, r'was begun with set {"lr": 0.1}, not {}'),
        ({"folds": 4, "split": None}, "was begun with folds 3, not 4"),
        ({"dataset": "busi", "split": None}, 'was begun with dataset "folder", not "busi"'),
        ({"dataset_dir": None}, "data set 'folder' needs its folder"),
    ],
)
def test_other_settings_are_refused(plan: Plans, begun: FoldSetFolder, changes: dict, told: str) -> None:
    with pytest.raises(WrongCallError) as caught:
        begun.go_on(plan(**changes))
    assert told in str(caught.value) and "\n" not in str(caught.value)


def test_a_set_is_known_by_what_it_was_begun_with(begun: FoldSetFolder, tmp_path: Path) -> None:
    assert is_fold_set(begun.path) and not is_fold_set(tmp_path) and not is_fold_set(None)
    assert [run.name for run in begun.unfinished] == ["fold-0", "fold-1", "fold-2"]


@pytest.mark.parametrize("name", ["fold", "run_dir", "resume", "split_file"])
def test_settings_that_differ_between_folds_are_not_given(plan: Plans, name: str) -> None:
    with pytest.raises(WrongCallError, match=f"--set {name}: a cross-validation gives this setting itself"):
        plan(settings={name: 1}).check()


def test_the_network_of_a_set_is_the_bundle_s_with_members() -> None:
    network = {"_target_": NETWORK, "name": "unet", "in_channels": "@prepare#channels"}
    assert ensemble_of(network, 5) == {**network, "_target_": "monai_tumor.networks.build_ensemble", "members": 5}
