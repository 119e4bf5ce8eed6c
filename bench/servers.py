"""What the benches of servers share: starting them beside each other, and what they use.

cpu_seconds() is user + system time from /proc/PID/stat, children included; anonymous_memory() is
RssAnon: files that are mapped are the page cache's, not the server's.
"""
import atexit
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

TICK = os.sysconf("SC_CLK_TCK")


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
