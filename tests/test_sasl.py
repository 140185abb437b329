"""SASL: each mechanism against an honest server, and what servers do that are not."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from scramp import ScramException, ScramMechanism

from pynfo.irc.message import Message
from pynfo.irc.sasl import Authentication, Outcome
from pynfo.irc.settings import SaslSettings, Secret

PASSWORD = "sesame, öffne dich"
ALL = "EXTERNAL,ECDSA-NIST256P-CHALLENGE,SCRAM-SHA-512,SCRAM-SHA-256,PLAIN"
SCRAMS = ("SCRAM-SHA-256", "SCRAM-SHA-512")


def settings(
    mechanism: str | None = None,
    *,
    username: str = "jilles",
    password: str = PASSWORD,
    ecdsa_key: Path | None = None,
) -> SaslSettings:
    return SaslSettings(
        mechanism=mechanism,
        username=username,
        password=Secret(password, "env PASSWORD"),
        ecdsa_key=str(ecdsa_key) if ecdsa_key else None,
    )


class Exchange:
    """An `Authentication`, and the server's end of its connection."""

    def __init__(
        self,
        settings: SaslSettings,
        *,
        secure: bool = True,
        plain_without_tls: bool = False,
        certificate: bool = False,
    ) -> None:
        self.heard: list[str] = []
        self.outcome: Outcome | None = None
        self.client = Authentication(
            self._hear,
            settings,
            secure=secure,
            plain_without_tls=plain_without_tls,
            certificate=certificate,
        )

    def _hear(self, message: Message) -> None:
        line = message.format().decode()
        assert message.command == "AUTHENTICATE"
        self.heard.append(line.removeprefix("AUTHENTICATE ").removesuffix("\r\n"))

    def begin(self, offered: str = ALL) -> str:
        """Have the client begin; the mechanism it asks for, `""` where it gives up at once."""
        self.outcome = self.client.begin(offered)
        return self.line() if self.outcome is None else ""

    def line(self) -> str:
        """The one line that the client sent since the last look."""
        (line,) = self.heard
        self.heard.clear()
        return line

    def response(self) -> bytes:
        """The response that the client sent, put together again by the rules of SASL 3.1."""
        chunks, self.heard = self.heard, []
        assert all(len(chunk) == 400 for chunk in chunks[:-1])
        assert len(chunks[-1]) < 400
        return b64decode("".join(chunk for chunk in chunks if chunk != "+"), validate=True)

    def says(self, line: str) -> Outcome | None:
        self.outcome = self.client.receive(Message.parse(f":irc.test {line}".encode()))
        return self.outcome

    def challenges(self, challenge: bytes = b"") -> Outcome | None:
        encoded = b64encode(challenge).decode()
        chunks = [encoded[start : start + 400] for start in range(0, len(encoded), 400)]
        if len(encoded) % 400 == 0:
            chunks.append("+")
        for chunk in chunks[:-1]:
            assert self.says(f"AUTHENTICATE {chunk}") is None
            assert self.heard == []
        return self.says(f"AUTHENTICATE {chunks[-1]}")

    def succeeds(self, account: str = "jilles") -> Outcome | None:
        self.says(f"900 pynfo pynfo!pynfo@host.test {account} :You are now logged in as {account}")
        return self.says("903 pynfo :SASL authentication successful")

    def fails(self) -> Outcome | None:
        return self.says("904 pynfo :SASL authentication failed")


class ScramServer:
    """The honest server's side of SCRAM."""

    def __init__(self, mechanism: str, password: str = PASSWORD, *, nonce: str | None = None) -> None:
        scram = ScramMechanism(mechanism)
        secrets = scram.make_auth_info(password)
        self._scram = scram.make_server(
            lambda username: secrets if username == "jilles" else None, s_nonce=nonce
        )

    def first(self, client_first: bytes) -> bytes:
        self._scram.set_client_first(client_first.decode())
        return str(self._scram.get_server_first()).encode()

    def final(self, client_final: bytes) -> bytes:
        """Raises `ScramException` where the client's proof is wrong."""
        self._scram.set_client_final(client_final.decode())
        return str(self._scram.get_server_final()).encode()


