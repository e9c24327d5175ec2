"""The folds that several trainings share: those of a file, those that were published, or cut here."""

from __future__ import annotations

from monai_tumor.audit.division import divide
from monai_tumor.datasets import RegisteredDataset, open_dataset
from monai_tumor.errors import WrongCallError
from monai_tumor.splits.split import Split, read_split


def cut_folds(dataset: str, dataset_dir: str | None, seed: int, count: int) -> Split:
    """Return ``count`` folds of a data set as ``data split --folds`` cuts them: published ones where there are as many.

    Raises:
        WrongCallError: The data set and its folder do not belong together, or ``count`` is below 3.
        WrongDataError: Files that cannot be read, or too few clusters.
    """
    opened = open_fitting(dataset, dataset_dir)
    published = () if dataset_dir is None else opened.published_folds(dataset_dir)
    return divide(opened, opened.cases(dataset_dir), seed, folds=count, published=published)


def given_folds(path: str, dataset: str | None) -> Split:
    """Return the folds in a file.

    Raises:
        WrongCallError: It divides into parts, or another data set.
        WrongDataError: It is no split file.
    """
    split = read_split(path)
    if not split.folds:
        raise WrongCallError(f"{path} divides into parts, not folds; make folds with: monai-tumor data split --folds 5")
    if dataset is not None and dataset != split.dataset:
        raise WrongCallError(f"{path} divides data set {split.dataset!r}, not {dataset!r}; leave --dataset out")
    return split


def open_fitting(name: str, dataset_dir: str | None) -> RegisteredDataset:
    """Return a data set that fits to whether a folder was given.

    Raises:
        WrongCallError: It needs one and there is none, or the other way round.
    """
    dataset = open_dataset(name)
    if (dataset_dir is None) == bool(dataset.layout):
        wrong = "needs its folder; give --dataset-dir DIR" if dataset.layout else "reads no folder; leave it out"
        raise WrongCallError(f"data set {name!r} {wrong}")
    return dataset
