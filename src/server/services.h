// Programs that run in the background, each known by the file that its process id stands in: is it
// running, start it, wait until it answers, stop it.
// A process id alone says little after a restart of the machine, so the process must have been
// started with that very file, or be the program itself and listen where it should (-p, -l).
// One thread. Fails with unavailable (cannot start, did not answer, cannot be stopped).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace server {

struct Service {
  std::string name;                  // "SymServer"
  std::string pid_file;              // absolute, but for one that was given by hand
  std::vector<std::string> command;  // ours write the file themselves: --pidfile
  std::string host = "127.0.0.1";    // where it answers
  std::uint16_t port = 0;
  std::string question;         // what is sent to see whether it does
  std::string answer;           // what its answer begins with
  bool writes_pid_file = true;  // else we do
};

std::optional<pid_t> running_pid(const Service& service);

// Whether somebody answers there as it would.
bool does_answer(const Service& service);

// A running program that we started, until it answers.
class Started {
 public:
  // Where its stderr goes: to us, who say what it said when it fails, or where ours goes.
  enum class Words : unsigned char { kept, shown };
  static base::Result<Started> start(const Service& service, Words words = Words::kept);
  const Service& service() const { return service_; }
  // False: not yet. Fails when it has ended; what it said is in the error.
  base::Result<bool> answers();
  pid_t pid() const { return pid_; }

 private:
  Started(Service service, pid_t pid, base::Fd said)
      : service_(std::move(service)), pid_(pid), said_(std::move(said)) {}
  void read_words();

  Service service_;
  pid_t pid_ = -1;
  base::Fd said_;      // its stderr, as long as we look; none when it is shown
  std::string words_;  // the end of what it said
};

// Until all answer; the error names the first that did not.
base::Result<void> wait_for(std::vector<Started>& started, std::chrono::milliseconds time_max);

// The same for programs that others started: until `is_ready` says so of each.
base::Result<void> wait_until(const std::vector<Service>& services,
                              bool (*is_ready)(const Service&), std::chrono::milliseconds time_max);

// SIGTERM to all that run, and SIGKILL to those that are there after that time. A process that came
// to the number of one that ended meanwhile gets neither.
base::Result<void> stop(const std::vector<Service>& services,
                        std::chrono::milliseconds time_max = std::chrono::seconds(5));

// The pid of this process in a file, as long as the object lives. A file that names a process which
// was started with it is left to that: write() fails with unavailable.
class PidFile {
 public:
  static base::Result<PidFile> write(const std::string& path);
  PidFile(PidFile&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  PidFile& operator=(PidFile&&) = delete;
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;
  ~PidFile();

 private:
  explicit PidFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace server