def up_to_the_proof(exchange: Exchange, server: ScramServer) -> bytes:
    """Lead a SCRAM exchange to the client's proof."""
    exchange.challenges()
    exchange.challenges(server.first(exchange.response()))
    return exchange.response()


def write_key(
    path: Path,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    encryption: KeySerializationEncryption | None = None,
) -> Path:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()))
    return path


@pytest.fixture(scope="session")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def ecdsa(tmp_path: Path, key: ec.EllipticCurvePrivateKey) -> SaslSettings:
    return settings("ECDSA-NIST256P-CHALLENGE", ecdsa_key=write_key(tmp_path / "key.pem", key))


# Each mechanism


def test_plain_tells_name_and_password_and_success_is_told_with_the_account() -> None:
    exchange = Exchange(settings("PLAIN"))

    assert exchange.begin() == "PLAIN"
    exchange.challenges()
    assert exchange.response() == f"jilles\0jilles\0{PASSWORD}".encode()
    assert exchange.succeeds("Jilles") == Outcome(ok=True, account="Jilles")
    assert not exchange.client.active


def test_plain_says_the_password_once() -> None:
    exchange = Exchange(settings("PLAIN"))
    exchange.begin()
    exchange.challenges()
    exchange.response()

    outcome = exchange.challenges()

    assert outcome is not None
    assert not outcome.ok
    assert exchange.line() == "*"


@pytest.mark.parametrize(("username", "response"), [("jilles", b"jilles"), ("", b"")])
def test_external_tells_the_account_or_leaves_it_to_the_certificate(username: str, response: bytes) -> None:
    exchange = Exchange(settings("EXTERNAL", username=username))

    assert exchange.begin() == "EXTERNAL"
    exchange.challenges()
    assert exchange.response() == response
    assert exchange.succeeds() == Outcome(ok=True, account="jilles")


@pytest.mark.parametrize("mechanism", SCRAMS)
def test_scram_proves_the_password_and_checks_the_servers_proof(mechanism: str) -> None:
    exchange, server = Exchange(settings(mechanism)), ScramServer(mechanism)

    assert exchange.begin() == mechanism
    proof = up_to_the_proof(exchange, server)
    exchange.challenges(server.final(proof))
    assert exchange.line() == "+"
    assert exchange.succeeds() == Outcome(ok=True, account="jilles")


@pytest.mark.parametrize("mechanism", SCRAMS)
@pytest.mark.parametrize("says_why", [True, False])
def test_scram_with_a_wrong_password_is_refused(mechanism: str, says_why: bool) -> None:
    exchange, server = Exchange(settings(mechanism, password="wrong")), ScramServer(mechanism)
    exchange.begin()
    proof = up_to_the_proof(exchange, server)
    with pytest.raises(ScramException):
        server.final(proof)

    if says_why:
        assert exchange.challenges(b"e=invalid-proof") is None
    outcome = exchange.fails()

    assert outcome == Outcome(ok=False, reason=f"{mechanism}: SASL authentication failed")
    assert exchange.heard == []


def test_ecdsa_signs_the_challenge_as_a_digest(ecdsa: SaslSettings, key: ec.EllipticCurvePrivateKey) -> None:
    exchange, challenge = Exchange(ecdsa), bytes(range(32))

    assert exchange.begin() == "ECDSA-NIST256P-CHALLENGE"
    exchange.challenges()
    assert exchange.response() == b"jilles"
    exchange.challenges(challenge)
    key.public_key().verify(exchange.response(), challenge, ec.ECDSA(Prehashed(SHA256())))
    assert exchange.succeeds() == Outcome(ok=True, account="jilles")


