"""TLS with real processes: merchants and operators over https, certificates that
change while connections are open, and gateways behind TLS."""
import http.client
import json
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from harness import Http, Workplace, audit, bearer, payment, wait_until


class Authority:
    """A certificate authority, made by the openssl command when the test runs."""

    def __init__(self, name="Test CA"):
        self.directory = Path(tempfile.mkdtemp(prefix="turnout-ca-"))
        self.certificate = self.directory / "ca.pem"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                     "-subj", f"/CN={name}", "-keyout", "ca.key", "-out", "ca.pem")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.directory, check=True, capture_output=True)

    def issue(self, name, hosts="DNS:localhost,IP:127.0.0.1", days=30):
        """The files of a certificate and its key."""
        (self.directory / "san").write_text(f"subjectAltName={hosts}\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                     "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                     "-days", str(days), "-extfile", "san", "-out", f"{name}.pem")
        (self.directory / f"{name}.key").chmod(0o600)
        return self.directory / f"{name}.pem", self.directory / f"{name}.key"

    def client(self, identity=None):
        made = ssl.create_default_context(cafile=str(self.certificate))
        if identity:
            made.load_cert_chain(*map(str, identity))
        return made

    def close(self):
        shutil.rmtree(self.directory, ignore_errors=True)


def common_name(http):
    """Whose certificate this connection was shown."""
    subject = http._connection.sock.getpeercert()["subject"]
    return dict(pair for part in subject for pair in part)["commonName"]


class TlsCase(unittest.TestCase):
    def setUp(self):
        self.authority = Authority()
        self.addCleanup(self.authority.close)

    def open(self, prepare=lambda place: None, start=True):
        place = Workplace()
        self.addCleanup(place.__exit__, None, None, None)
        place.sandbox.calm()
        self.headers = bearer(place.proxy.make_key())
        prepare(place)
        if start:
            place.proxy.start()
        return place

    def put_identity(self, place, name):
        """Copies a fresh certificate and key to where turnout.yaml names them."""
        certificate, key = self.authority.issue(name)
        shutil.copy(certificate, place.proxy.conf / "listener.pem")
        shutil.copy(key, place.proxy.conf / "listener.key")
        (place.proxy.conf / "listener.key").chmod(0o600)

    def listen_with_tls(self, more=""):
        def prepare(place):
            self.put_identity(place, "first")
            shutil.copy(self.authority.certificate, place.proxy.conf / "ca.pem")
            tls = "tls: {certificate: listener.pem, key: listener.key%s}" % more
            place.proxy.edit("turnout.yaml", r"listen: \{", "listen: {%s, " % tls)
            place.proxy.edit("turnout.yaml", r"admin: \{", "admin: {%s, " % tls.replace(more, ""))
            place.proxy.admin_tls = self.authority.client()
        return prepare


