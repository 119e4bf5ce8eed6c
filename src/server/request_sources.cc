#include "server/request_sources.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "net/origin.h"

namespace server {

using api::TraceLookup;
using base::Error;
using base::Fault;
using base::Result;
using symbolicate::TraceSource;
using Asked = supply::Supply::Options::Asked;
using Clock = supply::Supply::Clock;

namespace {

constexpr std::size_t kHeadersMax = 32;
// Names of projects that people make have none.
constexpr char kMark = '~';
constexpr std::size_t kProjectDigits = 40;
// A stranger's server gets less patience than one of the operator's.
constexpr std::chrono::milliseconds kConnect{5'000};
constexpr std::chrono::milliseconds kStall{30'000};
constexpr std::uint64_t kSpeedMin = 1024;  // bytes a second
constexpr std::chrono::milliseconds kFileTime = std::chrono::minutes(10);
constexpr std::uint64_t kFileMax = 4ull << 30;
constexpr std::size_t kMissesMax = 10'000;

// Everything that makes a source what it is.
std::string project_of(const TraceSource& source, const ident::Scope& scope,
                       std::string_view isolation) {
  base::JsonWriter out;
  out.begin_array();
  for (const std::string_view part :
       {std::string_view(scope.project), std::string_view(scope.include_try ? "try" : ""),
        isolation, std::string_view(source.type), std::string_view(source.url),
        std::string_view(source.bucket), std::string_view(source.region),
        std::string_view(source.endpoint), std::string_view(source.access_key),
        std::string_view(source.secret_key), std::string_view(source.prefix),
        std::string_view(source.layout), std::string_view(source.casing)}) {
    out.string(part);
  }
  out.begin_array();
  for (const auto& [name, value] : source.headers) out.string(name).string(value);
  out.end_array().begin_array();
  for (const std::string& type : source.filetypes.value_or(std::vector<std::string>{})) {
    out.string(type);
  }
  out.end_array().boolean(source.filetypes.has_value()).end_array();
  const std::string hash = base::sha256_of(base::bytes_of(out.text())).hex();
  return kMark + hash.substr(0, kProjectDigits);
}

Result<upstream::Layout> layout_named(std::string_view name) {
  using upstream::Layout;
  constexpr std::array<std::pair<std::string_view, Layout>, 8> kLayouts{{
      {"native", Layout::native},
      {"symstore", Layout::symstore},
      {"symstore_index2", Layout::symstore_two_tier},
      {"ssqp", Layout::ssqp},
      {"unified", Layout::unified},
      {"debuginfod", Layout::debuginfod},
      {"slashsymbols", Layout::slashsymbols},
      {"breakpad", Layout::breakpad},
  }};
  for (const auto& [known, layout] : kLayouts) {
    if (known == name) return layout;
  }
  return Error{Fault::unavailable,
               std::string("sources in the layout ").append(name).append(" are not asked")};
}

upstream::Casing casing_named(std::string_view name) {
  if (name == "lowercase") return upstream::Casing::lower;
  return name == "uppercase" ? upstream::Casing::upper : upstream::Casing::of_layout;
}

// Their words for kinds of files, in ours. Nothing: none of those that we would ask for.
std::optional<std::vector<std::string>> kinds_of(const TraceSource& source) {
  std::vector<std::string> kinds;
  if (!source.filetypes) return kinds;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kKinds{{
      {"pe", "pe"},
      {"pdb", "pdb"},
      {"portablepdb", "pdb"},
      {"mach_debug", "macho"},
      {"mach_code", "macho"},
      {"elf_debug", "elf"},
      {"elf_code", "elf"},
      {"breakpad", "breakpad"},
  }};
  for (const auto& [theirs, ours] : kKinds) {
    const auto& types = *source.filetypes;
    if (std::find(types.begin(), types.end(), theirs) != types.end()) kinds.emplace_back(ours);
  }
  if (kinds.empty()) return std::nullopt;
  return kinds;
}

bool is_header(const std::string& name, const std::string& value) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; };
  return !name.empty() && name.find(':') == std::string::npos &&
         std::none_of(name.begin(), name.end(), is_control) &&
         std::none_of(value.begin(), value.end(), is_control);
}

Result<std::string> location_of(const TraceSource& source) {
  if (source.type == "filesystem") {
    return Error{Fault::denied, "no files of this machine are read for requests"};
  }
  if (source.type == "http") {
    std::string url = net::with_lower_scheme(source.url);
    if (url.starts_with("http://") || url.starts_with("https://")) return url;
    return Error{Fault::denied, "the url of the source is neither http:// nor https://"};
  }
  if (source.type != "s3") {
    return Error{Fault::unavailable, "sources of the type " + source.type + " are not asked"};
  }
  std::string location = "s3://" + source.bucket;
  if (!source.prefix.empty()) location.append("/").append(source.prefix);
  return location;
}

// Debuginfod's places begin with "buildid/", which Symbolicator has in the url.
std::string without_build_id(std::string location, upstream::Layout layout) {
  if (layout != upstream::Layout::debuginfod) return location;
  while (location.ends_with('/')) location.pop_back();
  constexpr std::string_view kEnd = "/buildid";
  if (location.ends_with(kEnd)) location.resize(location.size() - kEnd.size());
  return location;
}

Error disk_is_nearly_full() {
  return {Fault::unavailable, "the disk is nearly full: nothing is fetched"};
}

}  // namespace

RequestSources::RequestSources(ingest::FetchedFiles& files, store::DiskWatch& disk, Options options)
    : files_(files),
      disk_(disk),
      options_(std::move(options)),
      pool_(std::make_unique<base::WorkerPool>(options_.threads)) {}

TraceLookup RequestSources::admit(const TraceSource& source, const ident::Scope& scope,
                                  std::string_view isolation) {
  TraceLookup lookup;
  lookup.source = source.id;
  lookup.location = source.url.empty() ? source.bucket : source.url;
  if (!lookup.location.ends_with('/')) lookup.location += '/';
  lookup.patterns = source.path_patterns;
  lookup.requires_checksum = source.requires_checksum;
  lookup.is_foreign = true;
  lookup.scope.project = project_of(source, scope, isolation);
  const auto kept = keep(lookup.scope.project, source);
  if (!kept.ok()) lookup.refusal = kept.error();
  return lookup;
}

Result<void> RequestSources::keep(const std::string& project, const TraceSource& source) {
  if (!options_.is_open) {
    return Error{Fault::denied, "this server asks no sources that requests name"};
  }
  if (is_known(project)) return {};
  upstream::ServerOptions server;
  server.transport.location = TRY(location_of(source));
  server.layout = TRY(layout_named(source.layout));
  server.casing = casing_named(source.casing);
  server.transport.location = without_build_id(server.transport.location, server.layout);
  server.name = source.id.empty() ? "a request's source" : source.id;
  server.projects = {project};
  const auto kinds = kinds_of(source);
  if (!kinds) return Error{Fault::not_found, "it has no kind of file that is asked for"};
  server.kinds = *kinds;
  server.misses_max = kMissesMax;
  server.has_room = [&disk = disk_] { return disk.may_extract(); };
  server.bars = options_.bars;
  if (source.headers.size() > kHeadersMax) return Error{Fault::denied, "too many headers"};
  for (const auto& [name, value] : source.headers) {
    if (!is_header(name, value)) return Error{Fault::denied, "a header of the source is none"};
  }
  server.transport.headers = source.headers;
  server.transport.is_strangers = true;
  server.transport.private_addresses = options_.private_addresses;
  server.transport.connect_timeout = kConnect;
  server.transport.stall_timeout = kStall;
  server.transport.speed_min = kSpeedMin;
  server.transport.total_timeout = kFileTime;
  server.transport.size_max = kFileMax;
  server.transport.s3.endpoint = source.endpoint;
  if (!source.region.empty()) server.transport.s3.region = source.region;
  server.transport.s3.credentials.access_key = source.access_key;
  server.transport.s3.credentials.secret_key = source.secret_key;
  auto made = upstream::Server::make(server);
  if (!made.ok()) return Error{Fault::unavailable, made.error().what};
  std::vector<std::unique_ptr<upstream::Server>> servers;
  servers.push_back(std::move(*made));
  auto fresh = std::make_shared<Source>(project, std::move(servers), options_.tmp);

  Entries gone;  // and their connections closed, after the lock
  const std::lock_guard lock(mutex_);
  if (find(project)) return {};
  gone = take_idle();
  if (entries_.size() >= options_.sources_max) {
    return Error{Fault::unavailable, "too many sources are in use: ask again"};
  }
  fresh->used_at = Clock::now();
  entries_.push_front(std::move(fresh));
  by_project_.emplace(project, entries_.begin());
  return {};
}

bool RequestSources::is_in_use(const Source& source) const {
  return source.threads > 0 || Clock::now() - source.used_at < options_.use_time;
}

// Those that make room for one more, as far as nobody uses them.
RequestSources::Entries RequestSources::take_idle() {
  Entries idle;
  for (auto at = entries_.end(); at != entries_.begin() && entries_.size() >= options_.idle_max;) {
    const auto last = std::prev(at);
    if (is_in_use(**last)) {
      at = last;
      continue;
    }
    by_project_.erase((*last)->project);
    idle.splice(idle.end(), entries_, last);
  }
  return idle;
}

std::shared_ptr<RequestSources::Source> RequestSources::find(const std::string& project) {
  const auto at = by_project_.find(project);
  if (at == by_project_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, at->second);
  entries_.front()->used_at = Clock::now();
  return entries_.front();
}

bool RequestSources::is_known(const std::string& project) {
  const std::lock_guard lock(mutex_);
  return find(project) != nullptr;
}

bool RequestSources::is_about(const ident::SymbolRequest& request) {
  return request.scope.project.starts_with(kMark);
}

bool RequestSources::may_ask(const ident::SymbolRequest& request) {
  std::shared_ptr<Source> source;
  {
    const std::lock_guard lock(mutex_);
    source = find(request.scope.project);
  }
  return source && source->upstreams.may_have(request);
}

void RequestSources::ask(const ident::SymbolRequest& request,
                         const supply::Supply::Options::Hearer& hearer) {
  Asked refusal{false, {Fault::unavailable, "the source is not asked any more"}, Clock::now()};
  {
    const std::lock_guard lock(mutex_);
    const std::shared_ptr<Source> source = find(request.scope.project);
    if (source && pool_ && waiting_ < options_.waiting_max) {
      ++waiting_;
      source->waiting.push_back({request, hearer});
      if (source->threads == options_.threads_each) return;
      ++source->threads;
      return pool_->post([this, source] { serve(source); });
    }
    if (source && pool_) {
      refusal.miss.what = "too many files are waited for from sources of requests";
      refusal.until += base::policy_of(Fault::unavailable).remember;
    }
  }
  hearer.done(refusal);
}

// One file; then it is the other sources' turn.
void RequestSources::serve(const std::shared_ptr<Source>& source) {
  std::optional<Wish> wish;
  {
    const std::lock_guard lock(mutex_);
    if (!source->waiting.empty()) {
      wish = std::move(source->waiting.front());
      source->waiting.pop_front();
      --waiting_;
    }
  }
  if (wish) wish->hearer.done(fetch(*source, wish->request));
  const std::lock_guard lock(mutex_);
  if (pool_ && !source->waiting.empty()) return pool_->post([this, source] { serve(source); });
  --source->threads;
}

Asked RequestSources::fetch(Source& source, const ident::SymbolRequest& request) {
  const auto now = Clock::now();
  if (!disk_.may_cache()) {
    return {false, disk_is_nearly_full(), now + base::policy_of(Fault::unavailable).remember};
  }
  const auto missed = source.upstreams.fetch(request, [&](upstream::Fetched fetched) {
    ingest::FetchedFile file{std::move(fetched.file), std::move(fetched.place.name),
                             std::move(fetched.from), fetched.place.is_cabinet, false};
    return files_.keep(std::move(file), request);
  });
  if (const auto* miss = std::get_if<upstream::Missed>(&missed)) {
    return {false, miss->error, miss->until};
  }
  return {true, {}, now};
}

void RequestSources::stop() {
  std::unique_ptr<base::WorkerPool> pool;
  std::vector<Wish> left;
  {
    const std::lock_guard lock(mutex_);
    left.reserve(waiting_);
    for (const auto& source : entries_) {  // all that are asked are among them
      source->upstreams.stop();
      for (Wish& wish : source->waiting) left.push_back(std::move(wish));
      source->waiting.clear();
    }
    waiting_ = 0;
    pool = std::move(pool_);
  }
  for (const Wish& wish : left) {
    wish.hearer.done({false, {Fault::unavailable, "the server stops"}, Clock::now()});
  }
  pool.reset();  // ends what is under way
}

}  // namespace server
