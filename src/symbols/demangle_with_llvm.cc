#include "symbols/demangle_with_llvm.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>

#include "symbols/demangle.h"

#ifndef NDEBUG
#define NDEBUG  // LLVM's assertions would stop the program on a hostile name
#endif
#include <llvm/Demangle/Demangle.h>
#include <llvm/Demangle/ItaniumDemangle.h>

// Mangled names are programs: a substitution refers to what was read before, so a name of a
// hundred bytes can print as gigabytes, and nesting can exhaust the stack. For Itanium names we
// drive LLVM's parser and printer ourselves and bound depth, nodes and output. The other
// manglings are opaque calls; there we refuse names whose back-references could multiply.
namespace symbols {
namespace {

namespace id = llvm::itanium_demangle;

constexpr int kMaxParseDepth = 512;
constexpr int kMaxPrintDepth = 2048;
constexpr std::size_t kMaxPrintSteps = 400'000;
constexpr std::size_t kMaxNodeBytes = 16 * 1024 * 1024;
constexpr double kMaxOpaqueOutput = 32.0 * 1024 * 1024;
constexpr std::size_t kMaxOpaqueSize = 8 * 1024;  // of a mangled name

struct Free {
  void operator()(char* text) const { std::free(text); }
};
using MallocedText = std::unique_ptr<char, Free>;

// Nodes live until the end of one call. Past the limit the parser is told "no such node".
class NodeAllocator {
 public:
  void reset() {
    used_ = 0;
    while (blocks_ != nullptr) {
      Block* const next = blocks_->next;
      std::free(blocks_);
      blocks_ = next;
    }
  }
  ~NodeAllocator() { reset(); }

  template <class T, class... Args>
  T* makeNode(Args&&... args) {  // NOLINT(readability-identifier-naming): LLVM's name
    void* const place = allocate(sizeof(T));
    return place == nullptr ? nullptr : new (place) T(std::forward<Args>(args)...);
  }
  // The parser writes into what this returns, so it must not refuse.
  void* allocateNodeArray(std::size_t count) {  // NOLINT(readability-identifier-naming)
    used_ = std::min(used_, kMaxNodeBytes);
    return must_allocate(sizeof(id::Node*) * count);
  }

 private:
  struct alignas(16) Block {
    Block* next;
  };
  static constexpr std::size_t kBlockSize = 8 * 1024;

  void* allocate(std::size_t size) {
    used_ += size;
    return used_ > kMaxNodeBytes ? nullptr : must_allocate(size);
  }
  void* must_allocate(std::size_t size) {
    size = (size + 15) & ~std::size_t{15};
    if (blocks_ == nullptr || size > left_) {
      const std::size_t payload = std::max(size, kBlockSize);
      auto* const block = static_cast<Block*>(std::malloc(sizeof(Block) + payload));
      if (block == nullptr) std::abort();
      block->next = blocks_;
      blocks_ = block;
      at_ = reinterpret_cast<char*>(block + 1);
      left_ = payload;
    }
    void* const place = at_;
    at_ += size;
    left_ -= size;
    return place;
  }

  Block* blocks_ = nullptr;
  char* at_ = nullptr;
  std::size_t left_ = 0;
  std::size_t used_ = 0;
};

class Parser : public id::AbstractManglingParser<Parser, NodeAllocator> {
 public:
  using Base = id::AbstractManglingParser<Parser, NodeAllocator>;
  using Base::Base;

  // NOLINTBEGIN(readability-identifier-naming,bugprone-derived-method-*): these replace functions
  // of LLVM's parser
  id::Node* parseType() {
    return deeper([&] { return Base::parseType(); });
  }
  id::Node* parseExpr() {
    return deeper([&] { return Base::parseExpr(); });
  }
  id::Node* parseName(NameState* state = nullptr) {
    return deeper([&] { return Base::parseName(state); });
  }
  id::Node* parseTemplateArg() {
    return deeper([&] { return Base::parseTemplateArg(); });
  }
  id::Node* parseBracedExpr() {
    return deeper([&] { return Base::parseBracedExpr(); });
  }
  id::Node* parseEncoding(bool params = true) {
    return deeper([&] { return without_return_type(Base::parseEncoding(params)); });
  }
  // NOLINTEND(readability-identifier-naming,bugprone-derived-method-*)

