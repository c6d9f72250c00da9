# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of all stages, in the order of a nightly run.

It takes the declarations of the stages, and returns them for everything that loops over stages: the
status, and the documents that are made from the code.

It may import the packages of all stages, and ``_base``.
"""
