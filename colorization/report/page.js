"use strict";
const D = /*DATA*/null;
const $ = id => document.getElementById(id), NS = "http://www.w3.org/2000/svg";
const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#8c8c00", "#a0522d", "#708090"];
const colour = run => colours[D.runs.indexOf(run) % colours.length] || "#888";
const el = (tag, attributes = {}, ...children) => { const e = document.createElement(tag); for (const [k, v] of Object.entries(attributes)) k.startsWith("on") ? e.addEventListener(k.slice(2), v) : e.setAttribute(k, v); e.append(...children); return e };
const shape = (parent, tag, attributes, text) => { const e = document.createElementNS(NS, tag); for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v); if (text !== undefined) e.textContent = text; parent.append(e); return e };
const num = (x, width) => x == null ? "–" : Math.abs(x) >= 100 ? x.toFixed(1) : x.toFixed(width > 0 ? Math.min(Math.max(3, 1 - Math.floor(Math.log10(width))), 6) : 3);
const arrow = m => ({higher: " ↑", lower: " ↓"})[D.better[m]] || "";
const fill = (select, options, chosen) => { select.replaceChildren(...options.map(([v, t]) => el("option", {value: v}, t))); if (chosen !== undefined) select.value = chosen };
const same = list => list.map(x => [x, x]);
const named = text => { const parts = text.split(/(?<=[_\-\/.:])/), e = document.createDocumentFragment(); parts.forEach((p, i) => { if (i) e.append(document.createElement("wbr")); e.append(p) }); return e };  // breaks between words alone
const single = D.runs.length === 1;

const a = D.about;
$("about").textContent = `${D.runs.length} ${D.runs.length === 1 ? "run" : "runs"} on ${a.data} ${a.split}: ${a.pictures} pictures (${a.grey_pictures} without colour), protocol ${a.protocol}, fingerprint ${a.fingerprint}.`;
$("baseline").textContent = D.baseline;
if (single) { $("title").textContent = `Run ${D.runs[0]}`; document.title = `colorization: ${D.runs[0]}`; $("against").hidden = $("differ").hidden = true }
const bounded = Object.values(D.kinds).filter(k => k !== "run").length;
$("boundsl").textContent = `floors, which need no network, and ceilings, the truth with its colour made coarse (${bounded})`;
$("bounds").checked = single; $("bounds").parentElement.hidden = !bounded;

function verdict(td, c, m) {
  const real = c.p < .05, win = D.better[m] === "none" ? "" : (c.difference > 0) === (D.better[m] === "higher") ? "good" : "bad";
  const w = c.high - c.low;
  td.append(el("small", {class: real ? win : ""}, `${c.difference > 0 ? "+" : ""}${num(c.difference, w)} [${num(c.low, w)}, ${num(c.high, w)}]`), el("small", {}, real ? `p = ${c.p.toPrecision(2)}, wins ${Math.round(100 * c.wins)}%` : "not distinguishable"));
  return td }
function cell(c, m) {
  if (!c) return el("td", {}, "–");
  const w = c.high - c.low, td = el("td", {}, num(c.mean, w), ...(c.low == null ? [] : [el("small", {}, `[${num(c.low, w)}, ${num(c.high, w)}]`)]));
  return c.against ? verdict(td, c.against, m) : td }

let sorted = {metric: null, down: false};
function scores(focus) {
  const names = Object.keys(D.cells), value = n => { const c = D.cells[n][sorted.metric]; return c ? c.mean : sorted.down ? -Infinity : Infinity };
  if (sorted.metric) names.sort((p, q) => (value(p) - value(q)) * (sorted.down ? -1 : 1));
  const head = el("tr", {}, el("th", {scope: "col"}, "run"), ...D.metrics.map(m => {
    const button = el("button", {onclick: () => { sorted = {metric: m, down: sorted.metric === m ? !sorted.down : D.better[m] === "higher"}; scores(m) }}, m + arrow(m)), th = el("th", {scope: "col"}, button);
    if (D.units[m]) th.append(el("small", {style: "color:var(--soft);font-weight:400"}, " " + D.units[m]));
    if (sorted.metric === m) th.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
    if (focus === m) setTimeout(() => button.focus());
    return th }));
  $("scores").replaceChildren(el("thead", {}, head), el("tbody", {}, ...names.map(name => {
    const kind = D.kinds[name], first = el("td", {}, named(name)), row = el("tr", {class: kind}, first, ...D.metrics.map(m => cell(D.cells[name][m], m)));
    if (kind !== "run") first.append(el("small", {}, kind));
    row.hidden = kind !== "run" && !$("bounds").checked;
    return row })));
}
$("bounds").addEventListener("change", () => scores());
scores();

