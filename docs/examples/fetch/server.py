#!/usr/bin/env python3
"""The servers that test.sh fetches from: http, and https with a certificate.

    server.py [CERTIFICATE KEY]

/slow/MS      answers after MS milliseconds
/bytes/N      N bytes
/status/CODE  that status
/moved        a redirection to /bytes/5
/hang         never answers; notices when the client hangs up
/hung-up/2    how many have, once as many as that have
/reset        resets the connection
/short        ends before its Content-Length
/connections  how many there have been
"""

import http.server
import socket
import ssl
import struct
import sys
import threading
import time

connections = 0
hung_up = 0
changed = threading.Condition()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        global connections
        super().setup()
        with changed:
            connections += 1

    def log_message(self, *_):
        pass

    def answer(self, body, status=200, length=None, location=None):
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def hang(self):
        global hung_up
        try:
            self.connection.recv(1)
        except OSError:
            pass
        with changed:
            hung_up += 1
            changed.notify_all()
        self.close_connection = True

    def do_GET(self):
        what, _, number = self.path[1:].partition("?")[0].partition("/")
        if what == "slow":
            time.sleep(int(number) / 1000)
            self.answer(b"slow\n")
        elif what == "bytes":
            self.answer(b"x" * int(number))
        elif what == "status":
            self.answer(b"status\n", status=int(number))
        elif what == "moved":
            self.answer(b"", status=302, location="/bytes/5")
        elif what == "hang":
            self.hang()
        elif what == "hung-up":
            with changed:
                changed.wait_for(lambda: hung_up >= int(number), timeout=2)
                self.answer(b"%d hung up\n" % hung_up)
        elif what == "reset":
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self.connection.close()
            self.close_connection = True
        elif what == "short":
            self.answer(b"short", length=100)
            self.close_connection = True
        else:
            self.answer(b"%d connections\n" % connections)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


server = Server(("127.0.0.1", 0), Handler)
if len(sys.argv) == 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print("listening on 127.0.0.1:%d" % server.server_address[1], flush=True)
server.serve_forever()
