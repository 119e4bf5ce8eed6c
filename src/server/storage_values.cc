// What the page /settings/storage shows: the directories of the data directory, and the trees of
// others that we write into.
#include <algorithm>

#include "base/text.h"
#include "server/settings_values.h"
#include "server/tree_size.h"

namespace server {

namespace {

constexpr std::int64_t kTimeToLook = 3'000'000;  // for all of them, in microseconds

class Directories {
 public:
  explicit Directories(const SettingsRooms& rooms) : rooms_(rooms) {}

  std::vector<ui::StorageRow> rows() {
    add_ours();
    add_what_can_be_had_again();
    add_passing();
    add_trees_of_others();
    return std::move(rows_);
  }

 private:
  std::string ours(std::string_view name) const {
    return base::join_path(rooms_.data.path(), name);
  }
  ui::StorageRow& add(std::string what, const std::string& path, std::string goes) {
    const TreeSize size = measure_tree(path, until_);
    ui::StorageRow row;
    row.what = std::move(what);
    row.path = path;
    row.goes = std::move(goes);
    row.files = size.files;
    row.bytes = size.bytes;
    row.is_whole = size.is_whole;
    row.oldest = size.oldest;
    row.unused_since = size.unused_since;
    return rows_.emplace_back(std::move(row));
  }

  void add_ours() {
    add("Uploads, reports and their sources", rooms_.data.blobs(),
        "when nothing names it any more: by retention or a purge");
    if (base::file_exists(ours("faultline.db"))) {
      add("Database", ours("faultline.db"), "never");
      add("Its log", ours("faultline.db-wal"), "its place is used again");
    }
  }
  void add_what_can_be_had_again() {
    const Options& options = rooms_.options;
    const bool is_shared = options.cache_size != 0;
    const std::string days = options.cache_days == 0
                                 ? ""
                                 : "; of upstream servers, after " +
                                       ui::count_text(options.cache_days, "day", "days") +
                                       " as well";
    ui::StorageRow& copies =
        add("Copies of upstream servers' files and of what lies in watched packages",
            rooms_.data.extracted(), "to make room, what was not used for longest first" + days);
    copies.bytes_max = is_shared ? options.cache_size : rooms_.extracted.budget().size_max;
    copies.is_shared = is_shared;
    ui::StorageRow& derived =
        add("Symbol indexes, and what else is made of files", rooms_.data.index(),
            is_shared ? "to make room, what was not used for longest first" : "never by itself");
    derived.bytes_max = options.cache_size;
    derived.is_shared = is_shared;
    add("Sources of web servers", base::join_path(rooms_.data.cache(), "sources"),
        "to make room, what was not used for longest first")
        .bytes_max = options.sources_cache_size;
  }
  void add_passing() {
    add("Unfinished uploads", rooms_.data.uploads(), "a day after they were begun");
    add("Parts of uploads that wait for the others", ours("partial"), "after a week");
    add("Unfinished files", rooms_.data.tmp(), "at each start");
    if (rooms_.data.tmp_of_kept() != rooms_.data.tmp()) {
      add("Unfinished files of the cache", rooms_.data.tmp_of_kept(), "at each start");
    }
    if (base::file_exists(ours("quarantine"))) {
      add("Damaged files that a repair moved aside", ours("quarantine"), "never by itself");
    }
  }
  // Each cache of upstream servers is asked like a server of its own, before those.
  void add_trees_of_others() {
    std::vector<std::string> trees;
    for (const UpstreamOptions& server : rooms_.options.upstreams) {
      trees.insert(trees.end(), server.copies.begin(), server.copies.end());
    }
    std::vector<std::string> shown;
    for (const UpstreamOptions& server : rooms_.options.upstreams) {
      const bool is_tree = std::find(trees.begin(), trees.end(), server.url) != trees.end();
      const bool is_new = std::find(shown.begin(), shown.end(), server.url) == shown.end();
      if (!is_tree || !is_new) continue;
      shown.push_back(server.url);
      add("Tree of copies: " + server.name, server.url, goes_from(server)).bytes_max =
          server.tree_size_max;
    }
  }
  static std::string goes_from(const UpstreamOptions& tree) {
    std::string words;
    if (tree.tree_days_max != 0) {
      words = "when it was not used for " + ui::count_text(tree.tree_days_max, "day", "days");
    }
    if (tree.tree_size_max != 0) {
      words += words.empty() ? "" : "; ";
      words += "to make room, what was not used for longest first";
    }
    return words.empty() ? "never: it has no bound" : words;
  }

  const SettingsRooms& rooms_;
  const std::int64_t until_ = base::monotonic_us() + kTimeToLook;
  std::vector<ui::StorageRow> rows_;
};

}  // namespace

ui::StoragePage storage_of(const SettingsRooms& rooms) {
  ui::StoragePage shown;
  shown.rows = Directories(rooms).rows();
  shown.disk_free = rooms.disk.free_bytes();
  shown.disk_size = store::disk_size(rooms.data.path());
  shown.disk_state = disk_words(rooms.disk);
  return shown;
}

}  // namespace server
