#include "server/container_engine.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "base/file.h"
#include "base/text.h"

namespace server {

using base::ChildEnd;
using base::Error;
using base::Fault;
using base::Result;
using namespace std::chrono_literals;

namespace {

// A store that copies layers takes its time, and so does a busy machine.
constexpr auto kEngineTime = 180s;
constexpr const char* kStopSeconds = "10";  // SIGTERM, and after them SIGKILL

// A call that came to its end by itself.
Result<ChildEnd> run_engine(const std::vector<std::string>& words) {
  ChildEnd end = TRY(base::run_command(words, kEngineTime));
  if (!end.timed_out) return end;
  return Error{Fault::timed_out, words.front() + " took too long and was stopped"};
}

bool contains(const std::string& text, std::string_view part) {
  return base::lower_ascii(text).find(part) != std::string::npos;
}

// "Error: " before it is podman's.
std::string said_by(const ChildEnd& end) {
  std::string_view words = base::trim(end.errors.empty() ? end.output : end.errors);
  if (words.starts_with("Error: ")) words.remove_prefix(7);
  return words.empty() ? end.describe() : std::string(words);
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
  const ChildEnd version = TRY(run_engine({program, "--version"}));
  const bool is_podman = contains(version.output, "podman");
  ContainerEngine engine({program}, is_podman ? EngineKind::podman : EngineKind::docker);
  if (!api_socket.empty() && api_socket != kUsualApiSocket) {
    engine.program_.emplace_back(is_podman ? "--url" : "--host");
    engine.program_.push_back(socket_url(api_socket));
  }
  const ChildEnd answer = TRY(engine.run({"version"}));
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

Result<ChildEnd> ContainerEngine::run(const std::vector<std::string>& words) const {
  return run_engine(with(words));
}

Result<void> ContainerEngine::must_run(const std::vector<std::string>& words) const {
  const ChildEnd end = TRY(run(words));
  if (end.ok()) return {};
  return Error{Fault::unavailable, std::string(name()) + " " + words.front() + ": " + said_by(end)};
}

Result<std::string> ContainerEngine::image_id(const std::string& image) const {
  const ChildEnd end = TRY(run({"image", "inspect", "--format", "{{.Id}}", image}));
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
  const ChildEnd end = TRY(run({"container", "inspect", "--format", format, name}));
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

Result<ChildEnd> ContainerEngine::execute(const Container& container,
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
