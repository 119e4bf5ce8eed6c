#include "server/container_engine.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "base/file.h"
#include "base/text.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

constexpr auto kPause = 10ms;
// A store that copies layers takes its time, and so does a busy machine.
constexpr auto kEngineTime = 180s;
constexpr const char* kStopSeconds = "10";  // SIGTERM, and after them SIGKILL
constexpr std::size_t kWordsMax = 64 * 1024;

// A file without a name: whoever writes to it never waits for us.
Result<base::Fd> make_sink() {
  base::Fd file(::memfd_create("output", MFD_CLOEXEC));
  if (!file.valid()) return base::error_from_errno(errno, "cannot make", "a program's output");
  return file;
}

std::string text_in(const base::Fd& file) {
  std::string text(kWordsMax, '\0');
  const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

// In the child: nothing but calls that are safe after fork().
[[noreturn]] void become(char* const* argv, int output, int errors) {
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, 0);
  ::dup2(output, 1);
  ::dup2(errors, 2);
  ::execvp(argv[0], argv);
  ::_exit(127);
}

bool contains(const std::string& text, std::string_view part) {
  return base::lower_ascii(text).find(part) != std::string::npos;
}

// "Error: " before it is podman's.
std::string said_by(const CommandEnd& end) {
  std::string_view words = base::trim(end.errors.empty() ? end.output : end.errors);
  if (words.starts_with("Error: ")) words.remove_prefix(7);
  return words.empty() ? "exit code " + std::to_string(end.exit_code) : std::string(words);
}

