# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The template of the operator's page and its own rules of style.

They are Python text because a module takes only Python to a host.
"""

from __future__ import annotations

from .._html.base_style import BASE_RULES
from .._html.colours import colour_rules

TEMPLATE = """\
{% macro badge(state) %}<span class="badge {{ state | class_name }}">{{ state | words }}</span>{% endmacro %}

{% macro cell(state) %}<span class="cell"><span aria-hidden="true">{{ marks[state] }}</span><span class="aside">{{ state | words }}</span></span>{% endmacro %}

{% macro wide_table(caption, columns) %}
<div class="scroll" role="region" aria-label="{{ caption }}" tabindex="0">
<table>
<caption><span>{{ caption }}</span></caption>
<thead><tr>{% for title, kind in columns %}<th scope="col"{% if kind %} class="{{ kind }}"{% endif %}>{{ title }}</th>{% endfor %}</tr></thead>
<tbody>
{{ caller() -}}
</tbody>
</table>
</div>
{% endmacro %}

{% macro run_bars(drawing) %}
<svg width="{{ drawing.width }}" height="{{ drawing.height }}" viewBox="0 0 {{ drawing.width }} {{ drawing.height }}"
  role="img" aria-label="{{ drawing.label }}">
{%- for bar in drawing.bars %}<rect x="{{ bar.x }}" y="{{ bar.y }}" width="{{ bar.width }}" height="{{ bar.height }}"
  class="bar {{ bar.result | class_name }}"><title>{{ bar.title }}</title></rect>{% endfor -%}
<line x1="0" x2="{{ drawing.width }}" y1="{{ drawing.height - 0.5 }}" y2="{{ drawing.height - 0.5 }}" class="base"></line>
{%- if drawing.median is not none %}<line x1="0" x2="{{ drawing.width }}" y1="{{ drawing.median }}" y2="{{ drawing.median }}" class="median"></line>{% endif -%}
</svg>
{%- endmacro %}

{% macro room_bar(free_percent) %}
<svg width="100" height="10" viewBox="0 0 100 10" role="img" aria-label="{{ free_percent }} % free">
<rect width="100" height="10" rx="3" class="free"></rect>
<rect width="{{ (100 - free_percent) | round(1) }}" height="10" rx="3" class="taken"></rect></svg>
{%- endmacro %}

<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{{ status.state | upper }}: counting on {{ host }}</title>
<style>
{{ style | safe -}}
</style>
</head>
<body>
<header class="top">
<div class="wrap">
<h1>Counting on {{ host }}</h1>
<p class="verdict">{{ badge(status.state) }} {{ verdict }}</p>
</div>
</header>
<main class="wrap">
<dl class="overview">
{% for name, value in facts %}
<div><dt>{{ name }}</dt><dd>{{ value }}</dd></div>
{% endfor %}
</dl>

<section aria-labelledby="problems">
<h2 id="problems">Open problems</h2>
{% if status.problems %}
<ol class="problems">
{% for problem in status.problems %}
<li class="{{ problem.severity }}">{{ badge(problem.severity) }}<div>
<p class="what">{{ problem.what }}</p>
<p class="faint">{{ problem.next_step }}{% if problem.since %} <span class="keep">Since {{ problem.since | since }}.</span>{% endif %}</p>
</div></li>
{% endfor %}
</ol>
{% else %}
<p>None.</p>
{% endif %}
</section>

<section aria-labelledby="coverage">
<h2 id="coverage">Coverage</h2>
<div class="scroll calendar" role="region" aria-label="Coverage calendar" tabindex="0">
<table>
<caption><span>Day by day. Hosts that lack something come first.</span></caption>
<thead>
<tr><th rowspan="2" scope="col" class="name"><span class="aside">Name</span></th>
{%- for month in months %}<th colspan="{{ month.days }}" scope="colgroup" class="month">{{ month.title }}</th>{% endfor %}</tr>
<tr>{% for day in status.days %}<th scope="col" title="{{ day.strftime('%A') }}, {{ day }}">{{ day.day }}</th>{% endfor %}</tr>
</thead>
{% for group in groups %}
<tbody>
<tr class="group"><th scope="rowgroup" class="name">{{ group.title }}</th><td colspan="{{ status.days | length }}"></td></tr>
{% for row in group.rows %}
<tr><th scope="row" class="name" title="{{ row.name }}">{{ row.name }}</th>
{%- for one in row.cells %}<td class="{{ one.state }}" title="{{ one.title }}">{{ cell(one.state) }}</td>{% endfor %}</tr>
{% endfor %}
</tbody>
{% endfor %}
</table>
</div>
<ul class="legend" aria-label="Legend">
{% for state, meaning in legend %}
<li><span class="{{ state }}">{{ cell(state) }}</span><span>{{ state | words }}: {{ meaning }}</span></li>
{% endfor %}
</ul>
</section>

