#include "handler/proc_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/file.h"
#include "base/text.h"

namespace handler {

namespace {

std::string proc_path(pid_t pid, std::string_view name) {
  std::string path = "/proc/" + std::to_string(pid) + "/";
  path += name;
  return path;
}

// Up to the separator, which is consumed too.
std::string_view take(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view head = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return head;
}

void skip_spaces(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
}

// "7f12… -7f13… r-xp 00001000 08:01 1234   /usr/lib/x.so (deleted)"
std::optional<Mapping> parse_mapping(std::string_view line) {
  Mapping mapping;
  const auto begin = base::parse_hex(take(line, '-'));
  const auto end = base::parse_hex(take(line, ' '));
  const std::string_view rights = take(line, ' ');
  const auto offset = base::parse_hex(take(line, ' '));
  const std::string_view device = take(line, ' ');
  const std::string_view inode = take(line, ' ');
  if (!begin || !end || !offset || *begin >= *end || rights.size() < 3) return std::nullopt;
  mapping.begin = *begin;
  mapping.end = *end;
  mapping.offset = *offset;
  mapping.readable = rights[0] == 'r';
  mapping.writable = rights[1] == 'w';
  mapping.executable = rights[2] == 'x';
  mapping.device_and_inode = std::string(device) + ' ' + std::string(inode);
  skip_spaces(line);
  constexpr std::string_view kDeleted = " (deleted)";
  if (line.ends_with(kDeleted)) {
    line.remove_suffix(kDeleted.size());
    mapping.deleted = true;
  }
  mapping.path = line;
  return mapping;
}

}  // namespace

std::string read_small_file(const std::string& path, std::size_t size_max) {
  const base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  if (!fd.valid()) return text;
  std::size_t size = 0;
  while (size < size_max) {
    text.resize(std::min(size_max, std::max<std::size_t>(4096, 2 * size)));
    const ssize_t n = ::read(fd.get(), text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    size += static_cast<std::size_t>(n);
  }
  text.resize(size);
  return text;
}

std::string read_proc(pid_t pid, std::string_view name, std::size_t size_max) {
  return read_small_file(proc_path(pid, name), size_max);
}

std::vector<Mapping> parse_maps(std::string_view text) {
  std::vector<Mapping> maps;
  while (!text.empty()) {
    if (auto mapping = parse_mapping(take(text, '\n'))) maps.push_back(*std::move(mapping));
  }
  return maps;
}

const Mapping* find_mapping_from(const std::vector<Mapping>& maps, std::uint64_t address) {
  const auto at = std::upper_bound(maps.begin(), maps.end(), address,
                                   [](std::uint64_t a, const Mapping& m) { return a < m.end; });
  return at == maps.end() ? nullptr : &*at;
}

const Mapping* find_mapping(const std::vector<Mapping>& maps, std::uint64_t address) {
  const Mapping* const mapping = find_mapping_from(maps, address);
  return mapping != nullptr && mapping->begin <= address ? mapping : nullptr;
}

ProcessStat parse_stat(std::string_view text) {
  ProcessStat stat;
  // The second field is the program's name in parentheses and may hold anything.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return stat;
  text.remove_prefix(std::min(name_end + 2, text.size()));
  constexpr int kFirst = 3, kStartTime = 22, kArgStart = 48;  // numbered as in proc(5)
  for (int field = kFirst; field <= kArgStart && !text.empty(); ++field) {
    const std::uint64_t value = base::parse_decimal(take(text, ' ')).value_or(0);
    if (field == kStartTime) stat.start_ticks = value;
    if (field == kArgStart) stat.arg_start = value;
  }
  return stat;
}

AuxiliaryVector parse_auxv(std::string_view bytes) {
  AuxiliaryVector vector;
  base::Reader reader(base::bytes_of(bytes));
  while (reader.remaining() >= 16) {
    const std::uint64_t type = reader.u64();
    const std::uint64_t value = reader.u64();
    if (type == 0) break;
    vector[type] = value;
  }
  return vector;
}

std::optional<std::string_view> find_status_field(std::string_view status, std::string_view name) {
  while (!status.empty()) {
    std::string_view line = take(status, '\n');
    if (take(line, ':') == name) return base::trim(line);
  }
  return std::nullopt;
}

std::optional<pid_t> innermost_pid(std::string_view status) {
  const auto field = find_status_field(status, "NSpid");
  if (!field) return std::nullopt;
  const std::size_t last = field->find_last_of(" \t");
  const auto number =
      base::parse_decimal(last == std::string_view::npos ? *field : field->substr(last + 1));
  if (!number) return std::nullopt;
  return static_cast<pid_t>(*number);
}

std::vector<pid_t> list_threads(pid_t pid) {
  std::vector<pid_t> threads;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(proc_path(pid, "task").c_str()),
                                                      &::closedir);
  if (!directory) return threads;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (const auto number = base::parse_decimal(entry->d_name)) {
      threads.push_back(static_cast<pid_t>(*number));
    }
  }
  std::sort(threads.begin(), threads.end());
  return threads;
}

}  // namespace handler
