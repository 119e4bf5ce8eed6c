#include "upkeep/derived.h"

#include "base/file.h"
#include "base/text.h"
#include "symbols/index_file.h"

namespace upkeep {

using base::Result;

namespace {

constexpr std::size_t kHeadSize = 4096;  // of a .sym: its first line is far shorter

// "MODULE Linux x86_64 ID name": the fourth word, in lower case.
std::string id_of_text(const std::string& path) {
  const auto head = base::read_head(path, kHeadSize);
  if (!head.ok()) return "";
  const std::string_view text = base::text_of(*head);
  const auto words = base::split(text.substr(0, text.find('\n')), ' ');
  return words.size() > 3 && words[0] == "MODULE" ? base::lower_ascii(words[3]) : "";
}

std::string id_of_index(const std::string& path) {
  auto file = base::MappedFile::open(path);
  if (!file.ok()) return "";
  const auto index = symbols::IndexFile::open(std::move(file).value());
  return index.ok() ? base::lower_ascii((*index)->info().debug_id.breakpad()) : "";
}

}  // namespace

Result<std::vector<std::string>> find_derived(const std::string& data, const base::Sha256& content,
                                              const std::set<std::string>& ids) {
  std::vector<std::string> found;
  const std::string directory = base::join_path(data, "index");
  if (!base::file_exists(directory)) return found;
  const std::vector<std::string> paths = TRY(base::list_files(directory));
  const std::string hex = content.hex();
  for (const std::string& path : paths) {
    std::string id;
    if (path.ends_with(".sym")) id = id_of_text(path);
    if (path.ends_with(".idx")) id = id_of_index(path);
    const bool is_of_it = base::basename_of(path).starts_with(hex);
    if (is_of_it || (!id.empty() && ids.contains(id))) found.push_back(path);
  }
  return found;
}

}  // namespace upkeep
