#include "handler/uploader.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "handler/upload_policy.h"

namespace handler {

namespace {

constexpr std::int64_t kLockWaitUs = 30'000'000;
constexpr std::int64_t kLookAgainS = 2;

std::int64_t now_s() { return base::now().us / 1'000'000; }

std::uint32_t throw_dice() {
  std::array<std::uint8_t, 4> bytes;
  base::fill_random(bytes);
  return static_cast<std::uint32_t>(bytes[0] | bytes[1] << 8 | bytes[2] << 16) & 0xffffff;
}

// Another uploader may be about to end and have missed the newest report: wait a little.
base::Result<base::LockFile> acquire(const Spool& spool) {
  const std::string path = base::join_path(spool.path(), "upload.lock");
  const std::string holder = "process " + std::to_string(::getpid());
  const std::int64_t until = base::monotonic_us() + kLockWaitUs;
  for (;;) {
    auto lock = base::LockFile::acquire(path, holder);
    const bool gone = spool.pending().empty();
    if (lock || lock.error().fault != base::Fault::unavailable || gone ||
        base::monotonic_us() > until) {
      return lock;
    }
    ::usleep(100'000);
  }
}

// A power failure can leave a name without its bytes.
bool is_complete(const std::string& path) {
  const auto head = base::MappedFile::open(path);
  return head && base::text_of((*head)->bytes()).starts_with("MDMP");
}

class Uploader {
 public:
  Uploader(const Spool& spool, const UploadOptions& options) : spool_(spool), options_(options) {}

  // Once through the spool. False when the disk does not let us note what happened.
  base::Result<void> pass();
  UploadCounts counts() const { return counts_; }

 private:
  base::Result<void> send(Report report);
  base::Result<void> give_up(Report report, std::string why);
  void say(const std::string& line) const {
    if (options_.say) options_.say(line);
  }

  const Spool& spool_;
  const UploadOptions& options_;
  UploadCounts counts_;
};

base::Result<void> Uploader::give_up(Report report, std::string why) {
  say(report.id + ": rejected: " + why);
  report.last_error = std::move(why);
  ++counts_.rejected;
  return spool_.finish_rejected(report);
}

base::Result<void> Uploader::send(Report report) {
  const std::string dump = spool_.dump_path(report.id);
  const std::string url = options_.url.empty() ? report.url : options_.url;
  if (!is_complete(dump)) return give_up(std::move(report), "the dump is not a complete minidump");
  if (is_hopeless(report, now_s())) {
    std::string why = "tried too often or too old; last: " + report.last_error;
    return give_up(std::move(report), std::move(why));
  }
  if (url.empty()) {
    ++counts_.waiting;
    return {};
  }
  const ServerAnswer answer = post_report(url, report, dump);
  ++report.tries;
  const std::string status =
      answer.status == 0 ? answer.error : "HTTP status " + std::to_string(answer.status);
  switch (verdict_of(answer)) {
    case Verdict::sent:
      report.remote_id = remote_id_in(answer.body);
      report.last_error.clear();
      say(report.id + ": sent: " + report.remote_id);
      ++counts_.sent;
      return spool_.finish_sent(report);
    case Verdict::rejected:
      return give_up(std::move(report), status + ": " + remote_id_in(answer.body));
    case Verdict::retry:
      break;
  }
  const std::int64_t delay =
      retry_delay_s(report.tries, answer.retry_after_s, throw_dice(), options_.retry_first_s);
  report.next_try_s = now_s() + delay;
  report.last_error = status;
  say(report.id + ": " + status + "; again in " + std::to_string(delay) + " s");
  ++counts_.waiting;
  return spool_.update(report);
}

base::Result<void> Uploader::pass() {
  counts_.waiting = 0;
  for (const std::string& id : spool_.pending()) {
    Report report = spool_.load(id);
    if (report.next_try_s > now_s()) {
      ++counts_.waiting;
      continue;
    }
    TRY(send(std::move(report)));
  }
  return {};
}

}  // namespace

base::Result<UploadCounts> upload_all(const Spool& spool, const UploadOptions& options) {
  const base::LockFile lock = TRY(acquire(spool));
  Uploader uploader(spool, options);
  const std::int64_t until = now_s() + options.stay_s;
  TRY(uploader.pass());
  while (!options.once && now_s() < until) {
    if (spool.pending().empty()) break;
    ::sleep(static_cast<unsigned>(kLookAgainS));
    TRY(uploader.pass());
  }
  return uploader.counts();
}

}  // namespace handler
