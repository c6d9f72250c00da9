# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The charts of the stage ``publish``: figures, Vega-Lite specifications, pictures, texts.

It takes totals and the CSV files of client addresses a day, and draws pictures. It returns the
specification, the text and the figures of each for its page.

It may import ``_base``, ``_storage``, ``_totals``, ``_condense``, ``_publish`` and ``_html``.
"""
