#include "handler/modules_from_memory.h"

#include <elf.h>

#include <algorithm>
#include <set>

#include "base/text.h"

namespace handler {

namespace {

constexpr std::size_t kModulesMax = 4096;
constexpr std::size_t kProgramHeadersMax = 256;
constexpr std::size_t kNoteSizeMax = 64 << 10;
constexpr std::size_t kBuildIdMax = 64;
constexpr std::size_t kDynamicMax = 512;
constexpr std::size_t kNameMax = 1024;

struct Image {
  std::uint64_t base = 0;  // where the first byte of the file is
  std::uint64_t bias = 0;  // address in memory minus address in the file
  std::uint64_t end = 0;
  std::vector<Elf64_Phdr> headers;
};

std::optional<Image> find_image(const ProcessMemory& memory, std::uint64_t base) {
  const auto head = memory.find<Elf64_Ehdr>(base);
  if (!head || !std::equal(head->e_ident, head->e_ident + SELFMAG, ELFMAG) ||
      head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_phentsize != sizeof(Elf64_Phdr) ||
      head->e_phnum == 0 || head->e_phnum > kProgramHeadersMax) {
    return std::nullopt;
  }
  Image image;
  image.base = base;
  image.headers.resize(head->e_phnum);
  const std::span out(reinterpret_cast<std::uint8_t*>(image.headers.data()),
                      image.headers.size() * sizeof(Elf64_Phdr));
  if (!memory.read_all(base + head->e_phoff, out)) return std::nullopt;
  bool found = false;
  std::uint64_t end = 0;
  for (const Elf64_Phdr& header : image.headers) {
    if (header.p_type != PT_LOAD) continue;
    if (!found) image.bias = base - (header.p_vaddr - header.p_offset);
    found = true;
    end = std::max(end, header.p_vaddr + header.p_memsz);
  }
  image.end = image.bias + end;
  if (!found || image.end <= base) return std::nullopt;
  return image;
}

std::vector<std::uint8_t> build_id_in(base::Bytes notes, std::uint64_t alignment) {
  base::Reader reader(notes);
  while (reader.remaining() >= sizeof(Elf64_Nhdr)) {
    const std::uint32_t name_size = reader.u32(), size = reader.u32(), type = reader.u32();
    const auto padded = [alignment](std::uint32_t n) {
      return (n + alignment - 1) & ~(alignment - 1);
    };
    const base::Bytes name = reader.bytes(name_size);
    reader.skip(padded(name_size) - name_size);
    const base::Bytes value = reader.bytes(size);
    if (!reader.ok()) break;
    if (type == NT_GNU_BUILD_ID && base::text_of(name) == std::string_view("GNU\0", 4) &&
        size <= kBuildIdMax) {
      return {value.begin(), value.end()};
    }
    const std::uint64_t rest = padded(size) - size;
    if (rest > reader.remaining()) break;
    reader.skip(rest);
  }
  return {};
}

std::vector<std::uint8_t> find_build_id(const Image& image, const ProcessMemory& memory) {
  for (const Elf64_Phdr& header : image.headers) {
    if (header.p_type != PT_NOTE) continue;
    const auto notes = memory.bytes(image.bias + header.p_vaddr,
                                    std::min<std::size_t>(header.p_filesz, kNoteSizeMax));
    auto id = build_id_in(notes, header.p_align == 8 ? 8 : 4);
    if (!id.empty()) return id;
  }
  return {};
}

// The name that the library gives itself. The loader has turned DT_STRTAB into an address in
// memory, except where it may not write (the vdso): there it is still one in the file.
std::string find_soname(const Image& image, const ProcessMemory& memory) {
  for (const Elf64_Phdr& header : image.headers) {
    if (header.p_type != PT_DYNAMIC) continue;
    std::uint64_t strings = 0, name = 0;
    const std::size_t count =
        std::min<std::size_t>(header.p_memsz / sizeof(Elf64_Dyn), kDynamicMax);
    const auto bytes = memory.bytes(image.bias + header.p_vaddr, count * sizeof(Elf64_Dyn));
    base::Reader reader(bytes);
    while (reader.remaining() >= sizeof(Elf64_Dyn)) {
      const std::int64_t tag = reader.s64();
      const std::uint64_t value = reader.u64();
      if (tag == DT_NULL) break;
      if (tag == DT_STRTAB) strings = value;
      if (tag == DT_SONAME) name = value;
    }
    if (strings == 0 || name == 0) return {};
    if (strings < image.base) strings += image.bias;
    return memory.text(strings + name, kNameMax);
  }
  return {};
}

snapshot::Module module_of(const Image& image, const Mapping& mapping,
                           const ProcessMemory& memory) {
  snapshot::Module module;
  module.base = {image.base};
  module.size = image.end - image.base;
  module.build_id = find_build_id(image, memory);
  if (!module.build_id.empty()) {
    module.debug_id = ident::DebugId::from_build_id(module.build_id);
    module.debug_id_text = module.debug_id->breakpad();
    module.code_id = base::hex_of(module.build_id);
  }
  const std::string soname = find_soname(image, memory);
  module.code_file = mapping.is_file() ? mapping.path : soname;
  if (module.code_file.empty()) module.code_file = mapping.path;
  module.debug_file = module.code_file;
  return module;
}

}  // namespace

std::vector<snapshot::Module> modules_from_memory(const std::vector<Mapping>& maps,
                                                  const AuxiliaryVector& auxv,
                                                  const ProcessMemory& memory) {
  const auto auxiliary = [&auxv](std::uint64_t type) {
    const auto at = auxv.find(type);
    return at == auxv.end() ? std::uint64_t{0} : at->second;
  };
  const std::uint64_t vdso = auxiliary(AT_SYSINFO_EHDR);
  const std::uint64_t main_headers = auxiliary(AT_PHDR);

  std::vector<snapshot::Module> modules;
  std::size_t main_module = 0;
  std::uint64_t covered = 0;  // mappings below this belong to the module before
  for (const Mapping& mapping : maps) {
    if (modules.size() == kModulesMax) break;
    const bool may_begin = mapping.is_file() || mapping.begin == vdso;
    if (!may_begin || mapping.begin < covered || !mapping.readable) continue;
    const auto image = find_image(memory, mapping.begin);
    if (!image) continue;
    // A file that is merely looked at (mapped whole, never executable) is no module.
    const bool runs = std::any_of(maps.begin(), maps.end(), [&image](const Mapping& other) {
      return other.executable && other.begin < image->end && other.end > image->base;
    });
    if (!runs) continue;
    covered = image->end;
    if (main_headers >= image->base && main_headers < image->end) main_module = modules.size();
    modules.push_back(module_of(*image, mapping, memory));
  }
  if (main_module < modules.size()) {
    std::rotate(modules.begin(), modules.begin() + static_cast<std::ptrdiff_t>(main_module),
                modules.begin() + static_cast<std::ptrdiff_t>(main_module) + 1);
  }
  return modules;
}

}  // namespace handler
