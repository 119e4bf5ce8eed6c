#include "api/pysymproxy.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>

#include "api/clients.h"
#include "base/text.h"

namespace api {

using base::Fault;
using net::Answer;
using net::Request;

namespace {

std::optional<Answer> refuse_stranger(const Request& request, const Gate& gate) {
  if (is_local(request)) return std::nullopt;
  const Admission admission = gate.admit(request, store::Right::admin);
  const auto* denial = std::get_if<Denial>(&admission);
  if (denial == nullptr && std::get<Who>(admission).project.name.empty()) return std::nullopt;
  return answer_denied(request, !token_of(request).empty(),
                       "this is for requests from the server's own machine and for tokens with "
                       "the right admin");
}

// Nobody keeps it, and no page of another site may take it for a script of its own.
Answer for_the_operator(Answer answer) {
  answer.headers.set("Cache-Control", "no-store");
  answer.headers.set("X-Content-Type-Options", "nosniff");
  answer.headers.set("Cross-Origin-Resource-Policy", "same-origin");
  return answer;
}

struct OpenLog {
  base::Fd fd;
  std::uint64_t size = 0;
};

// Nothing when it is not there, or no file.
std::optional<OpenLog> open_log(const std::string& path) {
  base::Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat info{};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return OpenLog{std::move(fd), static_cast<std::uint64_t>(info.st_size)};
}

Answer answer_log(const Request& request, const std::vector<std::string>& paths) {
  const auto number = base::parse_decimal(request.path_parameter("number"));
  std::uint64_t at = 0;
  for (const std::string& path : paths) {
    std::optional<OpenLog> log = open_log(path);
    if (!log) continue;
    ++at;
    if (number != at) continue;
    Answer answer;
    answer.body = net::FileBody{std::make_shared<const base::Fd>(std::move(log->fd)), log->size, 0};
    answer.headers.set("Content-Type", "text/plain; charset=utf-8");
    return for_the_operator(std::move(answer));
  }
  return answer_miss(request, {Fault::not_found, "there is no log file of that number"}, "");
}

}  // namespace

std::size_t count_logs(const Request& request, const std::vector<std::string>& paths,
                       const Gate& gate) {
  if (refuse_stranger(request, gate)) return 0;
  return static_cast<std::size_t>(
      std::count_if(paths.begin(), paths.end(),
                    [](const std::string& path) { return open_log(path).has_value(); }));
}

void add_pysymproxy_routes(net::Router& router, PySymProxyFiles files, const Gate& gate) {
  std::sort(files.logs.begin(), files.logs.end());
  const auto shown = std::make_shared<const PySymProxyFiles>(std::move(files));
  const auto add = [&](const char* pattern, auto handler) {
    net::Route route;
    route.method = "GET";
    route.pattern = pattern;
    route.runs = net::Runs::pool;
    route.handler = [shown, handler, &gate](Request& request) -> net::Reply {
      if (auto refused = refuse_stranger(request, gate)) return std::move(*refused);
      return handler(request, *shown);
    };
    router.add(std::move(route));
  };
  add("/pysymproxy.json", [](const Request&, const PySymProxyFiles& of) {
    return for_the_operator(Answer::json(200, of.config));
  });
  add("/{number}.log", [](const Request& request, const PySymProxyFiles& of) {
    return answer_log(request, of.logs);
  });
}

}  // namespace api
