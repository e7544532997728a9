# SPDX-License-Identifier: GPL-3.0-or-later
"""`natctl ping` names the layer that fails: one fault in each, seeded one by one, and mended by what ping says."""

import json

import pytest

from natlab import eventually, linked_sites, microsocks, nginx
from natlab.greeter import PORT

#: Seconds. ping promises 3; a busy machine and a debug build take their time.
SOON = 10


def ping(site, target, *options):
    router = site.router
    result = router.run(
        *(router.lab.program("natctl"), "ping", target, "--config", router.toml, "--json", *options), check=False
    )
    assert not result.stderr and result.seconds < SOON, str(result)
    found = json.loads(result.stdout)
    assert found["reached"] == (result.code == 0), str(result)
    failed = [layer for layer in found["layers"] if not layer["passed"]]
    assert len(failed) == (0 if found["reached"] else 1), "ping ends at the first layer that fails"
    assert all(layer["remedy"] for layer in failed), "and says what to do"
    return found


def blamed(site, target, *options):
    """The layer that fails, with what ping says of it."""
    found = ping(site, target, *options)
    last = found["layers"][-1]
    assert found["failed_layer"] == (None if found["reached"] else last["layer"])
    return found["failed_layer"], last["text"] + "; " + last["remedy"]


def reached(site, target, *options):
    assert eventually(lambda: ping(site, target, *options)["reached"], what=f"{target} is reached")


def layers(site, target, *options):
    return [layer["layer"] for layer in ping(site, target, *options)["layers"]]


# --- over an interface ---------------------------------------------------------------------------------------------


@pytest.mark.xdist_group("ping-overlay")
class TestInterface:
    def test_all_is_well(self, overlay):
        a, _ = overlay
        for target in ("240.2.2.20", "fd01:2::20", "240.1.1.20", "240.1.10.5", "240.2.2.1"):
            reached(a, target)
        reached(a, "240.2.2.20", "--tcp", PORT)
        assert layers(a, "240.2.2.20") == ["map", "link", "plan", "route", "target"]

    def test_map(self, overlay):
        a, _ = overlay
        layer, text = blamed(a, "240.9.9.9")
        assert layer == "map" and "belongs to no peer" in text

    def test_link_down(self, overlay):
        a, _ = overlay
        a.router.ip("link set ov0 down")
        layer, text = blamed(a, "240.2.2.20")
        assert layer == "link" and "ip link set ov0 up" in text
        # The kernel forgets IPv6 addresses with the link.
        a.router.ip("link set ov0 up", "address add fd00:ff::1/64 dev ov0 nodad")
        a.router.apply()
        reached(a, "240.2.2.20")

    def test_link_that_does_not_exist(self, overlay):
        a, _ = overlay
        good = a.router.toml.read_text()
        a.router.configure(good.replace('"ov0"', '"ov7"'))
        layer, text = blamed(a, "240.2.2.20")
        assert layer == "link" and "ov7 does not exist" in text
        a.router.configure(good)

    def test_plan(self, overlay):
        a, _ = overlay
        a.router.down()
        layer, text = blamed(a, "240.2.2.20")
        assert layer == "plan" and text.endswith("natctl apply")
        a.router.apply()
        a.router.nft("flush chain inet natctl nat_post")
        layer, text = blamed(a, "240.2.2.20")
        assert layer == "plan" and text.endswith("natctl apply")
        a.router.apply()
        reached(a, "240.2.2.20")

    def test_route(self, overlay):
        a, _ = overlay
        a.router.ip("rule add pref 5000 to 240.2.2.0/24 lookup 100", "route add default via 198.51.100.254 table 100")
        layer, text = blamed(a, "240.2.2.20")
        assert layer == "route" and "ip rule" in text and "wan0" in text
        a.router.ip("rule delete pref 5000", "route flush table 100")
        reached(a, "240.2.2.20")

    def test_target(self, overlay):
        a, b = overlay
        b.host.ip("link set eth0 down")
        layer, text = blamed(a, "240.2.2.20")
        assert layer == "target" and "peer b" not in text and "natctl ping 240.2.2.20 there" in text
        b.host.ip("link set eth0 up", "route add default via 192.168.1.1")
        reached(a, "240.2.2.20")

        layer, text = blamed(a, "240.2.2.20", "--tcp", 81)
        assert layer == "target" and "refuses port 81" in text

    def test_the_deadline_is_kept(self, overlay):
        a, b = overlay
        b.router.down()
        found = a.router.run(
            *(a.router.lab.program("natctl"), "ping", "240.2.2.21", "--config", a.router.toml, "--timeout", "0.5"),
            check=False,
        )
        assert found.code == 1 and "FAIL" in found.stdout and found.seconds < SOON
        b.router.apply()


