"""No class or function of ours has a name that MONAI has.

MONAI resolves a bare ``_target_`` by scanning all modules whose name begins with "monai", ours among them; which of two
equal names wins would depend on the order of imports.
"""

import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import monai_tumor


def modules_of_ours() -> list[ModuleType]:
    found = pkgutil.walk_packages(monai_tumor.__path__, "monai_tumor.")
    # A module named __main__ runs when it is imported.
    return [importlib.import_module(entry.name) for entry in found if not entry.name.endswith("__main__")]


def names_of(module: ModuleType) -> set[str]:
    members = inspect.getmembers(module, lambda item: inspect.isclass(item) or inspect.isfunction(item))
    return {name for name, item in members if item.__module__ == module.__name__}


def test_our_names_never_meet_those_of_monai() -> None:
    pytest.importorskip("monai.bundle")
    from monai.bundle.config_item import ComponentLocator

    locator = ComponentLocator(excludes=["monai_tumor"])
    table = locator._find_classes_or_functions(locator._find_module_names())
    assert {"UNet", "Dataset", "DiceMetric"} <= table.keys()
    shared = {module.__name__: sorted(names_of(module) & table.keys()) for module in modules_of_ours()}
    assert {module: names for module, names in shared.items() if names} == {}
