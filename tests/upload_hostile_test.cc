// Uploads that mean harm, or are merely broken, in every dialect: names that climb or hold what no
// name may hold, bombs, lengths that lie, archives with links and a million entries. Each is
// answered in words, nothing is written where it does not belong, and the server goes on.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/child.h"
#include "base/codec.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "testing/corpus.h"
#include "testing/raw_http.h"
#include "testing/server_process.h"
#include "testing/stored_zip.h"
#include "upload_dialects.h"

namespace {

using testing_support::ServerProcess;
using testing_support::StoredZip;
using uploads::form_end;
using uploads::form_header;
using uploads::form_part;

// A conversion may still be under way; what an upload left would stay.
bool gets_empty(const std::string& path) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!base::list_files(path)->empty() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return base::list_files(path)->empty();
}

class HostileUploads : public testing::Test {
 protected:
  void SetUp() override {
    server_.emplace(ServerProcess::start({root_.path() + "/a/b/data", {}, {}, {}}));
    ASSERT_NE(server_->url(), "");
  }
  // The server lives, takes a file, and has written nothing outside of its directory.
  void TearDown() override {
    if (!server_ || server_->url().empty()) return;
    const uploads::File file = uploads::sym_file("good.so", 1000);
    EXPECT_TRUE(uploads::dialects().front().upload(server_->url(), file).acknowledged);
    EXPECT_EQ(send("GET", file.path).body, file.content);
    const std::string data = root_.path() + "/a/b/data";
    const auto all = base::list_files(root_.path());
    ASSERT_TRUE(all.ok());
    for (const std::string& path : *all) EXPECT_TRUE(path.starts_with(data)) << path;
    EXPECT_TRUE(gets_empty(data + "/tmp"));
    const auto blobs = base::list_files(data + "/blobs");
    for (const std::string& path : *blobs) {
      EXPECT_EQ(base::basename_of(path).size(), 64u) << path;
    }
  }
  net::ClientAnswer send(const std::string& method, const std::string& path,
                         const std::string& body = "", const uploads::Fields& headers = {}) {
    return uploads::send(server_->url(), method, path, body, headers);
  }
  net::ClientAnswer post_zip(const std::string& zip) {
    return send("POST", "/upload/", form_part("name=\"z\"; filename=\"z.zip\"", zip) + form_end(),
                form_header());
  }
  net::ClientAnswer push_nuget(const std::string& zip) {
    return send("PUT", "/api/v2/symbolpackage",
                form_part("name=package; filename=x.snupkg", zip) + form_end(), form_header());
  }
  net::ClientAnswer post_package(const std::string& name, const std::string& package) {
    return send("POST", "/upload/",
                form_part("name=\"p\"; filename=\"" + name + "\"", package) + form_end(),
                form_header());
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("hostile").value();
  std::optional<ServerProcess> server_;
};

std::string percent(const std::string& text) {
  std::string coded;
  for (const char c : text) {
    char hex[4];
    std::snprintf(hex, sizeof hex, "%%%02X", static_cast<unsigned char>(c));
    coded += hex;
  }
  return coded;
}

std::string json_text(const std::string& text) {
  std::string quoted;
  base::append_json_string(quoted, text);
  return quoted;
}

struct Name {
  const char* what;
  std::string name;
  bool is_allowed;  // odd, but a name
};

std::vector<Name> hostile_names() {
  return {{"climbs", "../../../../etc/passwd", false},
          {"dots", "..", false},
          {"a dot", ".", false},
          {"climbs as Windows does", "..\\..\\x", false},
          {"absolute", "/etc/passwd", false},
          {"a drive", "C:\\x", false},
          {"a share", "\\\\server\\share\\x", false},
          {"dots in code", "%2e%2e%2fx", false},
          {"a device", "CON", true},
          {"a device with an extension", "nul.txt", true},
          {"a control character", std::string("a\x01z"), false},
          {"a line break", "a\nb", false},
          {"a bell and an escape", "\x07\x1b[31m", false},
          {"a delete", "a\x7f", false},
          {"markup", "<script>alert(1)</script>", false},
          {"quotes", "a\"b'c", false},
          {"no UTF-8", "\xff\xfe\x80", false},
          {"of four thousand bytes", std::string(4096, 'n'), false},
          {"blanks", "a b c.so", true}};
}

void expect_words(const net::ClientAnswer& answer) {
  EXPECT_GE(answer.status, 200);
  EXPECT_LT(answer.status, 500) << answer.body;
  EXPECT_EQ(base::to_valid_utf8(answer.body), answer.body);
}

TEST_F(HostileUploads, NamesAreRefusedOrHarmlessInEveryDialect) {
  const std::string sym = uploads::sym_file("inner.so", 500).content;
  const std::string elf = uploads::elf_file("inner.so", 500).content;
  const std::string id = "0403020106050807090A0B0C0D0E0F100";
  for (const Name& name : hostile_names()) {
    SCOPED_TRACE(name.what);
    const std::string path = name.name + "/" + id + "/" + name.name + ".sym";
    const auto put =
        send("PUT", "/" + percent(name.name) + "/" + id + "/" + percent(name.name), "opaque");
    expect_words(put);
    EXPECT_EQ(put.status == 201 || put.status == 200, name.is_allowed) << put.status;
    expect_words(send("PUT", "/api/v1/files/" + percent(name.name), elf));
    const auto zip = post_zip(StoredZip().add(path, sym).finish());
    expect_words(zip);
    EXPECT_EQ(zip.status == 201, name.is_allowed) << zip.status << zip.body;
    expect_words(push_nuget(StoredZip().add("lib/" + name.name + ".so", elf).finish()));
    expect_words(send("POST", "/upload/",
                      form_part("name=\"z\"; filename=\"" + name.name + "\"",
                                StoredZip().add("a/AB/c", sym).finish()) +
                          form_end(),
                      form_header()));
    const std::string md5 = base::hex_digest_of(base::bytes_of(sym), base::DigestKind::md5);
    const auto manifest =
        send("POST", "/upload/v2/",
             "{\"files\":[{\"key\":" + json_text(path) + ",\"size\":" + std::to_string(sym.size()) +
                 ",\"md5_hash\":\"" + md5 + "\"}]}");
    expect_words(manifest);
    EXPECT_EQ(manifest.body.find("\"type\":\"error\"") == std::string::npos, name.is_allowed)
        << manifest.body;
    expect_words(send("POST", "/upload/",
                      form_part("name=\"debug_file\"", name.name) +
                          form_part("name=\"debug_identifier\"", id) +
                          form_part("name=\"symbol_file\"; filename=\"x\"", sym) + form_end(),
                      form_header()));
    const std::string key = send("POST", "/v1/uploads:create").body.substr(0, 400);
    const auto at = key.find("\"uploadKey\": \"");
    ASSERT_NE(at, std::string::npos) << key;
    const std::string session = "/v1/uploads/" + key.substr(at + 14, 32);
    EXPECT_EQ(send("PUT", session, sym).status, 200);
    expect_words(send("POST", session + ":complete",
                      "{symbol_id:{debug_file:" + json_text(name.name) + ",debug_id:\"" + id +
                          "\"},symbol_upload_type:\"BREAKPAD\"}"));
    const std::string sha1 = base::hex_digest_of(base::bytes_of(elf), base::DigestKind::sha1);
    EXPECT_EQ(
        send("POST", "/api/0/organizations/o/chunk-upload/",
             form_part("name=\"file\"; filename=\"" + sha1 + "\"", elf) + form_end(), form_header())
            .status,
        200);
    std::string list = "{\"" + sha1;
    list.append("\":{\"name\":").append(json_text(name.name));
    list.append(",\"chunks\":[\"").append(sha1).append("\"]}}");
    expect_words(send("POST", "/api/0/projects/o/p/files/difs/assemble/", list));
    expect_words(post_package(name.name + ".tar", std::string(10240, '\0')));
  }
}

// Bytes that no database takes as text, where files and forms name things.
TEST_F(HostileUploads, ZeroBytesInsideAreNoTroubleOfOurs) {
  const std::string zero(1, '\0');
  const std::string sym = "MODULE Li" + zero + "nux x8" + zero +
                          "6 0403020106050807090A0B0C0D0E0F100 z" + zero + ".so\nINFO CODE_ID 01" +
                          zero + "02 z" + zero + ".exe\n";
  const auto put = send("PUT", "/z.so/0403020106050807090A0B0C0D0E0F100/z.so.sym", sym);
  EXPECT_EQ(put.status, 201) << put.body;
  EXPECT_EQ(send("GET", "/z.so/0403020106050807090A0B0C0D0E0F100/z.so.sym").body, sym);
  const std::string zip = StoredZip().add("y.so/AB/y.so.sym", sym).finish();
  const auto posted = send(
      "POST", "/upload/",
      form_part("name=\"z\"; filename=\"a" + zero + "b.zip\"", zip) + form_end(), form_header());
  expect_words(posted);
  const auto named =
      send("PUT", "/api/v2/symbolpackage",
           form_part("name=\"z\"; filename=\"a" + zero + "b.snupkg\"",
                     StoredZip().add("a.so", uploads::elf_file("q", 500).content).finish()) +
               form_end(),
           form_header());
  expect_words(named);
}

std::string raw_deflate(const std::string& plain) {
  const auto gzip = base::gzip(base::bytes_of(plain), 9);
  constexpr std::size_t kHead = 10;
  constexpr std::size_t kTail = 8;
  return {gzip.begin() + kHead, gzip.end() - kTail};
}

TEST_F(HostileUploads, BombsAreStopped) {
  const std::string plain(130u << 20, '\0');
  const std::string deflated = raw_deflate(plain);
  const auto gzip = base::gzip(base::bytes_of(plain), 9);
  const std::string packed(gzip.begin(), gzip.end());
  constexpr unsigned kDeflate = 8;
  const auto crc = testing_support::crc32_of("");  // nobody gets that far
  const std::string zip =
      StoredZip().add("a/AB/a", deflated, kDeflate, plain.size(), StoredZip::kFile, crc).finish();
  EXPECT_EQ(post_zip(zip).status, 413);
  // The same, but it says that it is small.
  const std::string liar =
      StoredZip().add("a/AB/a", deflated, kDeflate, 100, StoredZip::kFile, crc).finish();
  const auto lied = post_zip(liar);
  EXPECT_TRUE(lied.status == 413 || lied.status == 400) << lied.status;
  const auto pushed =
      push_nuget(StoredZip()
                     .add("lib/a.pdb", deflated, kDeflate, plain.size(), StoredZip::kFile, crc)
                     .finish());
  EXPECT_TRUE(pushed.status == 413 || pushed.status == 400) << pushed.status;
  EXPECT_EQ(send("PUT", "/bomb/AB12/bomb", packed, {{"Content-Encoding", "gzip"}}).status, 413);
  const std::string sha1 = base::hex_digest_of(base::bytes_of(plain), base::DigestKind::sha1);
  const auto chunk =
      send("POST", "/api/0/organizations/o/chunk-upload/",
           form_part("name=\"file_gzip\"; filename=\"" + sha1 + "\"", packed) + form_end(),
           form_header());
  EXPECT_EQ(chunk.status, 413) << chunk.body;
  EXPECT_EQ(send("POST", "/upload/v2/", packed, {{"Content-Encoding", "gzip"}}).status, 413);
  // Announced as small, sent as a bomb.
  const auto planned = send(
      "POST", "/upload/v2/",
      R"({"files":[{"key":"b/AB/b.sym","size":10,"md5_hash":")" + std::string(32, 'a') + "\"}]}");
  const auto at = planned.body.find("/upload/v2/session/");
  ASSERT_NE(at, std::string::npos) << planned.body;
  const std::string session = planned.body.substr(at, planned.body.find('"', at) - at);
  const auto sent = send("PUT", session, packed);
  EXPECT_TRUE(sent.status == 400 || sent.status == 413) << sent.status << sent.body;
  EXPECT_EQ(send("GET", "/b/AB/b.sym").status, 404);
}

