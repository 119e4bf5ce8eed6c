"""Symbols and sources for LLDB from a Faultline server. Needs nothing but Python.

    (lldb) command script import faultline_lldb.py
    (lldb) faultline setup https://symbols.example.com

`setup` asks the server for symbol files from then on, and for the sources of every frame when the
program stops. `faultline symbols` and `faultline sources` do both at once for what is loaded now.
Newer LLDBs that know scripted locators take the class itself:

    (lldb) target symbols scripted register -C faultline_lldb.Locator -k url -v https://…

Environment: FAULTLINE_URL, FAULTLINE_TOKEN, FAULTLINE_DSYM_CACHE (default ~/.cache/faultline).
"""

import json
import os
import shlex
import tempfile
import urllib.error
import urllib.parse
import urllib.request

try:
    import lldb
except ImportError:  # outside of LLDB: tests
    lldb = None

TIMEOUT_SECONDS = 60
FRAMES_PER_STOP = 32


def default_cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("FAULTLINE_DSYM_CACHE") or os.path.join(base, "faultline")


def plain_id(uuid):
    """"2351-6BE4…" as LLDB prints ids, in lower case without dashes; "" when it is none."""
    text = str(uuid or "").replace("-", "").lower()
    if len(text) < 4 or len(text) % 2 or any(c not in "0123456789abcdef" for c in text):
        return ""
    return text


