#include "extract/symbols_from_frames.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/pool.h"
#include "formats/dwarf/line_table.h"

namespace extract {
namespace {

using dwarf::FrameRow;
using dwarf::FrameRule;
using namespace std::string_view_literals;

constexpr std::array kX86_64{"$rax"sv, "$rdx"sv, "$rcx"sv, "$rbx"sv, "$rsi"sv, "$rdi"sv,
                             "$rbp"sv, "$rsp"sv, "$r8"sv,  "$r9"sv,  "$r10"sv, "$r11"sv,
                             "$r12"sv, "$r13"sv, "$r14"sv, "$r15"sv, "$rip"sv};
constexpr std::array kX86{"$eax"sv, "$ecx"sv, "$edx"sv, "$ebx"sv, "$esp"sv,
                          "$ebp"sv, "$esi"sv, "$edi"sv, "$eip"sv};
constexpr std::array kArm{"r0"sv, "r1"sv, "r2"sv,  "r3"sv, "r4"sv,  "r5"sv, "r6"sv, "r7"sv,
                          "r8"sv, "r9"sv, "r10"sv, "fp"sv, "r12"sv, "sp"sv, "lr"sv, "pc"sv};
constexpr std::array kArm64{"x0"sv,  "x1"sv,  "x2"sv,  "x3"sv,  "x4"sv,  "x5"sv,  "x6"sv,  "x7"sv,
                            "x8"sv,  "x9"sv,  "x10"sv, "x11"sv, "x12"sv, "x13"sv, "x14"sv, "x15"sv,
                            "x16"sv, "x17"sv, "x18"sv, "x19"sv, "x20"sv, "x21"sv, "x22"sv, "x23"sv,
                            "x24"sv, "x25"sv, "x26"sv, "x27"sv, "x28"sv, "x29"sv, "x30"sv, "sp"sv};

// A piece being made, with its texts numbered as they come.
struct Piece : FrameRules::Piece {
  std::unordered_map<std::string, std::uint32_t> ids;

  std::uint32_t id_of(const std::string& text) {
    const auto [found, fresh] = ids.try_emplace(text, static_cast<std::uint32_t>(texts.size()));
    if (fresh) texts.push_back(text);
    return found->second;
  }
};

class EntryWriter {
 public:
  EntryWriter(const FramesInput& input, const dwarf::FrameCommon& common,
              const dwarf::FrameEntry& entry, base::Endian endian, Piece& piece)
      : input_(input), common_(common), entry_(entry), endian_(endian), piece_(piece) {}

  void add(const FrameRow& row);
  void finish() { close(entry_.start + entry_.size); }

 private:
  std::string text_of(const FrameRule& rule) const {
    return rule_text(rule, input_.registers, endian_, common_.address_size);
  }
  std::string cfa_text(const FrameRule& rule) const {
    if (rule.kind != FrameRule::Kind::value_expression) return text_of(rule);
    return postfix_of(rule.expression, input_.registers, false, endian_, common_.address_size);
  }
  bool write_full(const FrameRow& row);
  bool write_changes(const FrameRow& row);
  bool append_rule(std::uint32_t reg, const FrameRule& rule, bool must_say);
  void append(std::string_view target, std::string_view rule) {
    if (!text_.empty()) text_ += ' ';
    text_.append(target).append(": ").append(rule);
  }
  void close(std::uint64_t end);

  const FramesInput& input_;
  const dwarf::FrameCommon& common_;
  const dwarf::FrameEntry& entry_;
  base::Endian endian_;
  Piece& piece_;
  bool open_ = false;
  FrameRow last_;
  std::string text_;
};

void EntryWriter::add(const FrameRow& row) {
  text_.clear();
  const bool said = open_ ? write_changes(row) : write_full(row);
  if (!said) return close(row.address);
  if (!open_) {
    symbols::CfiRange range;
    range.rva = row.address - input_.image_base;
    range.rules = piece_.id_of(text_);
    range.first_row = static_cast<std::uint32_t>(piece_.rows.size());
    piece_.ranges.push_back(range);
    open_ = true;
  } else if (!text_.empty()) {
    piece_.rows.push_back({row.address - input_.image_base, piece_.id_of(text_)});
  }
  last_ = row;
}

void EntryWriter::close(std::uint64_t end) {
  if (!open_) return;
  open_ = false;
  symbols::CfiRange& range = piece_.ranges.back();
  range.size = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(end - input_.image_base - range.rva, 0xffffffff));
  range.row_count = static_cast<std::uint32_t>(piece_.rows.size()) - range.first_row;
}

// A first row needs .cfa and .ra. Without a rule the return address is still in its register, as
// in a leaf function on ARM.
bool EntryWriter::write_full(const FrameRow& row) {
  const std::string cfa = cfa_text(row.cfa);
  if (cfa.empty()) return false;
  append(".cfa", cfa);
  const std::uint32_t ra = common_.return_register;
  FrameRule ra_rule = ra < dwarf::kMaxRegister ? row.registers[ra] : FrameRule{};
  if (ra_rule.kind == FrameRule::Kind::unspecified) {
    ra_rule = {FrameRule::Kind::register_, ra, 0, {}};
  }
  if (!append_rule(ra, ra_rule, true)) return false;
  for (std::uint32_t reg = 0; reg < input_.registers.names.size(); ++reg) {
    if (reg != ra && !append_rule(reg, row.registers[reg], false)) return false;
  }
  return true;
}

bool EntryWriter::write_changes(const FrameRow& row) {
  if (!(row.cfa == last_.cfa)) {
    const std::string cfa = cfa_text(row.cfa);
    if (cfa.empty()) return false;
    append(".cfa", cfa);
  }
  const std::uint32_t ra = common_.return_register;
  for (std::uint32_t reg = 0; reg < input_.registers.names.size(); ++reg) {
    const bool changed = !(row.registers[reg] == last_.registers[reg]);
    FrameRule rule = row.registers[reg];
    if (reg == ra && rule.kind == FrameRule::Kind::unspecified) {
      rule = {FrameRule::Kind::register_, ra, 0, {}};
    }
    if (changed && !append_rule(reg, rule, true)) return false;
  }
  return true;
}

// `must_say`: also that a register keeps its value, since an earlier row said otherwise.
bool EntryWriter::append_rule(std::uint32_t reg, const FrameRule& rule, bool must_say) {
  using Kind = FrameRule::Kind;
  const std::string_view name = input_.registers.name_of(reg);
  const bool is_ra = reg == common_.return_register;
  if (name.empty()) return true;
  switch (rule.kind) {
    case Kind::unspecified:
    case Kind::same_value:
      if (must_say || rule.kind == Kind::same_value) append(is_ra ? ".ra" : name, name);
      return true;
    case Kind::undefined:
      // For the return address it means that this is the outermost frame. Other registers are
      // lost, which is what saying nothing means to a reader but for the callee-saved ones.
      if (is_ra || must_say) append(is_ra ? ".ra" : name, ".undef");
      return true;
    default:
      break;
  }
  const std::string text = text_of(rule);
  if (text.empty()) return false;
  append(is_ra ? ".ra" : name, text);
  return true;
}

void convert(const FramesInput& input, std::size_t first, std::size_t last, base::Endian endian,
             Piece& piece) {
  FrameRow scratch;
  for (std::size_t i = first; i < last; ++i) {
    const dwarf::FrameEntry& entry = input.table.entries()[i];
    if (entry.start < input.image_base || !dwarf::is_in(input.code, entry.start)) continue;
    const dwarf::FrameCommon& common = input.table.commons()[entry.common];
    EntryWriter writer(input, common, entry, endian, piece);
    input.table.run(entry, scratch, [&](const FrameRow& row) { writer.add(row); });
    writer.finish();
  }
}

}  // namespace

