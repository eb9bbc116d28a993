"""Signs a ticket and uploads a file with it, in Python's standard library.

In an application, your server signs the ticket, and a browser or a device uploads with it.

    python3 examples/upload-ticket/python/upload.py http://127.0.0.1:8080 PROFILE icu_… FILE
"""

import base64
import hashlib
import hmac
import http.client
import json
import mimetypes
import os
import secrets
import sys
import time
import urllib.parse

USAGE = "usage: upload.py URL PROFILE icu_… FILE (the profile's upload secret)"


def sign(claims, secret):
    """Return the two headers of a ticket.

    The info is the ticket's JSON as base64url without padding. The signature is the HMAC-SHA256 of that text in
    lower-case hexadecimal digits. The key is the whole text of the secret.
    """
    info = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    signature = hmac.new(secret.encode(), info, hashlib.sha256).hexdigest()
    return {"itemcast-upload-info": info.decode(), "itemcast-upload-signature": signature}


def body(path, boundary):
    """Return the length of a form with one file, and its parts as they are read."""
    name = os.path.basename(path).replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    head = (
        f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\n'
        f"content-type: {kind}\r\n\r\n"
    ).encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    file = open(path, "rb")

    def parts():
        with file:
            yield head
            while chunk := file.read(1 << 20):
                yield chunk
            yield tail

    return len(head) + os.fstat(file.fileno()).st_size + len(tail), parts()


def main():
    if len(sys.argv) != 5 or not sys.argv[3].startswith("icu_"):
        sys.exit(USAGE)
    server, profile, secret, path = sys.argv[1].rstrip("/"), *sys.argv[2:]
    url = urllib.parse.urlsplit(server)
    if url.scheme not in ("http", "https") or not url.netloc:
        sys.exit(f"{server} is not a URL such as http://127.0.0.1:8080")
    ticket = sign(
        {
            "profile": profile,
            "expires": int(time.time()) + 600,  # in seconds, at most seven days ahead
            "nonce": secrets.token_urlsafe(16),  # one ticket makes one upload
        },
        secret,
    )
    boundary = secrets.token_hex(16)
    try:
        length, parts = body(path, boundary)
    except OSError as error:
        sys.exit(f"Cannot read {path}: {error.strerror}")
    form = {"content-type": f"multipart/form-data; boundary={boundary}", "content-length": str(length)}
    connect = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = connect(url.netloc)
    try:
        try:
            connection.request("POST", url.path + "/api/v1/uploads", parts, ticket | form)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server has answered before the end of the file
        response = connection.getresponse()
        text = response.read()
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"{server} cannot be reached: {getattr(error, 'strerror', None) or error}")
    try:
        answer = json.loads(text)
    except ValueError:
        answer = {}
    if response.status != 201:
        detail = answer.get("detail", "is this the URL of an Itemcast server?")
        sys.exit(f"{server} answers {response.status}: {detail}")
    print(json.dumps(answer, ensure_ascii=False))


if __name__ == "__main__":
    main()
