"""Moving pictures: a page that holds all it needs, and GIFs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...graph.node import Array
from .style import COLOURS, GREY, INK, written_whole

if TYPE_CHECKING:
    from .perceptron import PerceptronDisplay

__all__ = ["perceptron_page", "write_gif"]

WIDTH, HEIGHT = 600, 440


def perceptron_page(display: PerceptronDisplay, frames: Sequence[int], pause: float) -> str:
    """The perceptron's updates as a page of one file: a drawing, a slider, a play button and a few lines of script."""
    view = display.view
    across, up = view.right - view.left, view.top - view.bottom

    def place(point: Array) -> list[float]:
        u, v = point.tolist()
        return [round((u - view.left) / across * WIDTH, 1), round((view.top - v) / up * HEIGHT, 1)]

    content = [
        {
            "line": [c for end in view.segment(display.weights[k, :2], display.weights[k, 2]) for c in place(end)],
            "example": int(display.examples[k - 1]) if k else -1,
            "wrong": display.wrong(k).nonzero()[0].tolist(),
            "caption": display.caption(k),
        }
        for k in frames
    ]
    places = [place(point) for point in display.X]
    marks = "\n".join(_mark(x, y, int(code)) for (x, y), code in zip(places, display.codes, strict=True))
    classes = " ".join(
        f'<svg class="key" viewBox="-8 -8 16 16">{_mark(0, 0, k)}</svg> class {escape(str(name))}'
        for k, name in enumerate(display.classes)
    )
    # "</" would end the script.
    data = json.dumps({"frames": content, "places": places, "pause": round(1000 * pause)}).replace("</", "<\\/")
    values = {
        "width": WIDTH, "height": HEIGHT, "ink": INK, "grey": GREY,
        "last": len(frames) - 1, "marks": marks, "classes": classes, "data": data,
    }  # fmt: skip
    page = PAGE
    for name, value in values.items():
        page = page.replace(f"@{name}@", str(value))
    return page


def _mark(x: float, y: float, code: int) -> str:
    colour = COLOURS[code]
    if code:
        return f'<path d="M{x} {y - 6}l6 11h-12z" fill="{colour}" stroke="white"/>'
    return f'<circle cx="{x}" cy="{y}" r="5" fill="{colour}" stroke="white"/>'


def write_gif(path: Path, draw: Callable[[Any, int], Any], frames: Sequence[int], pause: float) -> Path:
    """Draw each frame on clean axes, and write them as a GIF that stops a moment at its end."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    figure = Figure(figsize=(6.4, 5.0), dpi=100)
    canvas: Any = FigureCanvasAgg(figure)
    # Fixed margins: with a layout that follows the legend the axes would jump.
    ax = figure.add_axes((0.1, 0.24, 0.86, 0.68))
    images = []
    for frame in frames:
        ax.clear()
        draw(ax, frame)
        canvas.draw()
        drawn = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba()).convert("RGB")
        images.append(drawn.quantize(64))
    buffer = BytesIO()
    durations = [round(1000 * pause)] * (len(images) - 1) + [max(round(1000 * pause), 2000)]
    images[0].save(buffer, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0)
    return written_whole(path, buffer.getvalue())


PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The perceptron, update by update</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; color: @ink@; max-width: @width@px; margin: 1.5rem auto; padding: 0 1rem; }
.plane { width: 100%; height: auto; border: 1px solid #ccd1d8; background: #fff; }
.key { width: 1em; height: 1em; vertical-align: -.15em; overflow: visible; margin-left: .8em; }
.row { display: flex; gap: .6rem; align-items: center; margin: .5rem 0; }
input { flex: 1; }
button { font: inherit; padding: .2rem .8rem; }
#caption { min-height: 2.8em; }
</style>
<svg class="plane" viewBox="0 0 @width@ @height@" role="img" aria-label="Points of two classes and the boundary">
<line id="before" stroke="@grey@" stroke-width="2" stroke-dasharray="7 5"/>
<line id="after" stroke="@ink@" stroke-width="2.5"/>
@marks@
<g id="wrong" stroke="black" stroke-width="1.4"></g>
<circle id="ring" r="12" fill="none" stroke="@ink@" stroke-width="2"/>
</svg>
<div class="row">
<button id="back" aria-label="One update back">◀</button>
<button id="play">play</button>
<button id="next" aria-label="One update on">▶</button>
<input id="at" type="range" min="0" max="@last@" value="0" aria-label="Update">
</div>
<div id="caption" role="status"></div>
<div>@classes@ &nbsp; ✕ misclassified &nbsp; ◯ the example of the update &nbsp; dashed: the boundary before it</div>
<script>
const data = @data@;
const get = (id) => document.getElementById(id);
const last = data.frames.length - 1;
let timer = null;
function place(line, ends) {
  line.style.display = ends.length ? "" : "none";
  ["x1", "y1", "x2", "y2"].forEach((name, i) => ends.length && line.setAttribute(name, ends[i]));
}
function show(at) {
  const frame = data.frames[at];
  get("at").value = at;
  place(get("after"), frame.line);
  place(get("before"), at ? data.frames[at - 1].line : []);
  const ring = get("ring");
  ring.style.display = frame.example < 0 ? "none" : "";
  if (frame.example >= 0) {
    ring.setAttribute("cx", data.places[frame.example][0]);
    ring.setAttribute("cy", data.places[frame.example][1]);
  }
  get("wrong").innerHTML = frame.wrong.map((i) => {
    const [x, y] = data.places[i];
    return `<path d="M${x - 5} ${y - 5}l10 10m0 -10l-10 10"/>`;
  }).join("");
  get("caption").textContent = frame.caption;
}
function stop() { clearInterval(timer); timer = null; get("play").textContent = "play"; }
function step(by) { show(Math.min(last, Math.max(0, Number(get("at").value) + by))); }
get("at").oninput = () => { stop(); step(0); };
get("back").onclick = () => { stop(); step(-1); };
get("next").onclick = () => { stop(); step(1); };
get("play").onclick = () => {
  if (timer) { stop(); return; }
  if (Number(get("at").value) === last) show(0);
  get("play").textContent = "pause";
  timer = setInterval(() => { step(1); if (Number(get("at").value) === last) stop(); }, data.pause);
};
show(0);
</script>
</html>
"""
