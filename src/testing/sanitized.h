// Whether a sanitizer watches: it wants memory and system calls of its own, and everything takes
// some ten times as long.
#pragma once

namespace testing_support {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

// How many random cases a property is tried on, of those that the plain build tries. The plain
// build looks for wrong answers; a sanitizer for wrong memory, which shows in far fewer.
constexpr unsigned rounds(unsigned plain) { return kSanitized ? (plain + 7) / 8 : plain; }

}  // namespace testing_support
