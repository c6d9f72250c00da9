# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access logs: the trees that hold them, and the reading of their lines.

It takes the hosts' tree or the tree of combined logs, and returns blocks of whole lines and the
fields and times in them. It does not decide which lines are counted.

It may import ``_base`` and ``_storage``.
"""
