# SPDX-License-Identifier: GPL-3.0-or-later
"""The status page of natctl-agent in a browser on the router."""

import json
import re
import shutil
import socket

import pytest

from natlab import Lab, eventually
from natlab.agent_web import PORT, Pair, ask
from natlab.browser import Browser
from natlab.greeter import PORT as GREETER, Greeting
from natlab.machine import assert_echo

URL = f"http://127.0.0.1:{PORT}/"
MARKUP = """</script><img src=x onerror='document.title="taken"'>"""


@pytest.fixture(scope="module")
def pair():
    with Lab() as lab:
        yield Pair(lab)


@pytest.fixture(scope="module")
def browser(pair):
    with Browser(pair.router, pair.lab.directory / "chromium") as browser:
        browser.open(URL)
        browser.shows("h1", "Site a")
        assert {URL, URL + "page.js", URL + "status.json"} <= set(browser.requests())
        yield browser


@pytest.fixture(autouse=True)
def quiet(pair, browser):
    """Nothing is said on the console, and nothing is asked for elsewhere."""
    yield
    assert browser.complaints() == []
    assert [url for url in browser.requests() if not url.startswith(URL)] == []


def links(browser):
    """What the picture says of b's two links to those who cannot see it, and how it draws them."""
    words = browser.run("return document.querySelector('#picture svg').getAttribute('aria-label')")
    states = re.search(r"Peer b: dev \S+ via \S+ (.+), socks5 \S+ (.+)\.", words).groups()
    wires = browser.run("return [...document.querySelectorAll('#picture .wire')].map(wire => wire.classList[1])")
    classes = {"stands by": "standby", "up again, not used yet": "held"}
    assert sorted(wires) == sorted(classes.get(state, state) for state in states)
    return list(states)


def test_it_shows_peers_links_maps_and_events(pair, browser):
    browser.shows("#state", "Everything is in place")
    words = browser.run("return document.querySelector('#picture svg').getAttribute('aria-label')")
    assert words == f"Site a. Peer b: dev ov0 via 172.31.0.2 used, socks5 {pair.b.wan}:1080 stands by."
    assert links(browser) == ["used", "stands by"]
    for text in ("b", "240.2.2.0/24", "dev ov0 via 172.31.0.2", f"socks5 {pair.b.wan}:1080", "stands by", "lan0, lan1"):
        assert text in browser.text("#picture"), text
    assert "240.1.1.0/24 192.168.1.0/24" in browser.text("#maps")
    assert "ov0 up" in browser.text("#interfaces")
    assert "applied " in browser.text("#events")
    assert browser.text("#alerts") == ""
    pair.a.host.greeting(pair.b.virtual(20))


def test_it_follows_a_link_that_goes_and_comes(pair, browser):
    pair.router.ip("link set ov0 down")
    eventually(lambda: links(browser) == ["down", "used"], what="the picture follows")
    browser.shows("#interfaces", "ov0 down")
    browser.shows("#events", "ov0 is down")
    assert "Everything is in place" in browser.text("#state"), "the peer is reached"
    pair.a.host.greeting(pair.b.virtual(20))
    browser.shows("#flows", f"peer b by socks5 {pair.b.wan}:1080, TCP")
    pair.b.router.tunnel.stop()
    assert pair.a.host.refusal(pair.b.virtual(20), port=80)
    browser.shows("#alerts", "No link to peer b")
    browser.shows("#state", "Something is wrong")
    eventually(lambda: links(browser) == ["down", "down"], what="the picture follows")
    pair.b.router.start_tunnel()
    pair.router.ip("link set ov0 up")
    eventually(lambda: links(browser)[0] == "used", what="the picture follows")
    browser.shows("#state", "Everything is in place")


def test_it_lists_open_flows(pair, browser):
    a, b, router = pair.a, pair.b, pair.router
    router.run("conntrack", "-F")
    router.sysctl(net__netfilter__nf_conntrack_acct=1, net__netfilter__nf_conntrack_timestamp=1)
    browser.shows("#open-flows", "No open flow.")
    with a.host.dial(b.virtual(20)) as connection:
        Greeting.read(connection)
        port = connection.getsockname()[1]
        browser.shows("#open-flows", f"TCP 192.168.1.20:{port} 240.1.1.20 → 240.2.2.20:{GREETER} b link")
        browser.shows("#open-flows", "established")
        browser.shows("#open-flow-notes", "1 flow.")
        assert "not kept" not in browser.text("#open-flow-notes")

        def has_rate():
            assert_echo(connection, b"x" * 1000)
            return re.search(r" [1-9][0-9.]* k?B [1-9][0-9.]* k?B/s ", browser.text("#open-flows"))

        eventually(has_rate, what="bytes and rate")
        browser.shows("#open-flows", " 0 B/s ")


