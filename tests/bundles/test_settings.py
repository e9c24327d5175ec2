"""Overlays and settings are checked against the configuration of a bundle before anything heavy is imported."""

import json

import pytest
from monai.bundle import ConfigParser

from monai_tumor.bundles.find import bundle_folder, config_file, recipe_file, recipe_folder
from monai_tumor.bundles.settings import check_settings
from monai_tumor.errors import WrongCallError

ORGANS = ("brain", "breast", "thyroid")
TRAIN = config_file(bundle_folder("breast"), "train")


@pytest.fixture
def overlay(tmp_path):
    """Check an overlay with these keys, and settings after it."""

    def check(content, **settings):
        path = tmp_path / "mine.json"
        path.write_text(json.dumps(content))
        check_settings([TRAIN, path], settings)

    return check


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"networkk_def#name": "unet"}, "unknown setting 'networkk_def#name'; did you mean 'network_def#name'?"),
        ({"networkk_def::name": "unet"}, "unknown setting 'networkk_def::name'; did you mean 'network_def#name'?"),
        ({"+trian": {}}, "unknown setting '+trian'; did you mean 'train'?"),
        ({"train#trainerr#amp": 1}, "unknown setting 'train#trainerr#amp'; did you mean 'train#trainer#amp'?"),
        ({"train#handlers#99": {}}, "setting 'train#handlers#99': '99' is not an index of a list of 12 entries"),
        ({"epochs#x": 1}, "setting 'epochs#x': 'epochs' is 15, which has no parts"),
        ({"network_def#channels#0": 8}, "there is no 'network_def#channels'; give all of it"),
        ({"dataset#x": 8}, "setting 'dataset#x': there is no 'dataset'; give all of it"),  # in inference.json alone
        ({"+lr": 0.1}, "setting '+lr': '+' joins two lists or two dictionaries"),
        ({"zzzz": 3}, "unknown setting 'zzzz'; see 'monai-tumor bundle show'"),
    ],
)
def test_a_mistake_in_an_overlay_is_one_line_with_its_file(overlay, content, told, tmp_path):
    with pytest.raises(WrongCallError) as caught:
        overlay(content)
    assert str(caught.value).startswith(str(tmp_path / "mine.json") + ": ") and told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        {"mine": 3, "lr": "@mine"},
        {"train#sampler": {"_target_": "A"}, "train#dataloader#sampler": "@train#sampler"},
        {"network_def#new_argument": 3},
        {"+network_def": {"dropout": 0.1}, "network_def#dropout": 0.2},
        {"+train#handlers": [{"_target_": "A"}], "train#handlers#12#_target_": "B"},
        {"network_def#normalisation": {"mean": [0.5]}, "network_def#normalisation#mean": [0.4]},
    ],
)
def test_what_monai_takes_is_let_through(overlay, content, tmp_path):
    overlay(content)
    parser = ConfigParser()
    parser.read_config([TRAIN, tmp_path / "mine.json"])
    *_, last = content
    assert parser[last] == content[last]  # MONAI takes it as well, and finds it in its place


def test_a_setting_reaches_into_what_an_overlay_brings(overlay):
    overlay({"mine": 3, "lr": "@mine", "loss": {"weights": {"dice": 1}}}, mine=4, **{"loss#weights#dice": 2})
    with pytest.raises(WrongCallError, match="did you mean 'loss#weights#dice'"):
        overlay({"loss": {"weights": {"dice": 1}}}, **{"loss#weights#dise": 2})


def test_settings_stay_as_they_are(overlay):
    given = {"network_def": {"_target_": "A"}, "network_def#name": "unet"}
    overlay({}, **given)
    assert given["network_def"] == {"_target_": "A"}


def test_a_setting_needs_its_parents_and_joins_nothing(overlay):
    with pytest.raises(WrongCallError, match="there is no 'network_def#normalisation'; give all of it"):
        overlay({}, **{"network_def#normalisation#mean": [0.5]})
    with pytest.raises(WrongCallError, match=r"unknown setting '\+train'; did you mean 'train'"):
        overlay({}, **{"+train": {}})


@pytest.mark.parametrize("organ", ORGANS)
def test_all_overlays_of_the_toolkit_are_valid(organ):
    root = bundle_folder(organ)
    for part in ("evaluate", "multi_gpu_train"):
        check_settings([config_file(root, "train"), config_file(root, part)], {})
    check_settings([config_file(root, "inference")], {})
    for path in recipe_folder().glob("*.json"):
        check_settings([config_file(root, "train"), path], {})


def test_a_folder_is_no_recipe(tmp_path):
    (tmp_path / "dir.json").mkdir()
    with pytest.raises(WrongCallError, match=r"recipe .*dir.json is a folder, expected a JSON file of settings"):
        recipe_file(str(tmp_path / "dir.json"))
