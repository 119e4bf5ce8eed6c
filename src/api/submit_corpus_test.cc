// Every request of corpus/collector that goes to /submit, sent byte for byte over a socket to the
// real server, is answered and kept as its index says.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>

#include "api/submit.h"
#include "base/json.h"
#include "base/text.h"
#include "net/server.h"
#include "reports/archive.h"
#include "reports/report_id.h"
#include "reports/tables.h"
#include "testing/corpus.h"
#include "testing/raw_http.h"

namespace api {
namespace {

using base::JsonValue;

// A collector on a data directory of its own.
class Collector {
 public:
  explicit Collector(const SubmitOptions& options) {
    const std::string tmp = directory_.path() + "/tmp";
    EXPECT_TRUE(base::make_directories(tmp).ok());
    database_ = db::Database::open("sqlite:" + directory_.path() + "/test.db").value();
    EXPECT_TRUE(database_->migrate(reports::migrations()).ok());
    blobs_.emplace(store::Blobs::open(directory_.path() + "/blobs", tmp).value());
    intake_.emplace(*database_, *blobs_, nullptr);
    archive_.emplace(*database_, *blobs_);
    net::Router router;
    add_submit_routes(router, *intake_, options);
    net::ServerOptions server;
    server.listen = "127.0.0.1:0";
    server.spool_directory = tmp;
    server_ = net::Server::start(server, std::move(router), pool_).value();
  }

  const std::string& address() const { return server_->address(); }
  const std::string& path() const { return directory_.path(); }
  reports::Archive& archive() { return *archive_; }
  std::int64_t count() { return archive_->count().value().total; }

 private:
  base::TemporaryDirectory directory_ = base::TemporaryDirectory::create("collector").value();
  base::WorkerPool pool_{2};
  std::unique_ptr<db::Database> database_;
  std::optional<store::Blobs> blobs_;
  std::optional<reports::Intake> intake_;
  std::optional<reports::Archive> archive_;
  std::unique_ptr<net::Server> server_;
};

SubmitOptions options_for(const JsonValue& entry) {
  SubmitOptions options;
  const JsonValue& limits = entry["limits"];
  options.multipart.parts_max = static_cast<std::size_t>(limits["parts_max"].integer_or(1000));
  options.submission.annotation_size_max =
      static_cast<std::size_t>(limits["annotation_bytes_max"].integer_or(1 << 20));
  if (const auto expanded = limits["expanded_bytes_max"].integer_or(0); expanded > 0) {
    options.plain_size_max = static_cast<std::uint64_t>(expanded);
    options.submission.unpacked_size_max = static_cast<std::uint64_t>(expanded);
  }
  return options;
}

// 200, [400, 413], "close": 0 stands for a connection closed without a reply.
std::set<int> statuses_of(const JsonValue& expected) {
  const auto number = [](const JsonValue& value) {
    return value.string() != nullptr ? 0 : static_cast<int>(value.integer_or(-1));
  };
  std::set<int> statuses;
  if (expected.array() == nullptr) return {number(expected)};
  for (std::size_t i = 0; i < expected.size(); ++i) statuses.insert(number(expected.at(i)));
  return statuses;
}

std::string decode_base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto digit = kDigits.find(c);
    if (digit == std::string_view::npos) break;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    if ((count += 6) >= 8) out += static_cast<char>(bits >> (count -= 8) & 0xff);
  }
  return out;
}

void expect_annotations(const JsonValue& entry, const reports::Report& report) {
  const auto* expected = entry["expected_annotations"].object();
  if (expected == nullptr) return;
  const bool partial = entry["partial"].boolean() != nullptr;
  for (const auto& [name, value] : *expected) {
    const std::string wanted =
        value.string() != nullptr ? *value.string() : decode_base64(value["base64"].text_or(""));
    const auto same = [&, n = name](const reports::Annotation& a) { return a.name == n; };
    ASSERT_TRUE(std::any_of(report.annotations.begin(), report.annotations.end(), same)) << name;
    EXPECT_EQ(report.annotation(name), wanted) << name;
  }
  if (!partial) {
    EXPECT_EQ(report.annotations.size(), expected->size());
  }
  const std::string forbidden(entry["forbidden_in_keys"].text_or(""));
  for (const reports::Annotation& annotation : report.annotations) {
    EXPECT_TRUE(base::is_utf8(annotation.name));
    if (!forbidden.empty()) {
      EXPECT_EQ(annotation.name.find(forbidden), std::string::npos);
    }
  }
}

void expect_harmless(const std::string& file_name) {
  EXPECT_EQ(file_name.find(".."), std::string::npos) << file_name;
  EXPECT_EQ(file_name.find('/'), std::string::npos) << file_name;
  EXPECT_EQ(file_name.find('\0'), std::string::npos) << file_name;
}

