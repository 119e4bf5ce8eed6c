#include "formats/dwarf/line_table.h"

#include <algorithm>

namespace dwarf {

namespace {

struct ContentFormat {
  std::uint64_t content = 0;
  std::uint64_t form = 0;
};

base::Error malformed(std::string what) {
  return {base::Fault::malformed, ".debug_line: " + std::move(what)};
}

bool is_absolute(std::string_view path) {
  if (path.starts_with('/') || path.starts_with('\\')) return true;
  return path.size() >= 3 && path[1] == ':' && (path[2] == '\\' || path[2] == '/');
}

// Joins with the separator that the directory uses: paths of a foreign system stay as they are.
void append_path(std::string& path, std::string_view part) {
  if (path.empty() || is_absolute(part)) {
    path = part;
    return;
  }
  const bool windows = path.find('/') == std::string::npos && path.find('\\') != std::string::npos;
  if (path.back() != '/' && path.back() != '\\') path += windows ? '\\' : '/';
  path += part;
}

}  // namespace

bool is_in(std::span<const AddressRange> sorted, std::uint64_t address) {
  const auto next =
      std::upper_bound(sorted.begin(), sorted.end(), address,
                       [](std::uint64_t a, const AddressRange& r) { return a < r.start; });
  return next != sorted.begin() && address < (next - 1)->end;
}

std::uint64_t line_table_size(const Sections& sections, std::uint64_t offset) {
  base::Reader r(sections.line, sections.endian);
  r.seek(offset);
  std::uint64_t length = r.u32();
  if (length == 0xffffffff) length = r.u64();
  return r.failed() || length > r.remaining() ? 0 : length;
}

// Reads one table: header, then program. Lives for one parse().
class LineReader {
 public:
  LineReader(const Sections& sections, const DebugInfo& info, const Unit& unit,
             std::span<const AddressRange> code, LineTable& table)
      : sections_(sections), info_(info), unit_(unit), code_(code), table_(table) {}

  base::Result<void> read(std::uint64_t offset);
  base::Result<void> read_header(std::uint64_t offset);

 private:
  base::Result<void> read_files_5(base::Reader& r);
  void read_files_2(base::Reader& r);
  base::Result<std::vector<ContentFormat>> read_formats(base::Reader& r) const;
  LineTable::File read_entry_5(base::Reader& r, const std::vector<ContentFormat>& formats) const;
  void run();
  void run_extended(base::Reader& r);
  void advance(std::uint64_t operations);
  void emit_row();
  void end_sequence();
  void reset();

  const Sections& sections_;
  const DebugInfo& info_;
  const Unit& unit_;
  std::span<const AddressRange> code_;
  LineTable& table_;

  base::Reader program_;
  std::uint16_t version_ = 0;
  Shape shape_;
  std::uint8_t minimum_instruction_ = 1, operations_max_ = 1, line_range_ = 1, opcode_base_ = 1;
  std::int8_t line_base_ = 0;
  std::vector<std::uint8_t> opcode_lengths_;

