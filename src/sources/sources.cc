#include "sources/sources.h"

#include <algorithm>
#include <future>

#include "base/log.h"
#include "sources/checksum.h"
#include "sources/path.h"

namespace sources {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr unsigned kMaxWaiting = 256;
// How often a damaged index is asked for again.
constexpr int kProofsMax = 3;

bool is_miss(const Error& error) {
  return error.fault == Fault::not_found || error.fault == Fault::malformed ||
         error.fault == Fault::unsupported;
}

// Whether the file is that of a frame at the address, as symbolication would tell it.
Result<void> check_names(const symbols::Map& map, base::Rva address, std::string_view path) {
  symbols::Hit hit;
  if (!map.find(address, hit)) {
    return Error{Fault::not_found, "the symbols have nothing at this address"};
  }
  const std::string wanted = canonical(path);
  const auto names_it = [&](const symbols::SourceFrame& frame) {
    return frame.has_file && canonical(frame.file) == wanted;
  };
  if (names_it(hit.physical) || std::any_of(hit.inlines.begin(), hit.inlines.end(), names_it)) {
    return {};
  }
  return Error{Fault::not_found, "the symbols do not name this file for this address"};
}

}  // namespace

Result<std::unique_ptr<Sources>> Sources::open(supply::Supply& supply, supply::SymbolMaps& maps,
                                               Uploaded& uploaded, Bundles& bundles,
                                               Options options) {
  Roots roots = TRY(Roots::open(options.directories));
  std::unique_ptr<Web> web = TRY(Web::open(options.web));
  return std::unique_ptr<Sources>(new Sources(supply, maps, uploaded, bundles, std::move(options),
                                              std::move(roots), std::move(web)));
}

Sources::Sources(supply::Supply& supply, supply::SymbolMaps& maps, Uploaded& uploaded,
                 Bundles& bundles, Options options, Roots roots, std::unique_ptr<Web> web)
    : supply_(supply),
      maps_(maps),
      uploaded_(uploaded),
      bundles_(bundles),
      options_(std::move(options)),
      roots_(std::move(roots)),
      web_(std::move(web)),
      lists_(options_.lists),
      pool_(std::make_unique<base::WorkerPool>(options_.threads)) {}

Sources::~Sources() {
  lists_.stop();
  pool_.reset();
}

// The address is the proof. What a damaged index does not name says nothing: it is made again.
Result<void> Sources::prove_address(const Question& question, Clock::time_point deadline) {
  for (int round = 1;; ++round) {
    const auto map = TRY(maps_.wait_for(*question.index, deadline));
    Result<void> proof = check_names(*map, *question.address, question.path);
    if (proof.ok() || !map->is_damaged() || round == kProofsMax) return proof;
  }
}

// The debug file that names the path. Several may be asked: a stripped file names none, but the
// Breakpad text beside it does.
Result<Sources::Module> Sources::prove(const Question& question, Clock::time_point deadline) {
  Error miss{Fault::not_found, "no symbols were asked"};
  for (const ident::SymbolRequest& request : question.symbols) {
    const supply::Found found = supply_.wait_for(request, deadline);
    if (!found.settled()) return Error{Fault::timed_out, "the symbols are still being fetched"};
    if (!found.here()) {
      if (!is_miss(found.miss())) return found.miss();
      miss = found.miss();
      continue;
    }
    auto named = lists_.get(*found.file());
    if (!named.ok()) {
      if (!is_miss(named.error())) return std::move(named).error();
      miss = std::move(named).error();
      continue;
    }
    auto file = (*named)->find(question.path);
    // debuginfod's routes cannot say that a path is relative.
    if (!file && question.path.starts_with('/')) file = (*named)->find(question.path.substr(1));
    if (file) {
      return Module{*named, *file, found.file(), request.scope, request.asked_by};
    }
    miss = {Fault::not_found, (*named)->files().empty() ? "the symbols name no source files at all"
                                                        : "the symbols do not name this file"};
  }
  return miss;
}

// The compiler's own copy.
std::optional<std::string> Sources::find_embedded(const Module& module) const {
  const std::string& format = module.symbols->format;
  if (format != "portable_pdb" && format != "pe") return std::nullopt;
  const auto file = base::MappedFile::open(module.symbols->path);
  if (!file.ok()) return std::nullopt;
  auto text = extract::embedded_source((*file)->bytes(), module.file.path, options_.file_size_max);
  if (text.ok()) return std::move(*text);
  if (text.error().fault != Fault::not_found) {
    base::log::info("{}: {}", module.symbols->name, text.error().what);
  }
  return std::nullopt;
}

// What another symbol server may be asked for: by the build id, which a file of ELF lists first.
std::optional<Wanted> Sources::wanted_of_others(const Module& module) const {
  const auto& ids = module.named == nullptr ? std::vector<std::string>() : module.named->ids();
  std::string path = canonical(module.file.path);
  if (!options_.others.may_ask || module.symbols->format != "elf" || ids.empty() ||
      ids.front().size() % 2 != 0 || !path.starts_with('/')) {
    return std::nullopt;
  }
  Wanted wanted{module.scope.project, ids.front(), std::move(path),
                std::string(module.file.checksum), module.asked_by};
  if (!options_.others.may_ask(wanted)) return std::nullopt;
  return wanted;
}

