#include "client/state.h"
#include "client/syscalls_amd64.h"

// Annotations live in fixed slots of the shared page: the handler reads them whatever has become
// of the heap. Writers take no lock, since they may interrupt each other in signal handlers:
// a slot is named once, by whoever moves its state from empty to being named, and its value is
// guarded by a sequence that is odd during a write.
namespace client {
namespace {

enum SlotUse : std::uint32_t { kEmpty = 0, kNaming = 1, kNamed = 2 };

std::size_t length_of(const char* text, std::size_t most) {
  std::size_t size = 0;
  while (size < most && text[size] != '\0') ++size;
  return size;
}

bool same_text(const char* a, const char* b, std::size_t most) {
  for (std::size_t i = 0; i < most; ++i) {
    if (a[i] != b[i]) return false;
    if (a[i] == '\0') return true;
  }
  return true;
}

WireAnnotation* find_slot(WirePage& page, const char* key) {
  for (WireAnnotation& slot : page.annotations) {
    if (slot.state.load(std::memory_order_acquire) == kNamed && same_text(slot.key, key, kKeyMax)) {
      return &slot;
    }
  }
  return nullptr;
}

WireAnnotation* name_slot(WirePage& page, const char* key, std::size_t length) {
  for (WireAnnotation& slot : page.annotations) {
    std::uint32_t expected = kEmpty;
    if (!slot.state.compare_exchange_strong(expected, kNaming)) continue;
    sys::copy(slot.key, key, length);
    slot.key[length] = '\0';
    slot.state.store(kNamed, std::memory_order_release);
    return &slot;
  }
  return nullptr;
}

// The length up to which the text can be cut without splitting a UTF-8 sequence.
std::size_t cut_length(const char* text, std::size_t most) {
  std::size_t length = most;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;
  return length == 0 ? most : length;
}

bool write_value(WirePage& page, WireAnnotation& slot, const char* value, std::size_t length) {
  std::uint32_t sequence = slot.sequence.load(std::memory_order_relaxed);
  constexpr int kTries = 1000;
  int tries = 0;
  while ((sequence & 1) != 0 ||
         !slot.sequence.compare_exchange_weak(sequence, sequence + 1, std::memory_order_acquire)) {
    if (++tries == kTries) return false;
    sequence = slot.sequence.load(std::memory_order_relaxed);
  }
  slot.present.store(value != nullptr ? 1 : 0, std::memory_order_relaxed);
  if (value != nullptr) sys::copy(slot.value, value, length);
  slot.value[length] = '\0';
  slot.order.store(page.annotation_order.fetch_add(1) + 1, std::memory_order_relaxed);
  slot.sequence.store(sequence + 2, std::memory_order_release);
  return true;
}

}  // namespace
}  // namespace client

int faultline_set(const char* key, const char* value) {
  using namespace client;
  if (key == nullptr || key[0] == '\0') return -FAULTLINE_E_ARGUMENT;
  const std::size_t key_length = length_of(key, kKeyMax);
  if (key_length == kKeyMax) return -FAULTLINE_E_ARGUMENT;
  WirePage* const page = g_state.page.load(std::memory_order_acquire);
  if (page == nullptr) return -FAULTLINE_E_STATE;
  WireAnnotation* slot = find_slot(*page, key);
  if (slot == nullptr && value == nullptr) return 0;
  if (slot == nullptr) slot = name_slot(*page, key, key_length);
  if (slot == nullptr) return -FAULTLINE_E_FULL;
  std::size_t length = value != nullptr ? length_of(value, kValueMax) : 0;
  const bool cut = length == kValueMax;
  if (cut) length = cut_length(value, kValueMax - 1);
  if (!write_value(*page, *slot, value, length)) return -FAULTLINE_E_BUSY;
  return cut ? FAULTLINE_CUT : 0;
}