{% if weeks %}
<section aria-labelledby="weeks">
<h2 id="weeks">Weeks</h2>
{% call wide_table("The quality of each week, the newest first.",
  [("Week", ""), ("Quality", ""), ("Host-days", "number"), ("Hits", "number"), ("Days", ""), ("Remarks", "")]) %}
{% for week in weeks %}
<tr><th scope="row" class="keep">{{ week.name }}</th><td>{{ badge(week.state) }}</td>
<td class="number">{{ week.host_days }}</td><td class="number">{{ week.hits | thousands }}</td>
<td class="keep">{{ week.days }}</td><td class="remark">{{ week.remarks }}</td></tr>
{% endfor %}
{% endcall %}
</section>
{% endif %}

{% if status.steps %}
<section aria-labelledby="runs">
<h2 id="runs">Run times</h2>
{% call wide_table("The last run of each step, and the duration of its last runs. The dashed line is the median.",
  [("Step", ""), ("Result", ""), ("Took", "number"), ("Usually", "number"), ("Last runs", ""), ("Last started", "")]) %}
{% for step in status.steps %}
<tr><th scope="row" class="keep">{{ step.title }}</th><td>{{ badge(step.last.result) }}</td>
<td class="number">{{ step.last.seconds | seconds }}</td><td class="number">{{ step.usual_seconds | seconds }}</td>
<td>{{ run_bars(step | drawing) }}</td><td class="keep">{{ step.last.started | time }}</td></tr>
{% endfor %}
{% endcall %}
</section>
{% endif %}

<section aria-labelledby="folders">
<h2 id="folders">Folders</h2>
{% call wide_table("Used space, free space and reach of each folder. For trees of days, the space that the days above use.",
  [("Folder", ""), ("Used", "number"), ("Free", "number"), ("File system", ""), ("Reaches", ""), ("Place", "")]) %}
{% for tree in status.trees %}
<tr><th scope="row" class="keep">{{ tree.name }}</th><td class="number">{{ tree.used_bytes | bytes }}</td>
{%- if tree.free_percent is none %}<td class="number"></td><td></td>
{%- else %}<td class="number">{{ tree.free_bytes | bytes }}, {{ tree.free_percent }} %</td><td>{{ room_bar(tree.free_percent) }}</td>{% endif %}
<td class="keep">{% if tree.oldest %}{{ tree.oldest }} to {{ tree.newest }}{% endif %}</td>
<td class="path">{{ tree.path }}{% if tree.problem %}: {{ tree.problem }}{% endif %}</td></tr>
{% endfor %}
{% endcall %}
</section>

<section aria-labelledby="details">
<h2 id="details">Details</h2>
{% if reasons %}
<details>
<summary>Reasons, day by day</summary>
<ul class="reasons">
{% for one in reasons[:most_reasons] %}
<li>{{ one }}</li>
{% endfor %}
{% if reasons | length > most_reasons %}
<li>and {{ reasons | length - most_reasons }} more in status.json</li>
{% endif %}
</ul>
</details>
{% endif %}
{% if status.unmatched %}
<details>
<summary>Logs in the hosts' tree that no group combines</summary>
<ul class="reasons">
{% for log in status.unmatched %}
<li>{{ log.name }}: {{ log.hosts | join(", ") }}; newest of {{ log.newest }}</li>
{% endfor %}
</ul>
</details>
{% endif %}
{% if not reasons and not status.unmatched %}
<p>There are no further details.</p>
{% endif %}
</section>
</main>
<footer class="wrap bottom">
<p>All times are UTC. A day is the day on which logs were rotated. Its file holds mostly the requests of the day before.</p>
<p>For programs: <a href="status.json">status.json</a></p>
</footer>
</body>
</html>
"""

_CELLS_LIGHT = {
    "cell-good": "#bfe3c8",
    "cell-care": "#f4d48a",
    "cell-bad": "#e5534b",
    "on-bad": "#ffffff",
    "cell-none": "#eceff2",
}
_CELLS_DARK = {
    "cell-good": "#1f5a33",
    "cell-care": "#8a6414",
    "cell-bad": "#ff7b72",
    "on-bad": "#20080a",
    "cell-none": "#1d2228",
}

_RULES = """\
body { overflow-wrap: anywhere; }
table { overflow-wrap: normal; }
.top h1 { font-size: 1.4rem; margin: 0; }
.verdict { margin: 0; }
.faint { color: var(--faint); }
.bottom p { margin: .3rem 0; }
.overview { display: flex; flex-wrap: wrap; gap: .2rem 1.75rem; margin: 0; }
.overview div { display: flex; gap: .5rem; }
.overview dt { color: var(--faint); white-space: nowrap; }
.overview dd { margin: 0; }

