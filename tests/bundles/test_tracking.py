"""Trackers record a training, and leave nothing of themselves or of this machine in the run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import fmean
from types import SimpleNamespace
from typing import Any

import pytest

from monai_tumor.bundles import tracking
from monai_tumor.bundles.find import config_file
from monai_tumor.bundles.launch import run_bundle
from monai_tumor.bundles.tracking import loss_of_step, without_tracking
from monai_tumor.errors import user_error
from tests.conftest import SMALL

pytestmark = pytest.mark.filterwarnings("ignore:parsing config_file")

TENSORBOARD = {
    "+train#handlers": [
        {
            "_target_": "TensorBoardStatsHandler",
            "log_dir": "tensorboard/train",
            "output_transform": "$lambda output: output['loss']",
        }
    ],
    "+validate#handlers": [
        {"_target_": "TensorBoardStatsHandler", "log_dir": "tensorboard/validation", "iteration_log": False}
    ],
}


class StandIn:
    """As much of MLflow's client as MONAI's handler calls; like MLflow's own it stores numbers and nothing else."""

    def __init__(self) -> None:
        self.uris: set[str] = set()
        self.figures: dict[str, list[tuple[int, float]]] = {}
        self.params: dict[str, str] = {}
        self.files: list[str] = []
        self.ended = 0
        self.run = SimpleNamespace(info=SimpleNamespace(run_id="1", run_name="n", status="RUNNING"))
        self.run.data = SimpleNamespace(params=self.params)

    def module(self) -> SimpleNamespace:
        entity = SimpleNamespace
        entities = entity(
            Metric=lambda key, value, timestamp, step: (key, step, value),
            Param=lambda key, value: (key, value),
            RunStatus=entity(FINISHED=3, to_string=lambda _: "FINISHED"),
            LifecycleStage=entity(ACTIVE="active"),
        )
        return entity(MlflowClient=self.client, entities=entities)

    def client(self, tracking_uri: str) -> StandIn:
        self.uris.add(tracking_uri)
        return self

    def get_experiment_by_name(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(experiment_id="0", lifecycle_stage="active")

    def search_runs(self, experiment: str) -> list[Any]:
        return [] if self.ended else [self.run]

    def get_run(self, run: str) -> Any:
        return self.run

    def create_run(self, experiment_id: str, run_name: str) -> Any:
        return self.run

    def log_batch(self, run_id: str, metrics: list[Any], params: list[Any], tags: list[Any]) -> None:
        self.params.update(params)
        for key, step, value in metrics:
            assert isinstance(value, int | float), f"{key} is {value!r}"
            self.figures.setdefault(key, []).append((step, value))

    def log_artifact(self, run_id: str, path: str) -> None:
        self.files.append(path)

    def set_terminated(self, run_id: str, status: str) -> None:
        self.ended += 1


def track(file: Path, **settings: Any) -> None:
    """Train with the plain MONAI command in this process, as ``--tracking mlflow`` does."""
    from monai.bundle import run

    run(run_id="training", config_file=str(file), tracking="mlflow", **settings)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> StandIn:
    """MONAI's handler with a stand-in for MLflow, in a folder of its own."""
    from monai.handlers import mlflow_handler

    client = StandIn()
    monkeypatch.setattr(mlflow_handler, "mlflow", client.module())
    monkeypatch.setattr(tracking, "find_spec", lambda _: "found")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    return client


def leaves_no_trace(run: Path) -> bool:
    text = (run / "configs" / "train.json").read_text()
    return not any(word in text for word in ("MLFlow", "tracking_uri", "experiment", "rank0", str(run.parent)))


def test_mlflow_gets_every_loss_and_every_figure(stand_in, brain, tmp_path):
    track(brain / "train.json", **SMALL, epochs=2, run_dir="run", output_dir="tracking", dataset_name="phantom")
    history = json.loads((tmp_path / "run" / "run.json").read_text())["history"]
    assert stand_in.figures["lesion_dice"] == [(entry["epoch"], entry["lesion_dice"]) for entry in history]
    assert stand_in.figures["loss"] == [(entry["epoch"], entry["loss"]) for entry in history]
    length = int(stand_in.params["epoch_length"])
    steps, losses = zip(*stand_in.figures["train_loss"], strict=True)
    assert steps == tuple(range(1, 2 * length + 1))
    assert fmean(losses[:length]) == pytest.approx(history[0]["loss"], rel=1e-5)
    assert stand_in.ended == 1
    assert {Path(uri.removeprefix("sqlite:///")).name for uri in stand_in.uris} == {"mlruns.db"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "tracking"]


def test_a_tracked_run_keeps_nothing_of_the_tracker_and_can_be_resumed_with_and_without(stand_in, brain, tmp_path):
    run = tmp_path / "run"
    uri = f"sqlite:///{tmp_path}/mine.db"
    track(brain / "train.json", **SMALL, epochs=1, run_dir="run", output_dir="tracking", tracking_uri=uri)
    assert leaves_no_trace(run)
    assert str(tmp_path) not in (run / "run.json").read_text()
    figures = len(stand_in.figures["train_loss"])
    track(config_file(run, "train"), resume="run", output_dir="tracking", epochs=1)
    run_bundle("training", [config_file(run, "train")], {"resume": "run"})
    assert len(stand_in.figures["train_loss"]) == figures
    assert not (run / "eval").exists()


def test_without_mlflow_one_line_says_what_to_install(brain, tmp_path, monkeypatch):
    monkeypatch.setattr(tracking, "find_spec", lambda _: None)
    with pytest.raises(Exception) as caught:
        track(brain / "train.json", **SMALL, run_dir=str(tmp_path / "run"), output_dir=str(tmp_path / "tracking"))
    assert str(user_error(caught.value)).startswith("MLflow is not installed; pip install 'monai-tumor[tracking]'")


def test_tracking_belongs_to_the_call_and_other_handlers_do_not():
    mine = {"_target_": "monai.handlers.MLFlowHandler"}
    settings = {"lr": 1, "tracking_uri": "u", "train": {"handlers": ["@a", mine, {"_target_": "Other"}]}}
    assert without_tracking(settings) == {"lr": 1, "train": {"handlers": ["@a", {"_target_": "Other"}]}}
    assert settings["train"]["handlers"][1] is mine


def test_the_loss_of_a_step_is_found_decollated_or_not():
    assert loss_of_step({"loss": 2, "pred": 0}) == loss_of_step([{"loss": 2}, {"loss": 2}]) == 2


@pytest.mark.timeout(300)
def test_mlflow_itself(brain, tmp_path):
    """The shell command, with the MLflow that is installed."""
    mlflow = pytest.importorskip("mlflow", reason="the extra 'tracking' is not installed")
    words = [f"--{key}={value}" for key, value in {**SMALL, "epochs": 2, "run_dir": "run"}.items()]
    command = [sys.executable, "-m", "monai.bundle", "run", "training", "--config_file", str(brain / "train.json")]
    tracked = [*command, *words, "--tracking", "mlflow", "--output_dir", "tracking"]
    done = subprocess.run(tracked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/tracking/mlruns.db")
    experiment = client.get_experiment_by_name("monai_experiment")
    (found,) = client.search_runs([experiment.experiment_id])
    assert (found.info.status, len(client.get_metric_history(found.info.run_id, "lesion_dice"))) == ("FINISHED", 2)
    assert leaves_no_trace(tmp_path / "run")


def test_mlflow_tells_its_makers_nothing():
    pytest.importorskip("mlflow", reason="the extra 'tracking' is not installed")
    code = (
        "import mlflow.telemetry.client as client; from monai_tumor.bundles.tracking import refuse_telemetry; "
        "before = client._MLFLOW_TELEMETRY_CLIENT; refuse_telemetry(); print(before, client._MLFLOW_TELEMETRY_CLIENT)"
    )
    told = {"PYTEST_CURRENT_TEST", "CI", "MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK"}
    outside = {name: value for name, value in os.environ.items() if name not in told}
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, env=outside, capture_output=True, text=True, check=True)
    before, after = done.stdout.rsplit(maxsplit=1)
    assert "TelemetryClient" in before
    assert after == "None"


def test_tensorboard_is_put_in_by_an_overlay(brain, tmp_path, monkeypatch):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.chdir(tmp_path)
    Path("tensorboard.json").write_text(json.dumps(TENSORBOARD))
    files = [brain / "train.json", Path("tensorboard.json")]
    run_bundle("training", files, {**SMALL, "epochs": 2, "run_dir": "run"})
    history = json.loads(Path("run/run.json").read_text())["history"]
    for part, name in (("train", "loss"), ("validation", "lesion_dice")):
        events = EventAccumulator(f"tensorboard/{part}")
        events.Reload()
        stored = [(event.step, event.value) for event in events.Scalars(name)]
        assert stored == [(entry["epoch"], pytest.approx(entry[name], rel=1e-5)) for entry in history]
    run_bundle("training", [config_file(Path("run"), "train")], {"resume": "run"})
