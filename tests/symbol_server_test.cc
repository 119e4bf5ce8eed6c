// The symbol server as its clients see it: a real server, files from a real compiler, and where
// it matters the real debuggers.
#include <gtest/gtest.h>

#include "base/child.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "extract/identify.h"
#include "net/client.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/raw_http.h"
#include "testing/server_process.h"

namespace {

using testing_support::faultline_program;
using testing_support::have_command;
using testing_support::ServerProcess;

std::string must_read(const std::string& path) {
  const auto text = base::read_file(path);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? *text : "";
}

base::ChildEnd must_run(const std::string& command) {
  const auto end = base::run_child("/bin/sh", {"sh", "-c", command});
  EXPECT_TRUE(end.ok() && end->ok()) << command << "\n" << (end.ok() ? end->describe() : "");
  return end.ok() ? *end : base::ChildEnd{};
}

// A program with an inlined call, whole, stripped, and as separate debug file.
struct Program {
  base::TemporaryDirectory root = base::TemporaryDirectory::create("program").value();
  std::string whole = root.path() + "/lantern";
  std::string stripped = root.path() + "/stripped/lantern";
  std::string debug = root.path() + "/debug/lantern.debug";
  extract::Identity identity;

  // `salt` makes another build id.
  explicit Program(const std::string& salt = "1") {
    const std::string source = root.path() + "/lantern.c";
    const std::string text = "static inline int dim(int a) { return a * 3 + " + salt +
                             "; }\n"
                             "__attribute__((noinline)) int flicker(int a) { return dim(a) - 1; }\n"
                             "int main(int c, char** v) { (void)v; return flicker(c); }\n";
    EXPECT_TRUE(base::write_file_durably(source, base::bytes_of(text)).ok());
    must_run("cd " + root.path() +
             " && mkdir stripped debug && cc -g -O2 -Wl,--build-id -o lantern lantern.c"
             " && objcopy --only-keep-debug lantern debug/lantern.debug"
             " && strip -o stripped/lantern lantern");
    identity = extract::identify(base::bytes_of(must_read(whole)));
  }
  std::string build_id() const { return identity.build_id; }
  std::string debug_id() const { return identity.debug_id.breakpad(); }
  std::string sym_path() const { return "/lantern/" + debug_id() + "/lantern.sym"; }
};

class SymbolServer : public testing::Test {
 protected:
  void start(std::vector<std::string> environment = {}) {
    REQUIRE_OR_SKIP(have_command("cc"), "no C compiler");
    server_.emplace(ServerProcess::start({root_.path() + "/data", {}, {}, std::move(environment)}));
    ASSERT_NE(server_->url(), "");
  }

