// Where libraries come in that are loaded when first used: cmake/faultline_lazy_library.cmake
// makes the jumps that end here. Nobody else calls this.
// Any thread. Never fails: a library that is not there, or lacks the function, ends the program
// with a line that names both, as the loader would have done at the start.
#pragma once

extern "C" void* faultline_lazy_function(const char* library, const char* function);
