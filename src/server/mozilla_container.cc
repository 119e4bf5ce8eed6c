#include "server/mozilla_container.h"

#include <unistd.h>

#include <filesystem>
#include <initializer_list>
#include <utility>

#include "base/sha256.h"
#include "server/foreign_paths.h"
#include "server/json_from_mozilla.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr const char* kPidDirectory = "/run/faultline";
constexpr const char* kCache = "/data/cache";
// It stands on a command line, and so it does wherever processes are listed.
constexpr std::size_t kConfigurationMax = 48 * 1024;
constexpr std::uint16_t kFirstFreePort = 1024;

// What the three keep besides the cache lies beside it.
constexpr const char* kBesideCache[] = {"", ".faultline", ".symserver"};

// The addresses on which they listen in there: a published port comes in from outside, if it has a
// network of its own. On this machine's network it is as open as it was said to be.
class Addresses {
 public:
  Addresses(const MozillaConfig::Quickstart::Docker& docker)
      : published_(docker.network == "host" ? docker.publish_address : "0.0.0.0") {}
  const std::string& of(bool is_published) const { return is_published ? published_ : inside_; }

 private:
  const std::string published_;
  const std::string inside_ = "127.0.0.1";
};

Result<void> add_directories(const std::string& directory, MozillaConfig& inside,
                             MozillaContainer& container) {
  using Use = ContainerDirectory::Use;
  const std::string cache = absolute_path(inside.disk_cache.cache_path, directory);
  for (const char* more : kBesideCache) {
    container.directories.push_back({cache + more, std::string(kCache) + more, Use::written});
  }
  inside.disk_cache.cache_path = kCache;
  std::size_t number = 0;
  for (std::string& one : inside.disk_cache.local_symbol_dirs) {
    std::string path = absolute_path(one, directory);
    one = "/symbols/" + std::to_string(number++);
    container.directories.push_back({std::move(path), one, Use::read});
  }
  for (const ContainerDirectory& one : container.directories) {
    if (one.here.find(':') == std::string::npos) continue;
    return Error{Fault::malformed, one.here + ": a container can have no path with a colon"};
  }
  return {};
}

std::string in_brackets(const std::string& address) {
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

void add(std::vector<std::string>& words, std::initializer_list<std::string> more) {
  words.insert(words.end(), more);
}

std::string network_of(const std::string& network, EngineKind engine) {
  if (!network.empty()) return network;
  // Said, since podman's own configuration may have another default.
  return engine == EngineKind::podman ? "private" : "bridge";
}

// Who has root here and nobody above lets memcached alone give it up.
void add_user(std::vector<std::string>& words, EngineKind engine, ContainerUser user) {
  add(words, {"--user", std::to_string(user.user) + ":" + std::to_string(user.group)});
  const bool is_rootless = engine == EngineKind::podman && user.user != 0;
  if (is_rootless) add(words, {"--userns", "keep-id"});
  add(words, {"--cap-drop", "all", "--security-opt", "no-new-privileges"});
  if (user.user == 0) add(words, {"--cap-add", "SETUID", "--cap-add", "SETGID"});
}

std::string fingerprint_of(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text.append(word).push_back('\0');
  return base::sha256_of(base::bytes_of(text)).hex();
}

}  // namespace

ContainerUser container_user() { return {::getuid(), ::getgid()}; }