// What comes too late for who asked is kept for the next one.
Result<std::string> Sources::ask_others(const Wanted& wanted, Clock::time_point deadline) {
  const std::string key = "upstream " + wanted.project + " " + wanted.build_id + " " + wanted.path;
  return web_->fetch_once(key, deadline, [&]() -> Result<std::string> {
    const auto answer = std::make_shared<std::promise<Result<std::string>>>();
    auto coming = answer->get_future();
    options_.others.ask(wanted, deadline, [answer, key, web = web_](Result<std::string> bytes) {
      if (bytes.ok()) web->keep(key, *bytes);
      answer->set_value(std::move(bytes));
    });
    if (coming.wait_until(deadline) != std::future_status::ready) {
      return Error{Fault::timed_out, "an upstream server has not sent this source file yet"};
    }
    return coming.get();
  });
}

// In the order of trust and cost; a place that has trouble does not hide the next one.
Result<Source> Sources::look_for(const Module& module, Clock::time_point deadline) {
  Error reason{Fault::not_found, "the symbols name this file, but nobody has it"};
  bool misfit = false;
  const auto fits = [&](const std::string& bytes, bool& verified) {
    const Fit fit = fit_of(bytes, module.file.checksum);
    verified = fit == Fit::yes;
    misfit = misfit || fit == Fit::no;
    return fit != Fit::no;
  };
  const std::string path(module.file.path);
  bool verified = false;

  if (auto embedded = find_embedded(module); embedded && fits(*embedded, verified)) {
    return Source{std::move(*embedded), path, "embedded", module.symbols->modified, verified};
  }
  const auto uploads = TRY(uploaded_.find_for(module.named->ids(), path));
  for (const UploadedSource& upload : uploads) {
    auto bytes = uploaded_.read(upload, options_.file_size_max);
    if (bytes.ok() && fits(*bytes, verified)) {
      return Source{std::move(*bytes), path, "upload", upload.added_at, verified};
    }
    if (!bytes.ok()) reason = std::move(bytes).error();
  }
  const auto bundles = TRY(bundles_.find_for(module.named->ids(), module.scope));
  for (const store::FileRecord& bundle : bundles) {
    auto bytes = bundles_.read(bundle, path, options_.file_size_max);
    if (bytes.ok() && fits(*bytes, verified)) {
      return Source{std::move(*bytes), path, "bundle", bundle.added_at, verified};
    }
    if (!bytes.ok() && bytes.error().fault != Fault::not_found) reason = std::move(bytes).error();
  }
  if (!roots_.empty()) {
    auto file = roots_.read(path, options_.file_size_max);
    if (file.ok() && fits(file->bytes, verified)) {
      return Source{std::move(file->bytes), path, "directory", file->modified, verified};
    }
    if (!file.ok()) reason = std::move(file).error();
  }
  for (const Provider& provider : options_.providers) {
    auto file = provider({module.named->ids(), path, module.file.checksum, module.scope});
    if (!file.ok()) {
      reason = std::move(file).error();
    } else if (*file && fits((*file)->bytes, verified)) {
      return Source{std::move((*file)->bytes), path, "archive", (*file)->modified, verified};
    }
  }
  if (const auto wanted = wanted_of_others(module)) {
    auto bytes = ask_others(*wanted, deadline);
    if (bytes.ok() && fits(*bytes, verified)) {
      return Source{std::move(*bytes), path, "upstream", {}, verified};
    }
    if (!bytes.ok()) reason = std::move(bytes).error();
  }
  if (const auto location = module.named->locate(path); !location.ok()) {
    if (location.error().fault != Fault::not_found) reason = location.error();
  } else if (!web_->enabled()) {
    reason = {Fault::not_found, "the symbols name a source server, but sources.hosts names none"};
  } else {
    auto bytes = web_->fetch(*location, deadline);
    if (bytes.ok() && fits(*bytes, verified)) {
      return Source{std::move(*bytes), path, "web", {}, verified};
    }
    if (!bytes.ok()) reason = std::move(bytes).error();
  }
  if (misfit) {
    return Error{Fault::not_found,
                 "the file that is there is not the one that was compiled: its checksum differs"};
  }
  return reason;
}

Result<Source> Sources::find(const Question& question, Clock::time_point deadline) {
  if (question.address && question.index) TRY(prove_address(question, deadline));
  const Module module = TRY(prove(question, deadline));
  return look_for(module, deadline);
}

void Sources::ask(Question question, Clock::time_point deadline,
                  std::function<void(Result<Source>)> done) {
  if (waiting_.fetch_add(1) >= kMaxWaiting) {
    --waiting_;
    done(Error{Fault::unavailable, "too many source files are being asked for"});
    return;
  }
  pool_->post([this, question = std::move(question), deadline, done = std::move(done)] {
    // Whoever waited too long behind others has gone.
    if (Clock::now() < deadline) {
      done(find(question, deadline));
    } else {
      done(Error{Fault::timed_out, "too many source files are being asked for"});
    }
    --waiting_;
  });
}

}  // namespace sources