const methods = Object.keys(D.methods);
if (methods.length) {
  const pairs = new Map();
  for (const d of D.pairs) { const k = `${d.run} against ${d.other}`; if (!pairs.has(k)) pairs.set(k, {}); pairs.get(k)[d.metric] = d.comparison }
  const ms = D.metrics.filter(m => methods.some(n => D.methods[n][m]));
  $("over").hidden = false;
  $("methods").append(el("thead", {}, el("tr", {}, el("th", {}, "method"), ...ms.map(m => el("th", {}, m + arrow(m))))), el("tbody", {},
    ...methods.map(n => el("tr", {}, el("td", {}, named(n), el("small", {}, `${D.seeds[n].length} seeds`)), ...ms.map(m => cell(D.methods[n][m], m)))),
    ...[...pairs].map(([k, c]) => el("tr", {}, el("td", {}, named(k)), ...ms.map(m => c[m] ? verdict(el("td"), c[m], m) : el("td", {}, "–"))))));
}

const keys = Object.keys(D.settings);
$("settings").append(...(keys.length ? [el("thead", {}, el("tr", {}, el("th", {}, "setting"), ...D.runs.map(r => el("th", {}, named(r))))), el("tbody", {}, ...keys.map(k => el("tr", {}, el("td", {}, named(k)), ...D.settings[k].map(v => el("td", {}, v == null ? "–" : typeof v === "object" ? JSON.stringify(v) : String(v))))))] : [el("tbody", {}, el("tr", {}, el("td", {}, "none")))]));

const least = v => v.reduce((p, q) => Math.min(p, q), Infinity), most = v => v.reduce((p, q) => Math.max(p, q), -Infinity);
const tick = v => v >= 10000 ? Number((v / 1000).toPrecision(4)) + "k" : Number(v.toPrecision(6));
function ticks(low, high) {  // round numbers, about five of them
  const least = (high - low) / 6, power = 10 ** Math.floor(Math.log10(least)), step = power * [1, 2, 5, 10].find(s => s * power >= least), first = Math.ceil(low / step);
  return Array.from({length: Math.floor(high / step) - first + 1}, (_, i) => (first + i) * step) }
