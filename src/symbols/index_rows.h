// Flattened functions → the row blocks, block keys and inline nodes of an index.
// Work is cut into chunks of consecutive functions at places that depend only on the Model, so
// the bytes do not depend on the number of threads.
// Format: docs/formats/symbol-index.md, "Rows"
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "symbols/flatten.h"
#include "symbols/model.h"

namespace symbols {

struct RowBlock {
  std::uint64_t start = 0;   // address of its first row
  std::uint64_t offset = 0;  // into the rows
};

struct RowChunk {
  std::uint32_t first = 0;  // into the order of functions
  std::uint32_t count = 0;
  std::vector<std::uint8_t> rows;
  std::vector<RowBlock> blocks;  // offsets count from the chunk's rows
  std::vector<FlatNode> nodes;
  std::vector<std::uint32_t> first_node;  // for each function, into `nodes`
};

std::vector<RowChunk> plan_chunks(const Model& model, std::span<const std::uint32_t> order);
void encode_chunk(const Model& model, std::span<const std::uint32_t> order, RowChunk& chunk);

}  // namespace symbols
