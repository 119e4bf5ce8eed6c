#include "formats/breakpad/sym_reader.h"

#include <algorithm>
#include <optional>

#include "base/large_pages.h"
#include "base/pool.h"
#include "base/utf16.h"
#include "formats/breakpad/plain_fields.h"
#include "formats/breakpad/text_cursor.h"

// The verdict "corrupt" has to equal rust-minidump's, since it decides whether a module's frames
// have names at all. Its grammar, in the order in which a line is tried:
//   inside FUNC        INLINE_ORIGIN, INLINE, line record; anything else ends the FUNC
//   inside CFI INIT    STACK CFI; anything else ends the range
//   at the top         empty line, INFO, FILE, INLINE_ORIGIN, PUBLIC, FUNC, STACK WIN,
//                      STACK CFI INIT, MODULE (on the first line only)
// So a line record after an empty line is corrupt, though each of the two is fine.
namespace breakpad {
namespace {

constexpr std::size_t kMinPartSize = 1024 * 1024;

// Room for the records of one kind. A list of millions that doubles is copied again and again and
// touches twice the memory that it needs; the page faults cost as much as the reading. So it asks
// for what the rest of the text brings if it goes on as it has since the first of the kind. Memory
// that was asked for too much is never touched.
class Foresight {
 public:
  // Before a record is added. `left`: bytes of text behind it.
  template <class T>
  void make_room(std::vector<T>& records, std::size_t left) {
    if (records.size() == records.capacity()) [[unlikely]]
      base::reserve_large(records, room_for(records.size(), left));
  }

 private:
  [[gnu::noinline]] std::size_t room_for(std::size_t size, std::size_t left) {
    if (size == 0) {
      left_at_first_ = left;
      return std::min(kFirstRoom, left / kMinBytesPerRecord + 1);
    }
    const auto passed = static_cast<double>(left_at_first_ - std::min(left, left_at_first_));
    const double rest = static_cast<double>(size) * static_cast<double>(left) / (passed + 1);
    const std::size_t bound = left / kMinBytesPerRecord;
    const auto more =
        static_cast<std::size_t>(std::min(rest * kMargin, static_cast<double>(bound)));
    return size + std::max(more, size / 4 + 1);
  }

  static constexpr std::size_t kFirstRoom = 4096;
  static constexpr std::size_t kMinBytesPerRecord = 16;  // for the bound; a few are shorter
  static constexpr double kMargin = 1.1;
  std::size_t left_at_first_ = 0;
};

class PartReader {
 public:
  // `is_start`: the text begins with the file, so MODULE may come.
  PartReader(std::string_view text, bool is_start, Reading reading)
      : text_(text),
        cursor_(text.data(), text.data() + text.size()),
        is_start_(is_start),
        lenient_(reading == Reading::kLenient) {}

  void read(std::string_view more = {}) {
    if (!more.empty()) cursor_ = Cursor(more.data(), more.data() + more.size());
    while (!cursor_.done()) {
      if (item_ == Item::kFunction) pass_plain_lines();  // never to the end of the text
      line_ = cursor_.at();
      const Item item = item_;
      const bool good = read_line();
      if (!good) {
        cursor_.move_to(line_);
        cursor_.next_line();
      }
      if (too_long()) [[unlikely]] {
        item_ = item;  // as if the line were not there: it ends nothing
        continue;
      }
      if (good) [[likely]]
        continue;
      if (!lenient_) {
        corrupt_at_ = line_;
        return;
      }
      ++skipped_;
    }
  }

  Part take() {
    finish_item();
    return std::move(part_);
  }
  const char* corrupt_at() const { return corrupt_at_; }
  std::uint64_t skipped() const { return skipped_; }
  bool older_inlines() const { return older_inlines_; }
  bool has_module() const { return has_module_; }
  const Module& module() const { return module_; }

 private:
  enum class Item : unsigned char { kNone, kFunction, kCfi };

  // A record's fields go from registers to their place: one that goes through the stack is copied
  // in pieces larger than it was written in, for which the processor waits.
  template <class T>
  [[gnu::always_inline]] void add(std::vector<T>& records, Foresight& room, const T& record,
                                  const char* at) {
    room.make_room(records, cursor_.left_from(at));
    records.emplace_back() = record;
  }

