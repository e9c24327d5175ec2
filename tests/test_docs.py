"""What the pages say must be so: links, commands, settings, and the examples that readers copy."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from monai_tumor.bundles.find import PARTS, bundle_folder
from monai_tumor.bundles.running import known_settings
from monai_tumor.bundles.settings import check_settings, parse_settings
from monai_tumor.cli.main import main

ROOT = Path(__file__).resolve().parent.parent
PLACES = ("*.md", "docs/**/*.md", "bundles/*/README.md", "plugins/*/README.md")
PAGES = sorted(page.relative_to(ROOT).as_posix() for place in PLACES for page in ROOT.glob(place))
BRAIN = ROOT / "bundles" / "brain"
CONFIGURATIONS = [BRAIN / f"{part}.json" for part in PARTS]
GUEST_CONFIGURATIONS = [bundle_folder("breast_diagnosis") / f"{part}.json" for part in PARTS]
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|work|tmp|mnt|media|data|Users)\b|\b[A-Z]:\\|\bshared/")
SETTING = re.compile(r"^\| (`[^|]+`) \|", re.MULTILINE)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)


def shell_lines(start: str) -> list[tuple[str, list[str]]]:
    """Page and words of every command in a shell block that begins with ``start``."""
    found = []
    for page in PAGES:
        for block in blocks(page, "bash"):
            lines = [shlex.split(line) for line in block.replace("\\\n", " ").splitlines()]
            found += [(page, words) for words in lines if " ".join(words).startswith(start)]
    return found


def spans() -> list[tuple[str, list[str]]]:
    """Page and words of every command of ours that is quoted in a sentence or inside another command."""
    pattern = re.compile(r"(?:`|\$\()monai-tumor ([^`)]+)[`)]")
    return [(page, ["monai-tumor", *shlex.split(words)]) for page in PAGES for words in pattern.findall(prose_of(page))]


def prose_of(page: str) -> str:
    return re.sub(r"^```text\n.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)


def parsed(words: list[str]) -> click.Context:
    """Parse a command without running it."""
    command, parent = main, None
    name, *names = words
    while isinstance(command, click.Group):
        parent = click.Context(command, parent=parent, info_name=name, **command.context_settings)
        name, found, names = command.resolve_command(parent, names)
        assert found is not None, f"no such command: {' '.join(words)}"
        command = found
    return command.make_context(name, list(names), parent=parent)


def identifier(case: object) -> str:
    return " ".join(case)[:80] if isinstance(case, list) else str(case)


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_leads_somewhere(page):
    targets = re.findall(r"\]\((?!https?:|mailto:)([^)#\s]+)", text_of(page))
    missing = [target for target in targets if not ((ROOT / page).parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_a_path_of_a_machine(page):
    assert MACHINE_PATH.findall(text_of(page)) == []


@pytest.mark.parametrize(("page", "block"), [(page, block) for page in PAGES for block in blocks(page, "json")])
def test_json_in_pages_is_json(page, block):
    assert isinstance(json.loads(block), dict)


def test_every_page_of_the_docs_is_in_the_index():
    linked = set(re.findall(r"\]\(([^)#]+)\)", text_of("docs/index.md")))
    pages = {page.removeprefix("docs/") for page in PAGES if page.startswith("docs/")}
    assert pages - {"index.md"} <= linked


def test_the_first_page_names_the_two_commands():
    assert blocks("README.md", "bash")[0].split("\n")[:2] == ["make demo", "make test"]


@pytest.mark.parametrize(("page", "words"), shell_lines("monai-tumor "), ids=identifier)
def test_our_commands_parse(page, words):
    context = parsed(words)
    settings = parse_settings(context.params.get("words", ()))
    files = GUEST_CONFIGURATIONS if any("diagnosis" in word for word in words) else CONFIGURATIONS
    check_settings(files, {name: value for name, value in settings.items() if "network" not in name})


@pytest.mark.parametrize(("page", "words"), spans(), ids=identifier)
def test_quoted_commands_exist(page, words):
    try:
        context = parsed(words)
    except click.MissingParameter as error:  # a sentence may name a command without its arguments
        context = error.ctx
    assert context.command_path.split() == words[: len(context.command_path.split())]


@pytest.mark.parametrize(("page", "words"), shell_lines("python -m monai.bundle run"), ids=identifier)
def test_plain_commands_name_what_exists(page, words):
    options = [word.removeprefix("--") for word in words if word.startswith("--")]
    known = known_settings(BRAIN) | {"config_file", "tracking"}
    assert words[4] in known
    assert [name for name in options if name.split("#")[0] not in known] == []


def test_commands_were_found_at_all():
    assert len(shell_lines("monai-tumor ")) > 20
    assert len(shell_lines("python -m monai.bundle run")) > 3
    assert len(spans()) > 5
    assert [page for page in PAGES if blocks(page, "json")] != []


@pytest.mark.parametrize("part", PARTS)
def test_every_setting_is_described(part):
    page = text_of("docs/reference/settings.md")
    described = {name for row in SETTING.findall(page) for name in re.findall(r"`([^`]+)`", row)}
    wanted = {name.split("#")[0] for name in json.loads((BRAIN / f"{part}.json").read_text(encoding="utf-8"))}
    headings = set(re.findall(r"^### `([^`]+)`", page, re.MULTILINE))
    others = {"finalize"}  # several processes; described in a sentence
    assert wanted - described - headings - others == set()


def test_described_defaults_are_the_bundle_s():
    page, train = text_of("docs/reference/settings.md"), json.loads((BRAIN / "train.json").read_text(encoding="utf-8"))
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", page.split("## What the parts")[0], re.MULTILINE)
    stated = {name: default.strip("` ") for name, default in rows}
    plain = {name: str(value) for name, value in train.items() if isinstance(value, int | float)}
    assert {name: stated[name] for name in plain} == plain


EXAMPLES = {
    "docs/how-to/write-a-data-set.md": ("clinic_scans.py", "test_clinic_scans.py"),
    "docs/how-to/write-a-network.md": ("two_scale.py", "test_two_scale.py"),
}


@pytest.mark.parametrize("page", EXAMPLES)
def test_the_example_plugin_works(page, tmp_path):
    """As if installed: the files of the page, with the entry points of its pyproject.toml."""
    for name, code in zip(EXAMPLES[page], blocks(page, "python"), strict=True):
        (tmp_path / name).write_text(code, encoding="utf-8")
    project = tomllib.loads(blocks(page, "toml")[0])["project"]
    installed = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 0.1.0\n")
    points = [
        f"[{group}]\n{name} = {target}\n"
        for group, all_ in project["entry-points"].items()
        for name, target in all_.items()
    ]
    (installed / "entry_points.txt").write_text("".join(points))
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
