#include "testing/radosgw.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include "base/child.h"
#include "base/file.h"
#include "base/random.h"
#include "testing/commands.h"
#include "testing/corpus.h"

namespace testing_support {

namespace {

constexpr int kTriesMax = 5;  // another process may have taken one of its ports
// Below those that the kernel gives to whoever asks for any.
constexpr unsigned kPortMin = 10'000, kPortMax = 32'000;
constexpr int kWaitMs = 120'000, kLookMs = 100;

// The script ends, and what it started, when the pipe to it closes: whatever becomes of us.
class Process {
 public:
  Process(const std::string& directory, std::uint16_t port)
      // NOLINTNEXTLINE(cert-env33-c,bugprone-command-processor): our own script, our own words.
      : pipe_(::popen((source_root() + "/tests/start-radosgw '" + directory + "' " +
                       std::to_string(port) + " '" + Radosgw::access_key() + "' '" +
                       Radosgw::secret_key() + "' >'" + directory + "/script' 2>&1")
                          .c_str(),
                      "we")) {}
  ~Process() {
    if (pipe_ != nullptr) ::pclose(pipe_);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

 private:
  FILE* const pipe_;
};

struct Running {
  base::TemporaryDirectory directory;
  std::unique_ptr<Process> process;
};

std::uint16_t some_port() {
  std::array<std::uint8_t, 4> bytes{};
  base::fill_random(bytes);
  unsigned number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return static_cast<std::uint16_t>(kPortMin + number % (kPortMax - kPortMin));
}

bool comes_up(const std::string& directory) {
  const std::string ended = directory + "/ended";
  for (int waited = 0; waited < kWaitMs && !base::file_exists(ended); waited += kLookMs) {
    if (base::file_exists(directory + "/ready")) return true;
    ::usleep(kLookMs * 1000);
  }
  return false;
}

}  // namespace

bool have_radosgw() {
  const std::vector<std::string> programs{"radosgw",  "radosgw-admin", "ceph",       "ceph-mon",
                                          "ceph-osd", "ceph-authtool", "monmaptool", "setpriv",
                                          "python3",  "curl"};
  return std::all_of(programs.begin(), programs.end(), have_command);
}

const Radosgw* Radosgw::find() {
  static std::unique_ptr<Running> running;
  static Radosgw server;
  for (int i = 0; i < kTriesMax && server.port_ == 0; ++i) {
    auto directory = base::TemporaryDirectory::create("radosgw");
    if (!directory.ok()) break;
    const std::uint16_t port = some_port();
    running = std::make_unique<Running>(Running{std::move(*directory), nullptr});
    running->process = std::make_unique<Process>(running->directory.path(), port);
    if (comes_up(running->directory.path())) server.port_ = port;
  }
  if (server.port_ != 0) return &server;
  ADD_FAILURE() << "radosgw does not come up";
  return nullptr;
}

std::string Radosgw::url() const { return "http://127.0.0.1:" + std::to_string(port_); }

void Radosgw::must_put(const std::string& path, const std::string& body,
                       const std::vector<std::string>& headers) const {
  std::vector<std::string> arguments{"s3-put", url(),    access_key(), secret_key(),
                                     path,     "--body", body};
  arguments.insert(arguments.end(), headers.begin(), headers.end());
  const auto end = base::run_child(source_root() + "/tests/s3-put", arguments);
  ASSERT_TRUE(end.ok()) << end.error().what;
  EXPECT_TRUE(end->ok()) << path << ": " << end->describe() << end->output;
}

}  // namespace testing_support
