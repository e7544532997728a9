# SPDX-License-Identifier: GPL-3.0-or-later
"""A telephone call by SIP through both routers with `helpers = ["sip"]`: each side reads of the other nothing but
addresses that it can reach, and the sound that was announced so gets through.

Both telephones know themselves as 192.168.1.20. C calls 240.2.2.20; D sees 240.1.1.20 calling.
"""

import re
import socket

import pytest

from natlab import linked_sites

C, D = "240.1.1.20", "240.2.2.20"
REAL = "192.168.1.20"
SIP = 5060
C_SOUND, D_SOUND = 40000, 42000

#: Somebody else's table, which counts what connection tracking expected: sound, and the control packets beside it.
WATCH = """
table inet watch {
    counter expected { }
    counter unexpected { }
    chain forward {
        type filter hook forward priority 0
        meta l4proto udp th dport 40000-43000 ct status & expected == expected counter name expected
        meta l4proto udp th dport 40000-43000 ct status & expected != expected counter name unexpected
    }
}
"""


@pytest.fixture
def sites(lab):
    made = linked_sites(lab)
    for site in made:
        site.router.apply('helpers = ["sip"]\n' + site.router.toml.read_text())
        site.router.nft(WATCH)
    return made


def counted(router, name):
    return int(re.search(r"packets (\d+)", router.run("nft", "list", "counter", "inet", "watch", name).stdout)[1])


class Telephone:
    """Answers from the ports that it is called at."""

    def __init__(self, machine, sound):
        self.sound_port = sound
        self.signals = self.bound(machine, SIP)
        self.sound = self.bound(machine, sound)
        self.control = self.bound(machine, sound + 1)

    @staticmethod
    def bound(machine, port):
        made = machine.socket(kind=socket.SOCK_DGRAM)
        made.bind((REAL, port))
        return made

    def invitation(self, to, sound_at=REAL):
        return self.message(
            f"INVITE sip:d@{to} SIP/2.0",
            f"Via: SIP/2.0/UDP {REAL}:{SIP};branch=z9hG4bK1",
            "Max-Forwards: 70",
            f"From: <sip:c@{REAL}>;tag=1",
            f"To: <sip:d@{to}>",
            f"Call-ID: 1@{REAL}",
            "CSeq: 1 INVITE",
            f"Contact: <sip:c@{REAL}:{SIP}>",
            sound_at=sound_at,
        )

    def answer(self, invitation):
        copied = [f"{name}: {header(invitation, name)}" for name in ("Via", "From", "Call-ID", "CSeq")]
        to = f"To: {header(invitation, 'To')};tag=2"
        return self.message("SIP/2.0 200 OK", *copied, to, f"Contact: <sip:d@{REAL}:{SIP}>")

    def message(self, *head, sound_at=REAL):
        body = (
            f"v=0\r\no=- 1 1 IN IP4 {sound_at}\r\ns=-\r\nc=IN IP4 {sound_at}\r\nt=0 0\r\n"
            f"m=audio {self.sound_port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
        )
        rest = ["Content-Type: application/sdp", f"Content-Length: {len(body)}", "", body]
        return "\r\n".join([*head, *rest]).encode()

    def hears(self):
        """A message, and who sent it."""
        data, sender = self.signals.recvfrom(65536)
        return data.decode(), sender


@pytest.fixture
def telephones(sites):
    made = [Telephone(site.host, sound) for site, sound in zip(sites, (C_SOUND, D_SOUND))]
    yield made
    for telephone in made:
        for one in (telephone.signals, telephone.sound, telephone.control):
            one.close()


def header(text, name):
    found = re.findall(rf"(?m)^{name}: (.*?)\r$", text)
    assert len(found) == 1, f"{name} in:\n{text}"
    return found[0]


def addresses_in(text):
    """But for the identity of the call, which is no address whatever it looks like."""
    return set(re.findall(r"\d+\.\d+\.\d+\.\d+", re.sub(r"Call-ID: .*", "", text)))


def sound_of(text):
    """Where the sound goes, as the description in a message says."""
    return re.search(r"c=IN IP4 (\S+)", text)[1], int(re.search(r"m=audio (\d+)", text)[1])


@pytest.mark.parametrize("first", ["caller", "callee"])
def test_a_call(sites, telephones, first):
    c, d = telephones
    c.signals.sendto(c.invitation(D), (D, SIP))
    invitation, caller = d.hears()
    assert caller == (C, SIP)
    assert sound_of(invitation) == (C, C_SOUND)
    assert C in header(invitation, "Via") and C in header(invitation, "From") and C in header(invitation, "Contact")
    # D's own address, as D knows it.
    assert f"sip:d@{REAL}" in invitation.splitlines()[0] and REAL in header(invitation, "To")
    assert addresses_in(invitation) == {C, REAL}

    d.signals.sendto(d.answer(invitation), caller)
    answer, callee = c.hears()
    assert callee == (D, SIP)
    assert sound_of(answer) == (D, D_SOUND)
    assert D in header(answer, "To") and D in header(answer, "Contact")
    assert REAL in header(answer, "Via") and REAL in header(answer, "From")
    assert addresses_in(answer) == {D, REAL}

    def speaks(speaker, listener, seen_as, message, port_offset=0):
        speaking, listening = (one.control if port_offset else one.sound for one in (speaker, listener))
        address, port = sound_of(answer if speaker is c else invitation)
        speaking.sendto(message, (address, port + port_offset))
        assert listening.recvfrom(100) == (message, (seen_as, speaker.sound_port + port_offset))

    turns = [(c, d, C, b"hello"), (d, c, D, b"hello yourself")]
    for turn in turns if first == "caller" else reversed(turns):
        speaks(*turn)
        speaks(*turn, port_offset=1)
    for site in sites:
        assert (counted(site.router, "expected"), counted(site.router, "unexpected")) == (4, 0)


def test_sound_that_comes_from_elsewhere_stays_as_announced(telephones):
    """The kernel's helper takes up the sound of the one who signals (its option sip_direct_media)."""
    c, d = telephones
    c.signals.sendto(c.invitation(D, sound_at="10.10.10.5"), (D, SIP))
    invitation, _ = d.hears()
    assert sound_of(invitation) == ("10.10.10.5", C_SOUND)
    assert C in header(invitation, "Contact")


def test_without_the_helper_the_message_stays_as_it_is(sites, telephones):
    for site in sites:
        site.router.apply(site.router.toml.read_text().replace('helpers = ["sip"]\n', ""))
    c, d = telephones
    c.signals.sendto(c.invitation(D), (D, SIP))
    invitation, caller = d.hears()
    assert caller == (C, SIP)
    assert invitation.encode() == c.invitation(D)
