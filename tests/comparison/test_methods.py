"""Names of networks and recipes become methods; mistakes are one line."""

from pathlib import Path

import pytest

from monai_tumor.comparison.methods import named_methods
from monai_tumor.errors import WrongCallError


def test_networks_come_first_and_files_are_named_by_their_stem(tmp_path: Path) -> None:
    (tmp_path / "my.json").write_text('{"lr": 0.01}')
    methods = named_methods(["unet", "monai_unet"], ["unet-128", str(tmp_path / "my.json")])
    assert [method.name for method in methods] == ["unet", "monai_unet", "unet-128", "my"]
    assert methods[0].words == ["--network", "unet"]
    assert methods[3].words == ["--recipe", str(tmp_path / "my.json")]


def test_equal_overlays_are_equal_however_they_are_written(tmp_path: Path) -> None:
    texts = ('{"lr": 0.01, "epochs": 3}', '{\n "epochs": 3,\n "lr": 0.01\n}', '{"lr": 0.02, "epochs": 3}')
    described = []
    for text in texts:
        (tmp_path / "my.json").write_text(text)
        described.append(named_methods([], [str(tmp_path / "my.json")])[0].described())
    assert described[0] == described[1] != described[2]


@pytest.mark.parametrize(
    ("networks", "recipes", "told"),
    [
        ([], [], "there is nothing to compare"),
        (["unett"], [], "unknown network 'unett'; did you mean 'unet'?"),
        ([], ["unet-129"], "unknown recipe 'unet-129'; did you mean"),
        (["unet", "unet"], [], "two methods are called 'unet'"),
        (["unet"], ["unet.json"], "two methods are called 'unet'"),
        ([], ["list.json"], "holds a list, expected an object"),
        ([], ["cut.json"], "cannot be read as JSON"),
        ([], ["comparison-settings.json"], "a method cannot be called 'comparison-settings'"),
        ([], ["my recipe.json"], "a method cannot be called 'my recipe'"),
    ],
)
def test_mistakes_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, networks: list[str], recipes: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    texts = {"list.json": "[]", "cut.json": "{"}
    for name in ("unet.json", "list.json", "cut.json", "comparison-settings.json", "my recipe.json"):
        Path(name).write_text(texts.get(name, "{}"))
    with pytest.raises(WrongCallError, match="^" + told.replace("?", r"\?") if told[0] == "u" else told):
        named_methods(networks, recipes)
