#include "handler/crash_page.h"

#include <algorithm>
#include <cstring>
#include <map>

namespace handler {

namespace {

constexpr std::uint64_t kDumpBytesLeast = 64 << 10;
constexpr std::uint64_t kDumpBytesMost = std::uint64_t{2} << 30;

template <std::size_t kSize>
std::string text_of(const char (&array)[kSize]) {
  return {array, ::strnlen(array, kSize)};
}

}  // namespace

base::Result<Settings> settings_of(const client::WirePage& page) {
  if (page.magic != client::kWireMagic || page.version != client::kWireVersion ||
      page.size != sizeof(client::WirePage)) {
    return base::Error{base::Fault::malformed,
                       "the shared page is not one of this handler's version; client library and "
                       "handler must come from one build"};
  }
  const client::WireConfig& config = page.config;
  Settings settings;
  settings.spool = text_of(config.spool);
  settings.url = text_of(config.url);
  settings.product = text_of(config.product);
  settings.version = text_of(config.version);
  settings.build = text_of(config.build);
  settings.channel = text_of(config.channel);
  settings.flags = config.flags;
  settings.max_dump_bytes = std::clamp(config.max_dump_bytes, kDumpBytesLeast, kDumpBytesMost);
  if (settings.spool.empty() || settings.spool.front() != '/') {
    return base::Error{base::Fault::malformed, "the spool directory is not an absolute path"};
  }
  return settings;
}

CrashRequest copy_request(const client::WireCrash& crash) {
  CrashRequest request;
  request.kind = crash.kind;
  request.pid = crash.pid;
  request.tid = crash.tid;
  request.signal_number = crash.signal_number;
  std::copy(std::begin(crash.info), std::end(crash.info), request.info.begin());
  std::copy(std::begin(crash.registers), std::end(crash.registers), request.registers.begin());
  if (crash.has_floats != 0) {
    request.floats.assign(std::begin(crash.floats), std::end(crash.floats));
  }
  request.note = text_of(crash.note);
  return request;
}

std::vector<snapshot::Annotation> copy_annotations(const client::WirePage& page) {
  constexpr std::uint32_t kNamed = 2;
  std::map<std::string, const client::WireAnnotation*> latest;
  for (const client::WireAnnotation& slot : page.annotations) {
    if (slot.state.load() != kNamed) continue;
    const client::WireAnnotation*& place = latest[text_of(slot.key)];
    if (place == nullptr || place->order.load() < slot.order.load()) place = &slot;
  }
  std::vector<snapshot::Annotation> annotations;
  for (const client::WireAnnotation& slot : page.annotations) {
    const auto at = latest.find(text_of(slot.key));
    if (at == latest.end() || at->second != &slot || slot.present.load() == 0) continue;
    annotations.push_back({at->first, text_of(slot.value), ""});
  }
  return annotations;
}

std::vector<snapshot::Annotation> annotations_of(const Settings& settings) {
  std::vector<snapshot::Annotation> annotations;
  const auto add = [&annotations](const char* key, const std::string& value) {
    if (!value.empty()) annotations.push_back({key, value, ""});
  };
  add("prod", settings.product);
  add("ver", settings.version);
  add("build", settings.build);
  add("channel", settings.channel);
  return annotations;
}

}  // namespace handler
