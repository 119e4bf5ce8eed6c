// libarchive as this room sees it, for its .cc files only: the headers under a name that does not
// collide with ours, the handle with an owner, and the locale that names need.
// Not for other rooms: zip.h and archive_reader.h are the faces.
#pragma once

// libarchive calls its handle `struct archive`, which is the name of our namespace.
#define archive libarchive_handle
#include <archive.h>
#include <archive_entry.h>
#undef archive
#include <locale.h>

#include <memory>

namespace archive {

struct FreeHandle {
  void operator()(struct ::libarchive_handle* handle) const { ::archive_read_free(handle); }
};
using Handle = std::unique_ptr<struct ::libarchive_handle, FreeHandle>;

// libarchive turns names that are marked as UTF-8 into the thread's locale, and drops them when
// that is the "C" in which a server runs. While this lives the thread speaks UTF-8.
class Utf8Locale {
 public:
  Utf8Locale() : before_(utf8() == nullptr ? nullptr : ::uselocale(utf8())) {}
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;
  ~Utf8Locale() {
    if (before_ != nullptr) ::uselocale(before_);
  }

 private:
  // Kept: to make one is to map a file, and a name is read for each member.
  static locale_t utf8() {
    static const locale_t made = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return made;
  }

  locale_t before_;
};

}  // namespace archive
