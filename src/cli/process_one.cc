// `faultline process-one`: one dump processed, for a parent process that holds the other end of
// stdin and stdout. People want `faultline stackwalk`.
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>

#include "analyze/process_one.h"
#include "analyze/sandbox.h"
#include "cli/commands.h"
#include "cli/options.h"

namespace cli {
namespace {

// A request names modules and paths; a million of them would not fill this.
constexpr std::size_t kRequestMax = 256u << 20;

std::optional<std::string> read_all(int fd) {
  std::string text;
  char buffer[64 * 1024];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got == 0) return text;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 || text.size() > kRequestMax) return std::nullopt;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::write(fd, text.data(), text.size());
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

int run_process_one(int argc, char** argv) {
  Options options(argv[0], "Process one minidump for a server (docs/protocols/process-one.md)");
  if (const auto code = options.parse(argc, argv)) return *code;

  analyze::enter_sandbox();
  const auto text = read_all(STDIN_FILENO);
  if (!text) return fail("process-one: cannot read the request on stdin");
  auto request = analyze::parse_request(*text);
  if (!request.ok()) return fail(request.error().what);
  const analyze::Response response = analyze::answer(*request);
  return write_all(STDOUT_FILENO, analyze::text_of_response(response)) ? kDone : kFailed;
}

}  // namespace cli
