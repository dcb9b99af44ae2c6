"""A receiver of Understudy's webhooks that believes only what is signed, and only once.

python3 receiver.py PORT, with the key of the signature in UNDERSTUDY_HOOK_KEY. A line a message goes to standard output.
"""

import hashlib
import hmac
import http.server
import json
import os
import sys
import time

KEY = os.environ["UNDERSTUDY_HOOK_KEY"].encode()
OLDEST_SECONDS = 300
SEEN = set()


def is_genuine(signature, body):
    """Whether a signature `t=<seconds>,v1=<hex>` is that of the body, and not old."""
    parts = dict(part.split("=", 1) for part in signature.split(",") if "=" in part)
    expected = hmac.new(KEY, parts.get("t", "").encode() + b"." + body, hashlib.sha256).hexdigest()
    fresh = parts.get("t", "").isdigit() and abs(time.time() - int(parts["t"])) < OLDEST_SECONDS
    return fresh and hmac.compare_digest(expected, parts.get("v1", ""))


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not is_genuine(self.headers.get("Understudy-Signature", ""), body):
            self.send_error(401)
            return
        key = self.headers["Idempotency-Key"]
        if key not in SEEN:
            SEEN.add(key)
            news = json.loads(body)
            print(news["kind"], news["pipeline"], news["date"], news["change"], flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
    print("listening on", server.server_port, flush=True)
    server.serve_forever()
