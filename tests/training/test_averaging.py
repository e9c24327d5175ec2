"""The average of weights along the training."""

from __future__ import annotations

import pytest
import torch
from ignite.engine import Engine
from torch import nn

from monai_tumor.errors import WrongCallError
from monai_tumor.training import WeightAverage


def steps(average: WeightAverage, values: list[float]) -> None:
    """Set the weight of the trained network before each step."""
    for step, value in enumerate(values, start=1):
        with torch.no_grad():
            average.trained.weight.fill_(value)
        engine = Engine(lambda *_: None)
        engine.state.iteration = step
        average.add(engine)


def test_by_hand():
    network = nn.Linear(1, 1)
    with torch.no_grad():
        network.weight.fill_(0.0)
    average = WeightAverage(network, decay=0.2)
    steps(average, [1.0, 3.0])  # decay is 2/11 at the first step, 0.2 from the second on
    assert float(average.network.weight) == pytest.approx(0.2 * (9 / 11) + 0.8 * 3)
    assert float(network.weight) == 3


def test_batch_statistics_are_averaged_and_batches_counted():
    network = nn.Sequential(nn.BatchNorm2d(2))
    average = WeightAverage(network, decay=0.5)
    network(torch.full((4, 2, 3, 5), 7.0))
    engine = Engine(lambda *_: None)
    engine.state.iteration = 100
    average.add(engine)
    assert average.network[0].running_mean.tolist() == pytest.approx([0.35, 0.35])
    assert int(average.network[0].num_batches_tracked) == 1


def test_new_weights_from_elsewhere_are_where_it_begins():
    network = nn.Linear(1, 1)
    average = WeightAverage(network, decay=0.9)
    with torch.no_grad():
        network.weight.fill_(4.0)
    average.begin(Engine(lambda *_: None))
    assert float(average.network.weight) == 4


def test_without_decay_it_is_the_network_itself():
    network = nn.Linear(2, 1)
    average = WeightAverage(network)
    assert average.network is network
    assert average.state_dict() == {}


def test_a_state_goes_on_where_it_was():
    first, second = (WeightAverage(nn.Linear(1, 1), decay=0.9) for _ in range(2))
    steps(first, [5.0])
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.network.weight, second.network.weight)


def test_a_decay_that_is_no_share_is_refused():
    with pytest.raises(WrongCallError, match="average_decay is 1"):
        WeightAverage(nn.Linear(1, 1), decay=1)