TEST_F(HostileUploads, LengthsThatLieAreFound) {
  const std::string sym = uploads::sym_file("x.so", 500).content;
  // A stored member that says another size.
  const auto zip =
      post_zip(StoredZip().add("x.so/AB/x.so.sym", sym, 0, sym.size() + 4000).finish());
  EXPECT_EQ(zip.status, 400) << zip.body;
  // A zip cut off at every place of its end.
  const std::string whole = StoredZip().add("x.so/AB/x.so.sym", sym).finish();
  for (std::size_t cut = 1; cut < 120; cut += 7) {
    EXPECT_EQ(post_zip(whole.substr(0, whole.size() - cut)).status, 400) << cut;
  }
  // Content-Length larger than what comes: never acknowledged.
  const std::string head =
      "PUT /x.so/AB/x.so HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n";
  const auto exchange = testing_support::raw_exchange(server_->url().substr(7), head + sym);
  EXPECT_NE(exchange.status(), 201);
  EXPECT_NE(exchange.status(), 200);
  EXPECT_EQ(send("GET", "/x.so/AB/x.so").status, 404);
  // Content-Range in every wrong way; the session lives on.
  const std::string md5 = base::hex_digest_of(base::bytes_of(sym), base::DigestKind::md5);
  const auto planned = send("POST", "/upload/v2/",
                            R"({"files":[{"key":"x.so/AB/x.so.dbg","size":)" +
                                std::to_string(sym.size()) + ",\"md5_hash\":\"" + md5 + "\"}]}");
  const auto at = planned.body.find("/upload/v2/session/");
  ASSERT_NE(at, std::string::npos) << planned.body;
  const std::string session = planned.body.substr(at, planned.body.find('"', at) - at);
  for (const std::string& range : std::vector<std::string>{
           "bytes 5-9/10", "bytes 9-5/10", "bytes 0-9/5", "bytes 0-18446744073709551615/*",
           "bytes -1-4/10", "bytes 99999999999999999999-5/1", "bytes", "pages 0-1/2",
           "bytes */x"}) {
    const auto answer = send("PUT", session, sym.substr(0, 4), {{"Content-Range", range}});
    EXPECT_TRUE(answer.status == 400 || answer.status == 308) << range << " " << answer.status;
  }
  const auto planned_again = send("PUT", session, "", {{"Content-Range", "bytes */100"}});
  EXPECT_EQ(planned_again.status, 308);
  // Parts: an offset that is none, one past the end, a hash that is none.
  const std::string hash(64, 'a');
  EXPECT_EQ(send("PUT", "/api/v1/uploads/" + hash + "?offset=7", "x").status, 409);
  EXPECT_EQ(send("PUT", "/api/v1/uploads/" + hash + "?offset=18446744073709551615", "x").status,
            413);
  EXPECT_EQ(send("PUT", "/api/v1/uploads/" + hash + "?offset=-1", "x").status, 400);
  EXPECT_EQ(send("PUT", "/api/v1/uploads/..%2f..%2fx?offset=0", "x").status, 400);
  // Forms without an end, without a boundary, with another one.
  for (const std::string& type :
       std::vector<std::string>{"multipart/form-data", "multipart/form-data; boundary=zzz",
                                "multipart/form-data; boundary=\"\"", "text/plain"}) {
    const std::string form = form_part("name=\"f\"; filename=\"f.zip\"", whole) + form_end();
    EXPECT_EQ(send("POST", "/upload/", form, {{"Content-Type", type}}).status, 400) << type;
    EXPECT_EQ(send("PUT", "/api/v2/symbolpackage", form, {{"Content-Type", type}}).status, 400);
  }
}