Result<MozillaContainer> MozillaContainer::plan(const MozillaConfig& config,
                                                const std::string& directory) {
  const MozillaConfig::Quickstart& wanted = config.quickstart;
  MozillaContainer container;
  container.name = wanted.docker.container;
  container.network = wanted.docker.network;
  container.address = wanted.docker.publish_address;
  MozillaConfig inside = config;
  TRY(add_directories(directory, inside, container));

  const Addresses addresses(wanted.docker);
  const bool memcached = wanted.docker.publish_memcached && wanted.memcached.starting.start;
  const bool disk_cache = wanted.docker.publish_disk_cache && wanted.disk_cache.start;
  const bool sym_server = wanted.docker.publish_sym_server && wanted.sym_server.start;
  inside.quickstart.memcached.listen_address = addresses.of(memcached);
  inside.disk_cache.listen_address = addresses.of(disk_cache);
  inside.sym_server.listen_address = addresses.of(sym_server);
  const auto publish = [&](bool is_published, const char* server, std::uint64_t port) {
    if (is_published) container.published.push_back({server, static_cast<std::uint16_t>(port)});
  };
  publish(memcached, "memcached", wanted.memcached.port);
  publish(disk_cache, "DiskCache", config.disk_cache.port);
  publish(sym_server, "SymServer", config.sym_server.port);

  // The image's own; and what they log is what the engine keeps of the container.
  inside.quickstart.memcached.binary = "memcached";
  inside.disk_cache.log.path.clear();
  inside.sym_server.log.path.clear();
  container.configuration = json_from_mozilla(inside);
  if (container.configuration.size() > kConfigurationMax) {
    return Error{Fault::too_large, "the configuration is too large for a container: " +
                                       std::to_string(container.configuration.size()) + " bytes"};
  }
  return container;
}

std::vector<std::string> MozillaContainer::inner_words(const std::string& action) const {
  return {"quickstart", "--configJSON", configuration, "--pid-dir", kPidDirectory, action};
}

std::vector<std::string> MozillaContainer::leave_out_missing() {
  std::vector<std::string> missing;
  const auto is_missing = [&](const ContainerDirectory& one) {
    std::error_code failed;
    if (one.use == ContainerDirectory::Use::written) return false;
    if (std::filesystem::is_directory(one.here, failed)) return false;
    missing.push_back(one.here);
    return true;
  };
  std::erase_if(directories, is_missing);
  return missing;
}

std::string MozillaContainer::fingerprint(EngineKind engine, ContainerUser user,
                                          const std::string& image) const {
  return fingerprint_of(words_without_label(engine, user, image));
}

std::vector<std::string> MozillaContainer::words(EngineKind engine, ContainerUser user,
                                                 const std::string& image) const {
  std::vector<std::string> words = words_without_label(engine, user, image);
  const std::string label = std::string(kContainerLabel) + "=" + fingerprint_of(words);
  words.insert(words.begin(), {"--label", label});
  return words;
}

std::vector<std::string> MozillaContainer::words_without_label(EngineKind engine,
                                                               ContainerUser user,
                                                               const std::string& image) const {
  const std::string network_word = network_of(network, engine);
  std::vector<std::string> words;
  add(words, {"--name", name, "--network", network_word, "--entrypoint", kContainerProgram});
  add_user(words, engine, user);
  // No relabelling of directories that are others' as well.
  add(words, {"--security-opt", "label=disable", "--read-only"});
  add(words, {"--tmpfs", std::string(kPidDirectory) + ":mode=1777", "--tmpfs", "/tmp:mode=1777"});
  for (const ContainerDirectory& one : directories) {
    const bool is_read = one.use == ContainerDirectory::Use::read;
    add(words, {"--volume", one.here + ":" + one.inside + (is_read ? ":ro" : "")});
  }
  const bool has_own_ports = network_word != "host";
  bool has_low_port = false;
  for (const PublishedPort& one : published) {
    const std::string port = std::to_string(one.port);
    has_low_port = has_low_port || one.port < kFirstFreePort;
    if (!has_own_ports) continue;
    std::string where = in_brackets(address);
    where.append(":").append(port).append(":").append(port);
    add(words, {"--publish", std::move(where)});
  }
  if (has_own_ports && has_low_port) {
    add(words, {"--sysctl", "net.ipv4.ip_unprivileged_port_start=0"});
  }
  words.push_back(image);
  const std::vector<std::string> inner = inner_words("--foreground");
  words.insert(words.end(), inner.begin(), inner.end());
  return words;
}

}  // namespace server
