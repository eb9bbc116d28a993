"""A receiver of hooks in Python's standard library.

It verifies, deduplicates, and prints each delivery as a line of JSON.

    python3 examples/receivers/receiver.py whsec_… [PORT]       # PORT: 9000
"""

import base64
import binascii
import hashlib
import hmac
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE = 5 * 60  # seconds
MAX_BODY = 4 << 20  # bytes; a document has at most about 1 MiB


class Refused(Exception):
    """A request with a wrong signature, or with a timestamp that is not current."""


def verify(key, headers, body, now):
    """Verify as Standard Webhooks specifies; raise Refused."""
    try:
        sent = int(headers["webhook-timestamp"])
    except (TypeError, ValueError):
        raise Refused("Missing required headers") from None
    if sent < now - TOLERANCE:
        raise Refused("Message timestamp too old")
    if sent > now + TOLERANCE:
        raise Refused("Message timestamp too new")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    for signature in (headers["webhook-signature"] or "").split():
        version, _, value = signature.partition(",")
        if version == "v1" and hmac.compare_digest(value.encode(), expected):
            return
    raise Refused("No matching signature found")


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # Itemcast reuses connections
    timeout = 60
    key = b""
    handled = set()  # in a real receiver: a table, written in the transaction that does the work
    lock = threading.Lock()

    def do_POST(self):
        length = int(self.headers.get("content-length", 0))
        if length > MAX_BODY:
            self.close_connection = True
            return self.answer(413)
        body = self.rfile.read(length)
        try:
            verify(self.key, self.headers, body, time.time())
        except Refused as reason:
            self.print({"refused": str(reason)})
            return self.answer(401)
        delivery = self.headers["webhook-id"]
        with self.lock:
            repeated = delivery in self.handled
            self.handled.add(delivery)
        if repeated:
            self.print({"repeated": delivery})
        else:
            item = json.loads(body)
            line = {"event": self.headers["itemcast-event"]}
            if "itemcast-task" in self.headers:  # only of a workflow's task
                line["task"] = self.headers["itemcast-task"]
            self.print(line | {"id": delivery, "revision": item["revision"], "item": item})
        self.answer(204)  # within 15 seconds; do long work after the response

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def print(self, line):
        print(json.dumps(line, ensure_ascii=False), flush=True)

    def log_message(self, *args):
        pass


def main():
    if len(sys.argv) < 2 or not sys.argv[1].startswith("whsec_") or sys.argv[1] == "whsec_":
        sys.exit("usage: receiver.py whsec_… [PORT] (the secret of the hook)")
    port = sys.argv[2] if len(sys.argv) > 2 else "9000"
    try:
        Receiver.key = base64.b64decode(sys.argv[1].removeprefix("whsec_"), validate=True)
        server = ThreadingHTTPServer(("127.0.0.1", int(port)), Receiver)
    except binascii.Error:
        sys.exit("usage: receiver.py whsec_… [PORT] (the secret of the hook)")
    except (ValueError, OverflowError):
        sys.exit(f"{port} is not a port")
    except OSError as error:
        sys.exit(f"Port {port} cannot be used: {error.strerror}")
    print(json.dumps({"listening": server.server_port}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