  std::uint64_t address_ = 0, operation_ = 0, file_ = 1;
  std::uint32_t line_ = 1;
  std::uint32_t first_row_ = 0;  // of the sequence being read
  bool unsorted_ = false;        // its addresses went backwards
};

base::Result<LineTable> LineTable::parse(const Sections& sections, const DebugInfo& info,
                                         const Unit& unit, std::span<const AddressRange> code) {
  LineTable table;
  table.comp_dir_ = unit.comp_dir;
  TRY(LineReader(sections, info, unit, code, table).read(*unit.line_offset));
  std::sort(table.sequences_.begin(), table.sequences_.end(),
            [](const LineSequence& a, const LineSequence& b) {
              return a.start != b.start ? a.start < b.start : a.first < b.first;
            });
  return table;
}

base::Result<LineTable> LineTable::parse_files(const Sections& sections, const DebugInfo& info,
                                               const Unit& unit) {
  LineTable table;
  table.comp_dir_ = unit.comp_dir;
  TRY(LineReader(sections, info, unit, {}, table).read_header(*unit.line_offset));
  return table;
}

base::Bytes LineTable::md5_of(std::uint64_t file) const {
  if (!from_zero_ && file-- == 0) return {};
  return file < files_.size() ? files_[static_cast<std::size_t>(file)].md5 : base::Bytes();
}

std::string LineTable::path_of(std::uint64_t file) const {
  if (!from_zero_ && file-- == 0) return {};
  if (file >= files_.size()) return {};
  const File& entry = files_[static_cast<std::size_t>(file)];
  if (entry.name.empty()) return {};
  std::string path;
  if (is_absolute(entry.name)) return std::string(entry.name);
  path = comp_dir_;
  // Directory 0 is the compilation directory. Up to DWARF 4 it is not in the table; in DWARF 5 it
  // is the first one there, and when it is relative ("." by -fdebug-prefix-map) not below itself.
  if (from_zero_ || entry.directory != 0) {
    const std::uint64_t index = entry.directory - (from_zero_ ? 0 : 1);
    if (index < directories_.size() && !directories_[static_cast<std::size_t>(index)].empty()) {
      if (from_zero_ && index == 0) path.clear();
      append_path(path, directories_[static_cast<std::size_t>(index)]);
    }
  }
  append_path(path, entry.name);
  return path;
}

base::Result<void> LineReader::read(std::uint64_t offset) {
  TRY(read_header(offset));
  run();
  return {};
}

base::Result<void> LineReader::read_header(std::uint64_t offset) {
  base::Reader r(sections_.line, sections_.endian);
  r.seek(offset);
  std::uint64_t length = r.u32();
  shape_ = unit_.shape;
  shape_.offset_size = 4;
  if (length == 0xffffffff) {
    length = r.u64();
    shape_.offset_size = 8;
  }
  if (r.failed() || length > r.remaining()) {
    return malformed("table at offset " + std::to_string(offset) + " ends behind the section");
  }
  const std::uint64_t end = r.offset() + length;
  version_ = r.u16();
  if (version_ < 2 || version_ > 5) {
    return base::Error{base::Fault::unsupported, ".debug_line: version " +
                                                     std::to_string(version_) + " at offset " +
                                                     std::to_string(offset)};
  }
  if (version_ >= 5) {
    shape_.address_size = r.u8();
    r.u8();  // segment selectors
  }
  const std::uint64_t header_length = r.sized(shape_.offset_size);
  if (header_length > end - std::min(end, r.offset())) {
    return malformed("header at offset " + std::to_string(offset) + " is longer than its table");
  }
  const std::uint64_t program = r.offset() + header_length;
  minimum_instruction_ = r.u8();
  operations_max_ = version_ >= 4 ? std::max<std::uint8_t>(1, r.u8()) : 1;
  r.u8();  // default is_stmt
  line_base_ = r.s8();
  line_range_ = r.u8();
  opcode_base_ = std::max<std::uint8_t>(1, r.u8());
  for (unsigned i = 1; i < opcode_base_; ++i) opcode_lengths_.push_back(r.u8());
  TRY(r.check(".debug_line header"));

  const base::Bytes whole = sections_.line.first(static_cast<std::size_t>(end));
  base::Reader files(whole.first(static_cast<std::size_t>(program)), sections_.endian);
  files.seek(r.offset());
  table_.from_zero_ = version_ >= 5;
  if (version_ >= 5) {
    TRY(read_files_5(files));
  } else {
    read_files_2(files);
  }
  program_ = base::Reader(whole, sections_.endian);
  program_.seek(program);
  table_.program_size_ = end - program;
  return {};
}

void LineReader::read_files_2(base::Reader& r) {
  for (std::string_view name = r.c_string(); !name.empty(); name = r.c_string()) {
    table_.directories_.push_back(name);
  }
  for (std::string_view name = r.c_string(); !name.empty(); name = r.c_string()) {
    const std::uint64_t directory = r.uleb();
    r.uleb();  // time
    r.uleb();  // size
    table_.files_.push_back({name, directory, {}});
  }
}

base::Result<std::vector<ContentFormat>> LineReader::read_formats(base::Reader& r) const {
  std::vector<ContentFormat> formats(r.u8());
  for (ContentFormat& format : formats) {
    format.content = r.uleb();
    format.form = r.uleb();
    // A form without bytes would let a short table announce a billion files.
    if (find_fixed_size(format.form, shape_) == 0) return malformed("file format without bytes");
  }
  return formats;
}

base::Result<void> LineReader::read_files_5(base::Reader& r) {
  for (const bool directories : {true, false}) {
    const std::vector<ContentFormat> formats = TRY(read_formats(r));
    const std::uint64_t count = r.uleb();
    if (r.failed() || count > r.remaining() || (formats.empty() && count != 0)) {
      return malformed("file table at offset " + std::to_string(r.offset()) + " announces " +
                       std::to_string(count) + " entries");
    }
    for (std::uint64_t i = 0; i < count && r.ok(); ++i) {
      const LineTable::File entry = read_entry_5(r, formats);
      if (directories) {
        table_.directories_.push_back(entry.name);
      } else {
        table_.files_.push_back(entry);
      }
    }
  }
  return r.check(".debug_line file table");
}

LineTable::File LineReader::read_entry_5(base::Reader& r,
                                         const std::vector<ContentFormat>& formats) const {
  LineTable::File file;
  for (const ContentFormat& format : formats) {
    if (format.content == kLnctPath) {
      Value value;
      value.form = static_cast<std::uint16_t>(format.form);
      if (format.form == kFormString) {
        file.name = r.c_string();
        continue;
      }
      const std::uint64_t before = r.offset();
      if (const auto size = find_fixed_size(format.form, shape_); size && *size <= 8) {
        value.number = r.sized(*size);
      } else if (format.form == kFormStrx) {
        value.number = r.uleb();
      } else {
        r.seek(before);
        skip_value(r, format.form, shape_);
        continue;
      }
      file.name = info_.string_of(unit_, value);
    } else if (format.content == kLnctDirectoryIndex) {
      const auto size = find_fixed_size(format.form, shape_);
      if (size && *size <= 8) {
        file.directory = r.sized(*size);
      } else if (format.form == kFormUdata) {
        file.directory = r.uleb();
      } else {
        skip_value(r, format.form, shape_);
      }
    } else if (format.content == kLnctMd5 && format.form == kFormData16) {
      file.md5 = r.bytes(16);
    } else {
      skip_value(r, format.form, shape_);
    }
  }
  return file;
}

void LineReader::reset() {
  address_ = 0;
  operation_ = 0;
  file_ = 1;
  line_ = 1;
  first_row_ = static_cast<std::uint32_t>(table_.rows_.size());
  unsorted_ = false;
}

void LineReader::advance(std::uint64_t operations) {
  if (operations_max_ == 1) [[likely]] {
    address_ += minimum_instruction_ * operations;
    return;
  }
  const std::uint64_t total = operation_ + operations;
  address_ += minimum_instruction_ * (total / operations_max_);
  operation_ = total % operations_max_;
}

void LineReader::emit_row() {
  std::vector<LineRow>& rows = table_.rows_;
  const LineRow row{address_, static_cast<std::uint32_t>(file_), line_};
  if (rows.size() > first_row_) {
    if (rows.back().address == address_) {
      rows.back() = row;
      return;
    }
    unsorted_ |= address_ < rows.back().address;
  }
  rows.push_back(row);
}

void LineReader::end_sequence() {
  std::vector<LineRow>& rows = table_.rows_;
  const auto begin = rows.begin() + first_row_;
  if (unsorted_) {  // stable by address, so that the last one written still wins
    std::vector<std::uint32_t> order(static_cast<std::size_t>(rows.end() - begin));
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return begin[a].address != begin[b].address ? begin[a].address < begin[b].address : a < b;
    });
    std::vector<LineRow> sorted;
    for (const std::uint32_t i : order) {
      if (!sorted.empty() && sorted.back().address == begin[i].address) sorted.pop_back();
      sorted.push_back(begin[i]);
    }
    rows.resize(first_row_);
    rows.insert(rows.end(), sorted.begin(), sorted.end());
  }
  // A row at the very end covers nothing.
  while (rows.size() > first_row_ && rows.back().address >= address_) rows.pop_back();
  if (rows.size() > first_row_ && is_in(code_, rows[first_row_].address)) {
    table_.sequences_.push_back({rows[first_row_].address, address_, first_row_,
                                 static_cast<std::uint32_t>(rows.size()) - first_row_});
  } else {
    rows.resize(first_row_);
  }
  reset();
}

