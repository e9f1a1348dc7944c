"""Settings of the documentation site; ``sphinx-build -W docs site`` builds it.

Pages that follow from the package (its names, commands, codebook, changes and notebooks) are written by
``generated_pages.py`` into ``docs/built`` before Sphinx looks for pages.  Notebooks are shown as they are found: those
of ``NOTEBOOKS``, a folder of executed ones, or else ours, which are kept without outputs.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import generated_pages

import escalation

project = "escalation"
author = "The escalation developers"
copyright = author  # noqa: A001
version = release = escalation.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "mathml",
    "numpydoc",
    "myst_nb",
]
exclude_patterns = ["_templates", "README.md"]
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme = "pydata_sphinx_theme"
html_title = f"escalation {version}"
html_theme_options = {
    "navbar_align": "left",
    "show_toc_level": 2,
    "navigation_depth": 3,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {  # no list of the pages below where there are none
    page: [] for page in ("index", "start", "coming-from", "methods", "glossary")
}
html_show_sourcelink = False
html_copy_source = False

autodoc_typehints = "none"
autodoc_default_options = {"members": True, "inherited-members": "Exception,Mapping"}
autosummary_generate = True
numpydoc_show_class_members = False
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"
suppress_warnings = ["mystnb.unknown_mime_type", "config.cache"]
html_math_renderer = "mathml"

root = Path(__file__).resolve().parents[1]
generated_pages.write(root, Path(os.environ.get("NOTEBOOKS", root / "notebooks")))
