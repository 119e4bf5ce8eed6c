#include "formats/apple_report/apple_report.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>

#include "base/text.h"

namespace apple_report {
namespace {

using base::Error;
using base::Fault;
using base::Result;

constexpr std::size_t kHeadMax = 1000;  // lines
constexpr std::size_t kRegistersMax = 256;
constexpr std::size_t kUuidSizeMax = 36;  // with its dashes

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view take_word(std::string_view& text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  std::size_t size = 0;
  while (size < text.size() && !is_blank(text[size])) ++size;
  const std::string_view word = text.substr(0, size);
  text.remove_prefix(size);
  return word;
}

// "0x1f"
std::optional<std::uint64_t> find_address(std::string_view word) {
  if (!word.starts_with("0x") && !word.starts_with("0X")) return std::nullopt;
  return base::parse_hex(word.substr(2));
}

// "12" at the beginning, which goes.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && text[size] >= '0' && text[size] <= '9') ++size;
  const auto number = base::parse_decimal(text.substr(0, size));
  if (number) text.remove_prefix(size);
  return number;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// "0   libsystem_kernel.dylib   0x00007fff61bc85be 0x7fff61bc6000 + 9662". Names may have blanks.
std::optional<Frame> find_frame(std::string_view line) {
  std::string_view rest = base::trim(line);
  if (!take_number(rest) || rest.empty() || !is_blank(rest.front())) return std::nullopt;
  const std::string_view name_and_more = base::trim(rest);
  for (std::string_view after = name_and_more; !after.empty();) {
    const std::string_view word = take_word(after);
    const auto address = find_address(word);
    if (!address) continue;
    const auto before = static_cast<std::size_t>(word.data() - name_and_more.data());
    Frame frame{*address, base::trim(name_and_more.substr(0, before))};
    if (frame.module == "???") frame.module = {};
    return frame;
  }
  return std::nullopt;
}

// "    rax: 0x20261bb4775b008f   rbx: 0x0000000000000000": true for lines of nothing else; ARM's
// last one says in words what its last register means.
bool read_registers(std::string_view line, Thread& thread) {
  bool found = false;
  while (thread.registers.size() < kRegistersMax) {
    const std::string_view name = take_word(line);
    if (name.size() < 2 || !name.ends_with(':')) break;
    const auto value = find_address(take_word(line));
    if (!value) break;
    thread.registers.emplace_back(name.substr(0, name.size() - 1), *value);
    found = true;
  }
  return found;
}

std::string uuid_of(std::string_view text) {
  std::string digits = base::lower_ascii(text);
  std::erase(digits, '-');
  const bool is_hex = digits.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_hex && digits.size() == 32 ? digits : "";
}

// The part in <>, which is the image's id; names and versions may have such parts, too.
bool split_at_uuid(std::string_view text, Image& image, std::string_view& before,
                   std::string_view& after) {
  for (std::size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
    // No further, or a line of nothing but '<' takes hours.
    const std::string_view next = text.substr(at + 1, kUuidSizeMax + 1);
    const std::size_t size = next.find('>');
    if (size == std::string_view::npos) continue;
    image.uuid = uuid_of(next.substr(0, size));
    if (image.uuid.empty()) continue;
    before = base::trim(text.substr(0, at));
    after = base::trim(text.substr(at + 1 + size + 1));
    return true;
  }
  return false;
}

bool is_arch(std::string_view word) {
  return word.starts_with("arm") || word == "x86_64" || word == "x86_64h" || word == "i386";
}

std::optional<Image> find_image(std::string_view line) {
  std::string_view rest = line;
  const auto begin = find_address(take_word(rest));
  if (!begin || take_word(rest) != "-") return std::nullopt;
  const auto end = find_address(take_word(rest));
  if (!end || *end < *begin) return std::nullopt;
  Image image;
  image.begin = *begin;
  image.end = *end;
  std::string_view before;
  if (!split_at_uuid(rest, image, before, image.path)) return std::nullopt;
  take(before, "+");  // not the system's
  if (before.ends_with(')')) before = base::trim(before.substr(0, before.rfind('(')));
  const std::size_t last = before.rfind(' ');
  if (last != std::string_view::npos && is_arch(before.substr(last + 1))) {
    image.arch = before.substr(last + 1);
    before = base::trim(before.substr(0, last));
  }
  if (image.path.empty()) image.path = before;
  return image;
}

// "2019-01-09 17:42:22.753 +0000"
std::optional<std::int64_t> find_time(std::string_view text) {
  std::array<std::uint64_t, 6> parts{};
  constexpr std::string_view kBetween = "-- ::";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto number = take_number(text);
    if (!number || *number > 9999) return std::nullopt;
    parts[i] = *number;
    if (i < kBetween.size() && !take(text, kBetween.substr(i, 1))) return std::nullopt;
  }
  if (take(text, ".")) take_number(text);
  const std::string_view zone = base::trim(text);
  std::int64_t minutes_east = 0;
  if (zone.size() == 5 && (zone[0] == '+' || zone[0] == '-')) {
    const auto digits = base::parse_decimal(zone.substr(1));
    if (!digits) return std::nullopt;
    minutes_east = static_cast<std::int64_t>(*digits / 100 * 60 + *digits % 100);
    if (zone[0] == '-') minutes_east = -minutes_east;
  }
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(parts[0])),
                                        std::chrono::month(static_cast<unsigned>(parts[1])),
                                        std::chrono::day(static_cast<unsigned>(parts[2]))};
  if (!day.ok() || parts[3] > 23 || parts[4] > 59 || parts[5] > 60) return std::nullopt;
  const auto days = std::chrono::sys_days(day).time_since_epoch().count();
  return std::int64_t{days} * 86400 +
         static_cast<std::int64_t>(parts[3] * 3600 + parts[4] * 60 + parts[5]) - minutes_east * 60;
}