  // Most of a text is line records and INLINE records of the usual look.
  void pass_plain_lines() {
    if constexpr (!PlainFields::kWorksHere) return;
    const char* at = cursor_.at();
    const char* next = at;
    while (next != nullptr) {
      at = next;
      next = *at == 'I' ? after_plain_inline(at) : after_plain_line(at);
    }
    cursor_.move_to(at);
  }

  // These keep the record and give the place behind it; null when the line is no such record.
  const char* after_plain_line(const char* at) {
    if (cursor_.left_from(at) < PlainFields::kReach) return nullptr;
    PlainFields fields(at);
    LineRecord r;
    std::uint32_t address = 0;
    if (!(fields.hex(address) && fields.blank() && fields.hex(r.size) && fields.blank() &&
          fields.decimal(r.line) && fields.blank() && fields.decimal(r.file) && fields.newline())) {
      return nullptr;
    }
    r.address = address;
    add(part_.lines, line_room_, r, at);
    return fields.after();
  }

  const char* after_plain_inline(const char* at) {
    constexpr std::string_view kWord = "INLINE ";
    if (cursor_.left_from(at) < kWord.size() + PlainFields::kReach) return nullptr;
    if (std::memcmp(at, kWord.data(), kWord.size()) != 0) return nullptr;
    PlainFields fields(at + kWord.size());
    InlineRecord r;
    if (!(fields.decimal(r.depth) && fields.blank() && fields.decimal(r.call_line) &&
          fields.blank() && fields.decimal(r.call_file) && fields.blank() &&
          fields.decimal(r.origin) && fields.blank())) {
      return nullptr;
    }
    const std::size_t first = part_.inline_ranges.size();
    const char* const end = after_plain_ranges(fields.after());
    if (end == nullptr || static_cast<std::size_t>(end - at) > kMaxLineSize) {
      part_.inline_ranges.resize(first);
      return nullptr;
    }
    r.first_range = static_cast<std::uint32_t>(first);
    r.range_count = static_cast<std::uint32_t>(part_.inline_ranges.size() - first);
    add(part_.inlines, inline_room_, r, end);
    return end;
  }

  const char* after_plain_ranges(const char* at) {
    while (cursor_.left_from(at) >= PlainFields::kReach) {
      PlainFields fields(at);
      RangeRecord range;
      std::uint32_t address = 0;
      if (!(fields.hex(address) && fields.blank() && fields.hex(range.size))) return nullptr;
      range.address = address;
      add(part_.inline_ranges, range_room_, range, at);
      at = fields.after();
      if (fields.newline()) return at;
      if (!fields.blank()) return nullptr;
    }
    return nullptr;
  }

  bool read_line() {
    if (item_ == Item::kFunction) {
      if (kHexValues[static_cast<unsigned char>(*line_)] >= 0 && line_record()) return true;
      cursor_.move_to(line_);
      if (*line_ == 'I' && cursor_.starts_with("INLINE")) {
        if (cursor_.starts_with("INLINE_ORIGIN ")) return origin_record();
        if (cursor_.starts_with("INLINE ")) return inline_record();
      }
    } else if (item_ == Item::kCfi) {
      if (*line_ == 'S' && cfi_row()) return true;
      cursor_.move_to(line_);
    }
    // A line that we skip does not end anything; one that we cannot skip ends the reading.
    if (!lenient_) finish_item();
    return top_level();
  }

  bool top_level() {
    switch (*line_) {
      case '\r':
      case '\n':
        return cursor_.eol();
      case 'I':
        return cursor_.starts_with("INFO") ? info_record() : origin_record();
      case 'F':
        return cursor_.starts_with("FUNC") ? func_record() : file_record();
      case 'P':
        return public_record();
      case 'S':
        return cursor_.starts_with("STACK WIN") ? win_record() : cfi_init();
      case 'M':
        return module_record();
      default:
        return false;
    }
  }

  void finish_item() {
    if (item_ == Item::kFunction) {
      Func& func = part_.functions.back();
      func.line_count = static_cast<std::uint32_t>(part_.lines.size()) - func.first_line;
      func.inline_count = static_cast<std::uint32_t>(part_.inlines.size()) - func.first_inline;
    } else if (item_ == Item::kCfi) {
      CfiInit& init = part_.cfi_inits.back();
      init.row_count = static_cast<std::uint32_t>(part_.cfi_rows.size()) - init.first_row;
    }
    item_ = Item::kNone;
  }

