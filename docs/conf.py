"""How Sphinx builds the documentation."""

import re
from pathlib import Path

from diaphane._version import __version__

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"

project = "diaphane"
author = "the diaphane developers"
copyright = f"2026, {author}"
release = version = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", *(f"gallery/**/*.{kind}" for kind in ("ipynb", "json", "py", "zip"))]
templates_path = ["_templates"]

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3

autosummary_generate = True
autosummary_ignore_module_all = False
autosummary_imported_members = True
autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False

# The gallery runs every script of examples/; until there is one, there is no gallery.
if any(EXAMPLES.glob("*.py")):
    extensions.append("sphinx_gallery.gen_gallery")
    sphinx_gallery_conf = {
        "examples_dirs": str(EXAMPLES),
        "gallery_dirs": "gallery",
        "filename_pattern": r"\.py$",
        "ignore_pattern": r"(__init__|conftest)\.py$",
        "image_scrapers": ("matplotlib",),
        "remove_config_comments": True,
        "show_memory": False,
        "within_subsection_order": "FileNameSortKey",
    }

html_theme = "pydata_sphinx_theme"
html_title = "diaphane"
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
}
html_show_sourcelink = False


def setup(app):
    """Leave the gallery out of the contents while there are no examples; let formulas of docstrings be plain text."""
    app.connect("source-read", _without_empty_gallery)
    # After numpydoc, whose sections are markup by then.
    app.connect("autodoc-process-docstring", _plain_formulas, priority=600)


def _without_empty_gallery(app, name, source):
    if name == "index" and "sphinx_gallery.gen_gallery" not in app.extensions:
        source[0] = source[0].replace("gallery/index\n", "")


def _plain_formulas(app, what, name, thing, options, lines):
    """|a| is no substitution and coef_ no link, outside of code and examples."""
    example = False
    for i, line in enumerate(lines):
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        if not example:
            pieces = line.split("`")
            pieces[::2] = [TRAILING.sub(r"\1\\_", BAR.sub(r"\|", piece)) for piece in pieces[::2]]
            lines[i] = "`".join(pieces)


BAR = re.compile(r"(?<!\\)\|")
TRAILING = re.compile(r"(?<![\w*])(\w*[a-z])_(?=[\s,.;:)]|$)")
