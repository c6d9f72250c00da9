# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The style sheet, the script and the icon of the site.

They are Python text because a module takes only Python to a host. In the web root they are files.
"""

from __future__ import annotations

from .._html.base_style import BASE_RULES
from .._html.colours import LIGHT, colour_rules

_RULES = """\
main:focus { outline: none; }
.skip { position: absolute; left: 1rem; top: -4rem; padding: .5rem 1rem; background: var(--card); z-index: 1; }
.skip:focus { top: .5rem; }

.brand a { color: var(--text); text-decoration: none; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 0; padding: 0; list-style: none; }
.top nav a { display: inline-block; padding-block: .2rem; text-decoration: none; }
.top nav a:hover, .top nav a[aria-current] { text-decoration: underline; text-decoration-thickness: 2px; }
.top nav a[aria-current] { color: var(--text); }

.lead { max-width: 46rem; margin: 0 0 1.5rem; color: var(--faint); font-size: 1.08rem; }
.prose dd, .prose p { max-width: 46rem; }
code { font-size: .92em; overflow-wrap: anywhere; }
pre.method {
  margin: 0 0 1rem; padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere;
  background: var(--card); border: 1px solid var(--line); border-radius: 8px; font-size: .9rem;
}
.trail, .jump, .turn { margin-block: 1rem; font-size: .95rem; }
.trail li + li::before { content: "/ "; color: var(--faint); }
.trail ul { gap: .35rem; }
.turn { margin-top: 2.5rem; }
.turn ul { justify-content: space-between; }

.glances { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); align-items: start; }
.glance { padding: 1.25rem; max-width: 40rem; }
.glance p { margin: .25rem 0; }
.when, .change, .note { color: var(--faint); }
.note { font-size: .92rem; margin-top: .75rem !important; }
.big strong { font-size: 2.1rem; font-weight: 650; line-height: 1.2; font-variant-numeric: tabular-nums; }
.warning { color: var(--bad); }
.facts { margin: .75rem 0 1rem; }
.facts div { display: flex; justify-content: space-between; gap: 1rem; border-top: 1px solid var(--line); padding-block: .3rem; }
.facts dt { color: var(--faint); }
.facts dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
.terms dt { font-weight: 650; margin-top: 1rem; }
.terms dd { margin: .15rem 0 0; }
.states { max-width: 46rem; }
.states div { display: grid; grid-template-columns: 7.5rem 1fr; gap: .75rem; padding-block: .25rem; }
.states dd { margin: 0; }

.charts { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); align-items: start; }
figure { margin: 0; }
.chart { overflow: hidden; }
.paper { display: block; background: var(--card); }
.chart img { display: block; width: 100%; height: auto; }
figcaption { padding: .6rem 1rem .8rem; border-top: 1px solid var(--line); font-size: .95rem; }
.single figcaption { color: var(--faint); }
.hint { color: var(--faint); font-size: .95rem; }
#live { width: 100%; min-height: 20rem; }
@media (prefers-color-scheme: dark) {
  /* pictures are drawn on white: turned to dark, with their hues kept */
  .paper img { filter: invert(.905) hue-rotate(180deg) saturate(1.25); }
}

.scroll + details, details + .scroll { margin-top: .75rem; }
.tall { max-height: 34rem; overflow-y: auto; }
.tall thead th { position: sticky; top: 0; background: var(--card); min-width: 5.5rem; }
.weeks thead th:first-child { min-width: 6rem; }
.weeks tbody th, .columns code { white-space: nowrap; }
.files td:nth-child(2) { min-width: 14rem; }
.reason { margin: .15rem 0 0; max-width: 22rem; color: var(--faint); }
.glance caption { padding-left: 0; }
.glance th, .glance td { padding-inline: 0 .75rem; }
.glance tbody th { overflow-wrap: anywhere; }
.glance tr > :last-child { padding-right: 0; }

#vg-tooltip-element { display: none; }
#vg-tooltip-element.visible {
  display: block; position: fixed; z-index: 10; padding: .5rem .65rem; max-width: 24rem; pointer-events: none;
  background: var(--card); color: var(--text); border: 1px solid var(--line); border-radius: 6px;
  box-shadow: 0 2px 10px rgb(0 0 0 / 25%); font-size: .85rem;
}
#vg-tooltip-element table { width: auto; }
#vg-tooltip-element td { border: 0; padding: .05rem .25rem; }
#vg-tooltip-element td.key { color: var(--faint); text-align: right; }

@media (max-width: 40rem) { .states div { grid-template-columns: 1fr; gap: .1rem; } }
@media (max-width: 24rem) { h1 .keep { white-space: normal; } }
@media print {
  .top nav, .skip, .turn, .hint { display: none; }
  .tall { max-height: none; }
}
"""

STYLE = colour_rules() + BASE_RULES + _RULES

#: The picture stays where the script fails or does not run.
SCRIPT = """\
(function () {
  "use strict";
  var live = document.getElementById("live");
  var picture = document.getElementById("picture");
  var definition = document.getElementById("definition");
  if (!live || !picture || !definition || !window.vegaEmbed) { return; }
  var chart = JSON.parse(definition.textContent);
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  var options = {
    actions: false, ast: true, defaultStyle: false, logLevel: 1, mode: "vega", renderer: "svg",
    tooltip: { disableDefaultStyle: true },
    loader: { load: function () { return Promise.reject(new Error("nothing is loaded")); } }
  };
  function draw() {
    live.hidden = false;
    var spec = Object.assign({ data: chart.data }, dark.matches ? chart.dark : chart.light);
    return window.vegaEmbed(live, spec, options).then(function () {
      picture.hidden = true;
      document.getElementById("hint").hidden = false;
      live.setAttribute("role", "img");
      live.setAttribute("aria-label", picture.alt);
      live.querySelector("svg").setAttribute("aria-hidden", "true");
    }).catch(function (error) {
      live.hidden = true;
      picture.hidden = false;
      window.console.error(error);
    });
  }
  draw();
  dark.addEventListener("change", draw);
}());
"""

ICON = f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" \
fill="{LIGHT["accent"]}"/><path d="M3 12V9h2v3zm4 0V6h2v6zm4 0V3h2v9z" fill="#fff"/></svg>
"""

#: Allow only the site's own files: no inline script or style, no evaluated code, no network.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