  bool too_long() const { return static_cast<std::size_t>(cursor_.at() - line_) > kMaxLineSize; }

  bool line_record() {
    LineRecord r;
    if (!(cursor_.hex(r.address) && cursor_.space() && cursor_.hex(r.size) && cursor_.space() &&
          cursor_.decimal(r.line) && cursor_.space() && cursor_.decimal(r.file) && cursor_.eol())) {
      return false;
    }
    if (!too_long()) [[likely]]
      add(part_.lines, line_room_, r, cursor_.at());
    return true;
  }

  bool inline_record() {
    if (new_inline_record()) return true;
    if (!lenient_) return false;
    cursor_.move_to(line_);
    return old_inline_record();
  }

  bool new_inline_record() {
    InlineRecord r;
    return cursor_.keyword("INLINE") && cursor_.decimal(r.depth) && cursor_.space() &&
           cursor_.decimal(r.call_line) && cursor_.space() && call_file(r) && cursor_.space() &&
           cursor_.decimal(r.origin) && cursor_.space() && inline_ranges(r);
  }

  // Breakpad's dump_syms writes -1 for a call in no known file; strict readers refuse that.
  bool call_file(InlineRecord& record) {
    if (!lenient_ || !cursor_.starts_with("-1 ")) return cursor_.decimal(record.call_file);
    record.call_file = kNoNumber;
    cursor_.move_to(cursor_.at() + 2);
    return true;
  }

  bool old_inline_record() {
    InlineRecord r;
    r.call_file = kNoNumber;
    if (!(cursor_.keyword("INLINE") && cursor_.decimal(r.depth) && cursor_.space() &&
          cursor_.decimal(r.call_line) && cursor_.space() && cursor_.decimal(r.origin) &&
          cursor_.space() && inline_ranges(r))) {
      return false;
    }
    older_inlines_ = true;
    return true;
  }

  bool inline_ranges(InlineRecord& record) {
    record.first_range = static_cast<std::uint32_t>(part_.inline_ranges.size());
    RangeRecord range;
    bool good = false;
    do {
      good = cursor_.hex(range.address) && cursor_.space() && cursor_.hex(range.size);
      add(part_.inline_ranges, range_room_, range, cursor_.at());
    } while (good && cursor_.space());
    if (!good || !cursor_.eol() || too_long()) {
      part_.inline_ranges.resize(record.first_range);
      return good && cursor_.at()[-1] == '\n';
    }
    record.range_count =
        static_cast<std::uint32_t>(part_.inline_ranges.size()) - record.first_range;
    add(part_.inlines, inline_room_, record, cursor_.at());
    return true;
  }

  bool named_record(std::string_view keyword, std::vector<Named>& out, Foresight& room) {
    Named r;
    if (!(cursor_.keyword(keyword) && cursor_.decimal(r.number) && cursor_.space() &&
          cursor_.rest(r.name))) {
      return false;
    }
    if (!too_long()) add(out, room, r, cursor_.at());
    return true;
  }
  bool file_record() { return named_record("FILE", part_.files, file_room_); }
  bool origin_record() { return named_record("INLINE_ORIGIN", part_.origins, origin_room_); }

  bool info_record() {
    std::string_view text;
    if (cursor_.keyword("INFO URL")) {
      if (!cursor_.rest(text)) return false;
      if (too_long()) return true;
      part_.url = text;
      part_.has_url = true;
      return true;
    }
    if (!cursor_.keyword("INFO") || !cursor_.any_rest(text)) return false;
    if (!too_long()) part_.infos.push_back(text);
    return true;
  }

  bool public_record() {
    PublicRecord r;
    if (!cursor_.keyword("PUBLIC")) return false;
    r.multiple = cursor_.multiple_mark();
    if (!(cursor_.hex(r.address) && cursor_.space() && cursor_.hex(r.parameter_size) &&
          cursor_.space() && cursor_.rest(r.name))) {
      return false;
    }
    if (!too_long()) part_.publics.push_back(r);
    return true;
  }

  bool func_record() {
    Func r;
    if (!cursor_.keyword("FUNC")) return false;
    r.multiple = cursor_.multiple_mark();
    if (!(cursor_.hex(r.address) && cursor_.space() && cursor_.hex(r.size) && cursor_.space() &&
          cursor_.hex(r.parameter_size) && cursor_.space() && cursor_.rest(r.name))) {
      return false;
    }
    if (too_long()) return true;
    finish_item();
    r.first_line = static_cast<std::uint32_t>(part_.lines.size());
    r.first_inline = static_cast<std::uint32_t>(part_.inlines.size());
    add(part_.functions, function_room_, r, cursor_.at());
    item_ = Item::kFunction;
    return true;
  }