def test_ecdsa_with_a_key_that_the_account_has_not_is_refused(ecdsa: SaslSettings) -> None:
    exchange, registered = Exchange(ecdsa), ec.generate_private_key(ec.SECP256R1()).public_key()
    exchange.begin()
    exchange.challenges()
    exchange.response()
    exchange.challenges(bytes(32))

    with pytest.raises(InvalidSignature):
        registered.verify(exchange.response(), bytes(32), ec.ECDSA(Prehashed(SHA256())))
    outcome = exchange.fails()

    assert outcome == Outcome(ok=False, reason="ECDSA-NIST256P-CHALLENGE: SASL authentication failed")


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_ecdsa_signs_nothing_but_32_bytes(ecdsa: SaslSettings, length: int) -> None:
    exchange = Exchange(ecdsa)
    exchange.begin()
    exchange.challenges()
    exchange.response()

    outcome = exchange.challenges(bytes(length))

    assert outcome is not None
    assert f"{length} bytes to sign" in outcome.reason
    assert exchange.line() == "*"


def no_key(path: Path) -> None:
    pass


def text(path: Path) -> None:
    path.write_text("not a key")


def rsa_key(path: Path) -> None:
    write_key(path, rsa.generate_private_key(public_exponent=65537, key_size=2048))


def other_curve(path: Path) -> None:
    write_key(path, ec.generate_private_key(ec.SECP384R1()))


def with_passphrase(path: Path) -> None:
    write_key(path, ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"sesame"))


@pytest.mark.parametrize(
    ("write", "complaint"),
    [
        (no_key, "No such file"),
        (text, "is not a PEM private key"),
        (rsa_key, "is not a key on the curve NIST P-256"),
        (other_curve, "is not a key on the curve NIST P-256"),
        (with_passphrase, "has a passphrase"),
    ],
)
def test_an_ecdsa_key_that_is_no_good_is_named_and_the_next_mechanism_is_tried(
    tmp_path: Path, write: Callable[[Path], None], complaint: str
) -> None:
    path = tmp_path / "key.pem"
    write(path)
    alone = Exchange(settings("ECDSA-NIST256P-CHALLENGE", ecdsa_key=path))
    with_password = Exchange(settings(ecdsa_key=path))

    alone.begin()
    second = with_password.begin()

    assert alone.outcome is not None
    assert complaint in alone.outcome.reason
    assert str(path) in alone.outcome.reason
    assert alone.heard == []
    assert second == "SCRAM-SHA-512"


# Chunks


@pytest.mark.parametrize("length", [0, 1, 297, 298, 300, 301, 399, 400, 401, 600, 601, 800])
def test_a_response_is_cut_into_chunks_and_ends_with_a_short_one(length: int) -> None:
    exchange = Exchange(settings("EXTERNAL", username="x" * length))
    exchange.begin()

    exchange.challenges()

    assert len(exchange.heard) == (length + 2) // 3 * 4 // 400 + 1
    assert exchange.response() == b"x" * length


@pytest.mark.parametrize("length", [297, 300, 303, 600, 900])
def test_a_challenge_is_put_together_from_its_chunks(length: int) -> None:
    mechanism = "SCRAM-SHA-256"
    around = len(ScramServer(mechanism, nonce="n").first(b"n,,n=jilles,r=" + b"c" * 64)) - 1
    server = ScramServer(mechanism, nonce="n" * (length - around))
    exchange = Exchange(settings(mechanism))
    exchange.begin()
    exchange.challenges()
    challenge = server.first(exchange.response())

    exchange.challenges(challenge)
    exchange.challenges(server.final(exchange.response()))

    assert len(challenge) == length
    assert exchange.line() == "+"
    assert exchange.succeeds() == Outcome(ok=True, account="jilles")


# Servers that are not honest


@pytest.mark.parametrize("mechanism", SCRAMS)
def test_a_server_that_does_not_know_the_password_is_not_believed(mechanism: str) -> None:
    exchange, server = Exchange(settings(mechanism)), ScramServer(mechanism)
    other = ScramServer(mechanism, "guess")
    other_client = Exchange(settings(mechanism, password="guess"))
    other_client.begin()
    exchange.begin()
    up_to_the_proof(exchange, server)

    outcome = exchange.challenges(other.final(up_to_the_proof(other_client, other)))

    assert outcome is not None
    assert not outcome.ok
    assert "signature" in outcome.reason
    assert exchange.line() == "*"
    assert exchange.succeeds() is None
    assert exchange.says("906 pynfo :SASL authentication aborted") is None


