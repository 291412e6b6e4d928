"""The page, alone and in a real browser: mouse, keyboard, phone."""

import json
import re
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from colorization.report.comparison import CEILINGS, FLOORS, compare_runs
from colorization.report.page import BYTES, GRID, page, selection
from colorization.report.reading import read_runs
from tests.browser import chromium
from tests.made import scored_run

ROWS = len(FLOORS) + len(CEILINGS)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    for name, gain in (("one", 0.0), ("other_with_a_name_that_is_rather_long", -1.0)):
        scored_run(folder / name, pictures=60, gain=gain, config={"model": {"width": 8 + int(gain)}})
    for seed in range(2):
        scored_run(folder / f"third_{seed}", pictures=60, gain=0.5, seed=seed, config={"compile": True})
    return read_runs([str(path) for path in sorted(folder.iterdir())])


@pytest.fixture(scope="module")
def written(runs, tmp_path_factory):
    path = tmp_path_factory.mktemp("written") / "compare.html"
    path.write_text(page(runs, compare_runs(runs, resamples=500)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def test_it_needs_nothing_but_itself(written):
    text = written.read_text(encoding="utf-8")
    outside = set(re.findall(r"(?:https?:)?//[a-z][^\"'\s]*\.[^\"'\s]+", text)) - {
        "http://www.w3.org/2000/svg"
    }
    assert not outside and "<link" not in text and "@import" not in text


def test_text_cannot_end_the_script(runs):
    runs[0].names[0], kept = "</script><b>.jpg", runs[0].names[0]
    runs[0].files["</script><b>.jpg"] = runs[0].files[kept]
    try:
        assert page(runs[:1], compare_runs(runs[:1], resamples=50)).count("</script>") == 1
    finally:
        runs[0].names[0] = kept


def test_failures_come_first(runs):
    picked = selection(runs, range(60), 24)
    worst = [
        min((i for i in range(60) if run.coloured[i]), key=lambda i: run.values["psnr"][i]) for run in runs
    ]
    assert set(worst) <= set(picked) and len(picked) == len(set(picked)) == 24


def test_large_pictures_of_many_runs_stay_below_the_limit(tmp_path):
    folder = scored_run(tmp_path / "large", pictures=GRID, size=420)
    for path in folder.rglob("*.png"):
        noise = np.random.default_rng(0).integers(0, 256, (420, 420, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path, compress_level=0)
    runs = read_runs([str(folder)])
    text = page(runs, compare_runs(runs, resamples=50))
    assert 0.5 * BYTES < len(text) < 1.2 * BYTES
    assert 1 < text.count("data:image/jpeg") / 3 < GRID


def test_tables_and_panels_are_drawn(tab, written, runs):
    tab.open(written, 1280, 900)
    assert tab.ask("document.querySelectorAll('#scores tbody tr').length") == ROWS - 1 + 2 * len(runs)
    few = tab.ask("document.querySelectorAll('#grid .row').length")
    assert 4 < few < GRID
    tab.ask("document.querySelector('#more').click()")
    assert tab.ask("document.querySelectorAll('#grid .row').length") == GRID
    tab.until("document.querySelector('#more').hidden")
    assert tab.ask("document.querySelectorAll('#scatter circle').length") == 60
    assert tab.ask("document.querySelectorAll('#curves polyline').length") == len(runs)
    assert tab.ask("document.querySelectorAll('canvas').length") == 1 + len(runs)
    assert "model.width" in tab.ask("document.querySelector('#settings').innerText")
    assert "2 seeds" in tab.ask("document.querySelector('#methods').innerText")
    captions = tab.ask(
        "[...document.querySelectorAll('#grid .row')[0].querySelectorAll('figcaption')].map(e => e.innerText)"
    )
    assert captions[0].startswith("grey") and captions[1] == "truth" and captions[2].startswith("one")


def test_pictures_come_first_and_bounds_are_folded(tab, written, runs):
    tab.open(written, 1280, 900)
    place = "document.querySelector('#grid img').getBoundingClientRect()"
    assert tab.ask(f"{place}.top") < 300 and tab.ask(f"{place}.width") > 180
    shown = "[...document.querySelectorAll('#scores tbody tr')].filter(r => !r.hidden).length"
    assert tab.ask(shown) == len(runs)
    tab.ask("document.querySelector('#bounds').click()")
    assert tab.ask(shown) == ROWS - 1 + 2 * len(runs)


def test_one_run_is_no_comparison(tab, runs, tmp_path):
    path = tmp_path / "single.html"
    path.write_text(page(runs[:1], compare_runs(runs[:1], resamples=50)), encoding="utf-8")
    tab.open(path, 1280, 900)
    text = tab.ask("document.body.innerText")
    assert text.startswith("Run one") and "Comparison" not in text and "difference to" not in text
    assert "Settings that differ" not in text and "floor" in text


def test_a_slider_lies_between_any_two(tab, written):
    tab.open(written, 1280, 900)
    tab.ask("document.querySelector('#grid button').click()")
    choose(tab, left="third_0", right="truth")
    assert tab.ask("document.querySelector('#upper').alt").endswith("third_0")
    assert tab.ask("document.querySelector('#under').alt").endswith("truth")
    tab.ask("document.querySelector('#edge').focus()")
    tab.press("ArrowRight", 5)
    edge = "document.querySelector('#slide').style.getPropertyValue('--edge')"
    tab.until(f"{edge} === '55%'")
    assert "(1 of" in tab.ask("document.querySelector('#zoomname').innerText")
    cut = tab.ask("getComputedStyle(document.querySelector('#upper')).clipPath")
    assert "45%" in cut


def test_the_grid_is_filtered_by_how_grey(tab, written, runs):
    tab.open(written, 1280, 900)
    truth = dict(zip(runs[0].names, runs[0].values["chroma_truth"], strict=True))
    tab.ask("document.querySelector('#more').click()")
    names = "[...document.querySelectorAll('#grid h3')].map(e => e.innerText)"
    every = [truth[name] for name in tab.ask(names)]
    choose(tab, howness="strong")
    strong = [truth[name] for name in tab.ask(names)]
    assert strong and min(strong) >= sorted(every)[len(every) // 2]


def test_samples_and_photos_have_galleries(tab, tmp_path):
    folder = scored_run(tmp_path / "run", pictures=12)
    red = Image.new("RGB", (600, 300), "red")
    (folder / "coloured").mkdir()
    red.save(folder / "coloured" / "mine.jpg")
    table = folder / "evaluation" / "made_test"
    (table / "samples").mkdir()
    for k in (1, 2):
        red.save(table / "samples" / f"sub__0003_{k}.png")
    runs = read_runs([str(folder)])
    path = tmp_path / "page.html"
    path.write_text(page(runs, compare_runs(runs, resamples=50)), encoding="utf-8")
    tab.open(path, 1280, 900)
    for place, captions in (("drawn", ["grey", "truth", "run 1", "run 2"]), ("photos", ["grey", "run"])):
        found = f"[...document.querySelectorAll('#{place} figcaption')].map(e => e.innerText)"
        assert tab.ask(found) == captions
    assert tab.ask("document.querySelector('#photos img').naturalWidth") == 420


def test_a_heading_sorts_by_keyboard_and_keeps_the_focus(tab, written):
    tab.open(written, 1280, 900)
    focused = "document.activeElement.innerText"
    while not str(tab.ask(focused)).startswith("psnr"):
        tab.press("Tab")
    for order in ("descending", "ascending"):
        tab.press("Enter")
        tab.until(f"document.querySelector('th[aria-sort]')?.getAttribute('aria-sort') === '{order}'")
        tab.until(f"{focused}.startsWith('psnr')")
        means = tab.ask(
            "[...document.querySelectorAll('#scores tbody tr')].map(r => parseFloat(r.cells[1].innerText))"
        )
        assert means == sorted(means, reverse=order == "descending")


def test_pictures_open_turn_and_close_by_keyboard(tab, written):
    tab.open(written, 1280, 900)
    tab.ask("document.querySelector('#howness').focus()")
    tab.press("Tab")
    opener = tab.ask("document.activeElement.getAttribute('aria-label')")
    assert opener.startswith("enlarge")
    tab.press("Enter")
    title = "document.querySelector('#zoomname').innerText"
    tab.until("document.querySelector('#zoom').open")
    assert tab.ask(title).endswith(f"(1 of {GRID})")
    tab.press("ArrowRight", 2)
    assert tab.ask(title).endswith(f"(3 of {GRID})")
    tab.press("ArrowLeft", 3)
    assert tab.ask(title).endswith(f"({GRID} of {GRID})")
    tab.press("Escape")
    tab.until("!document.querySelector('#zoom').open")
    assert tab.ask("document.activeElement.getAttribute('aria-label')") == opener


def choose(tab, **options):
    """Choose from select boxes, by their ids."""
    for name, value in options.items():
        box = f"document.getElementById('{name}')"
        tab.ask(f"{box}.value = '{value}'; {box}.dispatchEvent(new Event('change'))")


def test_the_grid_is_ordered_by_where_two_runs_differ_most(tab, written, runs):
    tab.open(written, 1280, 900)
    choose(tab, order="apart", of="one", by="psnr", **{"and": "third_0"})
    tab.ask("document.querySelector('#more').click()")
    names = tab.ask("[...document.querySelectorAll('#grid h3')].map(e => e.innerText)")
    by_name = {run.name: dict(zip(run.names, run.values["psnr"], strict=True)) for run in runs}
    gaps = [abs(by_name["one"][name] - by_name["third_0"][name]) for name in names]
    assert len(gaps) == GRID and all(a >= b - 2e-3 for a, b in pairwise(gaps))


@pytest.mark.parametrize("metric", ["psnr", "ciede2000"])
def test_the_worst_come_first(tab, written, runs, metric):
    tab.open(written, 1280, 900)
    choose(tab, order="worst", by=metric)
    tab.ask("document.querySelector('#more').click()")
    first = tab.ask("document.querySelector('#grid h3').innerText")
    (run,) = [run for run in runs if run.name == "one"]
    shown = set(tab.ask("[...document.querySelectorAll('#grid h3')].map(e => e.innerText)"))
    values = {name: value for name, value in zip(run.names, run.values[metric], strict=True) if name in shown}
    assert first == (min if metric == "psnr" else max)(values, key=values.__getitem__)


def test_a_phone_shows_it_all(tab, written, tmp_path):
    """390 px wide: nothing but the tables' own frames scrolls sideways, text is legible, a tap enlarges."""
    tab.open(written, 390, 844, phone=True)
    assert tab.ask("document.documentElement.scrollWidth") == 390
    assert tab.ask(
        "document.querySelector('.scroll').scrollWidth > document.querySelector('.scroll').clientWidth"
    )
    labels = "[...document.querySelectorAll('svg text')].map(t => t.getBoundingClientRect().height)"
    assert min(tab.ask(labels)) > 9
    assert tab.ask("document.querySelector('#scores td').getBoundingClientRect().width") < 195
    tab.ask("document.querySelector('#grid button').click()")
    box = tab.ask("JSON.stringify(document.querySelector('#zoom').getBoundingClientRect())")
    box = json.loads(box)
    assert box["left"] >= 0 and box["right"] <= 390 and box["bottom"] <= 844
    shot = tab.shot(tmp_path / "phone.png", y=int(tab.ask("scrollY")), width=390, height=844)
    assert len(Image.open(shot).convert("L").getcolors(100_000)) > 50