Error too_many(std::string_view what) {
  return {Fault::too_large, std::string("the crash report has too many ").append(what)};
}

// Line by line; which part of the report it is in says what a line can be.
class Reader {
 public:
  Result<void> read(std::string_view line) {
    if (begins_part(line)) return {};
    switch (part_) {
      case Part::head:
        read_head(line);
        return {};
      case Part::information:
        read_information(line);
        return {};
      case Part::frames:
        return read_frame(line);
      case Part::registers:
        if (!read_registers(line, report_.threads[state_of_])) part_ = Part::other;
        return {};
      case Part::images:
        return read_image(line);
      case Part::other:
        return {};
    }
    return {};
  }

  Result<Report> take_report() {
    if (report_.threads.size() >= kThreadsMax) return too_many("threads");
    if (report_.threads.empty() && report_.images.empty()) {
      return Error{Fault::malformed,
                   "failed to parse apple crash report: it has neither threads "
                   "nor binary images"};
    }
    while (report_.application_information.ends_with('\n')) {
      report_.application_information.pop_back();
    }
    return std::move(report_);
  }

 private:
  enum class Part : std::uint8_t { head, information, frames, registers, images, other };

  bool begins_part(std::string_view line) {
    if (line.starts_with("Binary Images:")) {
      part_ = Part::images;
      return true;
    }
    if (line.starts_with("Application Specific Information:")) {
      part_ = Part::information;
      return true;
    }
    return part_ != Part::images && begins_thread(line);
  }

  // "Thread 0:", "Thread 1 Crashed:", "Thread 2:: worker", "Thread 1 name:  worker",
  // "Thread 1 crashed with X86 Thread State (64-bit):"
  bool begins_thread(std::string_view line) {
    std::string_view rest = line;
    if (!take(rest, "Thread ")) return false;
    const auto number = take_number(rest);
    if (!number || report_.threads.size() >= kThreadsMax) return false;
    if (rest.find("Thread State") != std::string_view::npos || take(rest, " crashed with")) {
      return begins_registers(*number);
    }
    if (take(rest, " name:")) {
      thread(*number).name = base::trim(rest);
      part_ = Part::other;
      return true;
    }
    const bool is_crashed = take(rest, " Crashed");
    if (!take(rest, ":")) return false;
    Thread& begun = thread(*number);
    begun.is_crashed = begun.is_crashed || is_crashed;
    if (take(rest, ":") && begun.name.empty()) begun.name = base::trim(rest);
    part_ = Part::frames;
    return true;
  }

  bool begins_registers(std::uint64_t number) {
    const auto found = first_of_.find(number);
    part_ = found == first_of_.end() ? Part::other : Part::registers;
    if (found != first_of_.end()) state_of_ = found->second;
    return true;
  }

  // The last one, if that is its number: a name stands before its thread.
  Thread& thread(std::uint64_t number) {
    if (report_.threads.empty() || report_.threads.back().number != number) {
      first_of_.emplace(number, report_.threads.size());
      report_.threads.push_back({number, {}, false, {}, {}});
    }
    return report_.threads.back();
  }

  void read_head(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || report_.head.size() >= kHeadMax) return;
    const std::string_view name = base::trim(line.substr(0, colon));
    const std::string_view value = base::trim(line.substr(colon + 1));
    report_.head[name] = value;
    if (name == "Date/Time") report_.time = find_time(value);
  }

  void read_information(std::string_view line) {
    if (base::trim(line).empty()) {
      part_ = Part::head;
      return;
    }
    report_.application_information.append(line).append("\n");
  }

  Result<void> read_frame(std::string_view line) {
    const auto frame = find_frame(line);
    if (!frame) {
      if (base::trim(line).empty()) part_ = Part::other;
      return {};
    }
    if (++frames_ > kFramesMax) return too_many("frames");
    report_.threads.back().frames.push_back(*frame);
    return {};
  }

  Result<void> read_image(std::string_view line) {
    auto image = find_image(line);
    if (!image) return {};
    if (report_.images.size() == kImagesMax) return too_many("binary images");
    report_.images.push_back(std::move(*image));
    return {};
  }

  Report report_;
  // By number, the first thread that has it. In order: whoever writes the report chooses numbers.
  std::map<std::uint64_t, std::size_t> first_of_;
  Part part_ = Part::head;
  std::size_t state_of_ = 0;  // whose registers come
  std::size_t frames_ = 0;
};

}  // namespace

Result<Report> parse(std::string_view text) {
  Reader reader;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    TRY(reader.read(line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return reader.take_report();
}

}  // namespace apple_report
