// Every way of bringing a symbol file to a server, as one table for tests that hold for all of
// them: what is sent, whether it was acknowledged, and where it is then found.
// Files are made of a number; those of one number and way are always the same. Any thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/client.h"

namespace uploads {

using Fields = std::map<std::string, std::string>;

// Without redirects and unpacking; status 0 when the server was gone.
net::ClientAnswer send(const std::string& url, const std::string& method, const std::string& path,
                       const std::string& body = "", const Fields& headers = {});
std::string form_part(const std::string& disposition, const std::string& content);
std::string form_end();
const Fields& form_header();
// A regular file in a tar archive. REQUIRES: the name has less than 100 bytes.
std::string tar_entry(const std::string& name, const std::string& content);
std::string tar_end();

// What is brought: a module's Breakpad text, or a little ELF file with a build id.
struct File {
  std::string name;  // of the module
  std::string id;    // Breakpad's, or the build id in hex
  std::string path;  // where it is found afterwards
  std::string content;
};
File sym_file(const std::string& name, std::size_t size);
File elf_file(const std::string& name, std::size_t size);

struct Outcome {
  bool acknowledged = false;
  int status = 0;    // of the last answer; 0: the server was gone
  std::string said;  // in it
};

struct Dialect {
  std::string name;
  std::function<File(const std::string& name, std::size_t size)> make;
  std::function<Outcome(const std::string& url, const File& file)> upload;
};
const std::vector<Dialect>& dialects();

}  // namespace uploads
