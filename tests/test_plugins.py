"""Models of other packages: a small one, entered as an installer would, keeps the contract and is used by its name."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import escalation
from escalation.cli import main
from escalation.errors import DataWarning, FitError, InputError
from escalation.models.contract import calls
from escalation.models.contract.model_check import check_model
from escalation.models.plugins import GROUP
from escalation.models.registry import MODELS, every_model, get_model, list_models

PLUGIN = Path(__file__).with_name("plugin")
ROOT = Path(escalation.__file__).parents[1]


def install(folder: Path, package: str, entries: dict[str, str], group: str = GROUP) -> Path:
    """Write what an installer writes of a package's entry points."""
    info = folder / f"{package.replace('-', '_')}-0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.1\n")
    lines = [f"{name} = {value}" for name, value in entries.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Give a folder in which the package of tests/plugin is installed as its pyproject.toml says."""
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    folder = install(tmp_path_factory.mktemp("site"), project["name"], project["entry-points"][GROUP])
    (folder / "escalation_discounted.py").write_text((PLUGIN / "escalation_discounted.py").read_text())
    return folder


def environment(site: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(site)])}


def run(site: Path, *command: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], env=environment(site), capture_output=True, text=True, **options)


def test_the_package_is_small():
    lines = [line for path in PLUGIN.iterdir() if path.is_file() for line in path.read_text().splitlines()]
    assert len([line for line in lines if line.strip()]) <= 60


def test_it_is_found_checked_and_stands_in_the_list(site, monkeypatch):
    monkeypatch.syspath_prepend(str(site))
    assert "discounted_rate" in MODELS and "discounted_rate" in list(MODELS)
    assert list_models().loc["discounted_rate"].tolist() == ["series", "escalation-discounted"]
    model = get_model("discounted_rate")
    assert model.discount == 0.95
    assert len(check_model(model)) == 14
    assert "discounted_rate" in [one.name for one in every_model()]
    with pytest.raises(InputError, match=r"use one of .*discounted_rate"):
        get_model("arima")


def test_its_rate_is_that_of_a_plain_loop(site, monkeypatch):
    monkeypatch.syspath_prepend(str(site))
    counts = pd.Series([4, 0, 3, 9, 2], index=pd.period_range("2024-01", periods=5, freq="M"))
    a, b = 0.5 + sum(0.95 ** (4 - k) * y for k, y in enumerate(counts)), 0.5 * 5 / 18.5
    b += sum(0.95**k for k in range(5))
    assert get_model("discounted_rate").fit(counts).params["rate"] == pytest.approx(a / b, rel=1e-12)


def test_auto_model_takes_it_among_all_models(site, monkeypatch):
    """With the other candidates set aside, which take long: what is looked at is that it comes by itself."""
    monkeypatch.syspath_prepend(str(site))
    keep = {"discounted_rate", "climatology", "poisson"}
    monkeypatch.setattr(MODELS, "_classes", {name: kind for name, kind in MODELS._classes.items() if name in keep})
    index = pd.period_range("2022-01-03", periods=60, freq="W-SUN")
    counts = pd.Series([3, 5, 4, 2, 6, 4] * 10, index=index)
    choice = escalation.auto_model(counts, origins=8, horizon=2, draws=200, rng=1)
    assert set(choice.scores.index) == keep


def test_commands_take_it_by_its_name(site, tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{day.date()},1\n" for day in pd.date_range("2023-01-02", "2023-12-31", freq="2D"))
    (tmp_path / "incidents.csv").write_text("date,fatalities\n" + rows)
    command = ["forecast", "incidents.csv", "--model"]
    assert main([*command, "discounted_rate", "--format", "csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 9
    assert main([*command, "discounted"]) == 2
    wrong = capsys.readouterr().err
    assert "discounted_rate" in wrong and "Traceback" not in wrong


@pytest.mark.slow
def test_the_contract_of_our_own_models_runs_over_it_by_itself(site):
    done = run(
        site,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        "discounted_rate",
        "tests/test_models_contract.py",
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(done.stdout.rsplit(" passed", 1)[0].split()[-1]) > 35


BROKEN = """
from dataclasses import dataclass
import numpy as np
from escalation.models import Climatology, CountModel

class NoModel:
    pass

@dataclass(frozen=True)
class Renamed(Climatology):
    name = "another"

class Unwritten(CountModel):
    name = "unwritten"

@dataclass(frozen=True)
class Demanding(Climatology):
    window: int
    name = "demanding"
"""


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("gone", "no_such_module_here:Model", "cannot be loaded: ModuleNotFoundError: No module named"),
        ("absent", "broken_models:Absent", "cannot be loaded: AttributeError"),
        ("no_model", "broken_models:NoModel", r"\(broken_models:NoModel\) is no CountModel"),
        ("renamed", "broken_models:Renamed", "calls itself 'another'"),
        ("unwritten", "broken_models:Unwritten", "has no distributions, estimate, simulate; its author"),
        ("demanding", "broken_models:Demanding", "cannot be made with its default options: TypeError"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_package(name, value, message, tmp_path, monkeypatch):
    install(tmp_path, "broken-models", {name: value})
    (tmp_path / "broken_models.py").write_text(textwrap.dedent(BROKEN).replace("window: int\n", "window: int = None\n"))
    if name == "demanding":
        text = (tmp_path / "broken_models.py").read_text()
        text = text.replace("window: int = None", "def __post_init__(self):\n        raise TypeError('give a window')")
        (tmp_path / "broken_models.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "broken_models", raising=False)
    with pytest.raises(InputError, match=message) as raised:
        get_model(name)
    assert f"model {name!r} of the package broken-models" in str(raised.value)
    with pytest.warns(DataWarning, match="it is left out"):
        assert name not in [one.name for one in every_model()]


def test_two_packages_with_one_name_are_both_named(tmp_path, monkeypatch):
    install(tmp_path, "one", {"twice": "a:B"})
    install(tmp_path, "two", {"twice": "c:D"})
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InputError, match="'twice' is claimed by the packages one, two; uninstall all but one"):
        get_model("twice")
    assert list_models().loc["twice", "package"] == "one and two"


def test_a_name_of_our_own_stays_our_own(tmp_path, monkeypatch):
    install(tmp_path, "other", {"poisson": "no_such_module_here:Poisson"})
    monkeypatch.syspath_prepend(str(tmp_path))
    assert get_model("poisson") == escalation.Poisson()
    assert list_models().loc["poisson", "package"] == "escalation (that of other is not used)"
    assert list(MODELS).count("poisson") == 1


@pytest.mark.parametrize("name", ["poisson", "climatology", "local_level", "last_value", "ingarch"])
def test_our_own_models_pass_the_public_check(name):
    assert len(check_model(get_model(name))) == 14


def test_the_check_names_all_that_is_wrong():
    class Sloppy(escalation.Climatology):
        def simulate(self, estimate, design, draws, rng):
            return super().simulate(estimate, design, draws, rng) - 30

        def distributions(self, estimate, counts):
            raise ValueError("nothing")

    with pytest.raises(InputError, match=r"does not keep the contract in 10 of 14 checks") as raised:
        check_model(Sloppy())
    said = str(raised.value)
    for words in ("the methods take", "forecasts go on", "distributions are probabilities: TypeError", "awkward"):
        assert words in said
    assert said.count("which is no count") < 6, "one fault is said once"
    with pytest.raises(InputError, match="model is a str; give a CountModel"):
        check_model("poisson")


def broken(**methods: object) -> escalation.Climatology:
    """Make a model of another package with some methods replaced."""
    return type(
        "Broken", (escalation.Climatology,), {"name": "broken", "__module__": "their_package.models", **methods}
    )()


MONTHS = pd.Series([3, 5, 4, 2, 6, 4] * 10, index=pd.period_range("2019-01", periods=60, freq="M"))
DRAW = escalation.Climatology.simulate


def leave(*_: object) -> None:
    raise SystemExit(7)


def refuse(*_: object) -> None:
    raise FitError("nothing can be seen here")


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"simulate": lambda *given: DRAW(*given).T}, r"gave paths of the shape \(4, 50\) in place of \(50, 4\)"),
        ({"simulate": lambda *given: DRAW(*given) - 30}, r"drew -2\d, which is no count in simulate"),
        ({"simulate": lambda *given: DRAW(*given) + 0.5}, r"drew \d\.5, which is no count"),
        ({"simulate": lambda *given: DRAW(*given) * np.nan}, "drew nan, which is no count"),
        ({"simulate": lambda *given: DRAW(*given) * 2.0**70}, r"drew .*e\+2\d, which is no count"),
        ({"simulate": lambda *given: DRAW(*given).tolist()}, "gave list and no array of numbers"),
        ({"simulate": leave}, r"failed in simulate \(SystemExit: 7\)"),
        ({"estimate": lambda *_: 1 / 0}, r"failed in estimate_all \(ZeroDivisionError: division by zero\)"),
        ({"estimate": lambda *_: None}, "gave a NoneType and no Estimate"),
        ({"estimate": refuse}, "of the package their_package: nothing can be seen here"),
    ],
)
def test_what_a_model_of_another_package_does_wrong_names_it(methods, message):
    model = broken(**methods)
    with pytest.raises(FitError, match=message) as raised:
        model.fit(MONTHS).forecast(4, draws=50, rng=1)
    assert "the model 'broken' of the package their_package" in str(raised.value)
    with pytest.raises(InputError, match="does not keep the contract"):
        check_model(model)


def test_a_backtest_goes_on_without_a_model_that_fails():
    models = {"broken": broken(estimate=lambda *_: 1 / 0), "climatology": escalation.Climatology()}
    result = escalation.backtest(models, MONTHS, origins=8, horizon=2, draws=50, rng=1)
    assert result.table().index.tolist() == ["climatology"]
    assert set(result.failures["model"]) == {"broken"}
    assert result.failures["error"].str.contains("ZeroDivisionError").all()


def test_a_store_is_not_taken_up_by_other_code_of_a_model(site, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(site))
    options = {"origins": 8, "horizon": 2, "draws": 50, "rng": 1, "store": tmp_path / "store"}
    escalation.backtest([get_model("discounted_rate")], MONTHS, **options)
    escalation.backtest([get_model("discounted_rate")], MONTHS, **options)
    source = sys.modules["escalation_discounted"].__file__
    monkeypatch.setattr(calls, "_source", lambda of: Path(source).read_text() + "# edited")
    with pytest.raises(InputError, match="holds a backtest with other models"):
        escalation.backtest([get_model("discounted_rate")], MONTHS, **options)
