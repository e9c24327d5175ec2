"""Killed and resumed equals never stopped, bit for bit."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from monai_tumor.bundles.find import config_file
from monai_tumor.bundles.launch import run_bundle
from monai_tumor.errors import user_error
from tests.conftest import SMALL

ROOT = Path(__file__).resolve().parents[2]


def weights(run: Path) -> dict:
    return torch.load(run / "models" / "checkpoint.pt", weights_only=True)["network"]


def same(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def command(brain: Path, *settings: str) -> list[str]:
    words = [f"--{key}={value}" for key, value in SMALL.items()]
    return [
        sys.executable,
        "-m",
        "monai.bundle",
        "run",
        "training",
        "--config_file",
        str(brain / "train.json"),
        *words,
        *settings,
    ]


def kill_in_the_middle_of_epoch_two(process: subprocess.Popen, run: Path) -> None:
    """Wait for the first epoch in ``run.json``, then a moment into the second, then SIGKILL."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        file = run / "run.json"
        if file.exists() and json.loads(file.read_text()).get("history"):
            break
        time.sleep(0.02)
    time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("workers", [0, 2])
def test_a_killed_training_resumed_equals_one_that_was_not(train_brain, brain, tmp_path, workers):
    whole = train_brain(tmp_path / "whole", epochs=6, num_workers=workers)
    run = tmp_path / "killed"
    words = command(brain, "--epochs=6", f"--num_workers={workers}", f"--run_dir={run}")
    process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    kill_in_the_middle_of_epoch_two(process, run)
    epochs = len(json.loads((run / "run.json").read_text())["history"])
    assert 1 <= epochs < 6
    files = [config_file(run, "train")]
    run_bundle("training", files, {"resume": str(run), "num_workers": workers})
    assert same(weights(whole), weights(run))
    assert same(torch.load(whole / "models/model.pt"), torch.load(run / "models/model.pt"))


def test_averaged_weights_go_on_where_they_were(train_brain, tmp_path):
    settings = {"average_decay": 0.9, "warmup": 0.2, "max_gradient_norm": 1.0}
    whole = train_brain(tmp_path / "whole", epochs=4, **settings)
    half = train_brain(tmp_path / "half", epochs=4, **{"train#trainer#max_epochs": 2}, **settings)
    run_bundle("training", [config_file(half, "train")], {"resume": str(half), "train#trainer#max_epochs": 4})
    assert same(weights(whole), weights(half))
    assert same(torch.load(whole / "models/model.pt"), torch.load(half / "models/model.pt"))


def test_interrupt_ends_cleanly_and_can_be_resumed(brain, tmp_path):
    run = tmp_path / "run"
    words = command(brain, "--epochs=400", f"--run_dir={run}")
    process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    while not (run / "models" / "model.pt").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, text = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"--resume {run}" in text.strip().splitlines()[-1]
    assert "Traceback" not in text
    assert json.loads((run / "run.json").read_text())["status"] == "interrupted"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 4}, "resume: 'batch_size' was 8 in this run and is 4 now"),
        ({"network_def#name": "unet"}, "resume: 'network_def#name' was 'monai_unet' in this run and is 'unet' now"),
        ({"seed": 9}, "resume: 'seed' was 0 in this run and is 9 now"),
        ({"epochs": 1}, "has already been trained for 3 epochs"),
        ({"epochs": 9}, "was planned for 3 epochs"),
    ],
)
def test_a_resume_that_cannot_be_exact_is_refused(trained_run, tmp_path, settings, message):
    run = shutil.copytree(trained_run, tmp_path / "run")
    with pytest.raises(Exception) as caught:
        run_bundle("training", [config_file(run, "train")], {"resume": str(run), **settings})
    assert message in str(user_error(caught.value))


def test_a_full_disk_leaves_the_former_checkpoint_whole(trained_run, tmp_path):
    """A file size limit fails the write in the middle, as a full disk does."""
    run = shutil.copytree(trained_run, tmp_path / "run")
    before = (run / "models" / "checkpoint.pt").read_bytes()
    code = (
        "import resource, signal, torch; from pathlib import Path;"
        "from monai_tumor.training.checkpoint import save_whole;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000));"
        f"save_whole({{'x': torch.zeros(100000)}}, Path({str(run / 'models' / 'checkpoint.pt')!r}))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=dict(os.environ)
    )
    assert "the former file is untouched" in result.stderr.strip().splitlines()[-1]
    assert (run / "models" / "checkpoint.pt").read_bytes() == before
    assert sorted(path.name for path in (run / "models").iterdir()) == ["checkpoint.pt", "model.pt"]