@pytest.mark.parametrize("mechanism", ALL.split(","))
def test_success_without_a_challenge_is_not_believed(ecdsa: SaslSettings, mechanism: str) -> None:
    exchange = Exchange(settings(mechanism, ecdsa_key=Path(ecdsa.ecdsa_key or "")))
    assert exchange.begin() == mechanism

    outcome = exchange.succeeds()

    assert outcome is not None
    assert not outcome.ok
    assert outcome.account is None


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_success_before_the_server_has_proved_itself_is_not_believed(steps: int) -> None:
    exchange, server = Exchange(settings("SCRAM-SHA-256")), ScramServer("SCRAM-SHA-256")
    exchange.begin()
    exchange.challenges()
    if steps > 1:
        exchange.challenges(server.first(exchange.response()))
    if steps > 2:
        exchange.challenges(b"e=other-error")

    outcome = exchange.succeeds()

    assert outcome is not None
    assert not outcome.ok


def test_success_between_the_name_and_the_signature_is_not_believed(ecdsa: SaslSettings) -> None:
    exchange = Exchange(ecdsa)
    exchange.begin()
    exchange.challenges()

    outcome = exchange.succeeds()

    assert outcome is not None
    assert not outcome.ok


@pytest.mark.parametrize(
    "server_first",
    [
        b"r=%s,s=QSXCR+Q6sek8bf92,i=500001",
        b"r=%s,s=QSXCR+Q6sek8bf92,i=99999999999",
        b"r=%s,s=QSXCR+Q6sek8bf92,i=1",
        b"r=somebodyelse,s=QSXCR+Q6sek8bf92,i=4096",
        b"m=ext,r=%s,s=QSXCR+Q6sek8bf92,i=4096",
        b"r=%s,s=***,i=4096",
        b"r=%s",
        b"\xff\xfe",
        b"\0",
        b"",
    ],
)
def test_a_first_message_that_breaks_scram_ends_it_at_once(server_first: bytes) -> None:
    exchange = Exchange(settings("SCRAM-SHA-256"))
    exchange.begin()
    exchange.challenges()
    nonce = exchange.response().rpartition(b"r=")[2] + b"server"

    outcome = exchange.challenges(server_first.replace(b"%s", nonce))

    assert outcome is not None
    assert not outcome.ok
    assert exchange.line() == "*"


@pytest.mark.parametrize("line", ["****", "YQ", "YQ==YQ==", "a" * 401, "ÄÖÜ="])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_challenge_that_is_garbage_ends_it_and_no_password_follows(mechanism: str, line: str) -> None:
    exchange = Exchange(settings(mechanism))
    exchange.begin()

    outcome = exchange.says(f"AUTHENTICATE {line}")

    assert outcome is not None
    assert not outcome.ok
    assert exchange.line() == "*"


def test_a_chunk_over_400_bytes_is_refused_whatever_is_in_it() -> None:
    server = ScramServer("SCRAM-SHA-256", nonce="n" * 300)
    exchange = Exchange(settings("SCRAM-SHA-256"))
    exchange.begin()
    exchange.challenges()
    challenge = server.first(exchange.response())

    outcome = exchange.says(f"AUTHENTICATE {b64encode(challenge).decode()}")

    assert outcome is not None
    assert "too long" in outcome.reason
    assert exchange.line() == "*"


@pytest.mark.parametrize("mechanism", ALL.split(","))
def test_a_first_challenge_that_says_anything_is_refused(ecdsa: SaslSettings, mechanism: str) -> None:
    exchange = Exchange(settings(mechanism, ecdsa_key=Path(ecdsa.ecdsa_key or "")))
    exchange.begin()

    outcome = exchange.challenges(bytes(32))

    assert outcome is not None
    assert not outcome.ok
    assert exchange.line() == "*"


