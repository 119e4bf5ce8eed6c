// `faultline upload-symbols`: finds the files that carry symbols below the paths given, and sends
// those that the server does not have.
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "extract/identify.h"
#include "ident/paths.h"
#include "net/client.h"

namespace cli {
namespace {

using base::Error;
using base::Fault;
using base::Result;

constexpr unsigned kAttempts = 5;
constexpr std::chrono::milliseconds kFirstPause{500};  // doubled after each attempt
constexpr std::uint64_t kConnectionsMax = 32;
constexpr std::string_view kFormBoundary = "faultline-upload-4b1d7c0e52f94f7a";

struct Arguments {
  std::string url;
  std::string token;
  std::vector<std::string> paths;
  std::uint64_t connections = 4;
  bool force = false;
  bool dry_run = false;
  bool json = false;
};

// One file to send: to a path of its own, or as a zip to /upload/.
struct Candidate {
  std::string file;
  std::uint64_t size = 0;
  std::optional<ident::StorePath> path;  // nothing: a zip
};

struct Tally {
  std::atomic<std::uint64_t> sent = 0;
  std::atomic<std::uint64_t> sent_bytes = 0;
  std::atomic<std::uint64_t> known = 0;
  std::atomic<std::uint64_t> failed = 0;
  std::uint64_t skipped = 0;
};

// Object files and core dumps are ELF, but nobody asks a server for them: without a build id
// there is nothing to ask for.
bool is_worth_sending(const extract::Identity& identity, base::Bytes bytes) {
  if (identity.debug_id.is_nil()) return false;
  if (identity.kind == extract::FileKind::breakpad_sym) return true;
  if (identity.kind != extract::FileKind::elf) return false;
  constexpr std::uint8_t kRelocatable = 1;
  constexpr std::uint8_t kCore = 4;
  const bool big_endian = bytes.size() > 17 && bytes[5] == 2;
  const std::uint8_t type = bytes.size() > 17 ? bytes[big_endian ? 17 : 16] : 0;
  return type != kCore && (type != kRelocatable || !identity.build_id.empty());
}

std::optional<Candidate> find_candidate(const std::string& file) {
  const auto mapped = base::MappedFile::open(file);
  if (!mapped.ok()) return std::nullopt;
  const base::Bytes bytes = (*mapped)->bytes();
  const extract::Identity identity = extract::identify(bytes);
  Candidate candidate{file, bytes.size(), std::nullopt};
  if (identity.kind == extract::FileKind::zip && file.ends_with(".zip")) return candidate;
  if (!is_worth_sending(identity, bytes)) return std::nullopt;
  std::string name(base::basename_of(file));
  std::string stored = name;
  if (identity.kind == extract::FileKind::breakpad_sym) {
    if (!identity.name.empty()) name = identity.name;
    stored = ident::sym_file_name(name);
  }
  if (!ident::is_allowed_name(name) || !ident::is_allowed_name(stored)) return std::nullopt;
  candidate.path = ident::StorePath{name, identity.debug_id.breakpad(), stored};
  return candidate;
}

struct Search {
  std::vector<Candidate> found;
  std::uint64_t skipped = 0;
};

Result<Search> search(const std::vector<std::string>& paths) {
  Search result;
  for (const std::string& path : paths) {
    std::vector<std::string> files{path};
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) {
      files = TRY(base::list_files(path));
    } else if (!base::file_exists(path)) {
      return Error{Fault::not_found, path + ": no such file or directory"};
    }
    for (const std::string& file : files) {
      auto candidate = find_candidate(file);
      if (candidate) {
        result.found.push_back(std::move(*candidate));
      } else {
        ++result.skipped;
      }
    }
  }
  return result;
}

// One connection to the server.
class Sender {
 public:
  Sender(const Arguments& arguments, Progress& progress)
      : arguments_(arguments), progress_(progress) {}

  enum class Outcome : std::uint8_t { sent, known };

  Result<Outcome> send(const Candidate& candidate) {
    if (candidate.path && !arguments_.force) {
      const bool known = TRY(server_has(candidate));
      if (known) {
        progress_.advance(candidate.size);
        return Outcome::known;
      }
    }
    return send_with_retries(candidate);
  }

