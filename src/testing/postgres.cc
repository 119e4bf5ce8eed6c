#include "testing/postgres.h"

#include <fcntl.h>
#include <glob.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/file.h"

namespace testing_support {
namespace {

std::string find_programs() {
  glob_t found{};
  std::string directory;
  if (::glob("/usr/lib/postgresql/*/bin/initdb", 0, nullptr, &found) == 0 && found.gl_pathc > 0) {
    directory = base::parent_of(found.gl_pathv[found.gl_pathc - 1]);
  }
  ::globfree(&found);
  return directory;
}

// The server refuses to run as root: there it runs as its own user.
const passwd* other_user() { return ::getuid() == 0 ? ::getpwnam("postgres") : nullptr; }

// Where a cluster that nobody used is kept for the next test program, or "".
std::string kept_cluster(const std::string& programs) {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  const char* const home = std::getenv("HOME");
  std::string parent;
  if (cache != nullptr && *cache == '/') {
    parent = cache;
  } else if (home != nullptr && *home == '/') {
    parent = base::join_path(home, ".cache");
  } else {
    return {};
  }
  const std::string version{base::basename_of(base::parent_of(programs))};
  return base::join_path(parent, "faultline/postgres-" + version);
}

// A cluster is a thousand files, and each database hundreds more.
constexpr const char* kMemory = "/dev/shm";

bool has_room_in_memory() {
  constexpr std::uint64_t kRoom = 512u << 20;
  struct statvfs there{};
  return ::access(kMemory, W_OK) == 0 && ::statvfs(kMemory, &there) == 0 &&
         std::uint64_t{there.f_bavail} * there.f_frsize >= kRoom;
}

pid_t start_program(const std::vector<std::string>& words, const std::string& log,
                    const passwd* user = other_user()) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  if (user != nullptr && (::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0)) ::_exit(126);
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);  // after setuid, which clears it
  if (::getppid() != parent) ::_exit(126);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (out < 0 || ::dup2(out, 1) < 0 || ::dup2(out, 2) < 0) ::_exit(126);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

class Cluster {
 public:
  bool start() {
    auto directory = has_room_in_memory()
                         ? base::TemporaryDirectory::create_in(kMemory, "faultline-postgres")
                         : base::TemporaryDirectory::create("faultline-postgres");
    if (!directory.ok()) return false;
    directory_ = std::make_unique<base::TemporaryDirectory>(std::move(directory).value());
    const passwd* user = other_user();
    if (user != nullptr && ::chown(path().c_str(), user->pw_uid, user->pw_gid) != 0) return false;
    return (take_kept() || make()) && serve();
  }
  bool serve() {
    server_ = start_program(
        {program("postgres"), "-D", data(), "-k", path(), "-c", "listen_addresses=", "-c",
         "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"},
        log());
    for (int i = 0; i < 600; ++i) {
      if (run({program("pg_isready"), "-q", "-h", path()})) return true;
      ::usleep(20'000);
    }
    return false;
  }
  void stop(int signal) {
    if (server_ > 0 && ::kill(server_, signal) == 0) wait_for(server_);
    server_ = 0;
  }
  ~Cluster() { stop(SIGQUIT); }

  bool run(const std::vector<std::string>& words) {
    return wait_for(start_program(words, log())) == 0;
  }
  std::string program(const std::string& name) const { return programs_ + "/" + name; }
  std::string path() const { return directory_->path(); }
  std::string log() const { return path() + "/log"; }
  std::string log_text() const { return base::read_file(log()).value_or(""); }

 private:
  std::string data() const { return path() + "/data"; }
  // The owner stays the same: as root we are not the server's user, who may not look there.
  bool copy(const std::string& from, const std::string& to) const {
    return wait_for(start_program({"/bin/cp", "-a", from, to}, "/dev/null", nullptr)) == 0;
  }
  bool take_kept() const {
    if (!base::file_exists(kept_ + "/PG_VERSION")) return false;
    if (copy(kept_, data())) return true;
    (void)base::remove_tree(data());  // of a copy in part, make() could make nothing
    return false;
  }
  bool make() {
    if (!run({program("initdb"), "-D", data(), "-U", "test", "-A", "trust", "-E", "UTF8",
              "--locale=C.UTF-8", "--no-sync", "--wal-segsize=1"})) {
      return false;
    }
    keep();
    return true;
  }
  // By a rename: others may look for it meanwhile. It matters to nobody when this fails.
  void keep() const {
    if (kept_.empty() || !base::make_directories(std::string(base::parent_of(kept_))).ok()) return;
    const std::string copied = kept_ + "." + std::to_string(::getpid());
    if (!copy(data(), copied) || std::rename(copied.c_str(), kept_.c_str()) != 0) {
      (void)base::remove_tree(copied);
    }
  }

  std::string programs_ = find_programs();
  std::string kept_ = kept_cluster(programs_);
  std::unique_ptr<base::TemporaryDirectory> directory_;
  pid_t server_ = 0;
};

Cluster* cluster() {
  static Cluster one;
  static const bool started = one.start();
  return started ? &one : nullptr;
}

}  // namespace

bool have_postgres() {
  return !find_programs().empty() && (::getuid() != 0 || other_user() != nullptr);
}

std::string new_postgres_database() {
  static int count = 0;
  Cluster* server = cluster();
  if (server == nullptr) {
    ADD_FAILURE() << "cannot start PostgreSQL; what is kept to be copied may be damaged: "
                  << kept_cluster(find_programs());
    return {};
  }
  // The first is there from the beginning; making one takes as long as all the rest.
  const std::string name = ++count == 1 ? "postgres" : "test" + std::to_string(count);
  if (count > 1 &&
      !server->run({server->program("createdb"), "-h", server->path(), "-U", "test", name})) {
    ADD_FAILURE() << "createdb failed: " << server->log_text();
    return {};
  }
  return "postgresql:///" + name + "?host=" + server->path() + "&user=test";
}

void restart_postgres() {
  if (Cluster* server = cluster()) {
    server->stop(SIGINT);
    if (!server->serve()) ADD_FAILURE() << "cannot restart PostgreSQL: " << server->log_text();
  }
}

}  // namespace testing_support
