#include "upload_dialects.h"

#include <random>

#include "base/codec.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "testing/stored_zip.h"

namespace uploads {

using base::DigestKind;
using base::JsonValue;

namespace {

std::string hex_of(const std::string& text, DigestKind kind) {
  return base::hex_digest_of(base::bytes_of(text), kind);
}

// Text that no packing makes small, different for each seed.
std::string noise(const std::string& seed, std::size_t size) {
  std::seed_seq sequence(seed.begin(), seed.end());
  std::mt19937 random(sequence);
  std::string text;
  text.reserve(size);
  while (text.size() < size) text += static_cast<char>('a' + random() % 26);
  return text;
}

Outcome outcome_of(const net::ClientAnswer& answer, bool acknowledged) {
  return {acknowledged, answer.status, answer.body};
}
Outcome taken(const net::ClientAnswer& answer) {
  return outcome_of(answer, answer.status == 200 || answer.status == 201);
}

JsonValue json_of(const net::ClientAnswer& answer) {
  auto json = JsonValue::parse(answer.body);
  return json.ok() ? std::move(*json) : JsonValue();
}

// Where a whole URL leads on the same server.
std::string path_of_url(std::string_view url) {
  const auto scheme = url.find("://");
  const auto path = scheme == std::string_view::npos ? scheme : url.find('/', scheme + 3);
  return path == std::string_view::npos ? "/" : std::string(url.substr(path));
}

Outcome put(const std::string& url, const File& file) {
  return taken(send(url, "PUT", file.path, file.content));
}

Outcome put_gzip(const std::string& url, const File& file) {
  const auto packed = base::gzip(base::bytes_of(file.content));
  return taken(send(url, "PUT", file.path, std::string(packed.begin(), packed.end()),
                    {{"Content-Encoding", "gzip"}}));
}

Outcome put_by_name(const std::string& url, const File& file) {
  return taken(send(url, "PUT", "/api/v1/files/" + file.name, file.content));
}

Outcome zip(const std::string& url, const File& file) {
  const std::string archive =
      testing_support::StoredZip().add(file.path.substr(1), file.content).finish();
  return taken(send(url, "POST", "/upload/",
                    form_part("name=\"z.zip\"; filename=\"z.zip\"", archive) + form_end(),
                    form_header()));
}

Outcome tecken_v2(const std::string& url, const File& file) {
  const std::string manifest = R"({"files":[{"key":")" + file.path.substr(1) + R"(","size":)" +
                               std::to_string(file.content.size()) + R"(,"md5_hash":")" +
                               hex_of(file.content, DigestKind::md5) + "\"}]}";
  const auto planned = send(url, "POST", "/upload/v2/", manifest);
  const JsonValue answer = json_of(planned);
  const JsonValue& action = answer["files"].at(0)["action"];
  if (action["type"].text_or("") == "skip") return outcome_of(planned, true);
  if (action["type"].text_or("") != "upload") return outcome_of(planned, false);
  const std::string session = path_of_url(action["url"].text_or(""));
  const std::size_t half = file.content.size() / 2;
  const std::string total = "/" + std::to_string(file.content.size());
  const auto first = send(url, "PUT", session, file.content.substr(0, half),
                          {{"Content-Range", "bytes 0-" + std::to_string(half - 1) + total}});
  if (first.status != 308) return outcome_of(first, false);
  const std::string last = std::to_string(file.content.size() - 1);
  return taken(send(url, "PUT", session, file.content.substr(half),
                    {{"Content-Range", "bytes " + std::to_string(half) + "-" + last + total}}));
}

Outcome sentry(const std::string& url, const File& file) {
  const std::string whole = hex_of(file.content, DigestKind::sha1);
  const std::string first = file.content.substr(0, file.content.size() / 2);
  const std::string second = file.content.substr(first.size());
  const std::string list = "{\"" + whole + R"(":{"name":")" + file.name + R"(","chunks":[")" +
                           hex_of(first, DigestKind::sha1) + "\",\"" +
                           hex_of(second, DigestKind::sha1) + "\"]}}";
  const std::string assemble = "/api/0/projects/o/p/files/difs/assemble/";
  std::string form;
  for (const std::string& chunk : {first, second}) {
    form += form_part(R"(name="file"; filename=")" + hex_of(chunk, DigestKind::sha1) + "\"", chunk);
  }
  const auto sent =
      send(url, "POST", "/api/0/organizations/o/chunk-upload/", form + form_end(), form_header());
  if (sent.status != 200) return outcome_of(sent, false);
  const auto answer = send(url, "POST", assemble, list);
  return outcome_of(answer, json_of(answer)[whole]["state"].text_or("") == "ok");
}

Outcome sym_upload_v1(const std::string& url, const File& file) {
  const std::string form = form_part("name=\"debug_file\"", file.name) +
                           form_part("name=\"debug_identifier\"", file.id) +
                           form_part("name=\"symbol_file\"; filename=\"x.sym\"", file.content);
  return taken(send(url, "POST", "/upload/", form + form_end(), form_header()));
}

Outcome sym_upload_v2(const std::string& url, const File& file) {
  const auto created = send(url, "POST", "/v1/uploads:create");
  const std::string key(json_of(created)["uploadKey"].text_or(""));
  if (key.empty()) return outcome_of(created, false);
  const auto sent = send(url, "PUT", "/v1/uploads/" + key, file.content);
  if (sent.status != 200) return outcome_of(sent, false);
  return taken(send(url, "POST", "/v1/uploads/" + key + ":complete",
                    "{ symbol_id: {debug_file: \"" + file.name + "\", debug_id: \"" + file.id +
                        "\" }, symbol_upload_type: \"BREAKPAD\" }"));
}

Outcome nuget(const std::string& url, const File& file) {
  const std::string package = testing_support::StoredZip()
                                  .add("[Content_Types].xml", "<Types/>")
                                  .add("lib/net6.0/" + file.name, file.content)
                                  .finish();
  return taken(send(url, "PUT", "/api/v2/symbolpackage",
                    form_part("name=package; filename=x.snupkg", package) + form_end(),
                    form_header()));
}

Outcome package(const std::string& url, const File& file) {
  const std::string tar = tar_entry("usr/lib/" + file.name, file.content) + tar_end();
  const auto packed = base::gzip(base::bytes_of(tar));
  return taken(send(url, "POST", "/upload/",
                    form_part("name=\"p\"; filename=\"" + file.name + ".tar.gz\"",
                              std::string(packed.begin(), packed.end())) +
                        form_end(),
                    form_header()));
}

Outcome parts(const std::string& url, const File& file) {
  const std::string path = "/api/v1/uploads/" + base::sha256_of(base::bytes_of(file.content)).hex();
  const std::string half = file.content.substr(0, file.content.size() / 2);
  const auto first = send(url, "PUT", path + "?offset=0", half);
  if (first.status != 200) return outcome_of(first, false);
  const auto rest = send(url, "PUT", path + "?offset=" + std::to_string(half.size()),
                         file.content.substr(half.size()));
  if (rest.status != 200) return outcome_of(rest, false);
  return taken(send(url, "POST", path + "?path=" + file.path.substr(1)));
}

}  // namespace

net::ClientAnswer send(const std::string& url, const std::string& method, const std::string& path,
                       const std::string& body, const Fields& headers) {
  net::ClientRequest request;
  request.method = method;
  request.url = url + path;
  request.body = body;
  for (const auto& [name, value] : headers) request.headers.add(name, value);
  net::ClientOptions options;
  options.redirects_max = 0;
  options.accept_compressed = false;
  options.stall_timeout = std::chrono::minutes(4);  // a server that unpacks says nothing meanwhile
  auto answer = net::Client(options).send(request);
  return answer.ok() ? std::move(*answer) : net::ClientAnswer{};
}

std::string form_part(const std::string& disposition, const std::string& content) {
  return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + content + "\r\n";
}
std::string form_end() { return "--b--\r\n"; }
const Fields& form_header() {
  static const Fields kHeader{{"Content-Type", "multipart/form-data; boundary=b"}};
  return kHeader;
}

std::string tar_entry(const std::string& name, const std::string& content) {
  const auto octal = [](std::uint64_t value, std::size_t digits) {
    std::string text(digits, '0');
    for (std::size_t i = digits; i-- > 0; value >>= 3) text[i] = static_cast<char>('0' + value % 8);
    return text + '\0';
  };
  std::string head = name;
  head.resize(100, '\0');
  head += octal(0644, 7) + octal(0, 7) + octal(0, 7) + octal(content.size(), 11) + octal(0, 11);
  const std::size_t sum_at = head.size();
  head += std::string(8, ' ') + "0";
  head.resize(257, '\0');
  head += std::string(
      "ustar\0"
      "00",
      8);
  head.resize(512, '\0');
  std::uint64_t sum = 0;
  for (const char c : head) sum += static_cast<unsigned char>(c);
  head.replace(sum_at, 8, octal(sum, 6) + ' ');
  return head + content + std::string((512 - content.size() % 512) % 512, '\0');
}
std::string tar_end() { return std::string(1024, '\0'); }

File sym_file(const std::string& name, std::size_t size) {
  const std::string id = base::upper_ascii(hex_of(name, DigestKind::md5)) + "0";
  File file{name, id, "/" + name + "/" + id + "/" + name + ".sym", ""};
  file.content = "MODULE Linux x86_64 " + id + " " + name + "\nPUBLIC 1000 0 ";
  file.content += noise(name, std::max(size, file.content.size() + 1) - file.content.size()) + "\n";
  return file;
}

// An ELF64 header, one program header, and the note with the build id behind them.
File elf_file(const std::string& name, std::size_t size) {
  const std::string id = hex_of(name, DigestKind::sha1);
  const auto little = [](std::uint64_t value, unsigned bytes) {
    std::string text;
    for (unsigned i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i & 0xff);
    return text;
  };
  constexpr unsigned kHeaders = 64 + 56;
  constexpr unsigned kNote = 36;
  std::string elf(
      "\x7f"
      "ELF\2\1\1",
      7);
  elf += std::string(9, '\0') + little(3, 2) + little(62, 2) + little(1, 4) + little(0x1000, 8) +
         little(64, 8) + little(0, 8) + little(0, 4) + little(64, 2) + little(56, 2) +
         little(1, 2) + little(64, 2) + little(0, 4);
  elf += little(4, 4) + little(4, 4) + little(kHeaders, 8) + little(kHeaders, 8) +
         little(kHeaders, 8) + little(kNote, 8) + little(kNote, 8) + little(4, 8);
  elf += little(4, 4) + little(20, 4) + little(3, 4) + std::string("GNU\0", 4);
  for (unsigned i = 0; i < 20; ++i) {
    elf += static_cast<char>(std::stoul(id.substr(2 * i, 2), nullptr, 16));
  }
  elf += noise(name, std::max(size, elf.size() + 1) - elf.size());
  return {name, id, "/" + name + "/elf-buildid-" + id + "/" + name, std::move(elf)};
}

const std::vector<Dialect>& dialects() {
  static const std::vector<Dialect> kAll{
      {"put", sym_file, put},
      {"put-gzip", sym_file, put_gzip},
      {"files", elf_file, put_by_name},
      {"parts", elf_file, parts},
      {"zip", sym_file, zip},
      {"tecken-v2", sym_file, tecken_v2},
      {"sentry", elf_file, sentry},
      {"sym_upload-v1", sym_file, sym_upload_v1},
      {"sym_upload-v2", sym_file, sym_upload_v2},
      {"nuget", elf_file, nuget},
      {"package", elf_file, package},
  };
  return kAll;
}

}  // namespace uploads
