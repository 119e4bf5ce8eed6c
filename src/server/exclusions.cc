#include "server/exclusions.h"

#include <algorithm>

#include "base/file.h"
#include "base/text.h"

namespace server {

using base::Result;

namespace {

constexpr std::chrono::minutes kReadEvery{30};
constexpr std::uint64_t kFileSizeMax = 1 << 20;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

char folded(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::vector<std::string> exclusions_in(std::string_view ini) {
  if (ini.starts_with(kByteOrderMark)) ini.remove_prefix(kByteOrderMark.size());
  std::vector<std::string> wildcards;
  bool is_ours = false;
  for (const std::string_view part : base::split(ini, '\n')) {
    const std::string_view line = base::trim(part);
    if (line.starts_with('[')) {
      is_ours = base::equal_ignoring_case(line, "[exclusions]");
    } else if (is_ours && !line.empty() && !line.starts_with(';')) {
      wildcards.emplace_back(line);
    }
  }
  return wildcards;
}

// After a mismatch the last * takes one letter more: no recursion, at most name × wildcard steps.
bool matches_wildcard(std::string_view name, std::string_view wildcard) {
  std::size_t at = 0, in = 0;
  std::size_t star = std::string_view::npos, star_at = 0;
  while (at < name.size()) {
    if (in < wildcard.size() && wildcard[in] == '*') {
      star = in++;
      star_at = at;
    } else if (in < wildcard.size() &&
               (wildcard[in] == '?' || folded(wildcard[in]) == folded(name[at]))) {
      ++in;
      ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++star_at;
    } else {
      return false;
    }
  }
  return wildcard.find_first_not_of('*', in) == std::string_view::npos;
}

Result<std::shared_ptr<Exclusions>> Exclusions::open(const std::string& path,
                                                     Clock::time_point now) {
  auto exclusions = std::make_shared<Exclusions>(path);
  TRY(exclusions->reread(now));
  return exclusions;
}

bool Exclusions::excludes(std::string_view name) const {
  std::shared_ptr<const std::vector<std::string>> wildcards;
  {
    const std::lock_guard lock(mutex_);
    wildcards = wildcards_;
  }
  return std::any_of(wildcards->begin(), wildcards->end(),
                     [&](const std::string& wildcard) { return matches_wildcard(name, wildcard); });
}

bool Exclusions::is_due(Clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  return !path_.empty() && now - read_at_ >= kReadEvery;
}

Result<void> Exclusions::reread(Clock::time_point now) {
  const Result<std::string> text =
      path_.empty() ? Result<std::string>(std::string()) : base::read_file(path_, kFileSizeMax);
  const std::lock_guard lock(mutex_);
  read_at_ = now;  // of a failure, too: it is not tried every minute
  if (!text.ok()) return text.error();
  wildcards_ = std::make_shared<const std::vector<std::string>>(exclusions_in(*text));
  ++times_read_;
  return {};
}

}  // namespace server
