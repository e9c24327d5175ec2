"""NaN, honest Dice, best epoch, shares of processes."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from ignite.engine import Engine, Events
from monai.bundle import ConfigWorkflow

from monai_tumor.bundles.find import config_file
from monai_tumor.bundles.launch import run_bundle
from monai_tumor.errors import WrongCallError, user_error
from monai_tumor.networks import Normalisation
from monai_tumor.training import (
    BatchPreparation,
    ClipGradients,
    LesionDice,
    RunFolder,
    StopEarly,
    keep_memory,
    my_share,
)
from monai_tumor.training.lesion_dice import better
from tests.conftest import SMALL

ROOT = Path(__file__).resolve().parents[2]


def masks(*rows: tuple[list[int], list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Predictions and references of one row of pixels each, as (batch, 1, 1, columns)."""
    prediction, reference = zip(*rows, strict=True)
    return torch.tensor(prediction)[:, None, None].float(), torch.tensor(reference)[:, None, None].float()


def figures(*batches: tuple[torch.Tensor, torch.Tensor]) -> dict[str, float]:
    engine, metric = Engine(lambda *_: None), LesionDice()
    for batch in batches:
        metric.update(batch)
    metric.completed(engine, "dice")
    return engine.state.metrics


def test_dice_by_hand_with_lesion_free_cases_apart():
    found = figures(
        masks(([1, 1, 0, 0], [1, 0, 0, 0]), ([0, 0, 0, 0], [0, 1, 1, 0])),
        masks(([1, 1, 1, 0], [0, 0, 0, 0]), ([0, 0, 0, 0], [0, 0, 0, 0])),
    )
    assert found["dice"] == pytest.approx((2 / 3 + 0) / 2)
    assert (found["dice_lesion_cases"], found["dice_lesion_free_cases"]) == (2, 2)
    assert found["dice_false_positive_px"] == 1.5


def test_without_a_lesion_there_is_no_dice_and_no_best():
    assert math.isnan(figures(masks(([0, 1], [0, 0])))["dice"])
    assert not better(math.nan, None)
    assert better(0.1, None)
    assert not better(math.nan, 0.1)
    assert better(0.2, 0.1)


def test_nan_ends_the_training_and_spoils_nothing(train_brain, tmp_path):
    with pytest.raises(Exception) as caught:
        train_brain(tmp_path / "run", lr=1e30, epochs=3)
    assert "the loss is not a number in epoch" in str(user_error(caught.value))
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "failed"
    checkpoint = torch.load(tmp_path / "run" / "models" / "checkpoint.pt", weights_only=True)
    assert all(torch.isfinite(value).all() for value in checkpoint["network"].values())


def test_a_batch_is_normalised_as_the_formula_says():
    image = torch.from_numpy(np.array([[[[0, 255], [51, 102]]]], dtype=np.uint8))
    network = torch.nn.Identity()
    network.normalisation = Normalisation((0.5,), (0.25,))
    batch, label = BatchPreparation(network)({"image": image, "label": image > 60}, "cpu")
    assert batch.flatten().tolist() == pytest.approx([-2, 2, -1.2, -0.4])
    assert label.dtype == torch.float32
    assert image.dtype == torch.uint8