class Listener(TlsCase):
    def test_payments_and_administration_over_https(self):
        place = self.open(self.listen_with_tls())
        self.assertRegex(place.proxy.process.output(), r"payments on https://127\.0\.0\.1:\d+, admin on https://")
        http = Http(place.proxy.port, tls=self.authority.client())
        answers = [http.request("POST", "/v1/payments", payment(), self.headers) for _ in range(5)]
        self.assertEqual([each.status for each in answers], [201] * 5)
        self.assertEqual(answers[0].headers["strict-transport-security"], "max-age=31536000")
        self.assertIn(http._connection.sock.version(), ("TLSv1.2", "TLSv1.3"))
        curl = subprocess.run(["curl", "-sS", "--cacert", str(self.authority.certificate), "-o", "/dev/null", "-w",
                               "%{http_code}", f"https://localhost:{place.proxy.port}/v1/payments/none"],
                              capture_output=True, text=True)
        self.assertEqual(curl.stdout, "401", curl)
        # Nobody else's certificate authority, no other name, no plain HTTP.
        with self.assertRaises(ssl.SSLCertVerificationError):
            Http(place.proxy.port, tls=ssl.create_default_context()).request("GET", "/v1/payments")
        plain = Http(place.proxy.port).request("POST", "/v1/payments", payment(), self.headers)
        self.assertEqual(plain.status, 400)
        self.assertIn(b"https", plain.text)
        admin = Http(place.proxy.admin_port, tls=self.authority.client())
        self.assertIn(b"turnout_payments_total", admin.request("GET", "/metrics").text)
        admin.close()
        self.explain_over_https(place)
        http.close()
        self.assertEqual(place.proxy.stop(), 0)
        audit(place, [(each.status, each.json) for each in answers])

    def explain_over_https(self, place):
        file = place.proxy.directory / "payment.json"
        file.write_text(json.dumps(payment()))
        asked = ("explain", "--payment", str(file), "--conf", str(place.proxy.conf), "--admin",
                 f"https://localhost:{place.proxy.admin_port}")
        told = place.proxy.run(*asked, "--ca", str(self.authority.certificate))
        self.assertEqual(told.returncode, 0, told)
        self.assertIn("of the proxy that runs, https://localhost", told.stdout)
        stranger = place.proxy.run(*asked)
        self.assertEqual(stranger.returncode, 1)
        self.assertIn("tls_untrusted_certificate", stranger.stderr)

    def test_certificates_change_while_connections_are_open(self):
        place = self.open(self.listen_with_tls())
        trust = self.authority.client()
        admin, old = Http(place.proxy.admin_port, tls=trust), Http(place.proxy.port, tls=trust)
        self.assertEqual(old.request("POST", "/v1/payments", payment(), self.headers).status, 201)
        self.assertEqual(common_name(old), "first")

        def new_name():
            http = Http(place.proxy.port, tls=trust)
            self.assertEqual(http.request("GET", "/v1/payments/none", headers=self.headers).status, 404)
            name = common_name(http)
            http.close()
            return name

        self.put_identity(place, "second")
        self.assertEqual(admin.request("POST", "/-/reload").status, 200)
        wait_until("the new certificate", lambda: new_name() == "second")
        self.put_identity(place, "third")
        place.proxy.process.child.send_signal(signal.SIGHUP)
        wait_until("the newer certificate", lambda: new_name() == "third")
        # A bad file changes nothing, and it is said which and why.
        (place.proxy.conf / "listener.pem").write_text("nothing")
        refused = admin.request("POST", "/-/reload")
        self.assertGreaterEqual(refused.status, 400)
        self.assertIn("listener.pem holds no certificate", refused.text.decode())
        certificate, _ = self.authority.issue("fourth")
        shutil.copy(certificate, place.proxy.conf / "listener.pem")
        refused = admin.request("POST", "/-/reload")
        self.assertIn("listener.key does not belong to the certificate", refused.text.decode())
        self.assertEqual(new_name(), "third")
        # The connection from the beginning was never dropped.
        connection = old._connection
        self.assertEqual(old.request("POST", "/v1/payments", payment(), self.headers).status, 201)
        self.assertIs(old._connection, connection)
        self.assertEqual(common_name(old), "first")
        old.close()
        admin.close()

    def test_a_start_with_a_bad_certificate_is_refused(self):
        place = self.open(self.listen_with_tls(), start=False)
        _, key = self.authority.issue("another")
        shutil.copy(key, place.proxy.conf / "listener.key")
        said = place.proxy.run("serve", "--conf", str(place.proxy.conf))
        self.assertEqual(said.returncode, 1)
        self.assertRegex(said.stderr, r"turnout\.yaml:\d+:\d+: error: 'key': \S+listener\.key does not belong to")
        (place.proxy.conf / "listener.key").chmod(0o644)
        checked = place.proxy.run("check", str(place.proxy.conf))
        self.assertEqual(checked.returncode, 1)
        self.assertRegex(checked.stderr, r"listener\.key: others than its owner may use it; chmod 600 it")
        (place.proxy.conf / "listener.key").unlink()
        checked = place.proxy.run("check", str(place.proxy.conf))
        self.assertRegex(checked.stderr, r"turnout\.yaml:\d+:\d+: error: 'key': \S+listener\.key: No such file")

    def test_clients_with_certificates(self):
        place = self.open(self.listen_with_tls(", client_ca: ca.pem"))
        known = Http(place.proxy.port, tls=self.authority.client(self.authority.issue("shop")))
        self.assertEqual(known.request("POST", "/v1/payments", payment(), self.headers).status, 201)
        known.close()
        with self.assertRaises((ssl.SSLError, OSError, http.client.HTTPException)):
            Http(place.proxy.port, tls=self.authority.client()).request("POST", "/v1/payments", payment(), self.headers)
        self.assertEqual(len(place.proxy.payments()), 1)

    def test_silent_handshakes_do_not_keep_others_out(self):
        place = self.open(lambda at: (self.listen_with_tls()(at),
                                      at.proxy.edit("turnout.yaml", r"header_timeout: 5s", "header_timeout: 300ms"),
                                      at.proxy.edit("turnout.yaml", r"connections: 20000", "connections: 20")))
        silent = [socket.create_connection(("127.0.0.1", place.proxy.port)) for _ in range(20)]

        def pays():
            http = Http(place.proxy.port, tls=self.authority.client())
            status = http.request("POST", "/v1/payments", payment(), self.headers).status
            http.close()
            return status == 201

        wait_until("a place", pays)
        for each in silent:
            each.settimeout(10)
            self.assertEqual(each.recv(1), b"")
            each.close()

    def test_a_drain_finishes_payments_over_tls(self):
        place = self.open(self.listen_with_tls())
        for name in place.sandbox.urls:
            place.sandbox.control(name, latency_ms=500, latency_sigma=0)
        answers = []

        def pay():
            http = Http(place.proxy.port, tls=self.authority.client())
            answers.append(http.request("POST", "/v1/payments", payment(), self.headers))
            http.close()

        threads = [threading.Thread(target=pay) for _ in range(4)]
        for each in threads:
            each.start()
        wait_until("all to be under way", lambda: len(place.proxy.payments()) == 4)
        place.proxy.process.child.send_signal(signal.SIGTERM)
        for each in threads:
            each.join()
        self.assertEqual(place.proxy.process.child.wait(30), 0)
        self.assertEqual([each.status for each in answers], [201] * 4)
        audit(place, [(each.status, each.json) for each in answers])


