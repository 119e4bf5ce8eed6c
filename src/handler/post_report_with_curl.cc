#include <curl/curl.h>

#include <memory>

#include "handler/post_report.h"

namespace handler {

namespace {

constexpr std::size_t kBodyMax = 64 << 10;
constexpr long kConnectTimeoutS = 15;
constexpr long kStalledS = 60;  // less than a byte a second for so long: given up
constexpr long kRedirectsMax = 3;

std::size_t append_body(char* data, std::size_t size, std::size_t count, void* body) {
  auto& text = *static_cast<std::string*>(body);
  text.append(data, std::min(size * count, kBodyMax - std::min(kBodyMax, text.size())));
  return size * count;
}

struct Curl {
  CURL* easy = curl_easy_init();
  curl_mime* mime = curl_mime_init(easy);
  curl_slist* headers = nullptr;
  ~Curl() {
    curl_slist_free_all(headers);
    curl_mime_free(mime);
    curl_easy_cleanup(easy);
  }
  Curl() = default;
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;
};

void add_parts(curl_mime* mime, const Report& report, const std::string& dump_path) {
  for (const auto& [key, value] : report.annotations) {
    curl_mimepart* const part = curl_mime_addpart(mime);
    curl_mime_name(part, key.c_str());
    curl_mime_data(part, value.data(), value.size());
  }
  curl_mimepart* const dump = curl_mime_addpart(mime);
  curl_mime_name(dump, "upload_file_minidump");
  curl_mime_filedata(dump, dump_path.c_str());
  curl_mime_filename(dump, (report.id + ".dmp").c_str());
  curl_mime_type(dump, "application/octet-stream");
}

}  // namespace

ServerAnswer post_report(const std::string& url, const Report& report,
                         const std::string& dump_path) {
  ServerAnswer answer;
  Curl curl;
  char error[CURL_ERROR_SIZE] = "";
  add_parts(curl.mime, report, dump_path);
  // Expect: 100-continue would cost a second with servers that do not know it.
  curl.headers = curl_slist_append(nullptr, "Expect:");
  curl_easy_setopt(curl.easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl.easy, CURLOPT_POSTREDIR, static_cast<long>(CURL_REDIR_POST_ALL));
  curl_easy_setopt(curl.easy, CURLOPT_MAXREDIRS, kRedirectsMax);
  curl_easy_setopt(curl.easy, CURLOPT_MIMEPOST, curl.mime);
  curl_easy_setopt(curl.easy, CURLOPT_HTTPHEADER, curl.headers);
  curl_easy_setopt(curl.easy, CURLOPT_USERAGENT, "Faultline/0.1 (Linux)");
  curl_easy_setopt(curl.easy, CURLOPT_CONNECTTIMEOUT, kConnectTimeoutS);
  curl_easy_setopt(curl.easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl.easy, CURLOPT_LOW_SPEED_TIME, kStalledS);
  curl_easy_setopt(curl.easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.easy, CURLOPT_WRITEFUNCTION, &append_body);
  curl_easy_setopt(curl.easy, CURLOPT_WRITEDATA, &answer.body);
  curl_easy_setopt(curl.easy, CURLOPT_ERRORBUFFER, error);
  const CURLcode code = curl_easy_perform(curl.easy);
  if (code != CURLE_OK) {
    answer.error = error[0] != '\0' ? error : curl_easy_strerror(code);
    return answer;
  }
  long status = 0;
  curl_off_t retry_after = 0;
  curl_easy_getinfo(curl.easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl.easy, CURLINFO_RETRY_AFTER, &retry_after);
  answer.status = static_cast<int>(status);
  answer.retry_after_s = retry_after;
  return answer;
}

}  // namespace handler
