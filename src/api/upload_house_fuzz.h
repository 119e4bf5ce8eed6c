// A whole intake for the fuzz targets of the upload protocols: the real routes over a real
// catalogue and real files, without sockets. A target makes requests of its input and offers them.
// Each answer is held to what every client may expect; after some hundred uploads everything is
// checked against everything and begun anew.
// One thread. A broken promise ends the program.
#pragma once

#include <cstdio>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/partial_uploads.h"
#include "api/parts.h"
#include "api/upload.h"
#include "base/assert.h"
#include "base/json.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/text.h"
#include "net/body_sink.h"
#include "store/catalog.h"
#include "store/data_directory.h"
#include "store/transactions.h"

namespace api {

class UploadHouse {
 public:
  static UploadHouse& get() {
    base::log::set_level(base::log::Level::off);
    // At exit the house goes before what its threads use: OpenSSL's state is older than the house.
    static const base::Sha256 older = base::sha256_of({});
    static_cast<void>(older);
    static std::unique_ptr<UploadHouse> house;
    static unsigned offered = 0;
    if (house && ++offered % 400 == 0) {
      house->check();
      house.reset();
    }
    if (!house) house.reset(new UploadHouse);
    return *house;
  }

  // As net does it: the route, its look at the head, the body through its sink, the handler.
  net::Answer offer(net::Request request, std::string_view body,
                    net::Coding coding = net::Coding::identity) {
    request.peer = "127.0.0.1:1";
    request.headers.set("Host", "localhost");
    request.headers.set("Content-Length", std::to_string(body.size()));
    const net::Router::Match match = router_.match(request);
    if (match.route == nullptr) return checked(net::Answer::text(404, ""));
    const net::Route& route = *match.route;
    if (route.admit) {
      if (auto refused = route.admit(request)) return checked(std::move(*refused));
    }
    const auto refuse = [&](const base::Error& error) {
      return checked(route.refuse_body ? route.refuse_body(request, error)
                                       : net::Answer::fault(error.fault, error.what));
    };
    net::BodyPolicy policy = route.body;
    policy.plain_size_max = kPlainMax;
    if (policy.where == net::BodyPolicy::Where::memory) {
      policy.size_max = std::min(policy.size_max, kPlainMax);
    }
    if (policy.where != net::BodyPolicy::Where::none) {
      auto sink = net::BodySink::create(coding, policy, data_.tmp());
      ASSERT(sink.ok());
      std::uint64_t room = UINT64_MAX;  // all in one turn
      const auto written = (*sink)->write(body, room);
      if (!written.ok()) return refuse(written.error());
      if (const auto done = (*sink)->finish(request); !done.ok()) return refuse(done.error());
    }
    net::Reply reply = route.handler(request);
    if (auto* later = std::get_if<net::Later>(&reply)) return checked(wait_for(*later));
    return checked(std::move(std::get<net::Answer>(reply)));
  }

  // The answer of what is done on other threads.
  static net::Answer wait_for(const net::Later& later) {
    struct Completer : net::Completer {
      std::promise<net::Answer> promise;
      void complete(net::Answer answer) override { promise.set_value(std::move(answer)); }
    };
    const auto completer = std::make_shared<Completer>();
    later.start(completer);
    return completer->promise.get_future().get();
  }

  static base::JsonValue json_of(const net::Answer& answer) {
    const auto* text = std::get_if<std::string>(&answer.body);
    auto json = base::JsonValue::parse(text == nullptr ? "" : *text);
    return json.ok() ? std::move(*json) : base::JsonValue();
  }

  // Blobs and rows are the same set, and nothing unfinished is left.
  void check() {
    std::size_t rows = 0;
    const auto look = [&](const base::Sha256& hash) {
      ++rows;
      ASSERT(store::sha256_of_file(blobs_.path_of(hash)).value() == hash);
    };
    ASSERT(catalog_.list_hashes(look).ok());
    ASSERT(base::list_files(data_.blobs())->size() == rows);
    ASSERT(base::list_files(data_.tmp())->empty());
  }

 private:
  static constexpr std::uint64_t kPlainMax = 1 << 20;

  UploadHouse() {
    std::vector<db::Migration> tables = store::Catalog::migrations();
    for (db::Migration& migration : store::Transactions::migrations()) {
      tables.push_back(std::move(migration));
    }
    ASSERT(database_->migrate(tables).ok());
    ASSERT(access_.reload().ok());
    UploadOptions options;
    options.body_size_max = 16 << 20;
    options.free_bytes_min = 0;
    const UploadRooms rooms{gate_,    ingest_,  *sessions_, *chunks_, access_,   blobs_,
                            catalog_, uploads_, disk_,      *supply_, long_work_};
    add_parts_routes(router_, rooms, partial_, options);
    add_upload_routes(router_, rooms, options);
  }