  bool cfi_init() {
    CfiInit r;
    if (!(cursor_.keyword("STACK CFI INIT") && cursor_.hex(r.address) && cursor_.space() &&
          cursor_.hex(r.size) && cursor_.space() && cursor_.rest(r.rules))) {
      return false;
    }
    if (too_long()) return true;
    finish_item();
    r.first_row = static_cast<std::uint32_t>(part_.cfi_rows.size());
    add(part_.cfi_inits, cfi_init_room_, r, cursor_.at());
    item_ = Item::kCfi;
    return true;
  }

  bool cfi_row() {
    CfiRow r;
    if (!(cursor_.keyword("STACK CFI") && cursor_.hex(r.address) && cursor_.space() &&
          cursor_.rest(r.rules))) {
      return false;
    }
    if (!too_long()) add(part_.cfi_rows, cfi_row_room_, r, cursor_.at());
    return true;
  }

  bool win_record() {
    StackWin r;
    if (!cursor_.keyword("STACK WIN")) return false;
    const char type = *cursor_.at();
    if (kHexValues[static_cast<unsigned char>(type)] < 0) return false;
    cursor_.move_to(cursor_.at() + 1);
    if (!(cursor_.space() && cursor_.hex(r.address) && cursor_.space())) return false;
    for (std::uint32_t& size : r.sizes) {
      if (!cursor_.hex(size) || !cursor_.space()) return false;
    }
    const char has_program = *cursor_.at();
    if (has_program < '0' || has_program > '9') return false;
    cursor_.move_to(cursor_.at() + 1);
    std::string_view rest;
    if (!cursor_.space() || !cursor_.rest(rest)) return false;
    const bool is_frame_data = type == '4';
    if (too_long() || is_frame_data != (has_program == '1')) return true;
    if (type != '4' && type != '0') return true;
    r.type = is_frame_data ? 4 : 0;
    if (is_frame_data) {
      r.program = rest;
    } else {
      r.allocates_base_pointer = rest == "1";
    }
    part_.stack_win.push_back(r);
    return true;
  }

  bool module_record() {
    Module m;
    if (!(cursor_.keyword("MODULE") && cursor_.word(m.os) && cursor_.space() &&
          cursor_.word(m.cpu) && cursor_.space())) {
      return false;
    }
    const char* const id = cursor_.at();
    while (kHexValues[static_cast<unsigned char>(*cursor_.at())] >= 0) {
      cursor_.move_to(cursor_.at() + 1);
    }
    m.id = std::string_view(id, static_cast<std::size_t>(cursor_.at() - id));
    if (m.id.empty() || !cursor_.space() || !cursor_.rest(m.name)) return false;
    if (!is_start_ || line_ != text_.data()) return lenient_ && has_module_;
    module_ = m;
    has_module_ = true;
    return true;
  }

