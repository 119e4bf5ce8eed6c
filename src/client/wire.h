// What the crashing program and its handler share: the memory page and the datagrams.
// Not a public interface: both sides are built together and check kWireVersion.
// The page is a memfd, mapped by both; the client writes it also in a signal handler, so every
// field is fixed in place, and the handler believes none of them: it copies and checks.
// Layout and conversation: docs/protocols/client-monitor.md
#pragma once

#include <atomic>
#include <cstdint>

namespace client {

constexpr std::uint32_t kWireMagic = 0x314c4643;  // "CFL1"
constexpr std::uint32_t kWireVersion = 1;

// File descriptors that the handler finds open when it starts.
constexpr int kHandlerSocketFd = 3;
constexpr int kHandlerMemoryFd = 4;

constexpr std::size_t kPathMax = 1024;
constexpr std::size_t kTextMax = 256;
constexpr std::size_t kEnvironmentMax = 4096;
constexpr std::size_t kKeyMax = 64;      // with the closing zero
constexpr std::size_t kValueMax = 1024;  // with the closing zero
constexpr std::size_t kAnnotationsMax = 64;
constexpr std::size_t kCrashSlots = 4;  // the client and forked children may crash together

struct WireConfig {
  std::uint32_t flags;  // FAULTLINE_KEEP_STDERR…
  std::uint32_t deadline_ms;
  std::uint64_t max_dump_bytes;
  std::int64_t start_time_s;  // when faultline_init() ran, seconds since 1970
  char spool[kPathMax];       // absolute
  char url[kPathMax];
  char product[kTextMax], version[kTextMax], build[kTextMax], channel[kTextMax];
};

// A slot is empty (0), being named (1), or in use (2). The sequence is odd while the value is
// being written. Of two slots with one key the higher order counts.
struct WireAnnotation {
  std::atomic<std::uint32_t> state;
  std::atomic<std::uint32_t> sequence;
  std::atomic<std::uint64_t> order;
  char key[kKeyMax];
  char value[kValueMax];
  std::atomic<std::uint32_t> present;  // 0: removed
  std::uint32_t reserved;
};

enum class SlotState : std::uint32_t {
  free = 0,
  claimed,  // the client fills it
  sent,     // the datagram is out
  taken,    // the handler has it and works
  done,     // the dump is in the spool
  failed,   // it could not be written
};

enum class CrashKind : std::uint32_t { crash = 1, requested = 2 };

// General registers in the order of <sys/ucontext.h>: R8 … R15, RDI, RSI, RBP, RBX, RDX, RAX,
// RCX, RSP, RIP, EFL, CSGSFS, ERR, TRAPNO, OLDMASK, CR2.
constexpr std::size_t kGeneralRegisters = 23;

struct WireCrash {
  std::atomic<std::uint32_t> state;     // SlotState; a futex
  std::atomic<std::uint32_t> progress;  // the handler counts up while it works
  CrashKind kind;
  std::int32_t pid, tid;  // as the client sees itself; the handler asks the kernel
  std::int32_t signal_number;
  std::uint32_t has_floats;
  std::uint32_t reserved;
  std::uint8_t info[128];  // siginfo_t
  std::uint64_t registers[kGeneralRegisters];
  std::uint8_t floats[512];  // FXSAVE
  char note[kTextMax];
};

struct WirePage {
  std::uint32_t magic;
  std::uint32_t version;
  std::uint32_t size;  // sizeof(WirePage)
  std::uint32_t reserved;
  std::atomic<std::uint64_t> annotation_order;
  WireConfig config;
  WireCrash crashes[kCrashSlots];
  WireAnnotation annotations[kAnnotationsMax];
  char environment[kEnvironmentMax];  // NAME=VALUE\0… for the handler; ends with an empty one
};

static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

enum class MessageType : std::uint32_t {
  none = 0,
  ready = 1,  // handler → client, once: value = 0 or a FAULTLINE_E_…
  crash,      // client → handler: value = the slot
  goodbye,    // client → handler: an orderly end
};

struct Message {
  std::uint32_t magic;
  MessageType type;
  std::uint32_t value;
  std::int32_t pid;  // ready: the handler's own
};

// How a handler is started for one crash, when the one that waited is gone:
//   faultline-handler --at-crash PAGE SLOT
// It reads the page at address PAGE (hexadecimal) in its parent's memory.
constexpr const char* kAtCrashOption = "--at-crash";

}  // namespace client
