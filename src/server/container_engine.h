// podman or docker, whichever is there, as its command line: no library, no socket of ours. What it
// is asked for it does itself; what it said is in the error.
// Not what a container is made of: mozilla_container.h has the words.
// One thread; every call waits until the engine's program has ended.
// Fails with not_found (no engine, no image), unavailable (the engine did not do it), timed_out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/child.h"
#include "base/result.h"
#include "server/mozilla_container.h"

namespace server {

struct Container {
  std::string id;
  std::string fingerprint;  // its kContainerLabel; "" when it has none
  bool runs = false;

  std::string short_id() const { return id.substr(0, 12); }
};

class ContainerEngine {
 public:
  // The one that is asked for, or podman or docker. When both are there it is the one that has the
  // container, else the one that has the image.
  static base::Result<ContainerEngine> find(const MozillaConfig::Quickstart::Docker& wanted);

  EngineKind kind() const { return kind_; }
  const char* name() const { return kind_ == EngineKind::podman ? "podman" : "docker"; }

  base::Result<std::string> image_id(const std::string& image) const;
  base::Result<std::optional<Container>> find_container(const std::string& name) const;
  base::Result<Container> create(const MozillaContainer& container, const std::string& image) const;
  base::Result<void> start(const Container& container) const;
  base::Result<void> stop(const Container& container) const;
  base::Result<void> remove(const Container& container) const;
  // Our own program with these words, in there.
  base::Result<base::ChildEnd> execute(const Container& container,
                                       const std::vector<std::string>& words) const;
  // The last lines of what was said in there; "" when nothing is known.
  std::string last_words(const Container& container) const;
  // What starts it and shows what it says until it ends: for exec().
  std::vector<std::string> start_attached_words(const Container& container) const;

 private:
  ContainerEngine(std::vector<std::string> program, EngineKind kind)
      : program_(std::move(program)), kind_(kind) {}
  static base::Result<ContainerEngine> open(const std::string& program,
                                            const std::string& api_socket);
  std::vector<std::string> with(const std::vector<std::string>& words) const;
  base::Result<base::ChildEnd> run(const std::vector<std::string>& words) const;
  // Fails with what it said when it did not do it.
  base::Result<void> must_run(const std::vector<std::string>& words) const;

  std::vector<std::string> program_;  // and where its server is, when that was said
  EngineKind kind_;
};

// How the engines write what the original's library wrote as unix://var/run/docker.sock.
std::string socket_url(const std::string& api_socket);

}  // namespace server
