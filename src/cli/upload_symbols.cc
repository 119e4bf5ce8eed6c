// `faultline upload-symbols`: finds the files that carry symbols below the paths given, and sends
// those that the server does not have.
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <optional>
#include <thread>

#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/upload_search.h"
#include "cli/upload_sender.h"
#include "store/blobs.h"

namespace cli {
namespace {

constexpr std::uint64_t kConnectionsMax = 32;
constexpr std::size_t kHashesAtOnce = 1000;

struct Arguments {
  UploadSettings settings;
  std::vector<std::string> paths;
  std::uint64_t connections = 4;
  bool force = false;
  bool dry_run = false;
  bool json = false;
};

// What became of one file.
struct Fate {
  enum class Status : std::uint8_t { sent, known, skipped, failed };
  Status status = Status::skipped;
  std::string sha256;
  std::string why;
};

std::string_view name_of(Fate::Status status) {
  switch (status) {
    case Fate::Status::sent:
      return "sent";
    case Fate::Status::known:
      return "known";
    case Fate::Status::skipped:
      return "skipped";
    case Fate::Status::failed:
      break;
  }
  return "failed";
}

struct Upload {
  const Arguments& arguments;
  std::vector<UploadCandidate> files;
  std::vector<Fate> fates;           // of files, by index
  std::vector<std::size_t> to_send;  // indexes of files
};

template <class Work>
void in_parallel(std::uint64_t threads_max, std::size_t count, Work work) {
  std::vector<std::thread> threads;
  const auto wanted =
      std::min<std::uint64_t>(std::clamp<std::uint64_t>(threads_max, 1, kConnectionsMax), count);
  for (std::uint64_t i = 1; i < wanted; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
}

// Every file's hash; those that cannot be read have failed.
void hash_all(Upload& upload) {
  std::atomic<std::size_t> next = 0;
  in_parallel(upload.arguments.connections, upload.to_send.size(), [&] {
    for (std::size_t i = next++; i < upload.to_send.size(); i = next++) {
      const std::size_t file = upload.to_send[i];
      const auto hash = store::sha256_of_file(upload.files[file].file);
      if (hash.ok()) {
        upload.fates[file].sha256 = hash->hex();
      } else {
        upload.fates[file] = {Fate::Status::failed, "", hash.error().what};
      }
    }
  });
}

// For each of upload.to_send whether the server has it where it shall go; nothing from a server
// that does not answer this question.
std::optional<std::vector<bool>> ask_known(const Upload& upload, UploadSender& sender) {
  std::vector<bool> known(upload.to_send.size());
  for (std::size_t at = 0; at < known.size(); at += kHashesAtOnce) {
    const std::size_t end = std::min(known.size(), at + kHashesAtOnce);
    std::vector<UploadSender::Question> questions;
    for (std::size_t i = at; i < end; ++i) {
      const std::size_t file = upload.to_send[i];
      const std::string& hash = upload.fates[file].sha256;
      const auto& path = upload.files[file].path;
      if (!hash.empty()) questions.push_back({hash, path ? path->text() : ""});
    }
    const auto answered = sender.known(questions);
    if (!answered.ok()) return std::nullopt;  // trouble of another kind shows when files are sent
    for (std::size_t i = at; i < end; ++i) {
      known[i] = answered->contains(upload.fates[upload.to_send[i]].sha256);
    }
  }
  return known;
}

// Leaves out what the server has. A server that does not answer this question is asked by path.
void leave_out_known(Upload& upload, Progress& progress) {
  UploadSender sender(upload.arguments.settings, progress);
  const std::optional<std::vector<bool>> known = ask_known(upload, sender);
  std::vector<std::size_t> left;
  for (std::size_t i = 0; i < upload.to_send.size(); ++i) {
    const std::size_t file = upload.to_send[i];
    Fate& fate = upload.fates[file];
    const UploadCandidate& candidate = upload.files[file];
    const bool is_kept = !candidate.is_zip && !candidate.is_package;  // as it is
    const bool is_there =
        is_kept && (known ? (*known)[i] : sender.has_at_path(candidate, fate.sha256));
    if (is_there) {
      fate.status = Fate::Status::known;
      progress.advance(candidate.size);
      progress.print(candidate.file + ": is there already");
      progress.finish_one();
    } else if (fate.status != Fate::Status::failed) {
      left.push_back(file);
    }
  }
  upload.to_send = std::move(left);
}

void send_all(Upload& upload) {
  std::uint64_t total = 0;
  for (const std::size_t file : upload.to_send) total += upload.files[file].size;
  Progress progress("sending", upload.to_send.size(), total);
  hash_all(upload);
  if (!upload.arguments.force) leave_out_known(upload, progress);
  std::atomic<std::size_t> next = 0;
  in_parallel(upload.arguments.connections, upload.to_send.size(), [&] {
    UploadSender sender(upload.arguments.settings, progress);
    for (std::size_t i = next++; i < upload.to_send.size(); i = next++) {
      const UploadCandidate& candidate = upload.files[upload.to_send[i]];
      Fate& fate = upload.fates[upload.to_send[i]];
      if (fate.status == Fate::Status::failed) continue;
      const auto outcome = sender.send(candidate, fate.sha256);
      if (!outcome.ok()) {
        fate.status = Fate::Status::failed;
        fate.why = outcome.error().what;
        progress.print(candidate.file + ": " + fate.why, Progress::Line::problem);
      } else if (*outcome == UploadSender::Outcome::known) {
        fate.status = Fate::Status::known;
        progress.print(candidate.file + ": is there already");
      } else {
        fate.status = Fate::Status::sent;
        progress.print(
            fmt::format("{}: sent, {}", candidate.file, base::human_size(candidate.size)));
      }
      progress.finish_one();
    }
  });
}

struct Tally {
  std::uint64_t sent = 0, sent_bytes = 0, known = 0, skipped = 0, failed = 0;
};

Tally tally_of(const Upload& upload) {
  Tally tally;
  for (std::size_t i = 0; i < upload.files.size(); ++i) {
    switch (upload.fates[i].status) {
      case Fate::Status::sent:
        ++tally.sent;
        tally.sent_bytes += upload.files[i].size;
        break;
      case Fate::Status::known:
        ++tally.known;
        break;
      case Fate::Status::skipped:
        ++tally.skipped;
        break;
      case Fate::Status::failed:
        ++tally.failed;
        break;
    }
  }
  return tally;
}

void print_json(const Upload& upload, const Tally& tally) {
  base::JsonWriter out;
  out.begin_object().key("sent").unsigned_integer(tally.sent);
  out.key("sent_bytes").unsigned_integer(tally.sent_bytes);
  out.key("known").unsigned_integer(tally.known);
  out.key("skipped").unsigned_integer(tally.skipped);
  out.key("failed").unsigned_integer(tally.failed);
  out.key("files").begin_array();
  for (std::size_t i = 0; i < upload.files.size(); ++i) {
    const UploadCandidate& file = upload.files[i];
    const Fate& fate = upload.fates[i];
    out.begin_object().key("file").string(file.file);
    out.key("status").string(name_of(fate.status));
    out.key("size").unsigned_integer(file.size);
    out.key("format").string(file.format);
    out.key("debug_id").string(file.debug_id);
    out.key("path").string(file.path ? file.path->text() : "");
    out.key("sha256").string(fate.sha256);
    out.key("why").string(fate.why).end_object();
  }
  out.end_array().end_object();
  fmt::print("{}\n", out.text());
}

// How many were skipped for each reason; one file alone is named.
void print_skipped(const Upload& upload) {
  std::map<std::string, std::pair<std::uint64_t, std::string>> reasons;
  for (std::size_t i = 0; i < upload.files.size(); ++i) {
    if (upload.fates[i].status != Fate::Status::skipped) continue;
    auto& [count, example] = reasons[upload.fates[i].why];
    if (count++ == 0) example = upload.files[i].file;
  }
  for (const auto& [why, counted] : reasons) {
    if (counted.first == 1) {
      fmt::print("skipped {}: {}\n", counted.second, why);
    } else {
      fmt::print("skipped {} files: {} ({} …)\n", counted.first, why, counted.second);
    }
  }
}

int upload(const Arguments& arguments) {
  auto searched = search_uploads(arguments.paths);
  if (!searched.ok()) return fail(searched.error().what);
  Upload upload{arguments, std::move(*searched), {}, {}};
  upload.fates.resize(upload.files.size());
  for (std::size_t i = 0; i < upload.files.size(); ++i) {
    if (upload.files[i].why.empty()) upload.to_send.push_back(i);
    upload.fates[i].why = upload.files[i].why;
  }
  if (upload.to_send.empty()) {
    if (!arguments.json) print_skipped(upload);
    return fail("nothing to send: no debug file with an id, .sym, .zip or package in " +
                arguments.paths.front() + (arguments.paths.size() > 1 ? " …" : ""));
  }
  if (arguments.dry_run) {
    for (const std::size_t file : upload.to_send) {
      const UploadCandidate& candidate = upload.files[file];
      fmt::print("{} -> {}\n", candidate.file,
                 candidate.path         ? candidate.path->text()
                 : candidate.is_package ? "unpacked by the server"
                                        : "upload/");
    }
    print_skipped(upload);
    return kDone;
  }
  send_all(upload);
  const Tally tally = tally_of(upload);
  if (arguments.json) {
    print_json(upload, tally);
  } else {
    fmt::print("{} files sent ({}), {} already there, {} without symbols skipped, {} failed\n",
               tally.sent, base::human_size(tally.sent_bytes), tally.known, tally.skipped,
               tally.failed);
    print_skipped(upload);
  }
  return tally.failed == 0 ? kDone : kFailed;
}

}  // namespace

int run_upload_symbols(int argc, char** argv) {
  Arguments arguments;
  UploadSettings& settings = arguments.settings;
  Options options(argv[0], "Sends debug files to a symbol server: single files, trees and zips.");
  options.text("-u,--url", settings.url, "the server: http://HOST:PORT");
  options.text("-t,--token", settings.token, "upload token (or FAULTLINE_TOKEN)");
  options.number("-j,--connections", arguments.connections, "connections at a time (4)");
  options.number("--attempts", settings.attempts, "how often to try what may pass (5)");
  options.number("--part-size", settings.part_size,
                 "bytes; files of more than two parts go in parts (8388608)");
  options.flag("--force", arguments.force, "send what the server already has, too");
  options.flag("-n,--dry-run", arguments.dry_run, "only print what would be sent, and where to");
  options.flag("--json", arguments.json, "what became of each file, as JSON");
  options.positionals("PATH", arguments.paths, "files and directories");
  options.footer(
      "Sent are ELF, PE, PDB, Mach-O and WebAssembly files with an id (stripped, unstripped, "
      "separate\n"
      "debug files, dSYM bundles), Breakpad .sym files, .NET's perf maps (.r2rmap), source "
      "bundles\n"
      "(.src.zip), BCSymbolMaps and UUID maps called after their UUID, il2cpp line mappings with "
      "an\n"
      "id; one such file\n"
      "compressed (.gz, .xz, .zst, .bz2) or in a cabinet (.pd_), dSYM bundles in a tar, files of\n"
      "symbol store trees and zips in Tecken's layout; and packages that are named themselves\n"
      "(.deb, .rpm, .tar.* and the like), which the server unpacks. What was sent of a big file\n"
      "before an interruption is not sent again; a package is sent whole.\n"
      "Example:\n  faultline upload-symbols --url http://127.0.0.1:7070 build/");
  if (const auto code = options.parse(argc, argv)) return *code;
  if (!settings.url.starts_with("http://") && !settings.url.starts_with("https://")) {
    fail(settings.url.empty() ? "--url http://HOST:PORT is missing"
                              : "--url " + settings.url + ": expected http:// or https://");
    return kBadUsage;
  }
  constexpr std::uint64_t kPartMax = 32ull << 20;  // what a server takes at once
  settings.part_size = std::clamp<std::uint64_t>(settings.part_size, 1, kPartMax);
  settings.attempts = std::clamp<std::uint64_t>(settings.attempts, 1, 100);
  const char* token = std::getenv("FAULTLINE_TOKEN");
  if (settings.token.empty() && token != nullptr) settings.token = token;
  return upload(arguments);
}

}  // namespace cli