RegisterNames register_names(std::string_view arch) {
  if (arch == "x86_64") return {kX86_64};
  if (arch == "x86") return {kX86};
  if (arch == "arm") return {kArm};
  if (arch == "arm64") return {kArm64};
  return {};
}

std::string rule_text(const FrameRule& rule, const RegisterNames& registers, base::Endian endian,
                      std::uint8_t address_size) {
  using Kind = FrameRule::Kind;
  switch (rule.kind) {
    case Kind::offset:
      return ".cfa " + std::to_string(rule.offset) + " + ^";
    case Kind::value_offset:
      return ".cfa " + std::to_string(rule.offset) + " +";
    case Kind::register_offset: {
      const std::string_view name = registers.name_of(rule.reg);
      return name.empty() ? "" : std::string(name) + " " + std::to_string(rule.offset) + " +";
    }
    case Kind::register_:
      return std::string(registers.name_of(rule.reg));
    case Kind::expression: {
      const std::string place = postfix_of(rule.expression, registers, true, endian, address_size);
      return place.empty() ? "" : place + " ^";
    }
    case Kind::value_expression:
      return postfix_of(rule.expression, registers, true, endian, address_size);
    case Kind::unspecified:
    case Kind::undefined:
    case Kind::same_value:
      return {};
  }
  return {};
}

FrameRules convert_frames(const FramesInput& input, unsigned threads) {
  constexpr std::size_t kEntries = 2048;
  FrameRules rules;
  if (input.registers.names.empty()) return rules;
  const std::size_t count = input.table.entries().size();
  rules.pieces.resize((count + kEntries - 1) / kEntries);
  base::parallel_for(rules.pieces.size(), threads, [&](std::size_t i) {
    Piece piece;
    convert(input, i * kEntries, std::min(count, (i + 1) * kEntries), input.table.endian(), piece);
    rules.pieces[i] = std::move(piece);
  });
  return rules;
}

void add_frames(const FrameRules& rules, symbols::Model& model) {
  // Ranges already there win; those of this table that overlap them, or each other, are left out.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> taken;
  taken.reserve(model.cfi_ranges.size());
  for (const symbols::CfiRange& range : model.cfi_ranges) {
    taken.emplace_back(range.rva, range.rva + range.size);
  }
  std::sort(taken.begin(), taken.end());
  std::uint64_t end = 0;
  std::size_t at = 0;
  for (const FrameRules::Piece& piece : rules.pieces) {
    std::vector<symbols::StringId> ids;
    ids.reserve(piece.texts.size());
    for (const std::string& text : piece.texts) ids.push_back(model.strings.intern(text));
    for (symbols::CfiRange range : piece.ranges) {
      while (at < taken.size() && taken[at].second <= range.rva) ++at;
      const bool overlaps = at < taken.size() && taken[at].first < range.rva + range.size;
      if (range.rva < end || overlaps || range.size == 0) continue;
      end = range.rva + range.size;
      const auto first_row = static_cast<std::uint32_t>(model.cfi_rows.size());
      for (std::uint32_t k = 0; k < range.row_count; ++k) {
        symbols::CfiRow row = piece.rows[range.first_row + k];
        row.rules = ids[row.rules];
        model.cfi_rows.push_back(row);
      }
      range.rules = ids[range.rules];
      range.first_row = first_row;
      model.cfi_ranges.push_back(range);
    }
  }
}

}  // namespace extract
