"""How long a training lasts, and the learning rate that follows from it."""

from __future__ import annotations

import math
import time

import pytest
import torch
from ignite.engine import Engine, Events

from monai_tumor.errors import WrongCallError
from monai_tumor.training import LearningRateSchedule, TrainingBudget


def rates(epochs: int, batches: int = 4, **options: object) -> list[float]:
    """The learning rate of every step of a training whose peak is 2."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    budget = TrainingBudget(epochs)
    schedule = LearningRateSchedule(optimizer, budget, **options)
    seen: list[float] = []
    engine = Engine(lambda *_: seen.append(optimizer.param_groups[0]["lr"]))
    schedule.attach(engine)
    budget.attach(engine)
    engine.run(range(batches), max_epochs=epochs)
    return seen


def test_the_cosine_is_torchs():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=12)
    expected = []
    for _ in range(12):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        reference.step()
    assert rates(3) == pytest.approx(expected)


def test_a_warm_up_rises_in_a_straight_line_to_the_peak():
    assert rates(2, batches=5, warmup=0.4, shape="constant") == pytest.approx([0, 0.5, 1, 1.5, 2, 2, 2, 2, 2, 2])


def test_the_polynomial_by_hand():
    assert rates(1, shape="polynomial") == pytest.approx([2 * (1 - k / 4) ** 0.9 for k in range(4)])


def test_minutes_become_as_many_epochs_as_fit():
    budget = TrainingBudget(None, minutes=1 / 60)  # a second
    engine = Engine(lambda *_: time.sleep(0.05))
    budget.attach(engine)
    started = time.perf_counter()
    engine.run(range(2), max_epochs=1)  # epochs of a tenth of a second
    assert engine.state.epoch == engine.state.max_epochs
    assert abs(time.perf_counter() - started - 1) < 0.35
    assert budget.seconds == pytest.approx(time.perf_counter() - started, abs=0.05)


def test_the_rate_reaches_its_end_within_the_minutes():
    budget = TrainingBudget(None, minutes=0.5 / 60)
    seen: list[float] = []
    engine = Engine(lambda *_: time.sleep(0.02))
    engine.add_event_handler(Events.ITERATION_STARTED, lambda: seen.append(budget.progress(engine)))
    budget.attach(engine)
    engine.run(range(2), max_epochs=1)
    assert seen[0] < 0.1
    assert seen[-1] > 0.8
    assert max(seen) <= 1


def test_one_epoch_is_trained_however_short_the_time():
    budget = TrainingBudget(None, minutes=1e-9)
    seen: list[float] = []
    engine = Engine(lambda *_: seen.append(budget.progress(engine)))
    budget.attach(engine)
    engine.run(range(4), max_epochs=5)
    assert engine.state.epoch == 1
    assert seen == [0, 0.25, 0.5, 0.75]  # the schedule of one whole epoch, not one that ended before its second step


def test_a_resumed_run_has_the_minutes_that_are_left():
    budget = TrainingBudget(None, minutes=10)
    budget.load_state_dict({"epochs": None, "seconds": 599.999})
    engine = Engine(lambda *_: None)
    engine.state.epoch = 6
    budget.attach(engine)
    budget._start(engine)
    assert engine.state.max_epochs == 6  # no time for a seventh


def test_more_epochs_than_the_schedule_knows_are_refused():
    with pytest.raises(WrongCallError, match="was planned for 3 epochs"):
        TrainingBudget(4).load_state_dict({"epochs": 3, "seconds": 1.0})


def test_a_trainer_that_is_run_again_begins_the_schedule_anew():
    budget = TrainingBudget(2)
    seen: list[float] = []
    engine = Engine(lambda *_: seen.append(budget.progress(engine)))
    budget.attach(engine)
    engine.run(range(2), max_epochs=2)
    engine.run(range(2), max_epochs=4)  # the next round of a federated client
    assert seen == [0, 0.25, 0.5, 0.75] * 2


def test_fewer_epochs_keep_the_schedule():
    budget = TrainingBudget(2)
    budget.load_state_dict({"epochs": 4, "seconds": 1.0})
    engine = Engine(lambda *_: None)
    engine.state.epoch_length, engine.state.iteration, engine.state.max_epochs = 5, 11, 2
    assert budget.progress(engine) == 10 / 20


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: TrainingBudget(0), "epochs is 0"),
        (lambda: TrainingBudget(None, minutes=0), "minutes is 0"),
        (lambda: TrainingBudget(None, minutes=math.nan), "minutes is nan"),
        (lambda: TrainingBudget(None, minutes=math.inf), "minutes is inf"),
        (lambda: TrainingBudget(3, minutes=1), "give one of them"),
        (lambda: TrainingBudget(None), "give one of them"),
        (lambda: LearningRateSchedule(None, TrainingBudget(1), "cosin"), "did you mean 'cosine'"),
        (lambda: LearningRateSchedule(None, TrainingBudget(1), warmup=1), "warmup is 1"),
    ],
)
def test_wrong_settings_are_refused(call, message):
    with pytest.raises(WrongCallError, match=message):
        call()