 private:
  std::string url_of(const ident::StorePath& path) const {
    // Under /symbols/ no name can collide with a page of the server.
    return net::join_url(arguments_.url, "symbols/" + path.text());
  }

  // The server's tag for a file begins with its hash: only the same bytes count as had.
  Result<bool> server_has(const Candidate& candidate) {
    net::ClientRequest request;
    request.method = "HEAD";
    request.url = url_of(*candidate.path);
    const auto answer = client_.send(request);
    if (!answer.ok() || answer->status != 200) return false;  // sending will tell
    const auto file = TRY(base::MappedFile::open(candidate.file));
    const std::string hash = base::sha256_of(file->bytes()).hex();
    const std::string_view tag = answer->headers.find("ETag").value_or("");
    return tag.size() > 2 && hash.starts_with(tag.substr(1, tag.size() - 2));
  }

  Result<Outcome> send_with_retries(const Candidate& candidate) {
    auto pause = kFirstPause;
    for (unsigned attempt = 1;; ++attempt) {
      Result<Outcome> outcome = send_once(candidate);
      if (outcome.ok() || attempt == kAttempts || !may_pass(outcome.error().fault)) return outcome;
      progress_.print(fmt::format("{}: {}; trying again", candidate.file, outcome.error().what),
                      Progress::Line::problem);
      std::this_thread::sleep_for(pause);
      pause *= 2;
    }
  }

  static bool may_pass(Fault fault) {
    return fault == Fault::unavailable || fault == Fault::timed_out;
  }

  Result<Outcome> send_once(const Candidate& candidate) {
    net::ClientRequest request;
    base::PendingFile form = TRY(base::PendingFile::create(temporary_directory()));
    if (candidate.path) {
      request.method = "PUT";
      request.url = url_of(*candidate.path);
      request.body_path = candidate.file;
      request.headers.add("Content-Type", "application/octet-stream");
    } else {
      TRY(write_form(candidate, form));
      request.method = "POST";
      request.url = net::join_url(arguments_.url, "upload/");
      request.body_path = form.path();
      request.headers.add("Content-Type",
                          "multipart/form-data; boundary=" + std::string(kFormBoundary));
    }
    if (!arguments_.token.empty()) request.headers.add("Auth-Token", arguments_.token);
    std::uint64_t before = 0;
    request.progress = [&](std::uint64_t done, std::uint64_t) {
      if (done > before) progress_.advance(done - before);
      before = std::max(before, done);
      return true;
    };
    const net::ClientAnswer answer = TRY(client_.send(request));
    if (answer.status == 201) return Outcome::sent;
    if (answer.status == 200) return Outcome::known;
    return refusal(answer);
  }

  static std::string temporary_directory() {
    const char* root = std::getenv("TMPDIR");
    return root != nullptr ? root : "/tmp";
  }

  static Result<void> write_form(const Candidate& candidate, base::PendingFile& form) {
    const auto zip = TRY(base::MappedFile::open(candidate.file));
    const std::string head = fmt::format(
        "--{}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n"
        "Content-Type: application/zip\r\n\r\n",
        kFormBoundary, "symbols.zip");
    const std::string tail = fmt::format("\r\n--{}--\r\n", kFormBoundary);
    TRY(form.append(base::bytes_of(head)));
    TRY(form.append(zip->bytes()));
    return form.append(base::bytes_of(tail));
  }

  // "the server says 403: This requires an Auth-Token …"
  static Error refusal(const net::ClientAnswer& answer) {
    std::string text(base::trim(answer.body.substr(0, 300)));
    if (const auto json = base::JsonValue::parse(answer.body); json.ok()) {
      text = (*json)["error"].text_or(text);
    }
    // A full disk does not pass while we wait; other troubles of a server may.
    const bool hopeless = answer.status < 500 || answer.status == 507;
    return {hopeless ? Fault::denied : Fault::unavailable,
            fmt::format("the server says {}: {}", answer.status, text)};
  }

