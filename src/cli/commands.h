// The sub-commands of `faultline`, one file each in this room. Each takes its own arguments,
// argv[0] being the name to show in help, and returns the exit code: 0 done, 1 failed, 2 bad
// usage. Errors are one line on stderr that names the file and what to do.
// `serve` lives in server/, which wires the whole program.
#pragma once

namespace cli {

int run_dump_syms(int argc, char** argv);
int run_symbolicate(int argc, char** argv);
int run_stackwalk(int argc, char** argv);
int run_process_one(int argc, char** argv);
int run_extract_one(int argc, char** argv);
int run_dsym_for_uuid(int argc, char** argv);
int run_export_tree(int argc, char** argv);
int run_list_sources(int argc, char** argv);
int run_unpack_one(int argc, char** argv);
int run_upload_symbols(int argc, char** argv);
int run_store(int argc, char** argv);
int run_report(int argc, char** argv);
int run_admin(int argc, char** argv);

}  // namespace cli
