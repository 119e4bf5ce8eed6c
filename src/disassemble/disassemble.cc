#include "disassemble/disassemble.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "disassemble/words.h"

namespace disassemble {
namespace {

using base::Error;
using base::Fault;
using base::Result;

struct Mode {
  cs_arch arch;
  int mode;
  unsigned alignment;
  const char* why_not;  // of bytes that are no instruction
};

Mode mode_of(Cpu cpu) {
  switch (cpu) {
    case Cpu::x86:
      return {CS_ARCH_X86, CS_MODE_32, 1, "invalid opcode"};
    case Cpu::x86_64:
      return {CS_ARCH_X86, CS_MODE_64, 1, "invalid opcode"};
    case Cpu::arm:
      return {CS_ARCH_ARM, CS_MODE_ARM, 4, "undefined encoding"};
    case Cpu::thumb:
      return {CS_ARCH_ARM, CS_MODE_THUMB | CS_MODE_V8, 2, "undefined encoding"};
    case Cpu::arm64:
      break;
  }
  return {CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, 4, "undefined encoding"};
}

// An engine of the library with room for one instruction.
class Engine {
 public:
  static Result<Engine> open(Cpu cpu) {
    // When the library decodes its first x86 instruction it sorts a table for all, without a lock.
    static std::once_flag sorted;
    std::call_once(sorted, [] {
      auto first = open_unsorted(Cpu::x86);
      constexpr std::array<std::uint8_t, 1> kNop{0x90};
      if (first.ok()) (void)first->decode(kNop, 0);
    });
    return open_unsorted(cpu);
  }
  Engine(Engine&& other) noexcept
      : mode_(other.mode_),
        handle_(std::exchange(other.handle_, 0)),
        instruction_(std::exchange(other.instruction_, nullptr)) {}
  Engine& operator=(Engine&&) = delete;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine() {
    if (instruction_ != nullptr) cs_free(instruction_, 1);
    if (handle_ != 0) cs_close(&handle_);
  }

  const Mode& mode() const { return mode_; }

  // The size of the instruction at the head of `code`; 0 when there is none.
  std::size_t decode(base::Bytes code, std::uint64_t address) {
    const std::uint8_t* at = code.data();
    std::size_t left = code.size();
    if (!cs_disasm_iter(handle_, &at, &left, &address, instruction_)) return 0;
    return code.size() - left;
  }

  // REQUIRES: decode() has just found one.
  Words words() const {
    switch (mode_.arch) {
      case CS_ARCH_X86:
        return x86_words(handle_, *instruction_);
      case CS_ARCH_ARM64:
        return arm64_words(*instruction_);
      default:
        return arm_words(*instruction_);
    }
  }

 private:
  explicit Engine(Cpu cpu) : mode_(mode_of(cpu)) {}
  static Result<Engine> open_unsorted(Cpu cpu) {
    Engine engine(cpu);
    const auto mode = static_cast<cs_mode>(engine.mode_.mode);
    if (cs_open(engine.mode_.arch, mode, &engine.handle_) != CS_ERR_OK) {
      return Error{Fault::internal, "Capstone does not know this architecture"};
    }
    cs_option(engine.handle_, CS_OPT_DETAIL, CS_OPT_ON);
    engine.instruction_ = cs_malloc(engine.handle_);
    if (engine.instruction_ == nullptr) return Error{Fault::internal, "Capstone has no memory"};
    return engine;
  }