  static std::string fast_place() {
    return base::list_files("/dev/shm").ok() ? "/dev/shm" : "/tmp";
  }
  static archive::ZipLimits zip_limits() {
    archive::ZipLimits limits;
    limits.members_max = 100;
    limits.member_size_max = kPlainMax;
    limits.ratio_free_size = 4 * kPlainMax;
    limits.ratio_max = 20;
    return limits;
  }
  // As the child does it, without the child.
  static ingest::Packages packages() {
    archive::Limits limits;
    limits.members_max = 100;
    limits.member_size_max = kPlainMax;
    limits.plain_size_max = 4 * kPlainMax;
    return {[limits](const ingest::UnpackJob& job) { return ingest::unpack(job, limits); }, 0};
  }
  static supply::Supply::Options supply_options(const store::DataDirectory& data) {
    supply::Supply::Options options;
    options.derived.directory = data.index();
    options.derived.tmp = data.cache();
    // Making symbols has targets of its own.
    options.derived.extractor = [](const auto&...) {
      return base::Error{base::Fault::unsupported, "not here"};
    };
    return options;
  }
  static store::DiskWatch::Marks no_marks() { return {0, 0, 0}; }

  // What any answer owes: no trouble of ours, JSON that is some, no line break in a header.
  static net::Answer checked(net::Answer answer) {
    const auto* text = std::get_if<std::string>(&answer.body);
    ASSERT(text != nullptr);
    if (answer.status >= 500) std::fprintf(stderr, "%d %s\n", answer.status, text->c_str());
    ASSERT(answer.status >= 200 && answer.status < 500);
    ASSERT(base::to_valid_utf8(*text) == *text);
    const std::string_view type = answer.headers.find("Content-Type").value_or("");
    if (type.starts_with("application/json") && !text->empty()) {
      ASSERT(base::JsonValue::parse(*text).ok());
    }
    for (const auto& [name, value] : answer.headers.all()) {
      ASSERT(value.find_first_of("\r\n") == std::string::npos);
    }
    return answer;
  }

  base::TemporaryDirectory root_ =
      base::TemporaryDirectory::create_in(fast_place(), "upload-fuzz").value();
  store::DataDirectory data_ = store::DataDirectory::open(root_.path(), "fuzz").value();
  std::unique_ptr<db::Database> database_ = db::Database::open(data_.database_url()).value();
  store::Blobs blobs_ = store::Blobs::open(data_.blobs(), data_.tmp()).value();
  store::Catalog catalog_{*database_};
  store::Access access_{*database_};
  store::Uploads uploads_{*database_};
  store::DiskWatch disk_{data_.path(), no_marks()};
  Gate gate_{access_, {}};
  std::unique_ptr<ingest::UploadSessions> sessions_ =
      ingest::UploadSessions::open(data_.uploads() + "/sessions").value();
  std::unique_ptr<ingest::ChunkStore> chunks_ =
      ingest::ChunkStore::open(data_.uploads() + "/chunks").value();
  ingest::Ingest ingest_{blobs_, catalog_, zip_limits(), packages()};
  std::unique_ptr<supply::Supply> supply_ =
      std::make_unique<supply::Supply>(blobs_, catalog_, supply_options(data_));
  PartialUploads partial_{data_.path() + "/partial", data_.tmp()};
  LongWork long_work_;
  net::Router router_;
};

// The input as it is taken apart: a byte, a line, the rest.
class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}
  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  std::string_view line() {
    const std::string_view line = rest_.substr(0, rest_.find('\n'));
    rest_.remove_prefix(std::min(line.size() + 1, rest_.size()));
    return line;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

inline net::Request request_of(std::string_view method, std::string_view path) {
  net::Request request = net::Request::of(method, "/");
  request.path = path;
  return request;
}

inline std::string form_part(std::string_view disposition, std::string_view content) {
  std::string text = "--b\r\nContent-Disposition: form-data; ";
  return text.append(disposition).append("\r\n\r\n").append(content).append("\r\n");
}
inline std::string end_of_form() { return "--b--\r\n"; }
inline net::Request form_request(std::string_view method, std::string_view path) {
  net::Request request = request_of(method, path);
  request.headers.set("Content-Type", "multipart/form-data; boundary=b");
  return request;
}

}  // namespace api
