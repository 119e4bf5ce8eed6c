#include "server/quickstart_in_container.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "cli/options.h"
#include "server/config_files.h"
#include "server/container_engine.h"
#include "server/mozilla_container.h"
#include "server/mozilla_programs.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr int kFailure = 255;
constexpr const char* kSpeaker = "faultline quickstart: ";

std::vector<char*> argv_of(std::vector<std::string>& words) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return argv;
}

// What our own program said in there; its name comes before it once more.
std::string without_name(std::string_view words) {
  words = base::trim(words);
  const std::string_view name = kSpeaker;
  if (words.starts_with(name)) words.remove_prefix(name.size());
  return std::string(words);
}

// The published ports as the servers behind them, which we did not start ourselves.
std::vector<Service> published_services(const MozillaContainer& container,
                                        const MozillaConfig& config) {
  MozillaConfig seen = config;
  seen.quickstart.memcached.listen_address = container.address;
  seen.disk_cache.listen_address = container.address;
  seen.sym_server.listen_address = container.address;
  const MozillaSource nobody;
  const Service all[] = {memcached_service(seen, nobody), disk_cache_service(seen, nobody),
                         sym_server_service(seen, nobody)};
  std::vector<Service> published;
  for (const PublishedPort& port : container.published) {
    for (const Service& service : all) {
      if (service.name == port.server) published.push_back(service);
    }
  }
  return published;
}

class InContainer {
 public:
  InContainer(ContainerEngine engine, const MozillaConfig& config, MozillaContainer container,
              const ContainerWishes& wishes)
      : engine_(std::move(engine)),
        config_(config),
        container_(std::move(container)),
        wishes_(wishes) {}

  Result<void> stop() const {
    const auto found = TRY(find_ours());
    if (!found || !found->runs) {
      std::printf("No servers to stop\n");
      return {};
    }
    say("stopping", *found);
    return engine_.stop(*found);
  }

  // Ready to be started: there, and made of what is wanted now. Nothing when it runs already.
  Result<std::optional<Container>> prepare(bool restart) const {
    if (wishes_.rebuild) TRY(make_image());
    const std::string image = TRY(wanted_image());
    const std::string wanted = container_.fingerprint(engine_.kind(), container_user(), image);
    const auto found = TRY(find_ours());
    const bool is_good = found && found->fingerprint == wanted && !wishes_.rebuild;
    if (is_good && found->runs && !restart) {
      std::printf("%s is already running, container %s\n", container_.name.c_str(),
                  found->short_id().c_str());
      return std::optional<Container>();
    }
    if (found && found->runs) {
      say("stopping", *found);
      TRY(engine_.stop(*found));
    }
    if (is_good) return found;
    if (found) {
      say("removing", *found);
      TRY(engine_.remove(*found));
    }
    TRY(make_directories());
    const Container made = TRY(engine_.create(container_, image));
    say("made", made);
    return std::optional(made);
  }

  Result<void> start(bool restart) const {
    const auto container = TRY(prepare(restart));
    if (!container) return {};
    say("starting", *container);
    TRY(engine_.start(*container));
    TRY(wait_for(*container));
    std::printf("%s runs in %s, container %s\n", container_.name.c_str(), engine_.name(),
                container->short_id().c_str());
    for (const PublishedPort& one : container_.published) {
      std::printf("%s runs on port %u of %s\n", one.server.c_str(), one.port,
                  container_.address.c_str());
    }
    return {};
  }

  // Becomes the engine's program, which shows what is said in there; nobody waits.
  Result<void> start_in_foreground(bool restart) const {
    const auto container = TRY(prepare(restart));
    if (!container) return {};
    say("starting", *container);
    std::fflush(stdout);
    std::vector<std::string> words = engine_.start_attached_words(*container);
    const std::vector<char*> argv = argv_of(words);
    ::execvp(argv[0], argv.data());
    return Error{Fault::unavailable, words[0] + ": cannot be started: " + std::strerror(errno)};
  }

  Result<void> wait() const {
    const auto found = TRY(find_ours());
    if (!found || !found->runs) {
      return Error{Fault::unavailable, container_.name + " does not run"};
    }
    return wait_for(*found);
  }

  // Of the container, and of the servers in there.
  Result<int> status() const {
    const auto found = TRY(find_ours());
    if (!found || !found->runs) {
      std::printf("%s: does not run\n", container_.name.c_str());
      return kFailure;
    }
    std::printf("%s: runs in %s, container %s\n", container_.name.c_str(), engine_.name(),
                found->short_id().c_str());
    const base::ChildEnd inside = TRY(engine_.execute(*found, container_.inner_words("status")));
    std::printf("%s%s", inside.output.c_str(), inside.errors.c_str());
    return inside.ok() ? cli::kDone : kFailure;
  }

