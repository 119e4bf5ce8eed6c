// Debian and RPM packages put together by hand, as dpkg-deb and rpm lay them out: for tests of what
// reads them. Written independently of our readers.
// Pure functions; they cannot fail.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace testing_support {

using PackedFiles = std::vector<std::pair<std::string, std::string>>;  // name, content

// An ar archive of three members; the tar archives are gzipped already.
inline std::string deb_of(const std::string& control_tar_gz, const std::string& data_tar_gz) {
  const auto member = [](const std::string& name, const std::string& content) {
    char head[61];
    std::snprintf(head, sizeof head, "%-16s%-12d%-6d%-6d%-8s%-10zu`\n", name.c_str(), 0, 0, 0,
                  "100644", content.size());
    return head + content + (content.size() % 2 == 1 ? "\n" : "");
  };
  return "!<arch>\n" + member("debian-binary", "2.0\n") + member("control.tar.gz", control_tar_gz) +
         member("data.tar.gz", data_tar_gz);
}

// The "newc" form, which rpm carries.
inline std::string cpio_of(const PackedFiles& files) {
  const auto padded = [](std::string text) {
    text.resize((text.size() + 3) / 4 * 4, '\0');
    return text;
  };
  const auto entry = [&](const std::string& name, const std::string& content, unsigned mode) {
    char head[111];
    std::snprintf(head, sizeof head, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x",
                  1, mode, 0, 0, 1, 0, content.size(), 0, 0, 0, 0, name.size() + 1, 0);
    return padded(head + name + '\0') + padded(content);
  };
  std::string cpio;
  for (const auto& [name, content] : files) cpio += entry("./" + name, content, 0100644);
  return cpio + entry("TRAILER!!!", "", 0);
}

// A lead, a signature and a header with one tag each (rpm ends the signature at 8 bytes), payload.
inline std::string rpm_of(const std::string& cpio_gz) {
  const auto big = [](std::uint32_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xff);
    return text;
  };
  const auto header = [&](std::uint32_t tag, const std::string& text) {
    constexpr std::uint32_t kString = 6;
    return "\x8e\xad\xe8\x01" + big(0) + big(1) + big(static_cast<std::uint32_t>(text.size())) +
           big(tag) + big(kString) + big(0) + big(1) + text;
  };
  std::string lead("\xed\xab\xee\xdb\x03\x00\x00\x00\x00\x01", 10);
  lead += "lamp-1.0-1";
  lead.resize(76, '\0');
  lead += std::string("\x00\x01\x00\x05", 4);
  lead.resize(96, '\0');
  constexpr std::uint32_t kSha1 = 269, kName = 1000;
  return lead + header(kSha1, std::string(40, '0') + std::string(8, '\0')) +
         header(kName, std::string("lamp\0", 5)) + cpio_gz;
}

}  // namespace testing_support