  net::ClientAnswer send(const std::string& method, const std::string& path,
                         const std::string& body = "", const net::Headers& headers = {}) {
    net::ClientRequest request;
    request.method = method;
    request.url = net::join_url(server_->url(), path);
    request.headers = headers;
    request.body = body;
    net::ClientOptions options;
    options.redirects_max = 0;
    options.accept_compressed = false;
    const auto answer = net::Client(options).send(request);
    EXPECT_TRUE(answer.ok()) << method << " " << path << ": " << answer.error().what;
    return answer.ok() ? *answer : net::ClientAnswer{};
  }
  net::ClientAnswer get(const std::string& path, const net::Headers& headers = {}) {
    return send("GET", path, "", headers);
  }
  net::ClientAnswer put(const std::string& path, const std::string& body) {
    return send("PUT", path, body);
  }
  static std::string header(const net::ClientAnswer& answer, std::string_view name) {
    return std::string(answer.headers.find(name).value_or(""));
  }
  net::ClientAnswer post_zip(const std::string& zip, const std::string& name = "symbols.zip") {
    net::Headers headers;
    headers.add("Content-Type", "multipart/form-data; boundary=b");
    return send("POST", "/upload/",
                "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"" + name +
                    "\"\r\n\r\n" + zip + "\r\n--b--\r\n",
                headers);
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("symbol-server").value();
  std::optional<ServerProcess> server_;
};

TEST_F(SymbolServer, OneUploadIsFoundOnEveryPath) {
  start();
  const Program program;
  const std::string bytes = must_read(program.whole);
  EXPECT_EQ(put("/lantern/" + program.debug_id() + "/lantern", bytes).status, 201);
  const std::string upper = base::upper_ascii(program.build_id());
  for (const std::string& path :
       {"/lantern/" + program.debug_id() + "/lantern",
        "/LANTERN/" + base::lower_ascii(program.debug_id()) + "/lantern",
        "//lantern//" + program.debug_id() + "/lantern",
        "/la/lantern/" + program.debug_id() + "/lantern",
        "/symbols/lantern/" + program.debug_id() + "/lantern",
        "/lantern/" + program.build_id() + "/lantern", "/lantern/elf-buildid-" + upper + "/lantern",
        "/_.debug/elf-buildid-sym-" + program.build_id() + "/_.debug",
        "/buildid/" + program.build_id() + "/debuginfo", "/buildid/" + upper + "/executable"}) {
    const auto answer = get(path);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_TRUE(answer.body == bytes) << path;
  }
}

TEST_F(SymbolServer, MakesTheSymOfAnUploadedElf) {
  start();
  const Program program;
  put("/lantern/" + program.debug_id() + "/lantern", must_read(program.whole));
  const auto answer = get(program.sym_path());
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(header(answer, "Content-Type"), "text/plain; charset=utf-8");
  EXPECT_NE(answer.body.find("MODULE Linux x86_64 " + program.debug_id() + " lantern\n"),
            std::string::npos);
  EXPECT_NE(answer.body.find("INLINE_ORIGIN 0 dim\n"), std::string::npos);
  EXPECT_NE(answer.body.find("STACK CFI INIT"), std::string::npos);
}

TEST_F(SymbolServer, JoinsAnImageAndItsDebugFileInEitherOrder) {
  for (const bool image_first : {true, false}) {
    start();
    const Program program;
    const std::string image = must_read(program.stripped);
    const std::string debug = must_read(program.debug);
    const std::string image_path = "/lantern/" + program.debug_id() + "/lantern";
    const std::string debug_path = "/lantern.debug/" + program.debug_id() + "/lantern.debug";
    EXPECT_EQ(put(image_first ? image_path : debug_path, image_first ? image : debug).status, 201);
    get(program.sym_path());  // what half of the module says
    EXPECT_EQ(put(image_first ? debug_path : image_path, image_first ? debug : image).status, 201);

    const std::string sym = get(program.sym_path()).body;
    EXPECT_NE(sym.find(" lantern\n"), std::string::npos);
    EXPECT_NE(sym.find(" 0 flicker\n"), std::string::npos) << sym;
    EXPECT_NE(sym.find("STACK CFI INIT"), std::string::npos);
    EXPECT_TRUE(get("/buildid/" + program.build_id() + "/executable").body == image);
    EXPECT_TRUE(get("/buildid/" + program.build_id() + "/debuginfo").body == debug);
    server_.reset();
    ASSERT_TRUE(base::remove_tree(root_.path() + "/data").ok());
  }
}

TEST_F(SymbolServer, AFullerFileIsNeverHiddenByAStrippedOne) {
  start();
  const Program program;
  const std::string path = "/lantern/" + program.debug_id() + "/lantern";
  EXPECT_EQ(put(path, must_read(program.stripped)).status, 201);
  EXPECT_EQ(get("/buildid/" + program.build_id() + "/debuginfo").status, 404);
  EXPECT_EQ(put(path, must_read(program.whole)).status, 201);
  EXPECT_EQ(put(path, must_read(program.stripped)).status, 200);
  EXPECT_TRUE(get(path).body == must_read(program.whole));
  EXPECT_EQ(get("/buildid/" + program.build_id() + "/debuginfo").status, 200);
}

TEST_F(SymbolServer, AMissSaysWhatToDoAndIsForgottenByTheUpload) {
  start();
  const Program program;
  for (const std::string& path :
       {program.sym_path(), "/buildid/" + program.build_id() + "/debuginfo"}) {
    const auto miss = get(path);
    EXPECT_EQ(miss.status, 404);
    EXPECT_NE(miss.body.find("nobody has uploaded"), std::string::npos) << miss.body;
    EXPECT_NE(miss.body.find("faultline upload-symbols --url http://127.0.0.1:"),
              std::string::npos);
    EXPECT_TRUE(header(miss, "X-Faultline-Reason").starts_with("not_found: nobody"));
    EXPECT_EQ(header(miss, "Cache-Control"), "no-store");
  }
  put("/lantern/" + program.debug_id() + "/lantern", must_read(program.whole));
  EXPECT_EQ(get(program.sym_path()).status, 200);
  EXPECT_EQ(get("/buildid/" + program.build_id() + "/debuginfo").status, 200);
}

TEST_F(SymbolServer, AnswersHeadRangeEtagAndGzip) {
  start();
  const Program program;
  const std::string bytes = must_read(program.whole);
  const std::string path = "/lantern/" + program.debug_id() + "/lantern";
  put(path, bytes);
  const auto head = send("HEAD", path);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(header(head, "Content-Length"), std::to_string(bytes.size()));
  EXPECT_EQ(head.body, "");
  const std::string tag = header(head, "ETag");
  EXPECT_EQ(tag, "\"" + base::sha256_of(base::bytes_of(bytes)).hex().substr(0, 40) + "\"");

  net::Headers range;
  range.add("Range", "bytes=10-19");
  const auto part = get(path, range);
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, bytes.substr(10, 10));
  EXPECT_EQ(header(part, "Content-Range"), "bytes 10-19/" + std::to_string(bytes.size()));

