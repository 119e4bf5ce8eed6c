#include "sources/named_lists.h"

#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/log.h"

namespace sources {

using base::Error;
using base::Fault;
using base::Result;

using Shared = std::shared_ptr<const NamedFiles>;

Result<void> list_sources(const std::string& in, const std::string& out) {
  const auto file = TRY(base::MappedFile::open(in));
  const extract::SourceFiles found = TRY(extract::source_files(file->bytes()));
  const std::string text = NamedFiles::text_of(found);
  return base::write_file_durably(out, base::bytes_of(text));
}

Lister list_in_child(std::string program, const supply::ExtractLimits& limits) {
  return [program = std::move(program), limits](const std::string& in, const std::string& out,
                                                const std::atomic<bool>& stop) -> Result<void> {
    base::ChildLimits child;
    child.wall = std::chrono::seconds(limits.seconds_max);
    child.cpu_seconds_max = limits.seconds_max;
    child.data_bytes_max = limits.memory_bytes_max;
    child.file_bytes_max = NamedFiles::kMaxSize;
    child.stop = &stop;
    const base::ChildEnd end =
        TRY(base::run_child(program, {"faultline", "list-sources", in, out}, child));
    if (end.ok()) return {};
    if (stop) return Error{Fault::unavailable, "the server stops"};
    return supply::error_of_child(end, "the source files that the symbols name");
  };
}

std::string NamedLists::path_of(const std::string& name) const {
  return base::join_path(options_.directory, "v1/" + name.substr(0, 2) + "/" + name + ".src");
}

Shared NamedLists::find_kept(const std::string& name) {
  for (auto at = kept_.begin(); at != kept_.end(); ++at) {
    if (at->name != name) continue;
    kept_.splice(kept_.begin(), kept_, at);
    return kept_.front().files;
  }
  return nullptr;
}

Result<Shared> NamedLists::load_or_make(const std::string& name, const std::string& debug_path) {
  const std::string path = path_of(name);
  if (auto text = base::read_file(path, NamedFiles::kMaxSize); text.ok()) {
    auto parsed = NamedFiles::parse(std::move(*text));
    if (parsed.ok()) return Shared(std::make_shared<const NamedFiles>(std::move(*parsed)));
    base::log::warning("{}: {}; it is made again", path, parsed.error().what);
  }
  base::PendingFile file = TRY(base::PendingFile::create(options_.tmp));
  TRY(options_.lister(debug_path, file.path(), stopping_));
  std::string text = TRY(base::read_file(file.path(), NamedFiles::kMaxSize));
  TRY(base::write_file_durably(path, base::bytes_of(text)));
  NamedFiles parsed = TRY(NamedFiles::parse(std::move(text)));
  return Shared(std::make_shared<const NamedFiles>(std::move(parsed)));
}

Result<Shared> NamedLists::get(const supply::Supplied& debug_file) {
  const std::string& name = debug_file.content_tag;
  {
    std::unique_lock lock(mutex_);
    made_.wait(lock, [&] { return !flights_.contains(name); });
    if (Shared kept = find_kept(name)) return kept;
    flights_.insert(name);
  }
  auto made = load_or_make(name, debug_file.path);
  const std::lock_guard lock(mutex_);
  flights_.erase(name);
  made_.notify_all();
  if (!made.ok()) return made;
  kept_.push_front({name, *made});
  memory_ += (*made)->size_in_memory();
  while (memory_ > options_.memory_max && kept_.size() > 1) {
    memory_ -= kept_.back().files->size_in_memory();
    kept_.pop_back();
  }
  return made;
}

}  // namespace sources