def test_of_many_flows_it_lists_fifty(pair, browser):
    a, b, router = pair.a, pair.b, pair.router
    router.run("conntrack", "-F")
    router.sysctl(net__netfilter__nf_conntrack_acct=0, net__netfilter__nf_conntrack_udp_timeout=600)
    for _ in range(60):
        with a.host.socket(kind=socket.SOCK_DGRAM) as asking:
            asking.sendto(b"x", (b.virtual(20), 9))
    # Packets of former flows may come late.
    counted = re.compile(r"6\d flows; here are the 50 with the most bytes\.")
    eventually(lambda: counted.search(browser.text("#open-flow-notes")), what="their number")
    assert browser.run("return document.querySelectorAll('#open-flows tbody tr').length") == 50
    browser.shows("#open-flow-notes", "Bytes are not kept; for new flows: sysctl -w net.netfilter.nf_conntrack_acct=1")
    router.run("conntrack", "-F")
    router.sysctl(net__netfilter__nf_conntrack_acct=1)


def test_what_looks_like_markup_is_text(pair, browser):
    router = pair.router
    text = router.toml.read_text()
    name = json.dumps(MARKUP)
    router.configure(text.replace('real    = "10.10.10.7"\n', f'real    = "10.10.10.7"\nname    = {name}\n'))
    browser.shows("#maps", MARKUP)
    with pair.a.printer.dial(pair.b.virtual(20)):
        browser.shows("#open-flows", f"240.1.1.200 ({MARKUP})")
    # Whoever takes rules away is named by the name of its process.
    author = pair.lab.directory / "<b>&'nft"
    shutil.copy(shutil.which("nft"), author)
    router.run(author, "flush", "table", "inet", "natctl")
    browser.shows("#events", "<b>&'nft (process ")
    assert browser.run("return document.querySelectorAll('main img, main b, main script').length") == 0
    assert browser.run("return document.title") == "a · natctl"
    assert MARKUP in json.loads(ask(router, "/status.json")[2])["site"]["maps"][-1]["name"]
    router.configure(text)
    eventually(lambda: MARKUP not in browser.text("#maps"), what="the name is gone")


@pytest.mark.parametrize("width", [1200, 760, 340])
def test_it_fits_every_width(browser, width):
    browser.resize(width, 900)
    own = "return Math.round(document.querySelector('#picture').clientWidth)"
    drawn = "return document.querySelector('#picture svg').viewBox.baseVal.width"
    eventually(lambda: browser.run(drawn) == browser.run(own) < width, what="the picture is drawn anew")
    assert browser.run("return innerWidth") == width
    root = "document.documentElement"
    assert browser.run(f"return {root}.scrollWidth - {root}.clientWidth") == 0
    outside = """
        const box = document.querySelector("#picture svg").getBoundingClientRect();
        return [...document.querySelectorAll("#picture text")]
            .map((text) => [text.textContent, text.getBoundingClientRect()])
            .filter(([text, at]) => at.left < box.left - 1 || at.right > box.right + 1).map(([text]) => text);
    """
    assert browser.run(outside) == []
    browser.resize(1200, 900)


def test_parts_have_names_and_keys_reach_them(browser):
    nameless = """
        return [...document.querySelectorAll("section, [role], table, [tabindex='0']")]
            .filter((part) => !part.getAttribute("aria-label") && !part.getAttribute("aria-labelledby"))
            .map((part) => part.id || part.outerHTML).filter((id) => !["state", "alerts"].includes(id));
    """
    assert browser.run(nameless) == []
    for scheme in ("light", "dark"):
        browser.prefer(scheme)
        assert browser.run(CONTRASTS) == [], scheme
    browser.prefer("light")


#: Texts whose contrast with their ground is less than 4.5 (WCAG 2.1, 1.4.3).
CONTRASTS = """
    const numbers = (colour) => colour.match(/[0-9.]+/g).map(Number);
    const light = (colour) => {
        const linear = (c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        const [r, g, b] = numbers(colour).map((c) => linear(c / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (node) => {
        for (; node; node = node.parentElement) {
            const colour = getComputedStyle(node).backgroundColor;
            if (numbers(colour)[3] !== 0) return colour;
        }
    };
    return [...document.querySelectorAll("h1, h2, p, td, th, li, time, span, #picture text")]
        .filter((node) => node.textContent.trim() && node.getClientRects().length)
        .filter((node) => {
            const style = getComputedStyle(node);
            const ink = light(node instanceof SVGElement ? style.fill : style.color);
            const paper = light(ground(node));
            return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05) < 4.5;
        }).map((node) => node.textContent);
"""


def test_it_says_when_the_agent_is_gone_and_comes_back(pair, browser):
    pair.router.agent.stop()
    browser.shows("#state", "The agent does not answer")
    assert all("ERR_CONNECTION_REFUSED" in complaint for complaint in browser.complaints())
    pair.router.agent = pair.router.start_agent("--link-hold", 1)
    browser.shows("#state", "Everything is in place")
    assert all("ERR_CONNECTION_REFUSED" in complaint for complaint in browser.complaints())
