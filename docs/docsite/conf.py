# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Sphinx builds the site. `make docs` puts its sources together and runs it; see tests/dev/docs."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).parent

project = "vmscale.kubevirt"
copyright = "vmscale.kubevirt contributors"
html_title = html_short_title = "vmscale.kubevirt"

extensions = ["myst_parser", "sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
default_role = "any"
nitpicky = True

# Links to headings within the pages of docs/, as the repository shows them.
myst_heading_anchors = 4
myst_links_external_new_tab = False

# What is named of other collections. The file says where it is, so that nothing is fetched while building.
intersphinx_mapping = {"ansible": ("https://docs.ansible.com/projects/ansible/latest/", os.environ["VMSCALE_ANSIBLE_INVENTORY"])}

pygments_style = "ansible"
highlight_language = "none"

html_theme = "sphinx_ansible_theme"
html_theme_options = {"show_rtd_ethical_ads": False, "collapse_navigation": True, "titles_only": True}
html_static_path = [str(HERE / "static")]
html_css_files = ["site.css"]
templates_path = [str(HERE / "templates")]
html_show_sphinx = False
html_use_index = False
html_copy_source = False
html_use_smartypants = False