.problems { list-style: none; margin: 0; padding: 0; display: grid; gap: .6rem; }
.problems li {
  display: grid; grid-template-columns: 6rem 1fr; gap: .25rem .9rem; padding: .7rem .9rem;
  background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  border-left: 5px solid var(--faint);
}
.problems .critical { border-left-color: var(--bad); }
.problems .warning { border-left-color: var(--care); }
.problems p { margin: 0; }
.problems .badge { border: 0; padding: .1rem 0; }
.what { font-weight: 550; }

td { vertical-align: middle; }
tbody th { vertical-align: middle; }
thead th { white-space: nowrap; }
.path, .remark { min-width: 21rem; overflow-wrap: anywhere; }
/* the caption stays in sight where the table is scrolled */
caption span { position: sticky; left: .75rem; }

/* the newest day is at the right: a narrow screen begins there */
.calendar { direction: rtl; }
.calendar > table { direction: ltr; }
.calendar th, .calendar td { padding: 0; border: 0; }
.calendar .name {
  position: sticky; left: 0; z-index: 1; background: var(--card); padding: 0 .75rem; width: 1%;
  max-width: 18rem; overflow: hidden; white-space: nowrap; text-overflow: ellipsis;
}
.calendar thead th { text-align: center; font-size: .78rem; font-weight: 500; }
.calendar thead .month {
  text-align: left; padding-left: .25rem; border-left: 1px solid var(--line); white-space: nowrap;
}
.calendar .group th { padding-block: .6rem .15rem; color: var(--faint); font-weight: 600; }
.calendar tbody:last-child tr:last-child > * { padding-bottom: .6rem; }
.calendar tr > :last-child { padding-right: .6rem; }
.cell {
  display: block; min-width: 1.45rem; height: 1.3rem; margin: 1px; border-radius: 3px;
  background: var(--cell-none); font-size: .82rem; font-weight: 700; line-height: 1.3rem;
  text-align: center;
}
.present > .cell { background: var(--cell-good); }
.partial > .cell, .late > .cell, .out_of_date > .cell { background: var(--cell-care); }
.missing > .cell, .blocked > .cell, .unreadable > .cell {
  background: var(--cell-bad); color: var(--on-bad);
}
.legend {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); gap: .3rem 1.1rem;
  margin: .75rem 0 0; padding: 0; list-style: none; font-size: .92rem;
}
.legend li { display: flex; align-items: center; gap: .4rem; }
.aside {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}

svg { display: block; }
.bar { fill: var(--accent); }
.bar.failed, .bar.never_finished { fill: var(--bad); }
.bar.unchanged { fill: var(--line); }
.base { stroke: var(--line); stroke-width: 1; }
.median { stroke: var(--text); stroke-width: 1; stroke-dasharray: 3 2; }
.free { fill: var(--cell-good); }
.taken { fill: var(--faint); }
.reasons { font-size: .92rem; padding-left: 1.2rem; margin-top: 0; }

@media (max-width: 40rem) {
  .overview { display: grid; grid-template-columns: auto 1fr; gap: .2rem .75rem; }
  .overview div { display: contents; }
  .problems li { grid-template-columns: 1fr; }
  .calendar thead .month { padding-right: .25rem; text-align: right; }
  .calendar .name { max-width: 8.5rem; padding: 0 .5rem; font-size: .85rem; }
  caption span { display: inline-block; max-width: calc(100vw - 4rem); }
}
"""

STYLE = colour_rules(_CELLS_LIGHT, _CELLS_DARK) + BASE_RULES + _RULES
