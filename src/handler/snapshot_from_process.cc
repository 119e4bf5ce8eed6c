#include "handler/snapshot_from_process.h"

#include <elf.h>
#include <sys/ucontext.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "base/clock.h"
#include "base/json.h"
#include "handler/modules_from_memory.h"
#include "handler/stack_capture.h"
#include "handler/system_info.h"

namespace handler {

namespace {

using snapshot::Registers;

constexpr std::uint32_t kRequestedCode = 0xFFFFFFFF;  // as Breakpad's writers mark it

Registers registers_of(const user_regs_struct& from) {
  Registers to;
  to.cpu = snapshot::Cpu::amd64;
  const std::pair<std::string_view, std::uint64_t> values[] = {
      {"rax", from.rax}, {"rdx", from.rdx},       {"rcx", from.rcx}, {"rbx", from.rbx},
      {"rsi", from.rsi}, {"rdi", from.rdi},       {"rbp", from.rbp}, {"rsp", from.rsp},
      {"r8", from.r8},   {"r9", from.r9},         {"r10", from.r10}, {"r11", from.r11},
      {"r12", from.r12}, {"r13", from.r13},       {"r14", from.r14}, {"r15", from.r15},
      {"rip", from.rip}, {"rflags", from.eflags}, {"cs", from.cs},   {"ss", from.ss},
      {"ds", from.ds},   {"es", from.es},         {"fs", from.fs},   {"gs", from.gs}};
  for (const auto& [name, value] : values) to.set(name, value);
  return to;
}

// The registers of the fault, as the kernel gave them to the signal handler.
Registers registers_of(const CrashRequest& request) {
  const auto& g = request.registers;
  const std::uint64_t segments = g[REG_CSGSFS];
  Registers to;
  to.cpu = snapshot::Cpu::amd64;
  const std::pair<std::string_view, std::uint64_t> values[] = {{"rax", g[REG_RAX]},
                                                               {"rdx", g[REG_RDX]},
                                                               {"rcx", g[REG_RCX]},
                                                               {"rbx", g[REG_RBX]},
                                                               {"rsi", g[REG_RSI]},
                                                               {"rdi", g[REG_RDI]},
                                                               {"rbp", g[REG_RBP]},
                                                               {"rsp", g[REG_RSP]},
                                                               {"r8", g[REG_R8]},
                                                               {"r9", g[REG_R9]},
                                                               {"r10", g[REG_R10]},
                                                               {"r11", g[REG_R11]},
                                                               {"r12", g[REG_R12]},
                                                               {"r13", g[REG_R13]},
                                                               {"r14", g[REG_R14]},
                                                               {"r15", g[REG_R15]},
                                                               {"rip", g[REG_RIP]},
                                                               {"rflags", g[REG_EFL]},
                                                               {"cs", segments & 0xffff},
                                                               {"gs", segments >> 16 & 0xffff},
                                                               {"fs", segments >> 32 & 0xffff},
                                                               {"ss", segments >> 48}};
  for (const auto& [name, value] : values) to.set(name, value);
  return to;
}

// si_addr counts only when the kernel raised the signal: in one that was sent, the same bytes
// are the sender.
snapshot::Exception exception_of(const CrashRequest& request, pid_t thread) {
  snapshot::Exception exception;
  exception.thread_id = static_cast<std::uint32_t>(thread);
  exception.registers = registers_of(request);
  if (request.kind == client::CrashKind::requested) {
    exception.code = kRequestedCode;
    exception.address = exception.registers->instruction_pointer();
    return exception;
  }
  siginfo_t info;
  std::memcpy(&info, request.info.data(), sizeof info);
  exception.code = static_cast<std::uint32_t>(request.signal_number);
  exception.flags = static_cast<std::uint32_t>(info.si_code);
  const auto address_in = [](const void* p) { return reinterpret_cast<std::uintptr_t>(p); };
  if (info.si_code <= 0) {
    exception.parameters = {static_cast<std::uint64_t>(info.si_pid),
                            static_cast<std::uint64_t>(info.si_uid)};
  } else if (request.signal_number == SIGSYS) {
    exception.address = address_in(info.si_call_addr);
    exception.parameters = {static_cast<std::uint64_t>(info.si_syscall), info.si_arch};
  } else {
    exception.address = address_in(info.si_addr);
  }
  return exception;
}

class Capture {
 public:
  explicit Capture(const CaptureInput& input)
      : input_(input),
        memory_(input.pid),
        arena_(std::make_shared<Arena>()),
        crashed_(crashed_thread(input.pid, input.process, input.request)),
        notes_(input.process.notes()) {}

  snapshot::Crash take() {
    add_process();
    crash_.exception = exception_of(input_.request, crashed_);
    crash_.exception->float_state = arena_->keep(input_.request.floats);
    add_threads();
    add_stacks();
    crash_.modules = modules_from_memory(maps_, auxv_, memory_);
    add_surroundings();
    copy_extra();
    add_annotations();
    crash_.owner = std::move(arena_);
    return std::move(crash_);
  }

 private:
  void add_process();
  void add_threads();
  void add_stacks();
  void add_stack(snapshot::Thread& thread, std::uint64_t limit);
  void add_surroundings();
  void copy_extra();
  void add_annotations();

