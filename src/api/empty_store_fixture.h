// A store without files, and a supply over it that asks whom a test says: for this room's tests.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <utility>

#include "base/file.h"
#include "store/data_directory.h"
#include "supply/supply.h"
#include "supply/symbol_maps.h"

namespace api {

struct EmptyStore {
  using Ask = std::function<void(const ident::SymbolRequest&, supply::Supply::Options::Hearer)>;

  base::TemporaryDirectory root = base::TemporaryDirectory::create("api-test").value();
  store::DataDirectory data = store::DataDirectory::open(root.path(), "test").value();
  store::Blobs blobs = store::Blobs::open(data.blobs(), data.tmp()).value();
  std::unique_ptr<db::Database> database = db::Database::open(data.database_url()).value();
  store::Catalog catalog{*database};
  std::unique_ptr<supply::Supply> supply;
  std::unique_ptr<supply::SymbolMaps> maps;

  // Null: nobody is asked.
  explicit EmptyStore(Ask ask = nullptr) {
    EXPECT_TRUE(database->migrate(store::Catalog::migrations()).ok());
    supply::Supply::Options options;
    options.derived = {data.index(), data.tmp(), 1, nullptr};
    if (ask) {
      options.may_ask = [](const ident::SymbolRequest&) { return true; };
      options.ask = std::move(ask);
    }
    supply = std::make_unique<supply::Supply>(blobs, catalog, std::move(options));
    maps = std::make_unique<supply::SymbolMaps>(*supply, supply::SymbolMaps::Options{});
  }
};

}  // namespace api
