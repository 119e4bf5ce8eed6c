#include "handler/monitor.h"

#include <faultline/client.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <memory>

#include "handler/process_memory.h"
#include "handler/report_writer.h"

namespace handler {

namespace {

using client::SlotState;

struct Received {
  client::Message message{};
  pid_t sender = 0;
};

// Nothing at the end of the conversation. A datagram of another kind has sender 0.
std::optional<Received> receive(int socket_fd) {
  Received received;
  iovec part{&received.message, sizeof received.message};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t size;
  do {
    size = ::recvmsg(socket_fd, &header, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size <= 0) return std::nullopt;
  if (size != sizeof received.message || received.message.magic != client::kWireMagic) {
    return Received{};
  }
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS) continue;
    received.sender = reinterpret_cast<const ucred*>(CMSG_DATA(c))->pid;
  }
  return received;
}

void wake(std::atomic<std::uint32_t>& state) {
  ::syscall(SYS_futex, &state, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void set_state(client::WireCrash& crash, SlotState state) {
  crash.state.store(static_cast<std::uint32_t>(state));
  wake(crash.state);
}

// The client gives up after a while: what it took back is not ours to touch.
bool take(client::WireCrash& crash) {
  auto expected = static_cast<std::uint32_t>(SlotState::sent);
  const bool taken =
      crash.state.compare_exchange_strong(expected, static_cast<std::uint32_t>(SlotState::taken));
  if (taken) wake(crash.state);
  return taken;
}

extern "C" const char __executable_start, etext;  // the linker's

// Before a long wait: free heap goes back, and so do the code and constants that were read to get
// here. They are in the page cache and come back with a fault when there is a crash.
void give_back_memory() {
  ::malloc_trim(0);
  const auto page = static_cast<std::uintptr_t>(::getpagesize());
  const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(&__executable_start) & ~(page - 1);
  const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(&etext) & ~(page - 1);
  ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

class Monitor {
 public:
  Monitor(int socket_fd, client::WirePage& page) : socket_fd_(socket_fd), page_(page) {}

  int run();

 private:
  // 0, or the reason in the client's numbers.
  int prepare();
  void say_ready(int reason) const;
  void serve(std::uint32_t slot, pid_t sender);

  int socket_fd_;
  client::WirePage& page_;
  Settings settings_;
  std::optional<Spool> spool_;
};

int Monitor::prepare() {
  auto settings = settings_of(page_);
  if (!settings) {
    complain(settings.error().what);
    return FAULTLINE_E_HANDLER;
  }
  settings_ = std::move(settings).value();
  auto spool = Spool::open(settings_.spool);
  if (!spool) {
    complain(spool.error().what);
    return FAULTLINE_E_SPOOL;
  }
  spool_ = std::move(spool).value();
  return 0;
}

void Monitor::say_ready(int reason) const {
  const client::Message message{client::kWireMagic, client::MessageType::ready,
                                static_cast<std::uint32_t>(reason), ::getpid()};
  ::send(socket_fd_, &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Monitor::serve(std::uint32_t slot, pid_t sender) {
  if (slot >= client::kCrashSlots || sender <= 0) return;
  client::WireCrash& crash = page_.crashes[slot];
  if (!take(crash)) return;
  bool stored = false;
  const auto progress = [&crash, &stored](bool done) {
    crash.progress.fetch_add(1);
    if (!done) return;
    stored = true;
    set_state(crash, SlotState::done);
  };
  const auto written = write_report({sender, page_, crash, settings_, progress}, *spool_);
  if (!written) {
    complain(written.error().what);
    if (!stored) set_state(crash, SlotState::failed);
  }
  spool_->prune();
  if (stored) start_upload(settings_);
  give_back_memory();
}

int Monitor::run() {
  const int reason = prepare();
  say_ready(reason);
  if (reason != 0) return 1;
  // What an earlier run left behind.
  spool_->prune();
  if (!spool_->pending().empty()) start_upload(settings_);
  give_back_memory();
  while (const auto received = receive(socket_fd_)) {
    if (received->sender == 0) continue;
    if (received->message.type == client::MessageType::goodbye) break;
    if (received->message.type == client::MessageType::crash) {
      serve(received->message.value, received->sender);
    }
  }
  return 0;
}

}  // namespace

int run_monitor(int socket_fd, int memory_fd) {
  void* const mapping =
      ::mmap(nullptr, sizeof(client::WirePage), PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
  if (mapping == MAP_FAILED) {
    complain("cannot map the shared page; this program is started by libfaultline-client");
    return 2;
  }
  ::close(memory_fd);
  return Monitor(socket_fd, *static_cast<client::WirePage*>(mapping)).run();
}

int run_at_crash(std::uint64_t page_address, std::uint32_t slot) {
  const pid_t parent = ::getppid();
  const ProcessMemory memory(parent);
  const auto bytes = std::make_unique_for_overwrite<std::uint8_t[]>(sizeof(client::WirePage));
  const bool read = memory.read_all(page_address, {bytes.get(), sizeof(client::WirePage)});
  if (!read || slot >= client::kCrashSlots) {
    complain("cannot read the shared page in the crashed process");
    return 1;
  }
  const auto& page = *reinterpret_cast<const client::WirePage*>(bytes.get());
  const auto settings = settings_of(page);
  if (!settings) {
    complain(settings.error().what);
    return 1;
  }
  const auto spool = Spool::open(settings->spool);
  if (!spool) {
    complain(spool.error().what);
    return 1;
  }
  bool stored = false;
  const auto progress = [&stored](bool done) { stored = stored || done; };
  const auto written =
      write_report({parent, page, page.crashes[slot], *settings, progress}, *spool);
  if (!written) complain(written.error().what);
  if (stored) start_upload(*settings);
  return stored ? 0 : 1;
}

}  // namespace handler
