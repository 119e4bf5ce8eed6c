#include "handler/report_writer.h"

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include "base/clock.h"
#include "base/file.h"
#include "handler/snapshot_from_process.h"
#include "handler/stopped_process.h"

namespace handler {

namespace {

Report report_of(const CrashSite& site, const CrashRequest& request, const std::string& id) {
  Report report;
  report.id = id;
  report.time_s = base::now().us / 1'000'000;
  report.url = site.settings.url;
  for (const auto& annotation : annotations_of(site.settings)) {
    report.annotations[annotation.key] = annotation.value;
  }
  for (const auto& annotation : copy_annotations(site.page)) {
    report.annotations[annotation.key] = annotation.value;
  }
  report.annotations["guid"] = id;
  if (request.kind == client::CrashKind::requested) {
    report.annotations["dump_requested"] = request.note.empty() ? "yes" : request.note;
  }
  const std::int64_t uptime_s = report.time_s - site.page.config.start_time_s;
  if (uptime_s >= 0) report.annotations["ptime"] = std::to_string(uptime_s * 1000);
  return report;
}

std::vector<snapshot::Annotation> annotations_in(const Report& report) {
  std::vector<snapshot::Annotation> annotations;
  annotations.reserve(report.annotations.size());
  for (const auto& [key, value] : report.annotations) annotations.push_back({key, value, ""});
  return annotations;
}

std::string upload_program() {
  char path[4096];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  if (size <= 0) return "faultline-upload";
  const std::string_view self(path, static_cast<std::size_t>(size));
  return base::join_path(base::parent_of(self), "faultline-upload");
}

}  // namespace

base::Result<void> write_report(const CrashSite& site, const Spool& spool) {
  const CrashRequest request = copy_request(site.crash);
  StoppedProcess process = TRY(StoppedProcess::stop(site.pid));
  site.progress(false);
  const std::string id = make_report_id();
  const Report report = report_of(site, request, id);
  const snapshot::Crash crash = snapshot_from_process(
      {site.pid, process, request, site.settings, id, annotations_in(report)});
  site.progress(false);
  const snapshot::MinidumpImage dump = TRY(snapshot::lay_out_minidump(crash));
  if (dump.size() > site.settings.max_dump_bytes) {
    return base::Error{base::Fault::too_large, "the dump has " + std::to_string(dump.size()) +
                                                   " bytes, more than max_dump_bytes"};
  }
  TRY(spool.store(report, dump));
  // From here on the report survives us and the client.
  site.progress(true);
  process.release(crashed_thread(site.pid, process, request));
  return {};
}

void start_upload(const Settings& settings) {
  if (settings.url.empty()) return;
  const std::string program = upload_program();
  const pid_t child = ::fork();
  if (child > 0) ::waitpid(child, nullptr, 0);
  if (child != 0) return;
  // Twice, so that it is nobody's zombie.
  if (::fork() != 0) ::_exit(0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execl(program.c_str(), program.c_str(), "--spool", settings.spool.c_str(), nullptr);
  ::_exit(127);
}

void complain(std::string_view text) {
  std::string line = "faultline-handler: ";
  line += text;
  line += '\n';
  // Where stderr is gone there is nobody to tell.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace handler