TEST_F(HostileUploads, LinksInArchivesGiveNothing) {
  const std::string elf = uploads::elf_file("real.so", 3000).content;
  const auto zip = post_zip(StoredZip()
                                .add("l/AB/link.sym", "/etc/passwd", StoredZip::kLink)
                                .add("real.so", elf)
                                .finish());
  EXPECT_EQ(zip.status, 201) << zip.body;
  EXPECT_EQ(send("GET", "/l/AB/link.sym").status, 404);
  // A tar as tar itself makes it: a link that leads out, an absolute name, one that climbs.
  const auto work = base::TemporaryDirectory::create("hostile-tar").value();
  const std::string path = work.path() + "/real.so";
  ASSERT_TRUE(base::write_file_durably(path, base::bytes_of(elf + "other")).ok());
  const auto end = base::run_child(
      "/bin/sh", {"sh", "-c",
                  "cd " + work.path() + " && ln -s /etc/passwd out.so && ln real.so hard.so && " +
                      "mkdir d && cp real.so d/climbs.so && tar -cPf x.tar out.so " + path +
                      " hard.so d/../d/climbs.so"});
  ASSERT_TRUE(end.ok() && end->ok()) << (end.ok() ? end->describe() : "");
  const auto packed = post_package("x.tar", base::read_file(work.path() + "/x.tar").value());
  EXPECT_EQ(packed.status, 201) << packed.body;
  EXPECT_EQ(packed.body.find("passwd"), std::string::npos) << packed.body;
}

