"""Render the conda recipe as rattler-build does: render_recipe.py conda/recipe.yaml."""

import sys

from rattler_build import Stage0Recipe, VariantConfig


def main(path: str) -> int:
    rendered = Stage0Recipe.from_file(path).render(VariantConfig())
    for variant in rendered:
        made = variant.recipe.to_dict()
        package, needs = made["package"], made["requirements"]["run"]
        print(f"{package['name']} {package['version']} {made['build']['string']}: needs {', '.join(needs)}")
    return 0 if len(rendered) == 1 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
