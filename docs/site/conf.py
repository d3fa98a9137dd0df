"""Sphinx's configuration, for both languages: tools/build_site.py gives the language and the pages."""

from __future__ import annotations

import sys
from pathlib import Path

import kecoa

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

project = "kecoa"
author = "the kecoa authors"
version = release = kecoa.__version__.partition(" ")[0]
html_title = f"kecoa {version}"
show_authors = False
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "kecoa_docs"]
exclude_patterns = ["_*"]
nitpicky = False
language = "en"  # -D language=id
locale_dirs = ["../locale"]  # as tools/build_site.py lays the pages

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
# Blocks of languages that Pygments does not know, or that are only nearly one (`...` in JSON).
suppress_warnings = ["misc.highlighting_failure"]
highlight_language = "text"
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "undoc-members": True}
# What a class of SQLAlchemy says of its own attributes is not ours to show.
autodoc_inherit_docstrings = False
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
add_module_names = False
maximum_signature_line_length = 110
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_favicon = "static/icon.svg"
html_static_path = ["static"]
templates_path = ["templates"]
html_css_files = ["kecoa.css"]
html_js_files = [("language.js", {"defer": "defer"})]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/languages.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}
# Prompts and what a command prints are not copied.
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
copybutton_remove_prompts = True
copybutton_line_continuation_character = "\\"
copybutton_selector = "div:not(.highlight-output):not(.highlight-text) > div.highlight > pre"