def test_each_channel_is_normalised_with_its_own_mean_and_deviation():
    image = torch.randint(0, 256, (2, 3, 5, 7), dtype=torch.uint8)
    network = torch.nn.Identity()
    network.normalisation = Normalisation((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    prepare = BatchPreparation(network)
    for _ in range(2):
        batch, _ = prepare({"image": image})
        expected = [(image[:, c] / 255 - (c + 1) / 10) / ((c + 4) / 10) for c in range(3)]
        torch.testing.assert_close(batch, torch.stack(expected, dim=1))
        assert batch.is_contiguous(memory_format=torch.channels_last)


def test_memory_is_kept_only_where_glibc_is(monkeypatch):
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    assert keep_memory() is False


def test_without_a_group_of_processes_the_share_is_everything():
    assert my_share([1, 2, 3]) == [1, 2, 3]


def test_two_processes_train_together_and_leave_an_ordinary_run(brain, tmp_path):
    """On CPUs over gloo, by minutes; one process with the weights that were kept finds the same Dice, and can evaluate."""
    run = tmp_path / "run"
    files = str([str(brain / "train.json"), str(brain / "multi_gpu_train.json")])
    words = [f"--{key}={value}" for key, value in {**SMALL, "epochs": "$None", "minutes": 0.1, "run_dir": run}.items()]
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc_per_node=2",
        "-m",
        "monai.bundle",
        "run",
        "training",
    ]
    result = subprocess.run(
        [*command, "--config_file", files, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=dict(os.environ),
        check=False,
    )
    assert result.returncode == 0, result.stderr
    record = json.loads((run / "run.json").read_text())
    epoch = record["history"][-1]
    assert epoch["lesion_dice_lesion_cases"] + epoch["lesion_dice_lesion_free_cases"] == 24
    assert record["best"] == pytest.approx(validated_again(run), abs=1e-6)
    run_bundle("evaluating", [config_file(run, "train"), config_file(run, "evaluate")], {})
    assert (run / "evaluation" / "001-test" / "metrics.json").is_file()


def validated_again(run: Path) -> float:
    """The validation Dice of the weights that a run has kept."""
    workflow = ConfigWorkflow(config_file=str(config_file(run, "train")), workflow_type="train", logging_file=False)
    workflow.initialize()
    workflow.parser.get_parsed_content("network").load_state_dict(torch.load(run / "models" / "model.pt"))
    evaluator = workflow.parser.get_parsed_content("validate#evaluator")
    evaluator.run()
    return float(evaluator.state.metrics["lesion_dice"])


def test_a_validation_part_without_lesions_keeps_the_last_epoch(trained_run, tmp_path):
    """The best epoch cannot be chosen then, and the run says so instead of calling 0.0 the best."""
    source = shutil.copytree(trained_run, tmp_path / "bundle")
    settings = {"run_dir": str(tmp_path / "run"), "epochs": 2, "validate#dataset#data": lesion_free_items()}
    run_bundle("training", [config_file(source, "train")], settings)
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["best"] is None
    assert "no epoch could be chosen" in (tmp_path / "run" / "docs" / "README.md").read_text()


def lesion_free_items() -> list[dict]:
    from monai_tumor.pipeline import CaseSource

    source = CaseSource("phantom")
    return [item for item in source.items("validation") if not item["label"]]


def test_early_stopping_counts_from_the_best_epoch(tmp_path):
    folder = RunFolder("brain", str(tmp_path / "run"))
    folder.claim()
    engine = Engine(lambda *_: None)
    StopEarly(folder, patience=3).attach(engine)
    engine.add_event_handler(Events.EPOCH_STARTED, lambda: folder.update(**history(engine.state.epoch, best=2)))
    engine.run([0], max_epochs=20)
    assert engine.state.epoch == 5


def test_epochs_without_validation_do_not_count(tmp_path):
    folder = RunFolder("brain", str(tmp_path / "run"))
    folder.claim()
    engine = Engine(lambda *_: None)
    StopEarly(folder, patience=2).attach(engine)
    engine.add_event_handler(
        Events.EPOCH_STARTED, lambda: folder.update(**history(engine.state.epoch, best=3, every=3))
    )
    engine.run([0], max_epochs=20)
    assert engine.state.epoch == 6


def test_a_run_that_ended_early_is_not_trained_on_when_resumed(tmp_path):
    folder = RunFolder("brain", str(tmp_path / "run"))
    folder.claim()
    folder.update(**history(5, best=2))
    steps: list[int] = []
    engine = Engine(lambda *_: steps.append(1))
    StopEarly(folder, patience=3).attach(engine)
    engine.run([0], max_epochs=20)
    assert steps == []


def history(epochs: int, best: int, every: int = 1) -> dict:
    """What ``run.json`` holds after some epochs, validated after each ``every`` ones."""
    entries = [{"epoch": epoch, **({"dice": 0.5} if epoch % every == 0 else {})} for epoch in range(1, epochs + 1)]
    return {"metric": "dice", "best": 0.5 if best <= epochs else None, "best_epoch": best, "history": entries}


def test_without_a_best_epoch_nothing_is_stopped(tmp_path):
    folder = RunFolder("brain", str(tmp_path / "run"))
    folder.claim()
    folder.update(best=None, best_epoch=0)
    engine = Engine(lambda *_: None)
    StopEarly(folder, patience=1).attach(engine)
    engine.run([0], max_epochs=4)
    assert engine.state.epoch == 4


def test_gradients_are_scaled_to_the_largest_norm():
    network = torch.nn.Linear(2, 1, bias=False)
    network.weight.grad = torch.tensor([[3.0, 4.0]])
    ClipGradients(network, max_norm=1.0).clip(Engine(lambda *_: None))
    assert network.weight.grad.tolist()[0] == pytest.approx([0.6, 0.8], rel=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StopEarly(RunFolder("brain"), patience=0), "patience is 0"),
        (lambda: ClipGradients(torch.nn.Linear(1, 1), max_norm=0), "max_gradient_norm is 0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(make, message):
    with pytest.raises(WrongCallError, match=message):
        make()