  net::Headers known;
  known.add("If-None-Match", tag);
  EXPECT_EQ(get(path, known).status, 304);

  net::Headers packed;
  packed.add("Accept-Encoding", "gzip");
  const auto sym = get(program.sym_path(), packed);
  EXPECT_EQ(header(sym, "Content-Encoding"), "gzip");
  const auto plain = base::gunzip(base::bytes_of(sym.body), 1 << 20);
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(base::text_of(*plain), get(program.sym_path()).body);
}

TEST_F(SymbolServer, SpeaksDebuginfodsHeaders) {
  start();
  const Program program;
  const std::string bytes = must_read(program.whole);
  put("/lantern/" + program.debug_id() + "/lantern", bytes);
  const std::string path = "/buildid/" + program.build_id() + "/executable";
  const auto answer = get(path);
  EXPECT_EQ(header(answer, "X-DEBUGINFOD-SIZE"), std::to_string(bytes.size()));
  EXPECT_EQ(header(answer, "X-DEBUGINFOD-FILE"), "lantern");
  EXPECT_EQ(header(answer, "Content-Type"), "application/octet-stream");
  net::Headers small;
  small.add("X-DEBUGINFOD-MAXSIZE", "10");
  EXPECT_EQ(get(path, small).status, 406);
  EXPECT_EQ(get("/buildid/abc/debuginfo").status, 404);
  EXPECT_EQ(get("/buildid/zz/debuginfo").status, 404);
}

TEST_F(SymbolServer, EachRefusalHasALineInTheLog) {
  start();
  net::Headers elfutils;
  elfutils.add("User-Agent", "elfutils/0.190,Linux/x86_64,debian,12");
  EXPECT_EQ(get("/buildid/aabbccdd/debuginfo", elfutils).status, 404);
  EXPECT_EQ(get("/healthz").status, 200);
  const std::string address = server_->url().substr(7);
  const auto refused = testing_support::raw_exchange(
      address, "PUT /buildid/aa/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_EQ(refused.answers.at(0).header("X-Faultline-Reason"),
            "files named buildid live under /symbols/: put it there");
  EXPECT_EQ(testing_support::raw_exchange(address, "GET / HTTP/1.1\r\n\r\n").status(), 400);
  EXPECT_EQ(server_->stop(), 0);
  const std::string log = server_->log();
  EXPECT_NE(log.find("answer method=\"PUT\" path=\"/buildid/aa/x\" "), std::string::npos) << log;
  EXPECT_NE(
      log.find(" status=400 reason=\"files named buildid live under /symbols/: put it there\""),
      std::string::npos)
      << log;
  EXPECT_NE(log.find("answer method=\"-\" path=\"-\" client=other peer=127.0.0.1:"),
            std::string::npos)
      << log;
  EXPECT_NE(log.find("answer method=\"GET\" path=\"/buildid/aabbccdd/debuginfo\" "
                     "client=debuginfod peer=127.0.0.1:"),
            std::string::npos)
      << log;
  EXPECT_NE(log.find(" status=404 reason=\"not_found: nobody has uploaded debuginfo of "
                     "buildid/aabbccdd/debuginfo\" bytes="),
            std::string::npos)
      << log;
  EXPECT_EQ(log.find("healthz"), std::string::npos) << log;
}

TEST_F(SymbolServer, DebuginfodFindAndGdbGetTheirFiles) {
  REQUIRE_OR_SKIP(have_command("debuginfod-find") && have_command("gdb"),
                  "no debuginfod-find or gdb");
  start();
  const Program program;
  put("/lantern/" + program.debug_id() + "/lantern", must_read(program.whole));
  const std::string cache = root_.path() + "/cache";
  const std::string environment =
      "DEBUGINFOD_URLS=" + server_->url() + " DEBUGINFOD_CACHE_PATH=" + cache + " ";
  const auto found = must_run(environment + "debuginfod-find debuginfo " + program.build_id());
  EXPECT_TRUE(must_read(std::string(base::trim(found.output))) == must_read(program.whole));
  const auto gdb = must_run(environment + "HOME=" + root_.path() +
                            " gdb -nx -batch -iex 'set debuginfod enabled on' -ex 'info line "
                            "flicker' " +
                            program.stripped);
  EXPECT_NE(gdb.output.find(" of \"lantern.c\" starts at"), std::string::npos) << gdb.output;
}

TEST_F(SymbolServer, KeepsOddNamesAndRefusesHostileOnes) {
  start();
  for (const std::string& name :
       std::vector<std::string>{"libstdc++.so.6", "a b(1).so", "\xc3\xa4\xc3\xb6.so", "x~y!.so"}) {
    std::string path = "/";
    path.append(name).append("/ABC1/").append(name);
    EXPECT_EQ(put(path, name).status, 201) << name;
    EXPECT_EQ(get(path).body, name);
  }
  struct Row {
    const char* path;
    const char* why;
  };
  for (const Row& row :
       {Row{"/..%2f..%2fetc/1/passwd", "slashes in disguise"}, Row{"/a%5cb/1/c", "backslash"},
        Row{"/a%0ab/1/c", "line feed"}, Row{"/%ff%fe/1/c", "not UTF-8"}, Row{"/a/1", "two parts"},
        Row{"/a/b/c/d/e", "five parts"}, Row{"/crashes/1/c", "reserved"}}) {
    net::ClientRequest request;
    request.method = "PUT";
    request.url = server_->url() + row.path;
    request.body = "x";
    const auto answer = net::Client().send(request);
    ASSERT_TRUE(answer.ok()) << row.why;
    EXPECT_EQ(answer->status, 400) << row.why << ": " << answer->body;
    request.method = "GET";
    request.body.clear();
    EXPECT_EQ(net::Client().send(request)->status, 404) << row.why;
  }
  EXPECT_EQ(put("/symbols/crashes/1/c", "x").status, 201);
  EXPECT_EQ(get("/symbols/crashes/1/c").body, "x");
}

TEST_F(SymbolServer, RefusesAnUploadOverTheLimitFromItsHead) {
  start({"FAULTLINE_LIMITS_UPLOAD=1000"});
  const auto answer = put("/a/1/a", std::string(1001, 'x'));
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(put("/a/1/a", std::string(1000, 'x')).status, 201);
  // The head alone, without a byte of the body: the answer comes at once.
  const auto head = must_run(
      "curl -s -m 5 -o /dev/null -w '%{http_code}' -X PUT "
      "-H 'Content-Length: 99999999999' " +
      server_->url() + "/a/1/b");
  EXPECT_EQ(head.output, "413");
  // Chunked, its length is not known before.
  const auto chunked =
      must_run("head -c 5000 /dev/zero | curl -s -o /dev/null -w '%{http_code}' -T - " +
               server_->url() + "/a/1/c");
  EXPECT_EQ(chunked.output, "413");
}

TEST_F(SymbolServer, OnlyLocalPeersUploadWithoutAToken) {
  start({"FAULTLINE_UPLOAD_TOKEN=sesame"});
  struct Row {
    const char* header;
    const char* value;
    int status;
  };
  for (const Row& row :
       {Row{"X-Forwarded-For", "10.0.0.1", 403}, Row{"Via", "1.1 proxy", 403},
        Row{"Forwarded", "for=10.0.0.1", 403}, Row{"Origin", "https://evil.example", 403},
        Row{"Host", "symbols.example", 403}, Row{"Auth-Token", "wrong", 403},
        Row{"Auth-Token", "sesame", 201}, Row{"Auth-Token", "sesame-ci", 200},
        Row{"Authorization", "Bearer sesame", 200}}) {
    net::Headers headers;
    headers.add(row.header, row.value);
    if (row.status != 403) headers.add("X-Forwarded-For", "10.0.0.1");
    EXPECT_EQ(send("PUT", "/a/1/a", "x", headers).status, row.status) << row.header;
  }
}

TEST_F(SymbolServer, AnswersTeckensUploadsAsTeckenDoes) {
  start();
  const auto error_of = [](const net::ClientAnswer& answer) {
    return std::string((*base::JsonValue::parse(answer.body))["error"].text_or(""));
  };
  EXPECT_EQ(send("GET", "/upload/").status, 405);
  EXPECT_EQ(error_of(send("GET", "/upload/")), "Method Not Allowed (GET): /upload/");
  const auto nothing = send("POST", "/upload/", "x");
  EXPECT_EQ(nothing.status, 400);
  EXPECT_EQ(error_of(nothing), "Must be multipart form data with at least one file");
  const auto rar = post_zip("x", "myfile.rar");
  EXPECT_EQ(rar.status, 400);
  EXPECT_EQ(error_of(rar), "Unrecognized archive file extension \".rar\"");
  const auto wrong = post_zip("no zip at all");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(error_of(wrong), "File is not a zip file");

  REQUIRE_CORPUS(corpus);
  const std::string zip = must_read(corpus + "/symbols/upload/tecken-zips/sample.zip");
  const auto good = post_zip(zip);
  ASSERT_EQ(good.status, 201) << good.body;
  const auto json = *base::JsonValue::parse(good.body);
  EXPECT_EQ(json["upload"]["size"].integer_or(0), 70398);
  EXPECT_EQ(json["upload"]["skipped_keys"].size(), 0u);
  EXPECT_EQ(get("/flag/deadbeef/flag.jpeg").body.size(), 69183u);
  EXPECT_EQ(get("/xpcshell.dbg/A7D6F1BB18CD4CB48/xpcshell.sym").status, 200);
  EXPECT_EQ(get("/xpcshell/BBACA09FD1C13F6C84254BFD8732AF400/xpcshell.sym").status, 200);
  const auto again = *base::JsonValue::parse(post_zip(zip).body);
  EXPECT_EQ(again["upload"]["skipped_keys"].size(), 2u);
}

TEST_F(SymbolServer, UploadSymbolsSendsATreeAndSkipsWhatIsThere) {
  start();
  const Program program;
  must_run("echo text >" + program.root.path() + "/notes.txt");
  const std::string command =
      faultline_program() + " upload-symbols --url " + server_->url() + " " + program.root.path();
  const auto first = must_run(command);
  EXPECT_TRUE(first.output.starts_with("3 files sent")) << first.output;
  EXPECT_NE(first.errors.find("stripped/lantern: sent"), std::string::npos) << first.errors;
  const auto second = must_run(command);
  EXPECT_TRUE(second.output.starts_with("1 files sent") ||
              second.output.starts_with("0 files sent"))
      << second.output;
  EXPECT_EQ(get(program.sym_path()).status, 200);
}

TEST_F(SymbolServer, UploadSymbolsSaysInItsExitCodeHowItWent) {
  start();
  const auto code_of = [](const std::string& arguments) {
    return base::run_child("/bin/sh",
                           {"sh", "-c", faultline_program() + " upload-symbols " + arguments})
        ->exit_code;
  };
  const std::string url = "--url " + server_->url() + " ";
  EXPECT_EQ(code_of(url + "/no/such/file"), 1);
  EXPECT_EQ(code_of(url + "/etc/passwd"), 1);
  EXPECT_EQ(code_of("/etc/passwd"), 2);
  EXPECT_EQ(code_of("--url nonsense /etc/passwd"), 2);
  EXPECT_EQ(code_of("--no-such-flag"), 2);
}

TEST_F(SymbolServer, BytesThatOnlyLookLikeAnElfHarmNobody) {
  start();
  const Program program;
  const std::string whole = must_read(program.whole);
  for (std::size_t size = 4; size < whole.size(); size += whole.size() / 23) {
    EXPECT_LT(put("/lantern/" + program.debug_id() + "/lantern", whole.substr(0, size)).status,
              300);
  }
  EXPECT_NE(get(program.sym_path()).status, 0);
  EXPECT_EQ(get("/healthz").status, 200);
  put("/lantern/" + program.debug_id() + "/lantern", whole);
  EXPECT_EQ(get(program.sym_path()).status, 200);
}

TEST_F(SymbolServer, HealthAndMetricsAnswer) {
  start();
  for (const char* path : {"/healthz", "/readyz", "/__heartbeat__", "/__lbheartbeat__",
                           "/__version__", "/metrics", "/pingme.txt"}) {
    EXPECT_EQ(get(path).status, 200) << path;
  }
  EXPECT_EQ(get("/__broken__").status, 500);
  EXPECT_NE(server_->log().find("an error on purpose"), std::string::npos);
  EXPECT_EQ(get("/index2.txt").status, 404);
  const std::string metrics = get("/metrics").body;
  EXPECT_NE(metrics.find("\nfaultline_files 0\n"), std::string::npos);
  EXPECT_NE(metrics.find("\nfaultline_connections_full_total 0\n"), std::string::npos);
  EXPECT_NE(metrics.find("\nfaultline_open_index_bytes 0\n"), std::string::npos);
  EXPECT_EQ(metrics.find("\nfaultline_connections 0\n"), std::string::npos) << "ours is one";
}

}  // namespace
