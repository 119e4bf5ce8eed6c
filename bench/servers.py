"""What the benches of servers share: starting them beside each other, what they use, and asking
them without the milliseconds that Python's HTTP client takes for itself.

cpu_seconds() is user + system time from /proc/PID/stat, children included; anonymous_memory() is
RssAnon: files that are mapped are the page cache's, not the server's.
"""
import atexit
import json
import os
import re
import signal
import socket
import struct
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

TICK = os.sysconf("SC_CLK_TCK")
ANSWER_MAX = 128 << 20  # 60 000 frames of deep templates make 50 MB


def started(command):
    """A server that ends with us, however that comes."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(lambda: process.poll() is None and process.terminate())
    return process


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_seconds(pid):
    """Of the process and its children that live."""
    total = 0
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    total += int(fields[11]) + int(fields[12])
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        for child in f.read().split():
            total += cpu_seconds(int(child)) * TICK
    return total / TICK


def anonymous_memory(pid):
    """In bytes."""
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"RssAnon:\s+(\d+) kB", f.read())[1]) * 1024


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def wait_for(url, process, seconds=10):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(f"{url}: the server ended with {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=2).read()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{url}: no answer")


def start_nginx(directory, port, log=None):
    config = f"{directory}/nginx.conf"
    with open(config, "w") as f:
        f.write(f"""daemon off; worker_processes 2; pid {directory}/nginx.pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{ access_log {log or "off"}; sendfile on; tcp_nopush on; keepalive_requests 100000000;
  open_file_cache max=1000; default_type application/octet-stream;
  client_body_temp_path {directory}/t1; proxy_temp_path {directory}/t2; fastcgi_temp_path {directory}/t3;
  uwsgi_temp_path {directory}/t4; scgi_temp_path {directory}/t5;
  server {{ listen 127.0.0.1:{port} reuseport; root {directory}/www; }} }}
""")
    return started(["nginx", "-p", directory, "-c", config])


def start_serve(build, data, *flags):
    """`faultline serve` on a port of its own: (process, "http://HOST:PORT")."""
    port = free_port()
    process = started([f"{build}/bin/faultline", "serve", "--data", data, "--listen",
                       f"127.0.0.1:{port}", *flags])
    address = f"http://127.0.0.1:{port}"
    wait_for(address + "/healthz", process, 120)
    return process, address


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wrk(url, seconds, connections=64, script=None):
    """(requests, requests a second, p99 in ms)"""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", url]
    if script is not None:
        command += ["-s", script]
    out = subprocess.run(command, check=True, text=True, capture_output=True).stdout
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    requests = int(re.search(r"(\d+) requests in", out)[1])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", out).groups()
    p99 = float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]
    return {"requests": requests, "rate": rate, "p99": p99,
            "wrong": int(wrong[1]) if wrong else 0}


def connected(address):
    """A socket to "http://HOST:PORT" that blocks, a minute at most at a time."""
    place = urllib.parse.urlsplit(address)
    s = socket.create_connection((place.hostname, place.port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 60, 0))
    return s


def head_of(method, path, size, *fields):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {size}",
             "Connection: close", *fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def receive(s, buffer):
    """All until the end: how many bytes."""
    view, got = memoryview(buffer), 0
    while n := s.recv_into(view[got:]):
        got += n
    if got == len(buffer):
        raise SystemExit(f"an answer of more than {got} bytes")
    return got


def parsed(answer):
    """(status, body) of an answer's bytes, the framing of chunks taken off."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    if b"transfer-encoding: chunked" not in head.lower():
        return status, body
    pieces, at = [], 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].split(b";")[0], 16)
        if size == 0:
            return status, b"".join(pieces)
        pieces.append(body[end + 2:end + 2 + size])
        at = end + 2 + size + 2


def ask_raw(address, path, body, *fields):
    """POST on a connection of its own, made before the clock starts: (seconds from the first byte
    sent to the end, status, body)."""
    if not hasattr(ask_raw, "buffer"):
        ask_raw.buffer = bytearray(b"x") * ANSWER_MAX  # written once: no page faults later
    request = head_of("POST", path, len(body), "Content-Type: application/json", *fields) + body
    with connected(address) as s:
        started_at = time.perf_counter()
        s.sendall(request)
        got = receive(s, ask_raw.buffer)
        seconds = time.perf_counter() - started_at
    return seconds, *parsed(bytes(memoryview(ask_raw.buffer)[:got]))


POST_LINES = """local bodies, n = {{}}, 0
for line in io.lines("{path}") do bodies[#bodies + 1] = line end
local head = {{["Content-Type"] = "application/json"}}
request = function()
  n = n % #bodies + 1
  return wrk.format("POST", nil, head, bodies[n])
end
"""


def post_script(path, pause_ms=None):
    """A script for wrk that posts the lines of that file, one after the other: its path."""
    script = f"{path}-{pause_ms or 0}.lua"
    with open(script, "w", encoding="ascii") as f:
        f.write(POST_LINES.format(path=path))
        if pause_ms is not None:
            f.write(f"function delay() return {pause_ms} end\n")
    return script


def functions_of(program, faultline):
    """(debug file, debug id, [(address, size)], {address: name}) as dump-syms tells them."""
    text = subprocess.run([faultline, "dump-syms", program], check=True, text=True,
                          capture_output=True).stdout
    lines = text.split("\n")
    _, _, _, debug_id, name = lines[0].split(" ", 4)
    found, names = [], {}
    for line in lines:
        if line.startswith("FUNC "):
            address, size, _, function = line.removeprefix("FUNC ").removeprefix("m ").split(" ", 3)
            found.append((int(address, 16), int(size, 16)))
            names[int(address, 16)] = function
    return name, debug_id, found, names


def stack_of(modules, frames, rng):
    """Frames in functions of all these modules, as many in each."""
    stack = []
    for i, module in enumerate(modules):
        for _ in range(frames // len(modules)):
            address, size = rng.choice(module[2])
            stack.append([i, address + rng.randrange(max(size, 1))])
    rng.shuffle(stack)
    return stack


def job_of(modules, frames, rng):
    return {"memoryMap": [[m[0], m[1]] for m in modules],
            "stacks": [stack_of(modules, frames, rng)]}


def text_of(value):
    return json.dumps(value, separators=(",", ":"))


def require_right(status, answer, job, modules):
    """v5's answer to a job has each frame, with the name of the function there."""
    if status != 200:
        raise SystemExit(f"/symbolicate/v5: {status} {answer[:200]}")
    result = json.loads(answer)["results"][0]
    if not all(result["found_modules"].values()):
        raise SystemExit(f"/symbolicate/v5: not found: {result['found_modules']}")
    frames, asked = result["stacks"][0], job["stacks"][0]
    if len(frames) != len(asked):
        raise SystemExit(f"/symbolicate/v5: {len(frames)} frames for {len(asked)}")
    for frame, (module, offset) in zip(frames, asked):
        start = offset - int(frame.get("function_offset", "0x0"), 16)
        if int(frame["module_offset"], 16) != offset or \
                frame.get("function") != modules[module][3].get(start):
            raise SystemExit(f"/symbolicate/v5: wrong at {modules[module][0]} {offset:x}: {frame}")