void LineReader::run_extended(base::Reader& r) {
  const std::uint64_t length = r.uleb();
  const std::uint64_t next = r.offset() + length;
  if (length == 0) return;
  if (length > r.remaining()) return r.fail();
  switch (r.u8()) {
    case kLneEndSequence:
      end_sequence();
      break;
    case kLneSetAddress:
      address_ = length - 1 <= 8 ? r.sized(static_cast<unsigned>(length - 1)) : 0;
      operation_ = 0;
      break;
    case kLneDefineFile: {
      const std::string_view name = r.c_string();
      table_.files_.push_back({name, r.uleb(), {}});
      break;
    }
    default:
      break;
  }
  r.seek(next);
}

void LineReader::run() {
  base::Reader& r = program_;
  reset();
  if (line_range_ == 0) return;
  while (!r.at_end()) {
    const std::uint8_t opcode = r.u8();
    if (opcode >= opcode_base_) {
      const unsigned adjusted = static_cast<unsigned>(opcode) - opcode_base_;
      advance(adjusted / line_range_);
      line_ += static_cast<std::uint32_t>(line_base_ + static_cast<int>(adjusted % line_range_));
      emit_row();
      continue;
    }
    switch (opcode) {
      case 0:
        run_extended(r);
        break;
      case kLnsCopy:
        emit_row();
        break;
      case kLnsAdvancePc:
        advance(r.uleb());
        break;
      case kLnsAdvanceLine:
        line_ += static_cast<std::uint32_t>(r.sleb());
        break;
      case kLnsSetFile:
        file_ = r.uleb();
        break;
      case kLnsSetColumn:
        r.uleb();
        break;
      case kLnsNegateStmt:
      case kLnsSetBasicBlock:
      case kLnsSetPrologueEnd:
      case kLnsSetEpilogueBegin:
        break;
      case kLnsConstAddPc:
        advance((255u - opcode_base_) / line_range_);
        break;
      case kLnsFixedAdvancePc:
        address_ += r.u16();
        operation_ = 0;
        break;
      case kLnsSetIsa:
        r.uleb();
        break;
      default:  // an opcode of a later version: its arguments are all LEB128
        for (unsigned i = 0; i < opcode_lengths_[opcode - 1u]; ++i) r.uleb();
    }
  }
  // A program without its end: rows whose extent is not known are dropped.
  table_.rows_.resize(first_row_);
}

}  // namespace dwarf