void expect_file(const JsonValue& entry, const JsonValue& wanted, const std::string& name,
                 reports::FileKind kind, const reports::Report& report) {
  const bool any_name = entry["any_dump_name"].boolean() != nullptr;
  const std::string_view hash = wanted["sha256"].text_or("");
  for (const reports::StoredFile& file : report.files) {
    if (file.kind != kind || file.sha256 != hash || (!any_name && file.name != name)) continue;
    EXPECT_EQ(file.size, static_cast<std::uint64_t>(wanted["size"].integer_or(-1)));
    if (wanted["filename"].string() != nullptr) {
      EXPECT_EQ(file.file_name, wanted["filename"].text_or(""));
    } else {
      expect_harmless(file.file_name);
    }
    return;
  }
  ADD_FAILURE() << "no " << (kind == reports::FileKind::dump ? "dump " : "attachment ") << name
                << " with hash " << hash;
}

void expect_files(const JsonValue& entry, const reports::Report& report) {
  std::size_t expected = 0;
  if (const auto* dumps = entry["expected_dumps"].object()) {
    expected += dumps->size();
    for (const auto& [name, wanted] : *dumps) {
      expect_file(entry, wanted, name, reports::FileKind::dump, report);
    }
  }
  if (const auto* attachments = entry["expected_attachments"].object()) {
    expected += attachments->size();
    for (const auto& [name, wanted] : *attachments) {
      expect_file(entry, wanted, name, reports::FileKind::attachment, report);
    }
  }
  const bool open = entry["partial"].boolean() != nullptr || entry["any_of_dumps"].size() > 0 ||
                    entry["expected_annotations"].object() == nullptr;
  if (!open) {
    EXPECT_EQ(report.files.size(), expected);
  }
}

// What is kept must be the bytes that its hash names.
void expect_stored_bytes(Collector& collector, const reports::Report& report) {
  for (const reports::StoredFile& file : report.files) {
    const auto blob = collector.archive().open_file(file);
    ASSERT_TRUE(blob.ok()) << blob.error().what;
    const std::string bytes = base::read_file(blob->path).value();
    EXPECT_EQ(bytes.size(), file.size);
    EXPECT_EQ(base::sha256_of(base::bytes_of(bytes)).hex(), file.sha256);
  }
}

void expect_nothing_created(const JsonValue& entry, const Collector& collector) {
  const JsonValue& names = entry["must_not_create"];
  const auto files = base::list_files(collector.path()).value();
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (const std::string& file : files) {
      EXPECT_NE(base::basename_of(file), names.at(i).text_or("")) << file;
    }
    EXPECT_FALSE(base::file_exists("/tmp/" + std::string(names.at(i).text_or(""))));
  }
}

void check_entry(const JsonValue& entry, const std::string& bytes, Collector& collector) {
  const std::int64_t before = collector.count();
  const auto exchange = testing_support::raw_exchange(collector.address(), bytes);
  EXPECT_TRUE(statuses_of(entry["expected_status"]).count(exchange.status()) == 1)
      << "status " << exchange.status() << ": " << exchange.received.substr(0, 300);
  EXPECT_LE(exchange.answers.size(), 1u) << "the rest was read as a next request";
  const std::string body = exchange.answers.empty() ? "" : exchange.answers[0].body;
  if (entry["expected_reply"].string() != nullptr) {
    EXPECT_TRUE(std::regex_search(body, std::regex(*entry["expected_reply"].string()))) << body;
  }
  if (exchange.status() != 200) {
    EXPECT_EQ(collector.count(), before) << "something was stored";
    return;
  }
  EXPECT_TRUE(entry["nothing_stored"].boolean() == nullptr);
  ASSERT_EQ(body.substr(0, 8), "CrashID=");
  const auto id = reports::parse_report_id(base::trim(body).substr(8));
  ASSERT_TRUE(id.has_value()) << body;
  const auto report = collector.archive().load(*id);
  ASSERT_TRUE(report.ok()) << report.error().what;
  expect_annotations(entry, *report);
  expect_files(entry, *report);
  expect_stored_bytes(collector, *report);
  expect_nothing_created(entry, collector);
}

TEST(SubmitCorpus, EveryRequestIsAnsweredAsItsIndexSays) {
  REQUIRE_CORPUS(corpus);
  const std::string folder = corpus + "/collector/";
  const auto index = JsonValue::parse(base::read_file(folder + "index.json").value());
  ASSERT_TRUE(index.ok());
  Collector usual(SubmitOptions{});
  int count = 0;
  for (std::size_t i = 0; i < index->size(); ++i) {
    const JsonValue& entry = index->at(i);
    const std::string_view path = entry["path"].text_or("");
    if (path.substr(0, path.find('?')) != "/submit") continue;
    SCOPED_TRACE(entry["name"].text_or(""));
    ++count;
    const auto bytes = base::read_file(folder + std::string(entry["file"].text_or("")));
    ASSERT_TRUE(bytes.ok());
    if (entry["limits"].object() != nullptr) {
      Collector special(options_for(entry));
      check_entry(entry, *bytes, special);
    } else {
      check_entry(entry, *bytes, usual);
    }
  }
  EXPECT_GE(count, 130);
}

}  // namespace
}  // namespace api
