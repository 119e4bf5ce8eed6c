#include "cli/upload_sender.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "base/text.h"

namespace cli {

using base::Error;
using base::Fault;
using base::Result;
using net::ClientAnswer;
using net::ClientRequest;

namespace {

constexpr std::chrono::milliseconds kFirstPause{500};  // doubled after each attempt
constexpr std::chrono::milliseconds kLongestPause{60'000};
constexpr std::string_view kFormBoundary = "faultline-upload-4b1d7c0e52f94f7a";
constexpr unsigned kStatusTooMany = 429;

// A full disk does not pass while we wait; other troubles of a server may.
bool may_pass(int status) {
  return status == kStatusTooMany || status == 408 ||
         (status >= 500 && status != 507 && status != 501);
}
bool may_pass(Fault fault) { return fault == Fault::unavailable || fault == Fault::timed_out; }

// "the server says 403: This requires an Auth-Token …"
Error refusal(const ClientAnswer& answer) {
  std::string text(base::trim(std::string_view(answer.body).substr(0, 300)));
  if (const auto json = base::JsonValue::parse(answer.body); json.ok()) {
    text = (*json)["error"].text_or(text);
  }
  return {may_pass(answer.status) ? Fault::unavailable : Fault::denied,
          fmt::format("the server says {}: {}", answer.status, text)};
}

// Not all at the same moment: a quarter more or less.
std::chrono::milliseconds spread(std::chrono::milliseconds pause) {
  std::uint8_t byte = 0;
  base::fill_random({&byte, 1});
  return pause * 3 / 4 + pause * byte / 512;
}

std::chrono::milliseconds asked_pause(const ClientAnswer& answer) {
  const auto seconds = base::parse_decimal(answer.headers.find("Retry-After").value_or(""));
  if (!seconds) return std::chrono::milliseconds(0);
  return std::min<std::chrono::milliseconds>(
      std::chrono::seconds(std::min<std::uint64_t>(*seconds, 60)), kLongestPause);
}

std::string temporary_directory() {
  const char* root = std::getenv("TMPDIR");
  return root != nullptr ? root : "/tmp";
}

Result<void> write_form(const UploadCandidate& candidate, base::PendingFile& form) {
  const auto zip = TRY(base::MappedFile::open(candidate.file));
  TRY(form.append(base::bytes_of(fmt::format(
      "--{}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"symbols.zip\"\r\n"
      "Content-Type: application/zip\r\n\r\n",
      kFormBoundary))));
  TRY(form.append(zip->bytes()));
  return form.append(base::bytes_of(fmt::format("\r\n--{}--\r\n", kFormBoundary)));
}

// As in a path, but a plus sign would be read as a blank.
std::string query_text(const std::string& text) {
  std::string out;
  for (const char c : net::join_url("", text)) {
    if (c == '+') {
      out += "%2B";
    } else {
      out += c;
    }
  }
  return out;
}

Result<UploadSender::Outcome> outcome_of(const ClientAnswer& answer) {
  if (answer.status == 201) return UploadSender::Outcome::sent;
  if (answer.status == 200) return UploadSender::Outcome::known;
  return refusal(answer);
}

}  // namespace

UploadSender::UploadSender(const UploadSettings& settings, Progress& progress)
    : settings_(settings), progress_(progress) {}

ClientRequest UploadSender::request_for(const char* method, const std::string& path) const {
  ClientRequest request;
  request.method = method;
  request.url = net::join_url(settings_.url, path);
  if (!settings_.token.empty()) request.headers.add("Auth-Token", settings_.token);
  return request;
}

Result<ClientAnswer> UploadSender::send_with_retries(const ClientRequest& request,
                                                     const std::string& what) {
  auto pause = kFirstPause;
  for (std::uint64_t attempt = 1;; ++attempt) {
    Result<ClientAnswer> answer = client_.send(request);
    const bool passing = answer.ok() ? may_pass(answer->status) : may_pass(answer.error().fault);
    if (!passing || attempt >= settings_.attempts) return answer;
    const std::string reason = answer.ok() ? refusal(*answer).what : answer.error().what;
    progress_.print(fmt::format("{}: {}; trying again", what, reason), Progress::Line::problem);
    const auto asked = answer.ok() ? asked_pause(*answer) : std::chrono::milliseconds(0);
    std::this_thread::sleep_for(std::max(spread(pause), asked));
    pause = std::min(pause * 2, kLongestPause);
  }
}

Result<std::set<std::string>> UploadSender::known(const std::vector<Question>& questions) {
  ClientRequest request = request_for("POST", "api/v1/store/known");
  request.headers.add("Content-Type", "application/json");
  base::JsonWriter body;
  body.begin_object().key("sha256").begin_array();
  for (const Question& question : questions) body.string(question.sha256);
  body.end_array().key("paths").begin_array();
  for (const Question& question : questions) body.string(question.path);
  body.end_array().end_object();
  request.body = body.take();
  const ClientAnswer answer = TRY(send_with_retries(request, settings_.url));
  if (answer.status == 404 || answer.status == 405) {
    return Error{Fault::unsupported, "the server does not say what it has"};
  }
  if (answer.status != 200) return refusal(answer);
  const base::JsonValue json = TRY(base::JsonValue::parse(answer.body));
  std::set<std::string> found;
  for (std::size_t i = 0; i < json["known"].size(); ++i) {
    found.emplace(json["known"].at(i).text_or(""));
  }
  return found;
}

// The server's tag for a file begins with its hash: only the same bytes count as had.
bool UploadSender::has_at_path(const UploadCandidate& candidate, const std::string& sha256) {
  if (!candidate.path) return false;
  const auto answer = client_.send(request_for("HEAD", "symbols/" + candidate.path->text()));
  if (!answer.ok() || answer->status != 200) return false;  // sending will tell
  const std::string_view tag = answer->headers.find("ETag").value_or("");
  return tag.size() > 2 && std::string_view(sha256).starts_with(tag.substr(1, tag.size() - 2));
}

Result<UploadSender::Outcome> UploadSender::send(const UploadCandidate& candidate,
                                                 const std::string& sha256) {
  if (candidate.is_zip) return send_zip(candidate);
  if (candidate.is_package) return send_package(candidate);
  if (has_parts_ && candidate.size > 2 * settings_.part_size) {
    return send_in_parts(candidate, sha256);
  }
  return send_whole(candidate);
}

Result<UploadSender::Outcome> UploadSender::send_whole(const UploadCandidate& candidate) {
  // Under /symbols/ no name can collide with a page of the server.
  return put(candidate, "symbols/" + candidate.path->text());
}

// In parts come only files that are kept as they are.
Result<UploadSender::Outcome> UploadSender::send_package(const UploadCandidate& candidate) {
  return put(candidate, "api/v1/files/" + std::string(base::basename_of(candidate.file)));
}

Result<UploadSender::Outcome> UploadSender::put(const UploadCandidate& candidate,
                                                const std::string& path) {
  ClientRequest request = request_for("PUT", path);
  request.body_path = candidate.file;
  request.headers.add("Content-Type", "application/octet-stream");
  std::uint64_t before = 0;
  request.progress = [&](std::uint64_t done, std::uint64_t) {
    if (done > before) progress_.advance(done - before);
    before = std::max(before, done);
    return true;
  };
  const ClientAnswer answer = TRY(send_with_retries(request, candidate.file));
  return outcome_of(answer);
}

Result<UploadSender::Outcome> UploadSender::send_zip(const UploadCandidate& candidate) {
  base::PendingFile form = TRY(base::PendingFile::create(temporary_directory()));
  TRY(write_form(candidate, form));
  ClientRequest request = request_for("POST", "upload/");
  request.body_path = form.path();
  request.headers.add("Content-Type",
                      "multipart/form-data; boundary=" + std::string(kFormBoundary));
  const ClientAnswer answer = TRY(send_with_retries(request, candidate.file));
  if (answer.status == 201) progress_.advance(candidate.size);
  return outcome_of(answer);
}

Result<UploadSender::Outcome> UploadSender::send_in_parts(const UploadCandidate& candidate,
                                                          const std::string& sha256) {
  const std::string place = "api/v1/uploads/" + sha256;
  ClientAnswer answer = TRY(send_with_retries(request_for("GET", place), candidate.file));
  if (answer.status == 404 || answer.status == 405) {
    has_parts_ = false;
    return send_whole(candidate);
  }
  const auto received = [](const ClientAnswer& from) {
    const auto json = base::JsonValue::parse(from.body);
    return json.ok() ? static_cast<std::uint64_t>(
                           std::max<std::int64_t>(0, (*json)["received"].integer_or(0)))
                     : 0;
  };
  if (answer.status != 200) return refusal(answer);
  const auto file = TRY(base::MappedFile::open(candidate.file));
  std::uint64_t at = std::min<std::uint64_t>(received(answer), file->bytes().size());
  if (at != 0) {
    progress_.print(fmt::format("{}: goes on after {}", candidate.file, base::human_size(at)));
    progress_.advance(at);
  }
  unsigned corrections = 0;
  while (at < file->bytes().size()) {
    ClientRequest part = request_for("PUT", place);
    part.url += "?offset=" + std::to_string(at);
    part.headers.add("Content-Type", "application/octet-stream");
    const auto size = std::min<std::uint64_t>(settings_.part_size, file->bytes().size() - at);
    part.body = base::text_of(file->bytes().subspan(at, size));
    answer = TRY(send_with_retries(part, candidate.file));
    if (answer.status != 200 && answer.status != 409) return refusal(answer);
    const std::uint64_t now = received(answer);
    // A part whose answer was lost is there: the server says where to go on.
    if (now > file->bytes().size() || (now <= at && ++corrections > settings_.attempts)) {
      return Error{Fault::unavailable, "server and file disagree on how much was sent"};
    }
    if (now > at) progress_.advance(now - at);
    at = now;
  }
  ClientRequest last = request_for("POST", place);
  last.url += "?path=" + query_text(candidate.path->text());
  answer = TRY(send_with_retries(last, candidate.file));
  return outcome_of(answer);
}

}  // namespace cli