class Front:
    """TLS in front of a plain port, as a gateway's own: one thread per direction."""

    def __init__(self, port, context):
        self.target, self.context = port, context
        self.handshakes = self.resumed = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        try:
            secured = self.context.wrap_socket(peer, server_side=True)
        except (ssl.SSLError, OSError):
            peer.close()
            return
        self.handshakes += 1
        self.resumed += secured.session_reused
        with secured, socket.create_connection(("127.0.0.1", self.target)) as plain:
            back = threading.Thread(target=self.copy, args=(plain, secured), daemon=True)
            back.start()
            self.copy(secured, plain)
            back.join()

    @staticmethod
    def copy(source, target):
        try:
            while chunk := source.recv(65536):
                target.sendall(chunk)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.close()


class Gateways(TlsCase):
    def front(self, place, gateway, identity, configure=lambda context: None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*map(str, identity))
        configure(context)
        made = Front(int(place.sandbox.urls[gateway].rsplit(":", 1)[1]), context)
        self.addCleanup(made.close)
        return made

    def behind_tls(self, front, tls, gateway="alpha"):
        """Puts `gateway` behind `front`; `tls` is what its file says besides the CA."""
        def prepare(place):
            shutil.copy(self.authority.certificate, place.proxy.conf / "connectors" / "ca.pem")
            made = front(place)
            place.proxy.environment[f"{gateway.upper()}_URL"] = f"https://localhost:{made.port}"
            place.proxy.edit(f"connectors/{gateway}.yaml", r"(?m)^base_url:", f"tls: {{{tls}}}\nbase_url:")
        return prepare

    def attempts(self, place, count=3):
        http = Http(place.proxy.port)
        answers = [http.request("POST", "/v1/payments", payment(), self.headers) for _ in range(count)]
        http.close()
        self.assertEqual([each.status for each in answers], [201] * count)
        audit(place, [(each.status, each.json) for each in answers])
        return [attempt for each in answers for attempt in each.json["attempts"]]

    def only_alpha_first(self, place):
        place.proxy.edit("policies/*.yaml", r"strategy: adaptive", "strategy: priority")
        place.proxy.edit("policies/*.yaml", r"connectors: \[[^\]]*\]", "connectors: [alpha, beta]")

    def test_payments_to_a_gateway_behind_tls(self):
        identity = self.authority.issue("gateway")
        fronts = []

        def front(place):
            self.only_alpha_first(place)
            fronts.append(self.front(place, "alpha", identity))
            return fronts[0]

        place = self.open(self.behind_tls(front, "ca: ca.pem"))
        attempts = self.attempts(place, 10)
        self.assertEqual({(each["connector"], each["outcome"]) for each in attempts}, {("alpha", "approved")})
        # One connection a worker, kept open.
        self.assertLessEqual(fronts[0].handshakes, 2)

    def test_a_gateway_that_is_not_trusted_is_sent_nothing(self):
        stranger = Authority("Stranger CA")
        self.addCleanup(stranger.close)
        good = self.authority.issue("gateway")
        cases = [
            ("tls_untrusted_certificate", stranger.issue("gateway"), "ca: ca.pem", lambda context: None),
            ("tls_untrusted_certificate", good, "", lambda context: None),
            ("tls_host_mismatch", self.authority.issue("other", "DNS:other.example"), "ca: ca.pem",
             lambda context: None),
            ("tls_pin_mismatch", good, f"ca: ca.pem, pin: sha256/{'A' * 43}=", lambda context: None),
            ("tls_version_unsupported", good, "ca: ca.pem, minimum_version: 1.3",
             lambda context: setattr(context, "maximum_version", ssl.TLSVersion.TLSv1_2)),
            ("tls_handshake_failed", good, "ca: ca.pem",
             lambda context: (context.load_verify_locations(str(self.authority.certificate)),
                              setattr(context, "verify_mode", ssl.CERT_REQUIRED))),
        ]
        for code, identity, tls, configure in cases:
            with self.subTest(code):
                def front(place, identity=identity, configure=configure):
                    self.only_alpha_first(place)
                    return self.front(place, "alpha", identity, configure)

                place = self.open(self.behind_tls(front, tls))
                attempts = self.attempts(place)
                told = {(each["connector"], each["outcome"], each["code"]) for each in attempts
                        if each["connector"] == "alpha"}
                self.assertEqual(told, {("alpha", "not_sent", code)})
                self.assertEqual({each["outcome"] for each in attempts if each["connector"] == "beta"}, {"approved"})
                self.assertFalse([each for each in place.sandbox.operations() if each["gateway"] == "alpha"])


if __name__ == "__main__":
    unittest.main()
