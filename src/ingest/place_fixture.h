// A place to keep files in, and what is kept there: for this room's tests.
#pragma once

#include <gtest/gtest.h>

#include "base/child.h"
#include "base/file.h"
#include "ingest/ingest.h"
#include "ingest/unpack.h"
#include "store/data_directory.h"

namespace ingest {

inline constexpr std::string_view kSym =
    "MODULE Linux x86_64 0403020106050807090A0B0C0D0E0F100 libfoo.so\n"
    "INFO CODE_ID 0102030405060708090A0B0C0D0E0F1011121314\n"
    "FUNC 1000 10 0 main\n1000 10 3 0\n";

inline Bringer put_by_peer() {
  Bringer bringer;
  bringer.peer = "peer";
  bringer.way = "put";
  return bringer;
}

struct Place {
  base::TemporaryDirectory root = base::TemporaryDirectory::create("ingest-test").value();
  store::DataDirectory data = store::DataDirectory::open(root.path(), "test").value();
  store::Blobs blobs = store::Blobs::open(data.blobs(), data.tmp()).value();
  std::unique_ptr<db::Database> database = db::Database::open(data.database_url()).value();
  store::Catalog catalog{*database};
  Ingest ingest{blobs, catalog, {}};

  Place() { EXPECT_TRUE(database->migrate(store::Catalog::migrations()).ok()); }

  base::Result<Receipt> put(std::string_view content, std::optional<ident::StorePath> path,
                            const std::string& name = "file") {
    base::PendingFile file = blobs.create().value();
    EXPECT_TRUE(file.append(base::bytes_of(content)).ok());
    return ingest.keep_file(put_by_peer(), {std::move(file), std::move(path), name});
  }
  // "name" of what a key finds, with '?' when it is unverified; "" for nothing.
  std::string found(ident::KeyKind kind, std::string_view name, std::string_view id) {
    const auto all = catalog.find({ident::SymbolKey::from_text(kind, name, id)}).value();
    if (all.at(0).empty()) return "";
    return all.at(0).front().file.name + (all.at(0).front().key.verified ? "" : "?");
  }
  std::size_t files_in(const std::string& place) { return base::list_files(place)->size(); }
};

// What a child would do, in this process.
inline Packages unpacked_here() {
  return {[](const UnpackJob& job) { return unpack(job); }, 0};
}

struct PackedPlace : Place {
  Ingest unpacking{blobs, catalog, {}, unpacked_here()};

  base::Result<Receipt> put_packed(const Bringer& bringer, base::Bytes content,
                                   std::optional<ident::StorePath> path, const std::string& name) {
    base::PendingFile file = blobs.create().value();
    EXPECT_TRUE(file.append(content).ok());
    return unpacking.keep_file(bringer, {std::move(file), std::move(path), name});
  }
};

// Zips made by zip(1), whose members have the names that are dangerous or odd.
inline std::vector<std::uint8_t> zip_with(const std::string& script) {
  const auto root = base::TemporaryDirectory::create("zip-test").value();
  const std::string command = "cd " + root.path() + " && mkdir in && cd in && (" + script +
                              ") >/dev/null 2>&1 && cat ../out.zip >../read";
  const auto end = base::run_child("/bin/sh", {"sh", "-c", command});
  EXPECT_TRUE(end.ok() && end->ok()) << script;
  const std::string text = base::read_file(root.path() + "/read").value_or("");
  return {text.begin(), text.end()};
}

}  // namespace ingest
