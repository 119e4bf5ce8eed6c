// What each room needs of the configuration, in the room's own struct.
// Pure functions of their arguments, but for the size of the disk. Those with a Result fail with
// malformed and name the setting.
#pragma once

#include "api/answer_log.h"
#include "api/home.h"
#include "api/metadata.h"
#include "api/submit.h"
#include "api/symbolicate.h"
#include "api/symbolicator.h"
#include "api/symbols.h"
#include "api/upload.h"
#include "base/log.h"
#include "ingest/ingest.h"
#include "ingest/scan.h"
#include "net/server.h"
#include "server/options.h"
#include "server/request_sources.h"
#include "server/virtual_directories.h"
#include "store/access.h"
#include "store/data_directory.h"
#include "store/disk_watch.h"
#include "supply/supply.h"

namespace server {

supply::Supply::Options supply_options(const Options& options, const store::DataDirectory& data);
std::uint64_t scan_disk_free(const Options& options, const store::DataDirectory& data);
ingest::ScanOptions scan_options(const Options& options, const store::DataDirectory& data);
archive::ZipLimits zip_limits(const Options& options);
ingest::UnpackLimits upload_unpacking();  // an uploader waits for it
api::UploadOptions upload_options(const Options& options);
store::DiskWatch::Marks disk_marks(const Options& options);
// The default project's layout stands in the configuration, the others' in their rows.
api::Layout layout_of(const Options& options, const store::Access& access,
                      const std::string& project);
api::HomeOptions home_options(const Options& options);
api::MetadataOptions metadata_options(const Options& options);
api::SubmitOptions submit_options(const Options& options);
base::Result<api::Symbolication::Options> symbolication_options(const Options& options);
base::Result<RequestSources::Options> request_sources_options(const Options& options);
api::Symbolicator::Options symbolicator_options(const Options& options,
                                                const store::DataDirectory& data);
base::Result<base::log::Level> log_level(const Options& options);
base::Result<base::log::Format> log_format(const Options& options);
base::Result<api::AnswerLog::Wants> answers_to_log(const Options& options);
base::Result<VirtualDirectories> virtual_directories(const Options& options);
// What makes these options none that anybody could serve: all that serve would find wrong of them
// before it listens, as far as no disk is written to. Reads the files and opens the directories
// that they name, and fails as those do as well; starts no thread.
base::Result<void> check_rooms(const Options& options);
base::Result<net::ServerOptions> net_options(const Options& options,
                                             const store::DataDirectory& data);

}  // namespace server
