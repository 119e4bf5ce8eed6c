// A file that was found for somebody: open, and with all that an answer about it needs.
// What is known of it is immutable and shared; the descriptor stays open while anybody holds it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"

namespace supply {

struct Supplied {
  std::shared_ptr<const base::Fd> fd;  // goes to Found, which may lose and find it again
  std::uint64_t offset = 0;            // where it begins in the file: one section of an ELF file
  std::uint64_t size = 0;
  std::string path;         // on our disk
  std::string content_tag;  // the same for the same bytes, without quotes
  std::string name;         // base name to show
  std::string format;       // as in the catalogue; "sym" and "index" when we made it
  base::Time modified;      // of the watched file or member; when it was first here; 0: neither
  // Of a member of a package.
  std::string archive;            // the watched package's path, the uploaded one's name
  std::string member;             // "/usr/bin/x"
  std::string ima_signature;      // in hex, when the package has one for it
  bool is_foreign = false;        // not in our store: it may be another file in a minute
  bool is_for_mapping = false;    // who uses it maps it by its path: no descriptor is kept
  bool depends_on_agent = false;  // another client is given another file for the same path
  // Not the file itself but where it is: asked for by a code id, clients want to be told the
  // module's debug file and debug id. Then there is no descriptor.
  std::string moved_to_name;
  std::string moved_to_id;

  bool is_moved() const { return !moved_to_id.empty(); }
};

// A file.ptr that stands for NAME/ID in a project.
struct Pointer {
  std::string text;
  std::string name;
  std::string id;
  std::string project;
  std::vector<std::string> lies_at;  // files of the project with this text, on this machine
};

// What somebody needs of a file that is remembered.
enum class Needs : std::uint8_t { descriptor, path };

// What is known about a request at this moment.
class Found {
 public:
  enum class State : std::uint8_t { unknown, working, here, missing };

  Found() = default;
  static Found working() { return Found(State::working); }
  static Found file(Supplied supplied) {
    Found found(State::here);
    found.fd_ = std::move(supplied.fd);
    found.file_ = std::make_shared<const Supplied>(std::move(supplied));
    return found;
  }
  static Found miss(base::Error error) {
    Found found(State::missing);
    found.miss_ = std::move(error);
    return found;
  }

  State state() const { return state_; }
  bool here() const { return state_ == State::here; }
  bool settled() const { return state_ == State::here || state_ == State::missing; }
  const std::shared_ptr<const Supplied>& file() const { return file_; }  // REQUIRES: here()
  // Null: moved, the content is in memory, or nobody needs it.
  const std::shared_ptr<const base::Fd>& fd() const { return fd_; }
  // The `size` bytes at `offset` of a small file that is remembered; null: read them from fd().
  const std::shared_ptr<const std::string>& content() const { return content_; }
  const base::Error& miss() const { return miss_; }  // REQUIRES: state() is missing

  // For a cache that closes files and opens them again, or keeps small ones in memory.
  // read_content() reads the whole; false, and nothing is changed, when that cannot be done.
  bool read_content();
  void drop_content() { content_ = nullptr; }
  std::shared_ptr<const base::Fd> take_fd() { return std::exchange(fd_, nullptr); }
  void give_fd(std::shared_ptr<const base::Fd> fd) { fd_ = std::move(fd); }

 private:
  explicit Found(State state) : state_(state) {}
  State state_ = State::unknown;
  std::shared_ptr<const Supplied> file_;
  std::shared_ptr<const base::Fd> fd_;
  std::shared_ptr<const std::string> content_;
  base::Error miss_;
};

}  // namespace supply
