"""The program as a whole: what it costs to ask it something, and how mistakes end."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

import monai_tumor
from monai_tumor.bundles.running import DEBUG_VARIABLE
from monai_tumor.cli import main as main_module
from monai_tumor.cli.lazy import LazyHelp
from monai_tumor.cli.main import COMMANDS, INTERRUPTED, main
from monai_tumor.errors import WrongDataError

Program = Callable[..., Result]
Plugins = Callable[..., None]
ROOT = Path(monai_tumor.__file__).parents[1]
MOST_TIMES_CLICK = 3  # of the processor time that Python needs to start and import click


def python(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", str(ROOT)), **environment}
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, env=env)


def cpu_seconds(*words: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    python(*words)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def failing(error: BaseException) -> click.Command:
    @click.command()
    def command() -> None:
        raise RuntimeError("wrapped by a library") from error

    return command


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Make ``monai-tumor broken`` fail in a chosen way."""

    def install(error: BaseException) -> None:
        monkeypatch.setattr(main_module, "broken_for_this_test", failing(error), raising=False)
        monkeypatch.setitem(main.table, "broken", LazyHelp("monai_tumor.cli.main:broken_for_this_test", ""))

    return install


@pytest.mark.parametrize(
    "words", [["--help"], ["plugins", "list"], ["--version"], ["train", "--help"], ["data", "list"]]
)
def test_a_question_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom monai_tumor.cli.main import main\n"
        f"try: main({words!r})\nexcept SystemExit as stop: assert not stop.code\n"
        "print(sorted({'torch', 'monai', 'numpy', 'PIL', 'cv2'} & set(sys.modules)), file=sys.stderr)"
    )
    done = python("-c", code)
    assert done.stderr.strip() == "[]" and done.stdout


@pytest.mark.parametrize("words", [["--help"], ["plugins", "list"]])
def test_a_question_is_answered_at_once(words: list[str]) -> None:
    pairs = [(cpu_seconds("-m", "monai_tumor", *words), cpu_seconds("-c", "import click")) for _ in range(5)]
    ours, click_alone = map(min, zip(*pairs, strict=True))
    assert ours < MOST_TIMES_CLICK * click_alone


def test_every_command_is_in_the_help_and_can_be_loaded(program: Program) -> None:
    lines = program("--help").stdout
    assert all(f"  {name} " in lines and entry.help in lines for name, entry in COMMANDS.items())
    assert all(program(name, "--help").exit_code == 0 for name in COMMANDS)


def test_the_module_runs_like_the_program() -> None:
    assert python("-m", "monai_tumor", "--version").stdout == f"monai-tumor, version {monai_tumor.__version__}\n"


def test_an_unknown_command_is_answered_with_the_nearest(program: Program) -> None:
    result = program("trian")
    assert (result.exit_code, result.stderr) == (2, "error: unknown command 'trian'; did you mean 'train'?\n")


def test_our_error_inside_a_library_s_is_one_line(program: Program, broken: Callable[[BaseException], None]) -> None:
    broken(WrongDataError("scan.png is cut off; copy it again"))
    result = program("broken")
    assert (result.exit_code, result.stderr) == (2, "error: scan.png is cut off; copy it again\n")


def test_any_other_error_is_its_cause_and_a_hint(program: Program, broken: Callable[[BaseException], None]) -> None:
    broken(OSError(28, "No space left on device"))
    result = program("broken")
    assert result.exit_code == 1
    assert result.stderr == (
        "error: OSError: [Errno 28] No space left on device\nrun again with --debug for the traceback\n"
    )


@pytest.mark.parametrize("words", [["--debug", "broken"], ["broken", "--debug"]])
def test_debug_shows_the_traceback_wherever_it_stands(
    program: Program, broken: Callable[[BaseException], None], words: list[str]
) -> None:
    broken(WrongDataError("scan.png is cut off"))
    result = program(*words)
    assert result.exit_code == 2 and "error: scan.png is cut off\n" in result.stderr
    assert "Traceback" in result.stderr and "wrapped by a library" in result.stderr


def test_debug_can_be_switched_on_by_the_environment(
    program: Program, broken: Callable[[BaseException], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONAI_TUMOR_DEBUG", "1")
    broken(ValueError("odd"))
    assert "Traceback" in program("broken").stderr


def test_both_commands_have_one_switch() -> None:
    assert main_module.DEBUG_VARIABLE == DEBUG_VARIABLE


def test_control_c_ends_as_shells_expect(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def command() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main_module, "broken_for_this_test", command, raising=False)
    monkeypatch.setitem(main.table, "broken", LazyHelp("monai_tumor.cli.main:broken_for_this_test", ""))
    result = program("broken")
    assert (result.exit_code, result.stderr) == (INTERRUPTED, "error: interrupted\n")


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m monai_tumor bundle show brain --json | head -n 1"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, shell=True, capture_output=True, text=True, env=env)
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_options_are_understood_in_the_spelling_of_settings(program: Program) -> None:
    result = program("train", "brain", "--dataset_dir", "scans", "--show_command")
    assert "--dataset_dir scans" in result.stdout


def test_a_guest_command_is_listed_and_runs(program: Program, plugins: Plugins) -> None:
    plugins("greeter", "commands", "greet", "import click\n@click.command()\ndef thing(): click.echo('hello')\n")
    assert "greet  From the plug-in greeter." in program("--help").stdout
    assert program("greet").stdout == "hello\n"


def test_a_guest_cannot_replace_a_command_of_ours(program: Program, plugins: Plugins) -> None:
    plugins("greeter", "commands", "train", "import click\n@click.command()\ndef thing(): click.echo('hello')\n")
    assert "  greeter:train  From the plug-in greeter." in program("--help").stdout
    assert "Train a bundle" in program("train", "--help").stdout
    assert program("greeter:train").stdout == "hello\n"


def test_a_broken_plug_in_costs_nobody_anything(plugins: Plugins) -> None:
    plugins("wreck", "commands", "sink", "raise RuntimeError('leak below the water line')\n")
    assert "sink" in python("-m", "monai_tumor", "--help").stdout
    assert "wreck" in python("-m", "monai_tumor", "plugins", "list").stdout
    called = python("-m", "monai_tumor", "sink")
    assert called.returncode == 2 and called.stderr.count("\n") == 1
    assert "command 'sink' of wreck" in called.stderr and "leak below the water line" in called.stderr


def test_a_guest_that_is_no_command_is_named(program: Program, plugins: Plugins) -> None:
    plugins("odd", "commands", "odd", "thing = 3\n")
    assert program("odd").stderr == "error: command 'odd' is a int, expected a click command; update the plug-in\n"


def test_completion_knows_commands_of_plug_ins_without_importing_them(plugins: Plugins) -> None:
    plugins("wreck", "commands", "sink", "raise RuntimeError('no')\n")
    answer = python(
        "-m", "monai_tumor", _MONAI_TUMOR_COMPLETE="bash_complete", COMP_WORDS="monai-tumor s", COMP_CWORD="1"
    )
    assert answer.stdout == "plain,sink\n" and not answer.stderr


def test_everything_on_stdout_is_json_when_asked(program: Program) -> None:
    for words in (["plugins", "list"], ["data", "list"], ["bundle", "list"], ["bundle", "show", "brain"]):
        assert json.loads(program(*words, "--json").stdout)
