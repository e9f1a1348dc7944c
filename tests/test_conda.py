"""The conda recipe names what pyproject.toml does."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
OTHER_NAMES = {"matplotlib": "matplotlib-base"}  # the same without a window to draw in


def test_the_recipe_agrees_with_the_project():
    recipe = yaml.safe_load((ROOT / "conda" / "recipe.yaml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert recipe["context"]["version"] == project["version"]
    assert f">={recipe['context']['python_min']}" == project["requires-python"]
    assert recipe["about"]["summary"] == project["description"]
    assert recipe["about"]["license_file"] == project["license-files"]
    entry = [f"{name} = {target}" for name, target in project["scripts"].items()]
    assert recipe["build"]["python"]["entry_points"] == entry
    wanted = {}
    for one in project["dependencies"]:
        name, least = re.match(r"([\w-]+)>=([\d.,<]+)", one).groups()
        wanted[OTHER_NAMES.get(name, name)] = least  # where two are named, the later, which holds for every Python
    given = dict(one.split(" >=") for one in recipe["requirements"]["run"][1:])
    assert given == wanted
