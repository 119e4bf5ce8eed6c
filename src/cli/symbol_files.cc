#include "cli/symbol_files.h"

#include <fmt/format.h>

#include <map>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/index_cache.h"
#include "ident/paths.h"
#include "net/client.h"
#include "net/percent.h"
#include "symbols/map.h"

namespace cli {
namespace {

bool is_directory(const std::string& path) { return base::file_exists(path + "/."); }

// A dump's names come from strangers: one that would lead out of a tree is nobody's.
bool is_safe_name(std::string_view name) {
  if (name.empty() || name == "." || name == ".." || name.size() > 255) return false;
  return name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

// "MODULE Linux x86_64 ID name" → ID
std::string debug_id_of_text(std::string_view text) {
  const std::string_view line = text.substr(0, std::min(text.find('\n'), std::size_t{4096}));
  const auto words = base::split(line, ' ');
  return words.size() >= 5 && words[0] == "MODULE" ? base::upper_ascii(words[3]) : "";
}

}  // namespace

struct SymbolFiles::State {
  explicit State(SymbolFilesOptions given)
      : options(std::move(given)), indexes(options.index_cache, options.threads) {
    for (const std::string& path : options.paths) {
      if (is_directory(path))
        trees.push_back(path);
      else
        add_single(path);
    }
  }

  void add_single(const std::string& path) {
    const auto file = base::MappedFile::open(path);
    if (!file.ok()) {
      base::log::warning("symbols: {}", file.error().what);
      return;
    }
    std::string id = debug_id_of_text(base::text_of((*file)->bytes()));
    if (id.empty()) {
      const auto map = symbols::Map::open(*file);
      if (map.ok()) id = base::upper_ascii((*map)->info().debug_id.breakpad());
    }
    if (!id.empty()) singles.try_emplace(id, path);
  }

  std::string find_file(const analyze::ModuleKey& key) const {
    if (key.debug_id.empty() || !is_safe_name(key.debug_file)) return "";
    const auto single = singles.find(base::upper_ascii(key.debug_id));
    if (single != singles.end()) return single->second;
    const std::string file = ident::sym_file_name(key.debug_file);
    const std::string relative = key.debug_file + "/" + key.debug_id + "/" + file;
    const std::string loud = key.debug_file + "/" + base::upper_ascii(key.debug_id) + "/" + file;
    for (const std::string& tree : trees) {
      for (const std::string& place : {relative, loud}) {
        std::string path = base::join_path(tree, place);
        if (base::file_exists(path)) return path;
      }
    }
    if (options.urls.empty() || options.cache.empty()) return "";
    std::string cached = base::join_path(options.cache, relative);
    if (base::file_exists(cached)) return cached;
    for (const std::string& url : options.urls) {
      if (download(url, relative, key, cached)) return cached;
    }
    return "";
  }

  // Leaves the file at `target`, with the place it came from as its last record.
  bool download(const std::string& base_url, const std::string& relative,
                const analyze::ModuleKey& key, const std::string& target) const {
    std::string url = net::join_url(base_url, relative);
    if (!key.code_file.empty() && !key.code_id.empty()) {
      url += fmt::format("?code_file={}&code_id={}", net::percent_encode(key.code_file),
                         net::percent_encode(base::upper_ascii(key.code_id)));
    }
    const auto done = try_to_download(url, target);
    if (!done.ok()) base::log::info("symbols: {}: {}", url, done.error().what);
    return done.ok();
  }

  base::Result<void> try_to_download(const std::string& url, const std::string& target) const {
    TRY(base::make_directories(options.temporary));
    auto file = TRY(base::PendingFile::create(options.temporary));
    net::ClientOptions client_options;
    client_options.total_timeout = std::chrono::seconds(options.timeout_seconds);
    net::Client client(client_options);
    std::string first, last;  // bytes of the body
    net::ClientRequest request;
    request.url = url;
    request.on_body = [&](std::string_view piece) -> base::Result<void> {
      if (first.size() < 7) first.append(piece.substr(0, 7 - first.size()));
      if (!piece.empty()) last = piece.back();
      return file.append(base::bytes_of(piece));
    };
    const net::ClientAnswer answer = TRY(client.send(request));
    if (answer.status != 200) {
      return base::Error{base::Fault::not_found, fmt::format("status {}", answer.status)};
    }
    // A login page is no symbol file, whatever its status says.
    if (first != "MODULE ") {
      return base::Error{base::Fault::malformed, "what came is not a Breakpad .sym file"};
    }
    const std::string record = (last == "\n" ? "" : "\n") + std::string("INFO URL ") + url + "\n";
    TRY(file.append(base::bytes_of(record)));
    return file.commit(target);
  }

  const SymbolFilesOptions options;
  const IndexCache indexes;
  std::vector<std::string> trees;
  std::map<std::string, std::string> singles;  // debug id → path
};

SymbolFiles::SymbolFiles(SymbolFilesOptions options)
    : state_(std::make_unique<const State>(std::move(options))) {}

SymbolFiles::~SymbolFiles() = default;

unwind::ModuleSymbols SymbolFiles::find(const analyze::ModuleKey& key) const {
  // Without a place to look, no module counts as missing.
  if (state_->options.paths.empty() && state_->options.urls.empty()) return {};
  const std::string path = state_->find_file(key);
  if (path.empty()) return {unwind::SymbolState::missing, nullptr};
  auto map = state_->indexes.open_symbols(path);
  if (!map.ok()) {
    base::log::warning("symbols: {}", map.error().what);
    return {unwind::SymbolState::missing, nullptr};
  }
  const bool corrupt = (*map)->info().corrupt;
  return {corrupt ? unwind::SymbolState::corrupt : unwind::SymbolState::loaded, std::move(*map)};
}

}  // namespace cli
