#include "server/room_options.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace server {
namespace {

std::string error_of(const std::vector<Setting>& settings) {
  const auto options = options_from(settings);
  if (!options.ok()) return options.error().what;
  const auto checked = check_rooms(*options);
  return checked.ok() ? "" : checked.error().what;
}

TEST(CheckRooms, NamesTheSettingThatCannotHold) {
  struct Case {
    const char* key;
    const char* value;
    const char* said;
  };
  const Case cases[] = {
      {"listen", "7070", "listen"},
      {"listen", "localhost:http", "listen"},
      {"tls.listen", "0.0.0.0:70000", "tls.listen"},
      {"log_level", "loud", "log_level"},
      {"log_format", "xml", "log_format"},
      {"log_answers", "some", "log_answers"},
      {"trusted_proxies", "10.0.0.0/99", "trusted_proxies"},
      {"virtual_directories", "a=no/name", "virtual_directories"},
      {"retention.projects", "game", "retention.projects"},
      {"home.redirect", "https://a.example/ b", "home.redirect"},
      {"home.html", "/no/such.html", "home.html"},
      {"upload.url_hosts", "https://a.example", "upload.url_hosts"},
      {"upload.url_private", "1", "upload.url_private"},
      {"upload.url_ca_bundle", "/no/such.pem", "upload.url_ca_bundle"},
      {"scan.include", "(", "scan.include"},
      {"scan.exclude", "[", "scan.exclude"},
      {"sources.directories", "no/path", "sources.directories"},
      {"sources.directories", "/no/such", "sources.directories"},
      {"sources.hosts", "ftp://a.example", "sources.hosts"},
      {"sources.credentials", "/no/such", "sources.credentials"},
      {"store.pointers", "relative", "relative"},
      {"symbolication.dialect", "polish", "symbolication.dialect"},
      {"symbolication.debug", "nobody", "symbolication.debug"},
      {"symbolication.private_sources", "home", "symbolication.private_sources"},
      {"memcached.keys", "none", "memcached.keys"},
      {"upstreams.exclusions", "/no/such.ini", "/no/such.ini"},
      {"upstreams.deny", "(", "upstreams.deny"},
      {"upstream.0.url", "relative", "relative"},
  };
  for (const Case& row : cases) {
    const std::string error = error_of({{row.key, row.value, "here"}});
    EXPECT_NE(error.find(row.said), std::string::npos) << row.key << ": " << error;
  }
}

TEST(CheckRooms, LooksAtEachUpstreamServer) {
  struct Case {
    const char* url;
    const char* key;
    const char* value;
    const char* said;
  };
  const Case cases[] = {
      {"http://127.0.0.1:1", "layout", "odd", "there is no layout odd"},
      {"http://127.0.0.1:1", "allow", "(", "second"},
      {"http://127.0.0.1:1", "access_key", "AKIA", "for s3:// alone"},
      {"s3://symbols", "access_key", "AKIA", "access_key and secret_key go together"},
  };
  for (const Case& row : cases) {
    const std::string error = error_of({{"upstream.0.url", "/srv/first", "here"},
                                        {"upstream.1.name", "second", "here"},
                                        {"upstream.1.url", row.url, "here"},
                                        {std::string("upstream.1.") + row.key, row.value, "here"}});
    EXPECT_NE(error.find(row.said), std::string::npos) << row.value << ": " << error;
  }
}

TEST(CheckRooms, HasNothingAgainstWhatHolds) {
  EXPECT_EQ(error_of({}), "");
  const auto root = base::TemporaryDirectory::create("rooms").value();
  const std::string file = root.path() + "/file";
  ASSERT_TRUE(base::write_file_durably(file, base::bytes_of("a.example Cookie: c\n")).ok());
  EXPECT_EQ(error_of({{"listen", "", "here"},
                      {"tls.listen", "[::1]:443", "here"},
                      {"trusted_proxies", "10.0.0.0/8; fd00::1", "here"},
                      {"home.redirect", "/crashes", "here"},
                      {"home.html", file, "here"},
                      {"upload.url_hosts", "a.example, *.b.example", "here"},
                      {"upload.url_private", "no", "here"},
                      {"upload.url_ca_bundle", file, "here"},
                      {"scan.include", "\\.debug$", "here"},
                      {"sources.directories", "/build=" + root.path(), "here"},
                      {"sources.hosts", "*.a.example", "here"},
                      {"sources.credentials", file, "here"},
                      {"upstream.0.url", "/no/such/directory", "here"}}),
            "");
}

}  // namespace
}  // namespace server