  const Arguments& arguments_;
  Progress& progress_;
  net::Client client_;
};

void send_all(const Arguments& arguments, const std::vector<Candidate>& found, Tally& tally) {
  std::uint64_t total = 0;
  for (const Candidate& candidate : found) total += candidate.size;
  Progress progress("sending", found.size(), total);
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    Sender sender(arguments, progress);
    for (std::size_t i = next++; i < found.size(); i = next++) {
      const Candidate& candidate = found[i];
      const auto outcome = sender.send(candidate);
      if (!outcome.ok()) {
        ++tally.failed;
        progress.print(fmt::format("{}: {}", candidate.file, outcome.error().what),
                       Progress::Line::problem);
      } else if (*outcome == Sender::Outcome::known) {
        ++tally.known;
        progress.print(fmt::format("{}: is there already", candidate.file));
      } else {
        ++tally.sent;
        tally.sent_bytes += candidate.size;
        progress.print(
            fmt::format("{}: sent, {}", candidate.file, base::human_size(candidate.size)));
      }
      progress.finish_one();
    }
  };
  std::vector<std::thread> threads;
  const auto count = std::min<std::uint64_t>(
      std::clamp<std::uint64_t>(arguments.connections, 1, kConnectionsMax), found.size());
  for (std::uint64_t i = 1; i < count; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
}

void print_summary(const Arguments& arguments, const Tally& tally) {
  if (arguments.json) {
    base::JsonWriter out;
    out.begin_object().key("sent").unsigned_integer(tally.sent);
    out.key("sent_bytes").unsigned_integer(tally.sent_bytes);
    out.key("known").unsigned_integer(tally.known);
    out.key("skipped").unsigned_integer(tally.skipped);
    out.key("failed").unsigned_integer(tally.failed).end_object();
    fmt::print("{}\n", out.text());
    return;
  }
  fmt::print("{} files sent ({}), {} already there, {} without symbols skipped, {} failed\n",
             tally.sent.load(), base::human_size(tally.sent_bytes), tally.known.load(),
             tally.skipped, tally.failed.load());
}

int upload(const Arguments& arguments) {
  auto searched = search(arguments.paths);
  if (!searched.ok()) return fail(searched.error().what);
  Tally tally;
  tally.skipped = searched->skipped;
  if (searched->found.empty()) {
    return fail("nothing to send: no ELF file with an id, .sym or .zip in " +
                arguments.paths.front() + (arguments.paths.size() > 1 ? " …" : ""));
  }
  if (arguments.dry_run) {
    for (const Candidate& candidate : searched->found) {
      fmt::print("{} -> {}\n", candidate.file, candidate.path ? candidate.path->text() : "upload/");
    }
    return kDone;
  }
  send_all(arguments, searched->found, tally);
  print_summary(arguments, tally);
  return tally.failed == 0 ? kDone : kFailed;
}

}  // namespace

int run_upload_symbols(int argc, char** argv) {
  Arguments arguments;
  Options options(argv[0], "Sends debug files to a symbol server: single files, trees and zips.");
  options.text("-u,--url", arguments.url, "the server: http://HOST:PORT");
  options.text("-t,--token", arguments.token, "upload token (or FAULTLINE_TOKEN)");
  options.number("-j,--connections", arguments.connections, "connections at a time (4)");
  options.flag("--force", arguments.force, "send what the server already has, too");
  options.flag("-n,--dry-run", arguments.dry_run, "only print what would be sent, and where to");
  options.flag("--json", arguments.json, "the summary as JSON");
  options.positionals("PATH", arguments.paths, "files and directories");
  options.footer(
      "Sent are ELF files with an id (stripped, unstripped, separate debug files), "
      "Breakpad .sym files\nand zips in Tecken's layout. Example:\n"
      "  faultline upload-symbols --url http://127.0.0.1:7070 build/");
  if (const auto code = options.parse(argc, argv)) return *code;
  if (!arguments.url.starts_with("http://") && !arguments.url.starts_with("https://")) {
    fail(arguments.url.empty() ? "--url http://HOST:PORT is missing"
                               : "--url " + arguments.url + ": expected http:// or https://");
    return kBadUsage;
  }
  const char* token = std::getenv("FAULTLINE_TOKEN");
  if (arguments.token.empty() && token != nullptr) arguments.token = token;
  return upload(arguments);
}

}  // namespace cli
