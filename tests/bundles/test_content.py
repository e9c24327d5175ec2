"""Single settings, and the trained network of a run, outside of a workflow."""

from __future__ import annotations

import pytest
import torch

from monai_tumor.bundles.content import resolved_setting, trained_network
from monai_tumor.bundles.find import bundle_folder, config_file
from monai_tumor.errors import WrongCallError


@pytest.mark.parametrize(("folder", "name"), [(None, "phantom_us"), ("scans", "busi")])
def test_a_setting_becomes_what_a_training_would_use(folder, name):
    file = config_file(bundle_folder("breast"), "train")
    assert resolved_setting(file, "dataset_name", dataset_dir=folder) == name


def test_the_network_of_a_run_predicts_with_its_best_weights(trained_run):
    found = trained_network(trained_run)
    channels, rows, columns = found.shape
    assert (rows, columns) == (64, 96) and not found.network.training
    with torch.inference_mode():
        assert found(torch.zeros(1, channels, rows, columns)).shape == (1, 1, rows, columns)
    best = torch.load(trained_run / "models" / "model.pt", weights_only=True)
    assert all(torch.equal(best[name], value) for name, value in found.network.state_dict().items())


def test_a_run_without_weights_is_refused(tmp_path, brain):
    (tmp_path / "configs").mkdir()
    for file in brain.glob("*.json"):
        (tmp_path / "configs" / file.name).write_text(file.read_text())
    with pytest.raises(WrongCallError, match=r"model.pt does not exist"):
        trained_network(tmp_path)