function axes(svg, xs, ys, xlabel, ylabel) {
  const width = svg.clientWidth || 900, height = Number(svg.getAttribute("height")), l = 62, t = 30, w = width - l - 20, h = height - t - 52;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`); svg.replaceChildren();
  const range = v => { const lo = least(v), hi = most(v); return lo === hi ? [lo - 1, hi + 1] : [lo, hi] };
  const [x0, x1] = range(xs), [y0, y1] = range(ys), X = x => l + w * (x - x0) / (x1 - x0), Y = y => t + h * (1 - (y - y0) / (y1 - y0));
  for (const y of ticks(y0, y1)) { shape(svg, "line", {x1: l, x2: l + w, y1: Y(y), y2: Y(y), stroke: "var(--line)"}); shape(svg, "text", {x: l - 6, y: Y(y) + 4, "text-anchor": "end"}, tick(y)) }
  for (const x of ticks(x0, x1)) shape(svg, "text", {x: X(x), y: t + h + 18, "text-anchor": "middle"}, tick(x));
  shape(svg, "text", {x: l + w / 2, y: t + h + 38, "text-anchor": "middle"}, xlabel); shape(svg, "text", {x: 8, y: t - 12}, ylabel);
  return [X, Y] }
function lines(svg, drawn, xlabel, ylabel) {
  const all = drawn.flatMap(([, p]) => p);
  if (!all.length) { svg.replaceChildren(); shape(svg, "text", {x: 20, y: 40}, "no curves recorded"); return }
  const [X, Y] = axes(svg, all.map(p => p[0]), all.map(p => p[1]), xlabel, ylabel);
  for (const [r, p] of drawn) { shape(svg, "polyline", {points: p.map(([x, y]) => `${X(x)},${Y(y)}`).join(" "), fill: "none", stroke: colour(r), "stroke-width": 2}); if (p.length < 30) for (const [x, y] of p) shape(shape(svg, "circle", {cx: X(x), cy: Y(y), r: 3, fill: colour(r)}), "title", {}, `${r}: ${num(y)}`) }
}
const curveNames = [...new Set(D.runs.flatMap(r => Object.keys(D.curves[r] || {})))].filter(k => !k.startsWith("test/"));
fill($("curve"), same(curveNames), curveNames.includes("val/psnr") ? "val/psnr" : curveNames[0]);
$("legend").append(...D.runs.map(r => el("span", {class: "key"}, el("i", {style: `background:${colour(r)}`}), named(r))));
const curves = () => lines($("curves"), D.runs.map(r => [r, ((D.curves[r] || {})[$("curve").value] || []).filter(p => p[1] != null)]).filter(([, p]) => p.length), "pictures seen", $("curve").value);
const hinted = Object.keys(D.hints);
$("hinted").hidden = !hinted.length;
const hints = () => hinted.length && lines($("hints"), hinted.map(r => [r, Object.entries(D.hints[r]).map(([n, v]) => [Number(n), v]).sort((p, q) => p[0] - q[0])]), "points given", "psnr");
$("curve").addEventListener("change", curves);

const columns = Object.keys(D.values), second = D.runs[1] || D.grey;
for (const [id, v] of [["xr", second], ["yr", D.runs[0]]]) fill($(id), same(columns), columns.includes(v) ? v : columns[0]);
for (const id of ["xm", "ym"]) fill($(id), same(D.metrics), D.metrics[0]);
function scatter() {
  const svg = $("scatter"), [xr, xm, yr, ym] = ["xr", "xm", "yr", "ym"].map(i => $(i).value), px = D.values[xr][xm] || [], py = D.values[yr][ym] || [];
  const both = D.names.map((n, i) => [n, px[i], py[i]]).filter(([, x, y]) => x != null && y != null), xs = both.map(p => p[1]), ys = both.map(p => p[2]);
  if (!both.length) { svg.replaceChildren(); shape(svg, "text", {x: 20, y: 40}, "no picture has both"); return }
  const [X, Y] = axes(svg, xm === ym ? xs.concat(ys) : xs, xm === ym ? ys.concat(xs) : ys, `${xr}: ${xm}`, `${yr}: ${ym}`);
  if (xm === ym) { const lo = least(xs.concat(ys)), hi = most(xs.concat(ys)); shape(svg, "line", {x1: X(lo), y1: Y(lo), x2: X(hi), y2: Y(hi), stroke: "var(--soft)", "stroke-dasharray": "4 4"}) }
  for (const [n, x, y] of both) shape(shape(svg, "circle", {cx: X(x), cy: Y(y), r: 3, fill: colour(yr), "fill-opacity": .45}), "title", {}, `${n}: ${num(x)}, ${num(y)}`)
}
for (const id of ["xr", "xm", "yr", "ym"]) $(id).addEventListener("change", scatter);
const draw = () => { curves(); hints(); scatter() };
draw();
let width = innerWidth;
addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; draw() } });

const dark = matchMedia("(prefers-color-scheme: dark)").matches, ground = dark ? 31 : 255;
function shade(a, b) {  // sRGB of L = 62 with this ab (CIE 15, IEC 61966-2-1), clipped
  const y = (62 + 16) / 116, cube = f => f > 6 / 29 ? f ** 3 : 3 * (6 / 29) ** 2 * (f - 4 / 29), [X, Y, Z] = [.95047 * cube(y + a / 500), cube(y), 1.08883 * cube(y - b / 200)];
  return [3.2406 * X - 1.5372 * Y - .4986 * Z, -.9689 * X + 1.8758 * Y + .0415 * Z, .0557 * X - .204 * Y + 1.057 * Z].map(v => 255 * Math.min(Math.max(v > .0031308 ? 1.055 * v ** (1 / 2.4) - .055 : 12.92 * v, 0), 1)) }
for (const [name, counts] of Object.entries(D.gamut)) {
  const n = Math.sqrt(counts.length), canvas = el("canvas", {width: n, height: n}), context = canvas.getContext("2d"), image = context.createImageData(n, n), top = Math.log1p(most(counts.concat(1))), place = k => 110 * (2 * (k + .5) / n - 1);
  counts.forEach((c, i) => { const s = c ? .15 + .85 * Math.log1p(c) / top : 0, v = shade(place(i % n), -place(Math.floor(i / n))); image.data.set([...v.map(x => ground + s * (x - ground)), 255], 4 * i) });
  context.putImageData(image, 0, 0); $("maps").append(el("figure", {style: "width:222px"}, canvas, el("figcaption", {}, named(name))));
}

const at = (r, m, p) => { const v = (D.values[r][m] || [])[p.index]; return v == null ? NaN : v };
const excess = (r, p) => at(r, "chroma", p) - at(r, "chroma_truth", p);
const ranked = (D.values[D.runs[0]].psnr || []).filter(v => v != null).sort((p, q) => p - q), median = ranked[Math.floor(ranked.length / 2)];
// the last third of the pictures is an even sample, what comes before it are extremes
const typical = new Map(D.pictures.map((p, k) => [p, Math.abs(at(D.runs[0], "psnr", p) - median) + (k < D.pictures.length * 2 / 3 ? 1000 : 0)]));
const orders = {
  typical: ["typical first", p => typical.get(p), []],
  worst: ["worst first", (p, r, o, m) => D.better[m] === "lower" ? -at(r, m, p) : at(r, m, p), ["of", "by"]],
  vivid: ["most over-saturated first", (p, r) => -excess(r, p), ["of"]],
  grey: ["most grey first", (p, r) => excess(r, p), ["of"]],
  apart: ["where two differ most", (p, r, o, m) => -Math.abs(at(r, m, p) - at(o, m, p)), ["of", "and", "by"]],
  name: ["by name", p => p.index, []],
};
fill($("order"), Object.entries(orders).filter(([k]) => (D.metrics.includes("chroma_truth") || !["vivid", "grey"].includes(k)) && (columns.length > 1 || k !== "apart")).map(([k, [t]]) => [k, t]), "typical");
fill($("of"), same(D.runs)); fill($("and"), same(columns), second);
fill($("by"), same(D.metrics.filter(m => D.values[D.runs[0]][m] && !m.endsWith("_truth"))));
$("howmany").textContent = `${D.pictures.length} of ${a.pictures} pictures: failures of each run, where runs differ most, and an even sample. Press one: it opens large, with a slider between any two; arrow keys turn the pages.`;
const shown = D.pictures.length ? ["grey", "truth", ...D.runs] : [];
const caption = (p, key) => key === "truth" ? "truth" : `${key} ${num(at(key === "grey" ? D.grey : key, "psnr", p))} dB`;
const kindOf = p => { const [first, ...rest] = D.names[p.index].split("/"); return rest.length ? first : "" }, kindsThere = [...new Set(D.pictures.map(kindOf))].sort();
fill($("kind"), [["*", "all"], ...same(kindsThere)], "*"); $("kindl").hidden = kindsThere.length < 2 || kindsThere.length > 40;
const truth = p => at(D.runs[0], "chroma_truth", p), chromas = D.pictures.map(truth).filter(v => v >= 1).sort((p, q) => p - q), third = k => chromas[Math.floor(k * chromas.length / 3)];
const degrees = {"*": ["any", () => true], none: ["none (grey)", v => v < 1], pale: ["pale third", v => v >= 1 && v < third(1)], some: ["middle third", v => v >= third(1) && v < third(2)], strong: ["colourful third", v => v >= third(2)]};
fill($("howness"), Object.entries(degrees).map(([k, [t]]) => [k, t]), "*"); $("hownessl").hidden = chromas.length < 3;
const picture = (src, alt, text, press) => { const f = el("figure", {}, el("img", {src, alt}), el("figcaption", {}, named(text))); return press ? el("button", press, f) : f };
const FIRST = 8;
let listed = [], open = 0, limit = FIRST;
const ends = {left: D.runs[0], right: single ? "truth" : D.runs[1]};
for (const side of ["left", "right"]) { fill($(side), same(["grey", ...D.runs, "truth"]), ends[side]); $(side).addEventListener("change", () => { ends[side] = $(side).value; slide() }) }
function slide() { const p = listed[open]; for (const [id, side] of [["upper", "left"], ["under", "right"]]) { $(id).src = p.images[ends[side]]; $(id).alt = `${D.names[p.index]}: ${ends[side]}` } }
$("edge").addEventListener("input", () => $("slide").style.setProperty("--edge", $("edge").value + "%"));
function zoom(k) {
  open = (k + listed.length) % listed.length; const p = listed[open];
  $("zoomname").textContent = `${D.names[p.index]} (${open + 1} of ${listed.length})`; slide();
  $("big").replaceChildren(...shown.map(c => picture(p.images[c], `${D.names[p.index]}: ${c}`, caption(p, c), {"aria-label": `${c} to the right of the slider`, onclick: () => { $("right").value = ends.right = c; slide() }})));
  if (!$("zoom").open) $("zoom").showModal() }
function row(title, cells) { return el("div", {class: "row", style: `--n:${cells.length}`}, el("h3", {}, named(title)), ...cells) }
function grid() {
  const [, rank, needs] = orders[$("order").value], key = p => { const v = rank(p, $("of").value, $("and").value, $("by").value); return Number.isNaN(v) ? Infinity : v };
  for (const id of ["of", "and", "by"]) $(id + "l").hidden = !needs.includes(id) || (id === "of" && single);
  const kind = $("kind").value, degree = degrees[$("howness").value][1];
  listed = D.pictures.filter(p => (kind === "*" || kindOf(p) === kind) && ($("howness").value === "*" || degree(truth(p)))).sort((p, q) => key(p) - key(q));
  $("grid").replaceChildren(...listed.slice(0, limit).map((p, k) => row(D.names[p.index], shown.map(c => picture(p.images[c], c, caption(p, c), {onclick: () => zoom(k), "aria-label": `enlarge ${D.names[p.index]}, ${c}`})))));
  if (!listed.length) $("grid").append(el("p", {}, D.pictures.length ? "no picture is of this kind" : "no pictures were saved"));
  $("more").hidden = listed.length <= limit; $("more").textContent = `${listed.length - limit} more` }
for (const id of ["order", "of", "and", "by", "kind", "howness"]) $(id).addEventListener("change", () => { limit = FIRST; grid() });
$("more").addEventListener("click", () => { const next = limit; limit = Infinity; grid(); $("grid").children[next].querySelector("button").focus() });
grid();
for (const [section, place, list] of [["several", "drawn", D.samples], ["own", "photos", D.photos]]) { $(section).hidden = !list.length; $(place).append(...list.map(({name, images}) => row(name, images.map(([text, src]) => picture(src, `${name}: ${text}`, text))))) }
document.querySelectorAll("section").forEach((s, k) => { s.id ||= `part${k}`; if (!s.hidden) $("contents").append(el("a", {href: `#${s.id}`}, s.dataset.title)) });
$("previous").addEventListener("click", () => zoom(open - 1)); $("next").addEventListener("click", () => zoom(open + 1)); $("close").addEventListener("click", () => $("zoom").close());
$("zoom").addEventListener("click", event => { if (event.target === $("zoom")) $("zoom").close() });
$("zoom").addEventListener("keydown", event => { const by = {ArrowLeft: -1, ArrowRight: 1}[event.key]; if (by && event.target !== $("edge") && event.target.tagName !== "SELECT") { event.preventDefault(); zoom(open + by) } });