def test_a_challenge_without_end_is_cut_off() -> None:
    exchange = Exchange(settings("SCRAM-SHA-256"))
    exchange.begin()

    outcomes = [exchange.says(f"AUTHENTICATE {'A' * 400}") for _ in range(30)]

    assert [number for number, outcome in enumerate(outcomes, 1) if outcome] == [21]
    assert exchange.line() == "*"


def test_a_server_that_breaks_the_rules_is_not_given_the_password_by_another_mechanism() -> None:
    exchange = Exchange(settings())
    assert exchange.begin("SCRAM-SHA-256,PLAIN") == "SCRAM-SHA-256"
    exchange.challenges()
    exchange.response()

    exchange.challenges(b"nonsense")
    exchange.fails()
    exchange.challenges()

    assert exchange.line() == "*"


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=700).map(lambda challenge: ("AUTHENTICATE", [b64encode(challenge).decode()])),
            st.text(max_size=30).map(lambda text: ("AUTHENTICATE", [text])),
            st.tuples(
                st.sampled_from(["AUTHENTICATE", *map(str, range(900, 909))]),
                st.lists(st.sampled_from(["+", "*", "pynfo", ALL, "PLAIN", ""]), max_size=4),
            ),
        ),
        max_size=12,
    )
)
def test_no_words_of_a_server_are_an_error_or_pass_for_scram(lines: list[tuple[str, list[str]]]) -> None:
    sent: list[Message] = []
    client = Authentication(sent.append, settings("SCRAM-SHA-256"), secure=True, plain_without_tls=False)
    client.begin("")

    outcomes = [client.receive(Message(command, params)) for command, params in lines]

    assert not any(outcome.ok for outcome in outcomes if outcome)
    for message in sent:
        message.format()


# Which mechanism


@pytest.mark.parametrize(
    ("wanted", "offered", "chosen"),
    [
        (None, ALL, "SCRAM-SHA-512"),
        (None, "PLAIN,SCRAM-SHA-256", "SCRAM-SHA-256"),
        (None, "plain", "PLAIN"),
        (None, "", "SCRAM-SHA-512"),
        (None, "GSSAPI,EXTERNAL", None),
        ("PLAIN", ALL, "PLAIN"),
        ("scram-sha-256", ALL, "SCRAM-SHA-256"),
        ("SCRAM-SHA-256", "PLAIN", None),
        ("SCRAM-SHA-256", "", "SCRAM-SHA-256"),
        ("EXTERNAL", ALL, "EXTERNAL"),
        ("ECDSA-NIST256P-CHALLENGE", ALL, None),
        ("GSSAPI", "GSSAPI", None),
    ],
)
def test_the_best_that_both_sides_can_use_is_chosen(
    wanted: str | None, offered: str, chosen: str | None
) -> None:
    assert Exchange(settings(wanted)).client.choose(offered) == chosen


def test_keys_are_preferred_to_passwords_where_there_are_any(ecdsa: SaslSettings) -> None:
    with_both = settings(ecdsa_key=Path(ecdsa.ecdsa_key or ""))

    assert Exchange(with_both).client.choose(ALL) == "ECDSA-NIST256P-CHALLENGE"
    assert Exchange(with_both, certificate=True).client.choose(ALL) == "EXTERNAL"


def test_plain_needs_tls_unless_the_config_allows_it_without() -> None:
    refused = Exchange(settings(), secure=False)
    allowed = Exchange(settings(), secure=False, plain_without_tls=True)

    assert refused.begin("PLAIN") == ""
    assert refused.outcome is not None
    assert "plain_without_tls=True" in refused.outcome.reason
    assert refused.heard == []
    assert allowed.begin("PLAIN") == "PLAIN"


def test_external_without_tls_is_not_tried() -> None:
    assert Exchange(settings("EXTERNAL"), secure=False).client.choose(ALL) is None


