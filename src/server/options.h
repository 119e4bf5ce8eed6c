// Everything that can be set about a server: a file's settings, then the environment's
// (FAULTLINE_LIMITS_UPLOAD for limits.upload), then flags; the later wins. config_files.h finds and
// reads the files.
// Not the other rooms' Options: server/wire.cc makes those of these.
// Plain values; pure functions but settings_from_environment(), which reads files of secrets.
// Fails with malformed: the error names the file, the line and, for a key that nobody knows, the
// nearest one that exists.
// Format: docs/configuration.md
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/upstream_options.h"

namespace server {

// What people are told about this installation.
struct SiteOptions {
  std::string name;                          // "": faultline
  std::string administrator;                 // how to reach whoever runs it
  std::string default_sympath;               // what clients set _NT_SYMBOL_PATH to
  std::uint64_t statistics = 1;              // 0: nothing is counted for the page
  std::string old_config, old_config_shown;  // pySymProxy's file, if that was read; without secrets

  friend bool operator==(const SiteOptions&, const SiteOptions&) = default;
};

struct Options {
  std::string listen = "127.0.0.1:7070";
  std::string data = "faultline-data";
  std::string log_level = "info";
  std::string log_format = "text";       // text, json
  std::string log_answers = "refused";   // none, refused, all
  std::string log_file;                  // besides stderr; "": none
  std::uint64_t log_file_size = 0;       // then it begins anew; 0: never
  std::uint64_t log_file_count = 0;      // older ones that are kept
  std::uint64_t threads = 0;             // of the network; 0: one for each processor
  std::uint64_t workers = 8;             // that may wait for disk and database
  std::string database;                  // "": SQLite in the data directory
  std::string tls_listen;                // HTTPS besides `listen`; "": none
  std::string tls_certificate, tls_key;  // PEM files
  std::string upload_token;              // "": only local peers may upload
  std::uint64_t upload_try_days = 30;
  std::string upload_url_hosts;    // archives may be fetched from these
  std::string upload_url_private;  // "yes": even where those have private addresses
  std::string upload_url_ca_bundle;
  std::string virtual_directories;  // one a line: NAME or NAME=PROJECT
  std::string trusted_proxies;      // one address or range a line: they say who the client is
  std::string public_url;           // how clients reach us; "": as their request says
  std::uint64_t limit_sentry_request = 32ull << 20;
  std::uint64_t limit_upload = 8ull << 30;
  std::uint64_t limit_crash_report = 100ull << 20;
  std::uint64_t limit_parts = 1000;
  std::uint64_t limit_zip_members = 20'000;
  std::uint64_t limit_expansion = 200;
  std::uint64_t limit_connections = 10'000;
  std::uint64_t limit_requests_per_address = 0;  // a second; 0: no limit
  std::uint64_t limit_requests_per_token = 0;
  std::uint64_t limit_requests_per_project = 0;
  std::uint64_t limit_requests_burst = 10;   // seconds' worth that may come at once
  std::uint64_t limit_default_project = 0;   // bytes of uploads that it may keep; 0: no limit
  std::uint64_t retention_uploads_days = 0;  // 0: for ever
  std::uint64_t retention_unasked_days = 0;  // uploads that nobody asked for meanwhile, either
  std::uint64_t retention_reports_days = 0;
  std::string retention_projects;  // one a line: NAME=DAYS, instead of uploads_days
  std::uint64_t cache_days = 0;    // files of upstream servers; 0: while there is room
  std::string cache_path;          // where they and the indexes are kept; "": with the data
  std::uint64_t cache_size = 0;    // of both together; 0: scan_extracted bounds the files alone
  std::uint64_t disk_free_min = 64ull << 20;
  std::uint64_t disk_stop_caching = 2ull << 30;
  std::uint64_t disk_stop_extracting = 1ull << 30;
  std::uint64_t unpacking_threads = 2;
  std::uint64_t unpacking_waiting = 16;
  std::uint64_t conversion_threads = 1;
  std::uint64_t conversion_memory = 4ull << 30;
  std::uint64_t conversion_seconds = 600;
  std::uint64_t processing_threads = 1;
  std::uint64_t symbolication_threads = 2;  // for long questions, and those that had to wait
  std::uint64_t symbolication_memory = 512ull << 20;  // of open indexes
  std::uint64_t symbolication_bodies = 128ull << 20;  // of requests, kept at a time
  std::uint64_t symbolication_body = 32ull << 20;     // of one request to `/`
  std::uint64_t symbolication_seconds = 60;           // to find the modules of one request
  std::string symbolication_origin = "*";             // of web pages that may ask; "": none
  std::string symbolication_dialect = "mozilla";      // of POST /; or "snappy"
  std::uint64_t symbolication_sources = 0;            // 1: those that a request names are asked
  std::string symbolication_private_sources;          // addresses, one a line: they may be there
  std::string
      symbolication_forward;  // asked about modules of POST / that nobody here has; "": none
  std::uint64_t symbolication_source_context = 1;  // lines of sources in Symbolicator's answers
  std::string symbolication_debug = "all";  // whose actions it takes: "symserver", "diskcache"
  std::string memcached_servers;            // HOST:PORT, one a line, for frames of POST /; "": none
  std::string memcached_keys = "content";   // what they end with; "bare": the offset
  std::uint64_t memcached_timeout_ms = 200;  // of one conversation with one server
  std::uint64_t memcached_rest_seconds = 5;  // after which one that failed is asked again
  std::uint64_t drain_seconds = 10;
  std::uint64_t metadata_seconds = 5;    // that one search for files may take
  std::string home_redirect, home_html;  // what "/" answers instead of our page
  std::string sources_directories;       // one a line: /directory or /build/prefix=/directory
  std::string sources_hosts;             // web servers that may be asked for sources; "": none
  std::string sources_credentials;       // file with what lets us in there
  std::string sources_token;             // who brings it may read sources; "": everybody
  std::string sources_origin;            // of web pages that may read sources; "": none
  std::uint64_t sources_file_size = 16ull << 20;
  std::uint64_t sources_cache_size = 1ull << 30;
  std::uint64_t sources_seconds = 10;   // for one file from a web server
  std::uint64_t sources_audit = 1;      // each read is noted in the audit log
  std::string scan_paths;               // watched directories, "A:B"; "": none
  std::uint64_t scan_files = 1;         // debug files lying about in them, too
  std::string scan_packages = "usual";  // extensions, ".deb .rpm"
  std::string scan_include, scan_exclude;
  std::uint64_t scan_follow_links = 0;
  std::uint64_t scan_threads = 1;
  std::uint64_t scan_seconds = 300;  // between passes; 0: only when asked
  std::uint64_t scan_extracted = 0;  // budget; 0: a quarter of what is free
  std::uint64_t scan_disk_free = 1ull << 30;
  std::uint64_t store_two_tier = 0;        // the default project's index2.txt exists
  std::uint64_t store_cabinets = 1;        // foo.pd_ is made from foo.pdb, in the default project
  std::string store_pointers;              // one a line: where file.ptr may lead
  std::string unc;                         // one a line: \\server\share=/directory
  std::vector<UpstreamOptions> upstreams;  // asked in this order
  std::string upstreams_deny;              // one expression a line: asked for nowhere
  std::string upstreams_exclusions;        // a symsrv.ini that says the same with wildcards
  std::string upstreams_cache;             // a symbol store tree, looked into before any is asked
  std::uint64_t upstreams_cache_size = 0;  // that it may take; 0: it has no bound
  std::uint64_t upstreams_cache_days = 0;  // that a file stays in it unused; 0: for ever
  std::uint64_t upstreams_rounds = 1;      // how often they are asked when one fails
  std::uint64_t upstreams_round_ms = 500;  // between two rounds
  SiteOptions site;
  std::vector<std::string> warnings;  // of what was read: for the log
  // Set by `debuginfod` alone.
  bool is_debuginfod = false;
  std::map<std::string, std::string> scan_commands;  // by extension, instead of scan_packages
  bool scan_keeps_excluded = false;
  std::uint64_t scan_disk_free_percent = 0;  // of the disk; 0: scan.disk_free says
  std::uint64_t groom_seconds = 0;

  friend bool operator==(const Options&, const Options&) = default;
};

// The options as files, environment and flags say them by now.
using Reread = std::function<base::Result<Options>()>;

// One line of configuration, from wherever.
struct Setting {
  std::string key;     // "limits.upload"
  std::string value;   // as text
  std::string source;  // "faultline.toml:3", "FAULTLINE_LIMITS_UPLOAD", for errors
};

// Applies the settings in order. A setting "unc.SHARE" adds a line to `unc`.
base::Result<Options> options_from(const std::vector<Setting>& settings);

base::Result<std::vector<Setting>> settings_from_toml(std::string_view text,
                                                      const std::string& file_name);
base::Result<std::vector<Setting>> settings_from_environment(
    const std::map<std::string, std::string>& environment);

// Whether the key's values are numbers or sizes; false for one that does not exist.
bool takes_number(std::string_view key);

// The keys whose values differ, but for those of the upstream servers.
std::vector<std::string> changed_keys(Options one, Options other);

// Every key with its default, in the order of docs/configuration.md.
std::vector<Setting> default_settings();

// "8 GiB", "100MB", "4096" → bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace server
