#!/usr/bin/env python3
"""A server for tests: files of a folder over http with ranges, and the same as an s3 store.

usage: server.py FOLDER [CERTIFICATE-WITH-KEY]

Prints its port, and ends when its standard input does. The first part of an address says how it behaves:
    /plain/      as it should be
    /flaky/      each request fails with 503, then breaks off in the middle, then is answered
    /down/       503, always
    /whole/      knows no ranges
    /denied/     403
    /changing/   another ETag each time
    /open/       an s3 bucket for everybody
    /unlisted/   the same, where what is not there is refused
    /closed/     an s3 bucket for who signs with the key "weft-test-id" and the secret "weft-test-secret"
    /stats       what was asked so far: requests, bytes, most at once
Other names are buckets that there are not.
"""
import hashlib
import hmac
import http.server
import json
import os
import re
import ssl
import sys
import threading
import time
import urllib.parse
import xml.sax.saxutils as xml

FOLDER = os.path.abspath(sys.argv[1])
KEYS = {"weft-test-id": "weft-test-secret"}
lock = threading.Lock()
stats = {"requests": 0, "bytes": 0, "now": 0, "most": 0}
seen = {}
changes = [0]


def signature_fault(handler, body):
    """Returns S3's code for what is wrong with a signature, or nothing."""
    given = handler.headers.get("Authorization", "")
    found = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, "
                         r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})", given)
    if not found:
        return "AccessDenied"
    key, day, region, names, signature = found.groups()
    if key not in KEYS:
        return "InvalidAccessKeyId"
    path, _, query = handler.path.partition("?")
    body_sum = handler.headers["x-amz-content-sha256"]
    if body_sum not in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()):
        return "XAmzContentSHA256Mismatch"
    pairs = sorted(query.split("&")) if query else []
    lines = "".join(f"{name}:{handler.headers[name].strip()}\n" for name in names.split(";"))
    asked = "\n".join([handler.command, path, "&".join(pairs), lines, names, body_sum])
    text = "\n".join(["AWS4-HMAC-SHA256", handler.headers["x-amz-date"], f"{day}/{region}/s3/aws4_request",
                      hashlib.sha256(asked.encode()).hexdigest()])
    secret = ("AWS4" + KEYS[key]).encode()
    for step in (day, region, "s3", "aws4_request"):
        secret = hmac.new(secret, step.encode(), hashlib.sha256).digest()
    right = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
    return None if right == signature else "SignatureDoesNotMatch"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        with lock:
            stats["requests"] += 1
            stats["now"] += 1
            stats["most"] = max(stats["most"], stats["now"])
        try:
            self.answer(b"")
        finally:
            with lock:
                stats["now"] -= 1

    do_HEAD = do_GET

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(body)

    def say(self, status, code=None, body=b"", headers=()):
        if code:
            body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer(self, body):
        where, _, query = self.path.partition("?")
        kind, _, key = urllib.parse.unquote(where).lstrip("/").partition("/")
        if kind == "stats":
            with lock:
                return self.say(200, body=json.dumps(stats).encode())
        if kind == "denied":
            return self.say(403)
        if kind == "down":
            return self.say(503)
        if kind not in ("plain", "flaky", "whole", "changing", "open", "unlisted", "closed"):
            return self.say(404, "NoSuchBucket")
        if kind == "closed":
            fault = signature_fault(self, body)
            if fault:
                return self.say(403, fault)
        if self.command == "PUT":
            path = os.path.join(FOLDER, key)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as out:
                out.write(body)
            return self.say(200)
        if kind in ("open", "closed") and "list-type=2" in query:
            return self.list(dict(urllib.parse.parse_qsl(query)))
        self.give(kind, os.path.join(FOLDER, key))

    def list(self, asked):
        prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter")
        keys = sorted(os.path.relpath(os.path.join(at, name), FOLDER) for at, _, names in os.walk(FOLDER) for name in names)
        folders, rows = set(), ""
        keys = [key for key in keys if key.startswith(prefix)]
        after = asked.get("continuation-token")
        # Two keys a page, so that lists of several pages are read.
        rest = [key for key in keys if after is None or key > after]
        for key in rest[:2]:
            if delimiter and delimiter in key[len(prefix):]:
                folders.add(prefix + key[len(prefix):].split(delimiter)[0] + delimiter)
            else:
                rows += f"<Contents><Key>{xml.escape(key)}</Key><Size>{os.path.getsize(os.path.join(FOLDER, key))}</Size></Contents>"
        rows += "".join(f"<CommonPrefixes><Prefix>{xml.escape(one)}</Prefix></CommonPrefixes>" for one in sorted(folders))
        if len(rest) > 2:
            rows += f"<NextContinuationToken>{xml.escape(rest[1])}</NextContinuationToken>"
        self.say(200, body=f"<?xml version='1.0'?><ListBucketResult>{rows}</ListBucketResult>".encode())

    def give(self, kind, path):
        if not os.path.isfile(path) and kind == "unlisted":
            return self.say(403, "AccessDenied")
        if not os.path.isfile(path):
            return self.say(404, "NoSuchKey")
        with open(path, "rb") as file:
            data = file.read()
        part = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        status, headers, whole = 200, [], len(data)
        tag = hashlib.md5(data).hexdigest()
        if kind == "changing":
            changes[0] += 1
            tag = str(changes[0])
        headers.append(("ETag", f'"{tag}"'))
        if part and kind != "whole":
            first, last = part.groups()
            begin = int(first) if first else max(0, whole - int(last))
            end = min(whole, int(last) + 1) if first and last else whole
            if begin >= whole:
                return self.say(416, headers=[("Content-Range", f"bytes */{whole}")])
            data, status = data[begin:end], 206
            headers.append(("Content-Range", f"bytes {begin}-{end - 1}/{whole}"))
        if kind == "flaky":
            with lock:
                turn = seen[self.path, part and part.group()] = seen.get((self.path, part and part.group()), -1) + 1
            if turn == 0:
                return self.say(503, headers=[("Retry-After", "0")])
            if turn == 1 and len(data) > 1:
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[: len(data) // 2])
                self.wfile.flush()
                self.close_connection = True
                return None
        time.sleep(float(os.environ.get("WEFT_TEST_DELAY_MS", "0")) / 1000)
        with lock:
            stats["bytes"] += len(data)
        self.say(status, body=data, headers=headers)
        return None


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


server = Server(("127.0.0.1", 0), Handler)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
