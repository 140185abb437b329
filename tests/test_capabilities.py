"""Capability negotiation, against the lines that servers send."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynfo.irc.capabilities import MAXIMUM_CAPABILITIES, MAXIMUM_OFFER, WANTED, Capabilities, CapabilityChange
from pynfo.irc.message import Message


class Server:
    """Says lines to a `Capabilities` and keeps what that sends."""

    def __init__(self, wanted: tuple[str, ...] = WANTED, *, sasl: bool = False) -> None:
        self.heard: list[str] = []
        self.capabilities = Capabilities(
            lambda message: self.heard.append(message.format().decode().removesuffix("\r\n")),
            wanted,
            sasl=sasl,
        )

    def says(self, line: str) -> CapabilityChange:
        return self.capabilities.receive(Message.parse(line.encode()))

    def requests(self) -> list[list[str]]:
        """The names in each REQ heard since the last look."""
        requests = [line.removeprefix("CAP REQ ").lstrip(":").split() for line in self.heard]
        self.heard.clear()
        return requests

    def requests_as_they_come(self, most: int = 50) -> Iterator[list[str]]:
        """The names in each REQ, also in those that the answers to earlier ones bring about."""
        waiting: deque[list[str]] = deque(self.requests())
        while waiting and most:
            most -= 1
            yield waiting.popleft()
            waiting.extend(self.requests())


@pytest.fixture
def server() -> Server:
    return Server()


def test_begin_asks_for_the_list_of_version_302(server: Server) -> None:
    server.capabilities.begin()

    assert server.heard == ["CAP LS 302"]
    assert not server.capabilities.settled


def test_what_is_wanted_and_offered_is_requested_and_nothing_else(server: Server) -> None:
    change = server.says(":irc.test CAP * LS :inspircd.org/poison batch sts=port=6697 server-time tls")

    assert change.listed
    assert server.requests() == [["server-time", "batch"]]


def test_a_list_over_several_lines_is_complete_with_its_last_line(server: Server) -> None:
    first = server.says(":irc.test CAP * LS * :batch extended-join=")
    asked_early = server.requests()
    last = server.says(":irc.test CAP * LS :sasl=PLAIN,EXTERNAL chghost ")

    assert (first.listed, asked_early, last.listed) == (False, [], True)
    assert server.capabilities.available == {
        "batch": "",
        "extended-join": "",
        "sasl": "PLAIN,EXTERNAL",
        "chghost": "",
    }
    assert server.requests() == [["batch", "extended-join", "chghost"]]


def test_sasl_is_requested_only_where_a_login_is_configured() -> None:
    without, with_login = Server(), Server(sasl=True)

    for server in (without, with_login):
        server.says("CAP * LS :sasl=PLAIN")

    assert without.requests() == []
    assert with_login.requests() == [["sasl"]]


def test_an_ack_puts_in_force_and_settles(server: Server) -> None:
    server.says("CAP * LS :batch chghost")
    before = server.capabilities.settled

    change = server.says(":irc.test CAP pynfo ACK :batch chghost ")

    assert change.enabled == ["batch", "chghost"]
    assert server.capabilities.enabled == {"batch", "chghost"}
    assert (before, server.capabilities.settled) == (False, True)


def test_a_server_without_anything_we_want_settles_at_once(server: Server) -> None:
    server.says("CAP * LS :")

    assert server.capabilities.settled
    assert server.heard == []


def test_an_ack_over_several_lines_changes_nothing_before_its_last_line(server: Server) -> None:
    server.says("CAP * LS :batch chghost setname")

    server.says("CAP * ACK * :batch chghost")
    early = set(server.capabilities.enabled)
    change = server.says("CAP * ACK :setname")

    assert early == set()
    assert change.enabled == ["batch", "chghost", "setname"]
    assert server.capabilities.settled


def test_an_ack_split_without_a_mark_settles_when_all_names_have_come(server: Server) -> None:
    server.says("CAP * LS :batch chghost")

    server.says("CAP * ACK :batch")
    halfway = server.capabilities.settled
    server.says("CAP * ACK :chghost")

    assert (halfway, server.capabilities.settled) == (False, True)


def test_an_ack_with_a_dash_takes_out_of_force(server: Server) -> None:
    server.says("CAP * LS :batch")
    server.says("CAP * ACK :batch")

    change = server.says("CAP * ACK :-batch")

    assert change.disabled == ["batch"]
    assert server.capabilities.enabled == set()


def test_one_bad_name_in_a_rejected_request_costs_only_itself(server: Server) -> None:
    offered = [name for name in WANTED if "implicit" not in name and name != "sasl"]
    server.says(f"CAP * LS :{' '.join(offered)}")

    answered = 0
    for request in server.requests_as_they_come():
        verdict = "NAK" if "chghost" in request else "ACK"
        server.says(f"CAP * {verdict} :{' '.join(request)}")
        answered += 1

    assert server.capabilities.enabled == set(offered) - {"chghost"}
    assert server.capabilities.settled
    assert answered <= 12


def test_the_rest_of_a_split_rejection_is_not_taken_for_a_second_one() -> None:
    server = Server(("a", "b"))
    server.says("CAP * LS :a b")

    server.says("CAP * NAK :a b")
    server.says("CAP * NAK :a b")
    server.says("CAP * ACK :b")
    early = server.capabilities.settled
    server.says("CAP * ACK :a")

    assert server.capabilities.enabled == {"a", "b"}
    assert (early, server.capabilities.settled) == (False, True)


def test_requests_are_split_so_that_their_answers_fit_a_line() -> None:
    names = tuple(f"example.org/capability-{number:03}" for number in range(40))
    server = Server(names)

    server.says(f"CAP * LS * :{' '.join(names[:20])}")
    server.says(f"CAP * LS :{' '.join(names[20:])}")
    requests = server.requests()

    assert [name for request in requests for name in request] == list(names)
    assert all(len(" ".join(request)) <= 400 for request in requests)
    assert len(requests) == 3


def test_what_comes_new_is_requested_where_it_is_wanted(server: Server) -> None:
    server.says("CAP * LS :")

    change = server.says(":irc.test CAP pynfo NEW :away-notify example.org/other=1")

    assert change.offered == ["away-notify", "example.org/other"]
    assert server.requests() == [["away-notify"]]
    assert not server.capabilities.settled


def test_new_tells_a_new_value_of_what_is_in_force_without_a_new_request() -> None:
    server = Server(sasl=True)
    server.says("CAP * LS :sasl=PLAIN")
    server.says("CAP * ACK :sasl")
    server.heard.clear()

    change = server.says("CAP * NEW :sasl=EXTERNAL")

    assert change.offered == ["sasl"]
    assert server.capabilities.available["sasl"] == "EXTERNAL"
    assert server.heard == []


def test_a_withdrawal_counts_whichever_nick_it_names(server: Server) -> None:
    server.says("CAP * LS :setname batch")
    server.says("CAP * ACK :setname batch")

    change = server.says(":irc.test CAP somebody_else DEL :setname")

    assert change.disabled == ["setname"]
    assert server.capabilities.enabled == {"batch"}
    assert "setname" not in server.capabilities.available


def test_what_was_withdrawn_is_requested_when_it_comes_back() -> None:
    server = Server(sasl=True)
    server.says("CAP * LS :sasl=PLAIN")
    server.says("CAP * ACK :sasl")
    server.says("CAP * DEL :sasl")
    server.heard.clear()

    server.says("CAP * NEW :sasl=PLAIN")

    assert server.requests() == [["sasl"]]


def test_strict_transport_security_cannot_be_withdrawn(server: Server) -> None:
    server.says("CAP * LS :sts=duration=300")

    server.says("CAP * DEL :sts")

    assert server.capabilities.available["sts"] == "duration=300"


def test_the_end_is_said_once(server: Server) -> None:
    server.capabilities.end()
    server.capabilities.end()

    assert server.heard == ["CAP END"]


def test_no_implicit_names_waits_until_it_is_asked_for(server: Server) -> None:
    server.says("CAP * LS :draft/no-implicit-names batch")
    server.says("CAP * ACK :batch")
    at_first = server.requests()

    server.capabilities.request(["draft/no-implicit-names", "no-implicit-names", "batch"] * 2)

    assert at_first == [["batch"]]
    assert server.requests() == [["draft/no-implicit-names"]]


def test_what_is_asked_for_already_is_not_asked_for_again(server: Server) -> None:
    server.says("CAP * LS :batch")

    server.capabilities.request(["batch"])

    assert server.requests() == [["batch"]]


def test_list_tells_what_is_really_in_force(server: Server) -> None:
    server.says("CAP * LS :batch chghost")
    server.says("CAP * ACK :batch")

    server.says("CAP * LIST * :chghost")
    change = server.says("CAP * LIST :setname")

    assert (change.enabled, change.disabled) == (["chghost", "setname"], ["batch"])
    assert server.capabilities.enabled == {"chghost", "setname"}


def test_an_endless_list_is_remembered_up_to_a_bound(server: Server) -> None:
    for line in range(100):
        server.says(f"CAP * LS * :{' '.join(f'example.org/{line}-{number}' for number in range(20))}")
    server.says("CAP * LS :batch")

    assert len(server.capabilities.available) == MAXIMUM_CAPABILITIES


def test_what_keeps_coming_new_is_remembered_up_to_a_bound(server: Server) -> None:
    for number in range(300):
        server.says(f"CAP * NEW :example.org/{number}={'x' * 400}")
        server.says(f"CAP * ACK :example.org/{number}")

    assert 12_000 < sum(map(len, server.capabilities.available.values())) <= MAXIMUM_OFFER
    assert len(server.capabilities.enabled) == MAXIMUM_CAPABILITIES


@given(
    st.lists(
        st.lists(
            st.sampled_from(["*", "LS", "ACK", "NAK", "NEW", "DEL", "LIST", "END", "", "batch", "=", "-"])
        )
    )
)
def test_no_line_whatsoever_is_an_error(lines: list[list[str]]) -> None:
    capabilities = Capabilities(lambda message: None)

    for params in lines:
        capabilities.receive(Message("CAP", params))

    assert len(capabilities.enabled) <= MAXIMUM_CAPABILITIES