  std::string_view text_;
  Cursor cursor_;
  bool is_start_;
  bool lenient_;
  const char* line_ = nullptr;
  const char* corrupt_at_ = nullptr;
  std::uint64_t skipped_ = 0;
  bool older_inlines_ = false;
  bool has_module_ = false;
  Module module_;
  Item item_ = Item::kNone;
  Part part_;
  Foresight file_room_;
  Foresight origin_room_;
  Foresight function_room_;
  Foresight line_room_;
  Foresight inline_room_;
  Foresight range_room_;
  Foresight cfi_init_room_;
  Foresight cfi_row_room_;
};

// A line that begins with one of these ends whatever item came before it, so reading can start
// there without knowing what that was.
bool begins_item(std::string_view line) {
  for (const std::string_view word : {"FUNC ", "PUBLIC ", "STACK CFI INIT ", "STACK WIN "}) {
    if (line.starts_with(word)) return true;
  }
  return false;
}

std::vector<std::string_view> cut(std::string_view text, unsigned threads) {
  const std::size_t wanted = std::min<std::size_t>(threads * 2, text.size() / kMinPartSize);
  std::vector<std::string_view> parts;
  std::size_t from = 0;
  if (threads > 1) {
    for (std::size_t i = 1; i < wanted; ++i) {
      std::size_t at = std::max(from, text.size() / wanted * i);
      do {
        at = text.find('\n', at);
        if (at == std::string_view::npos) break;
        ++at;
      } while (!begins_item(text.substr(at, 16)));
      if (at == std::string_view::npos || at >= text.size()) break;
      if (at == from) continue;
      parts.push_back(text.substr(from, at - from));
      from = at;
    }
  }
  parts.push_back(text.substr(from));
  return parts;
}

std::string problem_at(std::string_view text, const char* at) {
  const auto offset = static_cast<std::size_t>(at - text.data());
  const auto number = std::count(text.begin(), text.begin() + static_cast<long>(offset), '\n') + 1;
  std::string_view line =
      text.substr(offset, std::min(text.find('\n', offset) - offset, std::size_t{80}));
  return "line " + std::to_string(number) +
         " is not a record that belongs here: " + base::to_valid_utf8(line);
}

constexpr std::string_view kUtf8Mark = "\xef\xbb\xbf";

// By the mark that it begins with.
std::optional<base::Endian> find_utf16(std::string_view text) {
  if (text.starts_with("\xff\xfe")) return base::Endian::little;
  if (text.starts_with("\xfe\xff")) return base::Endian::big;
  return std::nullopt;
}

// As editors and shells of Windows write it; strict readers take neither.
std::string_view without_mark(base::Bytes bytes, SymFile& file) {
  std::string_view text = base::text_of(bytes);
  if (text.starts_with(kUtf8Mark)) text.remove_prefix(kUtf8Mark.size());
  const auto endian = find_utf16(text);
  if (!endian) return text;
  auto utf8 = base::utf8_from_utf16(bytes.subspan(2), *endian);
  if (!utf8) return text;
  file.converted = std::make_shared<const std::string>(std::move(*utf8));
  return *file.converted;
}

}  // namespace

SymFile read(base::Bytes bytes, Reading reading, unsigned threads) {
  SymFile file;
  std::string_view text = base::text_of(bytes);
  if (reading == Reading::kLenient) text = without_mark(bytes, file);
  const std::size_t last_newline = text.rfind('\n');
  const std::size_t whole = last_newline == std::string_view::npos ? 0 : last_newline + 1;
  const bool cut_short = text.size() - whole > 0 && text.size() - whole <= kMaxLineSize;
  if (cut_short && reading == Reading::kLenient) {
    file.last_line = std::make_shared<const std::string>(std::string(text.substr(whole)) + "\n");
  }
  text = text.substr(0, whole);

  std::vector<std::string_view> pieces;
  // A bad line ends nothing for the lenient reader: what comes before a piece counts in it.
  const bool is_strict = reading == Reading::kStrict;
  if (!text.empty()) pieces = cut(text, is_strict ? threads : 1);
  std::vector<PartReader> readers;
  readers.reserve(pieces.size());
  for (const std::string_view piece : pieces) readers.emplace_back(piece, readers.empty(), reading);
  base::parallel_for(readers.size(), threads, [&](std::size_t i) { readers[i].read(); });
  if (file.last_line != nullptr && !readers.empty()) readers.back().read(*file.last_line);

  if (!readers.empty()) {
    file.has_module = readers[0].has_module();
    file.module = readers[0].module();
  }
  for (const PartReader& reader : readers) {
    file.skipped_lines += reader.skipped();
    file.older_inlines |= reader.older_inlines();
    if (reader.corrupt_at() != nullptr && !file.corrupt) {
      file.corrupt = true;
      file.problem = problem_at(text, reader.corrupt_at());
    }
  }
  if (reading == Reading::kStrict && !file.corrupt && (cut_short || bytes.empty())) {
    file.corrupt = true;
    file.problem = bytes.empty() ? "the file is empty" : "the last line has no newline";
  }
  if (file.corrupt && find_utf16(base::text_of(bytes))) {
    file.problem = "the text is UTF-16; symbol files are UTF-8";
  }
  if (file.corrupt && base::text_of(bytes).starts_with(kUtf8Mark)) {
    file.problem = "the text begins with a byte order mark; symbol files begin with MODULE";
  }
  if (file.corrupt) return file;
  file.parts.reserve(readers.size());
  for (PartReader& reader : readers) file.parts.push_back(reader.take());
  return file;
}

}  // namespace breakpad