bool is_there(const std::string& program) {
  if (program.find('/') != std::string::npos) return ::access(program.c_str(), X_OK) == 0;
  const char* path = std::getenv("PATH");
  if (path == nullptr) return false;
  for (const std::string_view directory : base::split(path, ':')) {
    if (::access(base::join_path(directory, program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace

Result<CommandEnd> run_command(const std::vector<std::string>& words,
                               std::chrono::milliseconds time_max) {
  const base::Fd output = TRY(make_sink());
  const base::Fd errors = TRY(make_sink());
  std::vector<std::string> copies = words;
  std::vector<char*> argv;
  argv.reserve(copies.size() + 1);
  for (std::string& word : copies) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) return base::error_from_errno(errno, "cannot start", words.front());
  if (pid == 0) become(argv.data(), output.get(), errors.get());
  const auto until = Clock::now() + time_max;
  int status = -1;  // so it stays when somebody else takes the end: that is no success
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    if (Clock::now() >= until) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
      return Error{Fault::timed_out, words.front() + " took too long and was stopped"};
    }
    std::this_thread::sleep_for(kPause);
  }
  CommandEnd end;
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  end.output = text_in(output);
  end.errors = text_in(errors);
  return end;
}

std::string socket_url(const std::string& api_socket) {
  constexpr std::string_view kScheme = "unix://";
  const bool lacks_root = api_socket.starts_with(kScheme) && api_socket.size() > kScheme.size() &&
                          api_socket[kScheme.size()] != '/';
  if (!lacks_root) return api_socket;
  return std::string(kScheme) + "/" + api_socket.substr(kScheme.size());
}

Result<ContainerEngine> ContainerEngine::open(const std::string& program,
                                              const std::string& api_socket) {
  if (!is_there(program)) return Error{Fault::not_found, program + " is not there"};
  // What is called docker may be podman.
  const CommandEnd version = TRY(run_command({program, "--version"}, kEngineTime));
  const bool is_podman = contains(version.output, "podman");
  ContainerEngine engine({program}, is_podman ? EngineKind::podman : EngineKind::docker);
  if (!api_socket.empty() && api_socket != kUsualApiSocket) {
    engine.program_.emplace_back(is_podman ? "--url" : "--host");
    engine.program_.push_back(socket_url(api_socket));
  }
  const CommandEnd answer = TRY(engine.run({"version"}));
  if (answer.ok()) return engine;
  return Error{Fault::unavailable, program + " does not answer: " + said_by(answer)};
}

Result<ContainerEngine> ContainerEngine::find(const MozillaConfig::Quickstart::Docker& wanted) {
  if (!wanted.engine.empty()) return open(wanted.engine, wanted.api_socket);
  std::vector<ContainerEngine> engines;
  std::string why_not;
  for (const char* program : {"podman", "docker"}) {
    auto engine = open(program, wanted.api_socket);
    if (engine.ok()) {
      engines.push_back(std::move(*engine));
    } else if (engine.error().fault != Fault::not_found) {
      why_not.append(why_not.empty() ? "" : "; ").append(engine.error().what);
    }
  }
  if (engines.empty() && !why_not.empty()) return Error{Fault::unavailable, std::move(why_not)};
  if (engines.empty()) {
    return Error{Fault::not_found,
                 "neither podman nor docker is there: install one of them, or set "
                 "quickstart.Docker.enable to false"};
  }
  for (const ContainerEngine& engine : engines) {
    const auto container = engine.find_container(wanted.container);
    if (container.ok() && container->has_value()) return engine;
  }
  for (const ContainerEngine& engine : engines) {
    if (engine.image_id(wanted.image).ok()) return engine;
  }
  return engines.front();
}

std::vector<std::string> ContainerEngine::with(const std::vector<std::string>& words) const {
  std::vector<std::string> all = program_;
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

Result<CommandEnd> ContainerEngine::run(const std::vector<std::string>& words) const {
  return run_command(with(words), kEngineTime);
}

Result<void> ContainerEngine::must_run(const std::vector<std::string>& words) const {
  const CommandEnd end = TRY(run(words));
  if (end.ok()) return {};
  return Error{Fault::unavailable, std::string(name()) + " " + words.front() + ": " + said_by(end)};
}

Result<std::string> ContainerEngine::image_id(const std::string& image) const {
  const CommandEnd end = TRY(run({"image", "inspect", "--format", "{{.Id}}", image}));
  if (end.ok()) return std::string(base::trim(end.output));
  if (contains(end.errors, "no such image") || contains(end.errors, "not known")) {
    return Error{Fault::not_found,
                 std::string(name()) + " has no image " + image + ": tools/make-image makes it"};
  }
  return Error{Fault::unavailable, std::string(name()) + " image: " + said_by(end)};
}

Result<std::optional<Container>> ContainerEngine::find_container(const std::string& name) const {
  const std::string format = std::string("{{.Id}} {{.State.Running}} {{index .Config.Labels \"") +
                             kContainerLabel + "\"}}";
  const CommandEnd end = TRY(run({"container", "inspect", "--format", format, name}));
  if (!end.ok()) {
    if (contains(end.errors, "no such")) return std::optional<Container>();
    return Error{Fault::unavailable, std::string(this->name()) + " container: " + said_by(end)};
  }
  const std::vector<std::string_view> words = base::split(base::trim(end.output), ' ');
  Container container;
  container.id = words[0];
  container.runs = words.size() > 1 && words[1] == "true";
  if (words.size() > 2 && words[2] != "<no") container.fingerprint = words[2];  // "<no value>"
  return std::optional(std::move(container));
}

Result<Container> ContainerEngine::create(const MozillaContainer& container,
                                          const std::string& image) const {
  std::vector<std::string> words = container.words(kind_, container_user(), image);
  words.insert(words.begin(), "create");
  TRY(must_run(words));
  const std::optional<Container> made = TRY(find_container(container.name));
  if (!made) return Error{Fault::unavailable, std::string(name()) + " made no container"};
  return *made;
}

Result<void> ContainerEngine::start(const Container& container) const {
  return must_run({"start", container.id});
}

Result<void> ContainerEngine::stop(const Container& container) const {
  return must_run({"stop", "-t", kStopSeconds, container.id});
}

Result<void> ContainerEngine::remove(const Container& container) const {
  return must_run({"rm", container.id});
}

Result<CommandEnd> ContainerEngine::execute(const Container& container,
                                            const std::vector<std::string>& words) const {
  std::vector<std::string> all{"exec", container.id, kContainerProgram};
  all.insert(all.end(), words.begin(), words.end());
  return run(all);
}

std::string ContainerEngine::last_words(const Container& container) const {
  const auto end = run({"logs", "--tail", "20", container.id});
  if (!end.ok()) return "";
  return std::string(base::trim(end->output + end->errors));
}

std::vector<std::string> ContainerEngine::start_attached_words(const Container& container) const {
  return with({"start", "--attach", container.id});
}

}  // namespace server