# --- by a proxy ----------------------------------------------------------------------------------------------------


@pytest.mark.xdist_group("ping-proxy")
class TestProxy:
    def test_all_is_well(self, proxied):
        a, _ = proxied
        reached(a, "240.2.2.20", "--tcp", PORT)
        # Port 80 is closed there: a refusal comes from the host itself.
        reached(a, "240.2.2.20")
        assert layers(a, "240.2.2.20", "--tcp", PORT) == ["map", "link", "tunnel", "plan", "route", "target"]

    def test_no_proxy(self, proxied):
        a, b = proxied
        b.router.tunnel.stop()
        layer, text = blamed(a, "240.2.2.20")
        assert layer == "link" and "198.51.100.2:1080" in text and "refused" in text
        b.router.start_tunnel()
        reached(a, "240.2.2.20", "--tcp", PORT)

    def test_something_else_where_the_proxy_should_be(self, proxied):
        a, b = proxied
        nginx(b.router)
        good = a.router.toml.read_text()
        a.router.configure(good.replace("198.51.100.2:1080", "198.51.100.2:80"))
        layer, text = blamed(a, "240.2.2.20")
        assert layer == "link" and "SOCKS5" in text
        a.router.configure(good)

    def test_credentials(self, proxied):
        a, b = proxied
        microsocks(b.router, b.wan, 1090, "site-a", "right")
        good = a.router.toml.read_text()
        for password, passes in (("wrong", False), ("right", True)):
            path = a.router.secret("b.password", password + "\n")
            link = f'socks5 = "198.51.100.2:1090", user = "site-a", password_file = "{path}"'
            a.router.configure(good.replace('socks5 = "198.51.100.2:1080"', link))
            found = ping(a, "240.2.2.20", "--tcp", PORT)
            tested = {layer["layer"]: layer for layer in found["layers"]}
            assert tested["link"]["passed"] == passes, found
            assert password not in json.dumps(found), "no password in any output"
        a.router.configure(good.replace("198.51.100.2:1080", "198.51.100.2:1090"))
        layer, text = blamed(a, "240.2.2.20")
        assert layer == "link" and "password" in text
        a.router.configure(good)

    def test_tunnel(self, proxied):
        a, _ = proxied
        a.router.tunnel.stop()
        layer, text = blamed(a, "240.2.2.20")
        assert layer == "tunnel" and "systemctl start natctl-tunnel" in text
        a.router.start_tunnel()
        reached(a, "240.2.2.20", "--tcp", PORT)

    def test_plan(self, proxied):
        a, _ = proxied
        a.router.nft("delete table inet natctl")
        layer, text = blamed(a, "240.2.2.20")
        assert layer == "plan" and text.endswith("natctl apply")
        a.router.apply()

    def test_target(self, proxied):
        a, b = proxied
        layer, text = blamed(a, "240.2.2.20", "--tcp", 81)
        assert layer == "target" and "refuses port 81" in text
        b.host.ip("link set eth0 down")
        layer, _ = blamed(a, "240.2.2.20")
        assert layer == "target"
        b.host.ip("link set eth0 up", "route add default via 192.168.1.1")
        reached(a, "240.2.2.20", "--tcp", PORT)


# --- resolve -------------------------------------------------------------------------------------------------------


def test_resolve(lab):
    a, _ = linked_sites(lab)
    router = a.router
    host = 'real    = "10.10.10.7"\n'
    router.configure(router.toml.read_text().replace(host, host + 'name    = "printer"\n'))

    def resolve(*asked, code=0):
        natctl = (router.lab.program("natctl"), "resolve", *asked, "--config", router.toml)
        result = router.run(*natctl, check=False)
        assert result.code == code, str(result)
        return result.stdout.splitlines()

    assert resolve("printer", "240.1.10.7", "10.10.10.7") == [
        "printer: 10.10.10.7 here (printer), for peers 240.1.1.200, 240.1.10.7",
        "240.1.10.7: 10.10.10.7 here (printer), for peers 240.1.1.200, 240.1.10.7",
        "10.10.10.7: 10.10.10.7 here (printer), for peers 240.1.1.200, 240.1.10.7",
    ]
    assert resolve("240.1.1.20", "fd00:a::20") == [
        "240.1.1.20: 192.168.1.20 here, for peers 240.1.1.20",
        "fd00:a::20: fd00:a::20 here, for peers fd01:1::20",
    ]
    assert resolve("240.2.2.20") == ["240.2.2.20: peer b, as part of 240.2.2.0/24"]
    assert "router" in resolve("192.168.1.200")[0]
    assert "nobody" in resolve("8.8.8.8", code=1)[0]
    assert "own routers" in resolve("printer.b", code=1)[0]
