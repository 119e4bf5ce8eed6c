#include "api/store.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "store/containers.h"
#include "store/data_directory.h"
#include "store/retention_rows.h"

namespace api {
namespace {

constexpr std::int64_t kDay = 86'400'000'000;

// The store's routes over real tables, asked from this machine.
class StoreApi : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<db::Migration> tables = store::Catalog::migrations();
    for (const auto& more : {store::Containers::migrations(), store::Transactions::migrations()}) {
      tables.insert(tables.end(), more.begin(), more.end());
    }
    ASSERT_TRUE(database_->migrate(tables).ok());
    ASSERT_TRUE(access_.reload().ok());
    add_store_api_routes(router_, {blobs_, catalog_, transactions_, uploads_, access_, gate_});
  }
  void must_upload(const std::string& content, base::Time at) {
    store::NewFile file;
    file.file.sha256 = base::sha256_of(base::bytes_of(content));
    file.file.name = content;
    file.file.added_at = at;
    file.keys.push_back(
        {ident::SymbolKey::from_text(ident::KeyKind::build_id, content, content + "00"), true});
    store::Upload upload;
    upload.way = "put";
    upload.created_at = at;
    ASSERT_TRUE(catalog_.commit(upload, {file}).ok());
  }
  // How many of these contents the server says it has.
  std::size_t known(const std::vector<std::string>& contents) {
    std::string body;
    for (const std::string& content : contents) {
      body += body.empty() ? "{\"sha256\":[\"" : ",\"";
      body += base::sha256_of(base::bytes_of(content)).hex() + "\"";
    }
    net::Request request = net::Request::of("POST", "/api/v1/store/known");
    request.peer = "127.0.0.1:5";
    request.headers.set("Host", "localhost");
    request.body = body + "]}";
    const auto match = router_.match(request);
    EXPECT_NE(match.route, nullptr);
    const auto answer = std::get<net::Answer>(match.route->handler(request));
    EXPECT_EQ(answer.status, 200) << std::get<std::string>(answer.body);
    return base::JsonValue::parse(std::get<std::string>(answer.body)).value()["known"].size();
  }
  // Names of what has not been brought for 30 days.
  std::vector<std::string> old_files() {
    std::vector<std::string> names;
    EXPECT_TRUE(database_
                    ->read([&](db::Session& session) -> base::Result<void> {
                      names.clear();
                      const base::Time limit{base::now().us - 30 * kDay};
                      const auto files = TRY(store::find_old_files(session, "", limit, 10));
                      for (const store::OldFile& file : files) names.push_back(file.name);
                      return {};
                    })
                    .ok());
    return names;
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("store-api").value();
  store::DataDirectory data_ = store::DataDirectory::open(root_.path(), "test").value();
  store::Blobs blobs_ = store::Blobs::open(data_.blobs(), data_.tmp()).value();
  std::unique_ptr<db::Database> database_ = db::Database::open(data_.database_url()).value();
  store::Catalog catalog_{*database_};
  store::Transactions transactions_{*database_, catalog_};
  store::Uploads uploads_{*database_};
  store::Access access_{*database_};
  Gate gate_{access_, {}};
  net::Router router_;
};

TEST_F(StoreApi, WhoIsToldThatAFileNeedNotBeSentHasBroughtIt) {
  const base::Time then{base::now().us - 40 * kDay};
  must_upload("asked", then);
  must_upload("other", then);
  must_upload("fresh", base::now());
  EXPECT_EQ(old_files(), (std::vector<std::string>{"asked", "other"}));
  EXPECT_EQ(known({"asked", "fresh", "nobody's"}), 2u);
  EXPECT_EQ(old_files(), (std::vector<std::string>{"other"}));

  const auto newest = uploads_.list({}).value().front();
  EXPECT_EQ(newest.upload.way, "known");
  const auto record = uploads_.load(newest.upload.id).value();
  ASSERT_EQ(record.files.size(), 1u) << "the other was brought just now";
  EXPECT_EQ(record.files.front().path, "asked");
  EXPECT_TRUE(record.files.front().was_known);
  EXPECT_EQ(known({"asked", "fresh"}), 2u);
  EXPECT_EQ(uploads_.list({}).value().size(), 4u) << "once in twelve hours";
}

}  // namespace
}  // namespace api
