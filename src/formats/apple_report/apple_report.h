// A crash report in Apple's text form: its head, its threads, the registers and the images.
//   Thread 1 Crashed:
//   0   libsystem_kernel.dylib   0x00007fff61bc85be 0x7fff61bc6000 + 9662
//   Binary Images:
//      0x10864e000 -  0x10ef0ffff +Game (0) <2D903291-397D-3D14-BFCA-52C7FB8C5E00> /Apps/Game
// Not a symbolicator: names that the report has already are left aside.
// Views point into the text, which the caller keeps alive. Pure function; any thread.
// Lines that are none of these are passed over: there are many writers. parse() fails with
// malformed when nothing was found, or too_large.
// Format: docs/formats/apple-report.md
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace apple_report {

constexpr std::size_t kThreadsMax = 100'000;
constexpr std::size_t kFramesMax = 1'000'000;
constexpr std::size_t kImagesMax = 100'000;

struct Frame {
  std::uint64_t address = 0;
  std::string_view module;  // base name; "" when the report does not know
};

struct Thread {
  std::uint64_t number = 0;
  std::string_view name;  // "" when it has none
  bool is_crashed = false;
  std::vector<Frame> frames;  // the innermost first
  std::vector<std::pair<std::string_view, std::uint64_t>> registers;
};

struct Image {
  std::uint64_t begin = 0, end = 0;  // the last address, as reports have it
  std::string uuid;                  // 32 hex digits in lower case
  std::string_view arch;             // "" when not said
  std::string_view path;             // or the name, where there is none
};

struct Report {
  std::map<std::string_view, std::string_view> head;  // "OS Version" → "Mac OS X 10.14 (18A391)"
  std::optional<std::int64_t> time;                   // of "Date/Time", seconds since 1970
  std::string application_information;                // lines; "" for none
  std::vector<Thread> threads;
  std::vector<Image> images;
};

base::Result<Report> parse(std::string_view text);

}  // namespace apple_report