std::uint64_t anonymous_memory(pid_t pid) {
  const std::string text = base::read_file("/proc/" + std::to_string(pid) + "/status").value_or("");
  const auto anon = text.find("\nRssAnon:");
  if (anon == std::string::npos) return 0;
  const std::string_view rest = base::trim(std::string_view(text).substr(anon + 9));
  return base::parse_decimal(rest.substr(0, rest.find(' '))).value_or(0) * 1024;
}

// What hostile input may add to the server; a sanitizer keeps freed memory.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifdef SANITIZED
constexpr std::uint64_t kGrowthMax = 256u << 20;
#else
constexpr std::uint64_t kGrowthMax = 16u << 20;
#endif

// The directory of a zip with a million members of a few bytes each: refused before anybody
// reads it into memory.
TEST_F(HostileUploads, AMillionMembersCostNothing) {
  const std::string one = StoredZip().add("a/AB/a.sym", "MODULE").finish();
  const auto begin = one.find("PK\1\2");
  const auto end = one.find("PK\5\6");
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos);
  const std::string entry = one.substr(begin, end - begin);
  constexpr std::size_t kMembers = 1'000'000;
  std::string zip = one.substr(0, begin);
  zip.reserve(zip.size() + kMembers * entry.size() + 22);
  for (std::size_t i = 0; i < kMembers; ++i) zip += entry;
  std::string tail = one.substr(end);
  const std::uint64_t size = kMembers * entry.size();
  for (std::size_t i = 0; i < 4; ++i) tail[12 + i] = static_cast<char>(size >> 8 * i & 0xff);
  zip += tail;
  const std::uint64_t before = anonymous_memory(server_->pid());
  const auto posted = post_zip(zip);
  EXPECT_EQ(posted.status, 413) << posted.body;
  EXPECT_NE(posted.body.find("more than 20000 members"), std::string::npos) << posted.body;
  EXPECT_EQ(push_nuget(zip).status, 413);
  const std::uint64_t after = anonymous_memory(server_->pid());
  EXPECT_LT(after, before + kGrowthMax) << (after - before) / 1024 << " KiB more";
}