 private:
  template <class Parse>
  id::Node* deeper(Parse parse) {
    if (depth_ >= kMaxParseDepth) return nullptr;
    ++depth_;
    id::Node* const node = parse();
    --depth_;
    return node;
  }
  id::Node* without_return_type(id::Node* node) {
    if (node == nullptr || node->getKind() != id::Node::KFunctionEncoding) return node;
    const auto* function = static_cast<const id::FunctionEncoding*>(node);
    if (function->getReturnType() == nullptr) return node;
    return make<id::FunctionEncoding>(nullptr, function->getName(), function->getParams(),
                                      function->getAttrs(), function->getRequires(),
                                      function->getCVQuals(), function->getRefQual());
  }

  int depth_ = 0;
};

class Printer final : public id::OutputBuffer {
 public:
  ~Printer() override { std::free(getBuffer()); }
  void printLeft(const id::Node& node) override {
    if (!enter()) return;
    OutputBuffer::printLeft(node);
    --depth_;
  }
  void printRight(const id::Node& node) override {
    if (!enter()) return;
    OutputBuffer::printRight(node);
    --depth_;
  }
  bool too_much() const { return too_much_; }

 private:
  bool enter() {
    if (too_much_ || ++steps_ > kMaxPrintSteps || depth_ >= kMaxPrintDepth ||
        getCurrentPosition() > kMaxDemangledSize) {
      too_much_ = true;
      return false;
    }
    ++depth_;
    return true;
  }

  bool too_much_ = false;
  int depth_ = 0;
  std::size_t steps_ = 0;
};

// True when `references` back-references in a name of this size cannot print too much. Each can
// repeat what the one before it repeats; the worst distribution multiplies by e^(1/e) for each.
bool is_bounded(std::string_view mangled, std::size_t references) {
  if (mangled.size() > kMaxOpaqueSize || references > 200) return false;
  const double growth = std::pow(1.4447, static_cast<double>(references));
  return static_cast<double>(mangled.size()) * growth <= kMaxOpaqueOutput;
}

std::optional<std::string> taken(char* text) {
  const MallocedText owned(text);
  if (!owned) return std::nullopt;
  const std::string_view view(owned.get());
  if (view.empty() || view.size() > kMaxDemangledSize) return std::nullopt;
  return std::string(view);
}

}  // namespace

std::optional<std::string> find_itanium_name(std::string_view mangled) {
  if (mangled.size() > kMaxMangledSize) return std::nullopt;
  Parser parser(mangled.data(), mangled.data() + mangled.size());
  const id::Node* const root = parser.parse();
  if (root == nullptr) return std::nullopt;
  Printer out;
  root->print(out);
  if (out.too_much() || out.empty()) return std::nullopt;
  return std::string(std::string_view(out));
}

std::optional<std::string> find_microsoft_name(std::string_view mangled) {
  const auto digits =
      std::count_if(mangled.begin(), mangled.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_bounded(mangled, static_cast<std::size_t>(digits))) return std::nullopt;
  constexpr auto kFlags = static_cast<llvm::MSDemangleFlags>(
      llvm::MSDF_NoAccessSpecifier | llvm::MSDF_NoCallingConvention | llvm::MSDF_NoReturnType |
      llvm::MSDF_NoMemberType);
  int status = 0;
  return taken(llvm::microsoftDemangle(mangled, nullptr, &status, kFlags));
}

std::optional<std::string> find_rust_v0_name(std::string_view mangled) {
  const auto references = std::count(mangled.begin(), mangled.end(), 'B');
  if (!is_bounded(mangled, static_cast<std::size_t>(references))) return std::nullopt;
  return taken(llvm::rustDemangle(mangled));
}

std::optional<std::string> find_dlang_name(std::string_view mangled) {
  const auto references = std::count(mangled.begin(), mangled.end(), 'Q');
  if (!is_bounded(mangled, static_cast<std::size_t>(references))) return std::nullopt;
  return taken(llvm::dlangDemangle(mangled));
}

}  // namespace symbols
