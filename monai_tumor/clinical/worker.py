"""The child that decodes: reads a request a line, answers with one word a line, and may be killed at any time."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from monai_tumor.clinical.limits import Limits
from monai_tumor.clinical.memory import limit_cpu, limit_memory, no_core_dump
from monai_tumor.clinical.read import read_source
from monai_tumor.clinical.record import item_of, to_record
from monai_tumor.errors import ToolkitError

STACK, RECORD = "stack.npy", "record.json"
DONE = "done"


def main() -> None:
    """Serve requests until the input ends. Libraries may print: their words go nowhere."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    no_core_dump()
    for line in sys.stdin:
        _serve(json.loads(line))
        answers.write(DONE + "\n")


def _serve(request: dict[str, Any]) -> None:
    folder = Path(request["folder"])
    limit_memory(request["memory_bytes"])
    limit_cpu(request["cpu_seconds"])
    item = item_of(request["item"])
    try:
        image = read_source(item, Limits(**request["limits"]))
        np.save(folder / STACK, image.stack, allow_pickle=False)
        answer = to_record(image)
    except ToolkitError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": f"{item.name} needs more memory than is allowed here; cut it into parts"}
    except OSError as error:
        answer = {"error": f"{item.name} cannot be handed over: {error.strerror}; make room in the temporary folder"}
    (folder / RECORD).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