class Client:
    """Files from the server, kept in a directory; what is there is not asked for again."""

    def __init__(self, url=None, cache=None, token=None):
        self.url = (url or os.environ.get("FAULTLINE_URL", "")).rstrip("/")
        self.cache = cache or default_cache()
        self.token = token or os.environ.get("FAULTLINE_TOKEN", "")
        self.missing = set()

    def fetch(self, path, target):
        """The local path of what the server has under `path`, or None."""
        if os.path.exists(target):
            return target
        if not self.url or target in self.missing:
            return None
        request = urllib.request.Request(self.url + path)
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
                self.keep(answer, target)
        except (urllib.error.URLError, OSError, ValueError):
            self.missing.add(target)
            return None
        return target

    def keep(self, answer, target):
        directory = os.path.dirname(target)
        os.makedirs(directory, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=directory)
        try:
            with os.fdopen(handle, "wb") as file:
                while True:
                    piece = answer.read(1 << 20)
                    if not piece:
                        break
                    file.write(piece)
            os.rename(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise

    def source_root(self, module_id):
        return os.path.join(self.cache, "sources", module_id)

    def source(self, module_id, path):
        """Windows paths keep their drive as a directory: C:\\a\\b.c is …/C/a/b.c."""
        clean = path.replace("\\", "/")
        drive = clean[0] if clean[1:2] == ":" else ""
        below = os.path.normpath("/" + clean[2 if drive else 0 :]).lstrip("/")
        target = os.path.join(self.source_root(module_id), drive, below)
        # As the symbols spell it, but for the dots: an HTTP library would fold those itself.
        escaped = urllib.parse.quote(path, safe="").replace(".", "%2E")
        return self.fetch("/buildid/%s/source/%s" % (module_id, escaped), target)

    def file(self, module_id, kind):
        target = os.path.join(self.cache, "buildid", module_id, kind)
        return self.fetch("/buildid/%s/%s" % (module_id, kind), target)


class Locator:
    """For LLDBs with scripted locators: each method returns a path, or None to ask elsewhere."""

    def __init__(self, *arguments):
        options = {}
        for argument in arguments:
            options.update(as_dictionary(argument))
        self.client = Client(options.get("url"), options.get("cache"), options.get("token"))

    def locate_source_file(self, module, path):
        module_id = id_of(module)
        name = getattr(path, "fullpath", None) or str(path)
        return self.client.source(module_id, name) if module_id else None

    def locate_executable_object_file(self, module_spec):
        module_id = id_of(module_spec)
        return self.client.file(module_id, "executable") if module_id else None

    def locate_executable_symbol_file(self, module_spec, default_search_paths=None):
        module_id = id_of(module_spec)
        return self.client.file(module_id, "debuginfo") if module_id else None

    def download_object_symbol_file(self, module_spec, force_lookup=True, copy_executable=False):
        found = self.locate_executable_symbol_file(module_spec)
        if copy_executable:
            self.locate_executable_object_file(module_spec)
        return found


def as_dictionary(value):
    if isinstance(value, dict):
        return value
    if lldb is not None and isinstance(value, lldb.SBStructuredData) and value.IsValid():
        stream = lldb.SBStream()
        if value.GetAsJSON(stream).Success():
            parsed = json.loads(stream.GetData() or "{}")
            return parsed if isinstance(parsed, dict) else {}
    return {}


def id_of(module):
    if hasattr(module, "GetUUIDString"):
        return plain_id(module.GetUUIDString())
    if hasattr(module, "GetUUIDBytes"):
        return "".join("%02x" % byte for byte in bytearray(module.GetUUIDBytes() or b""))
    return plain_id(module)


def spelled(spec):
    """The path as the debug information has it: LLDB's own joining of directory and name."""
    directory, name = spec.GetDirectory(), spec.GetFilename()
    return os.path.join(directory, name) if directory and name else name


class Session:
    """One debugger's client, and the source maps that were set already."""

    def __init__(self):
        self.client = Client()
        self.mapped = set()

    def bring_source(self, target, module, spec):
        module_id, path = id_of(module), spelled(spec)
        if not module_id or not path or os.path.exists(path):
            return False
        local = self.client.source(module_id, path)
        if not local:
            return False
        build, present = os.path.dirname(path), os.path.dirname(local)
        if (build, present) not in self.mapped:
            self.mapped.add((build, present))
            target.GetDebugger().HandleCommand(
                "settings append target.source-map %s %s" % (quoted(build), quoted(present))
            )
        return True


SESSION = Session()


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class StopHook:
    """When the program stops: the sources of the frames that the user is about to look at."""

    def __init__(self, target, extra_args, internal_dict):
        pass

    def handle_stop(self, exe_ctx, stream):
        target, thread = exe_ctx.target, exe_ctx.thread
        for frame in list(thread)[:FRAMES_PER_STOP]:
            spec = frame.GetLineEntry().GetFileSpec()
            if spec.IsValid():
                SESSION.bring_source(target, frame.GetModule(), spec)
        return True


def setup(debugger, url, out):
    if url:
        SESSION.client = Client(url)
    url = SESSION.client.url
    if not url:
        out.AppendMessage("faultline: no server: faultline setup URL, or set FAULTLINE_URL")
        return
    debugger.HandleCommand(
        "settings set plugin.symbol-locator.debuginfod.server-urls %s" % quoted(url)
    )
    debugger.HandleCommand("settings set symbols.enable-external-lookup true")
    debugger.HandleCommand("target stop-hook add -P faultline_lldb.StopHook")
    out.AppendMessage("faultline: symbols and sources come from " + url)


def bring_symbols(debugger, out):
    target = debugger.GetSelectedTarget()
    for module in target.module_iter():
        module_id = id_of(module)
        if not module_id or module.GetNumCompileUnits() > 0:
            continue
        path = SESSION.client.file(module_id, "debuginfo")
        if path:
            debugger.HandleCommand("target symbols add %s" % quoted(path))
            out.AppendMessage("faultline: symbols of %s" % module.GetFileSpec().GetFilename())


def bring_sources(debugger, names, out):
    target, count = debugger.GetSelectedTarget(), 0
    for module in target.module_iter():
        if names and module.GetFileSpec().GetFilename() not in names:
            continue
        seen = set()
        for unit in module.compile_unit_iter():
            specs = [unit.GetFileSpec()]
            specs += [unit.GetSupportFileAtIndex(i) for i in range(unit.GetNumSupportFiles())]
            for spec in specs:
                path = spelled(spec)
                if path and path not in seen:
                    seen.add(path)
                    count += SESSION.bring_source(target, module, spec)
    out.AppendMessage("faultline: %d source files" % count)


def command(debugger, text, result, internal_dict):
    """faultline setup [URL] | symbols | sources [MODULE…]"""
    words = shlex.split(text)
    if words[:1] == ["setup"]:
        setup(debugger, words[1] if len(words) > 1 else "", result)
    elif words[:1] == ["symbols"]:
        bring_symbols(debugger, result)
    elif words[:1] == ["sources"]:
        bring_sources(debugger, words[1:], result)
    else:
        result.SetError("faultline setup [URL] | symbols | sources [MODULE…]")


def __lldb_init_module(debugger, internal_dict):
    debugger.HandleCommand("command script add -o -f faultline_lldb.command faultline")
