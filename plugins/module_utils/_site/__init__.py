# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of the stage ``publish``, and the stage itself.

It takes published files and drawn charts, and returns the pages of the site.

It may import ``_base``, ``_storage``, ``_publish``, ``_html`` and ``_charts``.
"""
