#include "symbols/index_rows.h"

#include <limits>

#include "symbols/byte_writer.h"
#include "symbols/index_format.h"

namespace symbols {
namespace {

constexpr std::uint64_t kWorkPerChunk = 16 * 1024;  // lines and inlined calls, about

// Writes rows into blocks. Every block starts from a known state, so that a reader can begin
// at any of them.
class RowEncoder {
 public:
  explicit RowEncoder(RowChunk& chunk) : chunk_(chunk) {}

  void row(std::uint32_t function, const FlatRow& row) {
    begin_row(row.rva, function);
    const std::uint32_t file = row.file == kNoFile ? 0 : row.file + 1;
    if (function != function_) {
      special(row.rva, row.has_line ? index::kSpecialFunction : index::kSpecialFunctionNoLine);
      out_.uleb(function - function_);
      out_.uleb(row.node);
      function_ = function;
      node_ = row.node;
      if (!row.has_line) return;
      out_.uleb(file);
      out_.uleb(row.line);
      file_ = file;
      line_ = row.line;
    } else if (!row.has_line) {
      special(row.rva, index::kSpecialNoLine);
      out_.uleb(row.node);
      node_ = row.node;
    } else {
      plain(row, file);
    }
  }

  void hole(std::uint64_t rva, std::uint32_t after_function) {
    begin_row(rva, after_function);
    special(rva, index::kSpecialHole);
  }

  void finish() { chunk_.rows = out_.take(); }

 private:
  void begin_row(std::uint64_t rva, std::uint32_t function) {
    if (rows_in_block_ == index::kRowsPerBlock || chunk_.blocks.empty()) {
      chunk_.blocks.push_back({rva, out_.size()});
      rows_in_block_ = 0;
      address_ = rva;
      function_ = function;
      node_ = file_ = line_ = 0;
      out_.uleb(function);
    }
    ++rows_in_block_;
  }
  void control(std::uint64_t rva, unsigned kind) {
    const std::uint64_t delta = rva - address_;
    address_ = rva;
    // A delta of 2^62 or more has no room beside the kind. Rows so far apart are a hole's ends,
    // and the block is closed instead: see encode_chunk().
    out_.uleb(delta << 2 | kind);
  }
  void special(std::uint64_t rva, unsigned what) {
    control(rva, index::kRowSpecial);
    out_.uleb(what);
  }
  void plain(const FlatRow& row, std::uint32_t file) {
    const std::uint64_t line = ByteWriter::zigzag(std::int64_t{row.line} - line_);
    if (row.node != node_) {
      control(row.rva, index::kRowNode);
      const std::uint64_t node = ByteWriter::zigzag(std::int64_t{row.node} - node_);
      out_.uleb(node << 1 | (file != file_ ? 1 : 0));
      if (file != file_) out_.uleb(file);
    } else if (file != file_) {
      control(row.rva, index::kRowFile);
      out_.uleb(file);
    } else {
      control(row.rva, index::kRowLine);
    }
    out_.uleb(line);
    node_ = row.node;
    file_ = file;
    line_ = row.line;
  }

  RowChunk& chunk_;
  ByteWriter out_;
  unsigned rows_in_block_ = 0;
  std::uint64_t address_ = 0;
  std::uint32_t function_ = 0;
  std::uint32_t node_ = 0;
  std::uint32_t file_ = 0;
  std::uint32_t line_ = 0;
};

}  // namespace

std::vector<RowChunk> plan_chunks(const Model& model, std::span<const std::uint32_t> order) {
  // Further apart than this, two functions do not share a chunk: see RowEncoder::control().
  constexpr std::uint64_t kMaxReach = 1ull << 60;
  std::vector<RowChunk> chunks;
  std::uint64_t work = kWorkPerChunk;
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    const Function& function = model.functions[order[i]];
    const bool far = i > 0 && function.rva - model.functions[order[i - 1]].rva > kMaxReach;
    if (work >= kWorkPerChunk || far) {
      chunks.emplace_back();
      chunks.back().first = i;
      work = 0;
    }
    ++chunks.back().count;
    work += 1 + std::uint64_t{function.line_count} + function.inline_count;
  }
  return chunks;
}

void encode_chunk(const Model& model, std::span<const std::uint32_t> order, RowChunk& chunk) {
  Flattener flattener;
  RowEncoder encoder(chunk);
  chunk.first_node.reserve(chunk.count);
  for (std::uint32_t i = chunk.first; i < chunk.first + chunk.count; ++i) {
    const Function& function = model.functions[order[i]];
    flattener.flatten(model, function);
    chunk.first_node.push_back(static_cast<std::uint32_t>(chunk.nodes.size()));
    chunk.nodes.insert(chunk.nodes.end(), flattener.nodes().begin(), flattener.nodes().end());
    for (const FlatRow& row : flattener.rows()) encoder.row(i, row);
    const std::uint64_t last = function.rva + (function.size - 1);
    const bool is_last = i + 1 == order.size();
    if (is_last && last == std::numeric_limits<std::uint64_t>::max()) continue;
    if (is_last || model.functions[order[i + 1]].rva != last + 1) encoder.hole(last + 1, i);
  }
  encoder.finish();
}

}  // namespace symbols
