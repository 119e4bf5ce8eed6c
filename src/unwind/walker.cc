#include "unwind/walker.h"

#include "base/assert.h"
#include "base/pool.h"
#include "unwind/cpu.h"
#include "unwind/module_table.h"

namespace unwind {
namespace {

// No code lies in the first page; a return address there is the end of a stack, or garbage.
constexpr std::uint64_t kFirstCode = 4096;

// The stack block of a thread: its own, unless that does not hold the stack pointer and a
// block of the memory list does.
StackMemory choose_stack(const snapshot::Crash& crash, const snapshot::Thread& thread,
                         const snapshot::Registers& registers) {
  const snapshot::MemoryRegion& own = thread.stack;
  const base::Address sp{registers.stack_pointer()};
  const StackMemory memory(own.base, own.bytes, crash.endian);
  if (memory.holds(sp.value, 8)) return memory;
  if (const snapshot::MemoryRegion* other = crash.find_memory(sp, 1)) {
    return {other->base, other->bytes, crash.endian};
  }
  return memory;
}

// The parameter size that the caller of this frame must step over. STACK WIN knows better than
// FUNC, whose field is often 0.
std::uint32_t parameter_size_of(const Frame& frame, const symbols::Map& map, base::Rva rva) {
  if (!frame.has_symbol) return 0;
  if (!frame.symbol.is_public) {
    if (const auto win = map.find_stack_win(rva)) return win->parameter_size;
  }
  return frame.symbol.parameter_size;
}

bool is_end(const CpuRules& rules, const Callee& callee, const snapshot::Registers& caller,
            Trust caller_trust) {
  if (caller.instruction_pointer() < kFirstCode) return true;
  const std::uint64_t old_sp = callee.registers.stack_pointer();
  const std::uint64_t new_sp = caller.stack_pointer();
  if (new_sp > old_sp) return false;
  const bool allowed =
      rules.may_stand_still != nullptr && rules.may_stand_still(callee, caller, caller_trust);
  return new_sp < old_sp || !allowed;
}

// One stack being walked.
class Climb {
 public:
  Climb(Ground ground, const CpuRules* rules, std::uint32_t frames_max)
      : ground_(ground), rules_(rules), frames_max_(frames_max) {}

  Stack walk(const snapshot::Registers& context) {
    stack_.cpu = context.cpu;
    snapshot::Registers registers = context;
    Trust trust = Trust::context;
    base::Address instruction{context.instruction_pointer()};
    std::uint32_t inner_parameters = 0;
    for (;;) {
      if (!add_frame(registers, instruction, trust)) break;
      if (rules_ == nullptr || ground_.stack.empty()) break;
      const Callee callee{registers, instruction, trust, stack_.frames.back().module,
                          inner_parameters};
      Caller caller = find_caller(callee, trust);
      if (!caller || is_end(*rules_, callee, *caller, trust)) break;
      inner_parameters = parameter_size_;
      instruction = {caller->instruction_pointer() - rules_->return_adjust};
      registers = *caller;
    }
    return std::move(stack_);
  }

 private:
  bool add_frame(const snapshot::Registers& registers, base::Address instruction, Trust trust) {
    if (stack_.frames.size() >= frames_max_ || !spend(ground_.budget.frames, 1)) {
      stack_.truncated = true;
      return false;
    }
    Frame& frame = stack_.frames.emplace_back();
    frame.instruction = instruction;
    frame.trust = trust;
    stack_.save_registers(frame, registers);
    find_symbol(frame);
    return true;
  }

  void find_symbol(Frame& frame) {
    parameter_size_ = 0;
    frame.module = ground_.modules.find(frame.instruction);
    if (!frame.has_module()) {
      frame.unloaded = ground_.modules.find_unloaded(frame.instruction);
      return;
    }
    const symbols::Map* map = ground_.modules.find_map(frame.module);
    if (map == nullptr) return;
    const base::Rva rva = ground_.modules.rva_of(frame.module, frame.instruction);
    frame.has_symbol = map->find(rva, frame.symbol);
    parameter_size_ = parameter_size_of(frame, *map, rva);
  }

  Caller find_caller(const Callee& callee, Trust& trust) const {
    if (Caller caller = rules_->by_cfi(ground_, callee)) {
      trust = Trust::cfi;
      return caller;
    }
    if (Caller caller = rules_->by_frame_pointer(ground_, callee)) {
      trust = Trust::frame_pointer;
      return caller;
    }
    trust = Trust::scan;
    return rules_->by_scan(ground_, callee);
  }

  Ground ground_;
  const CpuRules* rules_;
  std::uint32_t frames_max_;
  Stack stack_;
  std::uint32_t parameter_size_ = 0;  // of the frame added last
};

}  // namespace

struct Walker::State {
  State(const snapshot::Crash& the_crash, SymbolSource& source, Limits the_limits)
      : crash(the_crash),
        limits(the_limits),
        table(the_crash, source),
        budget{limits.frames_total, limits.scanned_words_total, limits.cfi_steps_total},
        requesting(the_crash.requesting_thread()) {}

  const snapshot::Crash& crash;
  const Limits limits;
  ModuleTable table;
  Budget budget;
  const std::optional<std::size_t> requesting;
};

Walker::Walker(const snapshot::Crash& crash, SymbolSource& source, Limits limits)
    : state_(std::make_unique<State>(crash, source, limits)) {}

Walker::~Walker() = default;

Stack Walker::walk_thread(std::size_t thread_index) {
  State& s = *state_;
  ASSERT(thread_index < s.crash.threads.size());
  const snapshot::Thread& thread = s.crash.threads[thread_index];
  // The thread that wrote the dump was busy writing it.
  if (s.crash.dump_thread_id == thread.id) return {};
  const bool crashed = s.requesting == thread_index && s.crash.exception;
  const std::optional<snapshot::Registers>& context =
      crashed && s.crash.exception->registers ? s.crash.exception->registers : thread.registers;
  if (!context) return {};
  const Ground ground{s.crash, s.table, choose_stack(s.crash, thread, *context), s.budget};
  const CpuRules* rules = find_cpu_rules(context->cpu);
  return Climb(ground, rules, s.limits.frames_per_thread).walk(*context);
}

std::vector<ModuleSymbols> Walker::modules() const { return state_->table.modules(); }

Walk walk_all(const snapshot::Crash& crash, SymbolSource& source, unsigned thread_count,
              Limits limits) {
  Walker walker(crash, source, limits);
  Walk walk;
  walk.threads.resize(crash.threads.size());
  base::parallel_for(crash.threads.size(), thread_count,
                     [&](std::size_t i) { walk.threads[i] = walker.walk_thread(i); });
  walk.modules = walker.modules();
  return walk;
}

}  // namespace unwind