// A tar with that entry and a million empty files after it; the names differ, so that it is not the
// limit of bytes that stops a reader. Of the heads only the digits of the name and the sum differ.
void write_a_million(const std::string& path, const std::string& first) {
  constexpr std::size_t kMembers = 1'000'001, kNameAt = 8, kDigits = 16, kSumAt = 148;
  // NOLINTNEXTLINE(bugprone-command-processor): a path of ours
  FILE* const pipe = ::popen(("gzip -1 > " + path).c_str(), "w");
  ASSERT_NE(pipe, nullptr);
  ASSERT_EQ(std::fwrite(first.data(), 1, first.size(), pipe), first.size());
  std::string entry = uploads::tar_entry("usr/lib/" + std::string(kDigits, '0'), "");
  const auto sum_of_zeros = std::strtoul(&entry[kSumAt], nullptr, 8);
  for (std::size_t i = 0; i < kMembers; ++i) {
    std::size_t sum = sum_of_zeros;
    std::size_t value = i * 2'654'435'761u;
    for (std::size_t at = kNameAt + kDigits; at-- > kNameAt; value /= 10) {
      entry[at] = static_cast<char>('0' + value % 10);
      sum += value % 10;
    }
    for (std::size_t at = kSumAt + 6; at-- > kSumAt; sum /= 8) {
      entry[at] = static_cast<char>('0' + sum % 8);
    }
    ASSERT_EQ(std::fwrite(entry.data(), 1, entry.size(), pipe), entry.size());
  }
  ASSERT_EQ(::pclose(pipe), 0);
}