def test_plain_without_tls_is_not_reached_by_refusing_everything_else() -> None:
    exchange = Exchange(settings(), secure=False)
    exchange.begin()
    exchange.fails()

    outcome = exchange.fails()

    assert outcome is not None
    assert [line for line in exchange.heard if line not in SCRAMS] == []


def test_where_nothing_can_be_tried_the_reason_tells_what_each_side_has() -> None:
    exchange = Exchange(SaslSettings(mechanism="PLAIN"))

    exchange.begin("EXTERNAL,GSSAPI")

    assert exchange.outcome is not None
    assert "EXTERNAL,GSSAPI" in exchange.outcome.reason
    assert "PLAIN: it needs a username" in exchange.outcome.reason


def test_after_a_refusal_the_next_mechanism_is_tried_and_the_last_one_decides() -> None:
    exchange = Exchange(settings())

    tried = [exchange.begin()]
    while exchange.fails() is None:
        tried.append(exchange.line())

    assert tried == ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]
    assert exchange.outcome is not None
    assert not exchange.outcome.ok
    assert all(f"{name}: SASL authentication failed" in exchange.outcome.reason for name in tried)


def test_a_mechanism_named_in_the_settings_is_the_only_one() -> None:
    exchange = Exchange(settings("SCRAM-SHA-256"))
    exchange.begin()

    outcome = exchange.fails()

    assert outcome is not None
    assert exchange.heard == []


@pytest.mark.parametrize("numerics", [("908", "904"), ("904", "908"), ("908",), ("904",)])
def test_a_mechanism_that_the_server_has_not_is_left_in_whatever_way_it_says_so(
    numerics: tuple[str, ...],
) -> None:
    lines = {"908": "908 pynfo SCRAM-SHA-256,PLAIN :are available", "904": "904 pynfo :failed"}
    exchange, server = Exchange(settings()), ScramServer("SCRAM-SHA-256")
    assert exchange.begin("") == "SCRAM-SHA-512"

    for numeric in numerics:
        assert exchange.says(lines[numeric]) is None

    assert exchange.line() == "SCRAM-SHA-256"
    exchange.challenges(server.final(up_to_the_proof(exchange, server)))
    assert exchange.succeeds() == Outcome(ok=True, account="jilles")


def test_once_the_next_mechanism_is_under_way_a_refusal_is_its_own() -> None:
    exchange = Exchange(settings())
    exchange.begin("")
    exchange.says("908 pynfo PLAIN :are available SASL mechanisms")
    exchange.challenges()

    outcome = exchange.fails()

    assert outcome is not None
    assert not outcome.ok


def test_a_list_of_mechanisms_rules_out_what_is_not_on_it() -> None:
    exchange = Exchange(settings())
    exchange.begin("")
    exchange.says("908 pynfo PLAIN :are available SASL mechanisms")
    exchange.fails()

    assert exchange.line() == "PLAIN"
    assert exchange.fails() is not None


def test_a_list_of_mechanisms_that_holds_none_of_ours_ends_it() -> None:
    exchange = Exchange(settings())
    exchange.begin("")

    outcome = exchange.says("908 pynfo GSSAPI :are available SASL mechanisms")

    assert outcome is not None
    assert not outcome.ok
    assert exchange.fails() is None


def test_a_list_in_the_middle_of_an_exchange_waits_for_the_refusal() -> None:
    exchange = Exchange(settings())
    exchange.begin("SCRAM-SHA-512,SCRAM-SHA-256,PLAIN")
    exchange.challenges()
    exchange.response()

    exchange.challenges(b"e=digest-algorithm-mismatch")
    exchange.says("908 pynfo SCRAM-SHA-256,PLAIN :are available SASL mechanisms")
    early = list(exchange.heard)
    exchange.fails()

    assert early == []
    assert exchange.line() == "SCRAM-SHA-256"


