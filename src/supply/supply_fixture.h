// A store on the disk, and a supply over it, for tests of this room.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "ingest/ingest.h"
#include "store/data_directory.h"
#include "supply/supply.h"

namespace supply {

using namespace std::chrono_literals;

inline Supply::Clock::time_point soon(std::chrono::milliseconds time = 10s) {
  return Supply::Clock::now() + time;
}

// A store and a supply over it; the extractor writes what it was given, once `gate` is open.
struct Place {
  base::TemporaryDirectory root = base::TemporaryDirectory::create("supply-test").value();
  store::DataDirectory data = store::DataDirectory::open(root.path(), "test").value();
  store::Blobs blobs = store::Blobs::open(data.blobs(), data.tmp()).value();
  std::unique_ptr<db::Database> database = db::Database::open(data.database_url()).value();
  store::Catalog catalog{*database};
  ingest::Ingest ingest{blobs, catalog, {}};
  std::atomic<bool> gate = true;
  std::atomic<int> extractions = 0;
  std::atomic<unsigned> threads_given = 0;  // to the last one
  std::unique_ptr<Supply> supply;

  // `supply` is made by who makes the place: the catalogue goes on calling the first.
  struct WithoutSupply {};
  explicit Place(WithoutSupply) {
    EXPECT_TRUE(database->migrate(store::Catalog::migrations()).ok());
  }

  Place() : Place(WithoutSupply()) {
    supply = std::make_unique<Supply>(
        blobs, catalog,
        Supply::Options{{},
                        {data.index(), data.tmp(), 1,
                         [this](const ExtractJob& job, const std::atomic<bool>& stop) {
                           return extract(job, stop);
                         },
                         nullptr, nullptr, 4}});
  }

  base::Result<void> extract(const ExtractJob& job, const std::atomic<bool>& stop) {
    ++extractions;
    threads_given = job.threads;
    while (!gate && !stop) std::this_thread::sleep_for(1ms);
    if (stop) return base::Error{base::Fault::unavailable, "stopped"};
    const std::string source = job.sym.empty() ? job.image : job.sym;
    const std::string text = TRY(base::read_file(source));
    if (text.find("bad") != std::string::npos) {
      return base::Error{base::Fault::malformed, "bad input"};
    }
    if (!job.sym_out.empty()) TRY(base::write_file_durably(job.sym_out, base::bytes_of("sym")));
    return base::write_file_durably(job.index_out, base::bytes_of("index of " + text));
  }

  void must_put(std::string_view content, const ident::StorePath& path) {
    base::PendingFile file = blobs.create().value();
    ASSERT_TRUE(file.append(base::bytes_of(content)).ok());
    ASSERT_TRUE(ingest.keep_file({}, {std::move(file), path, ""}).ok());
  }
  std::string content_of(const Found& found) {
    if (!found.here()) return "";
    return base::read_file(found.file()->path).value_or("?");
  }
};

}  // namespace supply
