// A zip put together by hand, with good checksums and whatever else a test or a fuzzer wants to
// be wrong: names, modes, sizes that lie. Written independently of our readers.
// One thread. Cannot fail.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace testing_support {

inline std::uint32_t crc32_of(std::string_view text) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
  }
  return ~crc;
}

class StoredZip {
 public:
  static constexpr std::uint32_t kFile = 0100644;
  static constexpr std::uint32_t kLink = 0120777;

  StoredZip& add(std::string_view name, std::string_view content, std::uint32_t mode = kFile) {
    return add(name, content, 0, content.size(), mode);
  }
  // `content` as it is stored: raw deflate is method 8. `size` as the headers say it.
  StoredZip& add(std::string_view name, std::string_view content, unsigned method,
                 std::uint64_t size, std::uint32_t mode, std::uint32_t crc) {
    const std::string facts = little(20, 2) + little(0x0800, 2) + little(method, 2) + little(0, 4) +
                              little(crc, 4) + little(content.size(), 4) + little(size, 4) +
                              little(name.size(), 2) + little(0, 2);
    constexpr unsigned kMadeOnUnix = 20 | 3 << 8;
    directory_ += std::string("PK\1\2") + little(kMadeOnUnix, 2) + facts + little(0, 6) +
                  little(std::uint64_t{mode} << 16, 4) + little(zip_.size(), 4);
    directory_ += name;
    zip_ += std::string("PK\3\4") + facts;
    zip_.append(name).append(content);
    ++count_;
    return *this;
  }
  StoredZip& add(std::string_view name, std::string_view content, unsigned method,
                 std::uint64_t size, std::uint32_t mode = kFile) {
    return add(name, content, method, size, mode, crc32_of(content));
  }
  // The count in the end record is of 16 bits; readers go by the entries.
  std::string finish() const {
    return zip_ + directory_ + "PK\5\6" + little(0, 4) + little(count_ & 0xffff, 2) +
           little(count_ & 0xffff, 2) + little(directory_.size(), 4) + little(zip_.size(), 4) +
           little(0, 2);
  }

 private:
  static std::string little(std::uint64_t value, unsigned bytes) {
    std::string text;
    for (unsigned i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i & 0xff);
    return text;
  }
  std::string zip_, directory_;
  std::uint64_t count_ = 0;
};

}  // namespace testing_support