  const CaptureInput& input_;
  ProcessMemory memory_;
  std::shared_ptr<Arena> arena_;
  pid_t crashed_;
  std::vector<std::string> notes_;
  std::vector<Mapping> maps_;
  AuxiliaryVector auxv_;
  ProcessStat stat_;
  std::vector<Range> taken_;  // stacks
  std::vector<Range> extra_;  // what else is wanted
  snapshot::Crash crash_;
};

void Capture::add_process() {
  crash_.system = read_system_info();
  crash_.time_stamp = static_cast<std::uint32_t>(base::now().us / 1'000'000);
  crash_.has_misc_info = true;
  crash_.process_id = static_cast<std::uint32_t>(input_.pid);
  stat_ = parse_stat(read_proc(input_.pid, "stat"));
  crash_.process_create_time = start_time_of(stat_);
  read_linux_texts(crash_, input_.pid, input_.settings);
  maps_ = parse_maps(crash_.linux_maps.value_or(""));
  auxv_ = parse_auxv(crash_.linux_auxv.value_or(""));
  if (maps_.empty()) notes_.push_back("/proc/PID/maps could not be read");
  for (const Mapping& mapping : maps_) {
    snapshot::MemoryInfo info;
    info.base = {mapping.begin};
    info.size = mapping.end - mapping.begin;
    info.readable = mapping.readable;
    info.writable = mapping.writable;
    info.executable = mapping.executable;
    info.file = mapping.path;
    crash_.memory_info.push_back(std::move(info));
  }
}

void Capture::add_threads() {
  for (const StoppedThread& from : input_.process.threads()) {
    snapshot::Thread thread;
    thread.id = static_cast<std::uint32_t>(from.id);
    if (!from.name.empty()) thread.name = from.name;
    if (from.registers) thread.registers = registers_of(*from.registers);
    if (from.floats) {
      const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&*from.floats);
      thread.float_state = arena_->keep({bytes, sizeof *from.floats});
    }
    // By now the crashed thread is inside our signal handler; its own registers are those of the
    // fault, here as well as in the exception.
    if (from.id == crashed_) {
      thread.registers = crash_.exception->registers;
      thread.float_state = crash_.exception->float_state;
    }
    crash_.threads.push_back(std::move(thread));
  }
}

void Capture::add_stack(snapshot::Thread& thread, std::uint64_t limit) {
  if (!thread.registers) return;
  const auto stack = find_stack(maps_, thread.registers->stack_pointer(), stat_.arg_start);
  if (!stack) return;
  Range near = *stack;
  if (near.size() > limit) {
    const std::uint64_t base_part = limit > 2 * kStackBasePart ? kStackBasePart : 0;
    near.end = near.begin + limit - base_part;
    if (base_part != 0) extra_.push_back({stack->end - base_part, stack->end});
  }
  thread.stack = arena_->copy(memory_, near);
  if (thread.stack.bytes.empty()) {
    notes_.push_back("the stack of thread " + std::to_string(thread.id) + " could not be read");
    return;
  }
  taken_.push_back({near.begin, near.begin + thread.stack.bytes.size()});
}

// The crashed thread first: when the budget is short, others shrink.
void Capture::add_stacks() {
  const std::uint64_t budget = input_.settings.max_dump_bytes / 2;
  const auto is_crashed = [this](const snapshot::Thread& thread) {
    return thread.id == static_cast<std::uint32_t>(crashed_);
  };
  for (snapshot::Thread& thread : crash_.threads) {
    if (is_crashed(thread)) add_stack(thread, std::min(kStackMax, budget));
  }
  const std::uint64_t left = budget - std::min(budget, arena_->size());
  const std::uint64_t limit = stack_limit(left, crash_.threads.size());
  for (snapshot::Thread& thread : crash_.threads) {
    if (is_crashed(thread)) continue;
    if (arena_->size() + kStackLeast > budget) {
      notes_.push_back("the size limit of the dump left no room for some stacks");
      break;
    }
    add_stack(thread, limit);
  }
}

void Capture::add_surroundings() {
  const Registers& registers = *crash_.exception->registers;
  if (const auto code = find_surroundings(maps_, registers.instruction_pointer(), kCodeAround)) {
    extra_.push_back(*code);
  }
  const auto& names = snapshot::register_names(registers.cpu);
  for (std::size_t i = 0; i < names.printed; ++i) {
    if (i == names.instruction_pointer || !registers.valid[i]) continue;
    if (const auto data = find_surroundings(maps_, registers.values[i], kDataAround)) {
      extra_.push_back(*data);
    }
  }
}

void Capture::copy_extra() {
  for (const Range& range : join_ranges(std::move(extra_), taken_)) {
    auto region = arena_->copy(memory_, range);
    if (!region.bytes.empty()) crash_.memory.push_back(region);
  }
}

void Capture::add_annotations() {
  crash_.crashpad_report_id = input_.report_id;
  crash_.annotations = input_.annotations;
  if (notes_.empty()) return;
  base::JsonWriter json;
  json.begin_array();
  for (const std::string& note : notes_) json.string(note);
  json.end_array();
  crash_.soft_errors = json.take();
}

}  // namespace

pid_t crashed_thread(pid_t pid, const StoppedProcess& process, const CrashRequest& request) {
  if (request.pid == pid) return request.tid;
  // The process lives in a namespace of its own: its numbers are not ours.
  for (const StoppedThread& thread : process.threads()) {
    const std::string task = "task/" + std::to_string(thread.id) + "/status";
    if (innermost_pid(read_proc(pid, task)) == request.tid) return thread.id;
  }
  return request.tid;
}

snapshot::Crash snapshot_from_process(const CaptureInput& input) { return Capture(input).take(); }

}  // namespace handler
