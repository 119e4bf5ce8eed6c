// Scanning: how a walk goes on when nobody wrote down how.
//
// The problem. A frame's caller is found from call frame information, or from the chain of
// frame pointers. When the code has neither (a library without symbols, compiled without
// frame pointers), the return address is still on the stack: the call pushed it there. It is
// one word among others, and nothing marks it.
//
// The trick. Look at each word from the stack pointer upwards and take the first that could
// be the address after a call: the byte before it lies in a module; and if we have symbols of
// that module, some function or public symbol has a name there. What was pushed below it is
// the callee's business; the slot's end is where the caller's stack begins.
//
//        sp ->  +------------------+
//               | locals, spills   |   not plausible: data, null, heap
//               | 00007f12 8c0011a2|   in a module, but no name there: a vtable, a constant
//      slot ->  | 00005566 1234abcd|   in a module, named: the return address, we believe
//   new sp ->   +------------------+
//               | caller's frame   |
//
// What goes wrong. The stack is full of old return addresses, left by calls that have long
// returned and not overwritten since. The first plausible word may be such a ghost, and then
// the frame is an invention. Therefore: frames found here are marked `scan`, which readers
// should take with salt; the look is short (how far it goes depends on how much we trust
// where we start, see scan_limit); and symbols help by refusing more words, so that adding a
// symbol file can take frames away.
//
// How far. From a frame whose registers are right (the context, or a frame by CFI) the true
// return address may lie beyond big local arrays, and the look is worth 160 words. From a frame
// that was itself a guess, 40 words must do: otherwise errors breed. 4 × 40 is the widening that
// Breakpad settled on; the reference answers depend on both numbers.
//
// What others do. Breakpad also looks at the bytes before the address for a call
// instruction, on some CPUs, when the memory is in the dump; Symbolicator refuses words in
// code that CFI covers, since CFI would have found its caller. We do neither: the frames must
// equal rust-minidump's.
//
// Cost. A Firefox dump without symbols (129 threads, 2 249 frames) looks at some 20 000 words;
// nearly all fall out at the table of modules, a binary search. A hostile stack of nothing but
// plausible words costs no more, since each look ends at the first; a stack of nothing
// plausible is bounded by the words allowed per frame, and all looks together by
// Limits::scanned_words_total.
#include "unwind/scan.h"

namespace unwind {
namespace {

std::uint64_t scan_limit(const Callee& callee, const ScanRules& rules) {
  const bool trusted = callee.trust == Trust::context || callee.trust == Trust::cfi;
  return trusted ? rules.words_far : rules.words_near;
}

}  // namespace

std::optional<ReturnSlot> find_return_slot(const Ground& ground, const Callee& callee,
                                           std::uint64_t start, const ScanRules& rules) {
  const std::uint64_t limit = scan_limit(callee, rules);
  if (!spend(ground.budget.scan_words, limit)) return std::nullopt;
  for (std::uint64_t i = 0; i < limit; ++i) {
    const auto address = base::checked_add(start, i * rules.word);
    if (!address) return std::nullopt;
    const auto value = ground.stack.find_word(*address, rules.word);
    if (!value) return std::nullopt;
    if (!rules.plausible(*value) || !ground.modules.may_be_code({*value - 1})) continue;
    return ReturnSlot{*address, *value, i};
  }
  return std::nullopt;
}

}  // namespace unwind
