#include "api/tools.h"

#include <algorithm>
#include <string>
#include <string_view>

extern "C" {
extern const char faultline_upload_sh_begin[];
extern const char faultline_upload_sh_end[];
extern const char faultline_upload_ps1_begin[];
extern const char faultline_upload_ps1_end[];
extern const char faultline_dsym_sh_begin[];
extern const char faultline_dsym_sh_end[];
extern const char faultline_dsym_ps1_begin[];
extern const char faultline_dsym_ps1_end[];
extern const char faultline_lldb_begin[];
extern const char faultline_lldb_end[];
}

namespace api {

using net::Answer;
using net::Request;

namespace {

constexpr std::string_view kPlaceholder = "@FAULTLINE_URL@";

// What goes into a script must not end a quoted text in it.
bool is_plain_host(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view(".:-[]_").find(c) != std::string_view::npos;
  });
}

Answer script(const Request& request, std::string_view text, std::string_view content_type) {
  const std::string_view host = request.header("Host");
  std::string url;
  if (is_plain_host(host)) {
    url = request.secure || request.header("X-Forwarded-Proto") == "https" ? "https://" : "http://";
    url += host;
  }
  std::string out(text);
  for (auto at = out.find(kPlaceholder); at != std::string::npos; at = out.find(kPlaceholder, at)) {
    out.replace(at, kPlaceholder.size(), url);
    at += url.size();
  }
  Answer answer = Answer::text(200, out);
  answer.headers.set("Content-Type", content_type);
  answer.headers.set("Cache-Control", "no-cache");
  return answer;
}

}  // namespace

void add_tool_routes(net::Router& router) {
  const auto add = [&](const char* pattern, std::string_view text, std::string_view content_type) {
    net::Route route;
    route.method = "GET";
    route.pattern = pattern;
    route.handler = [text, content_type](Request& request) -> net::Reply {
      return script(request, text, content_type);
    };
    router.add(std::move(route));
  };
  const auto between = [](const char* begin, const char* end) {
    return std::string_view(begin, static_cast<std::size_t>(end - begin));
  };
  const auto sh = between(faultline_upload_sh_begin, faultline_upload_sh_end);
  add("/tools/upload-symbols", sh, "text/x-shellscript; charset=utf-8");
  add("/tools/upload-symbols.sh", sh, "text/x-shellscript; charset=utf-8");
  add("/tools/upload-symbols.ps1", between(faultline_upload_ps1_begin, faultline_upload_ps1_end),
      "text/plain; charset=utf-8");
  const auto dsym = between(faultline_dsym_sh_begin, faultline_dsym_sh_end);
  add("/tools/dsymForUUID", dsym, "text/x-shellscript; charset=utf-8");
  add("/tools/dsymForUUID.sh", dsym, "text/x-shellscript; charset=utf-8");
  add("/tools/dsymForUUID.ps1", between(faultline_dsym_ps1_begin, faultline_dsym_ps1_end),
      "text/plain; charset=utf-8");
  add("/tools/faultline_lldb.py", between(faultline_lldb_begin, faultline_lldb_end),
      "text/x-python; charset=utf-8");
}

}  // namespace api
