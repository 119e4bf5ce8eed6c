#include "base/log.h"

#include <fcntl.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <mutex>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

namespace base::log {
namespace {

constexpr std::uint64_t kLogFilesMax = 1000;
constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v";
// What follows is members, with the commas between them.
constexpr const char* kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";

std::atomic<Level> current_level{Level::info};
std::atomic<Format> current_format{Format::text};

const char* pattern() { return current_format == Format::json ? kJsonPattern : kTextPattern; }

spdlog::logger& sink() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>(
        "faultline", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern(pattern(), spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

// spdlog's own rotating sink would call the older ones log.1.txt: beside those of an old
// installation, which nobody would take away any more.
class RotatingFile final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit RotatingFile(LogFile file) : file_(std::move(file)) {}

  Result<void> open() {
    fd_ = Fd(::open(file_.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
    size_ = 0;
    if (!fd_.valid()) return error_from_errno(errno, "cannot open", file_.path);
    struct stat info{};
    if (::fstat(fd_.get(), &info) == 0) size_ = static_cast<std::uint64_t>(info.st_size);
    return {};
  }
  void set_pattern_of_ours() {
    set_formatter(
        std::make_unique<spdlog::pattern_formatter>(pattern(), spdlog::pattern_time_type::utc));
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (!fd_.valid() && !open().ok()) return;
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    const bool is_full = size_ != 0 && size_ + line.size() > file_.size_max;
    if (is_full && file_.size_max != 0 && file_.count != 0) rotate();
    std::size_t written = 0;
    while (written < line.size() && fd_.valid()) {
      const ssize_t n = ::write(fd_.get(), line.data() + written, line.size() - written);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return;
      written += static_cast<std::size_t>(n);
      size_ += static_cast<std::uint64_t>(n);
    }
  }
  void flush_() override {}

 private:
  void rotate() {
    const std::vector<std::string> paths = paths_of(file_);
    for (std::size_t i = paths.size() - 1; i > 0; --i) {
      std::rename(paths[i - 1].c_str(), paths[i].c_str());
    }
    fd_.reset();
    static_cast<void>(open());
  }

  const LogFile file_;
  Fd fd_;
  std::uint64_t size_ = 0;
};

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      break;
  }
  return spdlog::level::off;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

// Between quotation marks, on one line.
std::string in_quotes(std::string_view text) {
  std::string plain = "\"" + to_valid_utf8(text);
  std::replace_if(
      plain.begin() + 1, plain.end(), [](char c) { return is_control(c) || c == '"'; }, '?');
  return plain + "\"";
}

// It may quote strangers: they begin no line, and say nothing to a terminal.
std::string on_one_line(std::string_view event) {
  std::string line = to_valid_utf8(event);
  std::replace(line.begin(), line.end(), '\n', ' ');
  std::replace_if(line.begin(), line.end(), is_control, '?');
  return line;
}

}  // namespace

void set_level(Level level) { current_level = level; }

void set_format(Format format) {
  current_format = format;
  sink().set_pattern(pattern(), spdlog::pattern_time_type::utc);
}
bool enabled(Level level) { return level >= current_level.load(std::memory_order_relaxed); }

void write(Level level, std::string_view text) { write(level, text, {}); }

void write(Level level, std::string_view event, const std::vector<Field>& fields) {
  if (!enabled(level)) return;
  const bool is_json = current_format == Format::json;
  const std::string line = is_json ? json_members_of(event, fields) : text_of(event, fields);
  sink().log(to_spdlog(level), "{}", line);
}

std::string text_of(std::string_view event, const std::vector<Field>& fields) {
  std::string line = on_one_line(event);
  for (const Field& field : fields) {
    line.append(" ").append(field.name).append("=");
    line += field.kind == Field::Kind::text ? in_quotes(field.value) : field.value;
  }
  return line;
}

std::string json_members_of(std::string_view event, const std::vector<Field>& fields) {
  std::string members = "\"message\":";
  append_json_string(members, event);
  for (const Field& field : fields) {
    members += ',';
    append_json_string(members, field.name);
    members += ':';
    if (field.kind == Field::Kind::number) {
      members += field.value;
    } else {
      append_json_string(members, field.value);
    }
  }
  return members;
}

std::vector<std::string> paths_of(const LogFile& file) {
  std::vector<std::string> paths{file.path};
  const std::uint64_t count = std::min(file.count, kLogFilesMax);
  for (std::uint64_t i = 1; i <= count; ++i) paths.push_back(file.path + "." + std::to_string(i));
  return paths;
}

Result<void> add_file(const LogFile& file) {
  const std::string directory(parent_of(file.path));
  if (!directory.empty()) TRY(make_directories(directory));
  auto made = std::make_shared<RotatingFile>(file);
  TRY(made->open());
  made->set_pattern_of_ours();
  sink().sinks().push_back(std::move(made));
  return {};
}

Level level_of(Loudness loudness) {
  switch (loudness) {
    case Loudness::debug:
      return Level::debug;
    case Loudness::info:
      return Level::info;
    case Loudness::warning:
      return Level::warning;
    case Loudness::error:
      break;
  }
  return Level::error;
}

}  // namespace base::log
