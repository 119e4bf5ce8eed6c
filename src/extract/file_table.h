// The source files of a Model, each path once, in order of first use.
// Belongs to one thread; the model must outlive it.
#pragma once

#include <string_view>
#include <unordered_map>

#include "symbols/model.h"

namespace extract {

class FileTable {
 public:
  explicit FileTable(symbols::Model& model) : model_(model) {}

  symbols::FileId id_of(std::string_view path) {
    const auto found = ids_.find(path);
    if (found != ids_.end()) return found->second;
    const symbols::StringId text = model_.strings.intern(path);
    const auto id = static_cast<symbols::FileId>(model_.files.size());
    model_.files.push_back(text);
    ids_.emplace(model_.strings[text], id);
    return id;
  }

 private:
  symbols::Model& model_;
  std::unordered_map<std::string_view, symbols::FileId> ids_;
};

}  // namespace extract
