"""A service manager's ear: binds the datagram socket that it is given, and prints each message as a line of JSON:
{"at": CLOCK_MONOTONIC in microseconds, "text": "READY=1\\n…"}. The first line, {"at": …, "text": ""}: it listens."""
import json
import socket
import sys
import time

ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ear.bind(sys.argv[1])
text = ''
while True:
    print(json.dumps({'at': time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000, 'text': text}), flush=True)
    text = ear.recv(65536).decode()
