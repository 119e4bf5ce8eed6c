#include "supply/supplied.h"

#include <unistd.h>

#include <cerrno>

namespace supply {

bool Found::read_content() {
  if (!fd_) return false;
  std::string content(static_cast<std::size_t>(file_->size), '\0');
  ssize_t n = -1;
  do {
    n = ::pread(fd_->get(), content.data(), content.size(), static_cast<off_t>(file_->offset));
  } while (n < 0 && errno == EINTR);
  if (n < 0 || static_cast<std::size_t>(n) != content.size()) return false;
  content_ = std::make_shared<const std::string>(std::move(content));
  return true;
}

}  // namespace supply