  Mode mode_;
  csh handle_ = 0;
  cs_insn* instruction_ = nullptr;
};

// Whether it would be an instruction if only the bytes went on.
bool is_cut(Engine& engine, base::Bytes rest, std::uint64_t address) {
  if (rest.size() >= kInstructionSizeMax) return false;
  if (rest.size() < engine.mode().alignment) return true;
  std::array<std::uint8_t, 2 * kInstructionSizeMax> longer{};
  std::copy(rest.begin(), rest.end(), longer.begin());
  return engine.decode(longer, address) > rest.size();
}

std::optional<Words> find_newer(Cpu cpu, base::Bytes rest) {
  if (cpu != Cpu::arm64 || rest.size() < 4) return std::nullopt;
  return newer_arm64_words(base::Reader(rest).u32());
}

// The library lacks one instruction of AVX2, vbroadcasti128; vbroadcastf128 differs from it in one
// byte and in nothing else that is said.
std::size_t decode_as_sibling(Engine& engine, base::Bytes rest, std::uint64_t address) {
  constexpr std::size_t kOpcodeAt = 3;
  constexpr std::uint8_t kWanted = 0x5a;
  constexpr std::uint8_t kSibling = 0x1a;
  if (engine.mode().arch != CS_ARCH_X86 || rest.size() <= kOpcodeAt) return 0;
  if (rest[0] != 0xc4 || (rest[1] & 0x1f) != 2 || rest[kOpcodeAt] != kWanted) return 0;
  std::array<std::uint8_t, kInstructionSizeMax> bytes{};
  const std::size_t size = std::min<std::size_t>(rest.size(), bytes.size());
  std::copy_n(rest.begin(), size, bytes.begin());
  bytes[kOpcodeAt] = kSibling;
  return engine.decode(base::Bytes(bytes).first(size), address);
}

void rename_sibling(std::string& text) {
  constexpr std::string_view kName = "vbroadcastf128";
  const auto at = text.find(kName);
  if (at != std::string::npos) text.replace(at, kName.size(), "vbroadcasti128");
}

// ".byte 0xff   # Invalid instruction FF: invalid opcode"
std::string invalid_text(base::Bytes bytes, const Mode& mode) {
  constexpr std::size_t kColumns = 6;  // of each byte
  std::string list;
  std::string digits;
  for (const std::uint8_t byte : bytes) {
    if (!list.empty()) list += ", ";
    append_hex(list, byte);
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    if (!digits.empty()) digits += ' ';
    digits += kDigits[byte >> 4];
    digits += kDigits[byte & 15];
  }
  list.resize(std::max(list.size(), mode.alignment * kColumns), ' ');
  std::string text = ".byte ";
  text.append(list).append(" # Invalid instruction ").append(digits);
  return text.append(": ").append(mode.why_not);
}

}  // namespace

unsigned alignment_of(Cpu cpu) { return mode_of(cpu).alignment; }

Result<Listing> disassemble(Cpu cpu, base::Bytes code, base::Rva start, std::uint64_t size) {
  Engine engine = TRY(Engine::open(cpu));
  Listing listing;
  const std::uint64_t end = std::min<std::uint64_t>(size, code.size());
  while (listing.size < end) {
    const base::Bytes rest = code.subspan(static_cast<std::size_t>(listing.size));
    const std::uint64_t address = start.value + listing.size;
    Instruction instruction;
    instruction.offset = listing.size;
    std::size_t length = engine.decode(rest, address);
    const bool is_sibling = length == 0;
    if (is_sibling) length = decode_as_sibling(engine, rest, address);
    if (length != 0) {
      Words words = engine.words();
      if (is_sibling) {
        rename_sibling(words.text);
        rename_sibling(words.c_text);
      }
      instruction.text = std::move(words.text);
      instruction.c_text = std::move(words.c_text);
      instruction.target = words.target;
    } else if (auto words = find_newer(cpu, rest)) {
      length = 4;
      instruction.text = std::move(words->text);
    } else if (is_cut(engine, rest, address)) {
      break;
    } else {
      length = std::min<std::size_t>(rest.size(), engine.mode().alignment);
      instruction.text = invalid_text(rest.first(length), engine.mode());
      if (engine.mode().arch == CS_ARCH_X86) instruction.c_text = instruction.text;
    }
    listing.size += length;
    listing.instructions.push_back(std::move(instruction));
  }
  return listing;
}

}  // namespace disassemble
