"""What the benchmarks share: fresh processes, clocks, the bundle's own objects, and the result file."""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the checkout that the script lies in, installed or not


def arguments(description: str) -> argparse.ArgumentParser:
    """Return a parser with what every benchmark accepts; ``--child`` is how a script calls itself."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="few repetitions: shows that it runs, not how fast")
    parser.add_argument("--out", type=Path, help="write the result as JSON to this file")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser


def in_fresh_process(script: str, **settings: Any) -> dict[str, Any]:
    """Run ``script`` in a new Python process with ``--child`` and return what it prints as its last line, from JSON."""
    command = [sys.executable, script, "--child", json.dumps(settings)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    if done.returncode != 0:
        raise SystemExit(f"{Path(script).name} failed in its process:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@dataclass(frozen=True)
class PartFiles:
    """The (image, mask) files of two parts, and the file that says which they are."""

    training: list[tuple[str, str]]
    validation: list[tuple[str, str]]
    split: Path

    @classmethod
    def read(cls, folder: Path) -> PartFiles:
        """Return the parts that ``folder``/split.json names in ``folder``/data."""
        from monai_tumor.datasets import open_dataset
        from monai_tumor.splits.split import read_split

        split = read_split(folder / "split.json")
        files = {case.id: (case.image, case.masks[0]) for case in open_dataset("folder").cases(folder / "data")}
        parts = {part: [files[name] for name in split.ids(part)] for part in ("training", "validation")}
        return cls(**parts, split=folder / "split.json")


class Clock:
    """Seconds since the last look: wall, processor (all threads, user and system), and page faults."""

    def __init__(self) -> None:
        self.last = self._now()

    def look(self) -> dict[str, float]:
        """Return what has passed since the last look and begin anew."""
        before, self.last = self.last, self._now()
        return {name: value - before[name] for name, value in self.last.items()}

    def _now(self) -> dict[str, float]:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "wall_s": time.perf_counter(),
            "cpu_s": time.process_time(),
            "system_s": usage.ru_stime,
            "page_faults": float(usage.ru_minflt),
        }


def call(*words: str) -> None:
    """Call ``monai-tumor`` in a process of its own and end with it where it fails."""
    subprocess.run([sys.executable, "-m", "monai_tumor", *words], check=True, cwd=ROOT)


def train(run: Path, words: list[str], data: list[str]) -> None:
    """Train a run, go on with one that was begun, and leave a finished one as it is.

    Args:
        run: Its folder.
        words: What follows ``train`` for a new one, without its folder.
        data: The words that name the data, which a resumed run is given again.
    """
    from monai_tumor.folds.child import is_finished, training_words

    if not is_finished(run):
        call(*training_words(run, [*words, "--run-dir", str(run)], data))


def medians(looks: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each entry."""
    return {name: statistics.median(look[name] for look in looks) for name in looks[0]}


def rounded(value: Any) -> Any:
    """Return ``value`` with every float in it to four significant digits."""
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def brain_training(**settings: Any) -> Any:
    """Return MONAI's workflow of the brain bundle's own train.json with overrides, initialised."""
    from monai.bundle import ConfigWorkflow

    from monai_tumor.bundles.find import bundle_folder, config_file

    file = config_file(bundle_folder("brain"), "train")
    workflow = ConfigWorkflow(config_file=str(file), workflow_type="train", logging_file=False, **settings)
    workflow.initialize()
    return workflow


def load_average() -> float:
    """Return how many processes have wanted a processor during the last minute."""
    return os.getloadavg()[0]


def bf16_instructions() -> list[str]:
    """Return which bfloat16 instructions the processor has; tiles (AMX) multiply several times faster than AVX-512."""
    import torch

    checks = {"AVX-512": "_is_avx512_bf16_supported", "AMX": "_is_amx_tile_supported"}
    return [name for name, check in checks.items() if getattr(torch.cpu, check, bool)()]


def report(name: str, result: dict[str, Any], lines: list[str], out: Path | None, quick: bool) -> None:
    """Print ``lines`` and write the result with versions and hardware.

    Args:
        name: Of the benchmark.
        result: What was measured.
        lines: The same in words.
        out: The file; None is ``benchmarks/results/<name>.json``, or no file for a quick run.
        quick: Whether this was a quick run.
    """
    import torch

    from monai_tumor.imaging.write import write_text
    from monai_tumor.training.record import hardware, versions

    print("\n".join(lines))
    content = {
        "benchmark": name,
        "quick": quick,
        **rounded(result),
        "versions": versions(),
        "hardware": {**hardware(torch.device("cpu")), "bf16_instructions": bf16_instructions()},
    }
    file = out or (None if quick else ROOT / "benchmarks" / "results" / f"{name}.json")
    if file is not None:
        write_text(file, json.dumps(content, indent=1) + "\n", overwrite=True)
