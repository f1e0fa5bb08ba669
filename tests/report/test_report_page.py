"""The page as a document: self-contained, well-formed, nothing of the user's taken for markup, readable by all."""

import re
from itertools import pairwise, product

import pytest
from report.pages import NASTY, Page

from diaphane.report.markup import clean
from diaphane.report.stylesheet import DARK, LIGHT

CASES = ["forest", "ridge", "tabular"]


@pytest.fixture(params=CASES)
def case(request):
    return request.getfixturevalue(request.param)


def test_nothing_comes_from_elsewhere(case):
    assert not re.search(r"https?:|@import|//[a-z]+\.", case.report.html.replace("http://www.w3.org/", ""))
    for element in case.page.elements:
        assert element["tag"] not in ("script", "link", "iframe", "object")
        for name in ("src", "href", "xlink:href"):
            assert element.get(name, "#").startswith(("#", "data:")), element
        assert not [name for name in element["names"] if name.startswith("on")]


def test_every_element_is_closed_and_every_name_is_one_elements(case):
    assert case.page.mismatched == []
    names = [e["id"] for e in case.page.elements if "id" in e]
    assert len(names) == len(set(names))
    links = [e["href"][1:] for e in case.page.elements if e.get("href", "").startswith("#")]
    described = [e["aria-labelledby"] for e in case.page.elements if "aria-labelledby" in e]
    shown = re.findall(r"url\(#([^)]+)\)", case.report.html)
    assert set(links + described + shown) <= set(names)


def test_what_comes_from_the_rows_is_text_and_nothing_else(tabular):
    page, html = tabular.page, tabular.report.html
    assert page.all("script") == page.all("b-") == page.all("u") == []
    assert not [e for e in page.all("img") if e.get("src") == "x"]
    assert "\x00" not in html
    assert page.all("h1")[0]["text"] == NASTY
    assert [row[0] for row in page.rows("The columns")[1:]] == [NASTY, "in $ & %", "colour", "one"]
    assert "<u>noted</u>" in page.section("run")["text"]


def test_headings_are_in_order_and_pictures_have_words(case):
    levels = [int(e["tag"][1]) for e in case.page.elements if re.fullmatch("h[1-6]", e["tag"])]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    pictures = [e for e in case.page.elements if e["tag"] == "svg"]
    assert len(pictures) >= 4
    assert all(p["role"] == "img" and len(p["aria-label"]) > 20 for p in pictures)
    assert all(len(i["alt"]) > 10 for i in case.page.all("img"))


def test_header_cells_say_of_what_they_are_heads(case):
    assert case.page.all("th")
    assert all(th.get("scope") in ("col", "row") for th in case.page.all("th"))
    assert len(case.page.all("caption")) == len(case.page.all("table"))


def test_what_scrolls_can_be_reached_by_the_keyboard(case):
    scrolling = [e for e in case.page.elements if e.get("class") == "scroll"]
    assert scrolling
    assert all(e["tabindex"] == "0" and e["role"] == "region" and e["aria-label"] for e in scrolling)


def test_text_in_pictures_is_text_and_colours_are_those_of_the_page(forest):
    texts = [e["text"] for e in forest.page.all("text")]
    assert {clean(row[0], 22) for row in forest.page.rows("Where a column is shuffled")[1:]} < set(texts)
    colours = set(re.findall("#[0-9a-f]{6}", "".join(e.get("style") or "" for e in forest.page.elements)))
    assert colours <= {"#cccccc"}, "a colour that dark mode does not change"


def luminance(colour):
    """Of WCAG 2.1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_stands_out_from_its_ground(palette):
    grounds = {"ink": ("paper", "raised", "good-paper", "bad-paper", "warn-paper"), "muted": ("paper", "raised")}
    grounds |= dict.fromkeys(("blue", "orange", "green"), ("paper",))
    for text, papers in grounds.items():
        for one, other in product([palette[text]], [palette[p] for p in papers]):
            lighter, darker = sorted([luminance(one), luminance(other)], reverse=True)
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (text, papers)


def test_a_notebook_shows_the_page_without_mixing_its_rules_with_its_own(ridge):
    [frame] = Page(ridge.report._repr_html_()).all("iframe")
    assert frame["srcdoc"] == ridge.report.html


def test_the_same_seed_gives_the_same_page(ridge):
    from diaphane.report import report

    again = report(ridge.model, *ridge.learnt, test=ridge.test, target="progression")

    def timeless(html):
        # Versions are of what this process happens to have loaded.
        return re.sub(r"[\d.]+ s\b|\d+ min", "", html.partition('<section id="run"')[0])

    assert timeless(again.html) == timeless(ridge.report.html)
