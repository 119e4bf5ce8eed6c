#include "api/rate_limits.h"

#include <algorithm>
#include <functional>

#include "api/clients.h"
#include "base/clock.h"
#include "base/json.h"
#include "ident/scope.h"

namespace api {

using net::Answer;
using net::Request;

namespace {

constexpr std::size_t kBucketsMax = 10'000;  // in a shard; beyond that those that are full go

// An address without its port: each connection has another one.
std::string address_of(const std::string& peer) { return peer.substr(0, peer.rfind(':')); }

Answer refusal_for(const Request& request, const std::string& what) {
  const Client client = client_of(request);
  if (client != Client::other) {
    return answer_miss(request, {base::Fault::unavailable, what}, "");
  }
  base::JsonWriter out;
  out.begin_object().key("error").string(what).end_object();
  Answer answer = Answer::json(429, out.take());
  answer.headers.set("Retry-After", "1");
  return with_reason(std::move(answer), {base::Fault::unavailable, what});
}

}  // namespace

void RateLimits::use(const Rates& rates) {
  per_address_ = rates.per_address;
  per_token_ = rates.per_token;
  burst_seconds_ = rates.burst_seconds;
  per_project_ = rates.per_project;
}

RateLimits::Rates RateLimits::rates() const {
  return {per_address_, per_token_, burst_seconds_, per_project_};
}

void RateLimits::drop_full(Shard& shard, std::int64_t now_us) const {
  const auto full_after = static_cast<std::int64_t>(burst_seconds_) * 1'000'000;
  std::erase_if(shard.buckets,
                [&](const auto& entry) { return now_us - entry.second.seen_us >= full_after; });
  // More addresses than we can count within a burst: all begin anew.
  if (shard.buckets.size() >= kBucketsMax) shard.buckets.clear();
}

bool RateLimits::take(const std::string& key, std::uint64_t per_second, std::int64_t now_us) {
  const auto rate = static_cast<double>(per_second);
  const double most = rate * static_cast<double>(std::max<std::uint64_t>(burst_seconds_, 1));
  Shard& shard = shards_[std::hash<std::string>()(key) % shards_.size()];
  const std::lock_guard lock(shard.mutex);
  if (shard.buckets.size() >= kBucketsMax) drop_full(shard, now_us);
  const auto [at, is_new] = shard.buckets.try_emplace(key, Bucket{most, now_us});
  Bucket& bucket = at->second;
  const double passed = static_cast<double>(now_us - bucket.seen_us) / 1e6;
  bucket.left = std::min(most, bucket.left + passed * rate);
  bucket.seen_us = now_us;
  if (bucket.left < 1) return false;
  bucket.left -= 1;
  return true;
}

std::optional<Answer> RateLimits::refuse(const Request& request) {
  const Rates rates = this->rates();
  const bool is_limited = rates.per_address != 0 || rates.per_token != 0 || rates.per_project != 0;
  if (!is_limited || is_local(request)) return std::nullopt;
  const std::int64_t now = base::monotonic_us();
  if (rates.per_address != 0 && !take("a" + address_of(request.peer), rates.per_address, now)) {
    return refusal_for(request, "too many requests from this address");
  }
  const std::string shown = rates.per_token == 0 ? "" : token_of(request);
  const std::string secret = shown.substr(0, shown.find('-'));  // whatever label stands behind it
  // The secret itself stays nowhere.
  if (!secret.empty() &&
      !take("t" + std::to_string(std::hash<std::string>()(secret)), rates.per_token, now)) {
    return refusal_for(request, "too many requests with this token");
  }
  if (rates.per_project == 0 || !project_of_) return std::nullopt;
  const std::string project = project_of_(request);
  if (!project.empty() && !take("p" + project, rates.per_project, now)) {
    return refusal_for(request, "too many requests for the project " + project);
  }
  return std::nullopt;
}

std::string project_used(const Request& request, const Gate& gate) {
  const auto scoped = ident::split_scope(request.path);
  const bool is_named = scoped && !scoped->scope.project.empty();
  const bool brings = request.method == net::Method::post || request.method == net::Method::put;
  if (!is_named && !(brings && !token_of(request).empty())) return "";
  const Admission admission = is_named ? gate.admit_read(request) : gate.admit_upload(request);
  const Who* who = std::get_if<Who>(&admission);
  return who == nullptr ? "" : who->project.name;
}

}  // namespace api