@pytest.mark.parametrize("numeric", ["902", "906", "907"])
def test_what_no_other_mechanism_would_change_ends_it(numeric: str) -> None:
    exchange = Exchange(settings())
    exchange.begin()

    outcome = exchange.says(f"{numeric} pynfo :in the server's \x02words")

    assert outcome == Outcome(ok=False, reason="SCRAM-SHA-512: in the server's words")


def test_a_message_that_was_too_long_leads_to_the_next_mechanism() -> None:
    exchange = Exchange(settings())
    exchange.begin()
    exchange.challenges()
    exchange.response()

    assert exchange.says("905 pynfo :SASL message too long") is None
    assert exchange.line() == "SCRAM-SHA-256"


# Giving up, and logging in again


def test_after_an_abort_late_answers_are_ignored() -> None:
    exchange = Exchange(settings())
    exchange.begin("")

    exchange.client.abort()
    sent = exchange.line()
    late = [exchange.challenges(), exchange.fails(), exchange.succeeds(), exchange.says("906 pynfo :aborted")]

    assert sent == "*"
    assert late == [None] * 4
    assert exchange.heard == []
    assert not exchange.client.active


def test_an_abort_with_nothing_under_way_says_nothing() -> None:
    exchange = Exchange(settings())

    exchange.client.abort()

    assert exchange.heard == []


def test_the_late_answer_to_an_abort_does_not_end_the_next_try() -> None:
    exchange, server = Exchange(settings("SCRAM-SHA-256")), ScramServer("SCRAM-SHA-256")
    exchange.begin()
    exchange.client.abort()
    exchange.heard.clear()
    exchange.begin()

    assert exchange.says("906 pynfo :SASL authentication aborted") is None
    exchange.heard.clear()
    exchange.challenges(server.final(up_to_the_proof(exchange, server)))

    assert exchange.succeeds() == Outcome(ok=True, account="jilles")


def test_beginning_again_gives_up_what_is_under_way() -> None:
    exchange = Exchange(settings("PLAIN"))
    exchange.begin()
    exchange.challenges()
    exchange.heard.clear()

    exchange.client.begin("PLAIN")

    assert exchange.heard == ["*", "PLAIN"]
    outcome = exchange.succeeds()
    assert outcome is not None
    assert not outcome.ok


def test_a_login_can_be_repeated_from_the_start() -> None:
    exchange = Exchange(settings("SCRAM-SHA-512"))
    nonces = set()
    for _ in range(2):
        server = ScramServer("SCRAM-SHA-512")
        exchange.begin()
        exchange.challenges()
        client_first = exchange.response()
        nonces.add(client_first)
        exchange.challenges(server.first(client_first))
        exchange.challenges(server.final(exchange.response()))
        exchange.heard.clear()

        assert exchange.succeeds() == Outcome(ok=True, account="jilles")

    assert len(nonces) == 2


def test_being_logged_in_already_is_success_only_after_a_success_of_ours() -> None:
    exchange = Exchange(settings("PLAIN"))
    already = "907 pynfo :You have already authenticated using SASL"
    exchange.begin()
    exchange.challenges()
    exchange.heard.clear()
    exchange.succeeds()

    exchange.begin()
    still = exchange.says(already)
    exchange.says("901 pynfo pynfo!pynfo@host.test :You are now logged out")
    exchange.begin()
    afterwards = exchange.says(already)

    assert still == Outcome(ok=True, account="jilles")
    assert afterwards is not None
    assert not afterwards.ok
    assert exchange.client.account is None


# Secrets


@pytest.mark.parametrize("mechanism", ["PLAIN", *SCRAMS])
def test_no_reason_tells_the_password(mechanism: str) -> None:
    unfit = "sesame\0\ue000"  # NUL for PLAIN; SASLprep prohibits both

    exchange = Exchange(settings(mechanism, password=unfit))
    if exchange.begin():
        exchange.challenges()

    assert exchange.outcome is not None
    assert not exchange.outcome.ok
    assert "sesame" not in repr(exchange.outcome)
    assert "sesame" not in repr(vars(exchange.client))