// Read to the limit, in a child of its own, and refused.
TEST_F(HostileUploads, AMillionFilesInATarAreRefusedAndTheServerGoesOn) {
  const auto work = base::TemporaryDirectory::create("million").value();
  const std::string path = work.path() + "/million.tar.gz";
  write_a_million(path, "");
  const std::uint64_t before = anonymous_memory(server_->pid());
  const auto posted = post_package("million.tar.gz", base::read_file(path).value());
  EXPECT_EQ(posted.status, 413) << posted.body;
  EXPECT_NE(posted.body.find("1000000"), std::string::npos) << posted.body;
  EXPECT_LT(anonymous_memory(server_->pid()), before + kGrowthMax);
  const uploads::File after = uploads::elf_file("after.so", 10'000);
  EXPECT_TRUE(uploads::dialects().front().upload(server_->url(), after).acknowledged);
}

// Watched, the same package gives what came before the limit.
TEST(HostilePackages, OfAWatchedTarWithAMillionFilesTheFirstOnesCount) {
  const auto root = base::TemporaryDirectory::create("million").value();
  const std::string watched = root.path() + "/watched";
  ASSERT_TRUE(base::make_directories(watched).ok());
  const auto server =
      ServerProcess::start({root.path() + "/data",
                            {},
                            {},
                            {"FAULTLINE_SCAN_PATHS=" + watched, "FAULTLINE_SCAN_SECONDS=1"}});
  ASSERT_NE(server.url(), "");
  const std::uint64_t before = anonymous_memory(server.pid());
  const uploads::File file = uploads::elf_file("first.so", 10'000);
  write_a_million(root.path() + "/new", uploads::tar_entry("usr/lib/first.so", file.content));
  ASSERT_EQ(std::rename((root.path() + "/new").c_str(), (watched + "/million.tar.gz").c_str()), 0);
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(4);
  while (uploads::send(server.url(), "GET", file.path).status != 200 &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(uploads::send(server.url(), "GET", file.path).body, file.content) << server.log();
  EXPECT_TRUE(server.log_comes_to_say("1000000")) << "the limit is told";
  EXPECT_LT(anonymous_memory(server.pid()), before + kGrowthMax);
  EXPECT_EQ(uploads::send(server.url(), "GET", "/readyz").status, 200);
}

TEST_F(HostileUploads, BrokenPackagesAreRefusedWhole) {
  const auto work = base::TemporaryDirectory::create("broken").value();
  const std::string elf = uploads::elf_file("p.so", 100'000).content;
  ASSERT_TRUE(base::write_file_durably(work.path() + "/p.so", base::bytes_of(elf)).ok());
  const auto end = base::run_child(
      "/bin/sh", {"sh", "-c", "cd " + work.path() + " && tar -czf x.tar.gz p.so p.so p.so"});
  ASSERT_TRUE(end.ok() && end->ok());
  const std::string tar = base::read_file(work.path() + "/x.tar.gz").value();
  const auto cut = post_package("x.tar.gz", tar.substr(0, tar.size() / 2));
  EXPECT_EQ(cut.status, 400) << cut.body;
  EXPECT_EQ(cut.body.find(root_.path()), std::string::npos) << "our paths are nobody's matter";
  EXPECT_EQ(post_package("x.deb", "!<arch>\nnot so").status, 400);
  EXPECT_EQ(post_package("x.rpm", std::string(5000, 'r')).status, 400);
  EXPECT_EQ(post_package("x.tar", "").status, 400);
  EXPECT_EQ(send("GET", "/buildid/" + uploads::elf_file("p.so", 1).id + "/executable").status, 404);
}

}  // namespace
