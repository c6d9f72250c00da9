# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The common parts of all pages: colours, the base style, and the rendering of templates.

It takes templates and values, and returns HTML in which each value is escaped.

It may import ``_base``.
"""