 private:
  Result<void> wait_for(const Container& container) const {
    const base::ChildEnd inside = TRY(engine_.execute(container, container_.inner_words("wait")));
    if (!inside.ok()) return failed(container, without_name(inside.errors + inside.output));
    const auto answered =
        wait_until(published_services(container_, config_), does_answer, kReadyTime);
    return answered.ok() ? answered : failed(container, answered.error().what);
  }

  Error failed(const Container& container, std::string_view why) const {
    std::string what(why);
    const std::string words = engine_.last_words(container);
    if (!words.empty()) what.append("\nIt said:\n").append(words);
    return Error{Fault::unavailable, std::move(what)};
  }

  // Somebody else may happen to use that name.
  Result<std::optional<Container>> find_ours() const {
    auto found = engine_.find_container(container_.name);
    if (!found.ok() || !*found || !(*found)->fingerprint.empty()) return found;
    return Error{Fault::denied, "the container " + container_.name + " (" + (*found)->short_id() +
                                    ") was not made by quickstart: give ours another name in "
                                    "quickstart.Docker.container, or remove it"};
  }

  Result<std::string> wanted_image() const {
    const std::string& image = config_.quickstart.docker.image;
    auto id = engine_.image_id(image);
    const bool can_make = !config_.quickstart.docker.make_image.empty();
    if (id.ok() || id.error().fault != Fault::not_found || !can_make) return id;
    TRY(make_image());
    return engine_.image_id(image);
  }

  // Without a program for it the image that is there is as new as it gets.
  Result<void> make_image() const {
    const MozillaConfig::Quickstart::Docker& docker = config_.quickstart.docker;
    if (docker.make_image.empty()) return {};
    std::vector<std::string> words{docker.make_image, "--engine", engine_.name(), "--name",
                                   docker.image};
    std::fflush(stdout);
    pid_t pid = -1;
    const std::vector<char*> argv = argv_of(words);
    const int error = ::posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ);
    if (error != 0) return base::error_from_errno(error, "cannot run", docker.make_image);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return Error{Fault::unavailable, docker.make_image + " made no image"};
  }

  Result<void> make_directories() const {
    for (const ContainerDirectory& one : container_.directories) {
      if (one.use == ContainerDirectory::Use::written) TRY(base::make_directories(one.here));
    }
    return {};
  }

  void say(const char* what, const Container& container) const {
    if (!wishes_.verbose) return;
    std::printf("%s: %s container %s, %s\n", engine_.name(), what, container_.name.c_str(),
                container.short_id().c_str());
  }

  const ContainerEngine engine_;
  const MozillaConfig& config_;
  const MozillaContainer container_;
  const ContainerWishes wishes_;
};

Result<int> act(const InContainer& servers, const std::string& action, bool foreground) {
  if (action == "status") return servers.status();
  if (action == "stop") {
    TRY(servers.stop());
    return cli::kDone;
  }
  if (action == "wait") {
    TRY(servers.wait());
    return cli::kDone;
  }
  const bool restart = action == "restart";
  if (foreground) {
    TRY(servers.start_in_foreground(restart));
    return cli::kDone;
  }
  TRY(servers.start(restart));
  return cli::kDone;
}

Result<int> find_and_act(const MozillaConfig& config, const std::string& action,
                         const ContainerWishes& wishes) {
  const std::string here = TRY(working_directory());
  MozillaContainer container = TRY(MozillaContainer::plan(config, here));
  const bool starts = action == "start" || action == "restart";
  for (const std::string& missing : container.leave_out_missing()) {
    if (starts) std::printf("%s is no directory; it is left out\n", missing.c_str());
  }
  ContainerEngine engine = TRY(ContainerEngine::find(config.quickstart.docker));
  if (wishes.verbose) std::printf("the engine is %s\n", engine.name());
  return act(InContainer(std::move(engine), config, std::move(container), wishes), action,
             wishes.foreground);
}

}  // namespace

int run_in_container(const MozillaConfig& config, const std::string& action,
                     const ContainerWishes& wishes) {
  const auto end = find_and_act(config, action, wishes);
  if (end.ok()) return *end;
  std::fprintf(stderr, "%s%s\n", kSpeaker, end.error().what.c_str());
  return kFailure;
}

}  // namespace server
