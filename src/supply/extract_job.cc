#include "supply/extract_job.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "extract/breakpad_from_symbols.h"
#include "extract/extract.h"
#include "extract/plain_pdb.h"
#include "extract/symbols_from_breakpad.h"
#include "symbols/index_writer.h"

namespace supply {

using base::Result;

namespace {

base::Bytes bytes_of(const std::shared_ptr<const base::MappedFile>& file) {
  return file ? file->bytes() : base::Bytes();
}

Result<std::shared_ptr<const base::MappedFile>> map_if_named(const std::string& path) {
  if (path.empty()) return std::shared_ptr<const base::MappedFile>();
  return base::MappedFile::open(path);
}

Result<void> write_at(int fd, std::uint64_t offset, std::string_view text,
                      const std::string& path) {
  while (!text.empty()) {
    const ssize_t n = ::pwrite(fd, text.data(), text.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::error_from_errno(errno, "cannot write", path);
    text.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<void> write_sym(const symbols::Model& model, const std::string& path, unsigned threads) {
  const base::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd.valid()) return base::error_from_errno(errno, "cannot open", path);
  extract::BreakpadOptions options;
  options.threads = threads;
  extract::BreakpadSink sink;
  sink.any_order = true;
  sink.write = [&](std::uint64_t offset, std::string_view text) {
    return write_at(fd.get(), offset, text, path);
  };
  return extract::write_breakpad(model, options, sink);
}

Result<void> unpack(const ExtractJob& job) {
  const auto packed = TRY(base::MappedFile::open(job.msfz));
  base::PendingFile out = TRY(base::PendingFile::adopt(job.pdb_out));
  TRY(extract::write_plain_pdb(packed->bytes(), out));
  out.release();
  return {};
}

}  // namespace

Result<void> run_extract_job(const ExtractJob& job) {
  if (!job.msfz.empty()) return unpack(job);
  symbols::IndexOptions index;
  index.threads = job.threads;
  if (!job.sym.empty()) {
    const auto text = TRY(base::MappedFile::open(job.sym));
    extract::BreakpadReading reading;
    reading.threads = job.threads;
    const symbols::Model model = extract::symbols_from_breakpad(text, reading);
    return symbols::write_index_file(model, job.index_out, index);
  }
  const auto image = TRY(map_if_named(job.image));
  const auto debug = TRY(map_if_named(job.debug));
  extract::Options options;
  options.threads = job.threads;
  const extract::Extracted extracted =
      TRY(extract::extract({bytes_of(image), bytes_of(debug), job.module_name}, options));
  if (!job.sym_out.empty()) TRY(write_sym(extracted.model, job.sym_out, job.threads));
  return symbols::write_index_file(extracted.model, job.index_out, index);
}

}  // namespace supply
